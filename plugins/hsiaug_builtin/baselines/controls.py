"""Controls that a generator must beat: adding nothing, and adding real samples once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    DenseSamples,
    DenseView,
    NoParams,
    PairCounts,
    PatchSamples,
    Plugin,
    Progress,
    TrainView,
    load_state,
    save_state,
)
from hsiaug_builtin.nets.pairs import FittedPairs, PairMaker, draw_rows, evenly
from hsiaug_builtin.nets.patches import FittedPatches, cycle

TASKS = ("pixels", "segmentation", "change")
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
        summary="Control: repeats real samples, the same number as other generators make",
        tasks=TASKS,
        seconds=0.01,
        control_of="all",
        control_text="as many real samples again",
    )

    def fit(
        self, view: TrainView | DenseView, *, seed: int, device: str, progress: Progress
    ) -> FittedDuplicate | FittedDuplicatePairs:
        """Remember the real samples."""
        if isinstance(view, DenseView):
            return FittedDuplicatePairs(view.real.images, view.real.masks, self.params)
        return FittedDuplicate(view.real.x, view.real.y)

    def load(self, folder: Path, *, device: str) -> FittedDuplicate | FittedDuplicatePairs:
        """Read a saved fit."""
        arrays, _ = load_state(folder)
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
            "Control: repeats real pairs, as many for each class, the same number as other"
            " generators make"
        ),
        tasks=("segmentation", "change"),
        seconds=0.01,
        control_of="masks",
        control_text="real pairs again, as many for each class",
    )

    fitted = FittedBalancedPairs
