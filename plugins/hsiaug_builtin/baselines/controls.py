"""Controls that a generator must beat: adding nothing, and adding real samples once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    ANY_TASK,
    Card,
    DenseSamples,
    DenseView,
    NoParams,
    PairCounts,
    PatchSamples,
    Plugin,
    Progress,
    TrainView,
    derive_seed,
    load_state,
    save_state,
)
from hsiaug_builtin.nets.pairs import FittedPairs, PairMaker, draw_rows, evenly
from hsiaug_builtin.nets.patches import FittedPatches, cycle

TASKS = ("pixels", "segmentation", "change", ANY_TASK)
IGNORE = 0


@dataclass(frozen=True)
class FittedNothing:
    """Remembers only the shape of a patch."""

    bands: int
    patch: int

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """No sample, whatever is asked for."""
        shape = (0, self.bands, self.patch, self.patch)
        return PatchSamples.made(np.empty(shape, dtype=np.float32), np.empty(0, dtype=np.int64))

    def save(self, folder: Path) -> None:
        """The shape, as JSON."""
        save_state(folder, {}, {"bands": self.bands, "patch": self.patch})


class Nothing(Plugin[NoParams]):
    """Control: the classifier learns from the real samples alone, at every λ."""

    card = Card(
        name="none",
        version="1",
        summary="Control: adds no sample",
        tasks=TASKS,
        adds=False,
        seconds=0.0,
        control_of="all",
        control_text="the real samples alone",
    )

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedNothing:
        """Nothing to learn."""
        return FittedNothing(view.bands, view.patch)

    def load(self, folder: Path, *, device: str) -> FittedNothing:
        """Read a saved fit."""
        _, facts = load_state(folder)
        return FittedNothing(**facts)


class FittedDuplicate(FittedPatches):
    """Real patches again; within one call each of a class is used equally often ±1."""

    name = "duplicate"

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        return np.asarray(self.x[cycle(rows, count, np.random.default_rng(seed))])


@dataclass(frozen=True)
class FittedDuplicateSamples:
    """Real samples again, of a class of another package: patches whose labels are more than ids."""

    real: PatchSamples

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Real samples again, with all that their package knows of them; each of a class equally
        often ±1.
        """
        rows = [np.empty(0, dtype=np.int64)]
        for c, count in sorted(counts.items()):
            if count:
                rng = np.random.default_rng(derive_seed("duplicate", c, seed))
                rows.append(cycle(np.flatnonzero(self.real.y == c), count, rng))
        again = self.real.take(np.concatenate(rows))
        return replace(
            again,
            coords=np.full_like(again.coords, -1),
            synthetic=np.ones(len(again), dtype=bool),
            provenance={},
        )

    def save(self, folder: Path) -> None:
        """All arrays, and the name of the class."""
        values = vars(self.real)
        arrays = {name: v for name, v in values.items() if isinstance(v, np.ndarray)}
        kind = type(self.real)
        save_state(folder, arrays, {"module": kind.__module__, "class": kind.__qualname__})

    @classmethod
    def load(cls, arrays: Mapping[str, Any], facts: Mapping[str, str]) -> FittedDuplicateSamples:
        """What :meth:`save` wrote."""
        return cls(getattr(import_module(facts["module"]), facts["class"])(**arrays))


class FittedDuplicatePairs(FittedPairs):
    """Real pairs again."""

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Real pairs again: any, and for a class those that show it; each of them equally often ±1.

        Raises PluginError for a class that no pair shows.
        """
        index = draw_rows(self.masks, counts, np.random.default_rng(seed))
        return DenseSamples.made(self.images[index], self.masks[index])


class Duplicate(Plugin[NoParams]):
    """Control: the same counts as any generator, real samples repeated (random over-sampling).

    It changes the balance of classes and nothing else; a generator that does not beat it has added
    no information.
    """

    card = Card(
        name="duplicate",
        version="1",
        summary="Control: repeats real samples, as many as other generators make",
        tasks=TASKS,
        seconds=0.01,
        control_of="all",
        control_text="real samples repeated",
    )

    def fit(
        self, view: TrainView | DenseView, *, seed: int, device: str, progress: Progress
    ) -> FittedDuplicate | FittedDuplicatePairs | FittedDuplicateSamples:
        """Remember the real samples."""
        if isinstance(view, DenseView):
            return FittedDuplicatePairs(view.real.images, view.real.masks, self.params)
        if type(view.real) is not PatchSamples:
            return FittedDuplicateSamples(view.real)
        return FittedDuplicate(view.real.x, view.real.y)

    def load(
        self, folder: Path, *, device: str
    ) -> FittedDuplicate | FittedDuplicatePairs | FittedDuplicateSamples:
        """Read a saved fit."""
        arrays, facts = load_state(folder)
        if "class" in facts:
            return FittedDuplicateSamples.load(arrays, facts)
        if "masks" in arrays:
            return FittedDuplicatePairs(**arrays, params=self.params)
        return FittedDuplicate(**arrays)


class FittedBalancedPairs(FittedDuplicatePairs):
    """Real pairs again, as many drawn for each class that any of them shows."""

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Draw as many pairs ±1 for each class where any class will do; each pair of a class
        equally often ±1.

        Raises PluginError for a class that no pair shows.
        """
        spread_counts = evenly(
            np.setdiff1d(self.masks, [IGNORE]), counts, np.random.default_rng(seed)
        )
        return super().sample(spread_counts, guidance=guidance, seed=seed)


class DuplicateBalanced(PairMaker):
    """Control of masks: real pairs repeated, as many drawn for each class.

    λ counts pairs of masks and evens out no class, so ``duplicate`` leaves rare classes as rare as
    they are. This control draws as many pairs that show each class, so that a generator which does
    not beat it has gained by balance alone. A pair counts for the class that it was drawn for, on
    however few pixels, whatever else it shows.
    """

    card = Card(
        name="duplicate-balanced",
        version="1",
        summary=(
            "Control: repeats real pairs, equally often for each class, as many as other"
            " generators make"
        ),
        tasks=("segmentation", "change"),
        seconds=0.01,
        control_of="masks",
        control_text="real pairs repeated, equally often for each class",
    )

    fitted = FittedBalancedPairs
