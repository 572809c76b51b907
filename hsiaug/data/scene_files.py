"""Files of a scene: which it needs, which of them are here, and whether they are the right ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsiaug.base.errors import DataUnavailableError, HsiaugError, InputError, SceneError
from hsiaug.base.files import file_errors
from hsiaug.data.bounds import in_bytes
from hsiaug.data.catalogue import SceneEntry, find_entry
from hsiaug.data.paths import file_checksum, is_file

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec

Status = Literal["embedded", "here", "to download", "place by hand", "package missing"]


def status(entry: SceneEntry) -> Status:
    """Return what has to be done before a scene can be loaded. Looks for files, but does not hash them."""
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
    """Path of a file that an installed package carries, found without importing the package."""
    from importlib.util import find_spec

    try:
        found = find_spec(spec.package or "")
    except ValueError:  # a module that was not imported from a file, as __main__
        found = None
    roots = [Path(root) for root in (found.submodule_search_locations or [])] if found else []
    paths = [root / (spec.file or "") for root in roots]
    return next((path for path in paths if path.is_file()), None)


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
    names = [name for spec in entry.card.files for name in (spec.file, spec.data) if name]
    own = [path for name in names for folder in entry.folders if is_file(path := folder / name)]
    for path in paths:
        if path.exists() and any(path.samefile(one) for one in own):
            raise InputError(f"--out {path} must not be a file of the scene", value=ref, hint="Name another file.")


def find_file(entry: SceneEntry, spec: FileSpec) -> Path | None:
    """The file, once its size and checksum fit; None where it is not here.

    Raises SceneError, naming both checksums, where only a wrong file is here, and DataUnavailableError
    where the package that should carry it is not installed.
    """
    if spec.package:
        path = _embedded_path(spec)
        if path is None:
            raise DataUnavailableError(
                f"scene {entry.card.name} comes with the Python package {spec.package}",
                value=f"no {spec.file} in it",
                hint=f"Install it: pip install --force-reinstall {spec.package}",
            )
        paths = [path]
    else:
        paths = [folder / (spec.file or "") for folder in entry.folders]
    wrong = None
    for path in filter(is_file, paths):
        with file_errors(f"{path} must be readable", "Check its permissions and the disk.", SceneError):
            actual = file_checksum(path) if spec.sha256 else None
        if actual == spec.sha256:
            return path
        wrong = wrong or (path, actual)
    if wrong is None:
        return None
    path, actual = wrong
    mend = "It is damaged, incomplete or another version: move it away and try again"
    if spec.urls:
        mend += f"; a fresh copy is at {spec.urls[0]}"
    raise SceneError(
        f"{path} must have sha256 {spec.sha256}, as the card of {entry.card.name} says",
        value=f"sha256 {actual} ({in_bytes(path.stat().st_size)})",
        hint=f"Install it again: pip install --force-reinstall {spec.package}" if spec.package else f"{mend}.",
    )
