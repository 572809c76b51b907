"""What plugins are shown of one draw: its train views, made once for all trials of the draw."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from hsiaug.base.errors import PluginError
from hsiaug.core.read_only import SealedView
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import AUTO
from hsiaug.registry.card import Scope
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData, TaskSamples, TaskSplit, TaskView
from hsiaug.tasks.view_choice import named_view
from hsiaug.trial.arm import SYNTHETIC
from hsiaug.trial.sheet import SheetMaker


class DrawViews:
    """The train views of a draw.

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
    """

    def __init__(self, task: Task, data: TaskData, split: TaskSplit) -> None:
        self.split = split
        self._task = task
        self._data = data
        self._views: dict[Scope, TaskView] = {}
        self._classifier_views: dict[tuple[Scope, str, bool], TaskView] = {}
        self._checksums: dict[Scope, str] = {}
        self._sheet_maker: SheetMaker | None = None
        self._measured: dict[str, Mapping[str, Mapping[str, float]]] = {}

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
        the draw.
        """
        return self._chosen if name == AUTO else self._named(name)

    @cached_property
    def _chosen(self) -> SpectralView:
        return self._named(AUTO)

    def _named(self, name: str) -> SpectralView:
        def view() -> Any:
            return self.of("none")

        return named_view(name, self._data.wavelengths, view)

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

    def sheet_maker(self, real: TaskSamples) -> SheetMaker:
        """What makes sheets of samples beside the training samples of the draw."""
        if self._sheet_maker is None:
            self._sheet_maker = SheetMaker.of(real, self._data.wavelengths)
        return self._sheet_maker

    def measured(
        self, samples: str, view: TaskView, pool: Sequence[TaskSamples]
    ) -> Mapping[str, Mapping[str, float]]:
        """What records say of the samples of a pool, computed once for all trials that learn from
        them.

        Parameters
        ----------
        samples : str
            Hash of all that determines them.
        view : TrainView or DenseView
            That of their generator.
        pool : sequence of samples
            As they were drawn.
        """
        if samples not in self._measured:
            sampling = self._task.sampling
            self._measured[samples] = sampling.measured(view, pool, self._data, self.split)
        return self._measured[samples]

    def check(self) -> None:
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

    def renew(self) -> bool:
        """Drop the views where a plugin wrote into one: they are made anew. Whether it did."""
        if not self._changed():
            return False
        self._views.clear()
        self._classifier_views.clear()
        self._checksums.clear()
        self._sheet_maker = None
        return True

    def give_back(self) -> None:
        """Take out of memory what was read of the views: they are read again where they are asked
        for.
        """
        for view in self._sealed():
            view.give_back()

    def _changed(self) -> list[str]:
        return [name for view in self._sealed() for name in view.changed]

    def _sealed(self) -> Iterable[SealedView]:
        shown = [*self._views.values(), *self._classifier_views.values()]
        return {id(view): view for view in shown if isinstance(view, SealedView)}.values()
