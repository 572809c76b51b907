"""Which trials of a plan a store lacks, and the records of the others."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hsiaug.base.errors import StoreError
from hsiaug.bench.plan import Plan
from hsiaug.trial.record_check import Damage
from hsiaug.trial.record_json import Record, is_finished
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Reading, Store, newer_record

Existing = Literal["only-missing", "all", "none"]
"""Trials to run: those that the store does not hold (failed ones again), all, or none."""
MOST_RECORDS = 1000
"""Records that stay in memory while trials run, at most: some 16 MB. Others are read again at the
end.
"""


@dataclass
class RunRecords:
    """Sound records of the trials of a run. Each that there is room for is read once, when its
    trial has ended: whoever asks for it again is given what was read.

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
            self.keep(record)
        return Reading(tuple(records[hash] for hash in wanted if hash in records), reading.damaged)

    def keep(self, record: Record) -> None:
        """Keep a record that was read, where there is room."""
        if len(self.read_before) < MOST_RECORDS:
            self.read_before[record["hash"]] = record


@dataclass(frozen=True)
class Missing:
    """What a store lacks of a plan.

    Attributes
    ----------
    todo : list of TrialSpec
        Those to run.
    empty : list of TrialSpec
        Those to record, as their λ asks for no sample.
    reused : int
        How many of the others have a record.
    damaged : list of Damage
        Records of those to run or to record that are not to be believed.
    records : RunRecords
        Has read those of the trials that are not run.
    """

    todo: list[TrialSpec]
    empty: list[TrialSpec]
    reused: int
    damaged: list[Damage]
    records: RunRecords


def find_missing(plan: Plan, root: Path, existing: Existing) -> Missing:
    """What a store lacks of a plan.

    Parameters
    ----------
    plan : Plan
        Of all trials that were asked for.
    root : Path
        Of the store, which need not be there.
    existing : {"only-missing", "all", "none"}
        Which to run.

    Raises
    ------
    StoreError
        Where records of a later hsiaug would be replaced.
    """
    try:
        records = RunRecords(Store(root))
    except StoreError:  # there is none yet
        records = RunRecords(None)
    sound, finished = set[str](), set[str]()
    damaged = list[Damage]()
    if records.store is not None:
        # One after the other: those of a large store do not fit into memory together.
        for record in records.store.each((trial.hash for trial in plan.trials), damaged):
            sound.add(record["hash"])
            if is_finished(record):
                finished.add(record["hash"])
            if existing != "all":
                records.keep(record)
    missing = select_missing(plan.trials, finished, damaged, existing)
    waiting = {trial.hash for trial in missing}
    for hash in waiting:
        records.read_before.pop(hash, None)
    return Missing(
        todo=[trial for trial in missing if trial.hash not in plan.nothing],
        empty=[trial for trial in missing if trial.hash in plan.nothing],
        reused=len(sound - waiting),
        damaged=[damage for damage in damaged if damage.hash in waiting],
        records=records,
    )


def select_missing(
    trials: Sequence[TrialSpec],
    finished: Collection[str],
    damaged: Iterable[Damage],
    existing: Existing,
) -> list[TrialSpec]:
    """The trials to run.

    Parameters
    ----------
    trials : sequence of TrialSpec
        All that were asked for.
    finished : collection of str
        Hashes of those that went well, or have nothing to make.
    damaged : iterable of Damage
        Records that are not to be believed.
    existing : {"only-missing", "all", "none"}
        Which to run.

    Raises
    ------
    StoreError
        Where that would replace records of a later hsiaug.
    """
    if existing == "none":
        return []
    missing = [trial for trial in trials if existing == "all" or trial.hash not in finished]
    wanted = {trial.hash for trial in missing}
    for damage in damaged:
        if damage.newer and damage.hash in wanted:
            raise newer_record(damage)
    return missing
