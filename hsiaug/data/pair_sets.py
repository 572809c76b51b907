"""Sets of image–mask pairs: which there are, where their files are looked for, and which files are
missing.
"""

from __future__ import annotations

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
    from hsiaug.data.pair_cards import PairCard

BESIDE = (".aux.xml", ".msk", ".ovr", ".hdr")
"""Endings of files that may say what the numbers of a TIFF beside them mean."""

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

    def bands_of(self, pattern: str) -> tuple[str, ...]:
        """The bands that fill a pattern of images, a file each; "" where it names none."""
        return self.bands if "{band}" in pattern else ("",)

    @property
    def named(self) -> dict[Side, tuple[str, ...]]:
        """The places of the card by side, patterns as they are."""
        places = self.card.places
        return {"train": places.train, "test": places.test, "any": places.any}

    def present(self) -> dict[Side, list[str]]:
        """The places whose first image is here, by side; patterns are replaced by what fits them,
        in order.
        """
        return {side: list(names) for side, names in self._present.items()}

    @cached_property
    def _present(self) -> dict[Side, list[str]]:
        here_by_side: dict[Side, list[str]] = {}
        images = self.card.images
        for side, stated in self.named.items():
            names_here: list[str] = []
            for name in stated:
                matches = find_files(
                    self.folder, fill_pattern(images.files[0], name, (self.bands or ("",))[0])
                )
                if "*" in name:
                    group = name.rpartition("/")[0]
                    names_here += [
                        f"{group}/{path.stem}" if group else path.stem for path in matches
                    ]
                elif matches:
                    names_here.append(name)
            here_by_side[side] = names_here
        return here_by_side

    def stands_alone(self, path: Path) -> bool:
        """Whether no file in the folder of a TIFF may say what its numbers mean."""
        with_more = self._folders_with_more
        if path.parent not in with_more:
            names = (entry.name for entry in os.scandir(path.parent))
            with_more[path.parent] = any(
                name.endswith(BESIDE) or "SPECTRAL_IMAGE" in name for name in names
            )
        return not with_more[path.parent]

    @cached_property
    def _folders_with_more(self) -> dict[Path, bool]:
        return {}

    def missing_places(self) -> list[str]:
        """The places, or patterns of places, without a first image."""
        here = {side: set(names) for side, names in self._present.items()}
        return [
            name
            for side, names in self.named.items()
            for name in names
            if (not here[side] if "*" in name else name not in here[side])
        ]

    def missing(self) -> dict[str, list[str]]:
        """The places that lack a file, those first that are not here at all; of each what is not
        here, as patterns.
        """
        images = self.card.images
        masks = self.card.masks
        missing = {}
        for place in [
            *self.missing_places(),
            *(p for listed in self.present().values() for p in listed),
        ]:
            needed = [
                fill_pattern(p, place, band) for p in images.files for band in self.bands_of(p)
            ]
            needed += [fill_pattern(p, place) for p in masks.by_class]
            lacking = [text for text in needed if not find_files(self.folder, text)]
            if masks.files and self._mask_pattern_here(place) is None:
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
        return self._mask_pattern_here(place) or first

    def _mask_pattern_here(self, place: str) -> str | None:
        """The first pattern of a mask of which the place has a file; None where it has none."""
        patterns = self.card.masks.files
        return next((p for p in patterns if find_files(self.folder, fill_pattern(p, place))), None)


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
            rule = "bands by their names are for sets of image–mask pairs"
            raise InputError(rule, value=repr(os.fspath(ref)), hint=f"Write {text}.")
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
            rule = f"bands of {card.name} must be names of its card, each once"
            hint = "Its card names none." if not named else f"Names: {', '.join(named)}."
            raise InputError(rule, value=repr(band), hint=hint)
    return bands


def pairs_status(entry: PairEntry) -> str:
    """The state of a set: "here", also where some places of one that allows it are missing, or
    "place by hand".
    """
    few = entry.card.allow_missing and any(entry.present().values())
    return "here" if few or not entry.missing_places() else "place by hand"


def check_pairs(entry: PairEntry) -> None:
    """See to it that no file of a set is missing.

    Raises DataUnavailableError where a public set is not here, SceneError where some files are
    missing.
    """
    card = entry.card
    if entry.public and pairs_status(entry) != "here":
        value = f"nothing in {entry.folder} at {_list_missing(entry.missing())}"
        hint = (
            f"Get the files{f' from {card.homepage}' if card.homepage else ''} and put them there."
        )
        raise DataUnavailableError(
            f"set {card.name} cannot be downloaded automatically", value=value, hint=hint
        )
    wanting, here = entry.missing(), entry.present()
    if card.allow_missing and all(here[side] for side, names in entry.named.items() if names):
        absent = set(entry.missing_places())
        wanting = {place: wanting[place] for place in wanting if place not in absent}
    if wanting:
        rule = f"set {card.name}: every place of its card needs its files in {entry.folder}"
        hint = "Put them there, or correct places, images.files and masks.files in the card."
        raise SceneError(rule, value=f"nothing at {_list_missing(wanting)}", hint=hint)


def _list_missing(missing: dict[str, list[str]]) -> str:
    """The missing files of the first places, and how many more places there are."""
    texts = [f"{shortly(files)} (of {place})" for place, files in missing.items()]
    return shortly(texts, "; ")


def shortly(texts: list[str], between: str = ", ") -> str:
    """The first of some texts, and how many more there are."""
    more = len(texts) - SHOWN
    return between.join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")
