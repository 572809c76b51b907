"""A store of many records: what it takes to plan with it, to look it up, and to report on it.

    python -m benchmarks.store_scale 200000 --draws 1000
    python -m benchmarks.store_scale 100000 --draws 1000 --scenes 10 --packed    # a million in ten
    tables python -m benchmarks.store_scale 10000 --draws 100 --packed --growth growth.csv python -m
    benchmarks.store_scale --figure growth.csv growth.svg

Makes a store with about that many records of real shape (a small run on the scene ``toy``, as other
draws and other λ), in a folder that is removed afterwards, and prints seconds and peak memory of
each command, each the whole process. With ``--packed`` the records are in packs, as ``hsiaug store
pack`` writes them; without it they are packed at the end. With ``--scenes`` there are as many again
of other scenes. ``serve`` ends with the first byte of its page; the page loads the report after
that. With ``--growth`` each figure is a row of a CSV too, which ``--figure`` draws.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.common import read_csv, say, write_csv
from hsiaug.report.figures.files import WIDTHS, figure_bytes, new_figure, series_style
from hsiaug.trial.content_hash import short_hash
from hsiaug.trial.packs import write_pack
from hsiaug.trial.record_json import sealed

RUN = (
    "benchmark",
    "toy",
    "--generator",
    "smote,mixup",
    "--classifier",
    "svm,rf",
    "--device",
    "cpu",
)
DRAWN = ("report", "compare", "serve", "plan", "pack")
"""Commands of the figure."""
BEST_OF = 3
"""Runs of a command, of which the least counts."""
PACK = 100_000
"""Records of a pack."""
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
        found[record["spec"]["seed"]].append(
            (record, (path.parent / "predictions.npz").read_bytes())
        )
    return [sorted(draw, key=lambda one: float(one[0]["spec"]["lambda"])) for draw in found]


def copies(records: Sequence[Sequence[Template]], draws: int, lambdas: int) -> Iterator[Template]:
    """The same trials on one draw after the other, with λ = 0.5, 1, 1.5, …"""
    for seed in range(draws):
        for record, predictions in records[seed % SEEDS]:
            for lam in (
                [0.5 * (i + 1) for i in range(lambdas)] if record["spec"]["lambda"] else [0.0]
            ):
                spec = {**record["spec"], "seed": seed, "lambda": lam}
                audit = {**record["audit"], "sha256": f"{seed:064x}"}
                made = [int(lam * n) for n in record["samples"]["synthetic"]]
                samples = {**record["samples"], "synthetic": made}
                changed = {
                    "spec": spec,
                    "hash": short_hash(spec),
                    "audit": audit,
                    "samples": samples,
                }
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
            rows = [(r["hash"], r["created"], sealed(r)[1], npz) for r, npz in islice(made, PACK)]
            if not rows:
                return
            write_pack(store / "packs" / f"{number:016x}.sqlite", sorted(rows))
    for record, predictions in made:
        folder = store / "records" / record["hash"][:2] / record["hash"]
        folder.mkdir(parents=True)
        (folder / "record.json").write_bytes(sealed(record)[1])
        (folder / "predictions.npz").write_bytes(predictions)


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds by the clock and of the processor, MB at most, and its exit
    code.
    """

    clock: float
    processor: float
    mb: float
    code: int

    def __str__(self) -> str:
        return (
            f"{self.clock:.1f} s ({self.processor:.1f} s of processor), {self.mb:.0f} MB, exit"
            f" {self.code}"
        )


