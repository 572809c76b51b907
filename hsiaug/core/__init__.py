"""Scenes, pairs, samples and tiles, and the views of a spectrum."""
