"""The names of the public scenes, their cards, and the folder their files live in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.data.cardfile import read_card
from hsiaug.data.paths import user_path
from hsiaug.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from hsiaug.data.cards import SceneCard

__all__ = ["Entry", "data_dir", "find_entry", "scene_card", "scene_names"]

SCENES = Path(__file__).parent / "scenes"


@dataclass(frozen=True)
class Entry:
    """A card, and the folders its files are looked for in; downloads go into the first."""

    card: SceneCard
    folders: tuple[Path, ...]


def data_dir() -> Path:
    """Where scene files are kept: $HSIAUG_DATA_DIR if set, else the user's data folder for hsiaug."""
    import platformdirs

    chosen = os.environ.get("HSIAUG_DATA_DIR")
    return user_path(chosen) if chosen else Path(platformdirs.user_data_dir("hsiaug", appauthor=False))


@cache
def scene_names() -> tuple[str, ...]:
    """Names of the catalogue, in alphabetical order."""
    return tuple(sorted(path.stem for path in SCENES.glob("*.toml")))


def scene_card(ref: str | os.PathLike[str]) -> SceneCard:
    """The card of a catalogue name, or in a file ending in ``.toml``.

    Raises InputError for an unknown name (with near matches), SceneError for a card that is not valid.
    """
    return find_entry(ref).card


def find_entry(ref: str | os.PathLike[str]) -> Entry:
    """The card of a scene, and where its files are looked for. Raises as :func:`scene_card` does."""
    text = os.fspath(ref)
    if text.lower().endswith(".toml"):
        path = user_path(text)
        return Entry(read_card(path), (path.absolute().parent,))
    name = text.lower().replace("-", "_")
    if name not in scene_names():
        raise InputError(
            "a scene is a name of the catalogue, or the path of your own card, ending in .toml",
            value=repr(text),
            mend=did_you_mean(name, scene_names()),
        )
    return Entry(_catalogue_card(name), (data_dir() / name, data_dir()))


@cache
def _catalogue_card(name: str) -> SceneCard:
    return read_card(SCENES / f"{name}.toml")
