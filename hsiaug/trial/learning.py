"""What a generator learns, as it was saved by a trial before, or learnt now and saved.

A saved state only saves time: where it is damaged, or cannot be saved, a note says so and the trial
goes on.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from hsiaug.base.errors import PluginError
from hsiaug.base.shortages import shortage_of
from hsiaug.registry.card import Card
from hsiaug.trial.cache import Workbench
from hsiaug.trial.fits import Fit, checkpoint, difference_from_saved, load_fit, save_fit

State = TypeVar("State")

WORTH_SAVING = 2.0
"""Seconds: a fit that took longer is saved, so that a killed run need not repeat it."""


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
        What determined the state, as JSON. A state that has one is saved however quick it was.
    """

    stage: Literal["fit", "prepare"]
    card: Card
    folder: Path | None
    load: Callable[[Path], State]
    learn: Callable[[], Callable[..., State]]
    identity: Mapping[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What it gives, in the words of a note."""
        return f"{'fit' if self.stage == 'fit' else 'preparation'} of {self.card.name}"


def load_or_learn(learning: Learning[State], bench: Workbench) -> Fit[State]:
    """The state: as it was saved, else learnt now, and saved.

    Parameters
    ----------
    learning : Learning
        What is learnt.
    bench : Workbench
        Its views are checked after every call of the plugin; it takes notes.

    Returns
    -------
    Fit
        The state, and the seconds that it took.

    Raises
    ------
    PluginError
        Where the plugin wrote into a view, or returns no such state; and whatever it raises.
    """
    saved = None if learning.folder is None else load_fit(learning.folder, learning.load)
    if isinstance(saved, Fit):
        bench.check_views()
        return saved
    _note_why(saved, learning, bench)
    folder = learning.folder if bench.saves else None
    resumes = learning.card.resumes and folder is not None
    with checkpoint(folder) if folder is not None and resumes else nullcontext() as saved_progress:
        start = time.perf_counter()
        state = _learn(learning.learn(), learning.card, saved_progress, bench)
        seconds = time.perf_counter() - start
        bench.check_views()
        _check_state(state, learning)
        if folder is not None and (learning.identity or seconds > WORTH_SAVING):
            writer: Any = state
            fault = save_fit(folder, writer.save, seconds, **learning.identity)
            bench.check_views()
            if fault:
                bench.note(f"The {learning.title} could not be saved for another run: {fault}.")
    return Fit(state, seconds)


def _note_why(fault: str | None, learning: Learning[Any], bench: Workbench) -> None:
    """Note why a state is learnt that was saved, or of which another one was. fault: of the saved
    one.
    """
    if fault is not None:
        verb = "fitted" if learning.stage == "fit" else "learnt"
        bench.note(f"The saved {learning.title} could not be used, and was {verb} again: {fault}.")
        return
    if learning.folder is None or not learning.identity:
        return
    if differs := difference_from_saved(learning.folder.parent, learning.identity):
        scene = learning.identity["scene"]
        bench.note(
            f"{learning.card.name} learnt {scene} without labels anew: what is saved differs in"
            f" {differs}."
        )


def _learn(
    learn: Callable[..., State], card: Card, saved_progress: Path | None, bench: Workbench
) -> State:
    """What a plugin's call gives; where a run that was stopped began it, it goes on from there."""
    if not card.resumes:
        return learn()
    if saved_progress is not None and saved_progress.is_dir():
        try:
            return learn(checkpoint=saved_progress)
        except Exception as error:
            if shortage_of(error):
                # The checkpoint may well be sound.
                raise
            bench.note(
                f"The fit of {card.name} could not go on from its checkpoint, and began anew: "
                f"{type(error).__name__}: {error}."
            )
            shutil.rmtree(saved_progress, ignore_errors=True)
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
