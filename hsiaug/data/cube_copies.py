"""Cubes that stay on disk: float32 (H, W, B), mapped from the scene's file or from a copy that is made of it once.

Copies lie in the folder ``cubes`` of the cache, each with a note of the files that it was made of and of the checksums
of the scenes that it belongs to. Copies whose files have changed or gone are removed when another one is made; all of
them may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError
from hsiaug.base.files import file_errors, plain_text, replaced
from hsiaug.base.public import array_checksum
from hsiaug.base.temporary_folders import sweep, temporary_folder
from hsiaug.core.scene import scene_checksum
from hsiaug.data.bounds import STRIPE_BYTES, in_bytes
from hsiaug.data.paths import cache_dir
from hsiaug.data.raw import RawArray, let_go, mapped_file

__all__ = ["Recipe", "mapped_cube", "progress_bar", "unpack_raster"]

NAME = re.compile("[0-9a-f]{24}")
"""Name of a copy and of its note."""

Window = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a cube (H, W, B) is made of the values of its files: raw · scale + offset, of the bands that are kept.

    raw: (H, W, N) values, cropped: an array, perhaps mapped, or a Raster. bands: kept of the N, rising; None = all.
    nodata: raw value of pixels without data, which hold 0; perhaps NaN. files: that they come from. origin: what else
    tells these values from others of the files: key, order of the axes, rows and columns that are kept.
    """

    raw: NDArray[Any]
    files: tuple[Path, ...]
    bands: list[int] | None = None
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    origin: tuple[object, ...] = (None, "hwb", None, None)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and bands of the cube."""
        height, width, bands = self.raw.shape
        return height, width, bands if self.bands is None else len(self.bands)

    @property
    def in_parts(self) -> bool:
        """Whether the file can only be read in parts: a Raster."""
        return hasattr(self.raw, "windows")

    @property
    def ready(self) -> bool:
        """Whether the file, mapped, is the cube already."""
        raw = self.raw
        if (
            self.bands is not None
            or self.scale != 1
            or self.offset
            or self.nodata is not None
            or raw.dtype != np.float32
        ):
            return False
        return mapped_file(raw) is not None and raw.flags.c_contiguous and raw.flags.aligned

    def fill(self, cube: NDArray[Any], rows: slice = slice(None), columns: slice = slice(None)) -> None:
        """Write a part of the cube into an array of its shape."""
        raw = self.raw[rows, columns]
        raw = raw if self.bands is None else np.asarray(raw)[:, :, self.bands]
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows float32 is refused by Scene
            np.copyto(cube, raw, casting="unsafe")
            if self.scale != 1:
                cube *= np.float32(self.scale)
            if self.offset:
                cube += np.float32(self.offset)
        if self.nodata is not None:
            cube[(~np.isfinite(cube) | (np.asarray(raw) == self.nodata)).any(axis=2)] = 0

    def windows(self) -> Iterator[Window]:
        """The parts that a file is read in."""
        raw: Any = self.raw
        if self.in_parts:
            yield from raw.windows()
            return
        height, width, bands = raw.shape
        rows = max(1, STRIPE_BYTES // (max(4, raw.dtype.itemsize) * width * bands))
        for top in range(0, height, rows):
            yield slice(top, min(top + rows, height)), slice(0, width)

    def name(self, dtype: np.dtype[Any]) -> str:
        """Name of a copy of that type: it tells the files as they are now, and all that is done to the values."""
        gaps = () if self.nodata is None else (self.nodata,)
        made = (self.origin, self.bands, self.scale, self.offset, dtype.str, *gaps)
        return hashlib.sha256(repr((sorted(_now(self.files).items()), made)).encode()).hexdigest()[:24]


def mapped_cube(
    recipe: Recipe, labels: NDArray[np.int16], progress: bool
) -> tuple[NDArray[np.float32], str | None]:
    """The cube, mapped from disk, and the ``sha256`` of its scene; None where it holds NaN or infinity.

    labels: (H, W) of the scene. progress: show on standard error what takes long.
    Raises SceneError where a copy is needed and cannot be written, and for a file that is damaged.
    """
    cube = recipe.raw if recipe.ready else _copy(recipe, np.dtype(np.float32), progress)
    note = _folder() / f"{recipe.name(np.dtype(np.float32))}.json"
    key = array_checksum(labels, "<i2")
    known = _read(note).get("scenes", {}).get(key)
    if isinstance(known, str):
        return cube, known
    checksum = _look_through(cube, labels, recipe.files[-1].name, progress)
    if checksum is not None:
        _write(note, recipe.files, {**_read(note).get("scenes", {}), key: checksum})
    elif not recipe.ready:  # of no use: whoever repairs the scene changes its file or its card
        note.with_suffix(".npy").unlink(missing_ok=True)
    return cube, checksum


@contextlib.contextmanager
def unpack_raster(raw: RawArray) -> Iterator[RawArray]:
    """The same, where its file can only be read in parts with a mapped copy of its values, of their own type.

    The copy lasts as long as the context, and stays where it came to be the cube of a scene. Raises as above.
    """
    recipe = Recipe(raw.array, raw.files)
    if not recipe.in_parts:
        yield raw
        return
    note = _folder() / f"{recipe.name(raw.array.dtype)}.json"
    try:
        yield replace(raw, array=_copy(recipe, raw.array.dtype, progress=True))
    finally:
        if not _read(note).get("scenes"):
            note.with_suffix(".npy").unlink(missing_ok=True)
            note.unlink(missing_ok=True)


def _look_through(cube: NDArray[np.float32], labels: NDArray[np.int16], name: str, progress: bool) -> str | None:
    """The checksum of the scene; None where a value is not finite."""
    finite = True

    def look(stripe: NDArray[np.float32]) -> None:
        nonlocal finite
        finite = finite and bool(np.isfinite(stripe).all())
        let_go(cube)
        advance(stripe.nbytes)

    with progress_bar(progress, f"checking {name}", cube.nbytes) as advance:
        checksum = scene_checksum(cube, labels, look)
    return checksum if finite else None


def _copy(recipe: Recipe, dtype: np.dtype[Any], progress: bool) -> NDArray[Any]:
    """The cube as a mapped array in the cache, which is written now where there is none."""
    path = _folder() / f"{recipe.name(dtype)}.npy"
    if (there := _open_copy(path, recipe.shape)) is not None:
        return there
    folder, size = path.parent, int(np.prod(recipe.shape, dtype=np.int64)) * dtype.itemsize
    rule = f"{folder} must take a copy of {recipe.files[-1].name}, of {in_bytes(size)}"
    hint = "Free some space there, or name another folder in HSIAUG_CACHE_DIR."
    with file_errors(rule, hint, SceneError):
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        free = shutil.disk_usage(folder).free
        if size > free:
            raise SceneError(rule, value=f"{in_bytes(free)} free", hint=hint)
        _write(path.with_suffix(".json"), recipe.files, {})
        with progress_bar(progress, f"converting {recipe.files[-1].name}", size) as advance:
            _put(path, lambda fresh: _save(fresh, recipe, dtype, advance))
    made = _open_copy(path, recipe.shape)
    assert made is not None
    return made


def _save(path: Path, recipe: Recipe, dtype: np.dtype[Any], advance: Callable[[int], None]) -> None:
    """Write the cube as .npy. Not through mapped memory: a full disk would end the process there, not raise an error."""
    _, width, bands = recipe.shape
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": recipe.shape}
        np.lib.format.write_array_header_2_0(file, header)
        first = file.tell()
        for rows, columns in recipe.windows():
            block = np.empty((rows.stop - rows.start, columns.stop - columns.start, bands), dtype=dtype)
            recipe.fill(block, rows, columns)
            whole = block.shape[1] == width
            for i, part in enumerate([block] if whole else block):
                file.seek(first + ((rows.start + i) * width + columns.start) * bands * dtype.itemsize)
                file.write(part.data)
            let_go(recipe.raw)
            advance(block.nbytes)


def _open_copy(path: Path, shape: tuple[int, int, int]) -> NDArray[Any] | None:
    """A copy; None where there is none."""
    if not path.is_file():
        return None
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return np.asarray(found) if found.shape == shape else None


def _folder() -> Path:
    return cache_dir() / "cubes"


def _now(files: Iterable[Path | str]) -> dict[str, list[int]]:
    """Size in bytes and time of change in ns of each file, by its path."""
    found = {str(Path(path).absolute()): Path(path).stat() for path in files}
    return {path: [stat.st_size, stat.st_mtime_ns] for path, stat in found.items()}


def _read(note: Path) -> dict[str, Any]:
    """A note: ``files`` and ``scenes``. Empty for anything else."""
    try:
        said = json.loads(plain_text(note) or "null")
    except ValueError:
        return {}
    noted = isinstance(said, dict) and isinstance(said.get("files"), dict) and isinstance(said.get("scenes"), dict)
    return said if noted else {}


def _write(note: Path, files: tuple[Path, ...], scenes: Mapping[str, str]) -> None:
    """Write a note: the files in their present state, and checksums of scenes by those of their labels."""
    text = json.dumps({"files": _now(files), "scenes": scenes}, indent=1)
    # Without it, the next process looks through the cube again.
    with contextlib.suppress(OSError):
        _put(note, lambda fresh: fresh.write_text(text, encoding="utf-8"))


def _put(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all; what a killed process leaves of it is swept."""
    with temporary_folder(path.parent, path.stem) as fresh:
        replaced(fresh / path.name, write)
        (fresh / path.name).replace(path)


def _sweep(folder: Path) -> None:
    """Remove copies whose files have changed or gone, and what killed processes left. Only a note tells a copy."""
    sweep(folder)
    for note in [] if folder.is_symlink() else list(folder.glob("*.json")):
        with contextlib.suppress(OSError):
            if NAME.fullmatch(note.stem) and (said := _read(note)) and not _as_noted(said["files"]):
                if not note.with_suffix(".npy").is_symlink():
                    note.with_suffix(".npy").unlink(missing_ok=True)
                note.unlink()


def _as_noted(files: Mapping[str, list[int]]) -> bool:
    try:
        return bool(files) and _now(files) == files
    except OSError:
        return False


@contextlib.contextmanager
def progress_bar(progress: bool, what: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Show progress on standard error: a bar on a terminal, else a line; yields a function of the bytes done."""
    if not progress:
        yield lambda _: None
        return
    from rich.progress import TimeRemainingColumn, TransferSpeedColumn

    from hsiaug.base.terminal import Console, progress_bars

    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"{what} ({in_bytes(size)})", soft_wrap=True)
    with progress_bars(console, TransferSpeedColumn(), TimeRemainingColumn()) as bars:
        task = bars.add_task(what, total=size)
        yield lambda amount: bars.advance(task, amount)
