"""A classifier under test."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.contracts import FittedClassifier, Progress
from hsiaug.seeds import derive_seed
from hsiaug.tasks.task import TaskSamples
from hsiaug.testing.core import Arrays, Violation
from hsiaug.testing.monitoring import ProgressRecorder, counted_work
from hsiaug.testing.subject import Subject
from hsiaug.testing.task_kit import AnyCase
from hsiaug.testing.workbench import CaseBench

__all__ = ["ClassifierSubject"]


class ClassifierSubject(Subject[FittedClassifier]):
    """A classifier under test."""

    kind = "classifier"

    def fit_on(
        self, bench: CaseBench, *, device: str = "cpu", progress: Progress | None = None
    ) -> FittedClassifier:
        real = bench.plugin_view.real
        samples = self.task_kit.joined([real, self.task_kit.repeated(real)])
        return self.learn(samples, bench, device=device, progress=progress)

    def learn(
        self,
        samples: TaskSamples,
        bench: CaseBench | None = None,
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> FittedClassifier:
        """A fit on samples of a check's choice, shown as the runner shows them; bench: None = that of the base fit."""
        bench = bench or self.base_bench
        view, shown = bench.plugin_view, bench.task.shown(samples, self.card)
        seed = derive_seed("classifier", self.card.name, bench.spec.seed)
        plugin, reported = self.plugin(self.params), progress or ProgressRecorder()
        fitted: FittedClassifier = self.observed(
            "fit",
            lambda: plugin.fit(shown, view, seed=seed, device=device, progress=reported),
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
        labels: NDArray[np.int64] = np.asarray(self.observed("predict", lambda: fitted.predict(items), items))
        return labels

    def recall(self, fitted: FittedClassifier, items: Any, y: NDArray[Any]) -> float:
        """Mean recall over the classes of y that can be judged; 1 where there is none."""
        right = self.predict(fitted, items) == y
        return float(np.mean([right[y == c].mean() for c in self.task_kit.judged(y)] or [1.0]))

    def use(self, case: AnyCase) -> FittedClassifier:
        bench = self.bench(case)
        fitted = self.fit_on(bench)
        answer = bench.task.predict(fitted, self.card, case.data, case.split)
        _, labels = bench.task.located(case.data, case.split, answer)
        trained = bench.plugin_view.counts
        strange = sorted(set(labels.tolist()) - set(trained))
        if strange:
            raise Violation(
                f"predictions of class ids {strange}, which had no sample; trained: {sorted(trained)}",
                "Map outputs to the ids that occur in the samples; 0 in a mask is none.",
            )
        recall, least = self.own_recall(fitted, bench)
        # One that learns nothing at all is for the check learns to name.
        if recall < least and not self.unlearnt:
            raise Violation(
                f"a mean recall of {recall:.2f} on its own training pixels, {self.learnt[0]:.2f} otherwise"
            )
        return fitted

    @cached_property
    def learnt(self) -> tuple[float, float]:
        """Mean recall of the base fit on its own training pixels, and the least that it must be."""
        return self.own_recall(self.base, self.base_bench)

    @property
    def unlearnt(self) -> bool:
        """Whether the base fit learnt nothing."""
        return self.learnt[0] < self.learnt[1]

    @cached_property
    def plain(self) -> tuple[FittedClassifier, int]:
        """A fit on the real samples alone, and its optimiser steps."""
        with counted_work() as work:
            fitted = self.learn(self.view.real)
        return fitted, work.steps

    def own_recall(self, fitted: FittedClassifier, bench: CaseBench) -> tuple[float, float]:
        """Mean recall on the real training pixels, and the least that it must be."""
        real = bench.task.shown(bench.plugin_view.real, self.card)
        y = self.task_kit.labels(real)
        return self.recall(fitted, self.task_kit.items(real), y), self.task_kit.least(len(self.task_kit.judged(y)))

    def result(self, fitted: FittedClassifier) -> Arrays:
        items, _ = self.probes
        found: Arrays = {"labels": self.predict(fitted, items)}
        if hasattr(fitted, "predict_proba"):
            found["shares"] = np.asarray(fitted.predict_proba(items))
        return found
