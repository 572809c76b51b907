"""A classifier under test."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.contracts import FittedClassifier, Progress
from hsiaug.seeds import derive_seed
from hsiaug.tasks.task import located
from hsiaug.testing.core import Violation
from hsiaug.testing.monitoring import Watched, counted_work
from hsiaug.testing.subject import Subject
from hsiaug.testing.task_kit import Case
from hsiaug.testing.workbench import Bench
from hsiaug.trial.spec import TrialSpec

__all__ = ["ClassifierSubject"]


class ClassifierSubject(Subject[FittedClassifier]):
    """A classifier under test."""

    kind = "classifier"

    def fit_on(
        self, bench: Bench, spec: TrialSpec, *, device: str = "cpu", progress: Progress | None = None
    ) -> FittedClassifier:
        real = bench.view(spec, self.card.scope).real
        samples = self.task_kit.joined([real, self.task_kit.repeated(real)])
        return self.learn(bench, spec, samples, device=device, progress=progress)

    def learn(
        self,
        bench: Bench,
        spec: TrialSpec,
        samples: Any,
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> FittedClassifier:
        """A fit on samples of a check's choice, shown as the runner shows them."""
        view, shown = bench.view(spec, self.card.scope), bench.task.shown(samples, self.card)
        seed = derive_seed("classifier", self.card.name, spec.seed)
        plugin, told = self.plugin(self.params), progress or Watched()
        fitted: FittedClassifier = self.watched(
            "fit",
            lambda: plugin.fit(shown, view, seed=seed, device=device, progress=told),
            view,
            shown,
        )
        return fitted

    @cached_property
    def probes(self) -> tuple[Any, NDArray[Any]]:
        """Test items of the easy case as the classifier is shown them, and their labels."""
        return self.task_kit.probes(self.easy, self.card)

    def predict(self, fitted: FittedClassifier, items: Any) -> NDArray[np.int64]:
        """Class ids of items."""
        labels: NDArray[np.int64] = np.asarray(self.watched("predict", lambda: fitted.predict(items), items))
        return labels

    def recall(self, fitted: FittedClassifier, items: Any, y: NDArray[Any]) -> float:
        """Mean recall over the classes of y that can be judged; 1 where there is none."""
        right = self.predict(fitted, items) == y
        return float(np.mean([right[y == c].mean() for c in self.task_kit.judged(y)] or [1.0]))

    def use(self, case: Case) -> FittedClassifier:
        bench, spec = self.bench(case)
        fitted = self.fit_on(bench, spec)
        answer = bench.task.predict(fitted, self.card, case.data, case.split)
        _, labels = located(bench.task, case.data, case.split, answer)
        trained = bench.view(spec, self.card.scope).counts
        strange = sorted(set(labels.tolist()) - set(trained))
        if strange:
            raise Violation(
                f"predictions of class ids {strange}, which had no sample; trained: {sorted(trained)}",
                "Map outputs to the ids that occur in the samples; 0 in a mask is none.",
            )
        recall, least = self.own_recall(fitted, bench, spec)
        # One that learns nothing at all is for the check learns to name.
        if recall < least and not self.unlearnt:
            raise Violation(
                f"a mean recall of {recall:.2f} on its own training pixels, {self.learnt[0]:.2f} otherwise"
            )
        return fitted

    @cached_property
    def learnt(self) -> tuple[float, float]:
        """Mean recall of the base fit on its own training pixels, and the least that it must be."""
        return self.own_recall(self.base, *self.bench_of_base)

    @property
    def unlearnt(self) -> bool:
        """Whether the base fit learnt nothing."""
        return self.learnt[0] < self.learnt[1]

    @cached_property
    def plain(self) -> tuple[FittedClassifier, int]:
        """A fit on the real samples alone, and its optimiser steps."""
        with counted_work() as work:
            fitted = self.learn(*self.bench_of_base, self.view.real)
        return fitted, work.steps

    def own_recall(self, fitted: FittedClassifier, bench: Bench, spec: TrialSpec) -> tuple[float, float]:
        """Mean recall on the real training pixels, and the least that it must be."""
        real = bench.task.shown(bench.view(spec, self.card.scope).real, self.card)
        y = self.task_kit.labels(real)
        return self.recall(fitted, self.task_kit.items(real), y), self.task_kit.least(len(self.task_kit.judged(y)))

    def result(self, fitted: FittedClassifier) -> dict[str, NDArray[Any]]:
        items, _ = self.probes
        found: dict[str, NDArray[Any]] = {"labels": self.predict(fitted, items)}
        if hasattr(fitted, "predict_proba"):
            found["shares"] = np.asarray(fitted.predict_proba(items))
        return found
