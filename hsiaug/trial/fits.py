"""What the generator of a trial learns: what it prepares without labels, and its fit. It is loaded
as an earlier trial saved it, else learnt now, and saved.

A saved state only saves time: where it is damaged, or cannot be saved, a note says so and the trial
goes on.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from hsiaug.base.errors import PluginError, shortage_of
from hsiaug.base.seeds import derive_seed
from hsiaug.base.temporary_folders import remove_tree
from hsiaug.contracts import FittedGenerator, Prepared
from hsiaug.registry.card import preparing_params
from hsiaug.trial.record_json import short_hash
from hsiaug.trial.saved_fits import (
    checkpoint,
    difference_from_saved,
    fits_folder,
    load_fit,
    only_one,
    save_fit,
)
from hsiaug.trial.trial_run import Fit, TrialRun

State = TypeVar("State")

WORTH_SAVING = 2.0
"""Seconds: a fit that took longer is saved, so that a killed run need not repeat it."""


@dataclass(frozen=True)
class Learning(Generic[State]):
    """What the generator of a trial is to learn.

    Attributes
    ----------
    stage : {"fit", "prepare"}
        The plugin's function.
    folder : Path or None
        Where the state is saved.
    load : callable
        Gives the state of the folder that its ``save`` wrote.
    learn : callable
        Calls the plugin; a keyword is the folder of its checkpoint, where it takes one.
    identity : mapping
        What determined a prepared state, as JSON. A state that has one is saved however quick it
        was, and of the processes that share the folder one learns it, the others wait for it.
    """

    stage: Literal["fit", "prepare"]
    folder: Path | None
    load: Callable[[Path], State]
    learn: Callable[..., State]
    identity: Mapping[str, object] = field(default_factory=dict)


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

    def learn(**checkpoint: Path | None) -> Prepared:
        # A cube is that of the view, whose changes are looked for afterwards.
        state: Prepared = preparing.prepare(
            run.task.draws.unlabelled(run.data, run.views.split, run.view),
            seed=derive_seed("prepare", spec.generator.name),
            device=device,
            progress=run.progress,
            **checkpoint,
        )
        return state

    learning = Learning(
        stage="prepare",
        folder=_folder(run, key),
        load=partial(preparing.load_prepared, device=device),
        learn=learn,
        identity={"scene": spec.scene, **identity["prepares"], **identity},
    )
    held[key, device] = replace(load_or_learn(learning, run), key=key)
    run.context.note(*getattr(held[key, device].fitted, "notes", ()))
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

    def learn(**options: object) -> FittedGenerator:
        if generator.card.prepares:
            # A fit that was there, and so needed nothing prepared, may have been damaged.
            options["prepared"] = (prepared or prepared_state(run)).fitted
        fitted: FittedGenerator = generator.fit(
            run.view,
            seed=derive_seed("fit", spec.generator.name, spec.seed),
            device=device,
            progress=run.progress,
            **options,
        )
        return fitted

    learning = Learning(
        stage="fit",
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
            return saved
        _note_why(saved, learning, run)
        return _learn_and_save(learning, folder, run)


def _learn_and_save(learning: Learning[State], folder: Path | None, run: TrialRun) -> Fit[State]:
    """The state, learnt now; saved in a folder, if there is one."""
    unfinished: AbstractContextManager[Path | None] = (
        checkpoint(folder) if folder and run.generator.card.resumes else nullcontext()
    )
    with unfinished as saved_progress:
        start = time.perf_counter()
        state = _learn(learning, saved_progress, run)
        seconds = time.perf_counter() - start
        run.views.check()
        _check_state(state, learning.stage)
        if folder is not None and (learning.identity or seconds > WORTH_SAVING):
            writer: Any = state
            fault = save_fit(folder, writer.save, seconds, **learning.identity)
            run.views.check()
            if fault:
                title = _title(learning, run)
                run.context.note(f"The {title} could not be saved for another run: {fault}.")
    return Fit(state, seconds)


def _title(learning: Learning[Any], run: TrialRun) -> str:
    """What is learnt, in the words of a note."""
    what = "fit" if learning.stage == "fit" else "preparation"
    return f"{what} of {run.generator.card.name}"


def _note_why(fault: str | None, learning: Learning[Any], run: TrialRun) -> None:
    """Note why no saved state is used, where one is damaged or of another scene or setting.

    Parameters
    ----------
    fault : str or None
        Of the saved one.
    """
    if fault is not None:
        verb = "fitted" if learning.stage == "fit" else "learnt"
        title = _title(learning, run)
        run.context.note(f"The saved {title} could not be used, and was {verb} again: {fault}.")
        return
    if learning.folder is None or not learning.identity:
        return
    if differs := difference_from_saved(learning.folder.parent, learning.identity):
        run.context.note(
            f"{run.generator.card.name} uses no saved state of {run.spec.scene}: what is saved"
            f" differs in {differs}."
        )


def _learn(learning: Learning[State], saved_progress: Path | None, run: TrialRun) -> State:
    """Call the plugin; where a run that was stopped began the same, it goes on from there."""
    if not run.generator.card.resumes:
        return learning.learn()
    if saved_progress is not None and saved_progress.is_dir():
        try:
            return learning.learn(checkpoint=saved_progress)
        except Exception as error:
            if shortage_of(error):
                # The checkpoint may well be sound.
                raise
            run.context.note(
                f"The fit of {run.generator.card.name} could not go on from its checkpoint, and"
                f" began anew: {type(error).__name__}: {error}."
            )
            remove_tree(saved_progress)
    return learning.learn(checkpoint=saved_progress)


def _check_state(state: object, stage: str) -> None:
    """Raise PluginError where a plugin returned no state."""
    needed = "sample" if stage == "fit" else "save"
    if not callable(getattr(state, needed, None)):
        returned = "fitted object" if stage == "fit" else "object that fit is to be given"
        raise PluginError(
            f"a generator's {stage} must return an object with {needed}",
            value=type(state).__name__,
            hint=f"Return the {returned}.",
        )
