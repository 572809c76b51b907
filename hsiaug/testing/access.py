"""Requests, samples and items of pixels and of masks, as the checks make, read and compare them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import NOWHERE, Patches, PatchSamples, concatenate
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import IGNORE, DenseSamples, DenseView, PairCounts, Tiles
from hsiaug.protocol.split import Split
from hsiaug.protocol.tiling import TileSplit, real_samples
from hsiaug.protocol.view import TrainView, patches_at
from hsiaug.registry.card import Card
from hsiaug.tasks.sampling import PatchSampling
from hsiaug.testing.cases import Case
from hsiaug.testing.core import Arrays, require

Samples = PatchSamples | DenseSamples
Items = Patches | Tiles
"""The items that are predicted."""
View = TrainView | DenseView
Counts = Mapping[int, int] | PairCounts

LEARNT = 0.5
"""Least mean recall of a classifier of pixels on its own training pixels; naming the largest class
alone gives 0.25.
"""

SHOWN, MANY = 0.6, 20
"""Least share of so many pairs of a class that must show it; 0.3 of the training tiles show class
4.
"""

FEW = 2
"""Labels of a class in masks that a classifier may lose, as nothing was asked of it but to go on.
"""

OF_EACH = 40
"""Samples of each class that show whether labels belong to them."""

OVER_CHANCE = 0.15
"""Share of the way from chance to perfection that labels must lie above chance."""

NOISE = 0.002
"""Noise of a repeated sample, as a share of the value that it is added to."""


def request(task: str, trained: Sequence[int]) -> Counts:
    """The counts that most checks ask for: unequal, none of one class, and only of trained
    classes.
    """
    if task == "pixels":
        return {c: (6, 0, 9, 4)[(c - 1) % 4] for c in trained}
    return PairCounts(8, {trained[0]: 0, trained[-1]: 3})


def of_classes(task: str, counts: Mapping[int, int]) -> Counts:
    """A request for that many samples of each class id and nothing else."""
    return counts if task == "pixels" else PairCounts(sum(counts.values()), counts)


def many(task: str, trained: Sequence[int]) -> Counts:
    """The counts that show whether labels belong to samples: as many of each class."""
    if task == "pixels":
        return dict.fromkeys(trained, OF_EACH)
    return PairCounts(OF_EACH, {})


def nearest_share(samples: Samples, view: View) -> tuple[float, float]:
    """Share of samples, or of pixels of masks, that lie nearest to the mean real spectrum of their
    class, on average over classes; and the least share that is more than chance.
    """
    real, real_ids = _labelled_spectra(view.real)
    ids = np.unique(real_ids)
    means = np.stack([real[real_ids == c].mean(axis=0) for c in ids])
    spectra, labels = _labelled_spectra(samples)
    nearest = ids[((spectra[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)]
    shares = [float((nearest[labels == c] == c).mean()) for c in np.unique(labels)]
    chance = 1 / len(ids)
    return float(np.mean(shares)), chance + OVER_CHANCE * (1 - chance)


def _labelled_spectra(samples: Samples) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n, B) spectra that have a class, of centres of patches or pixels of masks, and their ids."""
    spectra = samples.centres if isinstance(samples, PatchSamples) else samples.spectra
    labelled = samples.labels > IGNORE
    return spectra[labelled], samples.labels[labelled]


def count_errors(samples: Samples, expected: Counts) -> str:
    """How samples differ from what was asked for; "" where they do not.

    Pairs are counted whatever they show; of one class alone, most of them must show it.
    """
    if isinstance(expected, Mapping):
        ids, numbers = np.unique(samples.labels, return_counts=True)
        drawn = dict(zip(ids.tolist(), numbers.tolist(), strict=True))
        return (
            ""
            if drawn == {c: n for c, n in expected.items() if n}
            else f"{drawn} in place of {dict(expected)}"
        )
    if len(samples) != expected.total:
        return f"{len(samples)} pairs in place of {expected.total}"
    parts = [c for c, _ in expected.parts()]
    if len(parts) == 1 and parts[0] is not None and len(samples) >= MANY:
        share = float((samples.labels == parts[0]).any(axis=(1, 2)).mean())
        return (
            ""
            if share >= SHOWN
            else f"{share:.0%} of {len(samples)} pairs show class {parts[0]}, asked for"
        )
    return ""


