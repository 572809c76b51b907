"""The sample balance rate λ, how far synthetic samples fill every class up; and the range of ω."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hsiaug.base.errors import InputError

LARGEST = 1000
"""λ and ω at most: beyond is a slip, or asks for more samples than a machine holds."""
STEP = 0.25
"""λ between two blocks of a pool; see :func:`pool_steps`."""


def synthetic_counts(real: Mapping[int, int], lam: float) -> dict[int, int]:
    """Synthetic samples per class id: n_syn(c) = max(0, ⌊λ·n_max + ½⌋ − n_c), over classes with training pixels.

    λ = 0 adds none, λ = 1 brings every class to the size of the largest, λ > 1 lets all grow. The formula is
    this project's reading of the name "sample balance rate"; the paper's is not public.
    """
    check_lambda(lam)
    target = math.floor(lam * max(real.values()) + 0.5)
    return {c: max(0, target - n) for c, n in sorted(real.items())}


def pool_steps(real: Mapping[int, int], lam: float) -> list[dict[int, int]]:
    """The blocks in which a pool for λ is drawn: block j holds what λ = j·¼ asks beyond λ = (j−1)·¼.

    Every λ takes a per-class prefix of the same blocks, so a sweep changes λ only, and a trial's samples do not
    depend on which other λ were in the plan.
    """
    blocks = []
    last = dict.fromkeys(real, 0)
    for j in range(1, math.ceil(round(lam / STEP, 9)) + 1):
        now = synthetic_counts(real, j * STEP)
        blocks.append({c: now[c] - last[c] for c in now})
        last = now
    return blocks


def check_lambda(lam: float, name: str = "lam") -> None:
    """Raise InputError unless λ is a number from 0 to LARGEST. name: the parameter that it came in."""
    _check(f"`{name}`", lam, "Use 0 for no synthetic samples, 1 to bring every class to the size of the largest.")


def check_omega(omega: float) -> None:
    """Raise InputError unless the guidance strength ω is a number from 0 to LARGEST."""
    _check("`omegas`", omega, "0 is purely conditional sampling; 1 to 4 are usual.")


def _check(option: str, value: float, hint: str) -> None:
    if not 0 <= value <= LARGEST:
        raise InputError(f"{option} must be a number from 0 to {LARGEST}", value=f"{value:g}", hint=hint)
