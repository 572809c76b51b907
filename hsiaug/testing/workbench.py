"""The workbench and the registry of a trial in the kit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hsiaug.protocol.view import Scope
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.lookup import Found, Registry
from hsiaug.tasks.task import TaskSplit, TaskView, get_task
from hsiaug.testing.monitoring import ProgressRecorder
from hsiaug.testing.task_kit import AnyCase
from hsiaug.trial.cache import AnyBench
from hsiaug.trial.spec import TrialSpec

__all__ = ["CaseBench", "registry_of"]


class _ReadRecorder(Mapping[str, tuple[str, ...]]):
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


class CaseBench(AnyBench):
    """A runner's workbench with the split of a case; views tell whether their descriptions were read.

    spec: the trial of the plugin under test. scope: what that plugin may see. device, progress: what its fit is given.
    """

    def __init__(
        self, case: AnyCase, spec: TrialSpec, scope: Scope, device: str, progress: ProgressRecorder
    ) -> None:
        super().__init__(case.data, get_task(case.task))
        self.case, self.spec, self.scope = case, spec, scope
        self.device, self.progress = device, progress
        self.descriptions = _ReadRecorder(case.data.descriptions)

    def split(self, spec: TrialSpec) -> TaskSplit:
        return self.case.split

    def view(self, spec: TrialSpec, scope: Scope) -> TaskView:
        view = super().view(spec, scope)
        # In place, and so once for all who share the view.
        object.__setattr__(view, "descriptions", self.descriptions)
        return view

    @property
    def plugin_view(self) -> TaskView:
        """The view of the plugin under test."""
        return self.view(self.spec, self.scope)


@dataclass(frozen=True)
class _Loaded(Found):
    """A plugin that is at hand, in the place of one that is found."""

    plugin: Any = None

    def load(self) -> Any:
        return self.plugin


def registry_of(plugins: Mapping[Kind, Any]) -> Registry:
    """A registry of one plugin of each kind."""
    loaded = [
        _Loaded(
            Entry(kind, plugin.card.name, f"{plugin.__module__}:{plugin.__qualname__}"), "kit", "0", None, plugin
        )
        for kind, plugin in plugins.items()
    ]
    return Registry({(one.entry.kind, one.entry.name): one for one in loaded})
