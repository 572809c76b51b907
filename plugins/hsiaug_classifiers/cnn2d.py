"""A small 2D convolutional network on principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Patches, PatchSamples, Progress, TrainView, param

__all__ = ["Cnn2d", "Cnn2dParams", "FittedCnn2d", "Projection", "fit_projection"]


@dataclass(frozen=True)
class Cnn2dParams:
    """Steps, not epochs: every arm of a benchmark gets the same optimiser steps, whatever it adds."""

    components: int = param(30, "principal components that the network sees", low=1)
    width: int = param(48, "channels of both convolutions", low=1)
    steps: int = param(400, "optimiser steps", low=1)
    batch: int = param(64, "samples per step, drawn uniformly with replacement", low=2)
    rate: float = param(3e-3, "initial learning rate of AdamW, taken to 0 along a cosine", low=0)
    decay: float = param(0.05, "weight decay of AdamW", low=0)


@dataclass(frozen=True, eq=False)
class Projection:
    """Whitened principal components. matrix: (B, k) float32 from scene units; offset: (k,) float32."""

    matrix: NDArray[np.float32]
    offset: NDArray[np.float32]

    def patches(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, B, p, p) float32 in scene units → (n, k, p, p) float32, unit variance per component in the view."""
        n, bands, p, _ = x.shape
        scores = np.matmul(self.matrix.T, x.reshape(n, bands, p * p)) - self.offset[:, None]
        return np.asarray(scores, dtype=np.float32).reshape(n, -1, p, p)


def fit_projection(view: TrainView, components: int) -> Projection:
    """Principal components of the z-scored pixels that ``view`` shows, largest first.

    Components without variance (constant bands, fewer pixels than bands) are left out, but never the first.
    """
    z = view.normaliser.spectra(view.cube[view.visible]).astype(np.float64)
    z -= z.mean(axis=0)
    values, vectors = np.linalg.eigh(z.T @ z / len(z))
    largest = np.argsort(-values)[:components]
    kept = largest[values[largest] > 1e-9 * max(values.max(), 1e-9)]
    kept = kept if len(kept) else largest[:1]
    matrix = vectors[:, kept] / np.sqrt(np.maximum(values[kept], 1e-9)) / view.normaliser.std[:, None]
    offset = view.normaliser.mean @ matrix
    return Projection(matrix.astype(np.float32), offset.astype(np.float32))


@dataclass(frozen=True, eq=False)
class FittedCnn2d:
    """net: the trained torch module; classes: (k,) int64 class ids of its outputs; device: where it lies."""

    projection: Projection
    net: Any
    classes: NDArray[np.int64]
    class_count: int
    device: str

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes that had samples are ever named."""
        return np.asarray(self.classes[self._shares(patches).argmax(axis=1)])

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) softmax for class ids 1..C; 0 for a class that had no sample."""
        shares = np.zeros((len(patches), self.class_count), dtype=np.float32)
        shares[:, self.classes - 1] = self._shares(patches)
        return shares

    def _shares(self, patches: Patches) -> NDArray[np.float32]:
        from hsiaug_classifiers._net2d import probabilities

        return probabilities(self.net, self.projection.patches, patches.x, len(self.classes), self.device)


class Cnn2d:
    """Two 3×3 convolutions with batch normalisation, the mean over the patch, one linear layer.

    The input is the patch in whitened principal components of the pixels that the train view shows. Trained by
    AdamW for a fixed number of steps on cross-entropy, each sample by its weight; batches are drawn uniformly
    over all samples, so balance is left to the generator and λ. Patches are turned and mirrored (8 symmetries).
    The same seed gives the same weights on one CPU; on a GPU up to rounding. Like the network of the paper it
    reads components of a patch by two convolutions; normalisation, pooling by the mean, AdamW and the symmetries
    are ours.
    """

    card: ClassVar[Card] = Card(
        name="cnn2d",
        version="1",
        summary="Small 2D-CNN on principal components of the patch",
        paper="After Makantasis, Karantzalos, Doulamis and Doulamis, Deep Supervised Learning for Hyperspectral "
        "Data Classification through Convolutional Neural Networks, IGARSS 2015, "
        "doi:10.1109/IGARSS.2015.7326945",
        uses_device=True,
        seconds=5.0,
        params=Cnn2dParams,
        presets={"tiny": {"steps": 40, "width": 16, "components": 8}},
    )

    def __init__(self, params: Cnn2dParams) -> None:
        self.params = params

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedCnn2d:
        """Project the patches once, then train."""
        from hsiaug_classifiers._net2d import Lesson, train

        projection = fit_projection(view, self.params.components)
        classes, target = np.unique(samples.y, return_inverse=True)
        lesson = Lesson(projection.patches(samples.x), target, samples.weight, len(classes))
        net = train(lesson, self.params, seed, device, progress)
        return FittedCnn2d(projection, net, classes, len(view.class_names), device)
