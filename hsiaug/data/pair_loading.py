"""Loading of image–mask pairs from their card: find the files, read, convert, check."""

import hashlib
import io
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import InputError, SceneError, did_you_mean
from hsiaug.core.pairs import DATES, PairSet, Place, Side, StoredImages, check_finite_images
from hsiaug.data.bounds import check_memory
from hsiaug.data.catalogue import own_card, pair_set_names, scene_names
from hsiaug.data.endings import ARRAYS, PICTURES, TIFF
from hsiaug.data.georeference import Georeference, read_declared, scene_georeference
from hsiaug.data.labels import class_ids
from hsiaug.data.loading import check_not_hidden, load_scene
from hsiaug.data.pair_sets import PairEntry, check_pairs, find_pairs
from hsiaug.data.paths import fill_pattern, find_files
from hsiaug.data.place_contents import (
    PlaceContent,
    alike_by_content,
    compared_bands,
    place_contents,
    read_small,
)
from hsiaug.data.raw import Conversion, RawArray, in_memory
from hsiaug.data.readers import (
    read_cube_file,
    read_label_file,
    read_labels_array,
    read_picture_file,
    void_codes,
)

LARGEST_IN_MEMORY = 2**31
"""Bytes (2 GiB) of images of a set that are held in memory, at most; those of a larger one are read
when they are needed.
"""
PLAIN_TAGS = frozenset(
    {254, 256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 282, 283, 284, 296, 305, 306, 338, 339}
    | {322, 323, 324, 325, 33550, 33922, 34264, 34735, 34736, 34737}
)
"""Tags of a TIFF of layout, resolution, software, date and place on Earth. Others, as those of GDAL
(42112, 42113) and of a palette, may change what a number means.
"""
SIDES: tuple[Side, ...] = ("train", "test", "any")


def load_pairs(
    ref: str | os.PathLike[str], task: str, *, progress: bool = True, masks_only: bool = False
) -> PairSet:
    """The pairs of a catalogue name, of your own card of pairs, or (segmentation) of a scene, as
    one place.

    Parameters
    ----------
    task : str
        "segmentation" (one date) or "change" (two).
    progress : bool
        Of the download of a scene.
    masks_only : bool
        Of a card of pairs read no image, and give one band of zeros per date in its place,
        which takes no memory.

    Raises
    ------
    InputError
        For an unknown name or a set of the other task.
    DataUnavailableError
        Where files cannot be had.
    SceneError
        Where a card or a file is not valid, and in a process that runs the plugins of trials.
    """
    check_not_hidden()
    text = os.fspath(ref)
    entry = find_pairs(ref)
    if entry is not None:
        check_pairs(entry)
        return _check_dates(_read(entry, masks_only), task, text)
    name = text.lower().replace("-", "_")
    if own_card(ref) is None and name not in scene_names():
        names = (*pair_set_names(), *scene_names())
        rule = (
            f"`task` {task} needs a set of image–mask pairs, a scene, or the path of a card of"
            " either"
        )
        raise InputError(rule, value=repr(text), hint=did_you_mean(name, names))
    scene = load_scene(ref, progress=progress)
    check_memory(
        f"scene {text}: the cube, which is one image for `task` {task},", scene.cube.nbytes
    )
    return _check_dates(PairSet.of(scene), task, text)


def pair_georeferences(
    ref: str | os.PathLike[str], pairs: PairSet
) -> dict[str, Georeference | None]:
    """Return the location of each place on Earth, from its mask's file (same grid); None where it
    has none.

    Of a scene, which is one place, that of its cube.
    """
    entry = find_pairs(ref)
    if entry is None:
        return {place.name: scene_georeference(ref) for place in pairs.places}
    return {
        place.name: read_declared(
            _single_file(entry, entry.mask_pattern(place.name), place.name)
        ).ground
        for place in pairs.places
    }


def _check_dates(pairs: PairSet, task: str, ref: str) -> PairSet:
    task_of_set = next(of_dates for of_dates, dates in DATES.items() if dates == pairs.dates)
    if task_of_set != task:
        needed = {1: "one date", 2: "two dates"}[DATES.get(task, 1)]
        rule = f"`task` {task} needs images of {needed}"
        raise InputError(
            rule,
            value=f"{ref} has {pairs.dates}",
            hint=f"Use `task` {task_of_set}, or another set.",
        )
    return pairs


