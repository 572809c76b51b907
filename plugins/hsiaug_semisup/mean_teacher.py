"""Mean teacher: agree with the moving average of yourself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hsiaug.api import Card, param
from hsiaug_semisup.semi_recipe import TINY, SemiRecipe, ramp
from hsiaug_semisup.unlabelled_classifier import Descend, UnlabelledClassifier

if TYPE_CHECKING:
    from torch import Tensor

    from hsiaug_semisup.setting import Setting

__all__ = ["MeanTeacher", "MeanTeacherParams"]


@dataclass(frozen=True)
class MeanTeacherParams(SemiRecipe):
    """The shared recipe and the decay α of the paper."""

    strength: float = param(3.0, "weight of the squared distance to the teacher's probabilities", low=0)
    decay_of_teacher: float = param(0.98, "decay of the teacher's moving average per step", low=0, high=1)


class MeanTeacher(UnlabelledClassifier[MeanTeacherParams]):
    """The network of ``cnn2d`` as a student whose moving average teaches it on unlabelled patches (section 2).

    The consistency loss is the mean over patches of the squared distance, summed over classes, between the class
    probabilities of the student on a strong view and of the teacher on a weak view of the same patches; the paper
    averages over classes, has two views of one kind, and counts labelled patches as well. The teacher averages
    normalisation statistics too, reads them as in prediction, and it is what predicts.
    Budget: the steps and the labelled batch of ``cnn2d`` (400 and 64 by default, though every class is
    drawn equally often), and 128 unlabelled patches per step: one view in the student's forward pass, one in the
    teacher's, which has no backward pass.
    """

    card = Card(
        name="mean-teacher",
        version="1",
        summary="2D-CNN taught by the moving average of its weights",
        paper="Tarvainen and Valpola, Mean Teachers Are Better Role Models, NIPS 2017, arXiv:1703.01780",
        scope="scene",
        uses_device=True,
        seconds=20.0,
        params=MeanTeacherParams,
        presets={"tiny": {**TINY, "decay_of_teacher": 0.9}},
    )

    def train(self, setting: Setting, descend: Descend) -> Any:
        """The teacher, after the student's training."""
        import torch
        from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

        from hsiaug_nets.views import strong, weak

        blend = get_ema_multi_avg_fn(self.params.decay_of_teacher)  # type: ignore[no-untyped-call]
        teacher = AveragedModel(setting.net, multi_avg_fn=blend, use_buffers=True).eval()

        def loss(step: int) -> Tensor:
            batch, free = setting.labelled(step), setting.unlabelled()
            shaken = strong(free, setting.noise)
            known, guessed = setting.net(torch.cat([batch.x, shaken])).split([len(batch.x), len(free)])
            with torch.no_grad():
                taught = teacher(weak(free, setting.noise)).softmax(dim=1)
            distance = (guessed.softmax(dim=1) - taught).square().sum(dim=1).mean()
            value: Tensor = setting.error(known, batch) + ramp(step, self.params) * distance
            return value

        descend(loss, after=lambda step: teacher.update_parameters(setting.net))
        return teacher.module
