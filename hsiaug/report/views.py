"""The ways to look at a table: overview, by generator, classifier, class or seed, and along λ, M or ω."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
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
    count,
    count_range,
    number,
    p_text,
    percent,
    plus_minus,
    range_text,
    signed,
    with_interval,
)
from hsiaug.report.records import ArmCell, Trial, class_counts, number_of
from hsiaug.report.tables import Table
from hsiaug.trial.arm import BOTH, SYNTHETIC, Arm, Method

SHORT = {"duplicate": "dup.", "duplicate-balanced": "bal."}
"""Names of controls in narrow columns."""
LABELS, SUMMARY = "labels", "summary"
"""Views of several tables at once; the first reads predictions too."""
REAL = {"real": "none", BOTH: BOTH}
"""What synthetic samples alone are compared with, as it is called here and among the comparisons of an arm."""
MOST_ROWS = 22
"""Rows that an overview shows; the rest is counted."""
SEED = GridColumn("seed", lambda trial: str(trial.seed))
N = GridColumn("n", lambda cell: str(len(cell.ok)))


def check_view(by: str) -> None:
    """Raise InputError for a view that does not exist."""
    known = (SUMMARY, *VIEWS, LABELS)
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


def overview(table: Table, most: int = MOST_ROWS) -> Grid:
    """A row per arm and classifier, the highest main score first: scores, gain over ``none``, and the finding.

    most: rows that are shown; those of ``none`` always are. On a narrow terminal gains have no interval.
    """
    main = table.scores.main
    short, _, classes = main.name.partition(" (")

    def score(cell: ArmCell) -> float:
        return mean[0] if (mean := cell.summary(main.key)) else -1.0

    def gain(cell: ArmCell, *, interval: bool) -> str:
        found = table.against(cell).get("none")
        return with_interval(found.main.mean, found.main.interval if interval else None) if found else MISSING

    def finding(cell: ArmCell) -> GridEntry:
        found = table.gain(cell)
        if found is None or found.verdict is None:
            return GridEntry("control" if cell.arm.control else MISSING)
        return GridEntry(found.verdict.finding, tone=FINDINGS[found.verdict.finding].tone)

    cells = sorted(table.cells.values(), key=score, reverse=True)
    kept = {id(cell) for cell in [*(c for c in cells if c.arm.generator.name == "none"), *cells][:most]}
    shown = [cell for cell in cells if id(cell) in kept]
    scores = [one for one in table.scores.shown if one is main or one.key != "aa"]
    columns = [
        GridColumn("arm", lambda cell: table.arm_label(cell.arm), numeric=False),
        GridColumn("with", lambda cell: table.labels[cell.classifier], numeric=False),
        *(GridColumn(one.name.split(" (")[0], partial(metric_text, one.key), best=True) for one in scores),
    ]
    verdict = GridColumn("verdict", finding, numeric=False)
    of = f"; {short} and its gain over {classes[:-1]} classes" if classes else ""
    heading = f"Accuracy on {table.condition.scene} in percent, {count(len(table.draws), 'draw')}{of}"
    wide, narrow = (
        make_grid(
            heading,
            [*columns, GridColumn(f"Δ{short} over none", partial(gain, interval=interval)), verdict],
            shown,
            keys=2,
        )
        for interval in (True, False)
    )
    return replace(wide, narrower=narrow)


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
        counts = [len(c.mine) if c else 0 for c in table.against(cell).values()]
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
        if found is None:
            return MISSING
        ours, whole = found.cell.column(main.key)[found.mine], found.control.column(main.key)[found.theirs]
        return percent(fmean(ours) / fmean(whole)) if fmean(whole) else MISSING

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

    columns = [
        *keys,
        *(GridColumn(score.name, partial(metric_text, score.key), "accuracy") for score in table.metrics),
        GridColumn(N.header, N.entry, "accuracy"),
        GridColumn(f"{main.name} 95 %", interval, f"{main.name} in detail"),
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
    def text(metric: str, write: Callable[[float], str], trial: Trial) -> str:
        return MISSING if (value := number_of(trial, metric)) is None else write(value)

    return [
        GridColumn("status", attrgetter("status"), numeric=False),
        *(GridColumn(one.name, partial(text, one.key, percent)) for one in table.brief),
        GridColumn("seconds", partial(text, "seconds", "{:.1f}".format)),
        GridColumn("hash", attrgetter("hash"), numeric=False),
    ]


VIEWS: dict[str, Callable[[Table], tuple[Grid, ...]]] = {
    "generator": lambda table: (_accuracy(table), _gains(table), alone_grid(table)),
    "gain": lambda table: (_gains(table),),
    "classifier": lambda table: (_every_metric(table),),
    "class": lambda table: tuple(_recalls(table, classifier) for classifier in table.classifiers),
    "seed": lambda table: (_seeds(table),),
    "lambda": lambda table: curve_grids(table, "lambda"),
    "times": lambda table: curve_grids(table, "times"),
    "omega": lambda table: (*curve_grids(table, "omega"), *measured_grids(table)),
}
"""The grids of a table in each view of it."""
