"""The predictions beside a record: ``predictions.npz``, found by the checksum that the record
states.

Two files cannot be replaced in one step, so the record alone decides. Predictions that replace
those of an earlier record are first written under the name of their content,
``predictions.<hash>.npz``; then the record is replaced; then ``predictions.npz``. Whoever is
stopped in between, or runs at the same time, leaves a record whose predictions are there under one
name or the other.
"""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.files import link, read_again, sync_folder
from hsiaug.trial.sheet import SampleSheet

Predictions = tuple[NDArray[np.int32], AnyArray]
"""Flat pixel index (n,) int32 of every test pixel of a trial, and its predicted class id (n,)
int16; of a task without classes its values (n, K) float32.
"""

PREDICTIONS = "predictions.npz"
MAX_PREDICTIONS_BYTES = 2**30
"""Bytes of predictions at most, unpacked: a damaged or foreign file may promise any number."""


def pack(predictions: Predictions, sheet: SampleSheet | None = None) -> bytes:
    """The bytes of ``predictions.npz``, with the thumbnails of samples where there are some: the
    same for the same content, whenever they are made.
    """
    file = io.BytesIO()
    # In a fifth of the time that NumPy takes for 5 % fewer bytes.
    with zipfile.ZipFile(file, "w") as packed:
        thumbnails = {} if sheet is None else sheet.arrays()
        for name, values in {
            "index": predictions[0],
            "label": predictions[1],
            **thumbnails,
        }.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(values))
            entry = zipfile.ZipInfo(f"{name}.npy")
            packed.writestr(entry, member.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=1)
    return file.getvalue()


def checksum(predictions: Predictions) -> str:
    """SHA-256 of the predicted labels, as it stands in a record."""
    return hashlib.sha256(predictions[1].tobytes()).hexdigest()


def checksum_of_file(data: bytes) -> str:
    """SHA-256 of the bytes of the file, as it stands in a record: labels alone leave out what else
    is in it.
    """
    return hashlib.sha256(data).hexdigest()


def find_npz(folder: Path, sha256: str) -> tuple[bytes, Predictions] | None:
    """The bytes of the file of predictions with that checksum, under either name, and these; or
    None.
    """
    for path in (folder / PREDICTIONS, *sorted(folder.glob("predictions.*.npz"))):
        if not path.is_file():
            continue
        data = read_again(path.read_bytes)
        # What zipfile, zlib and numpy make of flipped bits: a dozen kinds of errors.
        try:
            loaded = _load(io.BytesIO(data))
            if checksum(loaded) == sha256:
                return data, loaded
        except MemoryError:
            raise
        except Exception:
            continue
    return None


def _load(file: io.BytesIO) -> Predictions:
    with zipfile.ZipFile(file) as parts:
        if sum(entry.file_size for entry in parts.infolist()) > MAX_PREDICTIONS_BYTES:
            raise ValueError(f"more than {MAX_PREDICTIONS_BYTES // 2**20} MB of predictions")
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        index, label = arrays["index"], arrays["label"]
    if (
        index.dtype != np.int32
        or (label.dtype, label.ndim) not in ((np.int16, 1), (np.float32, 2))
        or index.ndim != 1
        or len(index) != len(label)
    ):
        raise ValueError("arrays that are no index and label")
    return index, label


def replace(folder: Path, fresh: Path, record: str) -> None:
    """Put the files of ``fresh``, a folder on the same disk, in the place of those in ``folder``.

    Parameters
    ----------
    record : str
        The name of the record's file.
    """
    fresh_file = fresh / PREDICTIONS
    target = None
    if fresh_file.is_file():
        target = (
            folder / f"predictions.{hashlib.sha256(fresh_file.read_bytes()).hexdigest()[:16]}.npz"
        )
        fresh_file.replace(target)
        sync_folder(folder)
    (fresh / record).replace(folder / record)
    if target is not None:
        link(target, fresh_file)
        fresh_file.replace(folder / PREDICTIONS)
    sync_folder(folder)
