"""How many synthetic samples λ asks for, draw by draw: the splits tell, before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence

from hsiaug.protocol.balance import Rate
from hsiaug.tasks.task import Task, TaskSplit

__all__ = ["ENOUGH", "between", "counts_note"]

ENOUGH = 0.1
"""Synthetic samples per real one below which a λ is told to make few."""
USUAL = (1.0, 3.0)
"""λ that are proposed in place of one that makes nothing or little, the first that makes enough.

3 makes twice as many samples of every class as the largest has real ones, whatever the others have.
"""


def counts_note(task: Task, splits: Sequence[TaskSplit], rate: Rate) -> str | None:
    """A sentence on a λ that makes nothing, or little, in some of the draws; None where there is nothing to say."""

    def sizes(rate: Rate) -> list[tuple[int, int]]:
        return [task.sizes(split, rate) for split in splits]

    few = [made for real, made in sizes(rate) if made < ENOUGH * real]
    if not few:
        return None
    hint = ""
    for better in (Rate(lam, rate.times) for lam in USUAL if lam > rate.lam):
        if all(made >= ENOUGH * real for real, made in sizes(better)):
            real, made = (between(numbers) for numbers in zip(*sizes(better), strict=True))
            hint = f": try λ = {better}, which makes {made} beside {real} real ones"
            break
    nothing = [split.seed for split, (_, made) in zip(splits, sizes(rate), strict=True) if not made]
    if not nothing:
        return f"λ = {rate} makes only {between(few)} synthetic samples{hint}"
    draws = f" in draws {', '.join(map(str, nothing))}" if len(nothing) < len(splits) else ""
    return f"λ = {rate} makes no synthetic sample{draws}, and its arms are not run{' there' * bool(draws)}{hint}"


def between(numbers: Sequence[int]) -> str:
    """``1,450``, or the range ``1,434–1,460`` where the numbers differ."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
