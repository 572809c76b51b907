"""Cells of a table: the trials of one arm with one classifier, draw by draw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.view_names import RAW
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.report.formatting import MISSING
from hsiaug.report.trials import Trial, Trials
from hsiaug.trial.arm import (
    CONTROLS_OF_ALL,
    CONTROLS_OF_OLD_RECORDS,
    NONE,
    Arm,
    Control,
    Method,
    controls_of,
)

Audit = Mapping[str, Any]
CellKey = tuple[Arm, Method]
"""An arm and a classifier."""
DrawKey = tuple[int, str]
"""The first seed that drew a split, and the checksum of the split: what two trials must share to be
a pair.
"""


def with_large(trials: Trials, large: Sequence[int]) -> Trials:
    """The trials with ``aa_large``: AA over these classes alone."""
    recalls = (trials.numbers(f"recall:{c}").tolist() for c in large)
    sums = np.fromiter(map(fsum, zip(*recalls, strict=True)), np.float64)
    frame = trials.frame.assign(aa_large=sums / len(large))
    return Trials(frame, trials.shared, trials.further)


def number_draws(trials: Trials, *, by_seed: bool = False) -> Trials:
    """The trials of one condition with ``draw``, and ``used``: those that enter a mean.

    Trials on the same pixels are of the same draw, whatever their seeds, unless each seed is to be
    one. Of each arm, classifier and draw the first that went well is used.
    """
    checksums, splits = _splits(trials)
    seeds = trials.numbers("seed")
    if not by_seed:
        seeds = _first_seeds(seeds, checksums, splits)
    _, first_rows, numbers = np.unique(
        seeds * len(checksums) + splits, return_index=True, return_inverse=True
    )
    draws: list[DrawKey] = [(int(seeds[row]), checksums[splits[row]]) for row in first_rows]
    used = _first_ok(trials, numbers)
    frame = trials.frame.assign(draw=numbers.astype(np.int32), used=used)
    shared = {**trials.shared, "draw": ("draw", draws)}
    return Trials(frame, shared, trials.further)


def _splits(trials: Trials) -> tuple[list[str], NDArray[np.int32]]:
    """The checksums of all splits, "" for trials without one; and (n,) the place of each trial's
    among them.
    """
    checksum_of_audit = trials.shared["split"][1]
    checksums = list(dict.fromkeys(checksum_of_audit))
    places = {checksum: place for place, checksum in enumerate(checksums)}
    of_audit = np.array([places[checksum] for checksum in checksum_of_audit], np.int32)
    return checksums, of_audit[trials.codes("split")]


def _first_seeds(
    seeds: NDArray[Any], checksums: Sequence[str], splits: NDArray[np.int32]
) -> NDArray[Any]:
    """(n,) the first seed that drew each trial's split; its own seed where it has no checksum."""
    lowest = np.full(len(checksums), np.iinfo(np.int64).max)
    np.minimum.at(lowest, splits, seeds)
    unknown = np.array([not checksum for checksum in checksums])
    return np.where(unknown[splits], seeds, lowest[splits])


