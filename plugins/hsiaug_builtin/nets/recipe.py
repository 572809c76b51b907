"""How a network is trained, as hyper-parameters. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import param

AUGMENTS = ("none", "turns", "weak", "strong")
"""Names of the online augmentations; :mod:`hsiaug_builtin.nets.views` has them."""


@dataclass(frozen=True)
class Budget:
    """Steps, not epochs: every configuration of a benchmark gets the same optimiser steps,
    whatever it adds.

    A classifier's params extend this or :class:`Recipe` with its network's own fields; other
    defaults are said by :func:`hsiaug.api.defaults`.
    """

    steps: int = param(400, "optimiser steps", low=1)
    batch: int = param(64, "samples per step, drawn with replacement", low=2)
    rate: float = param(3e-3, "initial learning rate of AdamW, taken to 0 along a cosine", low=0)
    decay: float = param(0.05, "weight decay of AdamW", low=0)


@dataclass(frozen=True)
class Recipe(Budget):
    """The budget, and how patches are drawn and shown."""

    balanced: bool = param(False, "sample every class equally often, instead of every sample")
    adjust: float = param(0.0, "strength τ of logit adjustment by class shares; 0 = off", low=0)
    augment: str = param(
        "turns",
        "online augmentation: none, turns (rotations, mirrors), weak (turns, gain, offset) or"
        " strong (weak, radiation noise, dropped bands)",
        choices=AUGMENTS,
    )
