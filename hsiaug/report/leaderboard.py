"""The leaderboard: every entry of a suite with one setting for all scenes, ranked by its accuracy in new ground."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.verdict import Finding
from hsiaug.protocol.large_classes import FEWEST
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import registry
from hsiaug.report.findings import CONTROL, SIGNS
from hsiaug.report.grid import Grid, ReportPage, text_grid
from hsiaug.report.labels import MISSING, count, count_range, percent, signed
from hsiaug.report.output_files import TableFiles
from hsiaug.report.records import ArmCell, CellKey, Trial
from hsiaug.report.tables import ADDED, ASKED, Report, Table

RESAMPLES = 2000
FILE = "#sha256:"
"""In a parameter that names a file, as earlier versions had them: outside data."""
Worths = Mapping[Table, Mapping[CellKey, str]]
Pooled = tuple[float, float, float]
"""An inter-quartile mean over scenes, and the ends of its 95 % interval from resampled scenes."""


@dataclass(frozen=True)
class Result:
    """An entry on one scene.

    scores: in new ground, of each draw, a failed trial as ``none`` with the same classifier. gains: over that ``none``.
    finding: of the report; None for controls. worth: labels per class, "" where no learning curve was run.
    """

    cell: ArmCell
    scores: tuple[float, ...]
    gains: tuple[float, ...]
    finding: Finding | None
    worth: str


@dataclass(frozen=True)
class Entry:
    """A generator and a classifier, each of one version with one setting, on every scene of a board.

    track: the information that the entry uses beyond training pixels. score, gain: as fractions.
    """

    label: str
    track: str
    results: tuple[Result, ...]
    score: Pooled
    gain: Pooled
    licence: str

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials of the entry."""
        return tuple(trial for result in self.results for trial in result.cell.trials)

    @property
    def seconds(self) -> float | None:
        """Processor seconds of a trial, in the mean over those that went well."""
        known = [t.number("total", "cpu_seconds") for t in self.trials if t.ok]
        return fmean(found) if (found := [s for s in known if s is not None]) else None

    @property
    def memory(self) -> float | None:
        """The most memory of a trial, in MB."""
        return max(
            (m for t in self.trials if (m := t.number("peak_memory_mb", "record")) is not None), default=None
        )


@dataclass(frozen=True)
class Board:
    """Entries of one protocol, the best first. tables: one per scene. partial: entries that lack a scene, by label."""

    tables: tuple[Table, ...]
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


def boards(report: Report, worths: Worths) -> tuple[list[Board], list[str]]:
    """A board for each protocol of the report, and headings of LEAKY tables, which enter none.

    worths: label equivalents of the arms of each table. Raises InputError where no table is left.
    """
    # Neighbours of asked pixels are tested, as they would be on the user's own scene: that is a track, not a leak.
    leaky = [t.heading for t in report.tables if t.leaky and t.condition.protocol not in (ADDED, ASKED)]
    groups: dict[object, list[Table]] = {}
    for table in report.tables:
        c = table.condition
        if c.protocol != ADDED and (not table.leaky or c.protocol == ASKED):
            groups.setdefault((c.task, c.protocol, c.argument, c.buffer, c.patch, c.rest), []).append(table)
    if not groups:
        raise InputError(
            "a leaderboard needs records of a protocol whose training and test pixels are kept apart",
            value="; ".join(leaky) or f"no record in {report.where}",
            hint="Run a suite first: hsiaug benchmark benchmarks/leaderboard.toml.",
        )
    return [_board(tuple(tables), worths) for tables in groups.values()], leaky


