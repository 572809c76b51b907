"""A cell of a table: the trials of one arm with one classifier, over the draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from hsiaug.core.view_names import RAW
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.report.labels import MISSING
from hsiaug.report.records import DrawKey, Trial
from hsiaug.trial.arm import CONTROLS, PIXEL_SVM, TEACHER, Arm, Method, controls_of

CellKey = tuple[Arm, Method]
"""An arm and a classifier."""


@dataclass(frozen=True)
class ArmCell:
    """The trials of one arm with one classifier, in the order of their seeds."""

    arm: Arm
    classifier: Method
    trials: tuple[Trial, ...]

    @cached_property
    def ok(self) -> tuple[Trial, ...]:
        """Trials that gave numbers, one per split: of seeds that drew the same, the first. Only these enter a mean."""
        first: dict[tuple[int, str], Trial] = {}
        for trial in self.trials:
            if trial.ok:
                first.setdefault(trial.draw, trial)
        return tuple(first.values())

    @property
    def failed(self) -> tuple[Trial, ...]:
        """Trials that are named, and never averaged."""
        return tuple(trial for trial in self.trials if trial.failed)

    @property
    def empty(self) -> tuple[Trial, ...]:
        """Trials whose λ asked for no sample: they say nothing of the generator."""
        return tuple(trial for trial in self.trials if trial.empty)

    @property
    def rival(self) -> str:
        """The classifier that, without a sample, is a further control of it; "" where there is none."""
        if not self.arm.judged:
            return ""
        if self.trials[0].condition.task == "segmentation":
            return PIXEL_SVM if self.classifier.name != PIXEL_SVM else ""
        return TEACHER if any(trial.scope == "scene" for trial in self.trials) else ""

    @property
    def controls(self) -> tuple[str, ...]:
        """Controls that the cell is measured against; for a further control, the others."""
        if not self.arm.judged:
            return CONTROLS
        scope = next((trial.scope for trial in self.trials if trial.scope), None)
        every = controls_of(self.trials[0].condition.task, scope)
        return tuple(name for name in every if name != self.arm.generator.name)

    @property
    def blank(self) -> str:
        """Text that stands in a table if the trials gave no number."""
        return MISSING if self.ok else "failed" if self.failed else "nothing made"

    def values(self, metric: str) -> list[float]:
        """The metric (a fraction) of each trial that has it, in the order of the seeds."""
        return [value for value in self.column(metric) if value is not None]

    def column(self, metric: str) -> list[float | None]:
        """The metric of each trial of ``ok``."""
        if metric not in self._columns:
            self._columns[metric] = [trial.metric(metric) for trial in self.ok]
        return self._columns[metric]

    @cached_property
    def _columns(self) -> dict[str, list[float | None]]:
        return {}

    @cached_property
    def places(self) -> dict[DrawKey, int]:
        """Draw → place in ``ok``, of the trials that made samples or had none to make."""
        return {trial.draw: i for i, trial in enumerate(self.ok) if not trial.empty}

    def summary(self, metric: str) -> MeanStd | None:
        """Mean, std and n of a metric; None where no trial has it."""
        values = self.values(metric)
        return mean_std(values) if values else None

    def recalls(self, class_id: int) -> list[float]:
        """Recall of a class in each draw that has a test pixel of it."""
        return [value for trial in self.ok if (value := trial.recall(class_id)) is not None]


def make_cells(trials: Iterable[Trial]) -> dict[CellKey, ArmCell]:
    """Trials grouped by arm and classifier, controls first."""
    groups: dict[CellKey, list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.arm, trial.classifier), []).append(trial)
    return {
        key: ArmCell(*key, tuple(sorted(groups[key], key=lambda t: (t.seed, t.hash)))) for key in in_order(groups)
    }


def in_order(keys: Iterable[CellKey]) -> list[CellKey]:
    """Sort by arm, controls first, then by classifier."""
    return sorted(keys, key=lambda key: (key[0].rank, method_rank(key[1])))


def method_rank(method: Method) -> tuple[str, str, str, str]:
    """Sort key: by name, then what differs where several share it."""
    return method.name, method.version, method.params, "" if method.view == RAW else method.view
