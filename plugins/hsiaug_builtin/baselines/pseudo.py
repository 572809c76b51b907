"""The control of generators that read unlabelled pixels: real unlabelled patches under the labels
of a teacher.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    PatchSamples,
    Plugin,
    PluginError,
    Progress,
    TrainView,
    derive_seed,
    load_state,
    param,
    patches_at,
    resampled,
    save_state,
)


@dataclass(frozen=True)
class PseudoParams:
    """Chosen on splits 100 to 104 of Indian Pines and of crops of Houston, Pavia and Jasper Ridge
    under ``issd``, at λ = 0.5 and 1, with svm. Weights of 0.1 and 0.3 give 1 point of AA more than
    0.05 on Indian Pines, 1 to 4 less on the others.
    """

    share: float = param(
        0.8,
        "fraction of the pixels with this label that is used, the most confident",
        low=0,
        high=1,
    )
    weight: float = param(
        0.05, "sample weight of a patch; a real sample has 1", low=0, sampling=True
    )


@dataclass(frozen=True, eq=False)
class FittedPseudo:
    """Unlabelled pixels with the classes that the teacher named them.

    Attributes
    ----------
    cube : (H, W, B) float32
        As the view shows it.
    coords : (n, 2) int32
        Pixels.
    y : (n,) int64
        What they are named.
    confidence : (n,) float64
        Votes for that class, 0..1.
    notes : mapping of str to object
        JSON-able, what had to give way in this view.
    before : mapping of int to int
        Samples of each class id that were made already, with the same seed.
    """

    params: Any
    cube: NDArray[np.float32]
    patch: int
    coords: NDArray[np.int32]
    y: NDArray[np.int64]
    confidence: NDArray[np.float64]
    notes: Mapping[str, object]
    before: Mapping[int, int] = field(default_factory=dict)

    def continued(self, earlier: Sequence[Mapping[int, int]]) -> FittedPseudo:
        """The same, going on where blocks of these counts end: a trial has no pixel twice while
        there are others.
        """
        total: Counter[int] = Counter()
        for counts in earlier:
            total.update(counts)
        return replace(self, before=dict(total))

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Patches of pixels that are named after each class, none again before each was taken once.

        Raises PluginError for a class without a training pixel, which no pixel can be named after.
        """
        used = [np.empty(0, dtype=np.int64)]
        chosen = [np.empty(0, dtype=np.int64)]
        weights = [np.empty(0)]
        for c, count in sorted(counts.items()):
            rows_of_class = np.flatnonzero(self.y == c)
            if count > 0 and not len(rows_of_class):
                raise PluginError(
                    "pixels can be named after classes with training pixels only",
                    value=f"{count} of class {c}, which has none",
                    hint=f"Ask for classes among {np.unique(self.y).tolist()}.",
                )
            if count > 0:
                skipped = self.before.get(c, 0)
                rng = np.random.default_rng(derive_seed("pseudo", c, seed))
                used.append(self._order(rows_of_class, skipped + count, rng))
                chosen.append(used[-1][skipped:])
                weights.append(self._weights(used[-1])[skipped:])
        rows = np.concatenate(chosen)
        facts = self._facts(np.concatenate(used))
        samples = PatchSamples.made(
            patches_at(self.cube, self.coords[rows], self.patch), self.y[rows], facts
        )
        return replace(samples, weight=np.concatenate(weights).astype(np.float32))

    def _order(
        self, rows: NDArray[np.int64], count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """The first ``count`` of the rows of a class, in the order in which a trial takes them."""
        return np.resize(self._shuffled(rows, rng), count)

    def _shuffled(self, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """The rows in an order of random numbers that every pixel of the scene has: a row more or
        less changes no other's place.
        """
        place = rng.random(self.cube.shape[:2])[tuple(self.coords[rows].T)]
        return rows[np.argsort(place)]

    def _weights(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) weights of all samples of a class in a trial."""
        return np.full(len(rows), self.params.weight)

    def _facts(self, used: NDArray[np.int64]) -> dict[str, object]:
        """Numbers of the pixels used, earlier blocks included: how many, how many of them again,
        how sure they are.
        """
        distinct = np.unique(used)
        ids = np.unique(self.y[distinct])
        return {
            "believed_pixels": {str(c): int((self.y == c).sum()) for c in np.unique(self.y)},
            "mean_confidence": {
                str(c): round(float(self.confidence[distinct][self.y[distinct] == c].mean()), 3)
                for c in ids
            },
            "distinct_patches": len(distinct),
            "repeated_patches": len(used) - len(distinct),
            **self.notes,
        }

    def save(self, folder: Path) -> None:
        """Everything; the spectra are those that the view shows."""
        save_state(folder, self._arrays(), self._stated())

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "cube": self.cube,
            "coords": self.coords,
            "y": self.y,
            "confidence": self.confidence,
        }

    def _stated(self) -> dict[str, object]:
        return {"share": self.params.share, "patch": self.patch, "notes": dict(self.notes)}


class Pseudo(Plugin[PseudoParams]):
    """Control of generators of scope ``scene``: as many real unlabelled patches, under the labels
    of the shared teacher.

    The teacher (:mod:`hsiaug_builtin.teacher`) names unlabelled pixels. A generator that reads them
    has to beat this: else what it gains is what the pixels and a teacher give, and no synthesis is
    needed. Believed are pixels of segments that hold a training pixel of the same class. A class
    without one, and a view without an unlabelled pixel, gets its training patches again; the
    record's provenance says so.
    """

    card = Card(
        name="pseudo",
        version="6",
        summary=(
            "Control: real unlabelled patches with labels of the teacher, as many as other"
            " generators make"
        ),
        scope="scene",
        seconds=5.0,
        params=PseudoParams,
        control_of="transductive",
        control_text="real pixels that a teacher labels",
    )

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedPseudo:
        """Fit the teacher, and remember which pixels are believed."""
        from hsiaug_builtin.teacher.choice import choose_trusted
        from hsiaug_builtin.teacher.teacher import teach

        if not len(view.unlabelled):
            return FittedPseudo(
                params=self.params,
                cube=view.cube,
                patch=view.patch,
                coords=view.coords,
                y=view.y,
                confidence=np.ones(len(view.y)),
                notes={"no_unlabelled_pixel": "training patches are repeated"},
            )
        progress(0, 1, "teacher")
        votes = teach(view)
        rows = choose_trusted(votes.shares, self.params.share, among=votes.attached)
        progress(1, 1, "teacher")
        column = np.repeat(np.arange(len(rows)), list(map(len, rows)))
        index = np.concatenate(rows)
        lacking = votes.classes[[not len(of_class) for of_class in rows]]
        repeated = np.isin(view.y, lacking)
        notes = {"teacher": dict(votes.facts)}
        if len(lacking):
            notes["training_patches_repeated"] = lacking.tolist()
        return FittedPseudo(
            params=self.params,
            cube=view.cube,
            patch=view.patch,
            coords=np.concatenate([votes.pixels[index], view.coords[repeated]]),
            y=np.concatenate([votes.classes[column], view.y[repeated]]),
            confidence=np.concatenate([votes.shares[index, column], np.ones(repeated.sum())]),
            notes=notes,
        )

    def load(self, folder: Path, *, device: str) -> FittedPseudo:
        """Read a saved fit."""
        arrays, facts = load_state(folder)
        params = resampled(PseudoParams(share=facts["share"]), self.params)
        state: dict[str, Any] = {**arrays, "patch": facts["patch"], "notes": facts["notes"]}
        return FittedPseudo(params, **state)
