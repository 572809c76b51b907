"""The files of image–mask pairs: their images, their masks, and what the images hold in short."""

import hashlib
import json
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from hsiaug.base.arrays import Float32, Int16
from hsiaug.base.errors import SceneError
from hsiaug.base.files import replaced
from hsiaug.data.labels import class_ids
from hsiaug.data.pair_sets import PairEntry
from hsiaug.data.paths import ARRAYS, PICTURES, checksum_of, fill_pattern
from hsiaug.data.raw import Conversion, in_memory
from hsiaug.data.readers import (
    read_cube_file,
    read_label_file,
    read_labels_array,
    read_picture,
    void_codes,
)

FORMAT = 2
"""Raised when the same files give other contents."""

FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
MIX = np.uint64(0xD6E8FEB86659FD93)
"""Odd constants of xxHash and of SplitMix64, which spread bits over a word of 64."""

Contents = dict[str, tuple[str, list[int]]]
"""By place: the checksum of its image files, and a key of each quarter of its first date."""


def single_file(entry: PairEntry, pattern: str, place: str, band: str = "") -> Path:
    """The one file that fits a pattern. Raises SceneError where none does, or several."""
    matches = [
        path for path in entry.files(pattern, place, band) if not path.name.lower().endswith(".hdr")
    ]
    if len(matches) != 1:
        text = fill_pattern(pattern, place, band)
        raise SceneError(
            f"set {entry.name}: exactly one file must fit {text} in {entry.folder}",
            value=", ".join(path.name for path in matches[:3]) or "none",
            hint="Put the file there, or correct the pattern in the card.",
        )
    return matches[0]


def read_dates(entry: PairEntry, name: str) -> Float32:
    """(T, B, H, W) of a place in the set's units."""
    spec = entry.card.images
    dates = [read_image(entry, pattern, name) for pattern in spec.files]
    if len({image.shape for image in dates}) > 1:
        raise SceneError(
            f"set {entry.name}: both dates of {name} must have the same bands, height and width",
            value=" and ".join(str(image.shape) for image in dates),
            hint="Give both the same bands, on one grid.",
        )
    images = np.stack(dates)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows float32 is refused later
        scale, offset = np.array([spec.scale, spec.offset]).astype(np.float32)
        return np.ascontiguousarray(images * scale + offset, dtype=np.float32)


def read_image(entry: PairEntry, pattern: str, place: str) -> Float32:
    """(B, H, W) raw values of one date. Bands on coarser grids are enlarged to the finest."""
    spec = entry.card.images
    if "{band}" in pattern:
        files = [single_file(entry, pattern, place, band) for band in entry.bands]
        sheets = [read_label_file(file).astype(np.float32) for file in files]
        height, width = max((sheet.shape for sheet in sheets), key=np.prod)
        return np.stack([_enlarge(sheet, (width, height)) for sheet in sheets])
    path = single_file(entry, pattern, place)
    if path.suffix.lower() in PICTURES:
        array = np.atleast_3d(read_picture(path).array).transpose(2, 0, 1)
    else:
        raw = read_cube_file(path)
        array = in_memory(raw.array)
        if (spec.scale, spec.offset) == (1.0, 0.0) and (raw.scale or raw.nodata) is not None:
            array = Conversion(None, raw.scale, raw.offset, raw.nodata)(array)
        if (void := raw.void()) is not None:
            array[void] = 0
        # The readers of GeoTIFF and ENVI give (height, width, band) whatever the order in the file
        # is.
        if spec.axes == "hwb" or path.suffix.lower() not in ARRAYS:
            array = array.transpose(2, 0, 1)
    if spec.bands and len(array) != len(spec.bands):
        raise SceneError(
            f"{path} must have the {len(spec.bands)} bands of the card",
            value=f"{len(array)} of them, read with axes {spec.axes!r}",
            hint="Correct images.axes or images.bands in the card.",
        )
    return np.asarray(array[entry.chosen_places or slice(None)], dtype=np.float32)


