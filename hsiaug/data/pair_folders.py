"""The card of a folder of image–mask pairs that has none: of the names of its folders, and of its masks' codes.

Two layouts are known: folders of two dates and of masks (as LEVIR-CD's ``A``, ``B``, ``label``), and images beside masks.
Either may lie in ``train/`` and ``val/`` or ``test/``, which then are the sides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.base.errors import SceneError
from hsiaug.data.cards import MOST_CLASSES
from hsiaug.data.declared import read_declared
from hsiaug.data.pair_cards import PairCard
from hsiaug.data.readers import read_cube_file, read_label_file
from hsiaug.data.tomlfile import validated

__all__ = ["inferred_card"]

ENDINGS = (".tif", ".tiff", ".npy", ".png", ".bmp")
SIDES = {"train": ("train", "training"), "test": ("test", "testing", "val", "valid", "validation")}
"""Folders of each side; of a side the first that is there."""

IMAGES = ("images", "image", "imgs", "img")
MASKS = ("masks", "mask", "labels", "label", "annotations", "annotation")
LAYOUTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "change": (("a",), ("b",), ("label", "labels", "mask", "masks")),
    "segmentation": (IMAGES, MASKS),
}
"""Folder names of each task, whatever their case: one folder per date, then that of the masks."""

EMPTY = (0, 255)
"""Codes that mean no class in masks of segmentation, where two others are left."""


def inferred_card(folder: Path) -> tuple[PairCard, str]:
    """The card that a folder of a usual layout would have, and in words what it was taken for. Reads every mask.

    Raises SceneError where it has none of these layouts, and for a file that cannot be read.
    """
    there = _folders(folder)
    groups = {side: next((there[name] for name in names if name in there), "") for side, names in SIDES.items()}
    if not all(groups.values()):
        groups = {"any": next(filter(None, groups.values()), "")}
    task, kinds = _layout(folder, list(groups.values()))
    # Group, then kind: the files there.
    listed = [[_files(folder / group / kind) for kind in kinds] for group in groups.values()]
    for group, of_kind in zip(groups.values(), listed, strict=True):
        stems = [{path.stem for path in paths} for paths in of_kind]
        for kind, some in zip(kinds, stems, strict=True):
            if lacking := sorted(set().union(*stems) - some):
                where = f"{group}/{kind}".lstrip("/")
                raise _unclear(folder, f"nothing in {where} for {', '.join(lacking[:4])}")
    above = "{group}/" if any(groups.values()) else ""
    endings = [paths[0].suffix for paths in listed[0]]
    *images, masks = (f"{above}{kind}/{{name}}{ending}" for kind, ending in zip(kinds, endings, strict=True))
    mask_files = [path for of_kind in listed for path in of_kind[-1]]
    table = {
        "name": re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") or "pairs",
        "task": task,
        "images": {"files": images, **_images(listed[0][0][0], mask_files[0])},
        "masks": {"files": [masks], **_codes(folder, task, mask_files)},
        "places": {side: [f"{group}/*".lstrip("/")] for side, group in groups.items()},
    }
    card = validated(table, PairCard, folder, "card", SceneError)
    codes = zip(card.masks.codes, card.masks.names, strict=True)
    left_out = [there[n] for n in chain(*SIDES.values()) if n in there and there[n] not in groups.values()]
    what = "change between two dates" if task == "change" else "segmentation"
    said = [
        f"{folder} has no card: taken for {what} in {len(mask_files)} places ({', '.join(kinds)}), "
        + ("no sides named" if "any" in groups else "sides as named"),
        f"{', '.join(left_out)} left out" if left_out else "",
        "codes of masks " + "; ".join(f"{'/'.join(map(str, some))} = {name}" for some, name in codes),
        f"{'/'.join(map(str, card.masks.ignore))} = ignored" if card.masks.ignore else "",
    ]
    return card, "; ".join(filter(None, said))


def _folders(folder: Path) -> dict[str, str]:
    """The folders inside a folder: their names by these in small letters."""
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")
    return {path.name.lower(): path.name for path in inside}


def _layout(folder: Path, groups: list[str]) -> tuple[str, list[str]]:
    """The task, and the folders of each group, that of the masks last."""
    first, *others = (_folders(folder / group) for group in groups)
    for task, names in LAYOUTS.items():
        kinds = [next((first[name] for name in some if name in first), "") for some in names]
        if all(kinds) and all(set(kinds) <= set(found.values()) for found in others):
            return task, kinds
    raise _unclear(folder, ", ".join(sorted(_folders(folder).values())[:8]) or "no folder")


def _files(folder: Path) -> list[Path]:
    """The arrays and images of a folder, in order, which have one ending."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.name[0] != ".")
    if len(endings := sorted({path.suffix for path in paths})) != 1:
        found = f"files of {', '.join(endings)} in {folder.name}" if endings else f"no file in {folder.name}"
        raise _unclear(folder, f"{found}; files of one kind have one ending")
    return paths


def _unclear(folder: Path, found: str) -> SceneError:
    return SceneError(
        f"{folder} must hold one card (.toml), or pairs in a usual layout: A, B, label; images, masks; or these "
        "under train and test",
        value=found,
        hint="Write a card: docs/masks.md shows one.",
    )


def _images(path: Path, mask: Path) -> dict[str, Any]:
    """Return the entries of [images], from the file of the first image."""
    said = read_declared(path)
    found: dict[str, Any] = {"units": "as in the files"}
    if said.scale is not None:
        found |= {"scale": said.scale, "offset": said.offset}
    if said.wavelengths:
        found["wavelengths"] = list(said.wavelengths)
    if path.suffix.lower() == ".npy":
        shape, wanted = read_cube_file(path).array.shape, read_label_file(mask).shape
        found["axes"] = "bhw" if shape[1:] == wanted and shape[:2] != wanted else "hwb"
    return found


def _codes(folder: Path, task: str, masks: list[Path]) -> dict[str, Any]:
    """names, codes and ignore of [masks]."""
    found = sorted(set().union(*(_codes_of(path, path.stat().st_mtime_ns) for path in masks)))
    if task == "change":
        if len(found) != 2:
            raise _odd_codes(folder, "two codes, unchanged and the larger changed", found)
        return {"names": ["unchanged", "changed"], "codes": [[code] for code in found]}
    classes = [code for code in found if code not in EMPTY]
    # 0 or 255 beside a single other code is the class of all else, not the lack of one.
    classes = classes if len(classes) > 1 else [code for code in found if code != 255 or len(found) == 2]
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise _odd_codes(folder, f"2 to {MOST_CLASSES} codes of classes", found)
    return {
        "names": [f"class {code}" for code in classes],
        "codes": [[code] for code in classes],
        "ignore": [code for code in found if code not in classes],
    }


def _odd_codes(folder: Path, wanted: str, found: list[int]) -> SceneError:
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return SceneError(
        f"{folder}: masks must hold {wanted}",
        value=f"codes {', '.join(map(str, found[:8]))}{more}",
        hint="Check the masks, or write a card that says what each code is: docs/masks.md shows one.",
    )


@lru_cache(maxsize=100_000)
def _codes_of(path: Path, changed: int) -> frozenset[int]:
    """The codes of a mask; changed: when its file was, so that a new one is read. Raises SceneError for fractions."""
    values = np.unique(read_label_file(path))
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise SceneError(
            f"{path}: codes of masks are whole numbers", value=f"{values[:4]}", hint="Convert the mask."
        )
    return frozenset(int(value) for value in values)
