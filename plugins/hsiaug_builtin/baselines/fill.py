"""Real unlabelled patches of segments with a label, named by the teacher."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    Plugin,
    Progress,
    TrainView,
    find_segments,
    load_state,
    param,
    take_in_turn,
)
from hsiaug_builtin.baselines.pseudo import FittedPseudo

SIDE = 7
"""Pixels along the side of a segment, about."""
COMPONENTS = 10
"""Noise components in which the pixels of a segment are alike."""


@dataclass(frozen=True)
class FillParams:
    """Chosen on splits 100 to 103 of Indian Pines, of crops of Houston and Pavia and of Jasper
    Ridge under ``issd``.
    """

    weight: float = param(
        0.3, "sample weight of a confidently labelled patch; a real one has 1", low=0, sampling=True
    )


@dataclass(frozen=True, eq=False)
class FittedFill(FittedPseudo):
    """State of ``pseudo``, and confidence: (n,) how far the largest share of a pixel lies above its
    second, 0..1.

    Attributes
    ----------
    segment : (n,) int64
        The one that a pixel lies in.
    budget : float
        Total weight that the samples of a class may have.
    """

    segment: NDArray[np.int64] = field(kw_only=True)
    budget: float = field(kw_only=True)

    def _order(
        self, rows: NDArray[np.int64], count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """A pixel of each segment in turn, so that all count alike however large they are."""
        shuffled = self._shuffled(rows, rng)
        return np.resize(shuffled[take_in_turn(self.segment[shuffled])], count)

    def _weights(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weights in proportion to confidence; 0 for what comes after the budget is spent."""
        spent = np.minimum(np.cumsum(self.params.weight * self.confidence[rows]), self.budget)
        return np.diff(spent, prepend=0.0)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {**super()._arrays(), "segment": self.segment}

    def _stated(self) -> dict[str, object]:
        return {"patch": self.patch, "notes": dict(self.notes), "budget": self.budget}


class Fill(Plugin[FillParams]):
    """Real unlabelled patches from segments that touch a label, under the names that the shared
    teacher gives them.

    Segments of like pixels (SLIC) are made without any label. Believed are pixels of those that
    hold a training pixel, be it a single one, if they are named after a class that was labelled
    there. Samples are drawn in turn from each segment of a class, weigh as much as the margin of
    their shares times ``weight``, and in sum never more than the real samples. A class without a
    believed pixel gets its training patches again; the record's provenance says so.
    """

    card = Card(
        name="fill",
        version="4",
        summary=(
            "Real patches from segments that contain a training pixel; the teacher labels them"
        ),
        paper="""SLIC segments: @article{achanta2012slic, author={Radhakrishna Achanta and Appu
            Shaji and Kevin Smith and Aurelien Lucchi and Pascal Fua and Sabine S{\\"u}sstrunk},
            title={{SLIC} Superpixels Compared to State-of-the-Art Superpixel Methods},
            journal={IEEE Transactions on Pattern Analysis and Machine Intelligence}, volume={34},
            number={11}, pages={2274--2282}, year={2012}, doi={10.1109/TPAMI.2012.120}}""",
        scope="scene",
        seconds=6.0,
        params=FillParams,
    )

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedFill:
        """Name the pixels of segments with labels, and remember which are believed."""
        from hsiaug_builtin.teacher.choice import margins
        from hsiaug_builtin.teacher.teacher import teach

        segments = find_segments(_features(view), SIDE).astype(np.int64)
        labelled = segments[tuple(view.coords.T)]
        near = view.unlabelled[np.isin(segments[tuple(view.unlabelled.T)], labelled)]
        named = np.empty(0, dtype=np.int64)
        sure = np.empty(0)
        if len(near):
            votes = teach(replace(view, unlabelled=near))
            named = votes.classes[votes.shares.argmax(axis=1)]
            sure = margins(votes.shares)
        # A segment and a class as one number.
        kinds = len(view.class_names) + 1
        believed = np.isin(segments[tuple(near.T)] * kinds + named, labelled * kinds + view.y)
        lacking = np.setdiff1d(view.y, named[believed])
        repeated = np.isin(view.y, lacking)
        coords = np.concatenate([near[believed], view.coords[repeated]])
        return FittedFill(
            params=self.params,
            cube=view.cube,
            patch=view.patch,
            coords=coords,
            y=np.concatenate([named[believed], view.y[repeated]]),
            confidence=np.concatenate([sure[believed], np.ones(repeated.sum())]),
            notes={"training_patches_repeated": lacking.tolist()} if len(lacking) else {},
            segment=segments[tuple(coords.T)],
            budget=len(view.y) / len(np.unique(view.y)),
        )

    def load(self, folder: Path, *, device: str) -> FittedFill:
        """Read a saved fit."""
        arrays, facts = load_state(folder)
        state: dict[str, Any] = {**arrays, **facts}
        return FittedFill(self.params, **state)


def _features(view: TrainView) -> NDArray[np.float32]:
    """(H, W, k) components in which noise is small, with a total variance of 1 over the pixels that
    the view shows.
    """
    from hsiaug_builtin.teacher.features import plane_of
    from hsiaug_builtin.teacher.noise import fit_noise_projection

    plane = plane_of(view, fit_noise_projection(view, COMPONENTS))
    spread = plane[view.visible].var(axis=0).sum() ** 0.5
    return np.asarray(plane / max(spread, 1e-12), dtype=np.float32)
