"""The train view: all that a plugin may see of a scene. No test label can be reached from it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import (
    AnyArray,
    Bools,
    Float32,
    Float64,
    Int32,
    Int64,
    PlacedRows,
    mapped_rows,
)
from hsiaug.base.errors import PluginError
from hsiaug.core.fields import dilate
from hsiaug.core.read_only import SealedView, Seals
from hsiaug.core.samples import PatchSamples
from hsiaug.core.scene import Descriptions, HasCube, Scene, UnlabelledScene, cube_when_asked
from hsiaug.core.spectral_views import RAW_VIEW, SpectralView
from hsiaug.core.view_names import RAW
from hsiaug.data import bounds
from hsiaug.data.bounds import STRIPE_BYTES
from hsiaug.data.windows import WindowCube
from hsiaug.protocol.split import BlindSplit, Split
from hsiaug.registry.card import Scope

BATCH_BYTES, CUT_BYTES = 16 * 2**20, 2**20
"""Patches are predicted in batches of about the first size, and cut in parts of the second: a
processor keeps these at hand.
"""
ROWS = 64
"""Patches of training pixels that are cut at a time."""

Scalar = TypeVar("Scalar", bound=np.generic)


USUAL = 16
"""Exponent of 2 of the largest mean of a band that is neither tiny nor huge."""


@dataclass(frozen=True, eq=False)
class Normaliser:
    """Per-band z-score.

    Attributes
    ----------
    mean, std : (B,) float32
        Of the visible pixels of a train view.

    See Also
    --------
    TrainView : has a normaliser.
    """

    mean: Float32
    std: Float32

    def spectra(self, x: Float32) -> Float32:
        """Spectra with mean 0 and standard deviation 1 per band.

        Parameters
        ----------
        x : (..., B) float32
            In scene units.

        Returns
        -------
        (..., B) float32
        """
        return (x - self.mean) / self.std

    def patches(self, x: Float32) -> Float32:
        """Patches with mean 0 and standard deviation 1 per band.

        Parameters
        ----------
        x : (n, B, p, p) float32
            In scene units.

        Returns
        -------
        (n, B, p, p) float32
        """
        return (x - self.mean[:, None, None]) / self.std[:, None, None]

    def patches_back(self, x: Float32) -> Float32:
        """Normalised patches, back in scene units.

        Parameters
        ----------
        x : (n, B, p, p) float32
            As :meth:`patches` returns them.

        Returns
        -------
        (n, B, p, p) float32
            In scene units.
        """
        return x * self.std[:, None, None] + self.mean[:, None, None]


def visible_cube(cube: Float32, visible: Bools | None, spectra: SpectralView = RAW_VIEW) -> Float32:
    """The visible pixels of a cube in a spectral transform, and NaN elsewhere.

    Parameters
    ----------
    cube : (H, W, B) float32
        In the scene's units.
    visible : (H, W) bool or None
        None: all pixels.
    spectra : SpectralView
        The transform.

    Returns
    -------
    (H, W, B') float32
        An array up to 256 MiB; else what reads the cube where it is indexed, and by which nothing
        that is hidden can be reached.
    """
    if visible is None and cube.nbytes <= bounds.IN_MEMORY:
        return spectra(cube, axis=2)
    shape = (*cube.shape[:2], spectra.bands(cube.shape[2]))

    def window(rows: slice, columns: slice) -> Float32:
        if visible is None or (shown := visible[rows, columns]).all():
            return spectra(cube[rows, columns], axis=2)
        pixels = np.full((*shown.shape, shape[2]), np.nan, dtype=np.float32)
        if shown.any():
            pixels[shown] = spectra(cube[rows, columns][shown], axis=1)
        return pixels

    windows = WindowCube(shape, window)
    if windows.nbytes <= bounds.IN_MEMORY:
        return np.asarray(windows)
    return cast(Float32, windows)


@cube_when_asked
@dataclass(frozen=True, eq=False)
class TrainView(SealedView, HasCube):
    """The labelled training pixels, and the unlabelled pixels within the scope of a plugin.

    Arrays are read-only: compute on copies. A trial fails if its plugin changes one.

    Attributes
    ----------
    cube : (H, W, B) float32
        The scene in ``units``, NaN at every pixel that is not visible.
    visible : (H, W) bool
        Pixels of training patches are always visible (under a leaky protocol some of these are test
        pixels; the audit counts them). Scope ``none`` adds no other pixel, ``scene`` adds all
        (transductive: spectra of test pixels, never their labels), except those that the protocol
        hides.
    coords : (n, 2) int32
        Rows and columns of the training pixels.
    y : (n,) int64
        Their class ids; all 0 (no label) for classifiers that learn from synthetic samples alone.
    unlabelled : (m, 2) int32
        Pixels without a training label whose whole patch is visible; empty for scope ``none``.
    class_names : tuple of str
        C names; id c is ``class_names[c - 1]``. A class may have no training pixel.
    wavelengths : (B,) float64 or None
        Band centres in nanometres, or None if unknown.
    gsd : float or None
        Ground sampling distance in metres per pixel, or None.
    units : str
        Units of the cube.
    patch : int
        Odd side p of the patches, in pixels.
    scope : {"none", "scene"}
        Which pixels without a training label the card of the plugin asks for: none, or all of the
        scene.
    descriptions : mapping of str to tuple of str
        Sentences that describe the classes, by class name; a class may have none.
    sizes : tuple of (int, int)
        If y has no label, class ids and their numbers of training pixels.

    See Also
    --------
    DenseView : the same for tiles with masks.
    """

    cube: Float32
    visible: Bools
    coords: Int32
    y: Int64
    unlabelled: Int32
    class_names: tuple[str, ...]
    wavelengths: Float64 | None
    gsd: float | None
    units: str
    patch: int
    scope: Scope
    descriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: tuple[tuple[int, int], ...] = ()
    _seals: Seals = field(default_factory=Seals, init=False, repr=False)

    @property
    def counts(self) -> Mapping[int, int]:
        """Training pixels by class id, for classes that have any."""
        ids, counts = np.unique(self.y, return_counts=True)
        return dict(self.sizes or zip(ids.tolist(), counts.tolist(), strict=True))

    def nameless(self) -> "TrainView":
        """The same without the label of any pixel.

        Only the number of training pixels of each class remains.
        """
        return replace(
            self, cube=self.pixels, y=np.zeros_like(self.y), sizes=tuple(self.counts.items())
        )

    def patches(self, coords: AnyArray) -> Float32:
        """Patches around visible pixels, mirrored at the edges of the scene.

        Parameters
        ----------
        coords : (n, 2) integers
            Rows and columns of the centres.

        Returns
        -------
        (n, B, p, p) float32
            In the units of the scene.

        Raises
        ------
        PluginError
            If a patch contains a pixel that is not visible.
        """
        x = patches_at(self.pixels, coords, self.patch)
        if np.isnan(x).any():
            raise PluginError(
                (
                    f"a plugin of scope '{self.scope}' may only cut patches whose pixels are all"
                    " visible"
                ),
                value="a patch with hidden pixels",
                hint=(
                    "Take centres from TrainView.coords or TrainView.unlabelled, or declare a wider"
                    " scope."
                ),
            )
        return x

    @cached_property
    def real(self) -> PatchSamples:
        """The labelled training patches."""
        n = len(self.y)

        def blocks() -> Iterator[PlacedRows]:
            for start in range(0, n, ROWS):
                some = np.arange(start, min(start + ROWS, n))
                yield some, self.patches(self.coords[some])

        x = mapped_rows((n, self.bands, self.patch, self.patch), blocks)
        return PatchSamples(
            x=self._seals.add("real.x", x),
            coords=self.coords,
            y=self.y,
            synthetic=self._seals.add("real.synthetic", np.zeros(n, dtype=bool)),
            weight=self._seals.add("real.weight", np.ones(n, dtype=np.float32)),
            # Immutable, as every trial without a generator shares it.
            provenance=Descriptions({}),
        )

    @cached_property
    def normaliser(self) -> Normaliser:
        """Per-band mean and standard deviation of the visible pixels; a constant band is divided by
        about the largest.
        """
        mean, std = _moments(self.pixels, self.visible)
        unit = usual_size(mean, std)
        std[std < 1e-12 * unit] = unit
        return Normaliser(
            self._seals.add("normaliser.mean", mean.astype(np.float32)),
            self._seals.add("normaliser.std", std.astype(np.float32)),
        )


def usual_size(*values: Float64) -> float:
    """A power of two near the largest magnitude of values; 1 where that is neither tiny nor
    huge.
    """
    exponent = int(np.frexp(max(float(np.abs(array).max(initial=0.0)) for array in values))[1])
    return 1.0 if abs(exponent) <= USUAL else float(np.ldexp(1.0, exponent))


def _moments(cube: Float32, visible: Bools) -> tuple[Float64, Float64]:
    """(B,) mean and standard deviation of the visible pixels of a cube (H, W, B), read twice in
    parts.

    NumPy adds the pixels of a band one after the other, and so do parts that each begin with the
    sum so far: the result is, to the bit, that of all pixels at once.
    """

    def total(value: Callable[[Float64], Float64]) -> Float64:
        so_far: Float64 | None = None
        for spectra in _spectra(cube, visible, STRIPE_BYTES // 8):
            stripe = value(spectra.astype(np.float64))
            so_far = (
                stripe.sum(axis=0)
                if so_far is None
                else np.concatenate([so_far[None], stripe]).sum(axis=0)
            )
        assert so_far is not None
        return so_far

    count = np.count_nonzero(visible)
    mean = total(lambda spectra: spectra) / count
    return mean, np.sqrt(total(lambda spectra: (spectra - mean) ** 2) / count)


def _spectra(cube: Float32, visible: Bools, values: int) -> Iterator[Float32]:
    """The visible pixels (n, B) of a cube, about so many values at a time."""
    rows, columns = np.nonzero(visible)
    step = max(1, values // cube.shape[2])
    return (
        cube[rows[top : top + step], columns[top : top + step]] for top in range(0, len(rows), step)
    )


def patches_at(cube: NDArray[Scalar], coords: AnyArray, patch: int) -> NDArray[Scalar]:
    """Cut patches out of a cube, mirrored at its edges.

    It reads the pixels of the patches only, so the cube may be larger than memory.

    Parameters
    ----------
    cube : (H, W, B) array
        Of any dtype.
    coords : (n, 2) integers
        Rows and columns of the centres.
    patch : int
        Odd side p in pixels.

    Returns
    -------
    (n, B, p, p) array
        Of the dtype of the cube.

    See Also
    --------
    TrainView.patches : the same for visible pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import patches_at
    >>> patches_at(np.zeros((10, 12, 20)), np.array([[0, 0], [5, 5]]), 9).shape
    (2, 20, 9, 9)
    """
    radius = patch // 2
    steps = np.arange(patch)
    down, across = (
        np.pad(np.arange(length), radius, mode="reflect") if radius else np.arange(length)
        for length in cube.shape[:2]
    )
    rows, columns = (np.asarray(coords)[:, axis, None] + steps for axis in (0, 1))
    out = np.empty((len(coords), cube.shape[2], patch, patch), dtype=cube.dtype)
    step = max(1, CUT_BYTES // max(1, out[:1].nbytes))
    for start in range(0, len(out), step):
        batch = slice(start, start + step)
        values = cube[down[rows[batch]][:, :, None], across[columns[batch]][:, None, :]]
        out[batch] = values.transpose(0, 3, 1, 2)
    return out


def train_view(
    scene: Scene | UnlabelledScene, split: Split | BlindSplit, scope: Scope
) -> TrainView:
    """The view of a scene under a split for a plugin of the given scope.

    Everything is copied, so that neither the scene nor the split can be reached from the view.
    """
    visible = dilate(split.train, split.patch // 2)
    if scope == "scene":
        visible[:] = True
    if split.hidden is not None:
        visible &= ~split.hidden
    coords = np.argwhere(split.train).astype(np.int32)
    whole = False if scope == "none" else ~dilate(~visible, split.patch // 2)
    return TrainView(
        cube=visible_cube(scene.pixels, visible),
        visible=visible,
        coords=coords,
        y=split.train_labels,
        unlabelled=np.argwhere(whole & ~split.train).astype(np.int32),
        class_names=scene.class_names,
        wavelengths=None if scene.wavelengths is None else scene.wavelengths.copy(),
        gsd=scene.gsd,
        units=scene.units,
        patch=split.patch,
        scope=scope,
        descriptions=Descriptions(scene.descriptions),
    )


def view_without_labels(view: TrainView) -> TrainView:
    """The same pixels without any label, and without a hint at which pixels have one."""
    # Where samples stand apart, a patch round a pixel between them is none: only centres that the
    # view knows are listed.
    pixels = np.concatenate([view.coords, view.unlabelled]).astype(np.int64)
    return replace(
        view,
        cube=view.pixels,
        coords=np.empty((0, 2), dtype=np.int32),
        y=np.empty(0, dtype=np.int64),
        unlabelled=pixels[np.lexsort((pixels[:, 1], pixels[:, 0]))].astype(np.int32),
        class_names=(),
        descriptions=Descriptions({}),
    )


def checksum_of_pixels(view: TrainView) -> str:
    """SHA-256 of the visible pixels of a view.

    Parameters
    ----------
    view : TrainView
        Positions and spectra of its pixels, wavelengths, size and units count.

    Returns
    -------
    str
        64 hexadecimal digits.

    See Also
    --------
    TrainView : the view.
    """
    digest = hashlib.sha256(np.packbits(view.visible).tobytes())
    digest.update(
        repr((view.visible.shape, view.gsd, view.units, view.wavelengths is None)).encode()
    )
    digest.update(b"" if view.wavelengths is None else view.wavelengths.tobytes())
    for spectra in _spectra(view.pixels, view.visible, STRIPE_BYTES // 4):
        digest.update(np.ascontiguousarray(spectra).data)
    return digest.hexdigest()


def train_view_seen(view: TrainView, spectra: SpectralView) -> TrainView:
    """Apply a spectral transform to a train view.

    Parameters
    ----------
    view : TrainView
        With raw spectra.
    spectra : SpectralView
        The transform.

    Returns
    -------
    TrainView
        With B' bands in the cube, and so in patches, samples and normaliser.

    See Also
    --------
    choose_view : chooses a transform.
    """
    if spectra.name == RAW:
        return view
    cube = visible_cube(view.pixels, view.visible, spectra)
    return replace(view, cube=cube, wavelengths=spectra.shown_wavelengths)
