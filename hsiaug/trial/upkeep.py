"""Care of stores: they are merged and verified."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hsiaug.base.errors import InputError
from hsiaug.trial.predictions import PREDICTIONS
from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import preference
from hsiaug.trial.store import Store

Count = Callable[[int, int], object]
"""Told how many are done, and how many there are."""


@dataclass
class Merged:
    """Outcome of a merge for a source's records: each is copied, equal to the target's, kept out by it, or damaged."""

    copied: int = 0
    equal: int = 0
    kept: int = 0
    damaged: list[Damage] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """Something wrong in a store. kind: record or predictions. heal: the command that puts it right."""

    kind: str
    name: str
    fault: str
    heal: str


def merge(target: Path, source: Store, count: Count) -> Merged:
    """Copy the records that a target lacks, and those that count more than its own, with their predictions.

    Each is written whole or not at all, so a merge that was stopped goes on; the source stays as it is. If both
    have a trial, the record that a report would take counts. Raises StoreError if the system refuses access.
    """
    if target.resolve() == source.root.resolve():
        raise InputError(
            "TARGET must be another store than SOURCE", value=str(target), hint="Name the store to copy from."
        )
    into, merged, total = Store(target, create=True), Merged(), len(source.hashes())
    for done, record in enumerate(source.each(damaged=merged.damaged, index=False), 1):
        mine = into.look(record["hash"])
        if record == mine:
            merged.equal += 1
        elif mine is not None and not isinstance(mine, Damage) and preference(record) <= preference(mine):
            merged.kept += 1
        else:
            merged.copied += 1
            stated = record["predictions_sha256"]
            made = source.find_npz(record["hash"], stated) if stated else None
            into.put(record, made and made[1])
        count(done, total)
    return merged


def verify(store: Store, count: Count) -> Iterator[Finding]:
    """Records that are damaged, and predictions that are not those a record names.

    Nothing is taken from the index: every file is read.
    """
    hashes, where = store.hashes(), shlex.quote(str(store.root))
    for done, hash in enumerate(hashes, 1):
        found = store.look(hash)
        if isinstance(found, Damage):
            yield Finding("record", hash, found.fault, "the benchmark that made it, once more")
        elif (
            found is not None and (stated := found["predictions_sha256"]) and store.find_npz(hash, stated) is None
        ):
            fault = f"no {PREDICTIONS} with the record's checksum {stated[:12]}…"
            yield Finding("predictions", hash, fault, f"{found['command']} --store {where}")
        count(done, len(hashes))
