"""The report as one page of HTML: no server, no file beside it, nothing fetched.

``html_page`` makes it from a report, the store's predictions for the maps, and folders of ``hsiaug inspect`` for
spectra and fidelity. The rooms inside: place (anchors) · markup and tables (grids to HTML) · verdicts · gains and
curves (SVG) · classes (recall, confusion) · maps · quality · records · page (the whole).
"""

from __future__ import annotations

from hsiaug.report.html.page import html_page

__all__ = ["html_page"]