def _read(entry: PairEntry, masks_only: bool) -> PairSet:
    card = entry.card
    sides = {name: side for side, names in entry.present().items() for name in names}
    masks = {name: _mask(entry, name) for name in sides}
    contents: dict[str, PlaceContent] = {}
    notes = [
        *_leave_out_blank(entry, sides, masks),
        *_leave_out_near_duplicates(entry, sides, masks, contents),
    ]
    if masks_only:
        images = {name: _no_image(entry, masks[name]) for name in sides}
    else:
        images = _images(entry, masks, contents)
    wavelengths = np.array(card.images.wavelengths)
    if entry.chosen and len(wavelengths):
        wavelengths = wavelengths[entry.chosen_places]
    return PairSet(
        name=entry.name,
        places=tuple(Place(name, images[name], masks[name], side) for name, side in sides.items()),
        class_names=card.masks.names,
        wavelengths=wavelengths if len(wavelengths) and not masks_only else None,
        gsd=card.images.gsd,
        units=card.images.units,
        draws=card.name if entry.public else None,
        tile=card.places.tile,
        train_tiles=card.places.train_tiles,
        notes=tuple(notes),
    )


Masks = dict[str, NDArray[np.int16]]


def _leave_out_blank(entry: PairEntry, sides: dict[str, Side], masks: Masks) -> Iterator[str]:
    """Take the places out of both that are blank by the card, and say how many these were."""
    most = entry.card.places.most_blank
    if most is None:
        return
    blank = [name for name, mask in masks.items() if _blank_share(mask) > most]
    places = Counter(sides.values())
    left_out = Counter(sides[name] for name in blank)
    shares = [f"{left_out[side]:,} of {places[side]:,} of {side}" for side in SIDES if places[side]]
    _take_out(blank, sides, masks)
    share = f"more than {100 * most:g} % of their pixels"
    rule = f"set {entry.name}: places must be left of which no more is blank than its card says"
    _check_sides(places, sides, rule, "Raise places.most_blank in the card.")
    yield f"blank places, {share} without a class, are left out: {', '.join(shares)}"


def _blank_share(mask: NDArray[np.int16]) -> float:
    """The share of the pixels of a mask that have no class."""
    # Not 1 less the share of the others, which rounds otherwise: 0.3 of the pixels are 0.3.
    return (mask.size - np.count_nonzero(mask)) / mask.size


def _leave_out_near_duplicates(
    entry: PairEntry, sides: dict[str, Side], masks: Masks, contents: dict[str, PlaceContent]
) -> Iterator[str]:
    """Take the places of training out of both that show ground of a place of test, and say how many
    these were. Contents that were compared are added to ``contents``.
    """
    if entry.card.places.near_duplicates is None:
        return
    train, test = ([name for name in sides if sides[name] == side] for side in ("train", "test"))
    contents |= _contents(entry, [*train, *test])
    keys = {name: content.keys for name, content in contents.items()}
    alike = alike_by_content(keys, train, test)
    places = Counter(sides.values())
    _take_out(alike, sides, masks)
    rule = f"set {entry.name}: a place of training must show other ground than those of test"
    hint = (
        "Divide the places otherwise in the card; without places.near_duplicates none is left out."
    )
    _check_sides(places, sides, rule, hint)
    yield (
        "near-duplicates of places of test, by their content, are left out:"
        f" {len(alike):,} of {len(train):,} places of train"
    )


def _take_out(names: Collection[str], sides: dict[str, Side], masks: Masks) -> None:
    for name in names:
        del sides[name], masks[name]


def _check_sides(before: Counter[Side], sides: dict[str, Side], rule: str, hint: str) -> None:
    """Raise SceneError where a side lost all of its places."""
    after = Counter(sides.values())
    if lost := [f"none of {before[side]:,} of {side}" for side in before if not after[side]]:
        raise SceneError(rule, value=", ".join(lost), hint=hint)


def _contents(entry: PairEntry, names: Sequence[str]) -> dict[str, PlaceContent]:
    """Checksum and keys of the image files of places."""
    spec = entry.card.images

    def files(place: str) -> list[Path]:
        return [
            _single_file(entry, pattern, place, band)
            for pattern in spec.files
            for band in entry.bands_of(pattern)
        ]

    return place_contents(
        entry.folder,
        f"{spec.model_dump_json()} {entry.chosen}",
        names,
        files,
        lambda place, data: _image(entry, spec.files[0], place, compared=True, data=data),
    )


