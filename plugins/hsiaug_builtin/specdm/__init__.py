"""SpecDM: latent diffusion that makes image and mask together, and the single-stream LDM it is compared with.

A reimplementation from the paper (arXiv 2502.17056): no author code is public and many hyper-parameters are not known.
"""

from collections.abc import Iterable

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]


@hookimpl
def hsiaug_plugins() -> Iterable[Entry]:
    """The generators of this package."""
    return [
        Entry("generator", "specdm", "hsiaug_builtin.specdm.plugin:SpecDm"),
        Entry("generator", "ldm_single", "hsiaug_builtin.specdm.plugin:LdmSingle"),
    ]
