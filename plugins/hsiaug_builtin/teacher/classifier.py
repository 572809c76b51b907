"""The teacher of ``pseudo`` as a classifier: what its names are worth without any sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, NoParams, Patches, PatchSamples, Plugin, Progress, TrainView
from hsiaug_builtin.nets.fitted import by_class, real_samples

if TYPE_CHECKING:
    from hsiaug_builtin.teacher.teacher import Teacher


@dataclass(frozen=True, eq=False)
class FittedTeacher:
    """row: (H, W) int64, where a pixel stands among the votes; -1 = the view showed it with its label, or not at all.

    class_count: C of the scene.
    """

    teacher: Teacher
    row: NDArray[np.int64]
    class_count: int

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes with training pixels are ever named."""
        return np.asarray(self.teacher.votes.classes[self._shares(patches).argmax(axis=1)])

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) shares for class ids 1..C; 0 for a class without a training pixel."""
        return by_class(self._shares(patches), self.teacher.votes.classes, self.class_count)

    def _shares(self, patches: Patches) -> NDArray[np.float64]:
        votes = self.teacher.votes
        row = self.row[patches.coords[:, 0], patches.coords[:, 1]]
        shares = np.empty((len(patches), len(votes.classes)))
        shares[row >= 0] = votes.shares[row[row >= 0]]
        if (row < 0).any():
            shares[row < 0] = self.teacher.shares(patches.x[row < 0])
        return shares


class TeacherClassifier(Plugin[NoParams]):
    """Names each pixel as the shared teacher does (:mod:`hsiaug_builtin.teacher`), which ``pseudo`` takes its names from.

    A control of arms that read unlabelled pixels: where its own map is as good as theirs, the samples are not what gains.
    It learns from the training pixels alone; samples are ignored. A pixel that the view did not show is named by the same
    voters from its patch, without the average over its neighbourhood.
    """

    card = Card(
        name="teacher",
        version="1",
        summary="Control: the teacher of pseudo, its names as a map; no sample is learnt from",
        scope="scene",
        input="scene",
        seconds=3.0,
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedTeacher:
        """Fit the teacher on the view. Raises PluginError where there is no real sample."""
        from hsiaug_builtin.teacher.teacher import fit_teacher

        real = real_samples(samples, self.card.name)
        teacher = fit_teacher(replace(view, coords=real.coords, y=real.y))
        row = np.full(view.visible.shape, -1, dtype=np.int64)
        row[tuple(teacher.votes.pixels.T)] = np.arange(len(teacher.votes.pixels))
        return FittedTeacher(teacher, row, len(view.class_names))
