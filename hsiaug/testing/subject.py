"""A plugin on one of the made-up cases, fitted and asked along the very path that a trial takes,
beside one of the kit's own.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import Progress
from hsiaug.core.samples import Patches, PatchSamples
from hsiaug.core.tiles import DenseSamples, PairCounts, Tiles
from hsiaug.protocol.balance import Rate
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.lookup import Found, Registry
from hsiaug.registry.session_plugins import Handed
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import Prediction, TaskSamples, TaskView
from hsiaug.testing.checks import Arrays, ProgressRecorder
from hsiaug.testing.scenes import HARD, Case, easy_case, hard_cases
from hsiaug.trial.machine import OptimiserWork, counted_work
from hsiaug.trial.outcome import finish
from hsiaug.trial.predictions import checksum
from hsiaug.trial.record_json import Record
from hsiaug.trial.run import run_group
from hsiaug.trial.spec import TrialSpec, plugin_spec
from hsiaug.trial.trial_run import SceneContext

DEVICE = "cpu"
REPEATED_NOISE = 0.002
"""Noise of a repeated sample, as a share of the value that it is added to."""


def repeated(real: TaskSamples) -> TaskSamples:
    """Synthetic samples that any classifier can learn from: real ones with a little noise; of
    patches as many of each class, of pairs each one once.
    """
    rng = np.random.default_rng(derive_seed("conformance", "repeated"))
    if isinstance(real, PatchSamples):
        ids, counts = np.unique(real.y, return_counts=True)
        real = real.take(
            np.concatenate([np.resize(np.flatnonzero(real.y == c), counts.max()) for c in ids])
        )
    noise = rng.normal(0, REPEATED_NOISE, size=real.values.shape) * real.values
    values = real.values + noise.astype(np.float32)
    if isinstance(real, PatchSamples):
        return PatchSamples.made(values, real.y)
    return DenseSamples.made(values, real.masks)


def run_trial(
    spec: TrialSpec,
    context: SceneContext,
    plugins: Registry,
    *,
    device: str = "auto",
    progress: Progress,
) -> tuple[Record, Prediction | None]:
    """Run and score a trial in this process.

    Parameters
    ----------
    spec : TrialSpec
        What is run.
    context : SceneContext
        With all labels.
    plugins : Registry
        Where its plugins are found.
    device : str
        "auto", "cpu", "cuda" ...
    progress : callable
        Is told how far a fit is.

    Returns
    -------
    record : dict
        Of status "failed" where a plugin raised, whatever it was.
    prediction : Prediction or None
        None where the trial failed.
    """
    ((_, outcome),) = run_group([spec], context, plugins, device=device, progress=progress)
    split = context.views(spec).split
    record, prediction = finish(spec, outcome, context.task, context.scene, split, scene_ref="")
    if prediction is not None:
        record = {**record, "predictions_sha256": checksum(prediction)}
    return record, prediction


class _Repeats:
    """The generator that classifiers are paired with: real samples once more."""

    card = Card(
        name="kit-repeats",
        version="1",
        summary="The conformance kit's generator",
        tasks=tuple(HARD),
    )

    def __init__(self, params: object) -> None: ...

    def fit(self, view: TaskView, **_: object) -> Self:
        self.samples = repeated(view.real)
        return self

    def sample(self, counts: Any, **_: object) -> TaskSamples:
        if isinstance(counts, PairCounts):
            return self.samples.take(np.resize(np.arange(len(self.samples)), counts.total))
        y = self.samples.labels
        index = [np.resize(np.flatnonzero(y == c), n) for c, n in counts.items()]
        return self.samples.take(np.concatenate(index))


class _OneClass:
    """The classifier that generators are paired with: it names one class everywhere."""

    card = Card(
        name="kit-one-class",
        version="1",
        summary="The conformance kit's classifier",
        tasks=tuple(HARD),
        input="spectrum",
    )

    def __init__(self, params: object) -> None: ...

    def fit(self, samples: TaskSamples, view: TaskView, **_: object) -> Self:
        self.answer = samples.labels.max()
        return self

    def predict(self, batch: Patches | Tiles) -> NDArray[np.int64]:
        return np.full(batch.spectra.shape[:-1], self.answer)


REFERENCES: dict[Kind, Any] = {"generator": _Repeats, "classifier": _OneClass}
"""The kit's own plugin of each kind."""


