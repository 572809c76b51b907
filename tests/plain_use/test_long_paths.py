"""Folders with long names, as clusters have them for temporary files."""

import os
import sys
import tempfile
from multiprocessing.process import current_process
from pathlib import Path

import pytest

from hsiaug.base.errors import InputError
from hsiaug.registry.isolation import processes
from hsiaug.trial.store import Store
from tests.third_party import environment, hsiaug_anew

QUICK = (
    "--generator",
    "none",
    "--classifier",
    "svm",
    "--seeds",
    "1",
    "--patch",
    "3",
    "--view",
    "raw",
    "--jobs",
    "1",
)


@pytest.mark.skipif(sys.platform == "win32", reason="of POSIX")
@pytest.mark.parametrize("length", [80, 200])
def test_a_benchmark_runs_where_temporary_files_lie_in_a_folder_of_a_long_name(
    length: int, tmp_path: Path
) -> None:
    folder = tmp_path / ("t" * length)
    folder.mkdir()
    answer = hsiaug_anew(
        "benchmark",
        "toy",
        *QUICK,
        "--store",
        "store",
        env=environment(TMPDIR=str(folder)),
        cwd=tmp_path,
    )

    assert answer.returncode == 0, answer.stderr
    assert {record["status"] for record in Store(tmp_path / "store").records()} == {"ok"}
    assert not list(folder.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="of POSIX")
def test_where_no_short_folder_can_be_written_to_the_error_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", f"/{'t' * 90}")
    monkeypatch.setattr(processes, "SHORT_FOLDERS", ("/absent",))
    # The folder that this process has used before would do as well.
    monkeypatch.setitem(current_process()._config, "tempdir", None)

    with pytest.raises(InputError, match="TMPDIR must have at most"):
        processes.shorten_sockets()
