"""What a trial runs on: the train views of its split, made once for all trials of the split; what
trials of one scene share beyond their fit; and a trial with its plugins and what these are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from hsiaug.base.errors import PluginError
from hsiaug.contracts import Progress, silent
from hsiaug.core.read_only import SealedView
from hsiaug.core.spectral_views import RAW_VIEW, SpectralView
from hsiaug.registry.card import Scope
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import AnyBlock, TaskData, TaskSplit, TaskView
from hsiaug.tasks.view_choice import named_view
from hsiaug.trial.arm import SYNTHETIC
from hsiaug.trial.normalised import RealSpread
from hsiaug.trial.sheet import SheetMaker
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


class DrawViews:
    """The train views of a split.

    Parameters
    ----------
    task : Task
        Of all trials.
    data : Scene or PairSet
        May be without labels.
    split : Split or TileSplit
        May be without test labels.

    Attributes
    ----------
    split : Split or TileSplit
        As it was given.
    sheet_maker : SheetMaker or None
        Makes sheets of samples beside the training samples of the split, once one was asked for.
    real_spread : RealSpread or None
        What is known of the training samples to find samples that are normalised, once some were
        drawn.
    measured : dict
        What records say of the samples of a pool, by the hash of all that determines them: for all
        trials that learn from them.
    """

    def __init__(self, task: Task, data: TaskData, split: TaskSplit) -> None:
        self.split = split
        self._task = task
        self._data = data
        self._views: dict[Scope, TaskView] = {}
        self._spectra: dict[str, SpectralView] = {}
        self._classifier_views: dict[tuple[Scope, str, bool], TaskView] = {}
        self._checksums: dict[Scope, str] = {}
        self.sheet_maker: SheetMaker | None = None
        self.real_spread: RealSpread | None = None
        self.measured: dict[str, Mapping[str, Mapping[str, float]]] = {}

    def of(self, scope: Scope) -> TaskView:
        """The train view of a plugin.

        Parameters
        ----------
        scope : {"none", "scene"}
            The unlabelled pixels that the plugin's card declares.
        """
        if scope not in self._views:
            self._views[scope] = self._task.draws.view(self._data, self.split, scope)
        return self._views[scope]

    def spectra(self, name: str) -> SpectralView:
        """The spectral view of that name, or for ``auto`` the one that suits the training pixels of
        the split.
        """
        if name not in self._spectra:
            training: Any = partial(self.of, "none")
            self._spectra[name] = named_view(name, self._data.wavelengths, training)
        return self._spectra[name]

    def of_classifier(self, scope: Scope, spectra: SpectralView, train: str) -> TaskView:
        """The train view of a classifier, in a spectral view.

        Parameters
        ----------
        scope : {"none", "scene"}
            The unlabelled pixels that its card declares.
        spectra : SpectralView
            Of the trial.
        train : str
            What it learns from. For synthetic samples alone the view holds no label.
        """
        nameless = train == SYNTHETIC
        key = scope, spectra.name, nameless
        if key not in self._classifier_views:
            view = (
                self.of_classifier(scope, spectra, "").nameless()
                if nameless
                else self._task.draws.seen(self.of(scope), spectra)
            )
            self._classifier_views[key] = view
        return self._classifier_views[key]

    def checksum(self, scope: Scope) -> str:
        """Checksum of the pixels of the view of a scope, without labels."""
        if scope not in self._checksums:
            self._checksums[scope] = self._task.draws.checksum(
                self._data, self.split, self.of(scope)
            )
        return self._checksums[scope]

    def check(self) -> None:
        """Refuse a plugin that wrote into a view, which all trials of the split share.

        Raises
        ------
        PluginError
            Names the arrays.
        """
        if names := self.changed:
            raise PluginError(
                "a plugin must leave the arrays that it is given as they are",
                value=f"changed: {', '.join(names)}",
                hint=(
                    "Compute on copies: x = x - mean, not x -= mean; torch.tensor(x), not"
                    " torch.from_numpy(x)."
                ),
            )

    @property
    def changed(self) -> list[str]:
        """Names of the arrays into which a plugin wrote."""
        shown = [*self._views.values(), *self._classifier_views.values()]
        sealed = {id(view): view for view in shown if isinstance(view, SealedView)}
        return [name for view in sealed.values() for name in view.changed]


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
        Of the split of all trials that are run; None = it is drawn for each split.

    Attributes
    ----------
    split : Split or TileSplit or None
        Of the split of the trials that are run next.
    saves : bool
        Whether fits that are made from now on may be saved.
    prepared : dict of Fit
        What the latest generator that prepares has prepared, by key and device: it serves all
        splits.
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
        self.prepared: dict[tuple[str, str], Fit[Any]] = {}
        self.fitted: dict[tuple[str, str], Fit[Any]] = {}
        self._new_notes: list[str] = []
        self.split = split
        self._views: tuple[str, DrawViews] | None = None

    def views(self, spec: TrialSpec) -> DrawViews:
        """The train views of a trial's split. Those of the latest split alone are held.

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
        if self._views is None or not self._views[1].changed:
            return False
        self._views = None
        return True

    def note(self, *notes: str) -> None:
        """Add notes to the record of the trial that runs."""
        self._new_notes += notes

    def take_notes(self) -> list[str]:
        """Those that were added since the last call."""
        notes = self._new_notes
        self._new_notes = []
        return notes


@dataclass(eq=False, repr=False)
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
    task : Task
        Of the trial.
    data : Scene or PairSet
        Those of the context.
    views : DrawViews
        The train views of its split.
    view : TrainView or DenseView
        What its generator is shown.
    spectra : SpectralView
        That of its classifier.
    classifier_view : TrainView or DenseView
        What its classifier is shown beside the samples.
    """

    spec: TrialSpec
    context: SceneContext
    generator: Any = None
    classifier: Any = None
    devices: dict[str, str] = field(default_factory=dict)
    progress: Progress = silent
    task: Task = field(init=False)
    data: TaskData = field(init=False)
    views: DrawViews = field(init=False)
    view: TaskView = field(init=False)
    spectra: SpectralView = field(default=RAW_VIEW, init=False)
    classifier_view: TaskView = field(init=False)

    def __post_init__(self) -> None:
        self.task = self.context.task
        self.data = self.context.scene
        self.views = self.context.views(self.spec)
        if self.generator is not None:
            self.view = self.views.of(self.generator.card.scope)
        if self.classifier is not None:
            self.spectra = self.views.spectra(self.spec.view)
            scope = self.classifier.card.scope
            self.classifier_view = self.views.of_classifier(scope, self.spectra, self.spec.train)

    @cached_property
    def blocks(self) -> list[AnyBlock]:
        """The blocks of the pool of samples that the trial takes samples from."""
        if not self.generator.card.adds:
            return []
        blocks: list[AnyBlock] = self.task.sampling.blocks(self.view, self.spec.generated_rate)
        return blocks

    @property
    def asks_samples(self) -> bool:
        """Whether its λ and M ask for a sample. If not, no generator is fitted."""
        return any(block.total for block in self.blocks)
