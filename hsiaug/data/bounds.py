"""How much a file may ask for, decided from the sizes it states before any memory is taken."""

import math
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import HsiaugError, SceneError
from hsiaug.base.files import file_errors

STRIPE_BYTES = 64 * 2**20
"""Pixels are gone through in parts of about this size."""

UNPACKED = 2**28
"""Bytes (256 MiB) that an array may take however small its file is."""

RATIO = 100
"""A larger array takes at most this many times the bytes its file stores: real cubes shrink 2 to 20
times when packed, a packed run of zeros a thousand times.
"""

IN_MEMORY = 2**28
"""Bytes of a cube that is held in memory, at most."""

MOST_CODES = 256
"""Labels with more codes than this are hardly classes."""

MOST_CELLS = 2**26
"""Cells of a label raster: 8192 × 8192."""


def check_array(
    path: Path, shape: tuple[int, ...], itemsize: int, *, labels: bool, stored: int | None = None
) -> None:
    """Raise SceneError for an array that is not to be read: too large for its file, for labels, or
    for this machine.

    Parameters
    ----------
    itemsize : int
        Bytes of one value.
    stored : int or None
        Bytes that the file spends on it, None = all of the file.
    """
    cells = math.prod(shape)
    extent = "×".join(map(str, shape))
    if labels and cells > MOST_CELLS:
        raise SceneError(
            f"{path}: a label raster may have at most {MOST_CELLS:,} cells",
            value=extent,
            hint="Name the raster of the classes, and crop it to the extent of the cube.",
        )
    needed = cells * itemsize
    stored = path.stat().st_size if stored is None else stored
    if needed > max(UNPACKED, RATIO * stored):
        raise SceneError(
            f"{path} must store what it announces",
            value=f"an array of {extent} ({in_bytes(needed)}) in {in_bytes(stored)}",
            hint="It is damaged, or holds next to nothing: export it again, without compression.",
        )
    check_memory(f"{path}, an array of {extent},", needed)


def check_memory(
    what: str,
    needed: int,
    *,
    hint: str = "Crop the scene, keep fewer bands, or use a machine with more memory.",
    error: type[HsiaugError] = SceneError,
) -> None:
    """Raise an error if something does not fit into the free memory of the machine or of this
    process.

    Parameters
    ----------
    what : str
        What needs memory, as a noun.
    needed : int
        Bytes.
    hint : str
        What the user can do.
    error : type
        Class of the error; ``PluginError`` in a plugin.

    Raises
    ------
    error
        With both sizes.

    See Also
    --------
    mapped_rows : a large array in a file instead of memory.

    Examples
    --------
    >>> from hsiaug.api import check_memory
    >>> check_memory("the graph", 8 * 100 * 100)
    """
    known = [size for size in (free_memory(), _memory_left()) if size is not None]
    if known and needed > min(known):
        raise error(
            f"{what} must fit into memory",
            value=f"{in_bytes(needed)} needed, {in_bytes(min(known))} free",
            hint=hint,
        )


def empty_cube(
    shape: tuple[int, ...], what: str = "the cube", dtype: DTypeLike = np.float32
) -> AnyArray:
    """A cube to be filled: in memory up to 256 MiB, else in an unnamed temporary file that the
    system pages in.

    Raises SceneError, naming ``what``, where the folder of temporary files has no room for it.
    """
    needed = np.dtype(dtype).itemsize * math.prod(shape)
    folder = tempfile.gettempdir()
    if needed <= IN_MEMORY:
        return np.empty(shape, dtype)
    free = shutil.disk_usage(folder).free
    rule = f"{what} must fit into the folder of temporary files, {folder}"
    hint = "Let TMPDIR name a folder with more room, crop the scene, or keep fewer bands."
    if needed > free:
        raise SceneError(rule, value=f"{in_bytes(needed)} needed, {in_bytes(free)} free", hint=hint)
    with file_errors(rule, hint, SceneError), tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):
            # To write into a mapped page that the disk has no room for would end the process.
            os.posix_fallocate(file.fileno(), 0, needed)
        else:
            file.truncate(needed)
        return np.asarray(np.memmap(file, dtype, "r+", shape=shape))


def in_bytes(size: int | None) -> str:
    """Return a size as text for people: "12.0 kB", "3.2 GB", or "size unknown"."""
    from rich.filesize import decimal  # rich is loaded late

    return "size unknown" if size is None else decimal(size)


def _memory_left() -> int | None:
    """Bytes of addresses that this process may still take (ulimit -v); None = any number."""
    try:
        import resource  # not on Windows

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit == resource.RLIM_INFINITY:
            return None
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return max(0, limit - pages * os.sysconf("SC_PAGE_SIZE"))
    except (ImportError, OSError, ValueError):
        return None


def free_memory() -> int | None:
    """Bytes of this machine's memory that are free; None where the system does not say."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as file:
            return next(
                int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable")
            )
    except (OSError, StopIteration):
        return physical_memory()


def physical_memory() -> int | None:
    """Bytes of this machine's memory, free or not; None where the system does not tell, as
    Windows.
    """
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
