"""The names of the public scenes and sets of pairs, the cards of scenes, and their files: which are
here and right.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsiaug.base.errors import (
    DataUnavailableError,
    HsiaugError,
    InputError,
    SceneError,
    did_you_mean,
)
from hsiaug.data.bounds import in_bytes
from hsiaug.data.embedded import embedded_path
from hsiaug.data.paths import check_filled, checksum_of, is_file, user_path
from hsiaug.data.tomlfile import read_toml, validate_table

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec, SceneCard
    from hsiaug.data.pair_cards import PairCard
    from hsiaug.data.tomlfile import Model

SCENES = Path(__file__).parent / "scenes"
SETS = Path(__file__).parent / "pairs"
OF_PAIRS = {"images", "masks"}
"""Tables that only cards of pairs have."""
MOST_CARDS = 20
"""Cards that a hint names at most."""
LOOK = "_look.png"
"""End of the name of the picture that is made beside a card of one's own; it shows the labels."""


@dataclass(frozen=True)
class SceneEntry:
    """A card, and the folders its files are looked for in; downloads go into the first.

    Attributes
    ----------
    public : bool
        Of the catalogue.
    """

    card: SceneCard
    folders: tuple[Path, ...]
    public: bool = False


def data_dir() -> Path:
    """Return the folder of scene files: $HSIAUG_DATA_DIR if set, else the user's data folder for
    hsiaug.
    """
    import platformdirs

    chosen = os.environ.get("HSIAUG_DATA_DIR")
    return (
        user_path(chosen) if chosen else Path(platformdirs.user_data_dir("hsiaug", appauthor=False))
    )


@cache
def scene_names() -> tuple[str, ...]:
    """Names of the catalogue, in alphabetical order."""
    return tuple(sorted(path.stem for path in SCENES.glob("*.toml")))


@cache
def pair_set_names() -> tuple[str, ...]:
    """Names of the catalogue's sets of image–mask pairs."""
    return tuple(sorted(path.stem for path in SETS.glob("*.toml")))


def own_card(ref: str | os.PathLike[str]) -> Path | None:
    """The path of a card of one's own, which ends in ``.toml``; None for anything else, as a name
    of the catalogue.
    """
    text = os.fspath(ref)
    return user_path(text) if text.lower().endswith(".toml") else None


def read_card(path: Path) -> SceneCard:
    """The card in a TOML file.

    Raises SceneError, naming the file, the key and the hint, where it is missing, no TOML, or
    breaks the schema.
    """
    from hsiaug.data.cards import SceneCard

    return _read_card(path, SceneCard)


def read_pair_card(path: Path) -> PairCard:
    """The card of a set of image–mask pairs in a TOML file. Raises as :func:`read_card` does."""
    from hsiaug.data.pair_cards import PairCard

    return _read_card(path, PairCard)


def _read_card(path: Path, schema: type[Model]) -> Model:
    try:
        return validate_table(read_toml(path, "card", SceneError), schema, path, "card", SceneError)
    except FileNotFoundError:
        raise SceneError(f"card {path} must exist", hint=_other_cards(path)) from None


def _other_cards(path: Path) -> str:
    """The hint for a card that is not there: those that are, or how to write one."""
    folder = path.parent
    cards = [
        card.name
        for card in sorted(folder.glob("*.toml"))
        if _card_keys(card) & {"cube", *OF_PAIRS}
    ]
    if not folder.is_dir():
        return f"There is no folder {folder}: check the path."
    if not cards:
        return f"{folder}/ holds no card. Write one: hsiaug datasets add CUBE --labels FILE."
    return f"Cards in {folder}/: {', '.join(cards[:MOST_CARDS])}."


def is_pair_card(path: Path) -> bool:
    """True where a TOML file has a table [images] or [masks], which only cards of pairs have.

    False of one that cannot be read, of which the reader of cards says more.
    """
    return bool(_card_keys(path) & OF_PAIRS)


def _card_keys(path: Path) -> set[str]:
    """The keys of a TOML file; none of one that cannot be read."""
    try:
        return set(read_toml(path, "card", SceneError))
    except (FileNotFoundError, SceneError):
        return set()


def scene_card(ref: str | os.PathLike[str]) -> SceneCard:
    """The card of a catalogue name, or in a file ending in ``.toml``.

    Raises InputError for an unknown name (with near matches), SceneError for a card that is not
    valid.
    """
    return find_entry(ref).card


