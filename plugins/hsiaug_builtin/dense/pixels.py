"""Baselines of masks that read single pixels: whatever a network learns of shapes has to beat
these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    DenseSamples,
    DenseView,
    Plugin,
    PluginError,
    Progress,
    Tiles,
    derive_seed,
    param,
)
from hsiaug_builtin.dense.inputs import heaviest_distinct, lost_by_overlap, unit_norm
from hsiaug_builtin.nets.fitted import by_class

BLOCK = 2**16
"""Pixels that are predicted at a time."""


@dataclass(frozen=True)
class PixelParams:
    """Shared by both baselines."""

    most: int = param(
        500,
        "labelled pixels per class, at most; a random subset of more",
        low=1,
    )


@dataclass(frozen=True)
class PixelSvmParams(PixelParams):
    """The machine."""

    cost: float = param(10.0, "C of the machine", low=1e-6)


@dataclass(frozen=True)
class PixelForestParams(PixelParams):
    """The forest."""

    trees: int = param(300, "number of trees", low=1)


@dataclass(frozen=True, eq=False)
class FittedPixels:
    """A fitted classifier of spectra, which is applied pixel by pixel.

    Attributes
    ----------
    model : object
        A fitted scikit-learn classifier of spectra; None where only one class, ``only``, had
        labels.
    class_count : int
        C of the data.
    """

    model: Any
    only: int
    class_count: int

    def predict(self, tiles: Tiles) -> NDArray[np.int64]:
        """(n, H, W) class ids; only classes that had a labelled pixel are ever named."""
        spectra = spectra_of(tiles.images)
        ids = np.full(len(spectra), self.only, dtype=np.int64)
        if self.model is not None:
            for start in range(0, len(spectra), BLOCK):
                ids[start : start + BLOCK] = self.model.predict(spectra[start : start + BLOCK])
        return ids.reshape(len(tiles), *tiles.side)


@dataclass(frozen=True, eq=False)
class FittedPixelForest(FittedPixels):
    """A forest also tells the shares of its trees."""

    def predict_proba(self, tiles: Tiles) -> NDArray[np.float32]:
        """(n, C, H, W) share of trees for class ids 1..C; 0 for a class that had no labelled
        pixel.
        """
        spectra = spectra_of(tiles.images)
        if self.model is None:
            shares, classes = np.ones((len(spectra), 1)), np.array([self.only])
        else:
            shares = self.model.predict_proba(spectra)
            classes = self.model.classes_
        found = by_class(shares, classes, self.class_count)
        return np.ascontiguousarray(
            found.reshape(len(tiles), *tiles.side, -1).transpose(0, 3, 1, 2)
        )


def spectra_of(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tiles (n, T, B, H, W) → (n·H·W, T·B) spectra of their pixels, those of each date divided by
    their norm.
    """
    return np.ascontiguousarray(
        unit_norm(images).transpose(0, 3, 4, 1, 2).reshape(-1, images.shape[1] * images.shape[2])
    )


class _Pixels(Plugin[Any]):
    """Fits a scikit-learn classifier to labelled pixels, real and synthetic, each with the weight
    of its tile.

    Tiles may overlap: of pixels with the same spectrum and label one is kept, with the largest
    weight.
    """

    def model(self, seed: int) -> Any:
        """An unfitted classifier that takes sample weights."""
        raise NotImplementedError

    def fitted(self, model: Any, only: int, classes: int) -> FittedPixels:
        """Return the result of :meth:`fit`."""
        return FittedPixels(model, only, classes)

    def fit(
        self, samples: DenseSamples, view: DenseView, *, seed: int, device: str, progress: Progress
    ) -> FittedPixels:
        """Learn from at most ``most`` pixels of each class. Raises PluginError where none has a
        label and a weight.
        """
        y, spectra = samples.masks.ravel(), spectra_of(samples.images)
        size = int(np.prod(samples.side))
        weight = np.repeat(samples.weight, size)
        is_synthetic = np.repeat(samples.synthetic, size)
        rows = np.flatnonzero((y > 0) & (weight > 0))
        if not len(rows):
            raise PluginError(
                f"classifier {self.card.name} needs a labelled pixel of positive weight",
                value=f"{len(samples)} tiles without",
                hint="Check the masks: 0 means no label.",
            )
        rng = np.random.default_rng(derive_seed("pixels", seed))
        rows_by_class = []
        for c in np.unique(y[rows]):
            rows_of_class = rows[y[rows] == c]
            distinct = heaviest_distinct(spectra[rows_of_class], weight[rows_of_class])
            shuffled = rng.permutation(rows_of_class[distinct])
            # Synthetic pixels do not overlap, and would push out the real ones, which do.
            real_first = np.argsort(is_synthetic[shuffled], kind="stable")
            rows_by_class.append(shuffled[real_first][: self.params.most])
        chosen = np.concatenate(rows_by_class)
        if 0 < is_synthetic[chosen].sum() < len(chosen):
            # Beside each other they weigh as in the tiles.
            real, synthetic = lost_by_overlap(np.where(y > 0, weight, 0), is_synthetic, chosen)
            weight = np.where(is_synthetic, weight * (synthetic / real), weight)
        model = None
        if len(rows_by_class) > 1:
            model = self.model(seed).fit(spectra[chosen], y[chosen], sample_weight=weight[chosen])
        return self.fitted(model, int(y[chosen[0]]), len(view.class_names))


class PixelSvm(_Pixels):
    """RBF support vector machine on unit-norm spectra of single pixels; γ is 1 / (bands ×
    variance), scikit-learn's own.

    It knows nothing of shapes. On two dates it reads both spectra, one after the other.
    """

    card = Card(
        name="pixel-svm",
        version="2",
        summary=(
            "Baseline: RBF support vector machine on the unit-norm spectrum of each pixel, no"
            " context"
        ),
        paper="""@inproceedings{boser1992training, author={Bernhard E. Boser and Isabelle M. Guyon
            and Vladimir N. Vapnik}, title={A Training Algorithm for Optimal Margin Classifiers},
            booktitle={Proceedings of the Fifth Annual Workshop on Computational Learning Theory},
            pages={144--152}, year={1992}, doi={10.1145/130385.130401}}""",
        tasks=("segmentation", "change"),
        seconds=3.0,
        params=PixelSvmParams,
        presets={"tiny": {"most": 50}},
        control_of="masks",
        control_text="an SVM of single pixels",
    )

    def model(self, seed: int) -> Any:
        from sklearn.svm import SVC

        return SVC(C=self.params.cost, random_state=seed)


class PixelForest(_Pixels):
    """Random forest on unit-norm spectra of single pixels; otherwise as ``pixel-svm``."""

    card = Card(
        name="pixel-rf",
        version="2",
        summary="Baseline: random forest on the unit-norm spectrum of each pixel, no context",
        paper="""@article{breiman2001forests, author={Leo Breiman}, title={Random Forests},
            journal={Machine Learning}, volume={45}, number={1}, pages={5--32}, year={2001},
            doi={10.1023/A:1010933404324}}""",
        tasks=("segmentation", "change"),
        seconds=5.0,
        params=PixelForestParams,
        presets={"tiny": {"most": 50, "trees": 20}},
    )

    def model(self, seed: int) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(self.params.trees, n_jobs=1, random_state=seed)

    def fitted(self, model: Any, only: int, classes: int) -> FittedPixelForest:
        return FittedPixelForest(model, only, classes)