def inspect(samples: Samples, view: View) -> None:
    """Raise Violation for samples that are not what the contract says, their numbers and values
    apart.
    """
    require(isinstance(samples, type(view.real)), f"a {type(samples).__name__}")
    x = values(samples)
    y = samples.labels
    shape = values(view.real).shape[1:]
    require(x.shape[1:] == shape and x.dtype == np.float32, f"spectra {x.dtype} {x.shape}")
    require(y.dtype == np.int64, f"class ids {y.dtype}")
    if isinstance(samples, PatchSamples):
        require((samples.coords == NOWHERE).all(), "samples with a location")
        return
    allowed = np.arange(IGNORE, len(view.class_names) + 1)
    require(np.isin(y, allowed).all(), f"masks with ids {y.min()}..{y.max()}")
    confidence = samples.confidence
    if confidence is not None:
        require(confidence.dtype == np.float32, f"confidence {confidence.dtype}")
        # The shape is for the samples themselves to check.
        require(
            ((confidence >= 0) & (confidence <= 1)).all(),
            f"a confidence of {confidence.min():.3g}..{confidence.max():.3g}",
        )


def values(samples: Items) -> NDArray[np.float32]:
    """The spectra of samples, in an array as they have it."""
    return samples.x if isinstance(samples, Patches) else samples.images


def arrays(samples: Samples) -> Arrays:
    """Samples as arrays that can be compared."""
    contents: Arrays = {
        "spectra": values(samples),
        "class ids": samples.labels,
        "weight": samples.weight,
    }
    if isinstance(samples, DenseSamples) and samples.confidence is not None:
        contents["confidence"] = samples.confidence
    return contents


def of_class(samples: Samples, c: int) -> NDArray[np.float32]:
    """All values of one class; c may be any of its labels."""
    if isinstance(samples, PatchSamples):
        return np.asarray(samples.x[samples.y == c])
    return np.asarray(samples.spectra[samples.masks == c])


def visible(view: View) -> NDArray[np.float32]:
    """All values of all bands that a view shows."""
    return np.asarray(view.cube[view.visible] if isinstance(view, TrainView) else view.real.images)


def items(batch: Items, index: slice = slice(None)) -> Items:
    """Samples or items at ``index``, without labels, as they are predicted."""
    if isinstance(batch, Patches):
        return Patches(batch.x[index], batch.coords[index])
    return Tiles(batch.images[index])


def probes(case: Case, card: Card) -> tuple[Items, NDArray[np.int64]]:
    """Test items as the card's classifier is shown them, and their labels; every second pixel,
    sorted by class.
    """
    scene = case.data
    split = case.split
    if isinstance(split, TileSplit):
        test = real_samples(split, split.test)
        return items(test), test.masks
    assert isinstance(scene, Scene) and isinstance(split, Split)
    coords = np.argwhere(split.test)[::2].astype(np.int32)
    y = scene.labels[coords[:, 0], coords[:, 1]].astype(np.int64)
    x = patches_at(scene.cube, coords, split.patch)
    whole = PatchSamples(x, coords, y, np.zeros(len(y), bool), np.ones(len(y), np.float32))
    return items(PatchSampling().shown(whole, card)), y


def judged_ids(y: NDArray[np.int64]) -> list[int]:
    """Class ids that have enough labels for a recall to tell."""
    ids, numbers = np.unique(y, return_counts=True)
    return [
        int(c)
        for c, n in zip(ids, numbers, strict=True)
        if c != IGNORE and (y.ndim == 1 or n > FEW)
    ]


def least(task: str, classes: int) -> float:
    """Least mean recall over so many classes of a classifier that has learnt anything.

    For masks, a quarter above what naming one class everywhere gives, unless there is one only.
    """
    if task == "pixels":
        return LEARNT
    return 1 / classes + 0.25 if classes > 1 else 0.0


def repeat(real: Samples) -> Samples:
    """Synthetic samples that any classifier can learn from: real ones with a little noise; patches
    of all classes alike, pairs each once.
    """
    if isinstance(real, DenseSamples):
        return DenseSamples.made(_noisy(real.images), real.masks)
    ids, counts = np.unique(real.y, return_counts=True)
    index = np.concatenate([np.resize(np.flatnonzero(real.y == c), counts.max()) for c in ids])
    return PatchSamples.made(_noisy(real.x[index]), real.y[index])


def _noisy(x: NDArray[np.float32]) -> NDArray[np.float32]:
    rng = np.random.default_rng(derive_seed("conformance", "repeated"))
    return x + (rng.normal(0, NOISE, size=x.shape) * x).astype(np.float32)


def mislabel(real: Samples, classes: int) -> Samples:
    """Synthetic samples of weight 0 with wrong labels: enough to spoil what does not heed the
    weight.
    """
    wrong = repeat(real)
    ids = np.where(wrong.labels == IGNORE, IGNORE, wrong.labels % classes + 1)
    weight = np.zeros_like(wrong.weight)
    if isinstance(wrong, PatchSamples):
        return replace(wrong, weight=weight, y=ids)
    return concatenate([replace(wrong, weight=weight, masks=ids)] * 2)
