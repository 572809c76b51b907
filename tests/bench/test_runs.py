"""Runs, as a user starts them: resumed after kill -9, spread over processes, alive beside a plugin that dies."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hsiaug.trial.store import Store
from tests.strangers import DUMMY, environment, hsiaug, install

SLOW = DUMMY.replace("class Nearest", "import time\n\nclass Nearest").replace(
    "self.ids = np.unique(samples.y)", "time.sleep(0.3); self.ids = np.unique(samples.y)"
)
DEADLY = DUMMY.replace(
    "self.ids = np.unique(samples.y)", "import os; samples.synthetic.any() and os._exit(9)"
).replace("self.means = np.stack", "self.ids = np.unique(samples.y); self.means = np.stack")

# A plugin that swallows whatever goes wrong and tries again, for ever, where there are synthetic samples.
ENDLESS = DUMMY.replace(
    "self.ids = np.unique(samples.y)",
    """self.ids = np.unique(samples.y)
        while samples.synthetic.any():
            try:
                raise ValueError
            except Exception:
                pass""",
)


def arguments(store: Path, *more: str) -> list[str]:
    return [
        *("benchmark", "toy", "--generator", "dummy", "--classifier", "nearest", "--lambda", "0.5,1"),
        *("--patch", "5", "--seeds", "3", "--store", str(store), "--device", "cpu", *more),
    ]


def results(store: Path) -> dict[str, Any]:
    return {r["hash"]: (r["status"], r["predictions_sha256"]) for r in Store(store).records()}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(install(tmp_path / "site", "dummy_plugin", DUMMY))


def test_one_process_and_two_give_the_same_records(tmp_path: Path, env: dict[str, str]) -> None:
    for jobs in ("1", "2"):
        answer = hsiaug(*arguments(tmp_path / jobs, "--jobs", jobs), env=env)
        assert answer.returncode == 0, answer.stderr

    assert results(tmp_path / "1") == results(tmp_path / "2")
    assert len(results(tmp_path / "1")) == 3 * 6


def test_a_killed_run_goes_on_where_it_was_and_gives_the_same_table(tmp_path: Path) -> None:
    env = environment(install(tmp_path / "slow", "dummy_plugin", SLOW))
    whole = hsiaug(*arguments(tmp_path / "whole", "--jobs", "2"), env=env)
    assert whole.returncode == 0, whole.stderr

    store = tmp_path / "killed"
    command = [sys.executable, "-m", "hsiaug.cli.main", *arguments(store, "--jobs", "2")]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 60
        while len(list(store.glob("records/??/*/record.json"))) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    before = results(store)
    assert 4 <= len(before) < 18

    again = hsiaug(*arguments(store, "--jobs", "2"), env=env)
    assert f"{len(before)} of 18 trials are taken from" in again.stderr
    assert results(store) == results(tmp_path / "whole")
    assert again.stdout.replace(str(store), "STORE") == whole.stdout.replace(str(tmp_path / "whole"), "STORE")


def test_workers_do_not_outlive_a_killed_run(tmp_path: Path) -> None:
    env = environment(install(tmp_path / "slow", "dummy_plugin", SLOW.replace("0.3", "2")))
    store = tmp_path / "store"
    command = [sys.executable, "-m", "hsiaug.cli.main", *arguments(store, "--jobs", "2")]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        while not list(store.glob("records/??/*")):
            time.sleep(0.02)
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert children and not any(alive(pid) for pid in children)


def alive(pid: str) -> bool:
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_worker_that_dies_costs_its_own_trials_only(tmp_path: Path) -> None:
    env = environment(install(tmp_path / "deadly", "dummy_plugin", DEADLY))
    answer = hsiaug(*arguments(tmp_path / "store", "--jobs", "2", "--seeds", "1"), env=env)

    assert answer.returncode == 1, answer.stderr
    records = list(Store(tmp_path / "store").records())
    failed = [r for r in records if r["status"] == "failed"]
    assert len(records) == 6 and len(failed) == 4
    assert {r["error"]["type"] for r in failed} == {"WorkerDied"}
    assert "WorkerDied" in answer.stdout
    (told,) = [line for line in answer.stderr.splitlines() if "WorkerDied" in line]
    assert told.startswith("failed: ") and f"--store {tmp_path / 'store'}" in told


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_trial_that_takes_too_long_is_ended_and_the_others_go_on(tmp_path: Path, jobs: str) -> None:
    env = environment(install(tmp_path / "endless", "dummy_plugin", ENDLESS))
    answer = hsiaug(*arguments(tmp_path / "store", "--jobs", jobs, "--seeds", "1", "--timeout", "2s"), env=env)

    assert answer.returncode == 1, answer.stderr
    records = list(Store(tmp_path / "store").records())
    failed = [r for r in records if r["status"] == "failed"]
    assert len(records) == 6 and len(failed) == 4
    assert {(r["error"]["type"], r["error"]["stage"]) for r in failed} == {("TrialTimeout", "fit_classifier")}
    assert all(2 <= r["timings"]["total"] < 10 for r in failed)
    assert "longer than the 2 s of --timeout" in answer.stdout


def test_a_timeout_without_a_unit_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    answer = hsiaug(*arguments(tmp_path / "store", "--timeout", "20"), env=env)
    assert answer.returncode == 2 and "--timeout must be a time with its unit" in answer.stderr
    assert not (tmp_path / "store").exists()


def test_failed_trials_run_again_and_finished_ones_do_not(tmp_path: Path) -> None:
    site, store = tmp_path / "site", tmp_path / "store"
    env = environment(install(site, "dummy_plugin", DUMMY.replace("patches.centres[:", "patches.centre[:")))
    failed = hsiaug(*arguments(store, "--jobs", "1"), env=env)
    assert failed.returncode == 1 and "AttributeError" in failed.stdout
    assert failed.stderr.count("AttributeError") == 1, "the first of its kind, as it happens"

    (site / "dummy_plugin.py").write_text(DUMMY)
    mended = hsiaug(*arguments(store, "--jobs", "1"), env=env)
    assert mended.returncode == 0
    assert "3 of 18 trials are taken from" in mended.stderr  # coords never failed
    assert {status for status, _ in results(store).values()} == {"ok"}


def test_existing_all_runs_everything_again_and_none_runs_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    store = tmp_path / "store"
    assert hsiaug(*arguments(store, "--jobs", "1"), env=env).returncode == 0
    created = {path: path.stat().st_mtime_ns for path in store.glob("records/??/*/record.json")}

    hsiaug(*arguments(store, "--existing", "none", "--lambda", "0.5,1,2"), env=env)
    assert {path: path.stat().st_mtime_ns for path in store.glob("records/??/*/record.json")} == created
    hsiaug(*arguments(store, "--existing", "all", "--jobs", "1"), env=env)
    again = {path: path.stat().st_mtime_ns for path in store.glob("records/??/*/record.json")}
    assert again.keys() == created.keys() and all(again[p] > created[p] for p in created)


def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    answer = hsiaug(*arguments(tmp_path / "store", "--dry-run"), env=env)

    assert answer.returncode == 0 and "18 of 18 trials to run, about" in answer.stdout
    assert "dummy\t0.5\t–\tnearest\t3\t3" in answer.stdout
    assert not (tmp_path / "store").exists()

    plan = json.loads(hsiaug(*arguments(tmp_path / "store", "--dry-run", "--json"), env=env).stdout)
    assert len(plan["trials"]) == len(plan["to_run"]) == 18 and plan["seconds"] > 0


def test_json_is_one_strict_document_and_show_leads_back_to_the_same_record(
    tmp_path: Path, env: dict[str, str]
) -> None:
    store = tmp_path / "store"
    answer = hsiaug(*arguments(store, "--json"), env=env)
    assert json.loads(answer.stdout)["planned"] == 18

    hash, before = next(iter(results(store).items()))
    shown = hsiaug("show", hash[:10], "--store", str(store), env=env)
    assert shown.returncode == 0 and hash in shown.stdout
    command = shown.stdout.strip().splitlines()[-1]
    assert command.startswith("hsiaug benchmark toy")
    words = shlex.split(command)[1:]
    again = hsiaug(*words, "--store", str(tmp_path / "again"), "--device", "cpu", env=env)
    assert again.returncode == 0, again.stderr
    assert results(tmp_path / "again")[hash] == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX signals")
def test_ctrl_c_stops_quietly(tmp_path: Path) -> None:
    env = environment(install(tmp_path / "slow", "dummy_plugin", SLOW))
    command = [sys.executable, "-m", "hsiaug.cli.main", *arguments(tmp_path / "store", "--jobs", "2")]
    with subprocess.Popen(
        command,
        env=env,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C, and they hand that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        while not list((tmp_path / "store").glob("records/??/*")):
            time.sleep(0.02)
        os.killpg(run.pid, signal.SIGINT)
        _, err = run.communicate(timeout=60)

    assert run.returncode == 130
    assert "run the same command to go on" in err and "Traceback" not in err
