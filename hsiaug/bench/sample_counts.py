"""How many synthetic samples λ asks for, draw by draw: the splits tell, before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence

from hsiaug.tasks.task import Task, TaskSplit

__all__ = ["ENOUGH", "between", "counts_note"]

ENOUGH = 0.1
"""Synthetic samples per real one below which a λ is told to make few."""
USUAL = (1.0, 3.0)
"""λ that are proposed in place of one that makes nothing or little, the first that makes enough.

3 makes twice as many samples of every class as the largest has real ones, whatever the others have.
"""


def counts_note(task: Task, splits: Sequence[TaskSplit], lam: float) -> str | None:
    """A sentence on a λ that makes nothing, or little, in some of the draws; None where there is nothing to say."""
    counts = [task.sizes(split, lam) for split in splits]
    nothing = [split.seed for split, (_, made) in zip(splits, counts, strict=True) if not made]
    few = [made for real, made in counts if made < ENOUGH * real]
    if not few:
        return None
    better = next(
        (other for other in USUAL if other > lam and all(_enough(task, split, other) for split in splits)), None
    )
    equal = "; the classes are as large as the largest, or nearly" if better == USUAL[-1] else ""
    hint = ""
    if better is not None:
        proposed = [task.sizes(split, better) for split in splits]
        real, made = (between([pair[i] for pair in proposed]) for i in (0, 1))
        hint = f"{equal}: try λ = {better:g}, which makes {made} beside {real} real ones"
    if len(nothing) == len(splits):
        return f"λ = {lam:g} makes no synthetic sample, and its arms are not run{hint}"
    if nothing:
        listed = ", ".join(map(str, nothing))
        return f"λ = {lam:g} makes no synthetic sample in draws {listed}, and its arms are not run there{hint}"
    return f"λ = {lam:g} makes only {between(few)} synthetic samples{hint}"


def _enough(task: Task, split: TaskSplit, lam: float) -> bool:
    real, made = task.sizes(split, lam)
    return made >= ENOUGH * real


def between(numbers: Sequence[int]) -> str:
    """``1,450``, or the range ``1,434–1,460`` where the numbers differ."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
