"""The ways to look at a table: by generator, classifier, class or seed, by what it cost, and along λ or ω."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from statistics import fmean
from typing import Any, NamedTuple

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.metrics.significance import mean_std, t_interval
from hsiaug.report.compare import Against
from hsiaug.report.curves import curve_grids, measured_grids
from hsiaug.report.findings import FINDINGS, verdict_text
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import (
    MISSING,
    count_range,
    number,
    p_text,
    percent,
    plus_minus,
    range_text,
    signed,
    with_interval,
)
from hsiaug.report.records import ArmCell, Trial, class_counts
from hsiaug.report.tables import Table
from hsiaug.trial.arm import BOTH, SYNTHETIC, Arm, Method

SHORT = {"duplicate": "dup.", "duplicate-balanced": "bal."}
"""Names of controls in narrow columns."""
LABELS, SCENE, SUMMARY = "labels", "scene", "summary"
"""Views of several tables at once; the first reads predictions too."""
REAL = {"real": "none", BOTH: BOTH}
"""What synthetic samples alone are compared with, as it is called here and among the comparisons of an arm."""
COSTS = (
    ("fit s", 1, ("timings", "fit_classifier")),
    ("fit CPU s", 1, ("cpu_seconds", "fit_classifier")),
    ("predict s", 1, ("timings", "predict")),
    ("generator s", 1, ("timings", "fit_generator")),
    ("trial s", 1, ("timings", "total")),
    ("trial CPU s", 1, ("cpu_seconds", "total")),
    ("steps", 0, ("optimiser_steps", "fit_classifier")),
    ("memory MB", 0, ("record", "peak_memory_mb")),
)
"""Columns: heading, decimals, and where a record holds it."""
SEED = GridColumn("seed", lambda trial: str(trial.seed))
N = GridColumn("n", lambda cell: str(len(cell.ok)))


def check_view(by: str) -> None:
    """Raise InputError for a view that does not exist."""
    known = (SUMMARY, *VIEWS, SCENE, LABELS)
    if by not in known:
        raise InputError(f"`by` must be one of {', '.join(known)}", value=repr(by), hint=did_you_mean(by, known))


def arm_columns(table: Table, arm: Callable[[Any], Arm] = attrgetter("arm")) -> list[GridColumn]:
    """generator, λ, and ω where any trial is guided. arm: of that which a row is about."""

    def lam(row: object) -> str:
        found = arm(row)
        return MISSING if found.generator.name == "none" and not found.rate else str(found.rate)

    columns = [
        GridColumn("generator", lambda row: table.labels[arm(row).generator], numeric=False),
        GridColumn("λ", lam),
        GridColumn("ω", lambda row: number(arm(row).omega)),
    ]
    return columns if table.guided else columns[:2]


def cell_columns(table: Table) -> list[GridColumn]:
    """The classifier and the arm of that which a row is about."""
    classifier = GridColumn("classifier", lambda row: table.labels[row.classifier], numeric=False)
    return [classifier, *arm_columns(table)]


def metric_text(metric: str, cell: ArmCell) -> str:
    """``48.2 ± 3.1``; with its n where some trials that went well lack the number; where none has it, why."""
    summary = cell.summary(metric)
    if summary is None:
        return cell.blank
    return plus_minus(summary) + (f" (n={summary.n})" if summary.n < len(cell.ok) else "")


def _accuracy(table: Table) -> Grid:
    """Rows generator × λ × ω, columns classifiers with the metrics of the task."""

    def entry(classifier: Method, text: Callable[[ArmCell], str | GridEntry], arm: Arm) -> GridEntry:
        cell = table.cells.get((arm, classifier))
        return GridEntry(str(text(cell)), cell) if cell else GridEntry(MISSING)

    columns = keys = arm_columns(table, lambda arm: arm)
    for classifier in table.classifiers:
        scores = [GridColumn(s.name, partial(metric_text, s.key), best=True) for s in table.brief]
        if any(len(cell.ok) < len(table.draws) for cell in table.cells_of(classifier)):
            scores.append(N)
        columns = columns + [
            GridColumn(c.header, partial(entry, classifier, c.entry), table.labels[classifier], best=c.best)
            for c in scores
        ]
    return make_grid("Accuracy", columns, table.arms, keys=len(keys), block=attrgetter("control"))


def _gains(table: Table) -> Grid:
    """Rows classifier × arm: what each arm gains over each control, the largest p, and the verdict."""

    def pairs(cell: ArmCell) -> str:
        counts = [len(c.pairs) if c else 0 for c in table.against(cell).values()]
        several = cell.arm.judged and len(set(counts)) > 1
        return "/".join(str(n) for n in (counts if several else counts[:1]))

    def largest_p(cell: ArmCell) -> str:
        found = [one.main.p_corrected if one else None for one in table.against(cell).values()]
        known = [p for p in found if p is not None]
        return p_text(max(known) if known and (len(known) == len(found) or not cell.arm.judged) else None)

    def verdict(cell: ArmCell) -> GridEntry:
        gain = table.gains[cell.arm, cell.classifier]
        return GridEntry(
            verdict_text(table, gain), tone=FINDINGS[gain.verdict.finding].tone if gain.verdict else ""
        )

    keys, scores = cell_columns(table), {"main": table.scores.main, "second": table.scores.second}
    columns = [
        *keys,
        *(
            GridColumn(f"Δ{score.name}", partial(_against, table, control, what), f"vs {control}")
            for control in table.controls
            for what, score in scores.items()
        ),
        GridColumn("pairs", pairs),
        GridColumn("p", largest_p),
        GridColumn("verdict", verdict, numeric=False),
    ]
    cells = [cell for cell in table.by_classifier if table.gain(cell)]
    return make_grid("Gain over the controls", columns, cells, keys=len(keys), block=attrgetter("classifier"))


def _against(table: Table, control: str, what: str, cell: ArmCell) -> str:
    """What the comparison with a control gave, if there is one: the ``main`` or ``second`` difference, or the ``p``."""
    found = table.against(cell).get(control)
    if found is None:
        return MISSING
    test = found.second if what == "second" else found.main
    return p_text(found.main.p_corrected) if what == "p" else signed(test.mean if test else None)


class _Trained(NamedTuple):
    """What a classifier learnt from, and how it did. arm: of both, where it was run; the rows of one block share it.

    over: of synthetic samples alone, what they are compared with.
    """

    arm: Arm
    classifier: Method
    train: str
    cell: ArmCell
    over: Against


def alone_grid(table: Table) -> Grid:
    """Rows classifier × arm × what was learnt from: scores, and what synthetic samples alone gain over the others."""
    main = table.scores.main

    def score(metric: str, row: _Trained) -> GridEntry:
        return GridEntry(metric_text(metric, row.cell), row.cell)

    def over(control: str, row: _Trained) -> str:
        found = row.over.get(control)
        return with_interval(found.main.mean, found.main.interval) if found else MISSING

    def share(row: _Trained) -> str:
        """Mean score of synthetic samples alone over that of both, on the draws that they share."""
        found = row.over.get(BOTH)
        pairs = [(a.metric(main.key), b.metric(main.key)) for a, b in found.pairs] if found else []
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        whole = fmean(b for _, b in known) if known else 0.0
        return percent(fmean(a for a, _ in known) / whole) if whole else MISSING

    keys = [*cell_columns(table), GridColumn("train on", attrgetter("train"), numeric=False)]
    columns = [
        *keys,
        *(GridColumn(s.name, partial(score, s.key)) for s in table.brief),
        *(GridColumn(f"Δ{main.name} vs {name}", partial(over, control)) for name, control in REAL.items()),
        GridColumn(f"% of {main.name} of both", share),
    ]
    rows = [row for cell in table.by_classifier for row in _trained(table, cell)]
    heading = f"Train on synthetic samples, test on real ones: {table.condition.scene}"
    return make_grid(heading, columns, rows, keys=len(keys), block=attrgetter("arm", "classifier"))


def _trained(table: Table, cell: ArmCell) -> Iterator[_Trained]:
    """Real samples, synthetic ones, both: of what was run on draws of an arm of synthetic samples alone."""
    over = table.alone.get((cell.arm, cell.classifier))
    if over is None:
        return
    arm = both.control.arm if (both := over[BOTH]) else cell.arm
    for train, control in REAL.items():
        if train == BOTH:
            yield _Trained(arm, cell.classifier, SYNTHETIC, cell, over)
        if found := over[control]:
            yield _Trained(arm, cell.classifier, train, found.control, {})


def _every_metric(table: Table) -> Grid:
    """Rows classifier × arm: all metrics, the interval of the main one, and the corrected tests."""
    main, keys = table.scores.main, cell_columns(table)

    def interval(cell: ArmCell) -> str:
        values = cell.values(main.key)
        found = t_interval(values) if values else None
        return range_text(found, percent) if found else MISSING

    detail = f"{main.name} in detail"
    columns = [
        *keys,
        *(GridColumn(score.name, partial(metric_text, score.key), "accuracy") for score in table.metrics),
        GridColumn(N.header, N.entry, "accuracy"),
        *(GridColumn(f"AA {name}", partial(metric_text, f"subset:{name}"), detail) for name in table.subsets),
        GridColumn(f"{main.name} 95 %", interval, detail),
        *(
            GridColumn(
                f"{name} {SHORT.get(control, control)}", partial(_against, table, control, what), "controls"
            )
            for control in table.controls
            for what, name in (("main", f"Δ{main.name}"), ("p", "p"))
        ),
    ]
    heading, cells = f"Every metric, and the tests on {main.name}", table.by_classifier
    return make_grid(heading, columns, cells, keys=len(keys), block=attrgetter("classifier"))


def _recalls(table: Table, classifier: Method) -> Grid:
    """Rows classes with their n, columns arms with the recall: mean ± std over the draws that test the class."""
    ids = range(1, len(table.class_names) + 1)
    counts = ("train_counts", "test_counts")
    trained, tested = ([class_counts(table.splits.values(), key, i) for i in ids] for key in counts)

    def recall(cell: ArmCell, i: int) -> GridEntry:
        values = cell.recalls(i)
        if not values:
            return GridEntry(MISSING if any(tested[i - 1]) else "not evaluable", cell)
        short = f" (n={len(values)})" if len(values) < len(table.draws) else ""
        return GridEntry(plus_minus(mean_std(values)) + short, cell)

    columns = [
        GridColumn("class", lambda i: f"{i} {table.class_names[i - 1]}", numeric=False),
        GridColumn("train n", lambda i: count_range(trained[i - 1])),
        GridColumn("test n", lambda i: count_range(tested[i - 1])),
        *(GridColumn("recall", partial(recall, c), table.arm_label(c.arm)) for c in table.cells_of(classifier)),
    ]
    return make_grid(f"Recall per class, {table.labels[classifier]}", columns, ids, keys=3)


def _cost(table: Table) -> Grid:
    """Rows arm × classifier: seconds, optimiser steps and memory of a trial, mean ± std over the draws.

    CPU seconds are those that a process computed, which another program's load does not lengthen.
    """

    def cost(digits: int, part: str, name: str, cell: ArmCell) -> str:
        values = [value for trial in cell.ok if (value := trial.number(name, part)) is not None]
        return " ± ".join(f"{v:.{digits}f}" for v in mean_std(values)[:2] if v is not None) if values else MISSING

    classifier, *arm = cell_columns(table)
    columns = [*arm, classifier, *(GridColumn(name, partial(cost, n, *path)) for name, n, path in COSTS)]
    heading, cells = "Seconds, steps and memory per trial", table.cells.values()
    return make_grid(heading, columns, cells, keys=len(arm) + 1, block=attrgetter("arm"))


def _seeds(table: Table) -> Grid:
    """One row per trial, those of control classifiers too: how it went, how long it took, and its hash."""
    classifier, *arm = cell_columns(table)
    columns = [SEED, *arm, classifier, *_trial_columns(table)]
    trials = sorted(table.trials, key=attrgetter("seed"))
    return make_grid("Trials", columns, trials, keys=len(arm) + 2, block=attrgetter("seed"))


def record_grid(table: Table, heading: str, trials: Iterable[Trial]) -> Grid:
    """The same of the trials of one cell, without what they share."""
    shown = [*trials]
    status = {trial.status for trial in shown} != {"ok"}
    return make_grid(heading, [SEED, *_trial_columns(table)[0 if status else 1 :]], shown)


def _trial_columns(table: Table) -> list[GridColumn]:
    def score(metric: str, trial: Trial) -> str:
        return MISSING if (value := trial.metric(metric)) is None else percent(value)

    def seconds(trial: Trial) -> str:
        return MISSING if (value := trial.number("total", "timings")) is None else f"{value:.1f}"

    return [
        GridColumn("status", attrgetter("status"), numeric=False),
        *(GridColumn(one.name, partial(score, one.key)) for one in table.brief),
        GridColumn("seconds", seconds),
        GridColumn("hash", attrgetter("hash"), numeric=False),
    ]


VIEWS: dict[str, Callable[[Table], tuple[Grid, ...]]] = {
    "generator": lambda table: (_accuracy(table), _gains(table), alone_grid(table)),
    "gain": lambda table: (_gains(table),),
    "classifier": lambda table: (_every_metric(table),),
    "class": lambda table: tuple(_recalls(table, classifier) for classifier in table.classifiers),
    "seed": lambda table: (_seeds(table),),
    "cost": lambda table: (_cost(table),),
    "lambda": lambda table: curve_grids(table, "lambda"),
    "times": lambda table: curve_grids(table, "times"),
    "omega": lambda table: (*curve_grids(table, "omega"), *measured_grids(table)),
}
"""The grids of a table in each view of it."""