def _no_image(entry: PairEntry, mask: NDArray[np.int16]) -> NDArray[np.float32]:
    """(T, 1, H, W) zeros, which take no memory."""
    return np.broadcast_to(np.float32(0), (len(entry.card.images.files), 1, *mask.shape))


def _images(
    entry: PairEntry, masks: Masks, contents: Mapping[str, PlaceContent]
) -> dict[str, NDArray[np.float32]]:
    """The images of places, in memory where they take no more than LARGEST_IN_MEMORY there.

    Parameters
    ----------
    contents : mapping of str to PlaceContent
        Those that are known already, by place.
    """
    spec = entry.card.images
    first = next(iter(masks))
    bands = len(entry.bands) or len(_image(entry, spec.files[0], first))
    needed = 4 * len(spec.files) * bands * sum(mask.size for mask in masks.values())
    if needed <= LARGEST_IN_MEMORY:
        return {name: _dates(entry, name) for name in masks}
    if unknown := [name for name in masks if name not in contents]:
        contents = {**contents, **_contents(entry, unknown)}
    reading = f"{spec.model_dump_json(exclude={'files'})} {entry.chosen}"
    stored = {
        name: StoredImages(
            shape := (len(spec.files), bands, *mask.shape),
            partial(_read_stored, entry, name, shape),
            hashlib.sha256(f"{contents[name].sha256} {reading}".encode()).hexdigest(),
        )
        for name, mask in masks.items()
    }
    # Indexed as arrays are.
    return cast("dict[str, NDArray[np.float32]]", stored)