def _enlarge(sheet: Float32, size: tuple[int, int]) -> Float32:
    """(h, w) on a grid of this width and height, by bilinear interpolation; the same where it is
    there already.
    """
    from PIL import Image

    if sheet.shape == size[::-1]:
        return sheet
    grown = Image.fromarray(sheet).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(grown, dtype=np.float32)


def read_mask(entry: PairEntry, place: str) -> Int16:
    """(H, W) class ids 1..C, 0 = ignore."""
    spec = entry.card.masks
    if spec.by_class:
        layers = [read_label_file(single_file(entry, pattern, place)) for pattern in spec.by_class]
        mask = np.zeros(layers[0].shape, dtype=np.int16)
        for c, layer in enumerate(layers, start=1):
            mask[layer != 0] = c
        return mask
    path = single_file(entry, entry.mask_pattern(place), place)
    codes = spec.codes or tuple((c,) for c in range(1, len(spec.names) + 1))
    ids = {code: c for c, of_class in enumerate(codes, start=1) for code in of_class}
    sheet = read_labels_array(path)
    return class_ids(sheet.array, ids, spec.ignore, str(path), void_codes(sheet, ids))


def place_contents(entry: PairEntry, places: Sequence[str]) -> Contents:
    """What the image files of places hold, kept in the user's cache until one of them changes: a
    set may have tens of thousands.
    """
    spec = entry.card.images
    files = {
        place: [
            single_file(entry, pattern, place, band)
            for pattern in spec.files
            for band in (entry.bands if "{band}" in pattern else ("",))
        ]
        for place in places
    }
    stamps = [(p, *_stamp(file)) for p, of_place in files.items() for file in of_place]
    stamp = _checksum(repr(stamps).encode())
    reading = _checksum(f"{FORMAT} {spec.model_dump_json()} {entry.chosen}".encode())
    path = _cache_of(entry.folder) / f"places-{reading[:16]}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        cached = json.loads(path.read_text(encoding="utf-8"))
        if cached["stamp"] == stamp:
            return dict(cached["places"])
    contents: Contents = {}
    for place, paths in files.items():
        of_files = b"".join(bytes.fromhex(checksum_of(file)) for file in paths)
        keys = quarter_keys(read_image(entry, spec.files[0], place))
        contents[place] = _checksum(of_files), keys
    text = json.dumps({"stamp": stamp, "places": contents})
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        replaced(path, lambda file: file.write_text(text, encoding="utf-8"))
    return contents


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
    return root / "folders" / _checksum(identity)[:24]


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def quarter_keys(image: Float32) -> list[int]:
    """A number for each quarter of an image that does not depend on the order of its pixels.

    So it is the same for the eight turns and reflections of a square, and places that overlap by
    half share one. 0 stands for a quarter whose pixels are all alike, which tells nothing.

    Parameters
    ----------
    image : (B, H, W) float32
    """
    bands, height, width = image.shape
    words = np.zeros((height, width), dtype=np.uint64)
    for band, factor in zip(sorted({0, bands // 2, bands - 1}), FACTORS, strict=False):
        words += np.ascontiguousarray(image[band]).view(np.uint32) * factor
    words ^= words >> np.uint64(29)
    words *= MIX
    words ^= words >> np.uint64(32)
    halves_down = slice(None, height // 2), slice(height - height // 2, None)
    halves_across = slice(None, width // 2), slice(width - width // 2, None)
    quarters = [words[rows, columns] for rows in halves_down for columns in halves_across]
    return [
        int(quarter.sum()) if quarter.size and quarter.min() < quarter.max() else 0
        for quarter in quarters
    ]


def alike_by_content(
    contents: Contents, train: Collection[str], test: Collection[str]
) -> list[str]:
    """The places of training that share a quarter with one of test, turned or reflected perhaps."""
    keys_of_test = {key for name in test for key in contents[name][1]} - {0}
    return [name for name in train if not keys_of_test.isdisjoint(contents[name][1])]
