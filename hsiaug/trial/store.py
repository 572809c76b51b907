"""The store of records: content-addressed folders, written by atomic rename."""

from __future__ import annotations

import json
import shutil
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError, StoreError

__all__ = ["Record", "Store"]

Record = dict[str, Any]

ABANDONED = 3600.0
"""Seconds after which an unfinished folder is nobody's."""


class Store:
    """A folder of records. ``create=False`` raises StoreError where there is none."""

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self.root = root
        self._records = root / "records"
        if create:
            try:
                self._records.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"--store {root} must be a folder that can be written to",
                    value=error.strerror,
                    mend="Name another folder.",
                ) from error
        elif not self._records.is_dir():
            raise StoreError(
                f"{root} must be a store of records",
                value="a folder without 'records'" if root.is_dir() else "no such folder",
                mend="Run 'hsiaug benchmark … --store DIR' first, or name the right folder.",
            )

    @property
    def cache(self) -> Path:
        """Folder of fitted generators; may be deleted at any time."""
        return self.root / "cache"

    def folder(self, hash: str) -> Path:
        """Where the record of that hash lies, or would lie."""
        return self._records / hash[:2] / hash

    def get(self, hash: str) -> Record | None:
        """The record of that hash, or None."""
        path = self.folder(hash) / "record.json"
        return _read(path) if path.is_file() else None

    def find(self, prefix: str) -> Record:
        """The one record whose hash begins with ``prefix``. Raises InputError where there is none, or several."""
        matches = sorted(p.name for p in self._records.glob("??/*") if p.name.startswith(prefix))
        record = self.get(matches[0]) if len(matches) == 1 else None
        if record is None:
            raise InputError(
                f"HASH must be the beginning of one record's hash in {self.root}",
                value=f"{prefix!r}, which fits {len(matches)} of them",
                mend="List them with 'hsiaug report --store STORE --by seed'.",
            )
        return record

    def records(self) -> Iterator[Record]:
        """Every record, in the order of their hashes."""
        for path in sorted(self._records.glob("??/*/record.json")):
            yield _read(path)

    def predictions(self, hash: str) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        """Flat pixel index (n,) int32 and predicted class id (n,) int16 of every test pixel of a trial."""
        path = self.folder(hash) / "predictions.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return arrays["index"], arrays["label"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise StoreError(
                f"{path}: expected the predictions of a trial", value=error, mend="Run the trial again."
            ) from error

    def put(self, record: Record, predictions: tuple[NDArray[np.int32], NDArray[np.int16]] | None) -> None:
        """Write a record whole or not at all, in place of an older one of the same hash."""
        final = self.folder(record["hash"])
        fresh = self._records / f".{record['hash']}.{uuid.uuid4().hex}"
        fresh.mkdir(parents=True)
        if predictions is not None:
            np.savez_compressed(fresh / "predictions.npz", index=predictions[0], label=predictions[1])
        text = json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False)
        (fresh / "record.json").write_text(text, encoding="utf-8")
        final.parent.mkdir(exist_ok=True)
        if final.exists():
            old = fresh.with_name(f"{fresh.name}.old")
            final.replace(old)
            fresh.replace(final)
            shutil.rmtree(old)
        else:
            fresh.replace(final)

    def sweep(self) -> None:
        """Remove what killed runs left half-written. Younger folders may belong to a run beside this one."""
        for path in self._records.glob(".*"):
            if time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path, ignore_errors=True)


def _read(path: Path) -> Record:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path}: expected a record in JSON",
            value=error,
            mend="Delete its folder and run the trial again.",
        ) from error
    if not isinstance(record, dict) or "spec" not in record or "status" not in record:
        raise StoreError(
            f"{path}: expected a record of a trial",
            value="JSON without spec and status",
            mend="Delete its folder and run the trial again.",
        )
    return record
