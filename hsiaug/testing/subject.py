"""A plugin under test, fitted and asked along the very path that a trial takes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

from hsiaug.contracts import Progress
from hsiaug.plugins.card import Card, Preset, build_params
from hsiaug.plugins.hookspecs import Entry, Kind
from hsiaug.plugins.registry import Registry
from hsiaug.testing.interrupts import pass_on
from hsiaug.testing.monitoring import Watched, Work, changed, checksum, counted_work, process_state
from hsiaug.testing.task_kit import Case, TaskKit
from hsiaug.testing.workbench import Bench, given
from hsiaug.trial.run import run_trial
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.store import Record

__all__ = ["Subject"]

F = TypeVar("F")


class Subject(Generic[F]):
    """A plugin under test, and what was noticed of it so far.

    entry: its entry in the registry, or None for a class that was handed over. task_kit: the task that it is checked in.
    elsewhere: subjects of the same plugin in the further tasks that it serves.
    touched: global state that it changed, and in what call. altered: inputs that it changed.
    careful: it may end the process, so that no check may try more than its own case.
    work, read_text: what torch's optimisers did in the base fit, and whether it read class descriptions.
    """

    kind: Kind

    def __init__(
        self, plugin: Any, preset: Preset, entry: Entry | None, task_kit: TaskKit, *further: TaskKit
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
        self.work = Work()
        self.read_text = False

    def spec(self, case: Case) -> TrialSpec:
        """The trial of this plugin on a case, with a partner of the kit's own."""
        own = PluginSpec(self.card.name, self.card.version, self.params)
        beside: Card = self.task_kit.reference_plugins[self.kind].card
        partner = PluginSpec(beside.name, beside.version, beside.params())
        generator, classifier = (own, partner) if self.kind == "generator" else (partner, own)
        return TrialSpec(
            task=case.task,
            scene=case.data.name,
            scene_sha256=case.data.sha256,
            protocol=case.split.protocol,
            patch=case.split.patch,
            seed=case.split.seed,
            generator=generator,
            classifier=classifier,
            lam=1.0,
            omega=self.card.guidance if self.kind == "generator" else None,
            draws=case.data.drawn_as,
        )

    def bench(self, case: Case) -> tuple[Bench, TrialSpec]:
        """A fresh workbench, so that nothing is reused."""
        return Bench(case), self.spec(case)

    def trial(self) -> Record:
        """The record of a whole trial on the easy case. A generator is not fitted anew where its first fit was made."""
        other: Kind = "classifier" if self.kind == "generator" else "generator"
        found = Registry(
            dict([given(self.kind, self.plugin), given(other, self.task_kit.reference_plugins[self.kind])])
        )
        bench, spec = self.bench_of_base
        record, _ = run_trial(spec, bench, found, device="cpu", progress=Watched())
        return record

    def watched(self, call: str, compute: Callable[[], Any], *inputs: Any) -> Any:
        """What ``compute`` gives; notes which inputs and which global state it changed."""
        sums, state, modules = [checksum(given) for given in inputs], process_state(), len(sys.modules)
        result = compute()
        if len(sys.modules) == modules:
            # What a library does to the process when it is first imported is not the plugin's doing.
            self.touched |= {(what, call) for what in changed(state)}
        self.altered |= {
            type(given).__name__ for given, was in zip(inputs, sums, strict=True) if checksum(given) != was
        }
        return result

    @cached_property
    def easy(self) -> Case:
        """The case of most checks."""
        return self.task_kit.easy()

    @cached_property
    def bench_of_base(self) -> tuple[Bench, TrialSpec]:
        """Where the first fit is made."""
        return self.bench(self.easy)

    @property
    def view(self) -> Any:
        """What the first fit sees."""
        bench, spec = self.bench_of_base
        return bench.view(spec, self.card.scope)

    @cached_property
    def progress(self) -> Watched:
        """What the first fit told of its progress."""
        return Watched()

    @cached_property
    def base(self) -> F:
        """The first fit, on the easy case."""
        bench, spec = self.bench_of_base
        with counted_work() as self.work:
            fitted = self.fit_on(bench, spec, progress=self.progress)
        self.read_text = bench.descriptions.read
        return fitted

    @cached_property
    def again(self) -> F:
        """A second fit of the same seed."""
        return self.fit(self.easy)

    def fit(self, case: Case, *, device: str = "cpu", progress: Progress | None = None) -> F:
        """A fit of this plugin on a case."""
        bench, spec = self.bench(case)
        return self.fit_on(bench, spec, device=device, progress=progress)

    def fit_on(self, bench: Bench, spec: TrialSpec, *, device: str = "cpu", progress: Progress | None = None) -> F:
        """A fit on a workbench; progress: None = nobody listens."""
        raise NotImplementedError

    def use(self, case: Case) -> F:
        """Fit and ask for results; raises where they are not sound."""
        raise NotImplementedError

    def result(self, fitted: F) -> dict[str, NDArray[Any]]:
        """What a fitted plugin gives on the easy case, in arrays that can be compared."""
        raise NotImplementedError

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
