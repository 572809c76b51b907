"""What the generator of a trial learns: what it prepares without labels, and its fit. It is loaded
as an earlier trial saved it, else learnt now, and saved.

A saved state only saves time: where it is damaged, or cannot be saved, a note says so and the trial
goes on. Below are the saved states themselves, in the cache of a store: those that are done, with a
checksum of every file, and how far those are that were stopped.
"""

import contextlib
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from filelock import FileLock, Timeout

from hsiaug.base.errors import PluginError
from hsiaug.base.files import plain_text, read_plain
from hsiaug.base.seeds import derive_seed
from hsiaug.base.shortages import shortage_of
from hsiaug.base.temporary_folders import (
    mark,
    marked,
    remove_tree,
    taken,
    temporary_folder,
)
from hsiaug.contracts import FittedGenerator, Prepared, Progress
from hsiaug.registry.card import Card, preparing_params
from hsiaug.trial.content_hash import short_hash
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import OTHERS
from hsiaug.trial.trial_run import Fit, SceneContext, TrialRun

State = TypeVar("State")

WORTH_SAVING = 2.0
"""Seconds: a fit that took longer is saved, so that a killed run need not repeat it."""
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


@dataclass(frozen=True)
class Learning(Generic[State]):
    """What a generator is to learn.

    Attributes
    ----------
    stage : {"fit", "prepare"}
        The plugin's function.
    card : Card
        Of the generator.
    folder : Path or None
        Where the state is saved.
    load : callable
        Gives the state of the folder that its ``save`` wrote.
    learn : callable
        Gives the plugin's call.
    identity : mapping
        What determined a prepared state, as JSON. A state that has one is saved however quick it
        was, and of the processes that share the folder one learns it, the others wait for it.
    key : str
        Hash of that.
    """

    stage: Literal["fit", "prepare"]
    card: Card
    folder: Path | None
    load: Callable[[Path], State]
    learn: Callable[[], Callable[..., State]]
    identity: Mapping[str, object] = field(default_factory=dict)
    key: str = ""

    @property
    def title(self) -> str:
        """What it gives, in the words of a note."""
        return f"{'fit' if self.stage == 'fit' else 'preparation'} of {self.card.name}"


def prepared_state(run: TrialRun) -> Fit[Prepared]:
    """What the trial's generator learns without labels: from memory, from disk, or learnt now.

    Parameters
    ----------
    run : TrialRun
        A trial of a generator whose card says ``prepares``.

    Returns
    -------
    Fit
        The state; its key is a hash of all that determined it.

    Raises
    ------
    Exception
        Whatever the plugin raises.
    """
    spec = run.spec
    draws = run.task.draws
    pixels = run.views.checksum(run.generator.card.scope)
    identity = spec.generator.of_preparation(pixels, spec.patch)
    key = short_hash(identity)
    device = run.devices["generator"]
    held = run.context.prepared
    if (key, device) in held:
        return held[key, device]
    # One may take gigabytes.
    held.clear()
    generator: Any = type(run.generator)
    preparing = generator(preparing_params(spec.generator.params))

    def learn() -> Callable[..., Prepared]:
        # A cube is that of the view, whose changes are looked for afterwards.
        return partial(
            preparing.prepare,
            draws.unlabelled(run.data, run.views.split, run.view),
            seed=derive_seed("prepare", spec.generator.name),
            device=device,
            progress=run.progress,
        )

    learning = Learning(
        stage="prepare",
        card=run.generator.card,
        folder=_folder(run, key),
        load=partial(preparing.load_prepared, device=device),
        learn=learn,
        identity={"scene": spec.scene, **identity["prepares"], **identity},
        key=key,
    )
    held[key, device] = load_or_learn(learning, run)
    return held[key, device]


def fit_generator(run: TrialRun, prepared: Fit[Prepared] | None = None) -> Fit[FittedGenerator]:
    """The trial's fitted generator: from disk, or fitted now.

    Parameters
    ----------
    run : TrialRun
        With the generator and its device.
    prepared : Fit or None
        What the generator prepared; None = looked for where the fit needs it.

    Raises
    ------
    Exception
        Whatever the plugin raises.
    """
    generator: Any = run.generator
    spec = run.spec
    device = run.devices["generator"]

    def learn() -> Callable[..., FittedGenerator]:
        fit = partial(
            generator.fit,
            run.view,
            seed=derive_seed("fit", spec.generator.name, spec.seed),
            device=device,
            progress=run.progress,
        )
        if not generator.card.prepares:
            return fit
        # A fit that was there, and so needed nothing prepared, may have been damaged.
        state = prepared or prepared_state(run)
        return partial(fit, prepared=state.fitted)

    learning = Learning(
        stage="fit",
        card=generator.card,
        folder=_folder(run, spec.fit_hash),
        load=lambda path: generator.load(path, device=device),
        learn=learn,
    )
    return load_or_learn(learning, run)


