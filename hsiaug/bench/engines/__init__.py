"""Engines: where the trials of a run are carried out. One module each; all are driven by
``bench/dispatch.py``.
"""
