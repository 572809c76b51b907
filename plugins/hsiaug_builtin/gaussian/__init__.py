"""A generator without a network, the baseline of ``txt2hsi``: Gaussians of whole patches.

- ``params.py``: its hyper-parameters;
- ``coded.py``: a scene as latents, codes and Gaussians; ``codebook.py`` finds the codes and fits
  the Gaussians;
- ``classes.py``: what the labels of a split add;
- ``plugin.py``: the card, and sampling.

Latents and noise are those of :mod:`hsiaug_builtin.txt2hsi`, which names it to the registry.
"""
