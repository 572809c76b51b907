"""Arrays as files hold them, their conversion to a cube, and the error of every reader for a damaged file."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError
from hsiaug.base.files import open_plain
from hsiaug.data.bounds import empty_cube
from hsiaug.data.paths import check_filled

STRIPE = 2**22
"""Values of a stripe of rows."""
LONGEST = 200
"""Characters of a library's own message that are passed on."""


@dataclass(frozen=True)
class RawArray:
    """An array as its file holds it, perhaps memory-mapped, and what an ENVI header says of it.

    wavelengths: (bands,) float64 in nanometres; scale: what raw values are multiplied with.
    """

    array: AnyArray
    wavelengths: NDArray[np.float64] | None = None
    scale: float | None = None


def convert_cube(
    raw: AnyArray,
    where: str,
    *,
    bands: Sequence[int] | None = None,
    scale: float | None = None,
    offset: float = 0.0,
    nodata: float | None = None,
) -> NDArray[np.float32]:
    """raw · scale + offset as (H, W, B) float32, in stripes of rows, so that no second full-size array exists.

    raw: (H, W, N), perhaps mapped. bands: kept of the N, rising; None = all. nodata: raw value of pixels without data
    (perhaps NaN), which then hold 0 in every band, as those with NaN or infinity do; None = there are none.
    Raises SceneError, naming ``where``, for a cube that there is no room for.
    """
    cube = empty_cube((*raw.shape[:2], raw.shape[2] if bands is None else len(bands)), f"{where}: the cube")
    for rows, part in stripes(raw):
        part = part if bands is None else part[:, :, bands]
        made = cube[rows]
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows float32 is refused by Scene
            np.copyto(made, part, casting="unsafe")
            if scale not in (None, 1):
                made *= np.float32(scale)
            if offset:
                made += np.float32(offset)
        if nodata is not None:
            made[(~np.isfinite(made) | (part == nodata)).any(axis=2)] = 0
    return cube


def stripes(cube: AnyArray) -> Iterator[tuple[slice, AnyArray]]:
    """Rows of (H, W, B), perhaps mapped, and their values (rows, W, B): a cube larger than memory can be gone through."""
    step = max(1, STRIPE // max(1, math.prod(cube.shape[1:])))
    if cube.strides[0] < min(cube.strides[1:]) and step < len(cube):
        # Each stripe lies all over the file, as after MATLAB.
        order = np.argsort(cube.strides)[::-1]
        stored = cube.transpose(order)
        made = empty_cube(stored.shape, "a copy of the cube", cube.dtype)
        for rows, part in stripes(stored):
            made[rows] = part
        cube = made.transpose(np.argsort(order))
    for top in range(0, len(cube), step):
        rows = slice(top, top + step)
        yield rows, in_memory(cube[rows])


def in_memory(part: AnyArray) -> AnyArray:
    """The values of an array, or of a part of a mapped one: these are read from its file.

    A mapped page that another program cut off would end the process. Raises SceneError for a file that is too short now.
    """
    mapped: Any = part
    while isinstance(mapped, np.ndarray) and not isinstance(mapped, np.memmap):
        mapped = mapped.base
    if not isinstance(mapped, np.memmap) or mapped.filename is None or not part.size:
        return np.asarray(part)
    path = Path(str(mapped.filename))
    with reading(path, "array"), open_plain(path) as file:
        return _read_part(file, mapped.offset - mapped.ctypes.data, part)


def _read_part(file: BinaryIO, shift: int, part: AnyArray) -> AnyArray:
    """shift: from the address of a value to its place in the file."""
    size = part.itemsize + sum((length - 1) * stride for length, stride in zip(part.shape, part.strides, strict=True))
    if size > 2 * part.nbytes:
        outer = int(np.argmax(part.strides))
        return np.stack([_read_part(file, shift, one) for one in np.moveaxis(part, outer, 0)], axis=outer)
    file.seek(part.ctypes.data + shift)
    if len(data := file.read(size)) < size:
        raise ValueError("it was cut short while it was read")
    return np.ndarray(part.shape, part.dtype, data, strides=part.strides)


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Raise SceneError where the file, a ``kind`` of which is read within, is damaged: parsers raise anything then."""
    check_filled(path)
    try:
        yield
    except SceneError:
        raise
    except Exception as cause:
        text = str(cause).strip()[:LONGEST].splitlines()
        raise SceneError(
            f"{path} must be a whole {kind} file",
            value=f"{type(cause).__name__}: {text[0] if text else 'no details'}",
            hint="It is damaged, cut short or of another format: copy or export it again.",
        ) from cause
