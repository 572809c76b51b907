"""A generator under test."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.plugins.contracts import FittedGenerator, Progress
from hsiaug.protocol.view import TrainView
from hsiaug.samples import PatchSamples
from hsiaug.testing.bench import Bench
from hsiaug.testing.scenes import Case
from hsiaug.testing.subject import Subject
from hsiaug.testing.watch import Watched
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
        fitted: FittedGenerator = self.watched(
            "fit", lambda: self.timed(lambda: bench.fit(spec, plugin, device, told).fitted), view
        )
        return fitted

    @cached_property
    def view(self) -> TrainView:
        """The view of the easy case."""
        bench, spec = self.bench(self.easy)
        return bench.view(spec, self.card.scope)

    def counts(self, case: Case) -> dict[int, int]:
        """How many samples a check asks for: unequal, none of one class, and only of trained classes."""
        sizes = np.bincount(case.scene.labels[case.split.train], minlength=len(case.scene.class_names) + 1)[1:]
        asked = (6, 0, 9, 4)
        return {c: asked[(c - 1) % 4] for c, n in enumerate(sizes, start=1) if n}

    def draw(
        self,
        fitted: FittedGenerator,
        counts: Mapping[int, int] | None = None,
        *,
        seed: int = 0,
        guidance: float | None = None,
    ) -> PatchSamples:
        """Samples as a trial draws them; default counts are those of the easy case. guidance: None = default."""
        omega = self.card.guidance if guidance is None else guidance
        asked = self.counts(self.easy) if counts is None else counts
        samples: PatchSamples = self.watched("sample", lambda: fitted.sample(asked, guidance=omega, seed=seed))
        return samples

    def expected(self, counts: Mapping[int, int]) -> Mapping[int, int]:
        """What must come back: nothing from a generator that says it adds nothing."""
        return counts if self.card.adds else {}

    def use(self, case: Case) -> None:
        bench, spec = self.bench(case)
        counts = self.counts(case)
        samples = self.draw(self.fit_on(bench, spec), counts)
        bench.task.check(samples, self.expected(counts), bench.view(spec, self.card.scope))

    def result(self, fitted: FittedGenerator) -> dict[str, NDArray[Any]]:
        samples = self.draw(fitted)
        return {"x": samples.x, "y": samples.y, "weight": samples.weight}
