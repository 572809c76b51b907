"""``--on``: the same records wherever trials run; one clear error for what cannot be had."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from hsiaug.base.errors import InputError
from hsiaug.bench.engines import cluster_settings
from tests import in_process
from tests.processes import Process, children, scheduler_address
from tests.third_party import DUMMY, environment, hsiaug, install, results, started

# A classifier that waits from the fourth fit on, until the folder GATE holds the file "open".
GATED = DUMMY.replace(
    "self.ids = np.unique(samples.y)",
    """import os, pathlib, time, uuid
        gate = pathlib.Path(os.environ["GATE"])
        (gate / uuid.uuid4().hex).touch()
        while len([*gate.iterdir()]) > 3 and not (gate / "open").exists():
            time.sleep(0.05)
        self.ids = np.unique(samples.y)""",
)


def arguments(store: Path, *more: str, jobs: str = "2") -> list[str]:
    return [
        *(
            "benchmark",
            "toy",
            "--generator",
            "dummy",
            "--classifier",
            "nearest",
            "--patch",
            "5",
            "--seeds",
            "2",
        ),
        *("--view", "raw", "--device", "cpu", "--jobs", jobs, "--store", str(store), *more),
    ]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(install(tmp_path / "site", "dummy_plugin", DUMMY))


@pytest.fixture
def gate() -> Iterator[Path]:
    """A folder that workers may change wherever they are confined."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("no /dev/shm")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the plan gives on this machine, where no library of clusters can be imported."""
    folder = tmp_path_factory.mktemp("here")
    env = environment(install(folder / "site", "dummy_plugin", DUMMY))
    for library in ("distributed", "submitit"):
        (folder / "site" / f"{library}.py").write_text("raise SystemExit('imported')")
    answer = hsiaug(*arguments(folder / "local"), env=env)
    assert answer.returncode == 0, answer.stderr
    return results(folder / "local")


def test_a_local_run_imports_no_engine_of_clusters(local: dict[str, Any]) -> None:
    assert {status for status, _ in local.values()} == {"ok"}


def test_dask_workers_without_labels_give_the_records_of_a_local_run(tmp_path, env, local):
    words = arguments(tmp_path / "dask", "--on", "dask", "--cluster", "labels=here")
    answer = hsiaug(*words, env=env)

    assert answer.returncode == 0, answer.stderr
    assert "Dask scheduler tcp://127.0.0.1:" in answer.stderr
    # Without bokeh its page would only say that bokeh is missing.
    assert ("dashboard http://127.0.0.1:" in answer.stderr) == (find_spec("bokeh") is not None)
    assert results(tmp_path / "dask") == local


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no list of child processes here")
def test_a_run_on_dask_gives_the_records_of_a_local_one_though_a_worker_is_killed(
    tmp_path: Path, gate: Path, local: dict[str, Any]
) -> None:
    store = tmp_path / "killed"
    env = environment(install(tmp_path / "gated", "dummy_plugin", GATED), GATE=str(gate))
    command = [sys.executable, "-m", "hsiaug", *arguments(store, "--on", "dask")]
    with Process(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        while len(list(gate.iterdir())) < 5:
            assert run.poll() is None
            time.sleep(0.05)
        os.kill(_dask_workers(run.pid)[0], signal.SIGKILL)
        (gate / "open").touch()
        tables, said = run.communicate()

    assert run.returncode == 0, tables + said
    assert results(store) == local


def test_workers_and_the_run_end_when_the_scheduler_goes(tmp_path: Path, gate: Path) -> None:
    store = tmp_path / "store"
    env = environment(install(tmp_path / "gated", "dummy_plugin", GATED), GATE=str(gate))
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    worker = [
        *dask,
        "worker",
        "--scheduler-file",
        str(file),
        "--nthreads",
        "2",
        "--no-nanny",
        "--no-dashboard",
    ]
    quiet: dict[str, Any] = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with (
        subprocess.Popen([*scheduler, "--scheduler-file", str(file)], **quiet) as serving,
        subprocess.Popen(worker, **quiet) as working,
    ):
        try:
            address = scheduler_address(file, serving)
            command = [
                sys.executable,
                "-m",
                "hsiaug",
                *arguments(store, "--on", f"dask:{address}"),
            ]
            with Process(command, env=env, stderr=subprocess.PIPE, text=True) as run:
                # The trials at the gate would never end. Those before it are on their way here.
                while len(list(gate.iterdir())) < 5 or not list(store.glob("records/??/*")):
                    assert run.poll() is None
                    time.sleep(0.05)
                serving.kill()
                _, said = run.communicate()
            working.wait()
        finally:
            serving.kill()
            working.kill()

    assert run.returncode == 2 and "the Dask scheduler must stay until the run has ended" in said, (
        said
    )
    assert "Traceback" not in said
    assert results(store)


def _dask_workers(pid: int) -> list[int]:
    """Children that have children of their own: those that hold the processes of trials."""
    return [child for child in children(pid) if children(child)]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs POSIX signals")
def test_ctrl_c_on_dask_stops_quietly(tmp_path: Path, gate: Path) -> None:
    store = tmp_path / "store"
    env = environment(install(tmp_path / "gated", "dummy_plugin", GATED), GATE=str(gate))
    with started(*arguments(store, "--on", "dask"), env=env) as run:
        while len(list(gate.iterdir())) < 5:
            assert run.poll() is None
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        _, said = run.communicate()

    assert run.returncode == 130
    assert "run the same command to go on" in said and "Traceback" not in said


def test_a_scheduler_that_does_not_answer_is_one_error(tmp_path: Path, env: dict[str, str]) -> None:
    answer = hsiaug(*arguments(tmp_path / "none", "--on", "dask:tcp://127.0.0.1:1"), env=env)

    assert answer.returncode == 2 and "Traceback" not in answer.stderr
    assert "--on dask:ADDRESS must name a scheduler that answers" in answer.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--on", "dsk"), "--on must name an engine"),
        (("--on", "local:here"), "--on local takes no address"),
        (("--cluster", "worker=2"), "--cluster must be KEY=VALUE"),
        (("--cluster", "workers=none"), "the cluster setting workers is not valid"),
        (("--cluster", "time=fast"), "the cluster setting time is not valid"),
        (
            ("--cluster", "partition=short\ntouch stolen"),
            "the cluster setting partition is not valid",
        ),
    ],
)
def test_a_wrong_engine_or_setting_is_one_error(words, said, tmp_path, env):
    answer = in_process.hsiaug(*arguments(tmp_path / "none", *words), site=tmp_path / "site")

    assert answer.returncode == 2 and "Traceback" not in answer.stderr
    assert said in answer.stderr
    assert not (tmp_path / "none" / "records").exists() or not results(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "library", "extra"), [("dask", "distributed", "dask"), ("slurm", "submitit", "slurm")]
)
def test_an_engine_without_its_library_says_what_to_install(name, library, extra, tmp_path, env):
    (tmp_path / "site" / f"{library}.py").write_text("raise ImportError('not installed')")

    answer = hsiaug(*arguments(tmp_path / "none", "--on", name), env=env)

    assert answer.returncode == 2 and "Traceback" not in answer.stderr
    assert (
        f"pip install {library}" in answer.stderr
        and f"pip install -e '.[{extra}]'" in answer.stderr
    )


