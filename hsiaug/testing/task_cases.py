"""What the made-up data of all tasks share, on which plugins are checked: those of pixels are in
:mod:`hsiaug.testing.pixel_cases`, those of masks in :mod:`hsiaug.testing.tile_cases`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import Patches, PatchSamples
from hsiaug.core.tiles import IGNORE, DenseSamples, DenseView, PairCounts, Tiles
from hsiaug.protocol.view import TrainView
from hsiaug.registry.card import Card
from hsiaug.testing.core import require

Samples = PatchSamples | DenseSamples
Items = Patches | Tiles
"""The items that are predicted."""
View = TrainView | DenseView
Counts = Mapping[int, int] | PairCounts

NAMES = ("Meadow", "Maize", "Orchard", "Pond")
"""Names of the classes of a case, of which some may be missing."""
LOW, SPAN = 6000.0, 4000.0
"""Scene units: digital numbers, far from 0 and from a standard deviation of 1, so that samples
which were not brought back to scene units are seen at once.
"""
NOISE = 0.015
"""Standard deviation of pixels round the spectrum of their class, as a share of SPAN."""
REPEATED_NOISE = 0.002
"""Noise of a repeated sample, as a share of the value that it is added to."""
OF_EACH = 40
"""Samples of each class that show whether labels belong to them."""
OVER_CHANCE = 0.15
"""Share of the way from chance to perfection that labels must lie above chance."""


@dataclass(frozen=True, eq=False)
class Case:
    """Data of a task, and the split that plugins see them under.

    Attributes
    ----------
    data, split : Any
        Of the types of the task.
    """

    task: str
    data: Any
    split: Any


def scramble(cases: Any, case: Case, card: Card) -> Case:
    """A case of some cases, the same but for what the card's plugin may not see: all test labels
    are wrong, hidden spectra others, and classes not described unless it reads text.
    """
    described = case.data if card.text else replace(case.data, descriptions={})
    scrambled: Case = cases.scrambled(replace(case, data=described), card)
    return scrambled


def inspect_samples(cases: Any, samples: Any, view: View) -> None:
    """Raise Violation for samples that are not what the contract says, their numbers and values
    apart.
    """
    real: Samples = view.real
    require(isinstance(samples, type(real)), f"a {type(samples).__name__}")
    x, y = samples.values, samples.labels
    shape = real.values.shape[1:]
    require(x.shape[1:] == shape and x.dtype == np.float32, f"spectra {x.dtype} {x.shape}")
    require(y.dtype == np.int64, f"class ids {y.dtype}")
    cases.inspect_labels(samples, len(view.class_names))


def nearest_shares(samples: Samples, view: View) -> NDArray[np.float64]:
    """(k, k) share of the samples, or pixels of masks, of each class of the real ones (rows) that
    lie nearest to the mean real spectrum of each of these classes (columns).
    """
    real, real_ids = _labelled_spectra(view.real)
    ids = np.unique(real_ids)
    means = np.stack([real[real_ids == c].mean(axis=0) for c in ids])
    spectra, labels = _labelled_spectra(samples)
    nearest = ((spectra[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    # Classes that were not made fit as they are.
    shares = np.eye(len(ids))
    for row, c in enumerate(ids):
        if (labels == c).any():
            shares[row] = np.bincount(nearest[labels == c], minlength=len(ids))
            shares[row] /= shares[row].sum()
    return shares


def _labelled_spectra(samples: Samples) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n, B) spectra that have a class, of centres of patches or pixels of masks, and their ids; of
    two dates how much each band differs.
    """
    labelled = samples.labels > IGNORE
    spectra = samples.spectra[labelled]
    if isinstance(samples, DenseSamples) and samples.dates > 1:
        before, after = np.split(spectra, 2, axis=1)
        spectra = np.abs(after - before)
    return spectra, samples.labels[labelled]


def noisy(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values of repeated samples."""
    rng = np.random.default_rng(derive_seed("conformance", "repeated"))
    return x + (rng.normal(0, REPEATED_NOISE, size=x.shape) * x).astype(np.float32)


def wrong_ids(labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """The next class of each label; 0 stays."""
    return np.where(labels == IGNORE, IGNORE, labels % classes + 1)


def scrambled_labels(labels: NDArray[np.int16], classes: int) -> NDArray[np.int16]:
    """Every label of any shape replaced by another of 1..``classes``; 0 stays."""
    # By random steps: a shift of all would keep how often each label occurs.
    steps = np.random.default_rng(derive_seed("scrambled")).integers(1, classes, size=labels.shape)
    return np.where(labels > 0, (labels - 1 + steps) % classes + 1, 0).astype(np.int16)


def class_spectra(classes: int, bands: int) -> NDArray[np.float64]:
    """(C, B) of 0..1."""
    grid = np.linspace(0, 1, bands)
    c = np.arange(classes)[:, None]
    return np.asarray(0.2 + 0.15 * c + 0.1 * np.sin(np.pi * (1 + c) * grid))


def case_facts(names: Sequence[str], bands: int, description: str, *, hard: bool) -> dict[str, Any]:
    """Metadata of a case.

    Parameters
    ----------
    hard : bool
        No wavelengths, ground sampling distance or descriptions.
    """
    return {
        "class_names": tuple(names),
        "wavelengths": None if hard else np.linspace(450.0, 2350.0, bands),
        "gsd": None if hard else 2.0,
        "units": "digital numbers",
        "descriptions": (
            {} if hard else {name: (description.format(name.lower()),) for name in names}
        ),
    }