def _read_stored(entry: PairEntry, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The images of a place, checked as those in memory are."""
    images = _dates(entry, name)
    where = f"set {entry.name}: {name}"
    if images.shape != shape:
        rule = f"{where}: images must have the bands of the other places, and the size of the mask"
        hint = "Check that every place has the same bands, and a mask of the same grid."
        raise SceneError(rule, value=f"{images.shape} in place of {shape}", hint=hint)
    check_finite_images(images, where)
    return images


def _dates(entry: PairEntry, name: str) -> NDArray[np.float32]:
    """(T, B, H, W) of a place in the set's units."""
    spec = entry.card.images
    dates = [_image(entry, pattern, name) for pattern in spec.files]
    if len({image.shape for image in dates}) > 1:
        rule = f"set {entry.name}: both dates of {name} must have the same bands, height and width"
        hint = "Give both the same bands, on one grid."
        raise SceneError(
            rule, value=" and ".join(map(str, (image.shape for image in dates))), hint=hint
        )
    images = np.stack(dates)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows float32 is refused later
        scale, offset = np.array([spec.scale, spec.offset]).astype(np.float32)
        return np.ascontiguousarray(images * scale + offset, dtype=np.float32)


def _image(
    entry: PairEntry,
    pattern: str,
    place: str,
    *,
    compared: bool = False,
    data: Mapping[Path, bytes] | None = None,
) -> NDArray[np.float32]:
    """(B, H, W) raw values of one date.

    Parameters
    ----------
    compared : bool
        Of the bands alone that tell near-duplicates.
    data : mapping of Path to bytes or None
        What files hold that were read before.
    """
    spec = entry.card.images
    if "{band}" in pattern:
        bands = [
            read_label_file(_single_file(entry, pattern, place, band)).astype(np.float32)
            for band in entry.bands
        ]
        shape = max((band.shape for band in bands), key=lambda s: s[0] * s[1])
        return np.concatenate([_enlarge(band[None], shape) for band in bands])
    path = _single_file(entry, pattern, place)
    if path.suffix.lower() in PICTURES:
        array = read_picture_file(path).transpose(2, 0, 1)
    else:
        plain = _plain_tiff(entry, path, (data or {}).get(path))
        raw = read_cube_file(path) if plain is None else RawArray(np.atleast_3d(plain))
        array = in_memory(raw.array)
        if (spec.scale, spec.offset) == (1.0, 0.0) and (
            raw.scale is not None or raw.nodata is not None
        ):
            array = Conversion(None, raw.scale, raw.offset, raw.nodata)(array)
        if (void := raw.void()) is not None:
            array[void] = 0
        # The readers of GeoTIFF and ENVI give (height, width, band) whatever the order in the file
        # is.
        as_is = spec.axes == "bhw" and path.suffix.lower() in ARRAYS
        array = array if as_is else array.transpose(2, 0, 1)
    if spec.bands and len(array) != len(spec.bands):
        rule = f"{path} must have the {len(spec.bands)} bands of the card"
        hint = "Correct images.axes or images.bands in the card."
        raise SceneError(
            rule, value=f"{len(array)} of them, read with axes {spec.axes!r}", hint=hint
        )
    if entry.chosen:
        array = array[entry.chosen_places]
    return np.asarray(array[compared_bands(len(array))] if compared else array, dtype=np.float32)


def _plain_tiff(entry: PairEntry, path: Path, data: bytes | None = None) -> AnyArray | None:
    """The numbers of a TIFF that needs no GDAL, as many small files are read many times faster so.

    Parameters
    ----------
    data : bytes or None
        What the file holds, where it was read before.
    """
    if path.suffix.lower() not in TIFF or not entry.stands_alone(path):
        return None
    try:
        data = read_small(path) if data is None else data
    except OSError:
        return None  # GDAL says why
    return None if data is None else read_plain_tiff(data)


def read_plain_tiff(data: bytes) -> AnyArray | None:
    """The numbers (height, width, samples), or (height, width), of a TIFF of one page with no tag
    that changes what they mean; None for one that needs GDAL.

    Whether a file beside it says something of them is not looked for.
    """
    from tifffile import TiffFile

    try:
        with TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            if len(file.pages) > 1 or set(page.tags.keys()) - PLAIN_TAGS or not _as_stored(page):
                return None
            numbers = page.asarray()
            return np.moveaxis(numbers, 0, 2) if page.axes == "SYX" else numbers
    except Exception:  # damaged, or of another layout: GDAL says which
        return None


def _as_stored(page: Any) -> bool:
    """Whether the numbers of a page are those that it shows."""
    bits = page.dtype is not None and page.dtype.itemsize * 8 == page.bitspersample
    plain = page.compression == 1 and page.photometric in (1, 2) and not any(page.extrasamples)
    turned = page.tags.valueof(274, default=1) != 1
    return bits and plain and not turned and page.dtype.kind in "uif" and page.bitspersample <= 32


def _single_file(entry: PairEntry, pattern: str, place: str, band: str = "") -> Path:
    """The one file that fits a pattern. Raises SceneError where none does, or several."""
    text = fill_pattern(pattern, place, band)
    matches = [
        path for path in find_files(entry.folder, text) if not path.name.lower().endswith(".hdr")
    ]
    if len(matches) != 1:
        rule = f"set {entry.name}: exactly one file must fit {text} in {entry.folder}"
        hint = "Put the file there, or correct the pattern in the card."
        raise SceneError(
            rule, value=", ".join(path.name for path in matches[:3]) or "none", hint=hint
        )
    return matches[0]


def _enlarge(image: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(B, h, w) on the grid of (H, W), by bilinear interpolation; the same array where it is there
    already.
    """
    if image.shape[1:] == tuple(shape):
        return image
    from PIL import Image

    size = (int(shape[1]), int(shape[0]))
    grown = [
        np.asarray(Image.fromarray(band.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
        for band in image
    ]
    return np.stack(grown).astype(np.float32)


def _mask(entry: PairEntry, place: str) -> NDArray[np.int16]:
    """(H, W) class ids 1..C, 0 = ignore."""
    spec = entry.card.masks
    if spec.by_class:
        layers = [read_label_file(_single_file(entry, pattern, place)) for pattern in spec.by_class]
        mask = np.zeros(layers[0].shape, dtype=np.int16)
        for c, layer in enumerate(layers, start=1):
            mask[layer != 0] = c
        return mask
    path = _single_file(entry, entry.mask_pattern(place), place)
    codes = spec.codes or tuple((c,) for c in range(1, len(spec.names) + 1))
    ids = {code: c for c, of_class in enumerate(codes, start=1) for code in of_class}
    plain = _plain_tiff(entry, path)
    sheet = RawArray(plain) if plain is not None and plain.ndim == 2 else read_labels_array(path)
    mask, unknown = class_ids(sheet.array, ids, spec.ignore, str(path), void_codes(sheet, ids))
    if unknown:
        raise SceneError(
            f"{path}: every code must be listed in the card",
            value=f"codes {', '.join(map(str, sorted(unknown)[:8]))}",
            hint="Add them to masks.codes or masks.ignore.",
        )
    return mask
