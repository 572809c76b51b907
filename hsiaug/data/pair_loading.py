"""Loading of image–mask pairs from their card: find the files, read, convert, check."""

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial
from typing import cast

import numpy as np

from hsiaug.base.arrays import Float32, Int16
from hsiaug.base.errors import InputError, SceneError, did_you_mean
from hsiaug.core.pairs import DATES, PairSet, Place, Side, StoredImages, check_finite_images
from hsiaug.data.bounds import check_memory
from hsiaug.data.catalogue import own_card, pair_set_names, scene_names
from hsiaug.data.georeference import Georeference, read_declared, scene_georeference
from hsiaug.data.loading import check_not_hidden, load_scene
from hsiaug.data.pair_files import (
    Contents,
    alike_by_content,
    place_contents,
    read_dates,
    read_image,
    read_mask,
    single_file,
)
from hsiaug.data.pair_sets import PairEntry, check_pairs, find_pairs

LARGEST_IN_MEMORY = 2**31
"""Bytes (2 GiB) of images of a set that are held in memory, at most; those of a larger one are read
when they are needed.
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
        raise InputError(
            (
                f"`task` {task} needs a set of image–mask pairs, a scene, or the path of a card of"
                " either"
            ),
            value=repr(text),
            hint=did_you_mean(name, names),
        )
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
    names = [place.name for place in pairs.places]
    masks = {name: single_file(entry, entry.mask_pattern(name), name) for name in names}
    return {name: read_declared(mask).ground for name, mask in masks.items()}


def _check_dates(pairs: PairSet, task: str, ref: str) -> PairSet:
    if DATES.get(task) != pairs.dates:
        needed = {1: "one date", 2: "two dates"}[DATES.get(task, 1)]
        other = next(name for name, dates in DATES.items() if dates == pairs.dates)
        raise InputError(
            f"`task` {task} needs images of {needed}",
            value=f"{ref} has {pairs.dates}",
            hint=f"Use `task` {other}, or another set.",
        )
    return pairs


def _read(entry: PairEntry, masks_only: bool) -> PairSet:
    card = entry.card
    sides = {name: side for side, names in entry.present.items() for name in names}
    masks = {name: read_mask(entry, name) for name in sides}
    contents: Contents = {}
    notes = [
        *_leave_out_blank(entry, sides, masks),
        *_leave_out_near_duplicates(entry, sides, masks, contents),
    ]
    if masks_only:
        dates = len(card.images.files)
        images = {
            name: np.broadcast_to(np.float32(0), (dates, 1, *mask.shape))
            for name, mask in masks.items()
        }
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


Masks = dict[str, Int16]


def _leave_out_blank(entry: PairEntry, sides: dict[str, Side], masks: Masks) -> Iterator[str]:
    """Take the places out of both that are blank by the card, and say how many these were."""
    most = entry.card.places.most_blank
    if most is None:
        return
    places = Counter(sides.values())
    # Not 1 less the share of the others, which rounds otherwise: 0.3 of the pixels are 0.3.
    blank = [name for name, mask in masks.items() if np.mean(mask == 0) > most]
    left_out = Counter(sides[name] for name in blank)
    shares = [f"{left_out[side]:,} of {places[side]:,} of {side}" for side in SIDES if places[side]]
    rule = "places must be left of which no more is blank than its card says"
    _take_out(entry, blank, sides, masks, rule, "Raise places.most_blank in the card.")
    yield (
        f"blank places, more than {100 * most:g} % of their pixels without a class, are left out:"
        f" {', '.join(shares)}"
    )


def _leave_out_near_duplicates(
    entry: PairEntry, sides: dict[str, Side], masks: Masks, contents: Contents
) -> Iterator[str]:
    """Take the places of training out of both that show ground of a place of test, and say how many
    these were. Contents that were compared are added to ``contents``.
    """
    if entry.card.places.near_duplicates is None:
        return
    train, test = ([name for name in sides if sides[name] == side] for side in ("train", "test"))
    contents |= place_contents(entry, [*train, *test])
    alike = alike_by_content(contents, train, test)
    rule = "a place of training must show other ground than those of test"
    hint = (
        "Divide the places otherwise in the card; without places.near_duplicates none is left out."
    )
    _take_out(entry, alike, sides, masks, rule, hint)
    yield (
        "near-duplicates of places of test, by their content, are left out:"
        f" {len(alike):,} of {len(train):,} places of train"
    )


def _take_out(
    entry: PairEntry,
    names: Collection[str],
    sides: dict[str, Side],
    masks: Masks,
    rule: str,
    hint: str,
) -> None:
    """Take places out of both. Raises SceneError where a side lost all of its places."""
    before = Counter(sides.values())
    for name in names:
        del sides[name], masks[name]
    lost = [f"none of {n:,} of {side}" for side, n in before.items() if side not in sides.values()]
    if lost:
        raise SceneError(f"set {entry.name}: {rule}", value=", ".join(lost), hint=hint)


def _images(entry: PairEntry, masks: Masks, contents: Contents) -> dict[str, Float32]:
    """The images of places, in memory where they take no more than LARGEST_IN_MEMORY there.

    Parameters
    ----------
    contents : Contents
        Those that are known already.
    """
    spec = entry.card.images
    bands = len(entry.bands) or len(read_image(entry, spec.files[0], next(iter(masks))))
    if 4 * len(spec.files) * bands * sum(mask.size for mask in masks.values()) <= LARGEST_IN_MEMORY:
        return {name: read_dates(entry, name) for name in masks}
    contents = contents or place_contents(entry, [*masks])
    reading = f"{spec.model_dump_json(exclude={'files'})} {entry.chosen}"
    stored = {
        name: StoredImages(
            shape := (len(spec.files), bands, *mask.shape),
            partial(_read_stored, entry, name, shape),
            hashlib.sha256(f"{contents[name][0]} {reading}".encode()).hexdigest(),
        )
        for name, mask in masks.items()
    }
    # Indexed as arrays are.
    return cast("dict[str, Float32]", stored)


def _read_stored(entry: PairEntry, name: str, shape: tuple[int, ...]) -> Float32:
    """The images of a place, checked as those in memory are."""
    images = read_dates(entry, name)
    where = f"set {entry.name}: {name}"
    if images.shape != shape:
        raise SceneError(
            f"{where}: images must have the bands of the other places, and the size of the mask",
            value=f"{images.shape} in place of {shape}",
            hint="Check that every place has the same bands, and a mask of the same grid.",
        )
    check_finite_images(images, where)
    return images
