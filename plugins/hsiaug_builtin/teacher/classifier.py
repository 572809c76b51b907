"""The teacher of ``pseudo`` as a classifier: what its names are worth without any sample."""

from __future__ import annotations

from hsiaug.api import Card, FittedClassifier, NoParams, PatchSamples, Plugin, Progress, TrainView
from hsiaug_builtin.nets.fitted import real_samples


class TeacherClassifier(Plugin[NoParams]):
    """Names each pixel as the shared teacher does (:mod:`hsiaug_builtin.teacher`), which ``pseudo``
    takes its names from.

    A control of configurations that read unlabelled pixels: where its own map is as good as
    theirs, the samples are not what gains. It learns from the training pixels alone; samples are
    ignored. A pixel that the view did not show is named by the same opinions from its patch,
    without an average over its neighbourhood.
    """

    card = Card(
        name="teacher",
        version="3",
        summary="Control: the map of the teacher, without synthetic samples",
        scope="scene",
        input="scene",
        seconds=6.0,
        control_of="transductive",
        control_text="the teacher's own map, no samples",
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedClassifier:
        """Fit the teacher on the view. Raises PluginError where there is no real sample."""
        from hsiaug_builtin.teacher.teacher import fit_teacher

        return fit_teacher(view, real_samples(samples, self.card.name))
