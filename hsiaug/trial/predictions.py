"""The predictions beside a record: ``predictions.npz``, and what keeps them in step with a record that is replaced.

Two files cannot be replaced in one step. So the record alone decides: it holds the checksum of its predictions, and
they are found by it. New predictions that differ from those of an earlier record are first written under the name of
their content, ``predictions.<hash>.npz``; then the record is replaced; then ``predictions.npz``. Whoever is stopped in
between, or runs at the same time, leaves a record whose predictions are there under one name or the other.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.files import link, sync_folder

__all__ = ["PREDICTIONS", "Predictions", "checksum", "found", "is_name", "packed", "replace", "spare", "tidy"]

Predictions = tuple[NDArray[np.int32], NDArray[np.int16]]
"""Flat pixel index (n,) int32 and predicted class id (n,) int16 of every test pixel of a trial."""

PREDICTIONS = "predictions.npz"
UNREADABLE = (OSError, ValueError)
CONTENT = re.compile(r"predictions\.[0-9a-f]{16}\.npz")
LARGEST = 2**30
"""Bytes of predictions at most, unpacked: a damaged or foreign file may promise any number."""
TURNS = 20
"""Rounds of writers that replace one record at the same time, after which one of them gives up on the usual name."""


def packed(predictions: Predictions) -> bytes:
    """The bytes of ``predictions.npz``."""
    file = io.BytesIO()
    np.savez_compressed(file, index=predictions[0], label=predictions[1])
    return file.getvalue()


def checksum(predictions: Predictions) -> str:
    """SHA-256 of the predicted labels, as it stands in a record."""
    return hashlib.sha256(predictions[1].tobytes()).hexdigest()


def found(folder: Path, wanted: str) -> Predictions | None:
    """The predictions of that checksum in the folder of a record, under whatever name; None where there are none."""
    for path in (folder / PREDICTIONS, *_contents(folder)):
        with contextlib.suppress(*UNREADABLE):
            loaded = _load(path)
            if checksum(loaded) == wanted:
                return loaded
    return None


def _contents(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("predictions.*.npz") if is_name(path.name))


def is_name(name: str) -> bool:
    """Whether predictions lie under such a name."""
    return name == PREDICTIONS or CONTENT.fullmatch(name) is not None


def _load(path: Path) -> Predictions:
    """Raises one of UNREADABLE."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        try:
            index, label = _arrays(file)
        except Exception as error:
            # What zipfile, zlib and numpy make of flipped bits: a dozen kinds of errors.
            raise ValueError(f"{type(error).__name__}: {error}") from error
    if index.dtype != np.int32 or label.dtype != np.int16 or index.ndim != 1 or index.shape != label.shape:
        raise ValueError("arrays that are no index and label")
    return index, label


def _arrays(file: BinaryIO) -> tuple[NDArray[Any], NDArray[Any]]:
    with zipfile.ZipFile(file) as parts:
        if sum(part.file_size for part in parts.infolist()) > LARGEST:
            raise ValueError(f"more than {LARGEST // 2**20} MB of predictions")
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return arrays["index"], arrays["label"]


def replace(folder: Path, fresh: Path, record: str) -> None:
    """Put the files of ``fresh``, a folder on the same disk, in the place of those in ``folder``, the record's last.

    record: the name of the record's file. Predictions that some record named are never lost on the way.
    """
    mine = fresh / PREDICTIONS
    target = None
    if mine.is_file() and not _same(mine, folder / PREDICTIONS):
        _keep(folder / PREDICTIONS, folder, fresh)
        target = folder / _content_name(_load(mine))
        mine.replace(target)
        sync_folder(folder)
    (fresh / record).replace(folder / record)
    if target is not None:
        link(target, fresh / PREDICTIONS)
        (fresh / PREDICTIONS).replace(folder / PREDICTIONS)
    sync_folder(folder)
    _settle(folder, fresh, record)


def _same(mine: Path, other: Path) -> bool:
    with contextlib.suppress(*UNREADABLE):
        return _content_name(_load(mine)) == _content_name(_load(other))
    return False


def _content_name(predictions: Predictions) -> str:
    digest = hashlib.sha256(predictions[0].tobytes() + predictions[1].tobytes()).hexdigest()
    return f"predictions.{digest[:16]}.npz"


def _keep(usual: Path, folder: Path, fresh: Path) -> None:
    """Give what lies under the usual name the name of its content too: another writer's record may need it."""
    unfinished = fresh / "kept.npz"
    with contextlib.suppress(FileNotFoundError):
        link(usual, unfinished)
        # Damaged predictions are nobody's.
        with contextlib.suppress(ValueError):
            unfinished.replace(folder / _content_name(_load(unfinished)))


def _settle(folder: Path, fresh: Path, record: str) -> None:
    """Bring the usual name in step with the record, as long as other writers change both."""
    for turn in range(TURNS):
        wanted = _named(folder / record)
        if wanted is None:
            return
        with contextlib.suppress(*UNREADABLE):
            if checksum(_load(folder / PREDICTIONS)) == wanted:
                return
        source = next((path for path in _contents(folder) if _has(path, wanted)), None)
        if source is None:
            return
        unfinished = fresh / f"settled.{turn}.npz"
        with contextlib.suppress(FileNotFoundError):
            link(source, unfinished)
            unfinished.replace(folder / PREDICTIONS)


def _has(path: Path, wanted: str) -> bool:
    with contextlib.suppress(*UNREADABLE):
        return checksum(_load(path)) == wanted
    return False


def _named(record: Path) -> str | None:
    """The checksum that a record states; None where it has no predictions, or is damaged."""
    try:
        read: Any = json.loads(record.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    stated = read.get("predictions_sha256") if isinstance(read, dict) else None
    return stated if isinstance(stated, str) else None


def tidy(folder: Path, fresh: Path, record: str, older: float) -> None:
    """Bring names in step after a kill, and drop predictions of earlier records that were last touched before ``older``.

    older: seconds as ``time.time()``. fresh: a temporary folder on the same disk.
    """
    _settle(folder, fresh, record)
    wanted = _named(folder / record)
    if wanted is not None and not _has(folder / PREDICTIONS, wanted):
        return
    for path in spare(folder, older):
        path.unlink()


def spare(folder: Path, older: float) -> list[Path]:
    """Predictions under the names of their content, which they have, that were last touched before ``older``."""
    told = [(path, path.lstat()) for path in _contents(folder) if not path.is_symlink() and _is_content(path)]
    return [path for path, one in told if max(one.st_mtime, one.st_ctime) < older]


def _is_content(path: Path) -> bool:
    with contextlib.suppress(*UNREADABLE):
        return _content_name(_load(path)) == path.name
    return False
