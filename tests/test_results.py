"""hsiaug from Python: the same trials as the command line's, as tables, frames and figures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hsiaug
from hsiaug.base.errors import InputError, StoreError
from hsiaug.base.threads import cores, one_thread_each
from hsiaug.results import Results
from hsiaug.tasks.scores import AA_LARGE
from tests.effort import loaded
from tests.in_process import hsiaug as command
from tests.in_process import run_trials_here

ASKED = {
    "lambdas": np.array([1, 3]),
    "times": 0,
    "seeds": 2,
    "views": "raw",
    "patch": 5,
    "protocol": "kshot:5",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Results:
    with pytest.MonkeyPatch.context() as patch:
        run_trials_here(patch)
        store = tmp_path_factory.mktemp("results") / "store"
        noise = hsiaug.generator("noise", level=0.3)
        return hsiaug.benchmark(
            "toy", [noise, "smote"], "svm", store=store, jobs=1, progress=False, **ASKED
        )


def test_a_call_plans_the_trials_that_the_command_plans(run: Results) -> None:
    typed = (
        "benchmark toy --generator noise,smote --classifier svm --view raw --lambda 1,3 --times 0"
        " --seeds 2 --patch 5"
    )
    planned = command(
        *typed.split(), "--protocol", "kshot:5", "--set", "noise.level=0.3", "--dry-run", "--json"
    )
    assert {trial["hash"] for trial in json.loads(planned.stdout)["trials"]} == set(run.hashes)


def test_what_is_in_the_store_is_not_run_again_and_read_alike(run, monkeypatch):
    monkeypatch.setattr("hsiaug.bench.worker_process.Worker", None)
    noise = hsiaug.generator("noise", level=0.3)
    again = hsiaug.benchmark(
        "toy", [noise, "smote"], "svm", store=run.store.root, progress=False, **ASKED
    )
    assert str(again.table()) == str(run.table()) == str(hsiaug.read_store(run.store.root).table())


def test_nothing_is_printed_where_no_progress_is_asked_for(run, capfd):
    hsiaug.benchmark(
        "toy", "smote", "svm", store=run.store.root, existing="none", progress=False, **ASKED
    )
    assert capfd.readouterr() == ("", "")
    hsiaug.benchmark("toy", "smote", "svm", store=run.store.root, existing="none", **ASKED)
    assert "make" in capfd.readouterr().err  # λ = 1 makes nothing where classes are equal


def test_a_frame_has_a_row_for_every_trial_and_for_every_class_of_it(run: Results) -> None:
    frame, classes = run.frame(), run.frame("class")
    assert list(frame.hash) == list(run.hashes) and {"oa", "aa", "kappa", "lambda", "seconds"} <= {
        *frame.columns
    }
    assert len(classes) == 5 * len(frame) and classes.recall.dropna().between(0, 1).all()
    means = frame[frame.status == "ok"].groupby(["generator", "lambda", "classifier"]).aa.mean()
    assert f"{100 * means['none', 0.0, 'svm']:.1f}" in str(run.table())


def test_gains_are_paired_differences_in_points(run: Results) -> None:
    frame, gain = run.frame(), run.gain()
    known = frame[frame.classifier == "svm"].set_index(["generator", "lambda", "seed"])
    aa = known[gain.metric.iloc[0]].sort_index()
    shown = gain[(gain.generator == "noise level=0.3") | (gain.generator == "noise")]
    row = shown[(shown["lambda"] == 3) & (shown.over == "none")].iloc[0]
    differences = aa["noise", 3.0] - aa["none", 0.0]
    assert row.gain == pytest.approx(100 * differences.mean())
    assert row.low is None and row.high is None, "two draws have no interval"
    assert (
        row.draws == 2
        and row.verdict == "unclear: 2 of at least 6 splits"
        and row.metric == AA_LARGE
    )
    assert set(shown.over) == {"none", "duplicate"}
    assert (gain[gain.generator == "duplicate"].verdict == "control").all()


def test_plugins_of_one_name_with_other_parameters_are_arms_of_their_own(tmp_path, monkeypatch):
    run_trials_here(monkeypatch)
    both = [hsiaug.generator("noise", level=level) for level in (0.1, 0.5)]
    made = hsiaug.benchmark(
        "toy",
        both,
        ["svm"],
        lambdas=2,
        times=0,
        seeds=1,
        patch=5,
        store=tmp_path,
        jobs=1,
        progress=False,
    )
    frame = made.frame()
    levels = {
        json.loads(params)["level"] for params in frame[frame.generator == "noise"].generator_params
    }
    assert (
        levels == {0.1, 0.5} and (frame[frame.generator == "none"].classifier == "svm").sum() == 1
    )


def test_a_notebook_shows_tables_that_quote_what_they_hold(run: Results) -> None:
    html = run._repr_html_()
    assert html.count("<table ") == 3 and "<script" not in html and "href" not in html
    assert '<th scope="row">svm</th>' in html and "<td>smote</td>" in html
    assert run.table("class")._repr_html_() != html
    assert repr(run).startswith(f"<Results of {len(run.hashes)} trials")


@pytest.mark.parametrize(
    "name", ["page.html", "table.md", "table.tex", "trials.csv", "all.json", "gain.pdf"]
)
def test_results_are_written_as_what_the_ending_says(
    run: Results, tmp_path: Path, name: str
) -> None:
    written = run.save(tmp_path / name).read_bytes()
    begins = {
        "html": b"<!doctype html",
        "md": b"## ",
        "tex": b"% ",
        "csv": b"hash,",
        "json": b"{",
        "pdf": b"%PDF",
    }
    assert written.lower().startswith(begins[name.split(".")[1]].lower())
    assert not name.endswith("pdf") or b"/Type3" not in written


def test_a_gain_is_drawn_for_every_arm_and_control(run: Results) -> None:
    (panel,) = [axes for axes in run.plot().axes if axes.axison]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["smote λ=3", "noise λ=3"]
    assert panel.get_legend_handles_labels()[1] == ["over none", "over duplicate"]
    assert (
        run.plot()._repr_png_().startswith(b"\x89PNG")
    )  # for notebooks that have not imported pyplot


def test_scenes_and_splits_are_arrays() -> None:
    scene = hsiaug.load_scene("toy")
    drawn = hsiaug.split(scene, "kshot:3", seed=1, patch=5)
    assert scene.cube.shape[:2] == scene.labels.shape == drawn.train.shape == drawn.test.shape
    assert (
        np.bincount(scene.labels[drawn.train])[1:].tolist() == [3] * 5
        and not (drawn.train & drawn.test).any()
    )
    assert np.array_equal(hsiaug.split("toy", "kshot:3", seed=1, patch=5).train, drawn.train)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: hsiaug.generator("smoet"), "smoet"),
        (lambda: hsiaug.generator("noise", level=-1), "-1"),
        (lambda: hsiaug.generator("noise", levels=1), "no such parameter"),
        (lambda: hsiaug.benchmark("nowhere"), "nowhere"),
        (lambda: hsiaug.split("toy", "kshot:no"), "kshot"),
    ],
)
def test_what_is_wrong_is_named(wrong: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        wrong()  # type: ignore[operator]


def test_an_unknown_ending_and_a_store_that_is_not_there_are_refused(
    run: Results, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"table\.docx"):
        run.save(tmp_path / "table.docx")
    with pytest.raises(StoreError):
        hsiaug.read_store(tmp_path / "nothing")


def test_the_users_own_threads_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with one_thread_each():
        assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7" and "MKL_NUM_THREADS" not in os.environ


SCRIPT = """
import hsiaug
run = hsiaug.benchmark("toy", generators=["smote"], classifiers=["svm"], lambdas=[3], times=0, seeds=1, jobs=2,
                       preset="tiny", store="records", progress=False)
print("failed:", sum(len(table.failed) for table in run.report.tables))
"""


def test_a_script_needs_no_guard_against_its_own_worker_processes(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "failed: 0\n", done.stderr


def test_importing_hsiaug_loads_nothing_heavy_and_offers_what_it_names() -> None:
    assert not {"numpy", "torch", "rich", "sklearn"} & loaded("import hsiaug")
    assert all(getattr(hsiaug, name) is not None for name in hsiaug.__all__)
    with pytest.raises(AttributeError, match="no_such_thing"):
        hsiaug.no_such_thing  # noqa: B018


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores"
)
def test_cores_are_those_that_a_process_may_use() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert cores() == len(before)


def test_a_run_without_a_finished_trial_has_the_columns_of_others(
    run: Results, tmp_path: Path
) -> None:
    (tmp_path / "stopped" / "records").mkdir(parents=True)
    stopped = hsiaug.read_store(tmp_path / "stopped")
    for of in (lambda r: r.frame(), lambda r: r.frame("class"), lambda r: r.gain()):
        assert len(of(stopped)) == 0 and list(of(stopped).columns) == list(of(run).columns)
    assert (stopped.frame().status == "ok").sum() == 0
