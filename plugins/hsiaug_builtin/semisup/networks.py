"""The network of ``cnn2d``, taught by unlabelled patches too: by their entropy, by a moving average, by pseudo-labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hsiaug.api import Card, PatchSamples, Plugin, Progress, TrainView, param
from hsiaug_builtin.nets.fitted import FittedNet
from hsiaug_builtin.semisup.shared import TINY, SemiRecipe, ramp

if TYPE_CHECKING:
    from torch import Tensor

    from hsiaug_builtin.semisup.setting import Setting

__all__ = ["EntropyMin", "FixMatch", "MeanTeacher", "UnlabelledClassifier"]


Own = TypeVar("Own", bound=SemiRecipe)
Descend = Callable[..., Any]
"""``descend(loss, after=None)``: the trained network, as :func:`hsiaug_builtin.nets.training.descend` gives it."""


class UnlabelledClassifier(Plugin[Own]):
    """The network of ``cnn2d``; a subclass has a card, and says in :meth:`loss` what unlabelled patches teach it."""

    def loss(self, setting: Setting, step: int) -> Tensor:
        """What a step goes down, labelled and unlabelled patches together."""
        raise NotImplementedError

    def train(self, setting: Setting, descend: Descend) -> Any:
        """The torch module that predicts."""
        return descend(lambda step: self.loss(setting, step))

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedNet:
        """Train on labelled and unlabelled patches. Raises PluginError where the view shows no unlabelled pixel."""
        from functools import partial

        from hsiaug_builtin.nets.training import descend
        from hsiaug_builtin.semisup.setting import set_up

        setting = set_up(self.card.name, self.params, samples, view, seed, device)
        steps = partial(descend, setting.net, budget=self.params, seed=seed, progress=progress)
        return setting.fitted(self.train(setting, steps))


@dataclass(frozen=True)
class EntropyMinParams(SemiRecipe):
    """The shared recipe; the paper's λ is ``strength``. Small: of the unlabelled pixels many belong to no class."""

    strength: float = param(0.03, "weight of the entropy of unlabelled patches", low=0)


class EntropyMin(UnlabelledClassifier[EntropyMinParams]):
    """The network of ``cnn2d``, trained on cross-entropy of samples and Shannon entropy of unlabelled patches.

    The objective is equation 9 of the paper, which has a logistic model or kernels in place of a network and anneals
    λ; here its weight ramps up. Budget: the steps and the labelled batch of ``cnn2d`` (400 and 64 by default, though
    every class is drawn equally often), and in the same forward pass 128 unlabelled patches per step, turned and
    mirrored like the labelled ones.
    """

    card = Card(
        name="entropy-min",
        version="1",
        summary="2D-CNN with minimum entropy on unlabelled pixels",
        paper="""@inproceedings{grandvalet2004entropy, author={Yves Grandvalet and Yoshua Bengio},
            title={Semi-supervised Learning by Entropy Minimization}, booktitle={Advances in Neural
            Information Processing Systems 17}, year={2004}}""",
        scope="scene",
        uses_device=True,
        seconds=16.0,
        params=EntropyMinParams,
        presets={"tiny": TINY},
    )

    def loss(self, setting: Setting, step: int) -> Tensor:
        """Cross-entropy of the labelled batch, and the weighted entropy of the unlabelled one."""
        import torch

        from hsiaug_builtin.nets.views import turned

        (x, target), free = setting.labelled(step), turned(setting.unlabelled(), step)
        known, guessed = setting.net(torch.cat([x, free])).split([len(x), len(free)])
        logs = guessed.log_softmax(dim=1)
        entropy: Tensor = -(logs.exp() * logs).sum(dim=1).mean()
        return setting.error(known, target) + ramp(step, self.params) * entropy


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
        paper="""@inproceedings{tarvainen2017meanteacher, author={Antti Tarvainen and Harri Valpola}, title={Mean
            Teachers Are Better Role Models: Weight-Averaged Consistency Targets Improve Semi-Supervised Deep
            Learning Results}, booktitle={Advances in Neural Information Processing Systems 30}, year={2017},
            eprint={1703.01780}, archiveprefix={arXiv}}""",
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

        from hsiaug_builtin.nets.views import strong, weak

        blend = get_ema_multi_avg_fn(self.params.decay_of_teacher)  # type: ignore[no-untyped-call]
        teacher = AveragedModel(setting.net, multi_avg_fn=blend, use_buffers=True).eval()

        def loss(step: int) -> Tensor:
            (x, target), free = setting.labelled(step), setting.unlabelled()
            shaken = strong(free, setting.noise)
            known, guessed = setting.net(torch.cat([x, shaken])).split([len(x), len(free)])
            with torch.no_grad():
                taught = teacher(weak(free, setting.noise)).softmax(dim=1)
            distance = (guessed.softmax(dim=1) - taught).square().sum(dim=1).mean()
            value: Tensor = setting.error(known, target) + ramp(step, self.params) * distance
            return value

        descend(loss, after=lambda step: teacher.update_parameters(setting.net))
        return teacher.module


@dataclass(frozen=True)
class FixMatchParams(SemiRecipe):
    """The shared recipe and the threshold τ of the paper; λ_u is ``strength``, μ is ``unlabelled`` / ``batch``."""

    threshold: float = param(0.95, "least probability of a pseudo-label that counts", low=0, high=1)


class FixMatch(UnlabelledClassifier[FixMatchParams]):
    """The network of ``cnn2d``; pseudo-labels of weak views are the targets of strong views (equations 3 and 4).

    Weak: symmetries of the square, gain and offset per component; strong: the same, then radiation noise and dropped
    components. All keep a spectrum's class, unlike the colour operations of the paper. As there, λ_u = 1 and
    τ = .95. Not as there: AdamW for SGD, no moving average of weights, λ_u ramps up since 400 steps leave no time for
    a bad start to heal, and μ = 2 for 7.
    Budget: the steps and the labelled batch of ``cnn2d`` (400 and 64 by default, though every class is
    drawn equally often), and in the same forward pass 128 unlabelled patches in two views each.
    """

    card = Card(
        name="fixmatch",
        version="1",
        summary="2D-CNN with FixMatch on spectral-safe weak and strong views",
        paper="""@inproceedings{sohn2020fixmatch, author={Kihyuk Sohn and David Berthelot and Nicholas Carlini and
            Zizhao Zhang and Han Zhang and Colin A. Raffel and Ekin Dogus Cubuk and Alexey Kurakin and
            Chun-Liang Li}, title={{FixMatch}: Simplifying Semi-Supervised Learning with Consistency and
            Confidence}, booktitle={Advances in Neural Information Processing Systems 33}, year={2020},
            eprint={2001.07685}, archiveprefix={arXiv}}""",
        scope="scene",
        uses_device=True,
        seconds=30.0,
        params=FixMatchParams,
        presets={"tiny": TINY},
    )

    def loss(self, setting: Setting, step: int) -> Tensor:
        """Cross-entropy of the labelled batch, and of strong views against what weak views are sure of."""
        import torch
        from torch.nn.functional import cross_entropy

        from hsiaug_builtin.nets.views import strong, weak

        (x, target), free = setting.labelled(step), setting.unlabelled()
        views = [x, weak(free, setting.noise), strong(free, setting.noise)]
        known, calm, shaken = setting.net(torch.cat(views)).split([len(view) for view in views])
        sure, named = calm.detach().softmax(dim=1).max(dim=1)
        agreed: Tensor = (cross_entropy(shaken, named, reduction="none") * (sure >= self.params.threshold)).mean()
        return setting.error(known, target) + ramp(step, self.params) * agreed
