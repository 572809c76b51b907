"""A suite on other data than its own: which runs stay, which protocols, and the same choice in a
report.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from hsiaug.base.errors import InputError
from hsiaug.bench.plans_of_runs import plan_runs
from hsiaug.bench.suite import Suite, on_data, only_present, read_suite
from hsiaug.cli.main import app
from hsiaug.registry.lookup import registry
from hsiaug.trial.store import Store
from tests.in_process import run_trials_here

pytestmark = pytest.mark.usefixtures("few_rounds", "blank_pictures")

SUITE = """
store = "kept"

[defaults]
scenes = "not_here.toml"
generators = "duplicate"
classifiers = "majority"
task = "segmentation"
seeds = 1
patch = 16

[[run]]
name = "first"

[[run]]
name = "again"
scenes = ["also_not_here.toml", "not_here.toml"]

[[run]]
name = "tripled"
lambdas = 3

[[run]]
name = "cities"
task = "change"
scenes = "oscd"
protocols = ["places:3", "blocks:20"]

[[run]]
name = "pixels"
task = "pixels"
classifiers = "svm"
patch = 5
"""

PAIRS = """
name = "pairs"
task = "change"
[images]
files = ["A/{place}.npy", "B/{place}.npy"]
[masks]
files = ["label/{place}.png"]
names = ["unchanged", "changed"]
codes = [[0], [1]]
[places]
any = ["*"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite, and the card of two places of two dates."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite.toml").write_text(SUITE)
    rng = np.random.default_rng(0)
    for kind in ("A", "B", "label"):
        (tmp_path / "pairs" / kind).mkdir(parents=True)
    for name in "xy":
        for date in "AB":
            np.save(
                tmp_path / "pairs" / date / f"{name}.npy",
                rng.random((64, 64, 3)).astype(np.float32),
            )
        changed = rng.random((8, 8)).repeat(8, 0).repeat(8, 1) < 0.4
        Image.fromarray(changed.astype(np.uint8)).save(tmp_path / "pairs" / "label" / f"{name}.png")
    (tmp_path / "pairs" / "card.toml").write_text(PAIRS)
    return tmp_path


CARD = "pairs/card.toml"


def suite_on(folder: Path, *refs: str) -> Suite:
    return on_data(read_suite(folder / "suite.toml"), refs)


def run(*words: str) -> Result:
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    return answer


def test_runs_of_the_data_s_task_are_run_on_them_and_others_are_named(folder: Path) -> None:
    suite = suite_on(folder, CARD)
    assert [(r.name, [ref for ref, _ in r.asked]) for r in suite.runs] == [("cities", [CARD, CARD])]
    (note,) = suite.notes
    assert (
        "not that of pairs/card.toml (change): first (segmentation), again (segmentation), tripled"
        in note
    )
    assert note.endswith("pixels (pixels)")

    suite = suite_on(folder, "toy")
    assert [r.name for r in suite.runs] == ["first", "again", "tripled", "pixels"]

    suite = suite_on(folder, "toy", CARD)
    assert [(r.name, [ref for ref, _ in r.asked][-1]) for r in suite.runs][-2:] == [
        ("cities", CARD),
        ("pixels", "toy"),
    ]


def test_data_of_no_run_s_task_are_refused(folder: Path) -> None:
    with pytest.raises(
        InputError, match=r"task that the suite has: change; found toy \(pixels or segmentation\)"
    ):
        on_data(read_suite(folder / "suite.toml", only=["cities"]), ["toy"])


def test_a_protocol_that_does_not_fit_is_replaced_and_said(folder: Path) -> None:
    named, blocks = plan_runs(suite_on(folder, CARD).runs, registry())
    assert (
        named.trials[0].protocol.text == "blocks:32"
        and blocks.trials[0].protocol.text == "blocks:20"
    )
    assert "protocol blocks:32 in place of places:3, which does not fit" in named.notes[0]
    assert not any("does not fit" in note for note in blocks.notes)


def test_a_report_shows_what_was_run_on_other_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_trials_here(monkeypatch)
    told = run("benchmark", CARD, "--suite", "suite.toml", "--jobs", "1")
    assert "runs left out" in told.stderr
    assert "places:3, which does not fit" in told.stderr
    shown = run("benchmark", CARD, "--suite", "suite.toml", "--json")
    hashes = {record["hash"] for record in Store(folder / "kept").records()}
    assert hashes and all(found in shown.stdout for found in hashes)
    assert {table["run"] for table in json.loads(shown.stdout)["tables"]} == {"cities"}


OPTIONAL = """
[defaults]
generators = "duplicate"
classifiers = "majority"
seeds = 1

[[run]]
name = "both"
scenes = "toy"
optional_scenes = ["pavia_university", "absent.toml", "cities.toml:B02+B03", "hills"]

[[run]]
name = "away"
optional_scenes = "pavia_university"
"""


def test_optional_scenes_are_left_out_by_name_where_their_files_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSIAUG_DATA_DIR", str(tmp_path))
    (tmp_path / "suite.toml").write_text(OPTIONAL)
    suite = only_present(read_suite(tmp_path / "suite.toml"))

    assert [(r.name, [ref for ref, _ in r.asked]) for r in suite.runs] == [
        ("both", ["toy", "hills"])
    ]
    (note,) = suite.notes
    assert "not here: pavia_university, absent, cities; no run of away is left" in note

    # Other data take the place of a scene that is missing.
    others = on_data(read_suite(tmp_path / "suite.toml"), ["toy"])
    assert [r.name for r in others.runs] == ["both", "away"]
    with pytest.raises(InputError, match=r"whose files are here; found none of pavia_university"):
        only_present(read_suite(tmp_path / "suite.toml", only=["away"]))
