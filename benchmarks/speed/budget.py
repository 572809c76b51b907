"""Processor seconds and memory of the first line of docs/txt2hsi.md and of its parts, beside their
limits.

    python -m benchmarks.speed.budget FOLDER [WORDS…]

Runs the line, or ``hsiaug WORDS``, with one worker process and thread in a store in FOLDER, and
writes the table there as budget.csv; where that file is there already, its figures become the
column *before*. Seconds of the parts are the largest that any record of the store states, first
trials of a process included. Memory is the largest sum over all processes at one time, pages that
they share counted once. Linux only.
"""

from __future__ import annotations

import ctypes
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common import check_usage, descendants, markdown, read_csv, say, write_csv

LINE = "benchmark indian_pines --generator txt2hsi --lambda 0.5 --jobs 1 --device cpu"
LIMITS = {
    "line": 150.0,
    "memory of the line, MB": 900.0,
    "start-up: hsiaug --version": None,
    "fit of txt2hsi": 10.0,
    "fit of pseudo": 1.5,
    "samples of txt2hsi": None,
    "cnn2d, a trial": 3.0,
    "svm, a trial": 5.0,
    "rest of the line, a trial": None,
}
"""Processor seconds that each may take, where nothing else is said."""
EVERY = 1.0
"""Seconds between two readings of the memory."""
SUBREAPER = 36
"""Linux: who inherits processes whose parent ended, so that their seconds are counted as well."""


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    start = measured("--version").processor
    used = measured(*(sys.argv[2:] or LINE.split()), "--store", str(folder / "store"))
    records = records_in(folder / "store")
    rest = used.processor - sum(r["cpu_seconds"]["total"] for r in records)
    found = {
        "line": used.processor,
        "memory of the line, MB": used.memory,
        "start-up: hsiaug --version": start,
        **parts(records),
        "rest of the line, a trial": rest / len(records),
    }
    file = folder / "budget.csv"
    before = {row["what"]: row["now"] for row in read_csv(file)} if file.is_file() else {}
    rows = [
        {"what": what, "limit": limit, "before": before.get(what), "now": round(found[what], 2)}
        for what, limit in LIMITS.items()
        if what in found
    ]
    write_csv(
        file, [{key: "" if value is None else value for key, value in row.items()} for row in rows]
    )
    say(
        f"{platform.processor() or platform.machine()}, {datetime.date.today()}; {len(records)}"
        " trials"
    )
    for text in markdown(
        list(rows[0]), ([str("" if v is None else v) for v in row.values()] for row in rows)
    ):
        say(text)


class Used(NamedTuple):
    """What a command and all processes that it starts took: seconds of processors and by the clock,
    memory in MB.
    """

    processor: float
    clock: float
    memory: float


def records_in(store: Path) -> list[dict[str, Any]]:
    """The records that lie in folders of a store."""
    return [json.loads(path.read_text()) for path in store.glob("records/*/*/record.json")]


def measured(*words: str, code: Path | None = None) -> Used:
    """What a command of hsiaug takes. code: a checkout whose packages are run in place of those
    installed.
    """
    program = Path(sys.executable).with_name("hsiaug")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    largest, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(EVERY):
            largest[0] = max(largest[0], sum(map(share, descendants(os.getpid()))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if code is not None:
        # Not in a folder that holds another checkout: processes that are started look there first.
        environment["PYTHONPATH"] = os.pathsep.join([str(code), str(code / "plugins")])
    start = time.perf_counter()
    try:
        subprocess.run(
            [program, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            env=environment,
            cwd=code and code.parent,
        )
        with_orphans()
        clock = time.perf_counter() - start
    finally:
        ended.set()
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Used(processor, clock, largest[0])


def with_orphans() -> None:
    """Wait for processes that the command left behind."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def share(process: int) -> float:
    """MB of a process, each page divided by how many processes hold it; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def parts(records: list[dict[str, Any]]) -> dict[str, float]:
    """The largest processor seconds of each part."""
    found: dict[str, float] = {}
    for record in records:
        spec, seconds = record["spec"], record["cpu_seconds"]
        generator = (spec["generator"] or {}).get("name")
        named = {
            f"fit of {generator}": seconds.get("fit_generator", 0.0),
            f"samples of {generator}": seconds.get("sample", 0.0),
            f"{spec['classifier']['name']}, a trial": (
                seconds.get("fit_classifier", 0.0) + seconds.get("predict", 0.0)
            ),
        }
        for what, value in named.items():
            found[what] = max(found.get(what, 0.0), value)
    return found


if __name__ == "__main__":
    check_usage(__doc__, 1)
    main()
