"""What SLURM is given, and what one of its jobs does; tests/cli/test_engines.py runs real ones."""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsiaug.base.errors import InputError, SceneError
from hsiaug.bench.engine import Batch, Event, WorkerSettings
from hsiaug.bench.engines import ClusterSettings
from hsiaug.bench.engines.chunks import Chunk, ChunkPart, chunks_of
from hsiaug.bench.engines.local import Local
from hsiaug.bench.engines.slurm import SlurmJob, live_jobs, make, read_jobs, runs_folder, write_jobs
from hsiaug.bench.groups import group_trials
from hsiaug.bench.loops import run_groups
from hsiaug.bench.plan import build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.store import Store
from tests.in_process import run_trials_here


def no_split(_: Any) -> Any:
    raise AssertionError("no split is asked for")


def pieces(seconds: list[float]) -> list[Any]:
    """Groups of one trial each, of which is known how long they take."""
    trials = [SimpleNamespace(hash=str(i)) for i in range(len(seconds))]
    expected = {trial.hash: s for trial, s in zip(trials, seconds, strict=True)}
    nothing: Any = SimpleNamespace()
    groups: Any = [tuple(trials)]
    batch = Batch(
        nothing, nothing, "toy", Path(), WorkerSettings("cpu"), groups, no_split, expected
    )
    return [(batch, (trial,)) for trial in trials]


@given(st.lists(st.floats(0.01, 1000), min_size=1, max_size=60), st.integers(1, 20))
def test_jobs_last_a_minute_at_least_and_are_no_more_than_allowed(
    seconds: list[float], most: int
) -> None:
    chunks = chunks_of(pieces(seconds), most, 60.0)

    assert len(chunks) <= most
    assert [trial.hash for chunk in chunks for _, (trial,) in chunk] == [
        str(i) for i in range(len(seconds))
    ]
    lasting = [sum(batch.expected[trial.hash] for batch, (trial,) in chunk) for chunk in chunks]
    # The last takes what is left.
    assert all(one >= 60 or math.isclose(one, 60) for one in lasting[:-1])


@pytest.fixture
def part(toy: Scene, tmp_path: Path) -> ChunkPart:
    request = read_request(
        generators=["smote"], classifiers=["svm"], lambdas=[1.0], seeds=[0], patch=5
    )
    trials = build_plan(toy, request, registry()).trials
    groups = tuple(group_trials(trials))
    return ChunkPart(WorkerSettings("cpu"), "toy", tmp_path, version("hsiaug"), groups)


def test_a_job_runs_what_is_missing(part: ChunkPart, tmp_path: Path) -> None:
    Chunk((part,), 1)()

    records = {record["hash"]: record for record in Store(tmp_path).each()}
    assert records.keys() == {trial.hash for group in part.groups for trial in group}
    assert {record["status"] for record in records.values()} == {"ok"}


def contents(store: Path) -> dict[str, Any]:
    """What must be equal in every run, by hash."""
    assert Store(store).read().damaged == ()
    keys = "status", "metrics", "predictions_sha256", "samples"
    return {record["hash"]: [record[key] for key in keys] for record in Store(store).each()}