def _folder(run: TrialRun, name: str) -> Path | None:
    """Where a state of the trial's generator is saved."""
    folder = run.context.folder
    return None if folder is None else fits_folder(folder, run.spec) / name


def load_or_learn(learning: Learning[State], run: TrialRun) -> Fit[State]:
    """The state: as it was saved, else learnt now, and saved.

    Parameters
    ----------
    learning : Learning
        What is learnt.
    run : TrialRun
        Of the trial, whose views are checked after every call of the plugin.

    Returns
    -------
    Fit
        The state, and the seconds that it took.

    Raises
    ------
    PluginError
        Where the plugin wrote into a view, or returns no such state; and whatever it raises.
    """
    folder = learning.folder if run.context.saves else None
    with only_one(folder, run.progress) if folder and learning.identity else nullcontext():
        saved = None if learning.folder is None else load_fit(learning.folder, learning.load)
        if isinstance(saved, Fit):
            run.views.check()
            fit = replace(saved, key=learning.key)
        else:
            _note_why(saved, learning, run.context)
            fit = _learn_and_save(learning, folder, run)
    run.context.note(*getattr(fit.fitted, "notes", ()) if learning.stage == "prepare" else ())
    return fit


def _learn_and_save(learning: Learning[State], folder: Path | None, run: TrialRun) -> Fit[State]:
    """The state, learnt now; saved in a folder, if there is one."""
    unfinished: AbstractContextManager[Path | None] = (
        checkpoint(folder) if folder and learning.card.resumes else nullcontext()
    )
    with unfinished as saved_progress:
        start = time.perf_counter()
        state = _learn(learning.learn(), learning.card, saved_progress, run.context)
        seconds = time.perf_counter() - start
        run.views.check()
        _check_state(state, learning)
        if folder is not None and (learning.identity or seconds > WORTH_SAVING):
            writer: Any = state
            fault = save_fit(folder, writer.save, seconds, **learning.identity)
            run.views.check()
            if fault:
                run.context.note(
                    f"The {learning.title} could not be saved for another run: {fault}."
                )
    return Fit(state, seconds, learning.key)


def _note_why(fault: str | None, learning: Learning[Any], context: SceneContext) -> None:
    """Note why no saved state is used, where one is damaged or of another scene or setting.

    Parameters
    ----------
    fault : str or None
        Of the saved one.
    """
    if fault is not None:
        verb = "fitted" if learning.stage == "fit" else "learnt"
        context.note(
            f"The saved {learning.title} could not be used, and was {verb} again: {fault}."
        )
        return
    if learning.folder is None or not learning.identity:
        return
    if differs := difference_from_saved(learning.folder.parent, learning.identity):
        scene = learning.identity["scene"]
        context.note(
            f"{learning.card.name} uses no saved state of {scene}: what is saved differs in"
            f" {differs}."
        )


def _learn(
    learn: Callable[..., State], card: Card, saved_progress: Path | None, context: SceneContext
) -> State:
    """Call the plugin; where a run that was stopped began the same, it goes on from there."""
    if not card.resumes:
        return learn()
    if saved_progress is not None and saved_progress.is_dir():
        try:
            return learn(checkpoint=saved_progress)
        except Exception as error:
            if shortage_of(error):
                # The checkpoint may well be sound.
                raise
            context.note(
                f"The fit of {card.name} could not go on from its checkpoint, and began anew: "
                f"{type(error).__name__}: {error}."
            )
            remove_tree(saved_progress)
    return learn(checkpoint=saved_progress)


def _check_state(state: object, learning: Learning[Any]) -> None:
    """Raise PluginError where a plugin returned no state."""
    needed = "sample" if learning.stage == "fit" else "save"
    if not callable(getattr(state, needed, None)):
        returned = "fitted object" if learning.stage == "fit" else "object that fit is to be given"
        raise PluginError(
            f"a generator's {learning.stage} must return an object with {needed}",
            value=type(state).__name__,
            hint=f"Return the {returned}.",
        )


# Saved states


def fits_folder(folder: Path, spec: TrialSpec) -> Path:
    """Where the fits of a trial are saved.

    Parameters
    ----------
    folder : Path
        Of a store's fits.
    spec : TrialSpec
        Fits of third-party plugins lie apart from hsiaug's own, and those of each package apart
        from those of others: what one saves, no other can change.
    """
    packages = spec.packages_of_fit
    return folder / OTHERS / short_hash(packages) if packages else folder


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
    if folder.parent.parent.name == OTHERS:
        make_folder_of_package(folder.parent)
    folder.parent.mkdir(exist_ok=True)


def make_folder_of_package(folder: Path) -> None:
    """Make the folder of fits of a package, and those above it but that of the store."""
    for one in (folder.parent.parent, folder.parent, folder):
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
