"""The usual layouts of folders of image–mask pairs, by the names of their folders and files.

Three are known: cities with a folder per date (as OSCD's ``CITY/imgs_1``, ``imgs_2``, ``cm``), two folders of dates and
one of masks (as LEVIR-CD's ``A``, ``B``, ``label``), and images beside masks. Any of them may lie in ``train/`` and
``val/`` or ``test/``, which then are the sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hsiaug.base.errors import UnclearFolderError

__all__ = ["Layout", "find_layout"]

ENDINGS = (".tif", ".tiff", ".npy", ".png", ".bmp")
SIDES: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
}
"""Folders of each side; of a side the first that is there."""

CITY = ("imgs_1", "imgs_2", "cm")
FLAT: tuple[tuple[Literal["segmentation", "change"], tuple[tuple[str, ...], ...]], ...] = (
    ("change", (("a",), ("b",), ("label", "labels", "mask", "masks"))),
    (
        "segmentation",
        (("images", "image", "imgs", "img"), ("masks", "mask", "labels", "label", "annotations", "annotation")),
    ),
)
"""Of each task the names that its folders may have, whatever their case: one folder per date, then that of the masks."""

CITY_MASKS = ("cm/{name}-cm.tif", "cm/*.tif", "cm/cm.png", "cm/*.png", "cm/*.npy")
"""Masks of a city, the best first: OSCD's PNGs are pictures of its TIFFs, one of them antialiased."""


@dataclass(frozen=True)
class Layout:
    """What the folders and files of a set say.

    title: in words. images, masks: patterns, as in a card. bands: where a file holds one of them. sides: the places as in
    a card, patterns of them where they are files. places: each of them. left_out: folders that are not read.
    """

    title: str
    task: Literal["segmentation", "change"]
    images: tuple[str, ...]
    masks: tuple[str, ...]
    bands: tuple[str, ...]
    sides: Mapping[str, tuple[str, ...]]
    places: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def find_layout(folder: Path) -> Layout:
    """The layout of a folder. Raises UnclearFolderError where it has none of the usual ones, or its files do not fit."""
    found = _folders(folder)
    if set(CITY) <= found.keys():
        raise _unclear(folder, "a city of its own", f"Name the folder that holds {folder.name}.")
    groups, left_out = _groups(folder, found)
    cities = {side: _cities(folder, group) for side, group in groups.items()}
    if all(cities.values()):
        return _of_cities(folder, cities, left_out)
    for task, names in FLAT:
        matches = {side: _matching(_folders(folder / group), names) for side, group in groups.items()}
        if all(matches.values()):
            return _of_files(folder, task, groups, matches, left_out)
    raise _unclear(folder, f"{', '.join(sorted(found.values())[:8]) or 'no folder'}", "")


def _folders(folder: Path) -> dict[str, str]:
    """The folders inside a folder: their names by these in small letters."""
    return {
        path.name.lower(): path.name
        for path in sorted(folder.iterdir())
        if path.is_dir() and path.name[0] not in "._"
    }


