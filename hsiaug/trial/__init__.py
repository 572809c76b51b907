"""One trial: what it is (spec), how it runs (run), what is reused (cache), where its record lies
(store).
"""

STORE = "hsiaug-results"
"""Folder of the records where the user names none."""