def timed(*words: str, page: bool = False) -> Cost:
    """The cost of a Python process. page: it serves one, and is ended after the first byte of
    that.
    """
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        process = subprocess.Popen([sys.executable, *words], stdout=out, stderr=subprocess.DEVNULL)
        if page:
            while not (
                found := re.search(r"http\S+(?=\n)", os.pread(out.fileno(), 4096, 0).decode())
            ):
                time.sleep(0.005)
            with urllib.request.urlopen(found[0]) as answer:
                answer.read(1)
            clock = time.perf_counter() - start
            process.send_signal(signal.SIGINT)
        _, status, used = os.wait4(process.pid, 0)
        clock = clock if page else time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(clock, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, process.returncode)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("records", type=int, nargs="?")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument(
        "--keep", type=Path, help="Folder to work in; a store that is there is used as it is."
    )
    parser.add_argument("--scenes", type=int, default=1)
    parser.add_argument("--packed", action="store_true")
    parser.add_argument(
        "--shapes",
        default="md",
        help="Formats of the reports, with commas: rich, md, csv, json, html.",
    )
    parser.add_argument(
        "--only", help="Commands that are timed, with commas: report, compare, serve, plan, pack."
    )
    parser.add_argument("--growth", type=Path, help="CSV to which the figures are added.")
    parser.add_argument("--figure", type=Path, nargs=2, metavar=("CSV", "SVG"))
    asked = parser.parse_args()
    if asked.figure:
        draw_growth(*asked.figure)
        return
    if asked.records is None:
        parser.error("say how many records")
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
        say(
            f"{number} records of {draws} draws and {lambdas} λ written in"
            f" {time.perf_counter() - start:.0f} s"
        )
    shutil.rmtree(folder / "no", ignore_errors=True)

    def tell(
        command: str, line: str, *words: str, times: int = BEST_OF, page: bool = False
    ) -> None:
        if asked.only and command not in asked.only.split(","):
            return
        costs = [timed(*words, page=page) for _ in range(times)]
        best = min(costs, key=lambda cost: cost.clock)
        say(f"{line}: {best}")
        if asked.growth and not any(cost.code > 0 for cost in costs):
            before = read_csv(asked.growth) if asked.growth.exists() else []
            least, most_mb = min(cost.processor for cost in costs), max(cost.mb for cost in costs)
            figures = {
                "processor_seconds": f"{least:.2f}",
                "clock_seconds": f"{best.clock:.2f}",
                "mb": f"{most_mb:.0f}",
            }
            name = command if asked.packed or command == "pack" else f"{command}, in folders"
            write_csv(asked.growth, [*before, {"records": number, "command": name, **figures}])

    report = ("-m", "hsiaug", "report", "--store", str(store))
    if not (store / "cache").exists():
        tell("first report", "report, nothing checked yet", *report, "--format", "md", times=1)
    for shape in asked.shapes.split(","):
        tell(
            "report" if shape == "md" else shape,
            f"report --format {shape}",
            *report,
            "--format",
            shape,
        )
    tell(
        "compare",
        "compare",
        "-m",
        "hsiaug",
        "compare",
        "none/svm",
        "smote@0.5/svm",
        "--store",
        str(store),
    )
    tell(
        "serve", "serve, first byte", "-m", "hsiaug", "serve", str(store), "--port", "0", page=True
    )
    some, most = min(draws, 1000), min(lambdas, (MOST // min(draws, 1000) - fixed) // varied)
    plan = (
        "-m",
        "hsiaug",
        *RUN,
        "--lambda",
        f"0.5:{most / 2}:0.5",
        "--seeds",
        str(some),
        "--dry-run",
        "--store",
    )
    planned = some * (fixed + varied * most)
    tell(
        "plan, no store",
        f"plan of {planned} trials (--dry-run), no store",
        *plan,
        str(folder / "no"),
        times=1,
    )
    tell("plan", "the same, all in the store", *plan, str(store))
    if not asked.packed:
        tell("pack", "store pack", "-m", "hsiaug", "store", "pack", str(store), times=1)


def draw_growth(csv: Path, svg: Path) -> None:
    """Seconds of the processor against records, a line for each command; a grey line grows as the
    records do.
    """
    rows = read_csv(csv)
    figure = new_figure(WIDTHS[1], 3.0)
    axes = figure.subplots()
    for place, command in enumerate(DRAWN):
        mine = (row for row in rows if row["command"] == command)
        found = sorted((int(row["records"]), float(row["processor_seconds"])) for row in mine)
        axes.plot(
            [n for n, _ in found],
            [s for _, s in found],
            label=command,
            markersize=4,
            **series_style(place),
        )
    ends = [10**4, 10**6]
    axes.plot(ends, [0.3 * end / 10**4 for end in ends], color="0.7", linestyle=":", label="linear")
    axes.set(xscale="log", yscale="log", xlabel="records", ylabel="seconds of the processor")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7, frameon=False)
    svg.write_bytes(figure_bytes(figure, "svg"))


if __name__ == "__main__":
    main()
