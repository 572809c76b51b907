"""What the framework itself costs: 1,000 trials of a generator and a classifier that do next to nothing.

    python -m benchmarks.overhead

Prints milliseconds per trial (planning, splitting, records and all, in one process), and the seconds that
``hsiaug report`` takes over the 1,000 records, each the whole process from start to end. Times are by the clock and, in
brackets, of the processor, which other programs lengthen less.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.strangers import DUMMY, environment, hsiaug, install

LAMBDAS = "0.25,0.5,0.75,1,1.25,1.5,1.75,2,2.25"
SEEDS = 50


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        env = environment(install(root / "site", "dummy_plugin", DUMMY))
        words = ["benchmark", "toy", "--generator", "dummy", "--classifier", "nearest", "--lambda", LAMBDAS]
        words += ["--seeds", str(SEEDS), "--patch", "5", "--jobs", "1", "--device", "cpu"]
        words += ["--store", str(root / "store")]
        run, seconds, busy = timed(*words, env=env)
        trials = len(list((root / "store").glob("records/??/*/record.json")))
        each = f"{1000 * seconds / trials:.1f} ({1000 * busy / trials:.1f}) ms per trial"
        say(f"{trials} trials in {seconds:.1f} s: {each}")
        for by in ("generator", "classifier", "class", "seed"):
            run, seconds, busy = timed("report", str(root / "store"), "--by", by, "--format", "md", env=env)
            say(f"report --by {by} over {trials} records: {seconds:.2f} ({busy:.2f}) s, {len(run)} characters")


def timed(*words: str, env: dict[str, str]) -> tuple[str, float, float]:
    """What a command prints, its seconds by the clock, and those of the processor."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = hsiaug(*words, env=env)
    if answer.returncode:
        raise SystemExit(answer.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return answer.stdout, time.perf_counter() - start, busy


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
