"""Which trials of plans a store lacks, and the records of the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hsiaug.base.errors import StoreError
from hsiaug.bench.plan import Plan, check_memory
from hsiaug.bench.plans_of_runs import trials_of
from hsiaug.trial.record import Damage, newer_record
from hsiaug.trial.record_json import Record, is_finished
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Reading, Store

Existing = Literal["only-missing", "all", "none"]
"""Trials to run: those that the store does not hold (failed ones again), all, or none."""
MOST_RECORDS = 10_000
"""Records that stay in memory while trials run, at most. Others are read again at the end."""


@dataclass
class RunRecords:
    """Sound records of the trials of a run. Each is read once, when its trial has ended: whoever
    asks for it again is given what was read.

    Attributes
    ----------
    store : Store or None
        Where they are; None while there is none.
    read_before : dict of str to Record
        What was read, by hash.
    """

    store: Store | None
    read_before: dict[str, Record] = field(default_factory=dict)

    def read(self, hashes: Iterable[str]) -> Reading:
        """The records of those hashes that are there, in their order, and what is damaged."""
        if self.store is None:
            return Reading()
        wanted = list(hashes)
        records = {hash: self.read_before[hash] for hash in wanted if hash in self.read_before}
        reading = self.store.read(hash for hash in wanted if hash not in records)
        for record in reading.records:
            records[record["hash"]] = record
            if len(self.read_before) < MOST_RECORDS:
                self.read_before[record["hash"]] = record
        return Reading(tuple(records[hash] for hash in wanted if hash in records), reading.damaged)


@dataclass(frozen=True)
class Missing:
    """Trials of plans, and what a store lacks of them.

    Attributes
    ----------
    trials : list of TrialSpec
        All, each once.
    todo : list of TrialSpec
        Those to run.
    reused : int
        How many of the others have a record.
    damaged : tuple of Damage
        Records that are not to be believed.
    records : RunRecords
        Has read those of the trials that are not run.
    """

    trials: list[TrialSpec]
    todo: list[TrialSpec]
    reused: int
    damaged: tuple[Damage, ...]
    records: RunRecords


def find_missing(plans: Sequence[Plan], root: Path, existing: Existing) -> Missing:
    """What a store lacks of plans.

    Parameters
    ----------
    plans : sequence of Plan
        Whose trials were asked for.
    root : Path
        Of the store, which need not be there.
    existing : {"only-missing", "all", "none"}
        Which to run.

    Raises
    ------
    InputError
        Where the samples of a trial to run do not fit into memory.
    StoreError
        Where records of a later hsiaug would be replaced.
    """
    trials = trials_of(plans)
    try:
        records = RunRecords(Store(root))
    except StoreError:  # there is none yet
        records = RunRecords(None)
    reading = records.read(trial.hash for trial in trials)
    todo = select_missing(trials, reading, existing)
    check_memory(plans, todo)
    waiting = {trial.hash for trial in todo}
    reused = sum(record["hash"] not in waiting for record in reading.records)
    for hash in waiting:
        records.read_before.pop(hash, None)
    return Missing(trials, todo, reused, reading.damaged, records)


def select_missing(
    trials: Sequence[TrialSpec], reading: Reading, existing: Existing
) -> list[TrialSpec]:
    """The trials to run.

    Parameters
    ----------
    trials : sequence of TrialSpec
        All that were asked for.
    reading : Reading
        The records of these that are there.
    existing : {"only-missing", "all", "none"}
        Which to run.

    Raises
    ------
    StoreError
        Where that would replace records of a later hsiaug.
    """
    if existing == "none":
        return []
    finished = {record["hash"] for record in reading.records if is_finished(record)}
    missing = [trial for trial in trials if existing == "all" or trial.hash not in finished]
    wanted = {trial.hash for trial in missing}
    for damage in reading.damaged:
        if damage.newer and damage.hash in wanted:
            raise newer_record(damage)
    return missing
