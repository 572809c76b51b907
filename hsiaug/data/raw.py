"""Arrays as files hold them, their conversion to a cube, and the error of every reader for a
damaged file.
"""

import errno
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools, Float32, Float64
from hsiaug.base.errors import SceneError, blame_shortage, did_you_mean
from hsiaug.base.text import setting, some_of
from hsiaug.core.scene import row_parts
from hsiaug.data.bounds import empty_cube
from hsiaug.data.paths import check_filled

REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE, errno.ENXIO})
"""Numbers of errors that say nothing of what a file holds."""
PerBand = float | tuple[float, ...]
"""One number for all bands, or one for each."""
MAX_MESSAGE_CHARACTERS = 200
"""Characters of a library's own message that are passed on."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BandFacts:
    """What a file says of its N bands.

    Attributes
    ----------
    wavelengths : (N,) float64 or None
        Band centres in nanometres, NaN where one is not known.
    widths : (N,) float64 or None
        Widths of the bands at half their maximum, in nanometres, NaN where one is not known.
    scale, offset : float, or one for each of the N bands
        A value is stored number · scale + offset. None: the file names no scale.
    nodata : float, one for each of the N bands, or None
        Stored number of pixels without data, perhaps NaN, which is that of bands without one.
    bad_bands : bands that the file calls bad, counted from 0
    units : unit of the values, where the file names one
    notes : what was guessed or is not used, as sentences
    """

    wavelengths: Float64 | None = None
    widths: Float64 | None = None
    scale: PerBand | None = None
    offset: PerBand = 0.0
    nodata: PerBand | None = None
    bad_bands: tuple[int, ...] = ()
    units: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RawArray(BandFacts):
    """An array as its file holds it, possibly memory-mapped, with what the file says of it.

    Attributes
    ----------
    array : (H, W, N), or (H, W) of labels
    valid : (H, W) bool or None
        Pixels with data by a mask or an alpha band; None where the file has neither.
    band : of one band, its number in the file from 1 on
    """

    array: AnyArray
    valid: Bools | None = None
    band: int = 1

    def completed(self, facts: BandFacts) -> Self:
        """The same with what another source says of the bands, where the file itself says nothing;
        scale and offset go together.
        """
        scaled = (self.scale, self.offset) != (None, 0.0)
        return replace(
            self,
            wavelengths=facts.wavelengths if self.wavelengths is None else self.wavelengths,
            widths=facts.widths if self.widths is None else self.widths,
            scale=self.scale if scaled else facts.scale,
            offset=self.offset if scaled else facts.offset,
            nodata=facts.nodata if self.nodata is None and self.valid is None else self.nodata,
            bad_bands=self.bad_bands or facts.bad_bands,
            units=self.units or facts.units,
            notes=(*self.notes, *facts.notes),
        )

    def void(self, axes: str = "hwb") -> Bools | None:
        """(H, W) pixels that the file masks, as of the array whose axes are put in this order;
        None: there are none.
        """
        if self.valid is None or self.valid.all():
            return None
        cells = np.broadcast_to(~self.valid[:, :, None], self.array.shape)
        return np.asarray(np.transpose(cells, [axes.index(axis) for axis in "hwb"])[:, :, 0])


@dataclass(frozen=True)
class Conversion:
    """What makes a cube of stored numbers: number · scale + offset.

    Attributes
    ----------
    bands : sequence of int or None
        Kept of those stored, rising; None = all.
    scale, offset : PerBand or None
        Of all bands, or one for each that is stored.
    nodata : PerBand or None
        Stored number of pixels without data (perhaps NaN), which then hold 0 in every band, as
        those with NaN or infinity do; None = there are none. Where it is 0 for all bands, a pixel
        has no data if all its bands hold it.
    """

    bands: Sequence[int] | None = None
    scale: PerBand | None = None
    offset: PerBand = 0.0
    nodata: PerBand | None = None

    def __call__(self, stored: AnyArray, out: Float32 | None = None) -> Float32:
        """Stored (h, w, N) as (h, w, B) float32.

        Parameters
        ----------
        out : (h, w, B) float32 or None
            Array that the values are written to; None = a new one.
        """
        stored = stored if self.bands is None else stored[:, :, self.bands]
        if out is None:
            if stored.dtype == np.float32 and self == Conversion(self.bands):
                return stored
            out = np.empty(stored.shape, np.float32)
        scale = self._of_kept(1.0 if self.scale is None else self.scale)
        offset = self._of_kept(self.offset)
        # What overflows float32 is refused by Scene.
        with np.errstate(over="ignore", invalid="ignore"):
            if offset.any() and not np.can_cast(stored.dtype, np.float32, "safe"):
                np.copyto(out, stored * scale + offset, casting="unsafe")
            else:
                np.copyto(out, stored, casting="unsafe")
                # Without need, -0.0 would become 0.0.
                if (scale != 1).any():
                    out *= scale.astype(np.float32)
                if offset.any():
                    out += offset.astype(np.float32)
        if self.nodata is not None:
            # Whole numbers are finite.
            floats = stored.dtype.kind == "f"
            invalid = ~np.isfinite(out).all(axis=2) if floats else np.zeros(out.shape[:2], bool)
            if self.nodata:
                invalid |= (stored == self._of_kept(self.nodata)).any(axis=2)
            elif offset.any():
                invalid |= ~stored.any(axis=2)
            out[invalid] = 0
        return out

    def _of_kept(self, values: PerBand) -> Float64:
        """One value, or one for each band that is kept."""
        listed = np.array(values, dtype=np.float64)
        return listed if self.bands is None or not listed.ndim else listed[list(self.bands)]

    def shape(self, raw: AnyArray) -> tuple[int, int, int]:
        """(H, W, B) of the cube that is made of raw (H, W, N)."""
        return (*raw.shape[:2], raw.shape[2] if self.bands is None else len(self.bands))


def one_or_all(values: Sequence[float]) -> PerBand:
    """One number where those of all bands are the same."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def number_of_each(numbers: Sequence[float | None]) -> PerBand | None:
    """The number of pixels without data of all bands where they share it, else that of each band,
    NaN where it has none; None where no band has one.
    """
    if all(number is None for number in numbers):
        return None
    if len(set(map(str, numbers))) == 1:
        return float(numbers[0] or 0.0)
    return tuple(np.nan if number is None else float(number) for number in numbers)


