"""Whether the synthetic samples that a benchmark asks for fit into this machine's memory, before any is made."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

from hsiaug.bench.schedule import Part
from hsiaug.errors import InputError
from hsiaug.protocol.balance import synthetic_counts
from hsiaug.trial.spec import TrialSpec

__all__ = ["check_room", "check_samples"]


def check_room(parts: Iterable[Part], todo: Sequence[TrialSpec]) -> None:
    """Raise InputError where one of the trials asks for more samples than the memory holds. Other trials are not run."""
    waiting = {trial.hash for trial in todo}
    for part in parts:
        largest: dict[int, TrialSpec] = {}
        for trial in part.plan.trials:
            if trial.hash in waiting and trial.lam >= largest.get(trial.seed, trial).lam:
                largest[trial.seed] = trial
        for split in part.plan.splits:
            if split.seed in largest:
                trial = largest[split.seed]
                check_samples(part.scene, _asked(part, split, trial.lam), trial.patch)


def check_samples(data: Any, samples: int, patch: int) -> None:
    """The same of so many patches, or tiles, of the side ``patch``. data: a scene, or a set of pairs."""
    size = 4 * samples * patch**2 * data.bands * getattr(data, "dates", 1)
    memory = _memory()
    if memory is not None and size > memory:
        raise InputError(
            f"--lambda (or -n) must ask for no more samples than this machine holds in {memory / 1e9:,.0f} GB",
            value=f"{samples:,} samples of {data.bands} bands and {patch}×{patch} pixels, {size / 1e9:,.0f} GB",
            mend="Take a smaller λ, or a smaller --patch.",
        )


def _asked(part: Part, split: Any, lam: float) -> int:
    if part.task != "pixels":
        return math.floor(lam * len(split.train) + 0.5)
    real = {c: n for c, n in enumerate(split.audit.train_counts, start=1) if n}
    return sum(synthetic_counts(real, lam).values())


def _memory() -> int | None:
    """Bytes of this machine's memory, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
