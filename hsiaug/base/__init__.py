"""Errors, texts, files, threads: what every other room uses, and nothing of scenes."""
