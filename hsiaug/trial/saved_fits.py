"""Saved states of generators, in the cache of a store: those that are done, with a checksum of
every file, and how far those are that were stopped.
"""

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from hsiaug.base.errors import shortage_of
from hsiaug.base.files import plain_text, read_plain
from hsiaug.base.temporary_folders import mark, marked, remove_tree, taken, temporary_folder
from hsiaug.contracts import Progress
from hsiaug.trial.record_json import short_hash
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import OTHERS
from hsiaug.trial.trial_run import Fit

State = TypeVar("State")

FACTS = "fit.json"
FITTED = "fitted"
UNFINISHED = ".unfinished"
STATE = "state"
LOCK = ".lock"
MAX_FIT_FILE_BYTES = 2**36
POLL = 0.5
"""Seconds after which one that waits for a lock says so."""
PARTS = "pixels", "params", "version", "patch", "format"
"""What a prepared state depends on, as its identity names it."""


def fits_folder(folder: Path, spec: TrialSpec) -> Path:
    """Where the fits of a trial are saved.

    Parameters
    ----------
    folder : Path
        Of a store's fits.
    spec : TrialSpec
        Fits of third-party plugins lie apart from hsiaug's own, and those of each package apart
        from those of others: what one saves, no other can change. A package that was edited finds
        none of those that it saved before.
    """
    code = spec.code_of_fit
    return folder / OTHERS / short_hash(code) if code else folder


def has_fit(folder: Path, spec: TrialSpec) -> bool:
    """Whether the fit of a trial's generator was saved.

    Parameters
    ----------
    folder : Path
        Of a store's fits.
    spec : TrialSpec
        Its ``fit_hash`` names the fit.
    """
    return (fits_folder(folder, spec) / spec.fit_hash).is_dir()


def load_fit(folder: Path, load: Callable[[Path], State]) -> Fit[State] | str | None:
    """The fit in a folder; why it cannot be had, where it is damaged; None where there is none.

    load: gives the fitted generator of the folder that its ``save`` wrote.
    """
    if not folder.is_dir():
        return None
    try:
        seconds = _checked(folder)
        return Fit(load(folder / FITTED), seconds)
    except (Exception, SystemExit) as error:
        # Whatever the plugin's own reader makes of damage: the fit is made again.
        return f"{type(error).__name__}: {error}"


def _checked(folder: Path) -> float:
    """Seconds of a fit whose files are as they were written. Raises ValueError, KeyError or OSError
    for others.
    """
    facts = json.loads(plain_text(folder / FACTS) or "")
    seconds = float(facts["seconds"])
    present = _checksums(folder / FITTED)
    changed = [
        name
        for name in sorted({*present, *facts["files"]})
        if present.get(name) != facts["files"].get(name)
    ]
    if changed or not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{', '.join(changed) or FACTS} is not as it was written")
    return seconds


def _checksums(folder: Path) -> dict[str, str]:
    """SHA-256 by path of every file in a folder."""
    checksums = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            checksums[path.relative_to(folder).as_posix()] = hashlib.sha256(
                read_plain(path, MAX_FIT_FILE_BYTES)
            ).hexdigest()
    return checksums


def _make_parent(folder: Path) -> None:
    """The folder of fits, or the one of a package in it; that of the store is never made anew."""
    others = folder.parent.parent
    for one in (others.parent, others, folder.parent) if others.name == OTHERS else [folder.parent]:
        one.mkdir(exist_ok=True)


def save_fit(
    folder: Path, save: Callable[[Path], object], seconds: float, **identity: object
) -> str | None:
    """Save a fit whole or not at all, in place of a damaged one; why that failed, or None where it
    did not.

    save: writes the fitted generator into the empty folder that it is given. identity:
    JSON-able; what determined it.
    """
    try:
        _make_parent(folder)
        with temporary_folder(folder.parent, folder.name) as fresh:
            (fresh / FITTED).mkdir()
            save(fresh / FITTED)
            facts = {"seconds": seconds, "files": _checksums(fresh / FITTED), "identity": identity}
            (fresh / FACTS).write_text(json.dumps(facts), encoding="utf-8")
            mark(fresh, f"fit {folder.name}")
            _put_in_place(fresh, folder)
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    return None


def difference_from_saved(cache: Path, identity: Mapping[str, object]) -> str | None:
    """The parts in which ``identity`` differs from the nearest saved of its generator and scene;
    None without one.
    """
    reasons: list[list[str]] = []
    for facts in cache.glob(f"*/{FACTS}"):
        # What is damaged, or older, says nothing.
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            saved = json.loads(plain_text(facts) or "")["identity"]
            if (saved.get("name"), saved.get("scene")) == (identity["name"], identity["scene"]):
                reasons.append([key for key in PARTS if identity[key] != saved.get(key)])
    nearest = sorted(reasons, key=lambda parts: (len(parts), parts))
    return " and ".join(nearest[0]) if nearest else None


def _put_in_place(fresh: Path, folder: Path) -> None:
    try:
        fresh.rename(folder)
        return
    except OSError as error:
        if not (taken(error) or folder.is_dir()):
            raise
    if not marked(folder, f"fit {folder.name}"):
        raise FileExistsError(f"{folder} is there, and no saved fit")
    try:
        # Where it is sound, another process saved the same fit first.
        _checked(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if shortage_of(error):
            raise
        with temporary_folder(folder.parent, folder.name) as aside:
            folder.rename(aside / "damaged")
            fresh.rename(folder)


@contextmanager
def checkpoint(folder: Path) -> Iterator[Path | None]:
    """The folder in which a fit saves how far it is, with what a process that was stopped left of
    the same fit.

    folder: of the fit, once it is done; what was saved is removed at a regular end. None where
    another process is at the same fit, or nothing can be written.
    """
    unfinished = folder.with_name(f"{folder.name}{UNFINISHED}")
    lock = FileLock(f"{unfinished}{LOCK}")
    with contextlib.suppress(OSError, NotImplementedError):
        _make_parent(unfinished)
        unfinished.mkdir(exist_ok=True)
        lock.acquire(blocking=False)
    try:
        yield unfinished / STATE if lock.is_locked else None
        if lock.is_locked:
            remove_tree(unfinished)
    finally:
        lock.release()


@contextmanager
def only_one(folder: Path, progress: Progress) -> Iterator[None]:
    """Wait until no other process is within, for the same folder. One that cannot write or lock
    there does not wait.
    """
    lock = FileLock(folder.with_name(f"{folder.name}{LOCK}"))
    while not lock.is_locked:
        try:
            _make_parent(folder)
            lock.acquire(timeout=POLL)
        except Timeout:
            progress(0, 1, "another process prepares")
        except (OSError, NotImplementedError):
            break
    try:
        yield
    finally:
        lock.release()
