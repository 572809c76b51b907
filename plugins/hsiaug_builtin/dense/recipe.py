"""How a network for tiles is trained, as hyper-parameters. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import param
from hsiaug_builtin.nets.plugin import check_choices, defaults
from hsiaug_builtin.nets.recipe import Budget

__all__ = ["ChangeRecipe", "DenseRecipe"]

CHOICES = {"mix": ("joint", "pretrain"), "keep": ("all", "likely")}
"""Values of the parameters that are words."""


@dataclass(frozen=True)
@defaults(decay=0.01)
class DenseRecipe(Budget):
    """The budget, the loss, and the use of synthetic tiles. Raises InputError for an unknown ``mix`` or ``keep``."""

    batch: int = param(8, "tiles per step, drawn with replacement", low=2)
    class_weights: bool = param(
        False, "weigh classes by 1/√(their share of the labelled pixels) in the cross-entropy"
    )
    dice: float = param(0.0, "weight of the Dice loss beside the cross-entropy", low=0)
    centre: bool = param(False, "take each band's mean off each date of each tile")
    mix: str = param(
        "joint",
        "joint: real and synthetic tiles are drawn together, by weight; pretrain: first synthetic ones alone, then real "
        "ones alone, within the same steps",
        later=True,
    )
    pretrain_share: float = param(
        0.5, "of mix=pretrain: part of the steps that is spent on synthetic tiles", low=0, high=1, later=True
    )
    keep: str = param(
        "all",
        "all: every labelled pixel of synthetic tiles is learnt from; likely: those are ignored whose loss under a "
        "network trained on the real tiles exceeds 1.25 times the mean of their class",
        later=True,
    )

    def __post_init__(self) -> None:
        check_choices(self, CHOICES)


@dataclass(frozen=True)
@defaults(steps=300, class_weights=True, dice=1.0)
class ChangeRecipe(DenseRecipe):
    """The same with what change needs: losses for few pixels, and dates and places that are brought to one light.

    ``centre`` was chosen on OSCD's training cities alone, ``benchmarks/change_centre.py``.
    """

    centre: bool = param(
        True, "take each band's mean off each date of each tile: season and haze differ between dates and places"
    )
