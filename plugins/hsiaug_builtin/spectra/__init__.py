"""Knowledge of spectra from outside a scene: other scenes and spectral libraries, and the generator ``library``.

The rooms inside: reading (spectral libraries) · sources (what a scene or a library shows of its classes) · curves (any
sensor on one grid, relative to its scene) · covariance (how curves vary) · prior (classes alike as far as their words
are; from scenes to a prior) · target (what that says of a train view) · library (the generator).
"""

from hsiaug_builtin import listing

hsiaug_plugins = listing("generator", {"library": "spectra.library:Library"})
