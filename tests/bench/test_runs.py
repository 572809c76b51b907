"""Runs, as a user starts them: resumed after kill -9, spread over processes, alive beside a plugin
that dies.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsiaug.trial.store import Store
from tests import in_process
from tests.processes import Process
from tests.third_party import DUMMY, environment, hsiaug, install, results, started

SLOW = DUMMY.replace("class Nearest", "import time\n\nclass Nearest").replace(
    "self.ids = np.unique(samples.y)", "time.sleep(0.3); self.ids = np.unique(samples.y)"
)
DEADLY = DUMMY.replace(
    "self.ids = np.unique(samples.y)", "import os; samples.synthetic.any() and os._exit(9)"
).replace("self.means = np.stack", "self.ids = np.unique(samples.y); self.means = np.stack")

# A plugin that waits at the seventh fit and at every later one, until the folder GATE holds the
# file "open".
GATED = DUMMY.replace(
    "self.ids = np.unique(samples.y)",
    """import os, pathlib, time, uuid
        gate = pathlib.Path(os.environ["GATE"])
        (gate / uuid.uuid4().hex).touch()
        while len([*gate.iterdir()]) > 6 and not (gate / "open").exists():
            time.sleep(0.02)
        self.ids = np.unique(samples.y)""",
)

# A single call into compiled code, which no signal interrupts: a mutex of its own that it waits
# for.
COMPILED = DUMMY.replace(
    "self.ids = np.unique(samples.y)",
    """import ctypes
        lock = ctypes.CDLL(None).pthread_mutex_lock
        mutex = ctypes.create_string_buffer(128)
        samples.synthetic.any() and [lock(mutex) for _ in range(2)]
        self.ids = np.unique(samples.y)""",
)


def arguments(store: Path, *more: str) -> list[str]:
    """A small benchmark; an option among ``more`` replaces the usual one, as it may be given
    once.
    """
    usual = {"--generator": "dummy", "--classifier": "nearest", "--lambda": "0.5,1", "--times": "0"}
    usual |= {"--patch": "5", "--seeds": "3", "--store": str(store), "--device": "cpu"}
    usual |= {"--view": "raw"}
    kept = (word for name, value in usual.items() if name not in more for word in (name, value))
    return ["benchmark", "toy", *kept, *more]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The dummy plugins, installed."""
    return install(tmp_path / "site", "dummy_plugin", DUMMY)


def test_one_process_and_two_give_the_same_records(tmp_path: Path, site: Path) -> None:
    for jobs in ("1", "2"):
        answer = hsiaug(*arguments(tmp_path / jobs, "--jobs", jobs), env=environment(site))
        assert answer.returncode == 0, answer.stderr

    assert results(tmp_path / "1") == results(tmp_path / "2")
    assert len(results(tmp_path / "1")) == 3 * 6


