"""A trial with its plugins, what these are shown, and what trials of one scene share beyond their
fit.
"""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from hsiaug.contracts import Classifier, Generator, Progress, silent
from hsiaug.core.spectral_views import SpectralView
from hsiaug.registry.card import Card
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import AnyBlock, TaskData, TaskSplit, TaskView
from hsiaug.trial.draw_views import DrawViews
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
    split : Split or TileSplit, optional
        Of the draw of all trials that are run; None = it is drawn for each draw.

    Attributes
    ----------
    split : Split or TileSplit or None
        Of the draw of the trials that are run next.
    saves : bool
        Whether fits that are made from now on may be saved.
    notes : tuple of str
        Of every trial.
    prepared : dict of Fit
        What the latest generator that prepares has prepared, by key and device: it serves all
        draws.
    fitted : dict of Fit
        The latest generator that was fitted outside of trials, by the hashes of fit and generator.
    """

    def __init__(
        self,
        scene: TaskData,
        task: Task,
        folder: Path | None = None,
        split: TaskSplit | None = None,
    ) -> None:
        self.scene = scene
        self.task = task
        self.folder = folder
        self.saves = True
        self.notes: tuple[str, ...] = ()
        self.prepared: dict[tuple[str, str], Fit[Any]] = {}
        self.fitted: dict[tuple[str, str], Fit[Any]] = {}
        self._new_notes: list[str] = []
        self.split = split
        self._views: tuple[str, DrawViews] | None = None

    def views(self, spec: TrialSpec) -> DrawViews:
        """The train views of a trial's draw. Those of the latest draw alone are held.

        Parameters
        ----------
        spec : TrialSpec
            Of the trial.
        """
        if self._views is None or self._views[0] != spec.draw_hash:
            # Before others are made: views are as large as the data.
            self._views = None
            split = self.split
            if split is None:
                split = self.task.draws.split(self.scene, spec.protocol, spec.seed, spec.patch)
            self._views = spec.draw_hash, DrawViews(self.task, self.scene, split)
        return self._views[1]

    def renew_views(self) -> bool:
        """Drop the views that a plugin wrote into: they are made anew. Whether one did."""
        return self._views is not None and self._views[1].renew()

    def note(self, *notes: str) -> None:
        """Add notes to the record of the trial that runs."""
        self._new_notes += notes

    def take_notes(self) -> list[str]:
        """Those of every trial, and those that were added since the last call."""
        notes = [*self.notes, *self._new_notes]
        self._new_notes = []
        return notes


@dataclass(eq=False)
class TrialRun:
    """A trial with its plugins, and what these are shown.

    Attributes
    ----------
    spec : TrialSpec
        What is run.
    context : SceneContext
        The data, which may be without labels, and what trials on them share.
    generator, classifier : Generator or Classifier or None
        The plugins; None where only the other one is asked for something.
    devices : dict of str
        Device of each kind of plugin.
    progress : callable
        Is told how far a fit is.
    """

    spec: TrialSpec
    context: SceneContext
    generator: Generator | None = None
    classifier: Classifier | None = None
    devices: dict[str, str] = field(default_factory=dict)
    progress: Progress = silent

    @property
    def task(self) -> Task:
        """The task of the trial."""
        return self.context.task

    @property
    def data(self) -> TaskData:
        """The data that it runs on."""
        return self.context.scene

    def card(self, kind: Literal["generator", "classifier"]) -> Card:
        """The card of a plugin of the trial."""
        plugin = self.generator if kind == "generator" else self.classifier
        assert plugin is not None, f"the trial has no {kind}"
        return plugin.card

    @property
    def views(self) -> DrawViews:
        """The train views of its draw."""
        return self.context.views(self.spec)

    @property
    def view(self) -> TaskView:
        """What its generator is shown."""
        return self.views.of(self.card("generator").scope)

    @property
    def spectra(self) -> SpectralView:
        """The spectral view of its classifier."""
        return self.views.spectra(self.spec.view)

    @property
    def classifier_view(self) -> TaskView:
        """What its classifier is shown beside the samples."""
        scope = self.card("classifier").scope
        return self.views.of_classifier(scope, self.spectra, self.spec.train)

    @cached_property
    def blocks(self) -> list[AnyBlock]:
        """The blocks of the pool of samples that the trial takes samples from."""
        if not self.card("generator").adds:
            return []
        return self.task.sampling.blocks(self.view, self.spec.generated_rate)

    @property
    def asks_samples(self) -> bool:
        """Whether its λ and M ask for a sample. If not, no generator is fitted."""
        return any(block.total for block in self.blocks)
