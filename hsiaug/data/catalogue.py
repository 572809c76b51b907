"""The names of the public scenes and sets of pairs, the cards of scenes, and their files: which are
here and right, and downloads from the first of several mirrors that has them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from hsiaug.base.errors import (
    DataUnavailableError,
    HsiaugError,
    InputError,
    SceneError,
    did_you_mean,
)
from hsiaug.base.temporary_folders import sweep, temporary_folder
from hsiaug.data.bounds import in_bytes
from hsiaug.data.paths import check_filled, checksum_of, is_file, user_path
from hsiaug.data.texts import read_toml, validate_table

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec, PairCard, SceneCard
    from hsiaug.data.texts import Model

SCENES = Path(__file__).parent / "scenes"
SETS = Path(__file__).parent / "pairs"
OF_PAIRS = {"images", "masks"}
"""Tables that only cards of pairs have."""
MOST_CARDS = 20
"""Cards that a hint names at most."""
CONNECT_SECONDS = 5.0
STALL_SECONDS = 20.0
CHUNK_BYTES = 2**16
HEADERS = {"User-Agent": "hsiaug", "Accept-Encoding": "identity"}
ROOM = "Free some space there, or name another folder in HSIAUG_DATA_DIR."
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
    from hsiaug.data.cards import PairCard

    return _read_card(path, PairCard)


def _read_card(path: Path, schema: type[Model]) -> Model:
    try:
        return validate_table(read_toml(path, "card", SceneError), schema, path, "card", SceneError)
    except FileNotFoundError:
        pass
    folder = path.parent
    cards = [
        card.name
        for card in sorted(folder.glob("*.toml"))
        if _card_keys(card) & {"cube", *OF_PAIRS}
    ]
    hint = f"Cards in {folder}/: {', '.join(cards[:MOST_CARDS])}."
    if not cards:
        hint = f"{folder}/ holds no card. Write one: hsiaug datasets add CUBE --labels FILE."
    if not folder.is_dir():
        hint = f"There is no folder {folder}: check the path."
    raise SceneError(f"card {path} must exist", hint=hint)


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
    name = text.lower().replace("-", "_")
    if name in pair_set_names() or (path is not None and is_pair_card(path)):
        raise InputError(
            "this needs a scene, a cube with labels for single pixels",
            value=f"{text}, a set of image–mask pairs",
            hint="Sets are for 'hsiaug benchmark', 'generate', 'inspect' and 'datasets'; see"
            " docs/masks.md.",
        )
    if path is not None:
        return SceneEntry(read_card(path), (path.absolute().parent,))
    if name not in scene_names():
        hint = did_you_mean(name, (*scene_names(), *pair_set_names()))
        if is_file(Path(text)):
            hint = f"Write its card first: hsiaug datasets add {text} --labels FILE."
        elif Path(text).is_dir():
            hint = f"See what is in the folder: hsiaug start {text}."
        raise InputError(
            "a scene is a name of the catalogue, or the path of your own card, ending in .toml",
            value=repr(text),
            hint=hint,
        )
    return SceneEntry(_catalogue_card(name), (data_dir() / name, data_dir()), public=True)


@cache
def _catalogue_card(name: str) -> SceneCard:
    return read_card(SCENES / f"{name}.toml")


Status = Literal["embedded", "here", "to download", "place by hand", "package missing"]


def status(entry: SceneEntry) -> Status:
    """Return what has to be done before a scene can be loaded. Looks for files, but does not hash
    them.
    """
    absent = [spec for spec in entry.card.files if missing_names(entry, spec)]
    packaged = [spec for spec in entry.card.files if spec.package]
    if any(spec.package for spec in absent):
        return "package missing"
    if absent:
        return "to download" if all(spec.urls for spec in absent) else "place by hand"
    return "embedded" if packaged or entry.card.procedural else "here"


def _files_by_name(entry: SceneEntry, spec: FileSpec) -> dict[str, list[Path]]:
    """The files of one array that are here, whatever they hold."""
    if spec.package:
        path = embedded_path(spec.package, spec.file or "")
        return {spec.file or "": [] if path is None else [path]}
    return {
        name: [path for folder in entry.folders if is_file(path := folder / name)]
        for name in (spec.file, spec.data)
        if name
    }


def missing_names(entry: SceneEntry, spec: FileSpec) -> list[str]:
    """Names of the files of one array that are in none of the scene's folders."""
    return [name for name, paths in _files_by_name(entry, spec).items() if not paths]


def files_of(entry: SceneEntry, spec: FileSpec) -> list[Path]:
    """The files of one array that are here, whatever they hold."""
    return [path for paths in _files_by_name(entry, spec).values() for path in paths]


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


