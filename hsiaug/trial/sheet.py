"""What a report shows of the samples of a trial: a few in false colours, beside real ones, and the
mean spectra of the classes, of real training pixels, synthetic ones and test pixels.

They lie in ``predictions.npz``, as arrays beside the predictions; a record without them is as good.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.samples import spread_rows
from hsiaug.core.scene import Scene
from hsiaug.metrics.false_colours import FalseColours
from hsiaug.metrics.patch_distances import RealSamples, turn_each

if TYPE_CHECKING:
    from hsiaug.tasks.types import TaskSamples


MOST_PIXELS = 2000
"""Test pixels of a class that its mean is taken of, from the first to the last of the scene."""
Means = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MeanSpectra:
    """Mean spectra of those classes that have synthetic samples.

    Attributes
    ----------
    ids : ndarray of int16, shape (k,)
        Ids of the classes, ascending.
    bands : ndarray of float32, shape (B,)
        Wavelengths in nm; the bands' numbers from 1 where a scene has none.
    real, made : ndarray of float32, shape (k, B)
        In the units of the scene: centre pixels of real training samples, which are NaN in a class
        without any, and of synthetic ones.
    held_out : ndarray of float32, shape (k, B)
        The same of test pixels. A worker, which knows no test label, has NaN here.
    """

    ids: NDArray[np.int16]
    bands: Means
    real: Means
    made: Means
    held_out: Means


def mean_spectra(
    real: tuple[NDArray[np.float32], NDArray[np.int64]],
    synthetic: tuple[NDArray[np.float32], NDArray[np.int64]],
    wavelengths: NDArray[np.float64] | None,
) -> MeanSpectra:
    """Mean spectra without those of test pixels.

    Parameters
    ----------
    real, synthetic : tuple of ndarray
        Spectra (n, B) and class ids (n,) of real training pixels and of synthetic ones.
    wavelengths : ndarray of float64, shape (B,), or None
        In nm.

    Returns
    -------
    MeanSpectra
        Of the classes that ``made`` has.
    """
    ids = np.unique(synthetic[1]).astype(np.int16)
    bands = np.arange(1, synthetic[0].shape[1] + 1) if wavelengths is None else wavelengths
    of_real = _means(*real, ids)
    return MeanSpectra(
        ids=ids,
        bands=bands.astype(np.float32),
        real=of_real,
        made=_means(*synthetic, ids),
        held_out=np.full_like(of_real, np.nan),
    )


def means_of_test_pixels(
    scene: Scene, labels: NDArray[np.integer[Any]]
) -> dict[int, NDArray[np.float32]]:
    """The mean spectrum of the test pixels of each class, in the process that has their labels.

    Parameters
    ----------
    scene : Scene
        Of a cube that is read from its file window by window no pixel is taken: it would be read
        whole for each split.
    labels : ndarray of int, shape (H, W)
        Class ids of the test pixels, 0 elsewhere.

    Returns
    -------
    dict of ndarray of float32, shape (B,)
        By class id, of the classes that have test pixels.
    """
    means: dict[int, NDArray[np.float32]] = {}
    cube = scene.pixels
    if not isinstance(cube, np.ndarray):
        return means
    for class_id in np.unique(labels[labels > 0]).tolist():
        pixels = spread_rows(np.flatnonzero(labels == class_id), MOST_PIXELS)
        rows, columns = np.unravel_index(pixels, labels.shape)
        means[class_id] = cube[rows, columns].mean(axis=0, dtype=np.float64).astype(np.float32)
    return means


def with_test_pixels(spectra: MeanSpectra, means: Mapping[int, NDArray[np.float32]]) -> MeanSpectra:
    """Mean spectra with those of test pixels.

    Parameters
    ----------
    spectra : MeanSpectra
        Of a trial.
    means : mapping
        What :func:`means_of_test_pixels` gives of its split.

    Returns
    -------
    MeanSpectra
    """
    held_out = spectra.held_out.copy()
    for row, class_id in enumerate(spectra.ids.tolist()):
        if class_id in means:
            held_out[row] = means[class_id]
    return replace(spectra, held_out=held_out)


def _means(spectra: NDArray[np.float32], y: NDArray[np.int64], ids: NDArray[np.int16]) -> Means:
    """Means of the classes, (k, B); NaN of a class without a spectrum."""
    means = np.full((len(ids), spectra.shape[1]), np.nan, dtype=np.float32)
    for row, class_id in enumerate(ids.tolist()):
        members = spectra[y == class_id]
        if len(members):
            # Samples are finite, and their sum in double precision is too.
            means[row] = members.mean(axis=0, dtype=np.float64)
    return means


PER_CLASS, PATCHES, TILES = 3, 72, 4
"""Patches of a class, patches in all, and tiles, at most."""
SIDE = 64
"""Pixels of the longer side of a thumbnail; of larger ones every second, third … pixel is taken."""
PREFIX = "sheet_"
"""Beginning of the names of its arrays in ``predictions.npz``."""
SPECTRA_PREFIX = "sheet_spectra_"
"""The same of its mean spectra."""
Thumbnails = NDArray[np.uint8]
Ids = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class SampleSheet:
    """Real training samples, generated ones, and the training sample nearest to each of these.

    Attributes
    ----------
    real : (m, T, h, w, 3) uint8
        T dates.
    made, nearest : (n, T, h, w, 3) uint8
        Those of one place belong together, the real ones turned as they come nearest.
    real_ids : Ids
        Class ids, (m,) int16 of patches and (m, h, w) of tiles, 0 = none.
    made_ids, nearest_ids : Ids
        The same.
    colours : () text
        What red, green and blue are.
    spectra : MeanSpectra or None
        Mean spectra of the classes; None for tiles, and in older files.
    """

    real: Thumbnails
    made: Thumbnails
    nearest: Thumbnails
    real_ids: Ids
    made_ids: Ids
    nearest_ids: Ids
    colours: NDArray[np.str_]
    spectra: MeanSpectra | None = None

    @property
    def of_tiles(self) -> bool:
        """Whether they are tiles with a mask, rather than patches of a class."""
        return self.made_ids.ndim > 1

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Its arrays by their names in ``predictions.npz``."""
        arrays = {f"{PREFIX}{name}": getattr(self, name) for name in THUMBNAIL_FIELDS}
        if self.spectra is not None:
            for field in fields(self.spectra):
                arrays[f"{SPECTRA_PREFIX}{field.name}"] = getattr(self.spectra, field.name)
        return arrays


