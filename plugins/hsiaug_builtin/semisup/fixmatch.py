"""FixMatch: the network of ``cnn2d``, taught by pseudo-labels of unlabelled patches too."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, PatchSamples, Plugin, Progress, TrainView, defaults, derive_seed, param
from hsiaug_builtin.nets.fitted import FittedNet, training_patches
from hsiaug_builtin.nets.projection import Projection, fit_projection
from hsiaug_builtin.nets.recipe import Recipe
from hsiaug_builtin.semisup.shared import usable_samples

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
@defaults(steps=300, balanced=True)
class FixMatchParams(Recipe):
    """The recipe and the network of ``cnn2d``, and an unlabelled batch at each step.

    Every class is drawn equally often: else the unlabelled loss soon talks the classes of three
    samples away. ``augment`` and ``balanced`` rule the labelled batch alone. ``strength`` is the
    paper's λ_u, ``threshold`` its τ, and ``unlabelled`` / ``batch`` its μ.
    """

    components: int = param(30, "principal components that the network sees", low=1)
    width: int = param(48, "channels of both convolutions", low=1)
    unlabelled: int = param(
        128, "unlabelled patches per step, in addition to the labelled batch", low=1
    )
    strength: float = param(1.0, "weight of the unlabelled loss", low=0)
    rise: float = param(
        0.4, "share of the steps over which that weight rises to its full value", low=0, high=1
    )
    threshold: float = param(0.95, "least probability of a pseudo-label that counts", low=0, high=1)


class FixMatch(Plugin[FixMatchParams]):
    """The network of ``cnn2d``; pseudo-labels of weak views are the targets of strong views
    (equations 3 and 4).

    Weak: symmetries of the square, gain and offset per component; strong: the same, then
    radiation noise and dropped components. All keep a spectrum's class, unlike the colour
    operations of the paper. As there, λ_u = 1 and τ = .95. Not as there: AdamW for SGD, no
    moving average of weights, λ_u ramps up since 300 steps leave no time for a bad start to
    heal, and μ = 2 for 7. Budget: the steps and the labelled batch of ``cnn2d`` (300 and 64 by
    default, though every class is drawn equally often), and in the same forward pass 128
    unlabelled patches in two views each.
    """

    card = Card(
        name="fixmatch",
        version="2",
        summary=(
            "2D-CNN with FixMatch on spectral-safe weak and strong views; with few labels below"
            " cnn2d, at four times the cost"
        ),
        paper="""@inproceedings{sohn2020fixmatch, author={Kihyuk Sohn and David Berthelot and
            Nicholas Carlini and Zizhao Zhang and Han Zhang and Colin A. Raffel and Ekin Dogus Cubuk
            and Alexey Kurakin and Chun-Liang Li}, title={{FixMatch}: Simplifying Semi-Supervised
            Learning with Consistency and Confidence}, booktitle={Advances in Neural Information
            Processing Systems 33}, year={2020}, eprint={2001.07685}, archiveprefix={arXiv}}""",
        scope="scene",
        uses_device=True,
        seconds=15.0,
        params=FixMatchParams,
        presets={"tiny": {"steps": 40, "width": 16, "components": 8, "unlabelled": 64}},
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedNet:
        """Train on labelled and unlabelled patches. Raises PluginError where the view shows no
        unlabelled pixel.
        """
        import torch
        from torch.nn.functional import cross_entropy

        from hsiaug_builtin.nets.blocks import Net2d
        from hsiaug_builtin.nets.seeded import fresh
        from hsiaug_builtin.nets.training import batches, criterion, descend
        from hsiaug_builtin.nets.views import strong, weak

        params = self.params
        samples = usable_samples(samples, view, self.card.name)
        projection = fit_projection(view, params.components)
        data, classes = training_patches(samples, projection.patches)
        net = fresh(lambda: Net2d(data.x.shape[1], params.width, data.classes), seed).to(device)
        labelled = batches(data, params, seed, device)
        error = criterion(data, params, device)
        unlabelled = unlabelled_batches(view, projection, params.unlabelled, seed, device)
        noise = torch.Generator().manual_seed(derive_seed("unlabelled views", seed))

        def loss(step: int) -> Tensor:
            x, target = labelled(step)
            free = unlabelled()
            views = [x, weak(free, noise), strong(free, noise)]
            labelled_scores, weak_scores, strong_scores = net(torch.cat(views)).split(
                [len(view) for view in views]
            )
            sure, named = weak_scores.detach().softmax(dim=1).max(dim=1)
            agreed: Tensor = (
                cross_entropy(strong_scores, named, reduction="none") * (sure >= params.threshold)
            ).mean()
            return error(labelled_scores, target) + ramp(step, params) * agreed

        net = descend(net, loss, params, seed=seed, progress=progress)
        return FittedNet(projection.patches, net, classes, len(view.class_names), device)


def ramp(step: int, params: FixMatchParams) -> float:
    """The unlabelled loss's weight at ``step`` (from 0): strength · exp(−5·(1 − t)²), t rising from
    0 to 1.

    The Gaussian ramp-up of Laine and Aila, Temporal Ensembling, ICLR 2017, section 3.1.
    """
    t = min(1.0, (step + 1) / max(1.0, params.rise * params.steps))
    return params.strength * math.exp(-5 * (1 - t) ** 2)


def unlabelled_batches(
    view: TrainView, projection: Projection, count: int, seed: int, device: str
) -> Callable[[], Tensor]:
    """``draw()``: ``count`` random unlabelled patches (count, k, p, p), with replacement, drawn on
    the CPU.

    They are cut from the scene's components, which take far less memory than patches of all bands
    would.
    """
    import torch

    r = view.patch // 2
    scores: NDArray[np.float32] = view.cube @ projection.matrix - projection.offset  # (H, W, k)
    padded = np.pad(scores, ((r, r), (r, r), (0, 0)), mode="reflect") if r else scores
    plane = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1))).to(device)
    windows = plane.unfold(1, view.patch, 1).unfold(2, view.patch, 1)  # (k, H, W, p, p)
    coords = torch.from_numpy(view.unlabelled.astype(np.int64))
    order = torch.Generator().manual_seed(derive_seed("unlabelled", seed))

    def draw() -> Tensor:
        rows, columns = coords[torch.randint(len(coords), (count,), generator=order)].to(device).T
        return windows[:, rows, columns].transpose(0, 1)

    return draw
