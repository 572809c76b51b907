"""The tasks: single pixels, and masks of one date or two. Everything a task is asked for anywhere
is answered here.
"""
