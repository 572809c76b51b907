"""Protocols: which pixels or tiles of a draw train. Draws of these are the bits that records rest
on.
"""