def test_options_beat_the_suite() -> None:
    found = cluster_settings(
        None, ["workers=5"], {"on": "dask", "workers": 2, "memory": "1GB", "partition": "short"}
    )

    assert (found.workers, found.memory, found.partition) == (5, "1GB", "short")
    assert found.on == "dask" and cluster_settings("local", [], {"on": "dask"}).on == "local"


@pytest.mark.parametrize("key", ["partition", "account"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "a\ntouch stolen",
        "a\n",
        "a;b",
        "$(id)",
        "`id`",
        "-p",
        "a b",
        "a'b",
        'a"b',
        "%j",
        "\x1b[31m",
        "a" * 300,
    ],
)
def test_what_stands_in_the_script_of_a_job_is_names_alone(key: str, value: str) -> None:
    with pytest.raises(InputError, match=f"the cluster setting {key} is not valid"):
        cluster_settings(None, [f"{key}={value}"])
    with pytest.raises(InputError, match=f"the cluster setting {key} is not valid"):
        cluster_settings(None, [], {key: value})


@pytest.mark.parametrize("value", ["gpu_p13", "short,long", "abc@v100", "def-smith.1"])
def test_names_that_sites_give_are_taken(value: str) -> None:
    assert cluster_settings(None, [f"partition={value}"]).partition == value


@pytest.mark.parametrize(
    "word", ["memory=4.5GB", "time=0h", "gpus=99999999999", "workers=9999999999"]
)
def test_numbers_that_sbatch_does_not_take_are_refused(word: str) -> None:
    with pytest.raises(InputError, match="the cluster setting"):
        cluster_settings(None, [word])


@pytest.fixture
def slurm() -> None:
    """Skips where no SLURM takes jobs: its commands may be installed on a machine whose controller
    does not run.
    """
    if shutil.which("sbatch") is None:
        pytest.skip("no SLURM here: no sbatch")
    found = subprocess.run(
        ["sinfo", "--noheader", "--responding", "--format=%t"], capture_output=True, text=True
    )
    if found.returncode or not {"idle", "mix", "alloc"} & set(found.stdout.split()):
        pytest.skip(f"no node of SLURM answers: {(found.stderr or found.stdout).strip()[:200]}")


def test_slurm_is_refused_where_there_is_none(tmp_path: Path, env: dict[str, str]) -> None:
    run = hsiaug(
        *arguments(tmp_path / "none", "--on", "slurm"), env={**env, "PATH": str(tmp_path / "empty")}
    )

    assert run.returncode == 2 and "no sbatch here" in run.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("slurm")
def test_jobs_of_slurm_give_the_records_of_a_local_run(tmp_path, env, local):
    store = tmp_path / "slurm"
    first = hsiaug(*arguments(store, "--on", "slurm"), env=env)
    assert first.returncode == 0, first.stderr
    again = hsiaug(*arguments(store, "--on", "slurm"), env=env)
    assert (
        f"{len(local)} trials are in jobs of SLURM already" in again.stderr
        or "are taken from" in again.stderr
    )

    while subprocess.run(
        ["squeue", "--me", "-h"], capture_output=True, text=True, check=True
    ).stdout:
        time.sleep(0.5)

    assert results(store) == local
