"""What samples are like beside real patches that were left out: numbers that a record states of
them.

The real patches are those that the teacher named: a half to compare with, and a half that a probe
learns from. No test label is read, and sampling draws nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    PatchReference,
    PatchSpace,
    TrainView,
    block_means,
    derive_seed,
    edge_share,
    edge_threshold,
    neighbour_correlation,
    patches_at,
    prdc,
)
from hsiaug_builtin.nets import state
from hsiaug_builtin.semisup.discriminant import Discriminant, fit_discriminant

SAMPLES = 300
"""Samples that are measured, at most."""
KNOWN = 2500
"""Training patches, and patches of the pool, that samples are compared with, at most."""
PIXELS = 5000
"""Pixels that components are fitted on, at most."""
COMPONENTS = 3
"""Leading principal components that layout is measured on."""


@dataclass(frozen=True, eq=False)
class Measure:
    """The real patches that generated ones are measured against.

    Attributes
    ----------
    space, patches : PatchSpace or PatchReference
        Where distances are measured, and to what.
    maps : (r, 3, p, p) float32
        First components of the real patches.
    centres : (r, B) float32
        Spectra in the middle of them.
    asked : (r,) bool
        False for the half that the probe learns from.
    """

    space: PatchSpace
    patches: PatchReference
    maps: NDArray[np.float32]
    centres: NDArray[np.float32]
    asked: NDArray[np.bool_]

    @classmethod
    def fit(cls, view: TrainView, named: Mapping[int, NDArray[np.int32]], seed: int) -> Measure:
        """Take real patches.

        Parameters
        ----------
        named : mapping of int to array of int32
            {class id: (m, 2) pixels}, labelled or named by the teacher.
        """
        rng = np.random.default_rng(derive_seed("measured", seed))
        of_each_class = 2 * max(1, SAMPLES // len(named))
        chosen = [rng.permutation(pixels)[:of_each_class] for pixels in named.values()]
        at = np.concatenate(chosen)
        y = np.repeat(np.array(list(named), dtype=np.int64), list(map(len, chosen)))
        fitted_on = rng.permutation(np.argwhere(view.visible))[:PIXELS]
        space = PatchSpace.fit(view.cube[fitted_on[:, 0], fitted_on[:, 1]])
        scores = space.scores(view.cube)

        def reduced(coords: NDArray[Any]) -> tuple[NDArray[np.float16], NDArray[Any]]:
            patches = patches_at(scores, coords, view.patch)
            return block_means(patches).astype(np.float16), coords

        return cls(
            space=space,
            patches=PatchReference.of(
                training=reduced(rng.permutation(view.coords)[:KNOWN]),
                pool=reduced(rng.permutation(view.unlabelled)[:KNOWN]),
                left_out=reduced(at),
                y=y,
                side=view.patch,
            ),
            maps=patches_at(scores[:, :, :COMPONENTS], at, view.patch),
            centres=view.cube[at[:, 0], at[:, 1]],
            asked=np.concatenate([np.arange(len(pixels)) % 2 == 0 for pixels in chosen]),
        )

    @cached_property
    def probe(self) -> Discriminant:
        """Learnt from the half that is not asked."""
        x = self.centres[~self.asked]
        y = self.patches.y[~self.asked]
        return fit_discriminant(x, y, np.ones(len(y), dtype=np.float32))

    def __call__(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> dict[str, dict[str, float]]:
        """``measured`` of samples x (n, B, p, p) of classes y (n,), and ``measured_real``: of real
        ones in their place.

        Of a class as many samples are taken as each half has real patches; {} where these are fewer
        than two in all.
        """
        rows, asked_rows, other_rows = self._matched(y)
        if len(rows) < 2:
            return {}
        x = x[rows]
        y = y[rows]
        middle = x.shape[2] // 2
        centres = x[:, :, middle, middle]
        real = self.centres[asked_rows]
        near = self.patches.measure(self.space.reduce(x), y)
        layouts = self._layout(self.space.maps(x)), self._layout(self.maps[other_rows])
        # One half stands for the real ones; the samples, or the other half, are looked at beside
        # it.
        sets = (centres, centres, y), (self.centres[other_rows], real, self.patches.y[asked_rows])
        answer = {}
        for name, (spread, named, ids), shares, layout in zip(
            ("measured", "measured_real"), sets, near, layouts, strict=True
        ):
            fidelity = prdc(
                self.space.scores(real).astype(np.float64),
                self.space.scores(spread).astype(np.float64),
            )
            right = self.probe.classes[self.probe.shares(named).argmax(axis=1)] == ids
            numbers = {
                "density": fidelity["density"],
                "coverage": fidelity["coverage"],
                "purity": right.mean(),
                **shares,
                **layout,
            }
            answer[name] = {
                key: round(float(value), 4) for key, value in numbers.items() if value is not None
            }
            answer[name]["n"] = len(rows)
        return answer

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What :meth:`restore` reads, to be saved beside others."""
        return state.fields(space=self.space, patches=self.patches, measure=self)

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Measure:
        """Read what was saved."""
        space, patches, measure_arrays = (
            state.under(name, arrays) for name in ("space", "patches", "measure")
        )
        return cls(PatchSpace(**space), PatchReference(**patches), **measure_arrays)

    def _layout(self, maps: NDArray[np.float32]) -> dict[str, float | None]:
        """Layout of patches by their components (n, 12, p, p), or the first of these.

        ``within_1`` to ``within_3``: correlation of neighbours within patches, by component;
        ``edges``: share of pixels with an edge, of which all real patches have one in ten. {} for
        patches of one pixel.
        """
        if maps.shape[-1] < 2:
            return {}
        within = neighbour_correlation(maps[:, :COMPONENTS], within=True).tolist()
        values: dict[str, float | None] = {
            f"within_{number}": value if np.isfinite(value) else None
            for number, value in enumerate(within, start=1)
        }
        values["edges"] = edge_share(maps, edge_threshold(self.maps))
        return values

    def _matched(self, y: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Rows of samples, of the half that is asked and of the other: equally many of a class."""
        rows = []
        for c in np.unique(self.patches.y):
            of_class = self.patches.y == c
            sets = [
                np.flatnonzero(of) for of in (y == c, of_class & self.asked, of_class & ~self.asked)
            ]
            rows.append([index[: min(map(len, sets))] for index in sets])
        return [np.concatenate(column) for column in zip(*rows, strict=True)]