class Subject(ABC):
    """A plugin on a case.

    Attributes
    ----------
    context : SceneContext
        Of the trial with a plugin of the kit; nothing of other subjects is reused.
    progress : ProgressRecorder
        Counts the calls of the fit.
    work : OptimiserWork
        What torch's optimisers did in the fit.
    """

    kind: ClassVar[Kind]

    def __init__(self, plugin: Any, params: object, case: Case) -> None:
        self.plugin = plugin
        self.card: Card = plugin.card
        self.params = params
        self.case = case
        self.context = SceneContext(case.data, get_task(case.task), split=case.split)
        self.progress = ProgressRecorder()
        self.work = OptimiserWork()
        specs = {
            kind: plugin_spec(one.card, one.card.params(), case.data)
            for kind, one in REFERENCES.items()
        }
        specs[self.kind] = plugin_spec(self.card, params, case.data)
        self.spec = TrialSpec(
            task=case.task,
            scene=case.data.name,
            scene_sha256=case.data.sha256,
            protocol=case.split.protocol,
            patch=case.split.patch,
            seed=case.split.seed,
            generator=specs["generator"],
            classifier=specs["classifier"],
            rate=Rate(1.0),
            omega=self.card.guidance if self.kind == "generator" else None,
            draws=case.data.drawn_as,
        )

    def on(self, case: Case) -> Self:
        """The same plugin on another case, or afresh on the same."""
        return type(self)(self.plugin, self.params, case)

    @property
    def view(self) -> TaskView:
        """The view of the plugin."""
        return self.context.views(self.spec).of(self.card.scope)

    @cached_property
    def fitted(self) -> Any:
        """The plugin, fitted once."""
        with counted_work() as self.work:
            return self.fit()

    @cached_property
    def result(self) -> Arrays:
        """What the fit gave when it was first asked."""
        return self.result_of(self.fitted)

    @cached_property
    def elsewhere(self) -> list[Self]:
        """On the easy cases of the further tasks that it serves."""
        others = [task for task in HARD if task in self.card.tasks and task != self.case.task]
        return [self.on(easy_case(task)) for task in others]

    @cached_property
    def hardest(self) -> Self:
        """On the last of the hard cases, in which a class is missing; all of them were used."""
        subjects = [self.on(case) for case in hard_cases(self.case.task)]
        for subject in subjects:
            subject.use(self)
        return subjects[-1]

    @abstractmethod
    def fit(self) -> Any:
        """A fit of the plugin."""

    @abstractmethod
    def result_of(self, fitted: Any) -> Arrays:
        """Results of a fitted plugin on the case, in arrays that can be compared."""

    @abstractmethod
    def use(self, easy: Self) -> None:
        """Fit and ask for results; raises where they are not sound.

        Parameters
        ----------
        easy : Subject
            The same plugin on the easy case.
        """

    def trial(self) -> Record:
        """The record of a whole trial."""
        plugins: dict[tuple[Kind, str], Found] = {}
        for kind, plugin in {**REFERENCES, self.kind: self.plugin}.items():
            entry = Entry(kind, plugin.card.name, f"{plugin.__module__}:{plugin.__qualname__}")
            plugins[kind, entry.name] = Handed(entry, "kit", plugin.card.version, plugin=plugin)
        record, _ = run_trial(
            self.spec, self.context, Registry(plugins), device=DEVICE, progress=ProgressRecorder()
        )
        return record
