"""Generators that ship with hsiaug: the controls none and duplicate, noise, mixup, cutmix, the SMOTE family, and the
learnt cvae, wgan and tabddpm."""

from hsiaug.api import Entry, hookimpl

__all__ = ["hsiaug_plugins"]


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """The generators of this package."""
    return [
        Entry("generator", "none", "hsiaug_baselines.controls:Nothing"),
        Entry("generator", "duplicate", "hsiaug_baselines.controls:Duplicate"),
        Entry("generator", "noise", "hsiaug_baselines.noise:Noise"),
        Entry("generator", "mixup", "hsiaug_baselines.mixup:Mixup"),
        Entry("generator", "smote", "hsiaug_baselines.smote:Smote"),
        Entry("generator", "borderline-smote", "hsiaug_baselines.smote:BorderlineSmote"),
        Entry("generator", "adasyn", "hsiaug_baselines.smote:Adasyn"),
        Entry("generator", "cutmix", "hsiaug_baselines.cutmix:Cutmix"),
        Entry("generator", "cvae", "hsiaug_baselines.generative:Cvae"),
        Entry("generator", "wgan", "hsiaug_baselines.generative:Wgan"),
        Entry("generator", "tabddpm", "hsiaug_baselines.generative:Tabddpm"),
    ]
