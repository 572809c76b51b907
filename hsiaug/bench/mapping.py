"""A map whose stripes are predicted by the slots of an engine, each of which fits the classifier once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.bench.dispatch import Dispatch, Work
from hsiaug.bench.engine import Engine, Job
from hsiaug.bench.ledger import Event
from hsiaug.bench.worker import WorkerStart
from hsiaug.contracts import Progress
from hsiaug.tasks.task import TaskSplit
from hsiaug.trial.cache import WORTH_SAVING, has_fit
from hsiaug.trial.mapping import Refitted, StripeSpec
from hsiaug.trial.run import Outcome, label_fault
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record, Store

__all__ = ["Later", "map_stripes", "stripes_of"]


@dataclass
class Later:
    """A fitted classifier that is made when it is first asked: where maps are made elsewhere it seldom is."""

    make: Callable[[], Refitted]

    @cached_property
    def _made(self) -> Refitted:
        return self.make()

    def predict(self, samples: Any) -> NDArray[Any]:
        """As the classifier does."""
        labels: NDArray[Any] = self._made.fitted.predict(samples)
        return labels


def stripes_of(trial: TrialSpec, labels: NDArray[np.int16], rows: Sequence[range]) -> list[StripeSpec]:
    """What has to be predicted of a trial's map. labels: (H, W) class ids, 0 = none."""
    return [StripeSpec.of(trial, one, labels[one.start : one.stop] > 0) for one in rows]


def map_stripes(
    stripes: Sequence[StripeSpec],
    split: TaskSplit,
    record: Record,
    job: Job,
    engine: Engine,
    progress: Progress,
) -> NDArray[np.int16]:
    """(H, W) class ids of every pixel of a scene, 0 = no data.

    split, record: of the trial whose map it is.
    Raises PluginError where a stripe cannot be predicted, SceneError where no worker has the scene and the plugins.
    """
    store = Store(job.store)
    sha256 = stripes[0].scene_sha256
    pool = engine.pool(WorkerStart(job.task, job.scene_ref, sha256, store.cache.resolve(), job.device, job.limit))
    made = _Mosaic(stripes, split, record, store, progress)
    try:
        Dispatch([Work(tuple(stripes), {})], pool, made, engine.gpus > 0, made.hear).run()
    finally:
        pool.close()
    return made.ids


class _Mosaic:
    """The stripes of a map that have been predicted, and what workers are given for the others."""

    def __init__(
        self, stripes: Sequence[StripeSpec], split: TaskSplit, record: Record, store: Store, progress: Progress
    ) -> None:
        self.ids = np.zeros((stripes[-1].rows[1], stripes[0].width), dtype=np.int16)
        self._rows = {stripe.hash: slice(*stripe.rows) for stripe in stripes}
        self._split, self._store, self._progress = split.blind, store, progress
        self._quick = record["timings"].get("fit_generator", 0.0) <= WORTH_SAVING
        self._classes, self._done = len(record["class_names"]), 0

    def blind(self, stripe: TrialSpec) -> object:
        """The split of the trial, without test labels."""
        return self._split

    def equipped(self, stripe: TrialSpec) -> TrialSpec:
        """As it is: no test label is needed for a map."""
        return stripe

    def keeps_fit(self, stripe: TrialSpec) -> bool:
        """Whether several workers may begin at once: the generator's fit is quick, or in the cache of the store."""
        return self._quick or has_fit(self._store.cache, stripe)

    def write(self, stripe: TrialSpec, outcome: Outcome, command: str) -> Event:
        """Put a stripe into its place. Raises PluginError for one that could not be predicted."""
        rows = self._rows[stripe.hash]
        fault: str | None
        if outcome.labels is None:
            error = outcome.result["error"]
            fault = f"{error['type']} in stage {error['stage']}: {error['message']}"
        else:
            number = (rows.stop - rows.start) * self.ids.shape[1]
            fault = label_fault(outcome.labels, number, range(self._classes + 1))
        if fault or outcome.labels is None:
            raise PluginError(
                f"the classifier {stripe.classifier.name} must map every stripe of the scene",
                value=fault,
                hint="Make the map in one process to see the whole traceback: `jobs` 1.",
            )
        self.ids[rows] = outcome.labels.reshape(-1, self.ids.shape[1])
        self._done += rows.stop - rows.start
        self._progress(self._done, len(self.ids), "rows")
        return Event("ok", stripe.hash)

    def hear(self, event: Event) -> None:
        """Show what plugins say of their progress, until rows are there."""
        if event.kind == "step" and not self._done:
            self._progress(event.done, event.total, event.note)
