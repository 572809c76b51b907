"""What the records of a store say of the claims of a suite.

A claim is a list of differences, each paired over draws. It is *supported* where every difference
has the sign that the claim says, and a 95 % t interval clear of 0; *not supported* where the mean
of one has not; and *open* otherwise, as long as a planned draw is missing too. Intervals are not
corrected for the number of differences, since all of them have to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hsiaug.metrics.significance import Evidence, mean_std, student
from hsiaug.report.trials import trials_of_records
from hsiaug.trial.declared_tables import (
    QUALITY,
    ArmTrial,
    Axis,
    Claim,
    ClaimedDifference,
    DeclaredTable,
    DeclaredTables,
    TableColumn,
    TableRow,
    TableSetting,
    is_measure,
)
from hsiaug.trial.record_columns import COSTS
from hsiaug.trial.sample_measures import SampleMeasure, read_measures
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from pandas import DataFrame

Verdict = Literal["supported", "not supported", "open", "supported in part"]
SUPPORTED: Verdict = "supported"
NOT_SUPPORTED: Verdict = "not supported"
OPEN: Verdict = "open"
IN_PART: Verdict = "supported in part"
SURENESS = (NOT_SUPPORTED, OPEN, SUPPORTED)
"""Verdicts on one difference; that on several is the first of them that one has."""
Series = Mapping[int, float]
"""Values by draw."""


@dataclass(frozen=True)
class StoredValues:
    """Values of the trials that a suite declares, as a store has them.

    Attributes
    ----------
    trials : DataFrame
        Those that went well, by hash.
    measures : mapping of str to mapping of str to SampleMeasure
        By the hash of the samples, and by name.
    """

    trials: DataFrame
    measures: Mapping[str, Mapping[str, SampleMeasure]]

    @classmethod
    def read(cls, store: Store, declared: DeclaredTables) -> StoredValues:
        """The values of all arms of claims and tables. Raises StoreError as the store does."""
        scored = {trial.hash for arm in declared.scored_arms for trial in declared.trials(arm)}
        measured = {
            trial.samples
            for arm in declared.measured_arms
            for trial in declared.trials(arm)
            if trial.samples
        }
        records = store.each(sorted(scored))
        trials = trials_of_records(record for record in records if record["status"] == "ok")
        measures = {samples: read_measures(store.root, samples) for samples in sorted(measured)}
        return cls(trials.set_index("hash"), measures)

    def value(self, trial: ArmTrial, name: str) -> float | None:
        """A metric of the trial's record as a fraction, or a measure of its samples; None where the
        store has none.
        """
        if is_measure(name):
            measure = self.measure(trial, name)
            return None if measure is None else measure.value
        if name in COSTS or name not in self.trials or trial.hash not in self.trials.index:
            return None
        value = float(self.trials.at[trial.hash, name])
        return value if value == value else None

    def measure(self, trial: ArmTrial, name: str) -> SampleMeasure | None:
        """A measure of the trial's samples."""
        return self.measures.get(trial.samples, {}).get(name.removeprefix(QUALITY))

    def beside(self, trial: ArmTrial, name: str) -> float | None:
        """The value of held-out real samples, or chance, that stands beside a measure."""
        measure = self.measure(trial, name)
        return None if measure is None else measure.beside

    def label(self, name: str) -> str:
        """What a measure is called; its name where it was never measured."""
        short = name.removeprefix(QUALITY)
        for measures in self.measures.values():
            if short in measures and measures[short].value is not None:
                unit = measures[short].unit
                return f"{measures[short].label}{f' ({unit})' if unit else ''}"
        return short


@dataclass(frozen=True)
class ClaimedGain:
    """What the draws of a row show of one value.

    Attributes
    ----------
    evidence : Evidence
        Differences of two arms, with Student's t interval.
    sign : int
        1 where the claim is that it rises, -1 where it falls.
    equal_is_enough : bool
        Whether no difference supports the claim too.
    """

    value: str
    evidence: Evidence
    sign: int = 1
    equal_is_enough: bool = False

    @property
    def verdict(self) -> Verdict:
        """Verdict on this difference alone."""
        if len(self.evidence.differences) < 2:
            return OPEN
        gain = self.evidence.mean * self.sign
        clear = self.evidence.clear
        if self.equal_is_enough:
            return SUPPORTED if gain >= 0 else NOT_SUPPORTED if clear else OPEN
        if gain <= 0:
            return NOT_SUPPORTED
        return SUPPORTED if clear else OPEN