def _groups(folder: Path, found: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The folder of each side, or that of all places as side "any"; and those of further sides, which are not read."""
    sides = {side: next((found[name] for name in names if name in found), "") for side, names in SIDES.items()}
    there = {side: name for side, name in sides.items() if name}
    known = [found[name] for names in SIDES.values() for name in names if name in found]
    left_out = tuple(name for name in known if name not in there.values())
    if len(there) == 2:
        return there, left_out
    return {"any": next(iter(there.values()), "")}, left_out


def _cities(folder: Path, group: str) -> list[str]:
    """The places of a group that have the folders of a city."""
    base = folder / group
    return [
        f"{group}/{name}" if group else name
        for name in _folders(base).values()
        if set(CITY) <= _folders(base / name).keys()
    ]


def _matching(found: Mapping[str, str], names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The folder for each list of names; none at all where one is missing."""
    chosen = tuple(next((found[name] for name in some if name in found), "") for some in names)
    return chosen if all(chosen) else ()


def _of_cities(folder: Path, cities: Mapping[str, list[str]], left_out: tuple[str, ...]) -> Layout:
    places = tuple(place for names in cities.values() for place in names)
    dates = [f"{{place}}/{date}" for date in CITY[:2]]
    files = {(place, date): _files(folder / place / date) for place in places for date in CITY[:2]}
    bands: tuple[str, ...] = ()
    if all(len(paths) == 1 for paths in files.values()):
        pattern = f"*{_ending(folder, [path for paths in files.values() for path in paths])}"
    else:
        ending = _ending(folder, [path for paths in files.values() for path in paths])
        sets = {at: frozenset(path.stem.rpartition("_")[2] for path in paths) for at, paths in files.items()}
        common = frozenset.intersection(*sets.values())
        if odd := next((at for at in sets if sets[at] != common), None):
            extra = ", ".join(sorted(sets[odd] - common))
            raise _unclear(folder, f"files of {extra} in {'/'.join(odd)} alone", "Give every date the same bands.")
        pattern, bands = f"*_{{band}}{ending}", tuple(sorted(common))
    used = {_mask_of(folder / place) for place in places}
    masks = tuple(f"{{place}}/{mask}" for mask in CITY_MASKS if mask in used)
    images = tuple(f"{date}/{pattern}" for date in dates)
    sides = {side: tuple(names) for side, names in cities.items()}
    title = f"change between two dates of {len(places)} cities ({', '.join(CITY)})"
    return Layout(title, "change", images, masks, bands, sides, places, left_out)


def _mask_of(city: Path) -> str:
    """The pattern of a city's mask."""
    for mask in CITY_MASKS:
        if any(city.glob(mask.replace("{name}", city.name))):
            return mask
    raise _unclear(city, "no mask in cm", "Put it there.")


def _of_files(
    folder: Path,
    task: Literal["segmentation", "change"],
    groups: Mapping[str, str],
    matches: Mapping[str, tuple[str, ...]],
    left_out: tuple[str, ...],
) -> Layout:
    kinds = next(iter(matches.values()))
    if odd := next((names for names in matches.values() if names != kinds), None):
        raise _unclear(folder, f"{', '.join(kinds)} and {', '.join(odd)}", "Name them alike on both sides.")
    # Side, then kind: the files there.
    listed = [[_files(folder / group / kind) for kind in kinds] for group in groups.values()]
    endings = [
        _ending(folder, [path for kind in kind_files for path in kind]) for kind_files in zip(*listed, strict=True)
    ]
    places = tuple(_stems(folder, listed, tuple(groups.values()), kinds))
    above = "{group}/" if any(groups.values()) else ""
    *images, masks = (f"{above}{kind}/{{name}}{ending}" for kind, ending in zip(kinds, endings, strict=True))
    sides = {side: (f"{group}/*" if group else "*",) for side, group in groups.items()}
    what = "change between two dates" if task == "change" else "segmentation"
    title = f"{what} in {len(places)} places ({', '.join(kinds)})"
    return Layout(title, task, tuple(images), (masks,), (), sides, places, left_out)


def _stems(
    folder: Path, listed: list[list[list[Path]]], groups: tuple[str, ...], kinds: tuple[str, ...]
) -> Iterator[str]:
    """The places: every stem must be among the files of each kind."""
    for group, of_kind in zip(groups, listed, strict=True):
        stems = [{path.stem for path in paths} for paths in of_kind]
        for kind, some in zip(kinds, stems, strict=True):
            if lacking := sorted(set().union(*stems) - some):
                more = f" and {len(lacking) - 4} more" if len(lacking) > 4 else ""
                raise _unclear(
                    folder,
                    f"nothing in {'/'.join(filter(None, (group, kind)))} for {', '.join(lacking[:4])}{more}",
                    "Files of one place have the same name but for the ending.",
                )
        yield from (f"{group}/{stem}" if group else stem for stem in sorted(stems[0]))


def _files(folder: Path) -> list[Path]:
    """The arrays and images of a folder, in order."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.name[0] != ".")


def _ending(folder: Path, paths: Iterable[Path]) -> str:
    """The one ending of files."""
    endings = sorted({path.suffix for path in paths})
    if len(endings) != 1:
        wanted = f"Files of one kind have one ending: {', '.join(ENDINGS)}."
        raise _unclear(folder, f"files of {', '.join(endings)}" if endings else "a folder without files", wanted)
    return endings[0]


def _unclear(folder: Path, found: str, hint: str) -> UnclearFolderError:
    rule = (
        f"{folder} must hold one card (.toml), or pairs in a usual layout: CITY/imgs_1, imgs_2, cm; A, B, label; images, "
        "masks; or these under train and test"
    )
    return UnclearFolderError(rule, value=found, hint=hint or "Write a card, as below.")
