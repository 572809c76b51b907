"""Knowledge of spectra from outside a scene: the prior that ``txt2hsi`` may learn from other scenes.

The rooms inside: sources (what a scene shows of its classes) · curves (any sensor on one grid, relative to its scene) ·
likeness (whether two scenes are one) · covariance (how curves vary) · prior (classes alike as far as their words are;
from scenes to a prior) · target (what that says of a train view).
"""