@pytest.fixture
def quiet(part: ChunkPart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What an undisturbed job leaves; all jobs run in this process."""
    run_trials_here(monkeypatch)
    part = replace(part, store=tmp_path / "quiet")
    Chunk((part,), 1)()
    return contents(tmp_path / "quiet")


def test_a_job_that_is_preempted_and_requeued_goes_on(
    part: ChunkPart, quiet: dict[str, Any]
) -> None:
    chunk, store = Chunk((part,), 1), Store(part.store, create=True)

    def preempted(event: Event) -> None:
        if event.kind == "ok":
            # As the handler of the signal ends the process.
            raise SystemExit(-1)

    with pytest.raises(SystemExit):
        chunk.run(Local(1), preempted)
    before = {hash: store.changed(hash) for hash in store.hashes()}
    assert 0 < len(before) < len(quiet)
    chunk.checkpoint().function()

    assert contents(store.root) == quiet
    assert {hash: store.changed(hash) for hash in before} == before


def test_jobs_of_two_arrays_may_run_the_same_trials(part: ChunkPart, quiet: dict[str, Any]) -> None:
    chunk, other = Chunk((part,), 1), []

    def meanwhile(event: Event) -> None:
        if event.kind == "ok" and not other:
            other.append(event.hash)
            chunk.run(Local(1), lambda event: None)

    chunk.run(Local(1), meanwhile)

    assert other and contents(part.store) == quiet


def test_a_job_that_finds_another_scene_refuses(part: ChunkPart) -> None:
    trials = (replace(trial, scene_sha256="another") for trial in part.groups[0])
    other = replace(part, groups=(tuple(trials),))

    with pytest.raises(
        SceneError, match="the scene, the hsiaug and the plugins that its trials were planned with"
    ):
        Chunk((other,), 1)()


def test_jobs_of_a_colleague_over_the_same_store_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "squeue").write_text(
        '#!/bin/sh\ncase "$*" in *--me*) ;; *) echo "7_0|RUNNING" ;; esac\n'
    )
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    job = SlurmJob("7_0", ("a",))
    write_jobs(tmp_path, "one", [job, SlurmJob("7_1", ("b",))])

    assert live_jobs(read_jobs(tmp_path)) == [job]


SBATCH = """#!/bin/sh
# Takes so many jobs of a user at a time, as the QOS of a site says.
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$1")
had=$(wc -l < {jobs}); wanted=$((${{last:-0}} + 1)); number=$((had + 1))
if [ $((had + wanted)) -gt {most} ]; then
    echo "sbatch: error: {said}" >&2
    exit 1
fi
if [ -z "$last" ]; then echo "$number|PENDING" >> {jobs}; fi
for task in $(seq 0 "${{last:--1}}"); do echo "${{number}}_$task|PENDING" >> {jobs}; done
echo "Submitted batch job $number"
"""
POLICY = "Batch job submission failed: Job violates accounting/QOS policy (job submit limit)"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Commands of a cluster that takes ``most`` jobs, and says the last line of why it takes no
    more.
    """

    def made(most: int, said: str = POLICY) -> None:
        commands = tmp_path / "bin"
        commands.mkdir(exist_ok=True)
        jobs = tmp_path / "jobs"
        jobs.touch()
        texts = {
            "sbatch": SBATCH.format(jobs=jobs, most=most, said=said),
            "squeue": f"#!/bin/sh\ncat {jobs}\n",
            "srun": "#!/bin/sh\n",
        }
        for name, text in texts.items():
            (commands / name).write_text(text)
            (commands / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(commands), prepend=os.pathsep)

    return made


@pytest.fixture
def batch(toy: Scene, tmp_path: Path) -> Batch:
    request = read_request(
        generators=["smote"], classifiers=["svm"], lambdas=[1.0], seeds=range(6), patch=5
    )
    trials = build_plan(toy, request, registry()).trials
    settings = WorkerSettings("cpu")
    task = get_task("pixels")
    return Batch(task, toy, "toy", tmp_path / "store", settings, group_trials(trials), no_split)


def submit(batch: Batch) -> list[str]:
    """Submit what is missing; what is said."""
    said: list[str] = []
    run_groups(make("", 1, ClusterSettings(on="slurm"), said.append), [batch], pytest.fail)
    return said


def test_what_is_missing_is_submitted_once(site: Callable[..., None], batch: Batch) -> None:
    store, hashes = batch.store, {trial.hash for trial in batch.trials}
    site(most=100)
    submit(batch)
    first = read_jobs(store)
    said = submit(batch)

    assert {hash for job in first for hash in job.trials} == hashes
    assert live_jobs(first) == first == read_jobs(store)
    assert said == [f"{len(hashes)} trials are in jobs of SLURM already"]


@pytest.mark.parametrize("name", ["a\ntouch stolen\n", "%j", "a\\b", "a\udcff"])
def test_a_path_that_a_job_script_cannot_hold_is_refused(site, batch, tmp_path, name):
    site(most=100)

    with pytest.raises(InputError, match="`store` must be a path without %"):
        submit(replace(batch, store=tmp_path / name))

    assert not (tmp_path / name).exists()


def test_a_site_that_takes_no_job_at_all_is_one_error(
    site: Callable[..., None], batch: Batch
) -> None:
    site(most=0)

    with pytest.raises(InputError, match=r"SLURM must take the jobs; found .*QOS policy"):
        submit(batch)

    assert not read_jobs(batch.store)
    assert not list((runs_folder(batch.store) / "jobs").rglob("*.pkl"))
