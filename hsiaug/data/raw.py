"""Arrays as files hold them, their conversion to a cube, and the error of every reader for a damaged file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError
from hsiaug.data.bounds import STRIPE_BYTES, empty_cube
from hsiaug.data.paths import check_filled

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
    height, width, count = raw.shape
    shape = (height, width, count if bands is None else len(bands))
    cube = empty_cube(shape, f"{where}: the cube")
    rows = max(1, STRIPE_BYTES // max(1, max(4, raw.dtype.itemsize) * width * count))
    for top in range(0, height, rows):
        part = np.asarray(raw[top : top + rows])
        part = part if bands is None else part[:, :, bands]
        made = cube[top : top + rows]
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows float32 is refused by Scene
            np.copyto(made, part, casting="unsafe")
            if scale not in (None, 1):
                made *= np.float32(scale)
            if offset:
                made += np.float32(offset)
        if nodata is not None:
            made[(~np.isfinite(made) | (part == nodata)).any(axis=2)] = 0
    return cube


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
