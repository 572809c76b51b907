"""How many synthetic samples are made of which class: λ, how far classes are filled up, and M, how
many for each real one; and the range of ω.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hsiaug.base.errors import InputError

Counts = TypeVar("Counts")

DEFAULT_TIMES = 3.0
"""M where nobody says another."""
MAX_LAMBDA_OMEGA = 1000
"""λ, M and ω at most: beyond is a slip, or asks for more samples than a machine holds."""
STEP = 0.25
"""λ between two blocks of a pool; see :func:`pool_steps`."""


@dataclass(frozen=True, order=True)
class Rate:
    """The sample balance rate λ, and M synthetic samples more for each real one of a class. False
    where both are 0.

    As an address of ``compare`` ``0.5``, or ``0.5x3`` with M = 3.
    """

    lam: float
    times: float = 0.0

    def __bool__(self) -> bool:
        return self.lam > 0 or self.times > 0

    def __str__(self) -> str:
        return f"{self.lam:g}x{self.times:g}" if self.times else f"{self.lam:g}"

    @property
    def words(self) -> str:
        """``λ=0.5``, or ``λ=0.5 M=3``: the rate as tables and the names of configurations write
        it.
        """
        return f"λ={self.lam:g} M={self.times:g}" if self.times else f"λ={self.lam:g}"

    @property
    def in_prose(self) -> str:
        """``λ = 0.5``, or ``λ = 0.5, M = 3``: the rate as sentences write it."""
        return f"λ = {self.lam:g}, M = {self.times:g}" if self.times else f"λ = {self.lam:g}"

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> "Rate":
        """The rate that a trial's specification states; older ones have no M."""
        return cls(float(spec["lambda"]), float(spec.get("times", 0.0)))


def synthetic_only_rate(rate: Rate) -> "Rate":
    """The rate at which the synthetic samples of a class alone are as many as it has with real ones
    at this rate.
    """
    return Rate(rate.lam, rate.times + 1)


def synthetic_counts(real: Mapping[int, int], rate: Rate) -> dict[int, int]:
    """Synthetic samples of each class id with training pixels: max(0, ⌊λ·n_max + ½⌋ − n_c) + ⌊M·n_c
    + ½⌋.

    λ = 0 fills nothing, λ = 1 brings every class to the size of the largest, λ > 1 lets all grow; M
    keeps the shares of the classes. The formula is this project's reading of the name "sample
    balance rate"; the paper's is not public.
    """
    filled = _fill(real, rate.lam)
    return {c: n + _multiple(real[c], rate.times) for c, n in filled.items()}


def _multiple(real: int, times: float) -> int:
    check_times(times)
    return math.floor(times * real + 0.5)


def _fill(real: Mapping[int, int], lam: float) -> dict[int, int]:
    check_lambda(lam)
    target = math.floor(lam * max(real.values()) + 0.5)
    return {c: max(0, target - n) for c, n in sorted(real.items())}


@dataclass(frozen=True)
class Block(Generic[Counts]):
    """A part of a pool that is drawn at once.

    Attributes
    ----------
    label : int or str
        What its seed depends on.
    counts : Counts
        Counts of it.
    used : Counts
        Those of a trial, the first of each class, ``total`` in all.
    """

    label: int | str
    counts: Counts
    used: Counts
    total: int


def pool_steps(real: Mapping[int, int], rate: Rate) -> list[Block[dict[int, int]]]:
    """The blocks in which a pool is drawn: block j holds what λ = j·¼ asks beyond λ = (j−1)·¼, and
    then each of M one sample for each real one.

    Every λ and M takes a per-class prefix of the same blocks, so a sweep changes the counts only,
    and a trial's samples do not depend on what else was in the plan.
    """
    blocks: list[Block[dict[int, int]]] = []
    last = dict.fromkeys(real, 0)
    full = _fill(real, rate.lam)
    for j in range(1, math.ceil(round(rate.lam / STEP, 9)) + 1):
        filled = _fill(real, j * STEP)
        used = {c: min(filled[c], full[c]) - min(last[c], full[c]) for c in filled}
        blocks.append(
            Block(j - 1, {c: filled[c] - last[c] for c in filled}, used, sum(used.values()))
        )
        last = filled
    for m in range(math.ceil(round(rate.times, 9))):
        end = min(m + 1, rate.times)
        used = {c: _multiple(n, end) - _multiple(n, m) for c, n in real.items()}
        blocks.append(Block(f"times {m}", dict(real), used, sum(used.values())))
    return blocks


def check_lambda(lam: float, name: str = "lam") -> None:
    """Raise InputError unless λ is a number from 0 to MAX_LAMBDA_OMEGA.

    Parameters
    ----------
    name : str
        The parameter that it came in.
    """
    _check(
        f"`{name}`",
        lam,
        "Use 0 for no synthetic samples, 1 to bring every class to the size of the largest.",
    )


def check_times(times: float) -> None:
    """Raise InputError unless M is a number from 0 to MAX_LAMBDA_OMEGA."""
    _check(
        "`times`",
        times,
        "3 makes three synthetic samples for each real one; 0 makes those of λ alone.",
    )


def check_omega(omega: float) -> None:
    """Raise InputError unless the guidance strength ω is a number from 0 to MAX_LAMBDA_OMEGA."""
    _check("`omegas`", omega, "0 is purely conditional sampling; 1 to 4 are usual.")


def _check(option: str, value: float, hint: str) -> None:
    if not 0 <= value <= MAX_LAMBDA_OMEGA:
        raise InputError(
            f"{option} must be a number from 0 to {MAX_LAMBDA_OMEGA}", value=f"{value:g}", hint=hint
        )
