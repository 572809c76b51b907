"""Suggestions of pixels to label: ground that classifiers disagree on and that is unlike what has a
label.
"""
