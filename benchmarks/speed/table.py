"""Speed and memory beside limits, peers and an earlier version: one table.

    pip install diffusers
    python -m benchmarks.speed.table FOLDER [--before CHECKOUT] [--rows
    line,torchless,denoiser,peers,scale]

Runs on idle cores, which takes about a quarter of an hour: the line of docs/txt2hsi.md with two
workers, SVMs without torch, the denoiser beside diffusers, and built-in plugins beside other
libraries. With ``--before`` the first two are run with the packages of an earlier checkout as well,
in turn. Writes FOLDER/table.csv after each row, and prints it as Markdown. Ratios are now to the
peer's where there is one, else to before. Seconds are the processor's where nothing else is said.
The rows of ``scale`` are read from what ``large_scene`` has written to benchmarks/results/scale.
Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import datetime
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import HERE, markdown, read_csv, say, write_csv
from benchmarks.speed.budget import SUBREAPER, Used, measured, parts, records_in

LINE = "benchmark indian_pines --generator txt2hsi --lambda 0.5 --device cpu --jobs 2"
TORCHLESS = "benchmark indian_pines --generator smote --classifier svm --seeds 5 --jobs 2"
SCALE = HERE / "results" / "scale"
COLUMNS = ("what", "limit", "before", "now", "peer", "ratio")
DRAWS = 5
"""Of the limit of the line."""


@dataclass(frozen=True)
class Row:
    """Of the table. limit: of what it may be at most, or with ``least`` must be; "peer" = as much
    as the peer's.

    before, peer: None where there is none.
    """

    what: str
    limit: float | str | None
    now: float
    before: float | None = None
    peer: float | None = None
    least: bool = False

    @property
    def missed(self) -> bool:
        """Whether it is beyond its limit."""
        bound = self.peer if self.limit == "peer" else self.limit
        return isinstance(bound, (int, float)) and (
            self.now < bound if self.least else self.now > bound
        )

    def as_strings(self) -> dict[str, str]:
        """Its columns as they are written."""
        other = self.before if self.peer is None else self.peer
        limit = (
            self.limit if isinstance(self.limit, str) else "≥ " * self.least + _written(self.limit)
        )
        numbers = (self.before, self.now, self.peer, self.now / other if other else None)
        return dict(zip(COLUMNS, (self.what, limit, *map(_written, numbers)), strict=True))


def _written(value: float | None) -> str:
    """Three digits at least where there are some after the point."""
    return "" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


Values = dict[str, float]
"""Figures of a run by what they are of."""

BUSY = "cores that were busy, of two, %"
LIMITS = {
    "five of the seven draws of the line, without preparing, s": None,
    "preparing, s": None,
    "the line, all 7 draws, s": None,
    BUSY: 90,
    "memory of the line, all processes together, MB": 1200,
    "longest fit of `txt2hsi`, s": None,
    "samples of `txt2hsi` of a draw, at most, s": None,
    "longest training and prediction of `cnn2d`, s": None,
    "`smote` with `svm`, two workers: memory, MB": 400,
    "the same, s": None,
}


def line_values(used: Used, records: list[dict[str, Any]]) -> Values:
    """Of the line of docs/txt2hsi.md."""
    draws = len({record["spec"]["seed"] for record in records})
    prepared = sum(record["cpu_seconds"].get("prepare", 0.0) for record in records)
    of = parts(records)
    aside, busy = (
        (used.processor - prepared) * DRAWS / draws,
        100 * used.processor / (2 * used.clock),
    )
    longest = of["fit of txt2hsi"], of["samples of txt2hsi"], of["cnn2d, a trial"]
    found = (aside, prepared, used.processor, busy, used.memory, *longest)
    return dict(zip(LIMITS, found, strict=False))


def torchless_values(used: Used, records: list[dict[str, Any]]) -> Values:
    """Of a run that needs no torch."""
    return dict(zip(list(LIMITS)[-2:], (used.memory, used.processor), strict=True))


def run_rows(
    words: str,
    values: Callable[[Used, list[dict[str, Any]]], Values],
    folder: Path,
    before: Path | None,
) -> Iterator[Row]:
    """Of a command, with an earlier checkout first where there is one."""

    def found(code: Path | None) -> Values:
        shutil.rmtree(folder, ignore_errors=True)
        used = measured(*words.split(), "--store", str(folder), code=code)
        return values(used, records_in(folder))

    earlier = found(before) if before else {}
    for what, now in found(None).items():
        yield Row(what, LIMITS[what], now, earlier.get(what), least=what == BUSY)


def denoiser_rows() -> Iterator[Row]:
    """Of the networks of ``txt2hsi``, beside diffusers."""
    import torch

    from benchmarks.speed.denoiser import ceiling, compare
    from hsiaug_builtin.txt2hsi.params import Txt2HsiParams

    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield Row("a product of 1024 × 1024 matrices, GFLOP/s", None, ceiling(1024) / 1e9)
    for row in compare(Txt2HsiParams(), "cpu"):
        done, counted = (
            [*each, None][:2] for each in (row.rates, [one / 1e9 for one in row.operations])
        )
        yield Row(row.what, None, done[0], peer=done[1])
        yield Row("the same, GFLOP/s", 80, counted[0], peer=counted[1], least=True)


def peer_rows() -> Iterator[Row]:
    """Of built-in plugins beside what a user would write."""
    from benchmarks.speed.peers import compared

    for what, peer, (mine, other), scores in compared("indian_pines"):
        yield Row(f"{what} ({peer}), s", "peer", mine, peer=other)
        if all(scores):
            yield Row("their AA, %", None, float(scores[0]), peer=float(scores[1]))


def scale_rows() -> Iterator[Row]:
    """Of the largest scene that was measured."""
    scenes = read_csv(SCALE / "large_scene.csv")
    most = max(float(row["gb"]) for row in scenes)
    of = {row["command"]: row for row in scenes if float(row["gb"]) == most}
    ours, loop = (float(of[command]["processor"]) for command in ("map", "loop over windows"))
    yield Row(f"`map` of {most:.0f} GB (loop over windows of rasterio), s", None, ours, peer=loop)
    yield Row(
        "memory of import, benchmark and map of it, MB",
        2048,
        max(float(row["mb"]) for row in of.values()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=lambda text: Path(text).absolute())
    parser.add_argument("--before", type=lambda text: Path(text).absolute())
    parser.add_argument("--rows", default=",".join(GROUPS))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    rows: list[Row] = []
    for group in asked.rows.split(","):
        for row in GROUPS[group](asked.folder / group, asked.before):
            rows.append(row)
            write_csv(asked.folder / "table.csv", [row.as_strings() for row in rows])
    say(
        f"{platform.processor() or platform.machine()}, {datetime.date.today()}; **bold** misses"
        " its limit"
    )
    told = [
        row.as_strings() | ({"now": f"**{_written(row.now)}**"} if row.missed else {})
        for row in rows
    ]
    for line in markdown(COLUMNS, (list(row.values()) for row in told)):
        say(line)


GROUPS: dict[str, Callable[[Path, Path | None], Iterator[Row]]] = {
    "line": partial(run_rows, LINE, line_values),
    "torchless": partial(run_rows, TORCHLESS, torchless_values),
    "denoiser": lambda folder, before: denoiser_rows(),
    "peers": lambda folder, before: peer_rows(),
    "scale": lambda folder, before: scale_rows(),
}
"""Groups of rows by name."""

if __name__ == "__main__":
    main()
