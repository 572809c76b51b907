"""A plugin under test, fitted and asked along the very path that a trial takes, beside one of the
kit's own.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.protocol.balance import Rate
from hsiaug.registry.card import Card, Scope, build_params, check_preset
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.lookup import Found, Registry
from hsiaug.registry.session_plugins import Handed
from hsiaug.tasks.task import get_task
from hsiaug.testing.cases import CASES
from hsiaug.testing.core import Arrays, ProgressRecorder
from hsiaug.testing.task_cases import Case, Items, Samples, View
from hsiaug.testing.whole_trial import run_trial
from hsiaug.trial.machine import OptimiserWork, counted_work
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.trial_run import SceneContext, TrialRun

F = TypeVar("F")

DEVICE = "cpu"


class _Nearest:
    """The classifier that generators are paired with: the nearest class mean, of all dates at each
    pixel.
    """

    card = Card(
        name="kit-nearest",
        version="1",
        summary="The conformance kit's classifier",
        tasks=tuple(CASES),
        input="spectrum",
    )

    def __init__(self, params: object) -> None: ...

    def fit(self, samples: Samples, view: View, **_: object) -> "_Nearest":
        y = samples.labels
        self.ids = np.unique(y[y > 0])
        self.means = np.stack([samples.spectra[y == c].mean(axis=0) for c in self.ids])
        return self

    def predict(self, batch: Items) -> NDArray[np.int64]:
        distance = ((batch.spectra[..., None, :] - self.means) ** 2).sum(axis=-1)
        return np.asarray(self.ids[distance.argmin(axis=-1)])


class CaseContext(SceneContext):
    """The context of a trial on a case, with the split of the case.

    Attributes
    ----------
    spec : TrialSpec
        The trial of the plugin under test.
    scope : Scope
        What that plugin may see.
    progress : ProgressRecorder
        Counts the calls of its fit.
    """

    def __init__(self, case: Case, spec: TrialSpec, scope: Scope) -> None:
        super().__init__(case.data, get_task(case.task), split=case.split)
        self.case = case
        self.spec = spec
        self.scope = scope
        self.progress = ProgressRecorder()

    @property
    def plugin_view(self) -> View:
        """The view of the plugin under test."""
        return self.views(self.spec).of(self.scope)

    def generator_run(self, generator: Any) -> TrialRun:
        """The trial, up to what its generator is shown."""
        devices = {"generator": DEVICE}
        return TrialRun(
            self.spec, self, generator=generator, devices=devices, progress=self.progress
        )


class Subject(ABC, Generic[F]):
    """A plugin under test, and what was noticed of it so far.

    Attributes
    ----------
    task : str
        The one that it is checked in.
    cases : PixelCases or TileCases
        The cases of that task.
    elsewhere : list of Subject
        Subjects of the same plugin in the further tasks that it serves.
    work : OptimiserWork
        What torch's optimisers did in the base fit.
    """

    kind: ClassVar[Kind]

    def __init__(self, plugin: Any, preset: str, task: str, *further: str) -> None:
        self.plugin = plugin
        self.card: Card = plugin.card
        check_preset(preset, [self.card])
        self.params = build_params(self.card, preset)
        self.task = task
        self.cases = CASES[task]
        self.elsewhere = cast(list[Self], [type(self)(plugin, preset, other) for other in further])
        self.work = OptimiserWork()

    @property
    def _references(self) -> dict[Kind, Any]:
        """The kit's own plugin of each kind."""
        return {"generator": self.cases.generator, "classifier": _Nearest}

    def context(self, case: Case) -> CaseContext:
        """A fresh context for the trial of this plugin on a case beside one of the kit's; nothing
        is reused.
        """
        plugins: dict[Kind, PluginSpec] = {
            kind: PluginSpec(plugin.card.name, plugin.card.version, plugin.card.params())
            for kind, plugin in self._references.items()
        }
        plugins[self.kind] = PluginSpec(self.card.name, self.card.version, self.params)
        spec = TrialSpec(
            task=case.task,
            scene=case.data.name,
            scene_sha256=case.data.sha256,
            protocol=case.split.protocol,
            patch=case.split.patch,
            seed=case.split.seed,
            generator=plugins["generator"],
            classifier=plugins["classifier"],
            rate=Rate(1.0),
            omega=self.card.guidance if self.kind == "generator" else None,
            draws=case.data.drawn_as,
        )
        return CaseContext(case, spec, self.card.scope)

    def trial(self) -> Record:
        """The record of a whole trial on the easy case."""
        plugins: dict[tuple[Kind, str], Found] = {}
        for kind, plugin in {**self._references, self.kind: self.plugin}.items():
            entry = Entry(kind, plugin.card.name, f"{plugin.__module__}:{plugin.__qualname__}")
            plugins[kind, entry.name] = Handed(entry, "kit", plugin.card.version, plugin=plugin)
        context = self.base_context
        record, _ = run_trial(
            context.spec, context, Registry(plugins), device=DEVICE, progress=ProgressRecorder()
        )
        return record

    @cached_property
    def easy(self) -> Case:
        """The case of most checks."""
        case: Case = self.cases.easy()
        return case

    @cached_property
    def base_context(self) -> CaseContext:
        """Context of the first fit."""
        return self.context(self.easy)

    @property
    def view(self) -> View:
        """The view of the first fit."""
        return self.base_context.plugin_view

    @cached_property
    def base(self) -> F:
        """The first fit, on the easy case."""
        with counted_work() as self.work:
            return self.fit_on(self.base_context)

    @cached_property
    def base_result(self) -> Arrays:
        """Results of the first fit, as it gave them when it was first asked."""
        return self.result(self.base)

    def fit(self, case: Case) -> F:
        """A fit of this plugin on a case."""
        return self.fit_on(self.context(case))

    @abstractmethod
    def fit_on(self, context: CaseContext) -> F:
        """A fit in a context."""

    @abstractmethod
    def use(self, case: Case) -> F:
        """Fit and ask for results; raises where they are not sound."""

    @abstractmethod
    def result(self, fitted: F) -> Arrays:
        """Results of a fitted plugin on the easy case, in arrays that can be compared."""

    @cached_property
    def hardest(self) -> F:
        """The fit on the last of the hardest cases, in which a class is missing."""
        return [self.use(case) for case in self.cases.hardest()][-1]