@pytest.fixture
def gate() -> Iterator[Path]:
    """A folder that workers may change wherever they are confined."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no /dev/shm")
def test_a_killed_run_goes_on_where_it_was_and_gives_the_same_table(
    tmp_path: Path, gate: Path
) -> None:
    env = environment(install(tmp_path / "gated", "dummy_plugin", GATED), GATE=str(gate))
    store = tmp_path / "killed"
    words = "--jobs", "2"
    command = [sys.executable, "-m", "hsiaug", *arguments(store, *words)]
    with Process(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        while len(list(store.glob("records/??/*/record.json"))) < 4:
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    before = results(store)
    assert 4 <= len(before) <= 6

    (gate / "open").touch()
    whole = hsiaug(*arguments(tmp_path / "whole", *words), env=env)
    assert whole.returncode == 0, whole.stderr

    again = hsiaug(*arguments(store, *words), env=env)
    assert f"{len(before)} of 18 trials are taken from" in again.stderr
    assert results(store) == results(tmp_path / "whole")
    assert again.stdout.replace(str(store), "STORE") == whole.stdout.replace(
        str(tmp_path / "whole"), "STORE"
    )


def test_workers_do_not_outlive_a_killed_run(tmp_path: Path) -> None:
    env = environment(install(tmp_path / "slow", "dummy_plugin", SLOW.replace("0.3", "2")))
    store = tmp_path / "store"
    command = [sys.executable, "-m", "hsiaug", *arguments(store, "--jobs", "2")]
    with Process(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        while not list(store.glob("records/??/*")):
            time.sleep(0.02)
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        run.send_signal(signal.SIGKILL)
    assert children
    # Where they live on, the limit of every test ends this one.
    while any(alive(pid) for pid in children):
        time.sleep(0.1)


def alive(pid: str) -> bool:
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_worker_that_dies_costs_its_own_trials_only(tmp_path: Path) -> None:
    env = environment(install(tmp_path / "deadly", "dummy_plugin", DEADLY))
    answer = hsiaug(*arguments(tmp_path / "store", "--jobs", "2", "--seeds", "1"), env=env)

    assert answer.returncode == 1, answer.stderr
    records = list(Store(tmp_path / "store").each())
    failed = [r for r in records if r["status"] == "failed"]
    assert len(records) == 6 and len(failed) == 4
    assert {r["error"]["type"] for r in failed} == {"WorkerDied"}
    assert "WorkerDied" in answer.stdout
    (told,) = [line for line in answer.stderr.splitlines() if line.startswith("failed: ")]
    assert "WorkerDied" in told and f"--store {tmp_path / 'store'}" in told


LIMIT = 10
"""Seconds, thirty times as many as a trial takes that ends; no view is chosen, which loads
libraries.
"""


def test_a_trial_that_takes_too_long_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "dummy_plugin", COMPILED)
    words = ["--jobs", "2", "--seeds", "1", "--lambda", "0.5", "--timeout", f"{LIMIT}s"]
    # A trial with synthetic samples alone, as its end is waited for.
    words += ["--generator", "duplicate"]
    answer = hsiaug(*arguments(tmp_path / "store", *words), env=environment(site))

    assert answer.returncode == 1, answer.stderr
    records = list(Store(tmp_path / "store").each())
    (failed,) = (r for r in records if r["status"] == "failed")
    assert len(records) == 3
    assert (failed["error"]["type"], failed["error"]["stage"]) == ("TrialTimeout", "fit_classifier")
    # A process that is killed tells no times.
    assert failed["timings"] == {}
    assert f"longer than its time limit of {LIMIT} s" in failed["error"]["message"]


def test_failed_trials_run_again_and_finished_ones_do_not(tmp_path: Path) -> None:
    site, store = tmp_path / "site", tmp_path / "store"
    install(site, "dummy_plugin", DUMMY.replace("patches.centres[:", "patches.centre[:"))
    failed = in_process.hsiaug(*arguments(store, "--jobs", "1"), site=site)
    assert failed.returncode == 1 and "AttributeError" in failed.stdout
    told = [line for line in failed.stderr.splitlines() if line.startswith("failed: ")]
    assert len(told) == 1 and "AttributeError" in told[0], "the first of its kind, as it happens"

    (site / "dummy_plugin.py").write_text(DUMMY)
    repaired = in_process.hsiaug(*arguments(store, "--jobs", "1"), site=site)
    assert repaired.returncode == 0
    assert "3 of 18 trials are taken from" in repaired.stderr  # coords never failed
    assert {status for status, _ in results(store).values()} == {"ok"}


def test_arms_that_make_nothing_are_recorded_and_not_run(tmp_path: Path, site: Path) -> None:
    """Five pixels of every class: λ = 1 asks for none, and what trains on real samples alone is
    none.
    """
    store = tmp_path / "store"
    words = arguments(store, "--protocol", "kshot:5", "--seeds", "2")
    first = in_process.hsiaug(*words, "--jobs", "1", site=site)

    assert first.returncode == 0, first.stderr
    records = list(Store(store).each())
    by_status = {
        s: {r["spec"]["generator"]["name"] for r in records if r["status"] == s}
        for s in ("ok", "empty")
    }
    assert by_status == {"ok": {"none"}, "empty": {"duplicate", "dummy"}} and len(records) == 2 * 6
    assert {tuple(r["timings"]) for r in records if r["status"] == "empty"} == {()}
    # What is counted is what runs: none with either classifier.
    assert "4 of 4 trials" in first.stderr
    (note,) = (
        line for line in first.stderr.splitlines() if "λ = 1 makes no synthetic sample" in line
    )
    assert note.startswith("note: ") and "a larger λ" in note

    created = {path: path.stat().st_mtime_ns for path in store.glob("records/??/*/record.json")}
    again = in_process.hsiaug(*words, "--jobs", "1", site=site)
    assert again.returncode == 0 and "12 of 12 trials are taken from" in again.stderr
    assert {
        path: path.stat().st_mtime_ns for path in store.glob("records/??/*/record.json")
    } == created


def test_a_dry_run_shows_the_synthetic_samples_of_each_arm(tmp_path: Path, site: Path) -> None:
    words = arguments(tmp_path / "store", "--protocol", "kshot:5", "--lambda", "1,3", "--dry-run")
    answer = in_process.hsiaug(*words, site=site)

    rows = [line.split("\t") for line in answer.stdout.splitlines() if line.startswith("dummy")]
    assert rows == [
        ["dummy", "1", "0", "–", "nearest (raw)", "0", "3", "0"],
        ["dummy", "3", "0", "–", "nearest (raw)", "50", "3", "3"],
    ]
    assert "12 of 18 trials to run (6 make nothing)" in answer.stdout
    plan = json.loads(in_process.hsiaug(*words, "--json", site=site).stdout)
    assert {(t["lambda"], t["synthetic"]) for t in plan["trials"]} == {
        (0.0, 0),
        (1.0, 0),
        (3.0, 50),
    }
    assert len(plan["to_run"]) == 12


def test_json_is_one_strict_document_and_show_leads_back_to_the_same_record(tmp_path, site):
    store = tmp_path / "store"
    answer = in_process.hsiaug(*arguments(store, "--json"), site=site)
    assert json.loads(answer.stdout)["planned"] == 18

    hash, before = next(iter(results(store).items()))
    shown = in_process.hsiaug("report", "--trial", hash[:10], "--store", str(store), site=site)
    assert shown.returncode == 0 and hash in shown.stdout
    command = shown.stdout.strip().splitlines()[-1]
    assert command.startswith("hsiaug benchmark toy")
    words = shlex.split(command)[1:]
    again = in_process.hsiaug(
        *words, "--store", str(tmp_path / "again"), "--device", "cpu", site=site
    )
    assert again.returncode == 0, again.stderr
    assert results(tmp_path / "again")[hash] == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX signals")
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
def test_ctrl_c_and_the_end_of_a_job_stop_quietly(sent: str, tmp_path: Path) -> None:
    number = getattr(signal, sent)
    env = environment(install(tmp_path / "slow", "dummy_plugin", SLOW))
    with started(*arguments(tmp_path / "store", "--jobs", "2"), env=env) as run:
        while not list((tmp_path / "store").glob("records/??/*")):
            time.sleep(0.02)
        (os.killpg if sent == "SIGINT" else os.kill)(run.pid, number)
        _, err = run.communicate()

    assert run.returncode == 128 + number
    assert "run the same command to go on" in err and "Traceback" not in err
