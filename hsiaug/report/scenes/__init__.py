"""Scenes and predictions that lie on this machine, and splits drawn again: the rest of the report
reads records alone.
"""
