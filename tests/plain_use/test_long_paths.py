"""Folders with long names, as clusters have them for temporary files."""

import sys
from pathlib import Path

import pytest

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
def test_a_benchmark_runs_where_temporary_files_lie_in_a_folder_of_a_long_name(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ("t" * 200)
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
    assert {record["status"] for record in Store(tmp_path / "store").each()} == {"ok"}
    assert not list(folder.iterdir())
