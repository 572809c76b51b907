"""The card of a folder of image–mask pairs that has none: of its layout, its masks' codes, and what its files say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsiaug.base.errors import SceneError, UnclearFolderError
from hsiaug.data.cardfile import pair_card_of
from hsiaug.data.cards import MOST_CLASSES
from hsiaug.data.cardtext import toml_text
from hsiaug.data.catalogue import SETS
from hsiaug.data.declared import declared
from hsiaug.data.folder_layouts import Layout, find_layout
from hsiaug.data.patterns import filled, fitting
from hsiaug.data.readers import read_cube_file, read_label_file
from hsiaug.data.tomlfile import read_toml

if TYPE_CHECKING:
    from hsiaug.data.pair_cards import PairCard

__all__ = ["inferred_card"]

CHANGE_NAMES = ["unchanged", "changed"]
EMPTY = (0, 255)
"""Codes that mean no class in masks of segmentation, where two others are left."""

EXAMPLE: Mapping[str, Any] = {
    "": {"name": "my_pairs", "task": "segmentation"},
    "images": {"files": ["{group}/images/{name}.tif"]},
    "masks": {
        "files": ["{group}/masks/{name}.png"],
        "names": ["water", "land"],
        "codes": [[1], [2]],
        "ignore": [0],
    },
    "places": {"train": ["train/*"], "test": ["test/*"]},
}


def inferred_card(folder: Path) -> tuple[PairCard, str]:
    """The card that a folder of a usual layout would have, and in words what it was taken for. Reads every mask.

    Raises UnclearFolderError, with a card to begin with, where anything is in doubt; SceneError for a file that cannot be
    read.
    """
    try:
        layout = find_layout(folder)
    except UnclearFolderError as error:
        raise _with_draft(error, EXAMPLE) from None
    tables = {
        "": {
            "name": re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") or "pairs",
            "task": layout.task,
        },
        "images": _images(folder, layout),
        "masks": {"files": list(layout.masks), "names": CHANGE_NAMES},
        "places": {side: list(names) for side, names in layout.sides.items()},
    }
    try:
        tables["masks"] |= _codes(folder, layout)
    except UnclearFolderError as error:
        tables["masks"] |= error.known
        raise _with_draft(error, tables) from None
    card = pair_card_of({**tables.pop(""), **tables}, folder)
    return card, f"{folder} has no card: taken for {_told(card, layout)}"


def _with_draft(error: UnclearFolderError, tables: Mapping[str, Any]) -> UnclearFolderError:
    return UnclearFolderError(error.rule, value=error.value, hint=error.hint, draft=toml_text(tables))


def _told(card: PairCard, layout: Layout) -> str:
    """The card in a line."""
    masks = card.masks
    codes = "; ".join(
        f"{'/'.join(map(str, some))} = {name}" for some, name in zip(masks.codes, masks.names, strict=True)
    )
    ignored = f"; {'/'.join(map(str, masks.ignore))} = ignored" if masks.ignore else ""
    named = "train" in layout.sides
    sides = "train and test as named" if named else "no sides named"
    left = f"; {', '.join(layout.left_out)} left out" if layout.left_out else ""
    bands = f"; {len(layout.bands)} bands in files of their own" if layout.bands else ""
    return f"{layout.title}, {sides}{left}{bands}; codes of masks {codes}{ignored}"


def _images(folder: Path, layout: Layout) -> dict[str, Any]:
    """[images]: of bands with Sentinel-2's names as OSCD's card has them, else as the first file says."""
    known = read_toml(SETS / "oscd.toml", "card", SceneError)["images"]
    bands = [band for band in known["bands"] if band in layout.bands]
    if bands and len(bands) == len(layout.bands):
        waves = dict(zip(known["bands"], known["wavelengths"], strict=True))
        same = {key: known[key] for key in ("scale", "gsd")}
        return {
            "files": list(layout.images),
            "bands": bands,
            "wavelengths": [waves[band] for band in bands],
            **same,
        }
    found: dict[str, Any] = {"files": list(layout.images), "units": "as in the files"}
    if layout.bands:
        return {**found, "bands": list(layout.bands)}
    path = _first(folder, layout.images, layout.places[0])
    said = declared(path)
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
    paths = next((found for text in patterns if (found := fitting(folder, filled(text, place)))), [])
    if not paths:
        raise UnclearFolderError(
            f"{folder}: every place needs a mask",
            value=f"none for {place}",
            hint="Put it there, or take the place away.",
        )
    return paths[0]


def _codes(folder: Path, layout: Layout) -> dict[str, Any]:
    """names, codes and ignore of [masks]. Raises UnclearFolderError, with what is known of them, where in doubt."""
    by_ending: dict[str, set[int]] = {}
    for place in layout.places:
        path = _first(folder, layout.masks, place)
        by_ending.setdefault(path.suffix, set()).update(_codes_of(path, path.stat().st_mtime_ns))
    if layout.task == "change":
        return _change_codes(folder, by_ending)
    found = sorted(set().union(*by_ending.values()))
    classes = [code for code in found if code not in EMPTY]
    # 0 or 255 beside a single other code is the class of all else, not the lack of one.
    classes = classes if len(classes) > 1 else [code for code in found if code != 255 or len(found) == 2]
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise UnclearFolderError(
            f"{folder}: masks of segmentation must hold 2 to {MOST_CLASSES} codes of classes",
            value=f"codes {_some(found)}",
            hint="Check the masks, or write a card, as below.",
            known={"names": ["one", "other"], "codes": [[1], [2]], "ignore": [0]},
        )
    ignored = [code for code in found if code not in classes]
    return {
        "names": [f"class {code}" for code in classes],
        "codes": [[code] for code in classes],
        "ignore": ignored,
    }


def _change_codes(folder: Path, by_ending: Mapping[str, set[int]]) -> dict[str, Any]:
    """Two codes for each ending (a PNG may be a picture of a TIFF of other codes), the larger of which is changed."""
    pairs = [sorted(codes) for codes in by_ending.values()]
    low, high = ({codes[which] for codes in pairs} for which in (0, -1))
    if any(len(codes) != 2 for codes in pairs) or low & high:
        told = "; ".join(f"codes {_some(sorted(codes))} in {ending}" for ending, codes in by_ending.items())
        found = sorted(set().union(*by_ending.values()))
        raise UnclearFolderError(
            f"{folder}: masks of change must hold two codes, unchanged and the larger changed",
            value=told,
            hint="Write a card that says what each code is, as below.",
            known={
                "names": CHANGE_NAMES,
                "codes": [[found[0]], [found[-1]]],
                "ignore": found[1:-1][:MOST_CLASSES],
            },
        )
    return {"codes": [sorted(low), sorted(high)]}


def _some(codes: Sequence[int]) -> str:
    return ", ".join(map(str, codes[:8])) + (f" and {len(codes) - 8} more" if len(codes) > 8 else "")


@lru_cache(maxsize=100_000)
def _codes_of(path: Path, changed: int) -> frozenset[int]:
    """The codes of a mask; changed: when its file was, so that a new one is read. Raises SceneError for fractions."""
    values = np.unique(read_label_file(path))
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise SceneError(
            f"{path}: codes of masks are whole numbers", value=f"{values[:4]}", hint="Convert the mask."
        )
    return frozenset(int(value) for value in values)
