"""What the framework itself costs: 1,000 trials of a generator and a classifier that do next to
nothing.

    python -m benchmarks.overhead
    python -m benchmarks.overhead --on dask     # with one Dask worker; also what two save on trials
    of some seconds

Prints milliseconds per trial (planning, splitting, records and all, with one worker process), what
a run of 20 trials takes and what each of the other 980 adds to it, and the seconds that ``hsiaug
report`` takes over the 1,000 records, each the whole process from start to end. Times are by the
clock and, in brackets, of the processor, which other programs lengthen less.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.common import say
from tests.third_party import DUMMY, environment, hsiaug_anew, install

LAMBDAS = "0.25,0.5,0.75,1,1.25,1.5,1.75,2,2.25"
SEEDS = 50
BY = ("generator", "classifier", "class", "seed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", default="local")
    on = parser.parse_args().on
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        env = environment(install(root / "site", "dummy_plugin", DUMMY))
        few, start, start_busy = benchmark(root / "few", 1, on, env)
        trials, seconds, busy = benchmark(root / "store", SEEDS, on, env)
        say(f"{trials} trials in {seconds:.1f} s: {per_trial(seconds, busy, trials)}")
        more = per_trial(seconds - start, busy - start_busy, trials - few)
        say(f"{few} trials in {start:.1f} s; each of the other {trials - few}: {more}")
        if on != "local":
            one, two = (real_trials(root / jobs, jobs, on, env) for jobs in ("1", "2"))
            said = (
                f"{one:.1f} s with one worker, {two:.1f} s with two, {one / two:.2f} times as fast"
            )
            say(f"trials of some seconds: {said}")
            return
        for by in BY:
            run, seconds, busy = timed(
                "report", "--store", str(root / "store"), "--by", by, "--format", "md", env=env
            )
            say(
                f"report --by {by} over {trials} records: {seconds:.2f} ({busy:.2f}) s, {len(run)}"
                " characters"
            )


def real_trials(store: Path, jobs: str, on: str, env: dict[str, str]) -> float:
    """Seconds of a run whose trials fit networks."""
    words = [
        "benchmark",
        "indian_pines",
        "--generator",
        "smote",
        "--classifier",
        "cnn2d",
        "--seeds",
        "4",
    ]
    return timed(
        *words, "--device", "cpu", "--on", on, "--jobs", jobs, "--store", str(store), env=env
    )[1]


def benchmark(store: Path, seeds: int, on: str, env: dict[str, str]) -> tuple[int, float, float]:
    """Trials of a run, its seconds by the clock, and those of the processor."""
    words = [
        "benchmark",
        "toy",
        "--generator",
        "dummy",
        "--classifier",
        "nearest",
        "--lambda",
        LAMBDAS,
    ]
    words += [
        "--seeds",
        str(seeds),
        "--patch",
        "5",
        "--jobs",
        "1",
        "--device",
        "cpu",
        "--on",
        on,
        "--store",
        str(store),
    ]
    _, seconds, busy = timed(*words, env=env)
    return len(list(store.glob("records/??/*/record.json"))), seconds, busy


def per_trial(seconds: float, busy: float, trials: int) -> str:
    """Milliseconds by the clock and of the processor."""
    return f"{1000 * seconds / trials:.1f} ({1000 * busy / trials:.1f}) ms per trial"


def timed(*words: str, env: dict[str, str]) -> tuple[str, float, float]:
    """What a command prints, its seconds by the clock, and those of the processor."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    # A command that begins with its libraries loaded would not show what users wait for.
    answer = hsiaug_anew(*words, env=env)
    if answer.returncode:
        raise SystemExit(answer.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return answer.stdout, time.perf_counter() - start, busy


if __name__ == "__main__":
    main()
