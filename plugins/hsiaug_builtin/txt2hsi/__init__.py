"""Txt2HSI-LDM(VAE): semi-supervised, text-conditioned latent diffusion that makes labelled hyperspectral patches.

A reimplementation of the published idea (Zhu and Xu, arXiv 2502.19700): no author code is public and most
hyper-parameters are not known, so every default here is this project's own choice.
"""

from collections.abc import Iterable

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]


@hookimpl
def hsiaug_plugins() -> Iterable[Entry]:
    """The generator of this package."""
    return [Entry("generator", "txt2hsi", "hsiaug_builtin.txt2hsi.plugin:Txt2Hsi")]