def convert_cube(raw: AnyArray, where: str, change: Conversion) -> Float32:
    """raw (H, W, N), possibly mapped, as (H, W, B) float32, in stripes of rows: no second full-size
    array is in memory.

    Raises SceneError, naming ``where``, for a cube that there is no room for.
    """
    cube = empty_cube(change.shape(raw), f"{where}: the cube")
    for rows, values in stripes(raw):
        change(values, cube[rows])
    return cube


def scattered(cube: AnyArray) -> bool:
    """Whether each row of (H, W, B) lies all over its file, as after MATLAB."""
    return cube.strides[0] < min(cube.strides[1:])


def stripes(cube: AnyArray) -> Iterator[tuple[slice, AnyArray]]:
    """Rows of (H, W, B), possibly mapped, and their values (rows, W, B), so that a cube larger than
    memory can be processed.
    """
    if scattered(cube) and next(row_parts(cube.shape)).stop < len(cube):
        order = np.argsort(cube.strides)[::-1]
        stored = cube.transpose(order)
        copied = empty_cube(stored.shape, "a copy of the cube", cube.dtype)
        for rows, values in stripes(stored):
            copied[rows] = values
        cube = copied.transpose(np.argsort(order))
    for rows in row_parts(cube.shape):
        yield rows, still_whole(cube[rows])


def in_memory(array: AnyArray) -> AnyArray:
    """The values of an array, or of a part of a mapped one, which is copied.

    Raises SceneError for a file that another program has cut since it was mapped.
    """
    return np.asarray(array) if mapping_of(array) is None else np.array(still_whole(array))


def still_whole(array: AnyArray) -> AnyArray:
    """An array, or a part of a mapped one whose file is as long as when it was mapped.

    A mapped page that another program cuts off ends the process (SIGBUS), and to read the file
    instead takes about 1.6 times as long: so its length is looked at before each part is used.
    Raises SceneError for a file that is too short now.
    """
    mapped = mapping_of(array)
    if mapped is not None:
        path = Path(str(mapped.filename))
        with reading(path, "array"):
            if path.stat().st_size < mapped.offset + mapped.nbytes:
                raise ValueError("it was cut short while it was read")
    return np.asarray(array)


def mapping_of(array: AnyArray) -> Any:
    """The map of a named file that an array is a part of; None where it is none."""
    mapped: Any = array
    while isinstance(mapped, np.ndarray) and not isinstance(mapped, np.memmap):
        mapped = mapped.base
    return mapped if isinstance(mapped, np.memmap) and mapped.filename is not None else None


def only(path: Path, names: Sequence[str], key: str | None, what: str, hint: str = "") -> str:
    """The one of some names that a key gives, or the only one there is.

    Parameters
    ----------
    what : str
        What is chosen, as "layer".
    hint : str
        What to do where there are several; "" = name one.

    Raises
    ------
    SceneError
        For another key, and without a key unless there is one name.
    """
    if key is None and len(names) != 1:
        raise SceneError(
            f"{path} must hold one {what}, unless you name one",
            value=f"{len(names)}: {some_of(names, 8) or 'none'}",
            hint=hint or f"Name one: {setting('labels_key', names[0] if names else 'NAME')}.",
        )
    if key is not None and key not in names:
        hint = did_you_mean(key, names)
        raise SceneError(f"{path}: `labels_key` must name a {what}", value=repr(key), hint=hint)
    return names[0] if key is None else key


def _something_else(path: Path) -> SceneError | None:
    """The error for a pointer of Git LFS or a web page under the name of another file; None for
    what is neither.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64).lstrip().lower()
    except OSError:
        return None
    if start.startswith(b"version https://git-lfs"):
        return SceneError(
            f"{path} must be the file itself",
            value="a pointer of Git LFS",
            hint=f"Fetch the file itself, in its repository: git lfs pull --include={path.name}.",
        )
    if start.startswith((b"<!doctype html", b"<html")):
        return SceneError(
            f"{path} must be the file itself",
            value="a web page",
            hint="Download it again in a browser: the address gave a page, perhaps one to sign in.",
        )
    return None


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Raise SceneError where the file, a ``kind`` of which is read within, is damaged: parsers
    raise anything then.

    Where the machine is short of memory or open files, or the system refuses to read, the error
    says that.
    """
    check_filled(path)
    try:
        with warnings.catch_warnings():
            # Of the library that reads: where warnings are errors, no file is damaged by one.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            yield
    except SceneError:
        raise
    except Exception as cause:
        blame_shortage(cause, SceneError, str(path))
        if isinstance(cause, OSError) and cause.errno in REFUSED:
            raise SceneError(
                f"{path} must be a file that can be read",
                value=cause.strerror,
                hint="Look at its permissions and the disk; the file may well be sound.",
            ) from cause
        if better := _something_else(path):
            raise better from cause
        text = str(cause).strip()[:MAX_MESSAGE_CHARACTERS].splitlines()
        raise SceneError(
            f"{path} must be a whole {kind} file",
            value=f"{type(cause).__name__}: {text[0] if text else 'no details'}",
            hint="It is damaged, cut short or of another format: copy or export it again.",
        ) from cause
