"""The workbench and the registry of a trial in the kit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hsiaug.plugins.hookspecs import Entry, Kind
from hsiaug.plugins.registry import Found
from hsiaug.protocol.view import Scope
from hsiaug.tasks.task import TaskSplit, TaskView, get_task
from hsiaug.testing.task_kit import Case
from hsiaug.trial.cache import AnyBench
from hsiaug.trial.spec import TrialSpec

__all__ = ["Bench", "given"]


class Spied(Mapping[str, tuple[str, ...]]):
    """Class descriptions that remember whether anybody read them."""

    def __init__(self, inner: Mapping[str, tuple[str, ...]]) -> None:
        self._inner = inner
        self.read = False

    def __getitem__(self, name: str) -> tuple[str, ...]:
        self.read = True
        return self._inner[name]

    def __iter__(self) -> Iterator[str]:
        self.read = True
        return iter(self._inner)

    def __len__(self) -> int:
        self.read = True
        return len(self._inner)


class Bench(AnyBench):
    """A runner's workbench with the split of a case; views tell whether their descriptions were read."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.data, get_task(case.task))
        self.case = case
        self.descriptions = Spied(case.data.descriptions)

    def split(self, spec: TrialSpec) -> TaskSplit:
        drawn: TaskSplit = self.case.split
        return drawn

    def view(self, spec: TrialSpec, scope: Scope) -> TaskView:
        view = super().view(spec, scope)
        # In place, and so once for all who share the view.
        object.__setattr__(view, "descriptions", self.descriptions)
        return view


@dataclass(frozen=True)
class Given(Found):
    """A plugin that is at hand, in the place of one that is found."""

    plugin: Any = None

    def load(self) -> Any:
        return self.plugin


def given(kind: Kind, plugin: Any) -> tuple[tuple[Kind, str], Found]:
    """A plugin as a registry holds it."""
    name = plugin.card.name
    entry = Entry(kind, name, f"{plugin.__module__}:{plugin.__qualname__}")
    return (kind, name), Given(entry, "given", "0", plugin=plugin)
