"""A store of many records: what it takes to plan with it, to look it up, and to report on it.

    python -m benchmarks.store_scale 200000 --draws 1000
    python -m benchmarks.store_scale 100000 --draws 1000 --scenes 10 --packed --shapes md    # a million in ten tables

Makes a store with about that many records of real shape (a small run on the scene ``toy``, as other draws and other λ),
in a folder that is removed afterwards, and prints seconds and peak memory of each command, each the whole process. With
``--packed`` the records are in packs, as ``hsiaug store pack`` writes them. With ``--scenes`` there are as many again
of other scenes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hsiaug.trial.hashing import short_hash
from hsiaug.trial.record_json import encode

RUN = ("benchmark", "toy", "--generator", "smote,mixup", "--classifier", "svm,rf", "--device", "cpu")
SHAPES = ("rich", "md", "csv", "json", "html")
PACK = 100_000
"""Records of a pack."""
TABLES = """
PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE records (hash, created, record BLOB, PRIMARY KEY (hash));
CREATE TABLE predictions (hash PRIMARY KEY, npz BLOB);
"""
SEEDS = 3
"""Draws of the real run."""
MOST = 60_000
"""Trials of a plan at most; hsiaug plans 100,000, with those that would have no meaning."""

Template = tuple[dict[str, Any], bytes]
"""A record and its predictions."""


def templates(folder: Path) -> list[list[Template]]:
    """The records of a real run, draw by draw: those without λ, then those with λ = 1."""
    if not folder.exists():
        words = (*RUN, "--lambda", "1", "--seeds", str(SEEDS), "--store", str(folder))
        subprocess.run([sys.executable, "-m", "hsiaug", *words], check=True, capture_output=True)
    found: list[list[Template]] = [[] for _ in range(SEEDS)]
    for path in sorted(folder.glob("records/??/*/record.json")):
        record = json.loads(path.read_bytes())
        found[record["spec"]["seed"]].append((record, (path.parent / "predictions.npz").read_bytes()))
    return [sorted(draw, key=lambda one: float(one[0]["spec"]["lambda"])) for draw in found]


def copies(records: Sequence[Sequence[Template]], draws: int, lambdas: int) -> Iterator[Template]:
    """The same trials on one draw after the other, with λ = 0.5, 1, 1.5, …"""
    for seed in range(draws):
        for record, predictions in records[seed % SEEDS]:
            for lam in [0.5 * (i + 1) for i in range(lambdas)] if record["spec"]["lambda"] else [0.0]:
                spec = {**record["spec"], "seed": seed, "lambda": lam}
                audit = {**record["audit"], "sha256": f"{seed:064x}"}
                made = [int(lam * n) for n in record["samples"]["synthetic"]]
                samples = {**record["samples"], "synthetic": made}
                changed = {"spec": spec, "hash": short_hash(spec), "audit": audit, "samples": samples}
                yield {**record, **changed}, predictions


def on_scenes(made: Iterable[Template], scenes: int) -> Iterator[Template]:
    """The records, and each again on further scenes."""
    for record, predictions in made:
        yield record, predictions
        for i in range(1, scenes):
            spec = {**record["spec"], "scene": {"name": f"toy-{i}", "sha256": f"{i:064x}"}}
            audit = {**record["audit"], "sha256": f"{i * 10**6 + spec['seed']:064x}"}
            yield {**record, "spec": spec, "audit": audit, "hash": short_hash(spec)}, predictions


def fill(store: Path, made: Iterator[Template], packed: bool) -> None:
    """Write the records as they lie in a store."""
    (store / "records").mkdir(parents=True)
    if packed:
        (store / "packs").mkdir()
        for number in count():
            rows = [(r["hash"], r["created"], encode(r), npz) for r, npz in islice(made, PACK)]
            if not rows:
                return
            with closing(sqlite3.connect(store / "packs" / f"{number:016x}.sqlite")) as pack:
                pack.executescript(TABLES)
                pack.executemany("INSERT INTO records VALUES (?, ?, ?)", (row[:3] for row in sorted(rows)))
                pack.executemany("INSERT INTO predictions VALUES (?, ?)", ((row[0], row[3]) for row in sorted(rows)))
                pack.commit()
    for record, predictions in made:
        folder = store / "records" / record["hash"][:2] / record["hash"]
        folder.mkdir(parents=True)
        (folder / "record.json").write_bytes(encode(record))
        (folder / "predictions.npz").write_bytes(predictions)


LOOK_UP = """
import sys, time
from pathlib import Path
from hsiaug.trial.store import Store
store = Store(Path(sys.argv[1]))
hashes = store.hashes()
start = time.process_time()
found = len(store.read(hashes).finished)
print(f"{found} finished, {time.process_time() - start:.1f} s of them for the look-up")
"""


def timed(*words: str) -> str:
    """Seconds by the clock and of the processor, and peak memory of a Python process; what it prints last."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([sys.executable, *words], stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().splitlines()[-1:] if words[0] == "-c" else []
    seconds, busy = time.perf_counter() - start, used.ru_utime + used.ru_stime
    figures = f"{seconds:.1f} s ({busy:.1f} s of processor), {used.ru_maxrss / 1024:.0f} MB, exit {process.returncode}"
    return "; ".join([figures, *said])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=int)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="Folder to work in; a store that is there is used as it is.")
    parser.add_argument("--scenes", type=int, default=1)
    parser.add_argument("--packed", action="store_true")
    parser.add_argument("--shapes", default=",".join(SHAPES), help="Formats of the reports, with commas.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        measure(folder, asked)


def measure(folder: Path, asked: argparse.Namespace) -> None:
    """Make the store where it is not there, and print a line for each command."""
    draws = asked.draws
    found = templates(folder / "few")
    fixed = sum(not record["spec"]["lambda"] for record, _ in found[0])
    varied = len(found[0]) - fixed
    lambdas = max(1, round((asked.records / draws - fixed) / varied))
    number = asked.scenes * draws * (fixed + varied * lambdas)
    store = folder / f"{number}-records-{draws}-draws{'-packed' * asked.packed}"
    if not store.exists():
        start = time.perf_counter()
        # In a process of its own: others would be said to take at least as much memory as this one.
        made = on_scenes(copies(found, draws, lambdas), asked.scenes)
        writer = get_context("fork").Process(target=fill, args=(store, made, asked.packed))
        writer.start()
        writer.join()
        say(f"{number} records of {draws} draws and {lambdas} λ written in {time.perf_counter() - start:.0f} s")
    shutil.rmtree(folder / "no", ignore_errors=True)
    report, look_up = ("-m", "hsiaug", "report", "--store", str(store)), ("-c", LOOK_UP, str(store))
    index = store / "cache" / "index.json"
    if not index.exists():
        say(f"report, no index yet: {timed(*report, '--format', 'md')}")
    if index.exists():
        say(f"index: {index.stat().st_size / 1e6:.0f} MB")
    say(f"look-up of every record: {timed(*look_up)}")
    some, most = min(draws, 1000), min(lambdas, (MOST // min(draws, 1000) - fixed) // varied)
    plan = ("-m", "hsiaug", *RUN, "--lambda", f"0.5:{most / 2}:0.5", "--seeds", str(some), "--dry-run", "--store")
    planned = some * (fixed + varied * most)
    say(f"plan of {planned} trials (--dry-run), no store: {timed(*plan, str(folder / 'no'))}")
    say(f"the same, all in the store: {timed(*plan, str(store))}")
    compare = ("-m", "hsiaug", "compare", "none/svm", "smote@0.5/svm", "--store", str(store))
    say(f"compare: {timed(*compare)}")
    for shape in asked.shapes.split(","):
        say(f"report --format {shape}: {timed(*report, '--format', shape)}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
