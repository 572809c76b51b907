"""Loading of image–mask pairs from their card: find the files, read, convert, check."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import HsiaugError, InputError, SceneError, did_you_mean
from hsiaug.core.pairs import PairSet, Place, Side
from hsiaug.data.bounds import check_memory
from hsiaug.data.catalogue import LOOK, files_of, find_entry, own_card, pair_set_names, scene_names
from hsiaug.data.endings import ARRAYS, PICTURES
from hsiaug.data.georeference import Georeference, read_declared, scene_georeference
from hsiaug.data.labels import class_ids
from hsiaug.data.loading import check_not_hidden, load_scene
from hsiaug.data.pair_sets import PairEntry, check_pairs, find_pairs
from hsiaug.data.paths import fill_pattern, find_files
from hsiaug.data.raw import Conversion, in_memory
from hsiaug.data.readers import (
    read_cube_file,
    read_label_file,
    read_labels_array,
    read_picture_file,
    void_codes,
)
from hsiaug.data.readers_envi import find_envi


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
        known = (*pair_set_names(), *scene_names())
        rule = (
            f"`task` {task} needs a set of image–mask pairs, a scene, or the path of a card of"
            " either"
        )
        raise InputError(rule, value=repr(text), hint=did_you_mean(name, known))
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
        place.name: read_declared(_one(entry, entry.mask_pattern(place.name), place.name)).ground
        for place in pairs.places
    }


def label_files(ref: str | os.PathLike[str]) -> tuple[Path, ...]:
    """The files of a scene and its picture, or the masks of pairs; none of data that lie in no
    file.
    """
    try:
        if entry := find_pairs(ref):
            places = [name for names in entry.here().values() for name in names]
            return tuple(_one(entry, entry.mask_pattern(name), name) for name in places)
        scene = find_entry(ref)
        files = [(path, spec.data) for spec in scene.card.files for path in files_of(scene, spec)]
        # Header and data, whichever of them the card names.
        both = [one for path, data in files for one in find_envi(path, data) or (path,)]
        return (scene.folders[0] / f"{Path(ref).stem}{LOOK}", *both)
    except HsiaugError:
        return ()


def _check_dates(pairs: PairSet, task: str, ref: str) -> PairSet:
    found = "change" if pairs.dates == 2 else "segmentation"
    if found != task:
        rule = f"`task` {task} needs images of {'two dates' if task == 'change' else 'one date'}"
        raise InputError(
            rule, value=f"{ref} has {pairs.dates}", hint=f"Use `task` {found}, or another set."
        )
    return pairs


def _read(entry: PairEntry, masks_only: bool) -> PairSet:
    card = entry.card
    places = (
        _place(entry, name, side, masks_only)
        for side, names in entry.here().items()
        for name in names
    )
    return PairSet(
        name=card.name,
        places=tuple(places),
        class_names=card.masks.names,
        wavelengths=(
            np.array(card.images.wavelengths)
            if card.images.wavelengths and not masks_only
            else None
        ),
        gsd=card.images.gsd,
        units=card.images.units,
        draws=card.name if entry.public else None,
    )


def _place(entry: PairEntry, name: str, side: Side, mask_only: bool) -> Place:
    spec, mask = entry.card.images, _mask(entry, name)
    if mask_only:
        return Place(
            name, np.broadcast_to(np.float32(0), (len(spec.files), 1, *mask.shape)), mask, side
        )
    dates = [_image(entry, pattern, name) for pattern in spec.files]
    if len({image.shape for image in dates}) > 1:
        rule = (
            f"set {entry.card.name}: both dates of {name} must have the same bands, height and"
            " width"
        )
        hint = "Give both the same bands, on one grid."
        raise SceneError(
            rule, value=" and ".join(map(str, (image.shape for image in dates))), hint=hint
        )
    images = np.stack(dates)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows float32 is refused by Place
        scale, offset = np.array([spec.scale, spec.offset]).astype(np.float32)
        images = np.ascontiguousarray(images * scale + offset, dtype=np.float32)
    return Place(name, images, mask, side)


def _image(entry: PairEntry, pattern: str, place: str) -> NDArray[np.float32]:
    """(B, H, W) raw values of one date."""
    spec = entry.card.images
    if "{band}" in pattern:
        bands = [
            read_label_file(_one(entry, pattern, place, band)).astype(np.float32)
            for band in spec.bands
        ]
        shape = max((band.shape for band in bands), key=lambda s: s[0] * s[1])
        return np.concatenate([_enlarge(band[None], shape) for band in bands])
    path = _one(entry, pattern, place)
    if path.suffix.lower() in PICTURES:
        array = read_picture_file(path).transpose(2, 0, 1)
    else:
        raw = read_cube_file(path)
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
    return np.asarray(array, dtype=np.float32)


def _one(entry: PairEntry, pattern: str, place: str, band: str = "") -> Path:
    """The one file that fits a pattern. Raises SceneError where none does, or several."""
    text = fill_pattern(pattern, place, band)
    matches = [
        path for path in find_files(entry.folder, text) if not path.name.lower().endswith(".hdr")
    ]
    if len(matches) != 1:
        rule = f"set {entry.card.name}: exactly one file must fit {text} in {entry.folder}"
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
        layers = [read_label_file(_one(entry, pattern, place)) for pattern in spec.by_class]
        mask = np.zeros(layers[0].shape, dtype=np.int16)
        for c, layer in enumerate(layers, start=1):
            mask[layer != 0] = c
        return mask
    path = _one(entry, entry.mask_pattern(place), place)
    known = spec.codes or tuple((c,) for c in range(1, len(spec.names) + 1))
    ids = {code: c for c, listed in enumerate(known, start=1) for code in listed}
    sheet = read_labels_array(path)
    mask, unknown = class_ids(sheet.array, ids, spec.ignore, str(path), void_codes(sheet, ids))
    if unknown:
        raise SceneError(
            f"{path}: every code must be listed in the card",
            value=f"codes {', '.join(map(str, sorted(unknown)[:8]))}",
            hint="Add them to masks.codes or masks.ignore.",
        )
    return mask
