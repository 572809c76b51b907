"""The leaderboard: every entry of a suite with one setting for all scenes, ranked by its accuracy
in new ground.

    hsiaug benchmark benchmarks/leaderboard.toml
    python -m benchmarks.leaderboard hsiaug-results-leaderboard                              (prints
    Markdown) python -m benchmarks.leaderboard hsiaug-results-leaderboard board.html board.json
    (or .md, .tex, .csv)

An entry is one version with one setting on all scenes. It is ranked by the inter-quartile mean over
scenes of its accuracy in new ground, with an interval from resampled scenes. Only records are read;
records of a LEAKY protocol are refused.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from pandas import DataFrame, Series, concat

from benchmarks.common import check_usage
from hsiaug.base.errors import InputError
from hsiaug.base.files import TABLES, check_targets
from hsiaug.base.seeds import derive_seed
from hsiaug.cli.output import read_report, show_tables
from hsiaug.metrics.significance import Finding
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.formatting import MISSING, count, percent, signed
from hsiaug.report.gains import ArmCell
from hsiaug.report.output_files import TableFiles
from hsiaug.report.render_page import html_page
from hsiaug.report.section import Frame, Section
from hsiaug.report.tables import ADDED, Report, ReportTable
from hsiaug.report.text_templates import sentences, text_templates
from hsiaug.report.trials import CellKey, numbers, unlike
from hsiaug.trial.arm import NONE
from hsiaug.trial.store import Store

NOTES = Path(__file__).with_suffix(".txt")
ASKED = "asked"
"""The protocol whose training labels were asked for, of earlier records."""
RESAMPLES = 2000
Pooled = tuple[float, float, float]
"""An inter-quartile mean over scenes, and the ends of its 95 % interval from resampled scenes."""


@dataclass(frozen=True)
class Result:
    """An entry on one scene.

    scores: in new ground, of each draw, a failed trial as ``none`` with the same classifier.
    gains: over that ``none``. finding: of the report; None for controls.
    """

    cell: ArmCell
    scores: tuple[float, ...]
    gains: tuple[float, ...]
    finding: Finding | None


@dataclass(frozen=True)
class Entry:
    """A generator and a classifier, each of one version with one setting, on every scene of a
    board.

    track: the information that the entry uses beyond training pixels. score, gain: as fractions.
    seconds: of a processor, of a trial in the mean.
    """

    label: str
    track: str
    results: tuple[Result, ...]
    score: Pooled
    gain: Pooled
    seconds: float | None


@dataclass(frozen=True)
class Board:
    """Entries of one protocol, the best first. tables: one per scene. partial: entries that lack a
    scene, by label.
    """

    tables: tuple[ReportTable, ...]
    entries: tuple[Entry, ...]
    partial: tuple[str, ...]

    @property
    def title(self) -> str:
        """Protocol, buffer, patch and task."""
        return self.tables[0].title.split(", ", 1)[1]

    @property
    def scenes(self) -> tuple[str, ...]:
        """Names of the scenes."""
        return tuple(table.condition.scene for table in self.tables)


def boards(report: Report) -> tuple[list[Board], list[str]]:
    """A board for each protocol of the report, and headings of LEAKY tables, which enter none.

    Raises InputError where no table is left.
    """
    # Neighbours of asked pixels are tested, as they would be on the user's own scene: that is a
    # track, not a leak.
    leaky = [
        t.heading for t in report.tables if t.leaky and t.condition.protocol not in (ADDED, ASKED)
    ]
    groups: dict[object, list[ReportTable]] = {}
    for table in report.tables:
        c = table.condition
        if c.protocol != ADDED and (not table.leaky or c.protocol == ASKED):
            groups.setdefault(
                (c.task, c.protocol, c.argument, c.buffer, c.patch, c.rest), []
            ).append(table)
    if not groups:
        raise InputError(
            "a leaderboard needs records of a protocol whose training and test pixels are kept"
            " apart",
            value="; ".join(leaky) or f"no record in {report.where}",
            hint="Run a suite first: hsiaug benchmark benchmarks/leaderboard.toml.",
        )
    return [_board(tuple(tables)) for tables in groups.values()], leaky


def _board(tables: tuple[ReportTable, ...]) -> Board:
    entries, partial = [], []
    for key in dict.fromkeys(key for table in tables for key in table.every_cell):
        holders = [table for table in tables if key in table.every_cell]
        label = holders[0].cell_label(holders[0].every_cell[key])
        found = tuple(result for table in holders if (result := _result(table, key)) is not None)
        if len(found) < len(tables):
            partial.append(f"{label} ({count(len(tables) - len(found), 'scene')} missing)")
            continue
        trials = concat([result.cell.trials for result in found])
        seconds = trials.loc[trials["ok"], "cpu_seconds"].dropna().tolist()
        entries.append(
            Entry(
                label,
                _track(trials),
                found,
                _pooled([fmean(result.scores) for result in found]),
                _pooled([fmean(result.gains) for result in found]),
                fmean(seconds) if seconds else None,
            )
        )
    return Board(tables, tuple(sorted(entries, key=lambda entry: -entry.score[0])), tuple(partial))


def _result(table: ReportTable, key: CellKey) -> Result | None:
    """The entry on a scene; None where no draw has it together with ``none`` of the same
    classifier.
    """
    cell = table.every_cell[key]
    controls = [
        c
        for (arm, by), c in table.every_cell.items()
        if (arm.generator.name, by) == ("none", key[1])
    ]
    # By seed, because a failed trial may have ended before it had a split.
    without = {seed: base for one in controls for seed, base in _new_ground(table, one.ok)}
    failed = cell.trials.loc[cell.trials["failed"], "seed"]
    pairs = [
        (own, base)
        for seed, own in (*_new_ground(table, cell.ok), *((s, without.get(s)) for s in failed))
        if own is not None and (base := without.get(seed)) is not None
    ]
    if not pairs:
        return None
    over_none = table.by_arm.get(key, {}).get(NONE)
    verdict = over_none.verdict if over_none else None
    scores, gains = zip(*((own, own - base) for own, base in pairs), strict=True)
    return Result(cell, scores, gains, verdict.finding if verdict else None)


def _new_ground(table: ReportTable, trials: DataFrame) -> list[tuple[int, float | None]]:
    """Seed and score of trials: mean recall over the large classes on hidden test pixels, else in
    new fields, else on all; of masks mIoU.
    """
    if not table.condition.task.startswith("pixel"):
        scores = trials["miou"]
    else:
        classes = table.large or range(1, len(table.class_names) + 1)

        def mean_recall(part: str) -> Series:
            names = [f"recall{part}:{c}" for c in classes]
            return trials.reindex(columns=names).mean(axis=1)

        scores = mean_recall("")
        for part in ("new", "hidden"):
            there = numbers(trials, f"has_{part}") == 1
            scores = mean_recall(f"_{part}").where(there, scores)
    known = [None if score != score else score for score in scores.tolist()]
    return list(zip(trials["seed"].tolist(), known, strict=True))


def _pooled(values: Sequence[float]) -> Pooled:
    """Of one value per scene; the resamples are the same for every entry.

    The inter-quartile mean is that of R. Agarwal et al., Deep reinforcement learning at the edge of
    the statistical precipice, NeurIPS 2021, section 4.
    """
    from scipy.stats import trim_mean

    known = np.array(values, dtype=np.float64)
    rng = np.random.default_rng(derive_seed("leaderboard", len(known)))
    drawn = trim_mean(known[rng.integers(len(known), size=(RESAMPLES, len(known)))], 0.25, axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(trim_mean(known, 0.25)), float(low), float(high)


def _track(trials: DataFrame) -> str:
    """``inductive`` or ``transductive``, with labels that were asked for."""
    tracks = ["transductive" if any(unlike(trials["transductive"])) else "inductive"]
    if any(condition.protocol == ASKED for condition in unlike(trials["condition"])):
        tracks.append("asked labels")
    return ", ".join(tracks)


def _page(board: Board, leaky: Sequence[str]) -> Section:
    ranking = [
        (
            str(rank),
            entry.label,
            entry.track,
            "{} [{}, {}]".format(*map(percent, entry.score)),
            "{} [{}, {}]".format(*map(signed, entry.gain)),
            *(
                f"{percent(fmean(r.scores))} {signed(fmean(r.gains))} {r.finding or 'control'}"
                for r in entry.results
            ),
            MISSING if entry.seconds is None else f"{entry.seconds:.1f}",
        )
        for rank, entry in enumerate(board.entries, start=1)
    ]
    header = ("rank", "entry", "track", "new ground", "over none", *board.scenes, "CPU s")
    notes = sentences(
        text_templates().from_string(NOTES.read_text("utf-8")),
        board=board,
        fewest=MIN_TEST_PIXELS,
        resamples=f"{RESAMPLES:,}",
        leaky=leaky,
    )
    frame = DataFrame(ranking, columns=list(header)).set_index(list(header[:3]))
    grid = Frame("Ranking", frame)
    return Section(f"Leaderboard: {board.title}", frames=(grid,), notes=tuple(notes))


def leaderboard_files(made: Sequence[Board], leaky: Sequence[str]) -> TableFiles:
    """The boards for every kind of file; the CSV has a row per entry and scene, JSON also the
    hashes of the records.
    """
    rows = [
        {
            "protocol": board.title,
            "rank": rank,
            "entry": entry.label,
            "track": entry.track,
            "scene": scene,
            "draws": len(result.scores),
            "new_ground": fmean(result.scores),
            "gain": fmean(result.gains),
            "finding": result.finding,
            "pooled_new_ground": list(entry.score),
            "pooled_gain": list(entry.gain),
            "cpu_seconds": entry.seconds,
            "trials": sorted(result.cell.trials["hash"]),
        }
        for board in made
        for rank, entry in enumerate(board.entries, start=1)
        for result, scene in zip(entry.results, board.scenes, strict=True)
    ]
    plain = [
        {key: field for key, field in row.items() if not isinstance(field, list)} for row in rows
    ]
    value = {"results": rows, "refused": list(leaky)}
    return TableFiles("leaderboard", [_page(board, leaky) for board in made], plain, value)


def main() -> None:
    store, *named = sys.argv[1:]
    out = [Path(name) for name in named]
    check_targets(out, (*TABLES, ".html"))
    made = leaderboard_files(*boards(read_report(Store(Path(store)))))
    sections = [replace(one, id=f"page-{place}") for place, one in enumerate(made.sections)]
    page = html_page("Leaderboard · hsiaug", sections)
    show_tables(made, out, {".html": lambda path: path.write_text(page, "utf-8")})


if __name__ == "__main__":
    check_usage(__doc__, 1)
    main()