def find_file(entry: SceneEntry, spec: FileSpec) -> Path | None:
    """The file, once its size and checksum fit; None where it is not here.

    Raises SceneError, naming both checksums, where only a wrong file is here, and
    DataUnavailableError where the package that should carry it is not installed.
    """
    paths = _files_by_name(entry, spec).get(spec.file or "", [])
    again = f"pip install --force-reinstall {spec.package}"
    if spec.package and not paths:
        raise DataUnavailableError(
            f"scene {entry.card.name} comes with the Python package {spec.package}",
            value=f"no {spec.file} in it",
            hint=f"Install it: {again}",
        )
    found = []
    for path in paths:
        check_filled(path)
        found.append(checksum_of(path) if spec.sha256 else None)
        if found[-1] == spec.sha256:
            return path
    if not paths:
        return None
    hint = "It is damaged, incomplete or another version: move it away and try again"
    if spec.urls:
        hint += f"; a fresh copy is at {spec.urls[0]}"
    raise SceneError(
        f"{paths[0]} must have sha256 {spec.sha256}, as the card of {entry.card.name} says",
        value=f"sha256 {found[0]} ({in_bytes(paths[0].stat().st_size)})",
        hint=f"Install it again: {again}" if spec.package else f"{hint}.",
    )


def embedded_path(package: str, file: str) -> Path | None:
    """Path of a file that an installed package carries; None where it is not there."""
    try:
        spec = find_spec(package)
    except ValueError:  # a module that was not imported from a file, as __main__
        spec = None
    roots = [Path(root) for root in spec.submodule_search_locations or []] if spec else []
    return next((path for root in roots if (path := root / file).is_file()), None)


def embedded_files() -> list[Path]:
    """The files of all public scenes that installed packages carry."""
    entries = map(find_entry, scene_names())
    specs = [(entry, spec) for entry in entries for spec in entry.card.files if spec.package]
    return [path for entry, spec in specs for path in files_of(entry, spec)]


def download(files: Sequence[tuple[FileSpec, Path]], name: str, *, progress: bool) -> None:
    """Bring files to their paths: each is written under a temporary name, renamed once its checksum
    fits.

    Parameters
    ----------
    name : str
        Name of the scene, for errors.
    progress : bool
        Show it on standard error.

    Raises
    ------
    DataUnavailableError
        Where no mirror of a file has it: it says what each answered, and where to put the files
        by hand.
    """
    by_hand = "; ".join(
        f"{path.name} (sha256 {spec.sha256}) from {spec.urls[0]}" for spec, path in files
    )
    for spec, target in files:
        reasons: dict[str, str] = {}
        for url in spec.urls:
            reason = _try_mirror(url, spec, target, progress)
            if reason is None:
                break
            reasons[url] = reason
        else:
            rule = f"{target.name} ({in_bytes(spec.size)}) of {name} could not be downloaded"
            failures = "; ".join(f"{url}: {reason}" for url, reason in reasons.items())
            raise DataUnavailableError(
                rule,
                value=failures,
                hint=f"Go online and try again, or put into {target.parent} by hand: {by_hand}.",
            )


def _try_mirror(url: str, spec: FileSpec, target: Path, progress: bool) -> str | None:
    """Why this mirror did not serve, or None once the file is in place."""
    import pooch
    import requests

    from hsiaug.base.terminal import Console

    host = urlsplit(url).hostname or url
    console = Console(stderr=True)
    if progress:
        console.print(
            f"Downloading {target.name} from {host} ({in_bytes(spec.size)})", soft_wrap=True
        )
    pooch.get_logger().setLevel("ERROR")  # the line above says the same
    sweep(target.parent)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(target.parent, "download") as fresh:
            fetch = pooch.HTTPDownloader(
                progressbar=progress and console.is_terminal,
                chunk_size=CHUNK_BYTES,
                timeout=(CONNECT_SECONDS, STALL_SECONDS),
                headers=HEADERS,
            )
            pooch.retrieve(
                url, f"sha256:{spec.sha256}", fname=target.name, path=fresh, downloader=fetch
            )
            # The temporary file was private; a data folder may be shared.
            (fresh / target.name).chmod(0o644)
            (fresh / target.name).replace(target)
            return None
    except requests.HTTPError as cause:
        reason = (
            f"answered {cause.response.status_code}" if cause.response is not None else "refused"
        )
    except requests.RequestException as cause:
        reason = (
            "stalled"
            if "timed out" in str(cause)
            else f"no connection, or broken off ({type(cause).__name__})"
        )
    except ValueError:
        reason = "sent a file with another checksum"
    except OSError as cause:
        raise DataUnavailableError(
            f"{target} must be writable", value=cause.strerror or str(cause), hint=ROOM
        ) from cause
    if progress:
        console.print(f"{host}: {reason}", soft_wrap=True)
    return reason
