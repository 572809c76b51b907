"""Generators that ship with hsiaug: the controls none, duplicate, duplicate-balanced and pseudo, noise, mixup, cutmix,
the SMOTE family, and the learnt cvae, wgan and tabddpm."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]

GENERATORS = {
    "none": "controls:Nothing", "duplicate": "controls:Duplicate",
    "duplicate-balanced": "controls:DuplicateBalanced", "noise": "noise:Noise", "mixup": "mixing:Mixup",
    "smote": "smote:Smote", "borderline-smote": "smote:BorderlineSmote", "adasyn": "smote:Adasyn",
    "cutmix": "mixing:Cutmix", "cvae": "generative:Cvae", "wgan": "generative:Wgan", "tabddpm": "generative:Tabddpm",
    "pseudo": "pseudo:Pseudo", "pseudo-region": "pseudo:PseudoRegion",
}  # fmt: skip
"""Name of each generator, and where it is in this package."""


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The generators of this package."""
    return [Entry("generator", name, f"{__name__}.{path}") for name, path in GENERATORS.items()]