@dataclass(frozen=True)
class Sweep:
    """The best of several λ or ω.

    Attributes
    ----------
    means : mapping of float to float
        Mean of the value, by λ or ω.
    """

    axis: Axis
    means: Mapping[float, float]

    @property
    def best(self) -> float:
        """The λ or ω of the largest mean."""
        return max(self.means, key=self.means.__getitem__)

    @property
    def interior(self) -> bool:
        """Whether it lies between the smallest and the largest."""
        return self.best not in (min(self.means), max(self.means))


@dataclass(frozen=True)
class ClaimRow:
    """A comparison of a claim on one setting.

    Attributes
    ----------
    other : str
        What the arm is compared with; empty where that is no other arm.
    draws, planned : int
        Draws that all arms have, and those that the suite plans.
    sweep : Sweep or None
        The values that were tried.
    """

    setting: TableSetting
    arm: str
    other: str
    differences: tuple[ClaimedGain, ...]
    draws: int
    planned: int
    sweep: Sweep | None = None

    @property
    def label(self) -> str:
        """The arm, and what it is compared with."""
        return f"{self.arm} − {self.other}" if self.other else self.arm

    @property
    def verdict(self) -> Verdict:
        """That of the least sure difference; a best value at an end of its range is no optimum."""
        if self.draws < self.planned:
            return OPEN
        if self.sweep is not None and self.draws > 1 and not self.sweep.interior:
            return NOT_SUPPORTED
        return min((one.verdict for one in self.differences), key=SURENESS.index, default=OPEN)


@dataclass(frozen=True)
class ClaimFinding:
    """A claim and its rows."""

    claim: Claim
    rows: tuple[ClaimRow, ...]

    @property
    def verdict(self) -> Verdict:
        """Verdict on the whole claim."""
        verdicts = {row.verdict for row in self.rows}
        if SUPPORTED in verdicts:
            return SUPPORTED if verdicts == {SUPPORTED} else IN_PART
        return NOT_SUPPORTED if verdicts == {NOT_SUPPORTED} else OPEN


def find_claims(declared: DeclaredTables, stored: StoredValues) -> list[ClaimFinding]:
    """Every claim of a suite with what the store says of it."""
    return [
        ClaimFinding(
            claim,
            tuple(
                row
                for difference in claim.differences
                for row in _rows_of(difference, declared, stored)
            ),
        )
        for claim in declared.claims
    ]


def _rows_of(
    difference: ClaimedDifference, declared: DeclaredTables, stored: StoredValues
) -> Iterator[ClaimRow]:
    for setting in declared.arms[difference.arm]:
        if difference.sweep:
            yield _sweep_row(difference, setting, declared, stored)
            continue
        for other in difference.over or ("",):
            if not other or setting in declared.arms[other]:
                yield _row(difference, other, setting, declared, stored)


def _row(
    difference: ClaimedDifference,
    other: str,
    setting: TableSetting,
    declared: DeclaredTables,
    stored: StoredValues,
) -> ClaimRow:
    """An arm over another, or over what stands beside its measures where ``other`` is empty."""

    def series(arm: str, name: str) -> Series:
        return _series(declared, arm, setting, lambda trial: stored.value(trial, name))

    def gain(arm: str, over: str, name: str) -> Evidence:
        if over:
            beside = series(over, name)
        else:
            beside = _series(declared, arm, setting, lambda trial: stored.beside(trial, name))
        values = series(arm, name)
        return Evidence.paired({draw: values[draw] for draw in sorted(values)}, beside)

    def paired(name: str) -> Evidence:
        evidence = gain(difference.arm, other, name)
        if difference.more_than is not None:
            less = gain(*difference.more_than, name)
            evidence = Evidence.paired(evidence.by_draw, less.by_draw)
        return student(evidence)

    differences = (
        *(ClaimedGain(name, paired(name)) for name in difference.rises),
        *(ClaimedGain(name, paired(name), -1) for name in difference.falls),
        *(ClaimedGain(name, paired(name), -1, True) for name in difference.matches),
    )
    arm = difference.arm
    if difference.more_than:
        arm = f"gain of {arm}"
        other = f"gain of {difference.more_than[0]}"
    return ClaimRow(
        setting,
        arm,
        other,
        differences,
        draws=min(len(one.evidence.differences) for one in differences),
        planned=len(declared.arms[difference.arm][setting]),
    )