def inter_quartile_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...) mean of ``values`` (..., n) without the lowest and the highest quarter, of n // 4 values each.

    R. Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice, NeurIPS 2021, section 4.
    """
    cut = values.shape[-1] // 4
    ordered = np.sort(values, axis=-1)
    return np.asarray(ordered[..., cut : values.shape[-1] - cut].mean(axis=-1))


def _board(tables: tuple[Table, ...], worths: Worths) -> Board:
    keys = dict.fromkeys(key for table in tables for key in table.every_cell)
    entries, partial = [], []
    for key in keys:
        holders = [table for table in tables if key in table.every_cell]
        label = holders[0].cell_label(holders[0].every_cell[key])
        results = [_result(table, key, worths) for table in holders]
        known = tuple(result for result in results if result is not None)
        if len(known) < len(tables):
            partial.append(f"{label} ({count(len(tables) - len(known), 'scene')} missing)")
            continue
        score, gain = (
            _pooled([fmean(values) for values in own])
            for own in zip(*((r.scores, r.gains) for r in known), strict=True)
        )
        entries.append(Entry(label, _track(known), known, score, gain, _licence(key)))
    return Board(tables, tuple(sorted(entries, key=lambda entry: -entry.score[0])), tuple(partial))


def _result(table: Table, key: CellKey, worths: Worths) -> Result | None:
    """The entry on a scene; None where no draw has it together with ``none`` of the same classifier."""
    cell = table.every_cell[key]
    controls = [
        c
        for (arm, classifier), c in table.every_cell.items()
        if (arm.generator.name, classifier) == ("none", key[1])
    ]
    # By seed, because a failed trial may have ended before it had a split.
    without = {trial.seed: _new_ground(trial) for control in controls for trial in control.ok}
    pairs = [
        (own, base)
        for trial in (*cell.ok, *cell.failed)
        if (base := without.get(trial.seed)) is not None
        and (own := _new_ground(trial) if trial.ok else base) is not None
    ]
    if not pairs:
        return None
    gain = table.gains.get(key)
    finding = gain.verdict.finding if gain and gain.verdict else None
    scores, gains = zip(*((own, own - base) for own, base in pairs), strict=True)
    return Result(cell, scores, gains, finding, worths.get(table, {}).get(key, ""))


def _new_ground(trial: Trial) -> float | None:
    """Mean recall over the large classes on hidden test pixels, else in new fields, else on all; of masks mIoU."""
    if not trial.condition.task.startswith("pixel"):
        return trial.metric("miou")
    where = next((part for part in ("hidden", "new") if trial.has(part)), "")
    classes = trial.large or range(1, len((trial.audit or {}).get("test_counts") or ()) + 1)
    found = [recall for c in classes if (recall := trial.recall(c, where)) is not None]
    return fmean(found) if found else None


def _pooled(values: Sequence[float]) -> Pooled:
    """Of one value per scene; the resamples are the same for every entry."""
    known = np.array(values, dtype=np.float64)
    rng = np.random.default_rng(derive_seed("leaderboard", len(known)))
    drawn = inter_quartile_mean(known[rng.integers(len(known), size=(RESAMPLES, len(known)))])
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(inter_quartile_mean(known)), float(low), float(high)


def _track(results: Sequence[Result]) -> str:
    """``inductive`` or ``transductive``, with outside data and labels that were asked for."""
    trials = [trial for result in results for trial in result.cell.trials]
    parts = ["transductive" if any(trial.common["transductive"] for trial in trials) else "inductive"]
    methods = {method for trial in trials for method in (trial.generator, trial.classifier)}
    if any(FILE in method.params for method in methods):
        parts.append("outside data")
    if any(trial.condition.protocol == ASKED for trial in trials):
        parts.append("asked labels")
    return ", ".join(parts)


def _licence(key: CellKey) -> str:
    """Licences of the packages that bring generator and classifier, as far as these are installed and state one."""
    plugins = registry()
    named: tuple[tuple[Kind, str], ...] = (("generator", key[0].generator.name), ("classifier", key[1].name))
    found = [plugins.plugins.get((kind, name.partition(":")[0])) for kind, name in named]
    return ", ".join(dict.fromkeys(_licence_of(one.distribution) if one else "not installed" for one in found))


def _licence_of(distribution: str) -> str:
    try:
        said = metadata(distribution)
    except PackageNotFoundError:
        return "not stated"
    known = [said[key] for key in ("License-Expression", "License") if key in said]
    return str(known[0]).splitlines()[0] if known else "not stated"


HEADER = (
    "rank",
    "entry",
    "track",
    "new ground",
    "over none",
    "finding by scene",
    "k* by scene",
    "CPU s",
    "MB",
    "licence",
)


def _grids(board: Board) -> tuple[Grid, ...]:
    rows = [
        (
            str(rank),
            entry.label,
            entry.track,
            "{} [{}, {}]".format(*map(percent, entry.score)),
            "{} [{}, {}]".format(*map(signed, entry.gain)),
            " ".join(SIGNS[result.finding] if result.finding else CONTROL for result in entry.results),
            " / ".join(result.worth or MISSING for result in entry.results),
            MISSING if entry.seconds is None else f"{entry.seconds:.1f}",
            MISSING if entry.memory is None else f"{entry.memory:.0f}",
            entry.licence,
        )
        for rank, entry in enumerate(board.entries, start=1)
    ]
    by_scene = [
        (
            entry.label,
            *(f"{percent(fmean(r.scores))} ({signed(fmean(r.gains))})" for r in entry.results),
            count_range([len(r.scores) for r in entry.results]),
            str(sum(len(r.cell.failed) for r in entry.results)),
        )
        for entry in board.entries
    ]
    return (
        text_grid("Ranking", HEADER, rows, keys=3),
        text_grid("By scene, with the gain over none", ("entry", *board.scenes, "draws", "failed"), by_scene),
    )


def _pages(made: Iterable[Board], leaky: Sequence[str]) -> list[ReportPage]:
    pages = []
    for board in made:
        meanings = ", ".join(f"{sign} {finding}" for finding, sign in SIGNS.items())
        notes = [
            f"New ground: mean recall over the classes with at least {FEWEST} test pixels in every draw, on hidden test "
            "pixels where the protocol hides some, else in fields without a training pixel. For masks, mIoU. In percent.",
            "Rank and both intervals: inter-quartile mean over scenes (Agarwal et al., 2021), 95 % from "
            f"{RESAMPLES:,} resamples of the {count(len(board.scenes), 'scene')}. So few scenes make a wide interval, "
            "and ranks whose intervals overlap are not told apart.",
            "A failed trial counts as none with the same classifier. Each entry has one version and one setting on all "
            f"scenes ({', '.join(board.scenes)}).",
            f"Finding by scene, in this order: {meanings}, · a control. k*: label equivalent in the main score, where a "
            "learning curve was run.",
        ]
        if board.partial:
            notes.append(f"Not ranked, for want of a scene: {'; '.join(board.partial)}.")
        if leaky:
            notes.append(f"Refused: {'; '.join(leaky)}.")
        pages.append(ReportPage(f"Leaderboard: {board.title}", grids=_grids(board), notes=tuple(notes)))
    return pages


def leaderboard_files(made: Sequence[Board], leaky: Sequence[str]) -> TableFiles:
    """The boards for every kind of file; the CSV has a row per entry and scene, JSON also the hashes of the records."""

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
            "equivalent": result.worth,
            "pooled_new_ground": list(entry.score),
            "pooled_gain": list(entry.gain),
            "cpu_seconds": entry.seconds,
            "memory_mb": entry.memory,
            "licence": entry.licence,
            "trials": sorted(trial.hash for trial in result.cell.trials),
        }
        for board in made
        for rank, entry in enumerate(board.entries, start=1)
        for result, scene in zip(entry.results, board.scenes, strict=True)
    ]
    plain = [{key: field for key, field in row.items() if not isinstance(field, list)} for row in rows]
    value = {"results": rows, "refused": list(leaky)}
    return TableFiles("leaderboard", _pages(made, leaky), plain, value)
