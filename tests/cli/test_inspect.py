"""``hsiaug inspect``."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hsiaug.base.errors import InputError
from hsiaug.cli.main import app
from tests.cli.test_endings import OPENINGS
from tests.in_process import hsiaug


def test_pictures_and_numbers_are_written_and_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("inspect", "toy", "--generator", "smote", "--patch", "5", "--out", "look")
    answer = hsiaug(*words, cwd=tmp_path)
    lines = answer.stdout.splitlines()

    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in (tmp_path / "look").iterdir()) == [
        "pca.png",
        "quality.json",
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


def test_attention_is_drawn_and_stands_among_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsiaug.metrics.reliability.ROUNDS", 20)
    monkeypatch.chdir(tmp_path)
    words = ("inspect", "toy", "--generator", "txt2hsi", "--preset", "tiny", "--attention", "--out", "look")
    answer = CliRunner().invoke(app, words)
    line = next(line for line in answer.stdout.splitlines() if line.startswith("words of the class's name\t"))
    kept = json.loads(Path("look", "quality.json").read_text("utf-8"))["attention"]["rows"]["class"]

    assert line.split("\t")[1:] == [f"{kept['auc']:.3g}", f"{kept['iou']:.3g}", str(kept["n"])]
    assert Path("look", "attention.png").read_bytes().startswith(OPENINGS[".png"])


def test_attention_is_refused_where_a_generator_reads_no_text(tmp_path: Path) -> None:
    look = tmp_path / "look"
    answer = CliRunner().invoke(app, ["inspect", "toy", "--generator", "smote", "--attention", "--out", str(look)])
    assert isinstance(answer.exception, InputError) and "generators that read text" in str(answer.exception)
    assert not look.exists()


def test_a_folder_that_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in ("file", "absent/look"):
        answer = hsiaug("inspect", "toy", "--out", out, cwd=tmp_path)
        assert answer.returncode == 2 and "--out" in answer.stderr and answer.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("toy", "--generator", "smote", "--omega", "1"), "smote takes none"),
        (("toy", "--generator", "txt2hsi", "--omega", "-1"), "from 0 to 1000"),
    ],
)
def test_an_omega_that_means_nothing_is_refused_before_any_work(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["inspect", *words, "--out", "look"])
    assert answer.exit_code != 0 and said in answer.output + str(answer.exception)
    assert not (tmp_path / "look").exists()
