"""What trials cost, learnt while they run: how far the times of a run are from what was guessed before it.

The logarithm of measured over guessed seconds is taken for a sum of effects: of the machine, of the plugin, of its
parameters, of the scene, of the protocol, and of the very kind of trial; and of the size of the training set, by plugin.
Each effect is drawn towards 0 the more, the less has been seen of it (ridge regression, solved one effect at a time). So
the like of a trial counts most where it has been seen, and what is alike in some way speaks where it has not.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

__all__ = ["CostModel", "Part"]

SPREADS = (0.2, 0.2, 1.0, 0.7, 0.2, 0.3, 0.3, 0.3)
"""Standard deviation that is expected of each of a part's effects, in the order of :attr:`Part.levels`."""
SLOPE_SPREAD = 0.5
"""The same of the power of the size of the training set beyond what the guess says."""
NOISE = 0.3
"""Standard deviation of the logarithm of the seconds of one kind."""
SHORT = 0.05
"""Seconds that a time is uncertain by, however short it is."""
LOADING = 3.0
"""The same of the first times of a plugin: processes load its libraries meanwhile."""
SWEEPS = 4
"""Passes over all effects in one fit; it begins where the one before has ended."""


@dataclass(frozen=True)
class Part:
    """A stage of a trial.

    guess: seconds that were expected before the run. size: of the samples that it works on, in multiples of the usual.
    levels: one label for each of :data:`SPREADS`, from what all parts share to what only parts of the same kind do.
    """

    guess: float
    size: float
    levels: tuple[str, ...]

    @property
    def stage(self) -> str:
        """Its name, as in the timings of a record."""
        return self.levels[1]

    @property
    def kind(self) -> str:
        """Of which all parts are taken to last as long."""
        return self.levels[-1]


@dataclass
class _Seen:
    """The times of one kind. weight: sum of inverse variances; ratio: weighted mean of the logarithms."""

    part: Part
    count: int = 0
    seconds: float = 0.0
    weight: float = 0.0
    ratio: float = 0.0

    def add(self, seconds: float, unsure: float) -> None:
        weight = 1.0 / (NOISE**2 + (unsure / max(SHORT, seconds)) ** 2)
        ratio = math.log(max(SHORT, seconds) / max(SHORT, self.part.guess))
        self.count, self.seconds = self.count + 1, self.seconds + seconds
        self.weight += weight
        self.ratio += (ratio - self.ratio) * weight / self.weight


class CostModel:
    """Takes in the times of a run, and says what any part of it will take. jobs: worker processes."""

    def __init__(self, jobs: int = 1) -> None:
        self._jobs = jobs
        self._uses: dict[str, int] = defaultdict(int)
        self._seen: dict[str, _Seen] = {}
        self._effects: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._fresh = True

    def tell(self, part: Part, seconds: float) -> None:
        """A part has taken so long."""
        plugin = part.levels[2]
        self._seen.setdefault(part.kind, _Seen(part)).add(
            seconds, SHORT if self._uses[plugin] >= self._jobs else LOADING
        )
        self._uses[plugin] += 1
        self._fresh = False

    def knows(self, part: Part) -> bool:
        """Whether a part of that kind has been timed in this run."""
        return part.kind in self._seen

    def seconds(self, part: Part) -> float:
        """What a part is expected to take."""
        if not self._fresh:
            self._fit()
            self._told.clear()
        if part.kind not in self._told:
            self._told[part.kind] = max(SHORT, part.guess) * math.exp(self._log(part))
        return self._told[part.kind]

    def _fit(self) -> None:
        """Find the effects that explain what was seen."""
        members: dict[str, list[tuple[_Seen, float]]] = defaultdict(list)
        spreads: dict[str, float] = {}
        for seen in self._seen.values():
            for label, value, spread in _terms(seen.part):
                members[label].append((seen, value))
                spreads[label] = spread
        left = {id(seen): seen.ratio - self._log(seen.part) for seen in self._seen.values()}
        for _ in range(SWEEPS):
            for label, rows in members.items():
                self._solve(label, rows, spreads[label], left)
        self._fresh = True

    def _solve(self, label: str, rows: list[tuple[_Seen, float]], spread: float, left: dict[int, float]) -> None:
        """One effect, given the others. left: of each kind what the effects do not explain."""
        old = self._effects.get(label, 0.0)
        weight = sum(seen.weight * value**2 for seen, value in rows)
        told = sum(seen.weight * value * (left[id(seen)] + value * old) for seen, value in rows)
        new = told / (weight + spread**-2)
        for seen, value in rows:
            left[id(seen)] += value * (old - new)
        self._effects[label] = new

    def _log(self, part: Part) -> float:
        return sum(value * self._effects.get(label, 0.0) for label, value, _ in _terms(part))


def _terms(part: Part) -> list[tuple[str, float, float]]:
    """Label, value and spread of the effects that a part's time is the sum of."""
    slope = math.log(part.size)
    found = [(label, 1.0, spread) for label, spread in zip(part.levels, SPREADS, strict=True)]
    return [*found, (f"size of {part.levels[2]}", slope, SLOPE_SPREAD)]
