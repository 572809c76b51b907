"""The names of the public scenes and sets of pairs, the scenes' cards, and the folder their files live in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import InputError, SceneError, did_you_mean
from hsiaug.data.paths import user_path
from hsiaug.data.tomlfile import read_toml, validated

if TYPE_CHECKING:
    from hsiaug.data.cards import SceneCard
    from hsiaug.data.pair_cards import PairCard

SCENES = Path(__file__).parent / "scenes"
SETS = Path(__file__).parent / "pairs"
CARDS: tuple[set[str], ...] = ({"cube", "labels"}, {"images", "masks"})
"""Tables that a card of either kind has."""


@dataclass(frozen=True)
class SceneEntry:
    """A card, and the folders its files are looked for in; downloads go into the first. public: of the catalogue."""

    card: SceneCard
    folders: tuple[Path, ...]
    public: bool = False


def data_dir() -> Path:
    """Return the folder of scene files: $HSIAUG_DATA_DIR if set, else the user's data folder for hsiaug."""
    import platformdirs

    chosen = os.environ.get("HSIAUG_DATA_DIR")
    return user_path(chosen) if chosen else Path(platformdirs.user_data_dir("hsiaug", appauthor=False))


@cache
def scene_names() -> tuple[str, ...]:
    """Names of the catalogue, in alphabetical order."""
    return tuple(sorted(path.stem for path in SCENES.glob("*.toml")))


@cache
def pair_set_names() -> tuple[str, ...]:
    """Names of the catalogue's sets of image–mask pairs."""
    return tuple(sorted(path.stem for path in SETS.glob("*.toml")))


def own_card(ref: str | os.PathLike[str]) -> Path | None:
    """The path of a card of one's own: a file that ends in ``.toml``, or the only card in a folder; else None.

    Raises InputError for a folder with none, or with several.
    """
    text = os.fspath(ref)
    if text.lower().endswith(".toml"):
        return user_path(text)
    folder = own_folder(ref)
    if folder is None:
        return None
    cards = [path for path in sorted(folder.glob("*.toml")) if any(kind <= _tables(path) for kind in CARDS)]
    if len(cards) != 1:
        raise InputError(
            f"a folder must hold one card (.toml) of a scene or of image–mask pairs: {text}",
            value=", ".join(path.name for path in cards) or "none",
            hint="Name one of them in place of the folder."
            if cards
            else "docs/masks.md and docs/scenes.md show one.",
        )
    return cards[0]


def own_folder(ref: str | os.PathLike[str]) -> Path | None:
    """The folder of one's own data; None for a name of the catalogue, also where there is a folder of that name here."""
    text = os.fspath(ref)
    path = user_path(text)
    try:
        there = path.is_dir()
    except (OSError, ValueError):  # a name that no folder can have
        return None
    return path if there and text.lower().replace("-", "_") not in (*scene_names(), *pair_set_names()) else None


def read_card(path: Path) -> SceneCard:
    """The card in a TOML file.

    Raises SceneError, naming the file, the key and the hint, where it is missing, no TOML, or breaks the schema.
    """
    from hsiaug.data.cards import SceneCard

    return validated(_card_table(path), SceneCard, path, "card", SceneError)


def read_pair_card(path: Path) -> PairCard:
    """The card of a set of image–mask pairs in a TOML file. Raises as :func:`read_card` does."""
    from hsiaug.data.pair_cards import PairCard

    return validated(_card_table(path), PairCard, path, "card", SceneError)


def _card_table(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path, "card", SceneError)
    except FileNotFoundError:
        hint = "Check the path, or see docs/scenes.md for how to write a card."
        raise SceneError(f"card {path} must exist", hint=hint) from None


def _tables(path: Path) -> set[str]:
    """The names at the top of a TOML file; none of one that cannot be read, of which the reader of cards says more."""
    try:
        return set(read_toml(path, "card", SceneError))
    except (FileNotFoundError, SceneError):
        return set()


def is_pair_card(path: Path) -> bool:
    """True where a TOML file has a table [images] or [masks], which only cards of pairs have."""
    return bool(_tables(path) & {"images", "masks"})


def scene_card(ref: str | os.PathLike[str]) -> SceneCard:
    """The card of a catalogue name, or in a file ending in ``.toml``.

    Raises InputError for an unknown name (with near matches), SceneError for a card that is not valid.
    """
    return find_entry(ref).card


def find_entry(ref: str | os.PathLike[str]) -> SceneEntry:
    """The card of a scene, and where its files are looked for. Raises as :func:`scene_card` does."""
    text = os.fspath(ref)
    path = own_card(ref)
    if path is not None:
        if is_pair_card(path):
            raise _not_a_scene(text)
        return SceneEntry(read_card(path), (path.absolute().parent,))
    name = text.lower().replace("-", "_")
    if name in pair_set_names():
        raise _not_a_scene(text)
    if name not in scene_names():
        raise InputError(
            "a scene is a name of the catalogue, or the path of your own card, ending in .toml",
            value=repr(text),
            hint=did_you_mean(name, (*scene_names(), *pair_set_names())),
        )
    return SceneEntry(_catalogue_card(name), (data_dir() / name, data_dir()), public=True)


@cache
def _catalogue_card(name: str) -> SceneCard:
    return read_card(SCENES / f"{name}.toml")


def _not_a_scene(ref: str) -> InputError:
    return InputError(
        "this needs a scene, a cube with labels for single pixels",
        value=f"{ref}, a set of image–mask pairs",
        hint="Sets are for 'hsiaug benchmark', 'generate', 'inspect', 'split' and 'datasets'; see docs/masks.md.",
    )
