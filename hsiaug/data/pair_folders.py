"""The card of a folder of image–mask pairs that has none: of the names of its folders, and of its masks' codes.

Three layouts are known: cities with a folder per date (as OSCD's ``CITY/imgs_1``, ``imgs_2``, ``cm``), two dates and
masks (as LEVIR-CD's ``A``, ``B``, ``label``), and images beside masks. Any of them may lie in ``train/`` and
``val/`` or ``test/``, which then are the sides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hsiaug.base.errors import SceneError
from hsiaug.data.cards import MOST_CLASSES
from hsiaug.data.catalogue import SETS
from hsiaug.data.declared import read_declared
from hsiaug.data.pair_cards import PairCard
from hsiaug.data.paths import fill_pattern, find_files
from hsiaug.data.readers import read_cube_file, read_label_file
from hsiaug.data.tomlfile import read_toml, validated

__all__ = ["inferred_card"]

ENDINGS = (".tif", ".tiff", ".npy", ".png", ".bmp")
SIDES = {"train": ("train", "training"), "test": ("test", "testing", "val", "valid", "validation")}
"""Folders of each side; of a side the first that is there."""

CITY = ("imgs_1", "imgs_2", "cm")
CITY_MASKS = ("cm/{name}-cm.tif", "cm/*.tif", "cm/cm.png", "cm/*.png", "cm/*.npy")
"""Masks of a city, the best first: OSCD's PNGs are pictures of its TIFFs, one of them antialiased."""

IMAGES = ("images", "image", "imgs", "img")
MASKS = ("masks", "mask", "labels", "label", "annotations", "annotation")
FLAT: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "change": (("a",), ("b",), ("label", "labels", "mask", "masks")),
    "segmentation": (IMAGES, MASKS),
}
"""Of each task the names that its folders may have, whatever their case: one folder per date, then that of the masks."""

CHANGE_NAMES = ["unchanged", "changed"]
EMPTY = (0, 255)
"""Codes that mean no class in masks of segmentation, where two others are left."""


class _Layout(NamedTuple):
    """title: in words. images, masks: patterns, as in a card. bands: where a file holds one of them. sides: the places as
    in a card, patterns of them where they are files. places: each of them.
    """

    title: str
    task: str
    images: list[str]
    masks: list[str]
    bands: list[str]
    sides: dict[str, list[str]]
    places: list[str]


def inferred_card(folder: Path) -> tuple[PairCard, str]:
    """The card that a folder of a usual layout would have, and in words what it was taken for. Reads every mask.

    Raises SceneError where it has none of these layouts, and for a file that cannot be read.
    """
    there = _folders(folder)
    groups = {side: next((there[name] for name in names if name in there), "") for side, names in SIDES.items()}
    if not all(groups.values()):
        groups = {"any": next(filter(None, groups.values()), "")}
    layout = _find_cities(folder, groups) or _find_files(folder, groups)
    table = {
        "name": re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") or "pairs",
        "task": layout.task,
        "images": _images(folder, layout),
        "masks": {"files": layout.masks, **_codes(folder, layout)},
        "places": layout.sides,
    }
    card = validated(table, PairCard, folder, "card", SceneError)
    codes = zip(card.masks.codes, card.masks.names, strict=True)
    left_out = [there[n] for n in chain(*SIDES.values()) if n in there and there[n] not in groups.values()]
    said = [
        f"{folder} has no card: taken for {layout.title}, {'no sides named' if 'any' in groups else 'sides as named'}",
        f"{', '.join(left_out)} left out" if left_out else "",
        f"{len(layout.bands)} bands in files of their own" if layout.bands else "",
        "codes of masks " + "; ".join(f"{'/'.join(map(str, some))} = {name}" for some, name in codes),
        f"{'/'.join(map(str, card.masks.ignore))} = ignored" if card.masks.ignore else "",
    ]
    return card, "; ".join(filter(None, said))


def _folders(folder: Path) -> dict[str, str]:
    """The folders inside a folder: their names by these in small letters."""
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")
    return {path.name.lower(): path.name for path in inside}


