"""Memory, open files and room that are short are told as what they are, and no file is blamed for
them.
"""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import (
    NO_MEMORY,
    HsiaugError,
    SceneError,
    StoreError,
    shortage_of,
)
from hsiaug.cli.main import _system_error
from hsiaug.data.readers import read_cube_file
from hsiaug.trial.predictions import PREDICTIONS, find_npz, pack
from hsiaug.trial.store import Store
from tests.report.report_records import believable, record
from tests.third_party import environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
DAMAGE = ("damaged", "cut short", "copy", "replaced", "delete")


@contextmanager
def few_open_files() -> Iterator[None]:
    """No further file can be opened."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        ImportError("libx.so: failed to map segment from shared object"),
    ],
)
def test_want_of_memory_is_seen_in_the_errors_of_every_library(error: Exception) -> None:
    assert shortage_of(error) is NO_MEMORY


def hsiaug_within(
    megabytes: int, words: Sequence[str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """A command whose address space is limited."""
    bytes_ = megabytes * 2**20
    return subprocess.run(
        [sys.executable, "-m", "hsiaug", *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_)),
    )


@pytest.mark.parametrize("limit", ["450 MB", "700 MB"])
def test_a_cube_that_a_limit_of_memory_does_not_admit_is_not_called_damaged(
    limit: str, tmp_path: Path
) -> None:
    np.lib.format.open_memmap(tmp_path / "cube.npy", "w+", np.float32, (2000, 1000, 100)).flush()
    np.save(tmp_path / "labels.npy", np.ones((2000, 1000), np.int16))
    words = ("datasets", "add", "cube.npy", "--labels", "labels.npy", "--out", "s.toml")
    done = hsiaug_within(int(limit.split()[0]), words, tmp_path)

    assert done.returncode == 2 and "must fit into the memory" in done.stderr, done.stderr
    assert not any(word in done.stderr for word in DAMAGE)


def test_a_cube_is_not_called_damaged_where_no_file_can_be_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", np.ones((3, 4, 5), np.float32))

    with few_open_files(), pytest.raises(SceneError, match="more files") as refused:
        read_cube_file(tmp_path / "cube.npy")
    assert not any(word in str(refused.value) for word in DAMAGE)


def test_a_record_is_not_called_damaged_where_no_file_can_be_opened(tmp_path: Path) -> None:
    store = Store(tmp_path, create=True)
    stored = store.put(believable(record(0.5, 0.4)), None)

    with few_open_files(), pytest.raises(StoreError, match="more files") as refused:
        store.look(stored["hash"])
    assert not any(word in str(refused.value) for word in DAMAGE)


def test_predictions_are_not_called_missing_for_want_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    (tmp_path / PREDICTIONS).write_bytes(pack((np.arange(3, dtype=np.int32), np.ones(3, np.int16))))
    monkeypatch.setattr(np, "load", no_memory)
    with pytest.raises(MemoryError):
        find_npz(tmp_path, "0" * 64)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOMEM, "memory"),
        (errno.EMFILE, "open more files"),
        (errno.EAGAIN, "start another"),
        (errno.ENOSPC, "must have room"),
        (errno.EACCES, "must let hsiaug read"),
    ],
)
def test_an_error_of_the_system_that_names_no_file_blames_no_output(code: int, said: str) -> None:
    told: HsiaugError = _system_error(OSError(code, os.strerror(code)))

    assert (
        said in str(told) and os.strerror(code) in str(told) and "standard output" not in str(told)
    )
