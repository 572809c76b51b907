"""A generator under test."""

from __future__ import annotations

from typing import Any

from hsiaug.contracts import FittedGenerator, Progress
from hsiaug.tasks.task import TaskView
from hsiaug.testing.core import Arrays
from hsiaug.testing.monitoring import ProgressRecorder
from hsiaug.testing.subject import Subject
from hsiaug.testing.task_kit import AnyCase
from hsiaug.testing.workbench import CaseBench

__all__ = ["GeneratorSubject"]


class GeneratorSubject(Subject[FittedGenerator]):
    """A generator under test."""

    kind = "generator"

    def fit_on(
        self, bench: CaseBench, *, device: str = "cpu", progress: Progress | None = None
    ) -> FittedGenerator:
        plugin, reported = self.plugin(self.params), progress or ProgressRecorder()
        fitted: FittedGenerator = self.observed(
            "fit", lambda: bench.fit(bench.spec, plugin, device, reported).fitted, bench.plugin_view
        )
        return fitted

    def counts(self, view: TaskView) -> Any:
        """How much a check asks for."""
        return self.task_kit.request(sorted(view.counts))

    def draw(
        self,
        fitted: FittedGenerator,
        counts: Any = None,
        *,
        seed: int = 0,
        guidance: float | None = None,
    ) -> Any:
        """Samples as a trial draws them; default counts are those of the easy case. guidance: None = default."""
        omega = self.card.guidance if guidance is None else guidance
        request = self.counts(self.view) if counts is None else counts
        return self.observed("sample", lambda: fitted.sample(request, guidance=omega, seed=seed))

    def expected(self, counts: Any) -> Any:
        """What must come back: nothing from a generator that says it adds nothing."""
        return counts if self.card.adds else self.task_kit.of_classes({})

    def use(self, case: AnyCase) -> FittedGenerator:
        bench = self.bench(case)
        view, fitted = bench.plugin_view, self.fit_on(bench)
        counts = self.counts(view)
        bench.task.check(self.draw(fitted, counts), self.expected(counts), view)
        return fitted

    def without_a_class(self) -> tuple[FittedGenerator, int, int]:
        """A fit, a class id that had training pixels in it, and one that had none."""
        if self.takes_all:
            case, fitted = self.task_kit.hardest()[-1], self.hardest[-1]
        else:
            case = self.task_kit.troubled("class-missing")
            fitted = self.fit(case)
        trained = self.bench(case).plugin_view.counts
        missing = [c for c in range(1, len(case.data.class_names) + 1) if c not in trained]
        return fitted, min(trained), missing[0]

    def result(self, fitted: FittedGenerator) -> Arrays:
        return self.task_kit.arrays(self.draw(fitted))
