"""What the image files of places hold, in short: checksums, and keys that tell places of training
that show ground of a place of test.

They are kept in the user's cache, by size and date of the files: a set may have tens of thousands.
"""

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.files import replaced

FORMAT = 1
"""Raised when the same file gives another entry."""
LARGEST_SMALL = 2**26
"""Bytes (64 MiB) of a file that is read at once, at most."""

FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
MIX = np.uint64(0xD6E8FEB86659FD93)
"""Odd constants of xxHash and of SplitMix64, which spread bits over a word of 64."""

Quarters = tuple[int, ...]
"""A key for each quarter of a place: so places that overlap by half are known too."""


def _cache_of(folder: Path) -> Path:
    """Where what is known of a folder, which may have come from anyone, is kept: in
    $HSIAUG_CACHE_DIR if set, else in the user's folder of the system for such files, which may be
    deleted at any time. The name is a digest of path and inode: another folder put into its place
    has a cache of its own.
    """
    import platformdirs  # takes a while

    chosen = os.environ.get("HSIAUG_CACHE_DIR")
    root = Path(chosen or platformdirs.user_cache_dir("hsiaug", appauthor=False)).absolute()
    path = folder.resolve()
    inode = path.stat().st_ino if path.exists() else 0
    identity = os.fsencode(path) + b"\0%d" % inode
    return root / "folders" / hashlib.sha256(identity).hexdigest()[:24]


@dataclass(frozen=True)
class PlaceContent:
    """Of the image files of one place.

    Attributes
    ----------
    sha256 : str
        Checksum of all that they hold, file by file.
    keys : Quarters
        Of the first date, by :func:`quarter_keys`.
    """

    sha256: str
    keys: Quarters


def place_contents(
    folder: Path,
    reading: str,
    places: Iterable[str],
    files: Callable[[str], Sequence[Path]],
    image: Callable[[str, Mapping[Path, bytes]], NDArray[np.float32]],
) -> dict[str, PlaceContent]:
    """The contents of the image files of places, by name.

    Parameters
    ----------
    folder : Path
        Of the set.
    reading : str
        How its card says that images are read: another card has a cache of its own.
    places : iterable of str
        Names.
    files : callable
        The image files of a place.
    image : callable
        (B, H, W) of the first date of a place, of the bands that are compared. It is given what
        the small ones of the place's files hold, so that each file is read once.
    """
    reading_key = hashlib.sha256(f"{FORMAT} {reading}".encode()).hexdigest()[:16]
    path = _cache_of(folder) / f"places-{reading_key}.json"
    cached = _read_cache(path)
    entries: dict[str, list[Any]] = {}
    for name in places:
        paths = files(name)
        stamp = " ".join(map(_stamp, paths))
        entry = cached.get(name)
        if entry is None or entry[0] != stamp:
            small = {path: data for path in paths if (data := read_small(path)) is not None}
            entry = [stamp, _checksum(paths, small), *quarter_keys(image(name, small))]
        entries[name] = entry
    if any(cached.get(name) is not entry for name, entry in entries.items()):
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({**cached, **entries})
            replaced(path, lambda file: file.write_text(text, encoding="utf-8"))
    return {name: PlaceContent(entry[1], tuple(entry[2:])) for name, entry in entries.items()}


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def read_small(path: Path) -> bytes | None:
    """All that a file holds; None of one that is larger than LARGEST_SMALL."""
    with path.open("rb", buffering=0) as file:
        return file.read() if os.fstat(file.fileno()).st_size <= LARGEST_SMALL else None


def _checksum(paths: Sequence[Path], small: Mapping[Path, bytes]) -> str:
    """Checksum of those of the files."""
    digest = hashlib.sha256()
    for path in paths:
        if (data := small.get(path)) is not None:
            digest.update(hashlib.sha256(data).digest())
            continue
        with path.open("rb", buffering=0) as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _read_cache(path: Path) -> dict[str, list[Any]]:
    """The entries of the cache; none where it cannot be read."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return entries if isinstance(entries, dict) else {}
    except (OSError, ValueError):
        return {}


def quarter_keys(image: NDArray[np.float32]) -> Quarters:
    """A number for each quarter of an image that does not depend on the order of its pixels.

    So it is the same for the eight turns and reflections of a square. 0 stands for a quarter whose
    pixels are all alike, which tells nothing.

    Parameters
    ----------
    image : (B, H, W) float32
    """
    bands, height, width = image.shape
    words = np.zeros((height, width), dtype=np.uint64)
    term = np.empty_like(words)
    for band, factor in zip(compared_bands(bands), FACTORS, strict=False):
        bits = np.ascontiguousarray(image[band], dtype=np.float32).view(np.uint32)
        words += np.multiply(bits, factor, out=term)
    words ^= np.right_shift(words, np.uint64(29), out=term)
    words *= MIX
    words ^= np.right_shift(words, np.uint64(32), out=term)
    halves_down = slice(None, height // 2), slice(height - height // 2, None)
    halves_across = slice(None, width // 2), slice(width - width // 2, None)
    quarters = [words[rows, columns] for rows in halves_down for columns in halves_across]
    return tuple(
        int(quarter.sum()) if quarter.size and quarter.min() < quarter.max() else 0
        for quarter in quarters
    )


def compared_bands(bands: int) -> list[int]:
    """Numbers of the bands that are compared: the first, the middle and the last."""
    return sorted({0, bands // 2, bands - 1})


def alike_by_content(
    keys: Mapping[str, Quarters], train: Collection[str], test: Collection[str]
) -> set[str]:
    """The places of training that share a quarter with one of test, turned or reflected perhaps.

    Parameters
    ----------
    keys : mapping of str to Quarters
        Of every place, by :func:`quarter_keys`.
    """
    keys_of_test = {key for name in test for key in keys[name]} - {0}
    return {name for name in train if not keys_of_test.isdisjoint(keys[name])}
