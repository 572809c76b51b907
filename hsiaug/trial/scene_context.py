"""What trials of one scene share: splits, views, fitted generators and their samples.

A λ × ω × classifier sweep so trains each generator once per split, and samples it once per ω.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from hsiaug.base.errors import PluginError
from hsiaug.core.read_only import SealedView
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.memo import Memo, MemoKey
from hsiaug.trial.spec import TrialSpec

State = TypeVar("State")


@dataclass(frozen=True)
class Fit(Generic[State]):
    """A fitted generator, or what one prepared.

    Attributes
    ----------
    fitted : object
        What the plugin gave.
    seconds : float
        That it took, now or when it was saved.
    key : str
        Hash of all that determined what was prepared; empty for a fit.
    """

    fitted: State
    seconds: float
    key: str = ""


class SceneContext:
    """The data of one scene, or of a set of pairs, and what trials on it share.

    In processes that run plugins, data and splits have no label of a test pixel.

    Parameters
    ----------
    scene : Scene or PairSet
        The data; may be without labels.
    task : Task
        Of all trials.
    folder : path, optional
        Where slow fits are saved; None = nowhere.
    draw : callable, optional
        Gives the split of a trial, in place of the task's own draw.

    Attributes
    ----------
    memo : Memo
        Outputs of stages, of the latest draw and its latest generator.
    saves : bool
        Whether fits that are made from now on may be saved.
    notes : tuple of str
        Of every trial.
    """

    def __init__(
        self,
        scene: TaskData,
        task: Task,
        folder: Path | None = None,
        draw: Callable[[TrialSpec], TaskSplit] | None = None,
    ) -> None:
        self.scene = scene
        self.task = task
        self.folder = folder
        self.memo = Memo()
        self.saves = True
        self.notes: tuple[str, ...] = ()
        self._new_notes: list[str] = []
        self._draw = draw

    def draw(self, spec: TrialSpec) -> TaskSplit:
        """Draw the split of a trial."""
        if self._draw is not None:
            return self._draw(spec)
        return self.task.draws.split(self.scene, spec.protocol, spec.seed, spec.patch)

    def give(self, spec: TrialSpec, split: object) -> None:
        """Let ``split`` be that of a trial: where the scene has no labels to draw one."""
        self.memo.once(split_key(spec), lambda: split)

    def note(self, *notes: str) -> None:
        """Add notes to the record of the trial that runs."""
        self._new_notes += notes

    def take_notes(self) -> list[str]:
        """Those of every trial, and those that were added since the last call."""
        notes = [*self.notes, *self._new_notes]
        self._new_notes = []
        return notes

    def check_views(self) -> None:
        """Refuse a plugin that wrote into a view, which all trials of the draw share.

        Raises
        ------
        PluginError
            Names the arrays.
        """
        if names := self._changed():
            raise PluginError(
                "a plugin must leave the arrays that it is given as they are",
                value=f"changed: {', '.join(names)}",
                hint=(
                    "Compute on copies: x = x - mean, not x -= mean; torch.tensor(x), not"
                    " torch.from_numpy(x)."
                ),
            )

    def renew_views(self) -> None:
        """Drop the views that a plugin wrote into; they are made anew, and so are the fits that may
        hold them.
        """
        if self._changed():
            self.memo.keep("draw", lambda key, value: key.name in ("split", "spectra"))
            self.memo.keep("fit", lambda key, value: False)

    def drop_samples(self) -> None:
        """Drop the samples that were drawn; what they were drawn from stays."""
        self.memo.keep("fit", lambda key, value: isinstance(value, Fit))

    def _changed(self) -> list[str]:
        views = {
            id(value): value
            for _, value in self.memo.values("draw")
            if isinstance(value, SealedView)
        }
        return [name for view in views.values() for name in view.changed]


def split_key(spec: TrialSpec) -> MemoKey:
    """By what the split of a trial is used again."""
    return MemoKey("draw", spec.draw_hash, "split")
