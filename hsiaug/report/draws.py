"""Over which draws the points of a line can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hsiaug.report.cells import ArmCell

__all__ = ["DrawKey", "common_draws", "draws_of", "over_draws", "seeds_of"]

DrawKey = tuple[int, str]
"""A seed, and the checksum of the split that it drew."""


def draws_of(cell: ArmCell) -> frozenset[DrawKey]:
    """The draws of the trials that gave numbers."""
    return frozenset(trial.draw for trial in cell.ok)


def seeds_of(draws: Iterable[DrawKey]) -> list[int]:
    """The seeds of some draws, in order."""
    return sorted({seed for seed, _ in draws})


def common_draws(cells: Iterable[ArmCell]) -> frozenset[DrawKey]:
    """The draws over which most trials of the cells can be compared; empty where no trial went well.

    A candidate is what one cell has, and it is worth the trials that it compares: its draws times the cells that have
    them all. So a trial run alone, or an arm with more draws than the others, does not shrink or empty the set, as
    their intersection would. A failed trial counts as one that its cell has: what was planned is compared, and the
    cell that lacks a number stands apart.
    """
    known = [cell for cell in cells if cell.ok]
    planned = [_planned(cell, known) for cell in known]

    def worth(draws: frozenset[DrawKey]) -> tuple[int, int, list[DrawKey]]:
        compared = len(draws) * sum(draws <= other for other in planned)
        return compared, len(draws), sorted(draws)

    return max((draws_of(cell) for cell in known), key=worth, default=frozenset())


def _planned(cell: ArmCell, known: Iterable[ArmCell]) -> frozenset[DrawKey]:
    """A cell's draws, with those of its failed trials: a trial may fail before it has a split, so its seed counts."""
    failed = {trial.seed for trial in cell.failed}
    return draws_of(cell) | {draw for other in known for draw in draws_of(other) if draw[0] in failed}


def over_draws(cell: ArmCell, draws: frozenset[DrawKey]) -> ArmCell:
    """The cell over these draws where it has them all; as it is where it lacks one. Failed trials stay, to be named."""
    if not draws or not draws <= draws_of(cell):
        return cell
    return replace(cell, trials=tuple(t for t in cell.trials if not t.ok or t.draw in draws))
