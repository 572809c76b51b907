"""``hsiaug inspect``."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hsiaug.cli.main import app
from tests.cli.test_endings import OPENINGS
from tests.in_process import hsiaug
from tests.third_party import DUMMY, install

pytestmark = pytest.mark.usefixtures("few_prompts", "few_steps")

# A generator that takes ω and sees the scene: samples of a strength are as much brighter.
BRIGHTER = DUMMY.replace(
    "PatchSamples.made(self.x[index],",
    "PatchSamples.made(self.x[index] * np.float32(1 + 0.01 * guidance),",
).replace("guidance=1.5,", 'guidance=1.5, scope="scene",')


def test_pictures_and_numbers_are_written_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("inspect", "toy", "--generator", "smote", "--out", "look")
    answer = hsiaug(*words, cwd=tmp_path)
    lines = answer.stdout.splitlines()

    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in (tmp_path / "look").iterdir()) == [
        "contact_sheet.png",
        "pca.png",
        "quality.json",
        "spectra.png",
        "spectra.svg",
    ]
    assert lines[0].split("\t")[1:4] == ["synthetic", "95 %", "held-out"]
    assert lines[1].startswith("structure: ")
    named = answer.stderr.partition("written: ")[2].split(", ")
    assert [Path(name.strip()).name for name in named][:2] == ["contact_sheet.png", "spectra.png"]
    assert lines[-2].startswith("labels: ") and lines[-1].startswith("copies: ")
    kept = json.loads((tmp_path / "look" / "quality.json").read_text("utf-8"))

    monkeypatch.chdir(tmp_path)
    again = CliRunner().invoke(app, [*words[:-1], "again"])
    assert again.stdout == answer.stdout
    # Pictures come before numbers.
    assert again.output.index("written: ") < again.output.index("structure: ")
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes().startswith(OPENINGS[path.suffix])
    assert kept["provenance"]["generator"]["name"] == "smote"


def test_a_file_of_samples_is_measured_as_its_generator(tmp_path: Path) -> None:
    words = ("--generator", "smote")
    made = hsiaug("generate", "toy", *words, "--with-real", "--out", "samples.npz", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    again = hsiaug("inspect", "toy", *words, "--out", "scene", cwd=tmp_path)
    answer = hsiaug("inspect", "samples.npz", "--out", "file", cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == again.stdout
    provenance = json.loads((tmp_path / "file" / "quality.json").read_text("utf-8"))["provenance"]
    assert provenance["source"] == "toy" and provenance["generator"]["name"] == "smote"

    np.savez(tmp_path / "other.npz", x=np.ones(3))
    for name, said in (("other.npz", "must be samples that"), ("none.npz", "is not there")):
        answer = hsiaug("inspect", name, "--out", "no", cwd=tmp_path)
        assert answer.returncode == 2 and said in answer.stderr, answer.stderr
        assert "Traceback" not in answer.stderr
    answer = hsiaug("inspect", "samples.npz", *words, "--out", "no", cwd=tmp_path)
    assert answer.returncode == 2 and "states how they were made" in answer.stderr


def test_a_folder_that_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in ("file", "absent/look"):
        answer = hsiaug("inspect", "toy", "--out", out, cwd=tmp_path)
        assert answer.returncode == 2 and "--out" in answer.stderr and answer.stdout == ""


def test_several_omegas_give_curves_of_the_samples_that_each_gives_alone(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "dummy_plugin", BRIGHTER)
    words = ("inspect", "toy", "--generator", "guided")
    answer = hsiaug(*words, "--omega", "0,2", "--out", "up", cwd=tmp_path, site=site)
    again = hsiaug(*words, "--omega", "2,0", "--out", "down", cwd=tmp_path, site=site)
    alone = hsiaug(*words, "--omega", "0", "--out", "alone", cwd=tmp_path, site=site)

    assert [one.returncode for one in (answer, again, alone)] == [0, 0, 0], answer.stderr
    header, *rows = (tmp_path / "up" / "guidance.csv").read_text("utf-8").splitlines()
    assert header == "omega,measure,value,reference,unit,n"
    # One fit, and samples that do not depend on the order, so those of a trial.
    assert sorted(rows) == sorted(
        (tmp_path / "down" / "guidance.csv").read_text("utf-8").splitlines()[1:]
    )
    up, single = (
        json.loads((tmp_path / name / "quality.json").read_text("utf-8"))
        for name in ("up", "alone")
    )
    assert up["fidelity"] == single["fidelity"] and "guidance" not in single
    found = {(point["omega"], point["measure"]): point["value"] for point in up["guidance"]}
    names = ["agreement", "density", "coverage", "nearer_training", "nearer_pool"]
    assert [*found] == [(omega, name) for omega in (0, 2) for name in names]
    of_table = {measure["name"]: measure["value"] for measure in up["fidelity"]["measures"]}
    assert all(found[0, name] == of_table[name] for name in names[1:])
    assert [found[0, name] for name in names] != [found[2, name] for name in names]
    assert (tmp_path / "up" / "guidance.png").read_bytes().startswith(OPENINGS[".png"])
    assert not (tmp_path / "alone" / "guidance.csv").exists()
    assert "guidance\theld-out\tω=0\tω=2" in answer.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("toy", "--generator", "smote", "--omega", "0,1"), "smote takes none"),
        (("toy", "--generator", "txt2hsi", "--omega", "0,-1"), "from 0 to 1000"),
        (("toy", "--generator", "txt2hsi", "--omega", "0,much"), "--omega must be numbers"),
        (("toy", "--generator", "specdm", "--omega", "0,1"), "single pixels"),
    ],
)
def test_omegas_that_mean_nothing_are_refused_before_any_work(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["inspect", *words, "--out", "look"])
    assert answer.exit_code != 0 and said in answer.output + str(answer.exception)
    assert not (tmp_path / "look").exists()
