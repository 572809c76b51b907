"""Spatial–spectral classics: morphological profiles, and shares of classes that are smoothed along
the image's edges.
"""
