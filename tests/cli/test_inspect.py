"""``hsiaug inspect``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hsiaug.cli.main import app
from tests.cli.test_endings import OPENINGS
from tests.strangers import hsiaug


def test_pictures_and_numbers_are_written_and_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("inspect", "toy", "--generator", "smote", "--patch", "5", "--out", "look")
    answer = hsiaug(*words, cwd=tmp_path)
    lines = answer.stdout.splitlines()

    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in (tmp_path / "look").iterdir()) == [
        "pca.png",
        "quality.json",
        "spectra.csv",
        "spectra.png",
        "spectra.svg",
    ]
    assert lines[0].split("\t")[:3] == ["fidelity", "synthetic", "floor (held-out)"]
    assert any(line.startswith("R1 probe agreement\t") and len(line.split("\t")) == 8 for line in lines)
    assert any(line.startswith("memorisation:") for line in lines)
    kept = json.loads((tmp_path / "look" / "quality.json").read_text("utf-8"))

    # Once as a process is enough: most of its time goes into libraries.
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, [*words[:-1], "again"]).stdout == answer.stdout
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes().startswith(OPENINGS[path.suffix])
    assert kept["provenance"]["generator"]["name"] == "smote"


def test_a_folder_that_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in ("file", "absent/look"):
        answer = hsiaug("inspect", "toy", "--out", out, cwd=tmp_path)
        assert answer.returncode == 2 and "--out" in answer.stderr and answer.stdout == ""
