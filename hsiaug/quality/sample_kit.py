"""What ``hsiaug generate`` and ``hsiaug inspect`` ask of a task: which samples, how they are written and measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from hsiaug.bench.memory_check import check_samples
from hsiaug.contracts import FittedGenerator, Generator, Progress
from hsiaug.plugins.card import Card
from hsiaug.plugins.registry import Registry
from hsiaug.quality.inspection import AnyInspection
from hsiaug.quality.synthesis import SampleRequest, Synthesis, sample_spec, silent
from hsiaug.tasks.task import Counts, Data, Samples, Split, Task, View
from hsiaug.trial.cache import Workbench
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.spec import TrialSpec

__all__ = ["AnyKit", "SampleKit"]

Report = TypeVar("Report", bound=AnyInspection)


class SampleKit(ABC, Generic[Data, Split, View, Samples, Counts, Report]):
    """The samples of one task outside a trial. unit: of the numbers of :meth:`classes`, "%" for shares."""

    unit: str

    def __init__(self, task: Task[Data, Split, View, Samples, Counts]) -> None:
        self.task = task

    def synthesise(
        self,
        data: Data,
        request: SampleRequest,
        plugins: Registry,
        *,
        folder: Path | None = None,
        progress: Progress = silent,
    ) -> Synthesis[Data, Split, Samples]:
        """Fit a generator on the training samples of a draw, as a trial of these settings does, and sample it.

        folder: the cache of a store of records, where slow fits are looked for and kept; None = neither.
        Raises InputError for a generator or counts that make no sample, an unknown name, or a number out of range.
        """
        generator, spec = sample_spec(self.task, data, request, plugins)
        bench = Workbench(data, self.task, folder)
        synthetic, fitted, seconds = self.draw(bench, spec, generator, request, progress)
        real = cast(Samples, bench.view(spec, generator.card.scope).real)
        facts = self.facts(generator.card, synthetic, request)
        return Synthesis(data, bench.split(spec), spec, generator.card, fitted, real, synthetic, seconds, facts)

    def prepared(
        self,
        bench: Workbench[Data, Split, View, Samples, Counts],
        spec: TrialSpec,
        card: Card,
        request: SampleRequest,
    ) -> tuple[Counts, str]:
        """What the generator is asked for, and the device. Raises InputError for none, or more than memory holds."""
        counts = self.counts(bench.view(spec, card.scope), request)
        check_samples(bench.scene, self.task.total(counts), spec.patch)
        return counts, resolve_device(request.device, card)

    @abstractmethod
    def check(self, request: SampleRequest) -> None:
        """Raise InputError, before any work, for what the task does not offer."""

    @abstractmethod
    def counts(self, view: View, request: SampleRequest) -> Counts:
        """What is asked for. Raises InputError for no sample at all."""

    @abstractmethod
    def draw(
        self,
        bench: Workbench[Data, Split, View, Samples, Counts],
        spec: TrialSpec,
        generator: Generator,
        request: SampleRequest,
        progress: Progress,
    ) -> tuple[Samples, FittedGenerator, Mapping[str, float]]:
        """Synthetic samples, the fitted generator, and the seconds of each stage."""

    @abstractmethod
    def facts(self, card: Card, synthetic: Samples, request: SampleRequest) -> dict[str, Any]:
        """What the task adds to the provenance of samples."""

    @abstractmethod
    def check_target(self, path: Path) -> None:
        """Raise InputError, before any work, for a path that :meth:`save` cannot write to."""

    @abstractmethod
    def save(self, path: Path, made: Synthesis[Data, Split, Samples], *, with_real: bool) -> list[str]:
        """Write the samples, whole or not at all; returns lines that say what was written."""

    @abstractmethod
    def classes(self, made: Synthesis[Data, Split, Samples], *, with_real: bool) -> list[dict[str, Any]]:
        """Of each class its id, its name, and its part of the real and of the synthetic samples, in ``unit``."""

    @abstractmethod
    def inspect(self, made: Synthesis[Data, Split, Samples], seed: int = 0) -> Report:
        """Measure fidelity and label reliability. Test labels are read: a diagnosis after the fit."""

    @abstractmethod
    def save_pictures(self, inspection: Report, folder: Path) -> list[Path]:
        """Write the pictures of a report; returns the files."""


AnyKit = SampleKit[Any, Any, Any, Any, Any, Any]
"""A kit of a task of which only the name is known."""
