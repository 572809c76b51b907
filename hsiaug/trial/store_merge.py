"""Stores are merged: each record is verified, then copied."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hsiaug.base.errors import InputError
from hsiaug.trial.predictions import PREDICTIONS, Predictions, checksum_of_file
from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import FILE_DIGEST, Record, is_finished
from hsiaug.trial.store import Store

Count = Callable[[int, int], object]
"""Told how many are done, and how many there are."""


@dataclass
class Merged:
    """Outcome of a merge for a source's records: each is copied, equal to the target's, kept out by
    it, or damaged.
    """

    copied: int = 0
    equal: int = 0
    kept: int = 0
    damaged: list[Damage] = field(default_factory=list)


def merge(target: Path, source: Store, count: Count) -> Merged:
    """Copy the records that a target lacks, and those that count more than its own, with their
    predictions.

    Each is written whole or not at all, so a merge that was stopped goes on; the source stays as it
    is. If both have a trial, the record that a report would take counts. A record whose metrics do
    not follow from its counts, or whose predictions are not those that were written, is damaged.

    Parameters
    ----------
    target : path
        Of the store to copy to, which is made where there is none.
    source : Store
        To copy from.
    count : callable
        Is told how far the merge is.

    Raises
    ------
    InputError
        Where both are one store.
    StoreError
        Where the system refuses access.
    """
    if target.resolve() == source.root.resolve():
        raise InputError(
            "TARGET must be another store than SOURCE",
            value=str(target),
            hint="Name the store to copy from.",
        )
    hashes = source.hashes()
    into = Store(target, create=True)
    merged = Merged()
    for done, hash in enumerate(hashes, 1):
        record = source.look(hash)
        if isinstance(record, Damage):
            merged.damaged.append(record)
        elif record is not None:
            _merge_one(into, source, record, merged)
        count(done, len(hashes))
    return merged


def _merge_one(into: Store, source: Store, record: Record, merged: Merged) -> None:
    hash = record["hash"]
    present = into.sound(hash)
    if record == present:
        merged.equal += 1
    elif present is not None and _rank(record) <= _rank(present):
        merged.kept += 1
    else:
        npz = source.find_npz(hash, record)
        fault = fault_of_predictions(record, npz)
        if fault is not None:
            merged.damaged.append(Damage(hash, fault))
        else:
            merged.copied += 1
            into.copy(record, npz and npz[0])


def _rank(record: Record) -> tuple[bool, str]:
    return is_finished(record), str(record["created"])


def fault_of_predictions(record: Record, npz: tuple[bytes, Predictions] | None) -> str | None:
    """What is wrong with the predictions of a sound record; None where nothing is.

    Parameters
    ----------
    record : Record
        As it was read.
    npz : (bytes, Predictions) or None
        As of :meth:`hsiaug.trial.store.Store.find_npz`.
    """
    if record["predictions_sha256"] is None:
        return None
    if npz is None:
        return f"{PREDICTIONS} has not the record's checksum"
    data, _ = npz
    if record[FILE_DIGEST] != checksum_of_file(data):
        return f"{PREDICTIONS} is not as it was written"
    return None