def _files(folder: Path) -> list[Path]:
    """The arrays and images of a folder, in order, which have one ending."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.name[0] != ".")
    if len(endings := sorted({path.suffix for path in paths})) != 1:
        found = f"files of {', '.join(endings)} in {folder.name}" if endings else f"no file in {folder.name}"
        raise _unclear(folder, f"{found}; files of one kind have one ending")
    return paths


def _find_cities(folder: Path, groups: Mapping[str, str]) -> _Layout | None:
    """The layout where every group holds folders of cities."""
    sides = {
        side: [
            f"{group}/{name}".lstrip("/")
            for name in _folders(folder / group).values()
            if set(CITY) <= _folders(folder / group / name).keys()
        ]
        for side, group in groups.items()
    }
    if not all(sides.values()):
        return None
    places = [*chain(*sides.values())]
    files = _files(folder / places[0] / CITY[0])
    bands = sorted({path.stem.rpartition("_")[2] for path in files}) if len(files) > 1 else []
    images = [f"{{place}}/{date}/*{'_{band}' if bands else ''}{files[0].suffix}" for date in CITY[:2]]
    title = f"change between two dates of {len(places)} cities ({', '.join(CITY)})"
    return _Layout(title, "change", images, [f"{{place}}/{mask}" for mask in CITY_MASKS], bands, sides, places)


def _find_files(folder: Path, groups: Mapping[str, str]) -> _Layout:
    """The layout of folders of files, of the same names in each group. Raises SceneError where there is none."""
    first, *others = (_folders(folder / group) for group in groups.values())
    for task, names in FLAT.items():
        kinds = [next((first[name] for name in some if name in first), "") for some in names]
        if not all(kinds) or not all(set(kinds) <= set(found.values()) for found in others):
            continue
        listed = [[_files(folder / group / kind) for kind in kinds] for group in groups.values()]
        for group, of_kind in zip(groups.values(), listed, strict=True):
            stems = [{path.stem for path in paths} for paths in of_kind]
            for kind, some in zip(kinds, stems, strict=True):
                if lacking := sorted(set().union(*stems) - some):
                    where = f"{group}/{kind}".lstrip("/")
                    raise _unclear(folder, f"nothing in {where} for {', '.join(lacking[:4])}")
        above = "{group}/" if any(groups.values()) else ""
        *images, masks = (
            f"{above}{kind}/{{name}}{paths[0].suffix}" for kind, paths in zip(kinds, listed[0], strict=True)
        )
        places = [
            f"{group}/{path.stem}".lstrip("/")
            for group, of_kind in zip(groups.values(), listed, strict=True)
            for path in of_kind[0]
        ]
        sides = {side: [f"{group}/*".lstrip("/")] for side, group in groups.items()}
        what = "change between two dates" if task == "change" else "segmentation"
        title = f"{what} in {len(places)} places ({', '.join(kinds)})"
        return _Layout(title, task, images, [masks], [], sides, places)
    raise _unclear(folder, ", ".join(sorted(_folders(folder).values())[:8]) or "no folder")


def _unclear(folder: Path, found: str) -> SceneError:
    return SceneError(
        f"{folder} must hold one card (.toml), or pairs in a usual layout: CITY/imgs_1, imgs_2, cm; A, B, label; images, "
        "masks; or these under train and test",
        value=found,
        hint="Write a card: docs/masks.md shows one.",
    )


def _images(folder: Path, layout: _Layout) -> dict[str, Any]:
    """[images]: of bands with Sentinel-2's names as OSCD's card has them, else as the first file says."""
    known = read_toml(SETS / "oscd.toml", "card", SceneError)["images"]
    bands = [band for band in known["bands"] if band in layout.bands]
    if bands and len(bands) == len(layout.bands):
        waves = dict(zip(known["bands"], known["wavelengths"], strict=True))
        same = {key: known[key] for key in ("scale", "gsd")}
        return {"files": layout.images, "bands": bands, "wavelengths": [waves[band] for band in bands], **same}
    found: dict[str, Any] = {"files": layout.images, "units": "as in the files"}
    if layout.bands:
        return {**found, "bands": layout.bands}
    path = _first(folder, layout.images, layout.places[0])
    said = read_declared(path)
    if said.scale is not None:
        found |= {"scale": said.scale, "offset": said.offset}
    if said.wavelengths:
        found["wavelengths"] = list(said.wavelengths)
    if path.suffix.lower() == ".npy":
        shape = read_cube_file(path).array.shape
        mask = read_label_file(_first(folder, layout.masks, layout.places[0])).shape
        found["axes"] = "bhw" if shape[1:] == mask and shape[:2] != mask else "hwb"
    return found


def _first(folder: Path, patterns: Sequence[str], place: str) -> Path:
    """The file of a place that the first pattern finds which has one."""
    paths = next((found for text in patterns if (found := find_files(folder, fill_pattern(text, place)))), [])
    if not paths:
        raise _unclear(folder, f"no file for {place}, as {fill_pattern(patterns[0], place)}")
    return paths[0]


def _codes(folder: Path, layout: _Layout) -> dict[str, Any]:
    """names, codes and ignore of [masks]."""
    by_ending: dict[str, set[int]] = {}
    for place in layout.places:
        path = _first(folder, layout.masks, place)
        by_ending.setdefault(path.suffix, set()).update(_codes_of(path, path.stat().st_mtime_ns))
    if layout.task == "change":
        # A PNG may be a picture of a TIFF of other codes; of two, the larger is changed.
        pairs = [sorted(codes) for codes in by_ending.values()]
        low, high = ({codes[which] for codes in pairs} for which in (0, -1))
        if any(len(codes) != 2 for codes in pairs) or low & high:
            told = "; ".join(f"codes {_some(codes)} in {ending}" for ending, codes in by_ending.items())
            raise _odd_codes(folder, "two codes, unchanged and the larger changed", told)
        return {"names": CHANGE_NAMES, "codes": [sorted(low), sorted(high)]}
    found = sorted(set().union(*by_ending.values()))
    classes = [code for code in found if code not in EMPTY]
    # 0 or 255 beside a single other code is the class of all else, not the lack of one.
    classes = classes if len(classes) > 1 else [code for code in found if code != 255 or len(found) == 2]
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise _odd_codes(folder, f"2 to {MOST_CLASSES} codes of classes", f"codes {_some(found)}")
    return {
        "names": [f"class {code}" for code in classes],
        "codes": [[code] for code in classes],
        "ignore": [code for code in found if code not in classes],
    }


def _odd_codes(folder: Path, wanted: str, found: str) -> SceneError:
    hint = "Check the masks, or write a card that says what each code is: docs/masks.md shows one."
    return SceneError(f"{folder}: masks must hold {wanted}", value=found, hint=hint)


def _some(codes: set[int] | list[int]) -> str:
    return ", ".join(map(str, sorted(codes)[:8])) + (f" and {len(codes) - 8} more" if len(codes) > 8 else "")


@lru_cache(maxsize=100_000)
def _codes_of(path: Path, changed: int) -> frozenset[int]:
    """The codes of a mask; changed: when its file was, so that a new one is read. Raises SceneError for fractions."""
    values = np.unique(read_label_file(path))
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise SceneError(
            f"{path}: codes of masks are whole numbers", value=f"{values[:4]}", hint="Convert the mask."
        )
    return frozenset(int(value) for value in values)
