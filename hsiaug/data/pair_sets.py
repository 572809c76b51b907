"""Sets of image–mask pairs: which there are, where their files are looked for, and which files are
missing.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.base.errors import DataUnavailableError, InputError, SceneError
from hsiaug.data.catalogue import (
    SETS,
    data_dir,
    is_pair_card,
    own_card,
    pair_set_names,
    read_pair_card,
)
from hsiaug.data.paths import fill_pattern, find_files

if TYPE_CHECKING:
    from hsiaug.core.pairs import Side
    from hsiaug.data.cards import PairCard

SHOWN = 4
"""Places, and files of each, that an error names before it counts the rest."""


@dataclass(frozen=True)
class PairEntry:
    """A card of image–mask pairs, and the folder that its patterns are relative to.

    Attributes
    ----------
    public : bool
        Of the catalogue.
    chosen : tuple of str
        Names of the bands that are read, in this order; empty = all.
    """

    card: PairCard
    folder: Path
    public: bool
    chosen: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """That of the card, with the bands that are chosen."""
        return f"{self.card.name}:{'+'.join(self.chosen)}" if self.chosen else self.card.name

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands that are read; empty where the card names none."""
        return self.chosen or self.card.images.bands

    @property
    def chosen_places(self) -> list[int]:
        """Numbers, from 0 on, of the bands that are chosen among those of the card."""
        return [self.card.images.bands.index(band) for band in self.chosen]

    @property
    def named(self) -> dict[Side, tuple[str, ...]]:
        """The places of the card by side, patterns as they are."""
        places = self.card.places
        return {"train": places.train, "test": places.test, "any": places.any}

    def files(self, pattern: str, place: str, band: str = "") -> list[Path]:
        """The files that fit a pattern of the card."""
        return find_files(self.folder, fill_pattern(pattern, place, band))

    @cached_property
    def present(self) -> dict[Side, list[str]]:
        """The places whose first image is here, by side; patterns are replaced by what fits them,
        in order.
        """
        here: dict[Side, list[str]] = {side: [] for side in self.named}
        for side, names in self.named.items():
            for name in names:
                matches = self.files(self.card.images.files[0], name, (self.bands or ("",))[0])
                group = "".join(name.rpartition("/")[:2])
                fitting = [f"{group}{path.stem}" for path in matches]
                here[side] += fitting if "*" in name else [name] * bool(matches)
        return here

    def missing_places(self) -> list[str]:
        """The places, or patterns of places, without a first image."""
        return [
            name
            for side, names in self.named.items()
            for name in names
            if name not in self.present[side] and not ("*" in name and self.present[side])
        ]

    def missing(self) -> dict[str, list[str]]:
        """The places that lack a file, those first that are not here at all; of each what is not
        here, as patterns.
        """
        images, masks = self.card.images, self.card.masks
        missing = {}
        for place in [*self.missing_places(), *itertools.chain(*self.present.values())]:
            needed = [
                (pattern, band)
                for pattern in images.files
                for band in (self.bands if "{band}" in pattern else ("",))
            ]
            needed += [(pattern, "") for pattern in masks.by_class]
            lacking = [
                fill_pattern(pattern, place, band)
                for pattern, band in needed
                if not self.files(pattern, place, band)
            ]
            if masks.files and not any(self.files(pattern, place) for pattern in masks.files):
                lacking.append(fill_pattern(masks.files[0], place))
            if lacking:
                missing[place] = lacking
        return missing

    def mask_pattern(self, place: str) -> str:
        """The first pattern of a mask of which the place has a file, or of all; of masks by class
        that of the first.
        """
        first, *others = self.card.masks.files or self.card.masks.by_class[:1]
        if not others:
            return first
        return next((p for p in (first, *others) if self.files(p, place)), first)


def split_bands(ref: str | os.PathLike[str]) -> tuple[str, tuple[str, ...]]:
    """A set or a card, and the names of bands that a user typed behind it: ``oscd:B02+B03``."""
    text = os.fspath(ref)
    name, colon, listed = text.rpartition(":")
    is_set = name.lower().endswith(".toml") or name.lower().replace("-", "_") in pair_set_names()
    if not colon or not is_set:
        return text, ()
    return name, tuple(band.strip() for band in listed.split("+"))


def find_pairs(ref: str | os.PathLike[str]) -> PairEntry | None:
    """The set of a catalogue name, or of your own card of pairs, perhaps with the names of its
    bands that are wanted behind a colon; None for anything else, as a scene.

    Raises SceneError for a card of pairs that is not valid, and InputError for bands that it has
    not.
    """
    text, bands = split_bands(ref)
    path = own_card(text)
    if path is not None:
        if is_pair_card(path):
            card = read_pair_card(path)
            return PairEntry(card, path.absolute().parent, False, _checked(card, bands))
        if bands:
            raise InputError(
                "bands by their names are for sets of image–mask pairs",
                value=repr(os.fspath(ref)),
                hint=f"Write {text}.",
            )
        return None
    name = text.lower().replace("-", "_")
    if name not in pair_set_names():
        return None
    card = read_pair_card(SETS / f"{name}.toml")
    return PairEntry(card, data_dir() / name, True, _checked(card, bands))


def _checked(card: PairCard, bands: tuple[str, ...]) -> tuple[str, ...]:
    """The bands that a user names, which the card must name too, each once."""
    named = card.images.bands
    for place, band in enumerate(bands):
        if band not in named or band in bands[:place]:
            raise InputError(
                f"bands of {card.name} must be names of its card, each once",
                value=repr(band),
                hint="Its card names none." if not named else f"Names: {', '.join(named)}.",
            )
    return bands


def pairs_status(entry: PairEntry) -> str:
    """The state of a set: "here", also where some places of one that allows it are missing, or
    "place by hand".
    """
    few = entry.card.allow_missing and any(entry.present.values())
    return "here" if few or not entry.missing_places() else "place by hand"


def check_pairs(entry: PairEntry) -> None:
    """See to it that no file of a set is missing.

    Raises DataUnavailableError where a public set is not here, SceneError where some files are
    missing.
    """
    card = entry.card
    if entry.public and pairs_status(entry) != "here":
        hint = (
            f"Get the files{f' from {card.homepage}' if card.homepage else ''} and put them there."
        )
        raise DataUnavailableError(
            f"set {card.name} cannot be downloaded automatically",
            value=f"nothing in {entry.folder} at {_list_missing(entry.missing())}",
            hint=hint,
        )
    wanting, here = entry.missing(), entry.present
    if card.allow_missing and all(here[side] for side, names in entry.named.items() if names):
        absent = set(entry.missing_places())
        wanting = {place: wanting[place] for place in wanting if place not in absent}
    if wanting:
        raise SceneError(
            f"set {card.name}: every place of its card needs its files in {entry.folder}",
            value=f"nothing at {_list_missing(wanting)}",
            hint="Put them there, or correct places, images.files and masks.files in the card.",
        )


def _list_missing(missing: dict[str, list[str]]) -> str:
    """The missing files of the first places, and how many more places there are."""
    texts = [f"{shortly(files)} (of {place})" for place, files in missing.items()]
    return shortly(texts, "; ")


def shortly(texts: list[str], between: str = ", ") -> str:
    """The first of some texts, and how many more there are."""
    more = len(texts) - SHOWN
    return between.join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")
