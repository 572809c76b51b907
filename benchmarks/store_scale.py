"""A store of many records: what it takes to look them up, and to report on them.

    python -m benchmarks.store_scale 100000

Makes a store with that many records of real shape (a small run on the scene ``toy``, as other draws), in a folder
that is removed afterwards, and prints seconds and peak memory of each command, each the whole process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hsiaug.trial.hashing import short_hash
from hsiaug.trial.record import encode

RUN = (
    "benchmark",
    "toy",
    "--generator",
    "smote,mixup",
    "--classifier",
    "svm,rf",
    "--lambda",
    "0.5,1",
    "--device",
    "cpu",
)


def templates(folder: Path) -> list[dict[str, Any]]:
    """The records of a real run of one draw."""
    subprocess.run(
        [sys.executable, "-m", "hsiaug", *RUN, "--seeds", "1", "--store", str(folder)],
        check=True,
        capture_output=True,
    )
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("records/??/*/record.json"))]


def copies(records: list[dict[str, Any]], number: int) -> Iterator[dict[str, Any]]:
    """So many records: the same trials on one draw after the other."""
    for i in range(number):
        record = records[i % len(records)]
        spec = {**record["spec"], "seed": i // len(records)}
        yield {**record, "spec": spec, "hash": short_hash(spec)}


def fill(store: Path, records: list[dict[str, Any]], number: int) -> None:
    """Write the records as they lie in a store."""
    for record in copies(records, number):
        folder = store / "records" / record["hash"][:2] / record["hash"]
        folder.mkdir(parents=True)
        (folder / "record.json").write_bytes(encode(record))


def timed(*words: str) -> str:
    """Seconds and peak memory of a command."""
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    return f"{seconds:.1f} s, {int(run.stderr.split()[-1]) / 1024:.0f} MB, exit {run.returncode}"


MEASURED = """
import resource, sys
from hsiaug.cli.main import app
try:
    app()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=int)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        store = folder / "many"
        found = templates(folder / "few")
        draws = asked.records // len(found)
        start = time.perf_counter()
        if not store.exists():
            fill(store, found, draws * len(found))
        say(f"{draws * len(found)} records written in {time.perf_counter() - start:.0f} s")
        plan = (*RUN, "--seeds", str(min(draws, 1000)), "--store")
        planned = min(draws, 1000) * len(found)
        say(f"plan of {planned} trials (--dry-run), no store: {timed(*plan, str(folder / 'no'), '--dry-run')}")
        say(f"the same, all in the store: {timed(*plan, str(store), '--dry-run')}")
        say(f"report: {timed('report', '--store', str(store), '--format', 'md')}")
        say(f"report --format csv: {timed('report', '--store', str(store), '--format', 'csv')}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