def _first_ok(trials: Trials, draws: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) which trials are the first of their cell and draw that went well.

    Parameters
    ----------
    draws : (n,) integer
        The number of each trial's draw, from 0 on.
    """
    ok = np.flatnonzero(trials.numbers("ok"))
    cells = trials.numbers("cell")[ok]
    pairs = cells * np.int64(draws.max(initial=0) + 1) + draws[ok]
    _, first = np.unique(pairs, return_index=True)
    used = np.zeros(len(trials), dtype=bool)
    used[ok[first]] = True
    return used


@dataclass(frozen=True, eq=False)
class ArmCell:
    """The trials of one arm with one classifier, in the order of their seeds.

    Attributes
    ----------
    known_controls : mapping of str to Control
        Every control by name: those of old records, and what those of its table declare.
    """

    arm: Arm
    classifier: Method
    trials: Trials
    known_controls: Mapping[str, Control] = field(default_factory=lambda: CONTROLS_OF_OLD_RECORDS)

    @property
    def key(self) -> CellKey:
        """By which tables know it."""
        return self.arm, self.classifier

    @cached_property
    def ok(self) -> Trials:
        """Trials that gave numbers, one per split: of seeds that drew the same, the first. Only
        these enter a mean.
        """
        used = self.trials.numbers("used")
        return self.trials if used.all() else self.trials[used]

    @property
    def without_samples(self) -> bool:
        """Whether it is a classifier without samples."""
        return self.arm.generator.name == NONE

    @property
    def is_control(self) -> bool:
        """Whether its generator is one that others are measured against."""
        control = self.known_controls.get(self.arm.generator.name)
        return control is not None and control.kind == "generator" and self.arm == self.arm.both

    @property
    def is_blind(self) -> bool:
        """Whether its classifier is a control that looks at no spectrum."""
        control = self.known_controls.get(self.classifier.name)
        return control is not None and control.blind

    @property
    def failed(self) -> tuple[Trial, ...]:
        """Trials that are named, and never averaged."""
        return tuple(self.trials[self.trials.numbers("failed")])

    @property
    def idle(self) -> tuple[Trial, ...]:
        """Trials whose λ asked for no sample: they say nothing of the generator."""
        return tuple(self.trials[self.trials.numbers("idle")])

    @property
    def scopes(self) -> list[str | None]:
        """Unlabelled pixels that its generator reads; None for trials that ended before that was
        known.
        """
        return [(scope or {}).get("generator") for scope in self.trials.unlike("scope")]

    @property
    def baseline(self) -> str:
        """The generator that is the same without its main part; "" where its card names none."""
        return next(filter(None, self.trials.unlike("baseline")), "")

    @property
    def _widest_scope(self) -> str | None:
        """``scene`` where any of its trials read all unlabelled pixels."""
        if "scene" in self.scopes:
            return "scene"
        return next(filter(None, self.scopes), None)

    @property
    def rivals(self) -> tuple[str, ...]:
        """The classifiers that, without a sample, are further controls of it."""
        if not self.arm.judged:
            return ()
        from hsiaug.tasks.task import get_task

        task = get_task(self.trials[0].condition.task)
        kind = task.classifier_controls
        if kind not in task.control_kinds(self._widest_scope):
            return ()
        return tuple(
            name
            for name, one in self.known_controls.items()
            if (one.kind, one.of) == ("classifier", kind) and name != self.classifier.name
        )

    @property
    def controls(self) -> tuple[str, ...]:
        """Controls that the cell is measured against; for a further control, the others."""
        if not self.arm.judged:
            return CONTROLS_OF_ALL
        from hsiaug.tasks.task import get_task

        task = get_task(self.trials[0].condition.task)
        every = controls_of(task, self._widest_scope, self.known_controls)
        return tuple(name for name in every if name != self.arm.generator.name)

    @property
    def blank(self) -> str:
        """Text that stands in a table if the trials gave no number."""
        return MISSING if self.ok else "failed" if self.failed else "nothing made"

    def column(self, metric: str) -> NDArray[np.float64]:
        """A metric of each trial of ``ok`` as a fraction; NaN where it has none."""
        return self.ok.numbers(metric).astype(np.float64)

    def values(self, metric: str) -> list[float]:
        """The metric of each trial that has it, in the order of the seeds."""
        return known(self.column(metric))

    def summary(self, metric: str) -> MeanStd | None:
        """Mean, std and n of a metric; None where no trial has it."""
        return summarise(self.column(metric))

    @cached_property
    def recall(self) -> NDArray[np.float64]:
        """(trials, classes) recall of each trial of ``ok``; NaN where the draw has no test pixel of
        the class.
        """
        return self.ok.recall

    def recalls(self, class_id: int) -> list[float]:
        """Recall of a class id 1..C in each draw that has a test pixel of it."""
        return known(self.recall[:, class_id - 1]) if class_id <= self.recall.shape[1] else []

    @cached_property
    def drawn(self) -> NDArray[np.int32]:
        """The numbers of the draws of ``ok``; -1 of trials that had samples to make and made
        none.
        """
        return np.where(self.ok.numbers("idle"), np.int32(-1), self.ok.codes("draw"))


def known(values: NDArray[np.float64]) -> list[float]:
    """The values that are there."""
    return [value for value in values.tolist() if value == value]


def summarise(values: NDArray[np.float64]) -> MeanStd | None:
    """Mean, std and n of the values that are there; None without any."""
    return mean_std(found) if (found := known(values)) else None


def make_cells(trials: Trials) -> dict[CellKey, ArmCell]:
    """Trials of a table, which are in order, by arm and classifier, controls first."""
    parts = list(trials.parts("cell"))
    known = _known_controls(parts)
    return {
        (part[0].arm, part[0].classifier): ArmCell(part[0].arm, part[0].classifier, part, known)
        for part in parts
    }


def _known_controls(parts: Iterable[Trials]) -> dict[str, Control]:
    """Every control by name: those of old records, and what the records of cells declare."""
    known = dict(CONTROLS_OF_OLD_RECORDS)
    for part in parts:
        names = {"generator": part[0].arm.generator.name, "classifier": part[0].classifier.name}
        # Both are columns of what many records share, and so in the same order.
        declared = zip(part.unlike("control_of"), part.unlike("control_text"), strict=True)
        for control_of, texts in declared:
            for kind, of in (control_of or {}).items():
                name = names[kind]
                older = known[name].text if name in known else ""
                known[name] = Control(kind, of, (texts or {}).get(kind) or older)
    return known


def in_order(keys: Iterable[CellKey]) -> list[CellKey]:
    """Sort by arm, controls first, then by classifier."""
    return sorted(keys, key=lambda key: (key[0].rank, method_rank(key[1])))


def method_rank(method: Method) -> tuple[str, str, str, str]:
    """Sort key: by name, then what differs where several share it."""
    return method.name, method.version, method.params, "" if method.view == RAW else method.view


def class_counts(audits: Iterable[Audit | None], key: str, class_id: int) -> list[int]:
    """Train or test pixels of a class (``train_counts``, ``test_counts``) in each split that counts
    it.
    """
    counts = [(audit or {}).get(key) or () for audit in audits]
    return [int(entries[class_id - 1]) for entries in counts if class_id <= len(entries)]