def _sweep_row(
    difference: ClaimedDifference,
    setting: TableSetting,
    declared: DeclaredTables,
    stored: StoredValues,
) -> ClaimRow:
    """The best value of a sweep over its smallest, or over another arm.

    The gain of a draw is that of the value that is best on the other draws: a value chosen on the
    draw itself would flatter.
    """
    (name,) = difference.rises
    axis = difference.sweep or "lambda"
    draws = declared.arms[difference.arm][setting]
    by_place: dict[float, dict[int, float]] = {}
    for draw, trials in draws.items():
        for trial in trials:
            place = trial.place(axis)
            value = stored.value(trial, name)
            if place is not None and value is not None:
                by_place.setdefault(place, {})[draw] = value
    planned_places = {trial.place(axis) for trials in draws.values() for trial in trials}
    if difference.over:
        first = _series(
            declared, difference.over[0], setting, lambda trial: stored.value(trial, name)
        )
        by_place[0.0] = dict(first)
        planned_places.add(0.0)
    shared = sorted(set.intersection(*map(set, by_place.values()))) if by_place else []
    if len(by_place) < len(planned_places):
        shared = []
    means = {
        place: mean_std([values[draw] for draw in shared]).mean
        for place, values in sorted(by_place.items())
        if shared
    }
    sweep = Sweep(axis, means) if means else None
    gains = _unseen_gains(by_place, shared) if len(shared) > 1 else {}
    return ClaimRow(
        setting,
        difference.arm,
        "",
        (ClaimedGain(name, student(Evidence.of(gains))),),
        draws=len(shared),
        planned=len(draws),
        sweep=sweep,
    )


def _unseen_gains(by_place: Mapping[float, Mapping[int, float]], draws: Sequence[int]) -> Series:
    first = min(by_place)
    gains = {}
    for draw in draws:
        others = [other for other in draws if other != draw]
        best = max(by_place, key=lambda place: sum(by_place[place][other] for other in others))
        gains[draw] = by_place[best][draw] - by_place[first][draw]
    return gains


def _series(
    declared: DeclaredTables,
    arm: str,
    setting: TableSetting,
    value_of: Callable[[ArmTrial], float | None],
) -> Series:
    """Values of an arm by draw, where there are any."""
    series = {}
    for draw, trials in declared.arms.get(arm, {}).get(setting, {}).items():
        value = value_of(trials[0])
        if value is not None:
            series[draw] = value
    return series


@dataclass(frozen=True)
class TableValue:
    """An entry of a declared table: values of a row's arm by draw.

    Attributes
    ----------
    values : tuple of float
        Fractions of records, or measures as they are.
    planned : int
        Draws that the suite plans.
    """

    setting: TableSetting
    row: str
    column: str
    value: str
    values: tuple[float, ...]
    planned: int


def find_tables(
    declared: DeclaredTables, stored: StoredValues
) -> dict[str, list[list[TableValue]]]:
    """The entries of every declared table, by its name: a list for each row on each setting."""
    return {table.name: _table_rows(table, declared, stored) for table in declared.tables}


def _table_rows(
    table: DeclaredTable, declared: DeclaredTables, stored: StoredValues
) -> list[list[TableValue]]:
    """The entries of a table, setting by setting: those of the rows whose arm is planned there."""
    settings = dict.fromkeys(setting for row in table.rows for setting in declared.arms[row.arm])
    return [
        [_table_value(row, column, setting, declared, stored) for column in table.columns]
        for setting in settings
        for row in table.rows
        if setting in declared.arms[row.arm]
    ]


def _table_value(
    row: TableRow,
    column: TableColumn,
    setting: TableSetting,
    declared: DeclaredTables,
    stored: StoredValues,
) -> TableValue:
    values = _series(declared, row.arm, setting, lambda trial: stored.value(trial, column.value))
    return TableValue(
        setting,
        row.title,
        column.title,
        column.value,
        tuple(values.values()),
        planned=len(declared.arms[row.arm][setting]),
    )
