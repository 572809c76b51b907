"""A generator under test."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from hsiaug.contracts import FittedGenerator, Progress
from hsiaug.testing.monitoring import Watched
from hsiaug.testing.subject import Subject
from hsiaug.testing.task_kit import Case
from hsiaug.testing.workbench import Bench
from hsiaug.trial.spec import TrialSpec

__all__ = ["GeneratorSubject"]


class GeneratorSubject(Subject[FittedGenerator]):
    """A generator under test."""

    kind = "generator"

    def fit_on(
        self, bench: Bench, spec: TrialSpec, *, device: str = "cpu", progress: Progress | None = None
    ) -> FittedGenerator:
        view = bench.view(spec, self.card.scope)
        plugin, told = self.plugin(self.params), progress or Watched()
        fitted: FittedGenerator = self.watched("fit", lambda: bench.fit(spec, plugin, device, told).fitted, view)
        return fitted

    def counts(self, view: Any) -> Any:
        """How much a check asks for."""
        return self.task_kit.asked(sorted(view.counts))

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
        asked = self.counts(self.view) if counts is None else counts
        return self.watched("sample", lambda: fitted.sample(asked, guidance=omega, seed=seed))

    def expected(self, counts: Any) -> Any:
        """What must come back: nothing from a generator that says it adds nothing."""
        return counts if self.card.adds else self.task_kit.of_classes({})

    def use(self, case: Case) -> FittedGenerator:
        bench, spec = self.bench(case)
        view, fitted = bench.view(spec, self.card.scope), self.fit_on(bench, spec)
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
        bench, spec = self.bench(case)
        trained = bench.view(spec, self.card.scope).counts
        missing = [c for c in range(1, len(case.data.class_names) + 1) if c not in trained]
        return fitted, min(trained), missing[0]

    def result(self, fitted: FittedGenerator) -> dict[str, NDArray[Any]]:
        return self.task_kit.arrays(self.draw(fitted))
