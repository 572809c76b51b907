"""A plugin under test, fitted and asked along the very path that a trial takes."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from hsiaug.registry.card import Card, Preset, build_params
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.tasks.task import TaskView
from hsiaug.testing.core import Arrays
from hsiaug.testing.interrupts import pass_on
from hsiaug.testing.monitoring import (
    ProgressRecorder,
    changed,
    checksum,
    process_state,
)
from hsiaug.testing.reference_plugins import REFERENCE_PLUGINS
from hsiaug.testing.task_kit import AnyCase, AnyTaskKit
from hsiaug.testing.workbench import CaseBench, registry_of
from hsiaug.trial.machine import OptimiserWork, counted_work
from hsiaug.trial.run import run_trial
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.store import Record

__all__ = ["Subject"]

F = TypeVar("F")


class Subject(ABC, Generic[F]):
    """A plugin under test, and what was noticed of it so far.

    entry: its entry in the registry, or None for a class that was handed over. task_kit: the task that it is checked in.
    elsewhere: subjects of the same plugin in the further tasks that it serves.
    touched: global state that it changed, and in what call. altered: inputs that it changed.
    careful: it may end the process, so that no check may try more than its own case.
    work, read_text: what torch's optimisers did in the base fit, and whether it read class descriptions.
    """

    kind: Kind

    def __init__(
        self, plugin: Any, preset: Preset, entry: Entry | None, task_kit: AnyTaskKit, *further: AnyTaskKit
    ) -> None:
        self.plugin = plugin
        self.card: Card = plugin.card
        self.params = build_params(self.card, preset)
        self.entry = entry
        self.task_kit = task_kit
        self.elsewhere: Sequence[Any] = [type(self)(plugin, preset, entry, other) for other in further]
        self.touched: set[tuple[str, str]] = set()
        self.altered: set[str] = set()
        self.careful = False
        self.work = OptimiserWork()
        self.read_text = False

    def bench(self, case: AnyCase, *, device: str = "cpu", progress: ProgressRecorder | None = None) -> CaseBench:
        """A fresh workbench for the trial of this plugin on a case beside one of the kit's; nothing is reused."""
        plugins: dict[Kind, PluginSpec] = {
            kind: PluginSpec(plugin.card.name, plugin.card.version, plugin.card.params())
            for kind, plugin in REFERENCE_PLUGINS.items()
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
            lam=1.0,
            omega=self.card.guidance if self.kind == "generator" else None,
            draws=case.data.drawn_as,
        )
        return CaseBench(case, spec, self.card.scope, device, progress or ProgressRecorder())

    def trial(self) -> Record:
        """The record of a whole trial on the easy case. A generator is not fitted anew where its first fit was made."""
        bench, found = self.base_bench, registry_of({**REFERENCE_PLUGINS, self.kind: self.plugin})
        record, _ = run_trial(bench.spec, bench, found, device="cpu", progress=ProgressRecorder())
        return record

    def observed(self, call: str, compute: Callable[[], Any], *inputs: Any) -> Any:
        """Return ``compute()``, and note which inputs and which global state it changed."""
        sums, state, modules = [checksum(value) for value in inputs], process_state(), len(sys.modules)
        result = compute()
        if len(sys.modules) == modules:
            # What a library does to the process when it is first imported is not the plugin's doing.
            self.touched |= {(what, call) for what in changed(state)}
        now = [checksum(value) for value in inputs]
        self.altered |= {type(value).__name__ for value, a, b in zip(inputs, sums, now, strict=True) if a != b}
        return result

    @cached_property
    def easy(self) -> AnyCase:
        """The case of most checks."""
        return self.task_kit.case()

    @cached_property
    def base_bench(self) -> CaseBench:
        """Where the first fit is made."""
        return self.bench(self.easy)

    @property
    def view(self) -> TaskView:
        """The view of the first fit."""
        return self.base_bench.plugin_view

    @cached_property
    def base(self) -> F:
        """The first fit, on the easy case."""
        with counted_work() as self.work:
            fitted = self.fit_on(self.base_bench)
        self.read_text = self.base_bench.descriptions.read
        return fitted

    @cached_property
    def again(self) -> F:
        """A second fit of the same seed."""
        return self.fit(self.easy)

    def fit(self, case: AnyCase) -> F:
        """A fit of this plugin on a case."""
        return self.fit_on(self.bench(case))

    @abstractmethod
    def fit_on(self, bench: CaseBench) -> F:
        """A fit on a workbench."""

    @abstractmethod
    def use(self, case: AnyCase) -> F:
        """Fit and ask for results; raises where they are not sound."""

    @abstractmethod
    def result(self, fitted: F) -> Arrays:
        """Results of a fitted plugin on the easy case, in arrays that can be compared."""

    @cached_property
    def hardest(self) -> list[F]:
        """The fits on the hardest cases; none where one of them did not go well."""
        try:
            return [self.use(case) for case in self.task_kit.hardest()]
        except BaseException as error:
            pass_on(error)
            return []

    @property
    def takes_all(self) -> bool:
        """Whether it takes the hardest cases: then the single troubles need no fits of their own."""
        return not self.careful and bool(self.hardest)