THUMBNAIL_FIELDS = tuple(field.name for field in fields(SampleSheet) if field.name != "spectra")


def read_sheet(data: bytes) -> SampleSheet | None:
    """The sheet in the file of a trial's predictions; None where there is none."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        if f"{PREFIX}made" not in arrays:
            return None
        spectra = None
        if f"{SPECTRA_PREFIX}ids" in arrays:
            names = [field.name for field in fields(MeanSpectra)]
            spectra = MeanSpectra(**{name: arrays[f"{SPECTRA_PREFIX}{name}"] for name in names})
        thumbnails = {name: arrays[f"{PREFIX}{name}"] for name in THUMBNAIL_FIELDS}
        return SampleSheet(**thumbnails, spectra=spectra)


@dataclass(frozen=True, eq=False)
class SheetMaker:
    """What the sheets of a split share: its real training samples, and the stretch and space that
    come of them.
    """

    real: TaskSamples
    known: RealSamples
    colours: FalseColours

    @classmethod
    def of(cls, real: TaskSamples, wavelengths: NDArray[np.float64] | None) -> SheetMaker:
        """wavelengths: (B,) nm or None."""
        x = real.values
        return cls(real, RealSamples.of(x), FalseColours.fit_samples(x, wavelengths))

    def sheet(self, synthetic: TaskSamples, spectra: MeanSpectra | None = None) -> SampleSheet:
        """The sheet of at least one generated sample, with mean spectra of all where there are
        some.
        """
        # Samples are finite, and may be large enough for their squares not to be.
        with np.errstate(over="ignore", invalid="ignore"):
            which, turns = self.known.nearest(synthetic.values)
            nearest = turn_each(self._drawn(self.real.values[which]), turns)
            ids = _ids(self.real)[which]
            some = self.real.take(_spread(self.real))
            return SampleSheet(
                real=_thin(self._drawn(some.values)),
                made=_thin(self._drawn(synthetic.values)),
                nearest=_thin(nearest),
                real_ids=_thin(_ids(some)),
                made_ids=_thin(_ids(synthetic)),
                nearest_ids=_thin(turn_each(ids, turns) if ids.ndim > 1 else ids),
                colours=np.array(self.colours.name),
                spectra=spectra,
            )

    def _drawn(self, x: NDArray[np.float32]) -> Thumbnails:
        """Patches (n, B, p, p) or tiles (n, T, B, H, W) → (n, T, 3, H, W) uint8."""
        by_date = x[:, None] if x.ndim == 4 else x
        return np.moveaxis(self.colours.of_patches(by_date), -1, -3)


def shown_counts(classes: int) -> int:
    """How many patches of each of so many classes a sheet has."""
    return max(1, min(PER_CLASS, PATCHES // max(1, classes)))


def some_samples(samples: TaskSamples) -> TaskSamples:
    """The first of generated samples: of each class, or of all tiles, as many as a sheet shows."""
    if samples.labels.ndim > 1:
        return samples.take(np.arange(min(TILES, len(samples))))
    most = shown_counts(len(np.unique(samples.labels)))
    return samples.take(_first_of_each(samples.labels, most))


def _first_of_each(y: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    rows = [np.flatnonzero(y == c)[:most] for c in np.unique(y)]
    return np.concatenate([np.empty(0, dtype=np.int64), *rows])[:PATCHES]


def _spread(real: TaskSamples) -> NDArray[np.int64]:
    """Rows of real samples, from the first to the last of each class, or of all tiles."""
    if real.labels.ndim > 1:
        return spread_rows(np.arange(len(real)), TILES)
    classes = np.unique(real.labels)
    most = shown_counts(len(classes))
    return np.concatenate([spread_rows(np.flatnonzero(real.labels == c), most) for c in classes])[
        :PATCHES
    ]


def _ids(samples: TaskSamples) -> Ids:
    return samples.labels.astype(np.int16)


def _thin(maps: NDArray[Any]) -> NDArray[Any]:
    """Thumbnails (n, T, 3, h, w) → (n, T, h', w', 3), and masks (n, h, w) → (n, h', w'), thinned
    out; ids (n,) stay.
    """
    if maps.ndim == 1:
        return maps
    step = -(-max(maps.shape[-2:]) // SIDE)
    thin = maps[..., ::step, ::step]
    return np.ascontiguousarray(thin if maps.ndim == 3 else np.moveaxis(thin, 2, 4))