def find_entry(ref: str | os.PathLike[str]) -> SceneEntry:
    """The card of a scene, and where its files are looked for. Raises as :func:`scene_card`
    does.
    """
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
        rule = "a scene is a name of the catalogue, or the path of your own card, ending in .toml"
        first = ""
        if is_file(Path(text)):
            first = f"Write its card first: hsiaug datasets add {text} --labels FILE."
        elif Path(text).is_dir():
            first = f"See what is in the folder: hsiaug start {text}."
        raise InputError(
            rule,
            value=repr(text),
            hint=first or did_you_mean(name, (*scene_names(), *pair_set_names())),
        )
    return SceneEntry(_catalogue_card(name), (data_dir() / name, data_dir()), public=True)


@cache
def _catalogue_card(name: str) -> SceneCard:
    return read_card(SCENES / f"{name}.toml")


def _not_a_scene(ref: str) -> InputError:
    rule = "this needs a scene, a cube with labels for single pixels"
    hint = (
        "Sets are for 'hsiaug benchmark', 'generate', 'inspect', 'split' and 'datasets'; see"
        " docs/masks.md."
    )
    return InputError(rule, value=f"{ref}, a set of image–mask pairs", hint=hint)


Status = Literal["embedded", "here", "to download", "place by hand", "package missing"]


def status(entry: SceneEntry) -> Status:
    """Return what has to be done before a scene can be loaded. Looks for files, but does not hash
    them.
    """
    if entry.card.procedural:
        return "embedded"
    packaged = [spec for spec in entry.card.files if spec.package]
    if any(_embedded_path(spec) is None for spec in packaged):
        return "package missing"
    absent = [spec for spec in entry.card.files if missing_names(entry, spec)]
    if absent:
        return "to download" if all(spec.urls for spec in absent) else "place by hand"
    return "embedded" if packaged else "here"


def _embedded_path(spec: FileSpec) -> Path | None:
    return embedded_path(spec.package or "", spec.file or "")


def missing_names(entry: SceneEntry, spec: FileSpec) -> list[str]:
    """Names of the files of one array that are in none of the scene's folders."""
    if spec.package:
        return [] if _embedded_path(spec) else [spec.file or ""]
    names = [name for name in (spec.file, spec.data) if name]
    return [name for name in names if not any(is_file(folder / name) for folder in entry.folders)]


def check_spared(ref: str, paths: Iterable[Path]) -> None:
    """Raise InputError where a file that is to be written is one of the scene's own."""
    try:
        entry = find_entry(ref)
    except HsiaugError:
        return  # a set of pairs; of others, the loader says what is wrong
    scene_files = [path for spec in entry.card.files for path in files_of(entry, spec)]
    for path in paths:
        if path.exists() and any(path.samefile(file) for file in scene_files):
            raise InputError(
                f"`out` {path} must not be a file of the scene",
                value=ref,
                hint="Name another file.",
            )


def files_of(entry: SceneEntry, spec: FileSpec) -> list[Path]:
    """The files of one array that are here, whatever they hold."""
    if spec.package:
        return [path] if (path := _embedded_path(spec)) else []
    names = [name for name in (spec.file, spec.data) if name]
    return [path for name in names for folder in entry.folders if is_file(path := folder / name)]


def find_file(entry: SceneEntry, spec: FileSpec) -> Path | None:
    """The file, once its size and checksum fit; None where it is not here.

    Raises SceneError, naming both checksums, where only a wrong file is here, and
    DataUnavailableError where the package that should carry it is not installed.
    """
    if spec.package:
        path = _embedded_path(spec)
        if path is None:
            rule = f"scene {entry.card.name} comes with the Python package {spec.package}"
            hint = f"Install it: pip install --force-reinstall {spec.package}"
            raise DataUnavailableError(rule, value=f"no {spec.file} in it", hint=hint)
        paths = [path]
    else:
        paths = [folder / (spec.file or "") for folder in entry.folders]
    wrong = None
    for path in filter(is_file, paths):
        check_filled(path)
        actual = checksum_of(path) if spec.sha256 else None
        if actual == spec.sha256:
            return path
        wrong = wrong or (path, actual)
    if wrong is None:
        return None
    path, actual = wrong
    mend = "It is damaged, incomplete or another version: move it away and try again"
    if spec.urls:
        mend += f"; a fresh copy is at {spec.urls[0]}"
    rule = f"{path} must have sha256 {spec.sha256}, as the card of {entry.card.name} says"
    hint = (
        f"Install it again: pip install --force-reinstall {spec.package}"
        if spec.package
        else f"{mend}."
    )
    raise SceneError(rule, value=f"sha256 {actual} ({in_bytes(path.stat().st_size)})", hint=hint)
