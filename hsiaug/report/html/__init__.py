"""The report as one page of HTML: no server, no file beside it, nothing fetched.

``page.html_page`` makes it from a report, the store's predictions for the maps, and folders of ``hsiaug inspect`` for
spectra and fidelity. The rooms inside: anchors (a table's section, and the ids in it) · markup (grids to HTML) ·
verdicts · gains (SVG) and charts (figures) · confusion · maps · quality · records · page (the whole).
"""
