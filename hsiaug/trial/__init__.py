"""One trial: what it is (spec), how it runs (run), what trials of a scene share
(trial_run), where its record lies (store).
"""

STORE = "hsiaug-results"
"""Folder of the records where the user names none."""
