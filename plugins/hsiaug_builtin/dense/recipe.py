"""How a network for tiles is trained, as hyper-parameters. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import defaults, param
from hsiaug_builtin.nets.recipe import Budget

__all__ = ["ChangeRecipe", "DenseRecipe"]


@dataclass(frozen=True)
@defaults(decay=0.01)
class DenseRecipe(Budget):
    """The budget and the loss."""

    batch: int = param(8, "tiles per step, drawn with replacement", low=2)
    class_weights: bool = param(
        False, "weigh classes by 1/√(their share of the labelled pixels) in the cross-entropy"
    )
    dice: float = param(0.0, "weight of the Dice loss beside the cross-entropy", low=0)
    centre: bool = param(False, "take each band's mean off each date of each tile")


@dataclass(frozen=True)
@defaults(steps=300, class_weights=True, dice=1.0)
class ChangeRecipe(DenseRecipe):
    """The same with what change needs: losses for few pixels, and dates and places that are brought to one light.

    ``centre`` was chosen on OSCD's training cities alone, ``benchmarks/change_centre.py``.
    """

    centre: bool = param(
        True, "take each band's mean off each date of each tile: season and haze differ between dates and places"
    )
