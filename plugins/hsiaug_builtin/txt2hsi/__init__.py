"""Txt2HSI-LDM(VAE): semi-supervised, text-conditioned latent diffusion that makes labelled hyperspectral patches.

A reimplementation of the published idea (Zhu and Xu, arXiv 2502.19700): no author code is public and most
hyper-parameters are not known, so every default here is this project's own choice.
"""

from hsiaug_builtin import listing

hsiaug_plugins = listing("generator", {"txt2hsi": "txt2hsi.plugin:Txt2Hsi"})
