"""The ways to look at a table: overview, by generator, classifier, class or seed, and along λ, M or
ω.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from hsiaug.base.errors import check_known
from hsiaug.metrics.significance import mean_ends, mean_std
from hsiaug.report.cells import ArmCell, class_counts
from hsiaug.report.compare import Comparison
from hsiaug.report.curves import AXES, curve_grids
from hsiaug.report.findings import (
    TONES_OF_FINDINGS,
    shown_words,
    tone_of,
    verdict_text,
)
from hsiaug.report.formatting import (
    MISSING,
    count,
    count_range,
    ends_text,
    number,
    p_text,
    percent,
    plus_minus,
    signed,
    with_ends,
)
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import Trial, number_of
from hsiaug.trial.arm import BOTH, SYNTHETIC, Arm, Method

LABELS, SUMMARY = "labels", "summary"
"""Views of several tables at once; the first reads predictions too."""
REAL = {"real": "none", BOTH: BOTH}
"""What synthetic samples alone are compared with, as it is called here and among the comparisons of
an arm.
"""
MOST_ROWS = 22
"""Rows that an overview shows; the rest is counted."""


def check_view(by: str) -> None:
    """Raise InputError for a view that does not exist."""
    known = (SUMMARY, *VIEWS, LABELS)
    check_known(f"`by` must be one of {', '.join(known)}", by, known)


def arm_columns(
    table: ReportTable, arm: Callable[[Any], Arm] = attrgetter("arm")
) -> list[GridColumn]:
    """generator, λ, M where any trial has one, and ω where any is guided.

    Parameters
    ----------
    arm : callable
        Of that which a row is about.
    """

    def rate(row: object, value: str) -> str:
        found = arm(row)
        bare = found.generator.name == "none" and not found.rate
        return MISSING if bare else number(getattr(found.rate, value))

    columns = [
        GridColumn("generator", lambda row: table.labels[arm(row).generator], numeric=False),
        GridColumn("λ", lambda row: rate(row, "lam")),
    ]
    if table.multiplied:
        columns.append(GridColumn("M", lambda row: rate(row, "times")))
    if table.guided:
        columns.append(GridColumn("ω", lambda row: number(arm(row).omega)))
    return columns


def cell_columns(table: ReportTable) -> list[GridColumn]:
    """The classifier and the arm of that which a row is about."""
    classifier = GridColumn("classifier", lambda row: table.labels[row.classifier], numeric=False)
    return [classifier, *arm_columns(table)]


def metric_entry(metric: str, cell: ArmCell) -> GridEntry:
    """``48.2 ± 3.1``; with its n where some trials that went well lack the number; where none has
    it, why.
    """
    summary = cell.summary(metric)
    if summary is None:
        return GridEntry(cell.blank)
    if summary.n < len(cell.ok):
        return GridEntry(f"{plus_minus(summary)} (n={summary.n})")
    return GridEntry(plus_minus(summary), value=summary.mean)


def of_rows(number: int) -> str:
    """What the heading of an overview says where it shows the first of more rows."""
    return f"; {MOST_ROWS} of {number} rows (all: --by generator)" if number > MOST_ROWS else ""


def overview(table: ReportTable) -> Grid:
    """A row per arm and classifier, the highest main score first: scores, and what the arm gains
    over no samples and over its rival.
    """
    columns = [
        GridColumn("arm", lambda cell: table.arm_label(cell.arm), numeric=False),
        GridColumn("with", lambda cell: table.labels[cell.classifier], numeric=False),
        *_score_columns(table, spare_main=False),
        *_gain_columns(table),
    ]
    shown = sorted(_shown(table), key=partial(_main_score, table), reverse=True)
    return make_grid(_overview_heading(table, "of"), columns, shown, keys=2)


def grouped_overview(table: ReportTable) -> Grid:
    """A row per classifier without samples, and below it a row per arm with that classifier, the
    highest main score first: scores, and what the arm gains over no samples and over its rival.
    """
    shown = _shown(table)
    highest: dict[Method, float] = {}
    for cell in shown:
        score = _main_score(table, cell)
        highest[cell.classifier] = max(score, highest.get(cell.classifier, score))
    bare = {cell.classifier for cell in shown if cell.without_samples}

    def place(cell: ArmCell) -> tuple[float, str, bool, float]:
        label = table.labels[cell.classifier]
        score = _main_score(table, cell)
        return -highest[cell.classifier], label, not cell.without_samples, -score

    def name(cell: ArmCell) -> str:
        classifier = table.labels[cell.classifier]
        if cell.without_samples:
            return classifier
        arm = f"+ {table.short_label(cell.arm)}"
        return arm if cell.classifier in bare else f"{classifier} {arm}"

    columns = [
        GridColumn("arm", name, numeric=False),
        *_score_columns(table, spare_main=True),
    ]
    if len(shown) > len(bare):
        columns += _gain_columns(table)
    rows = sorted(shown, key=place)
    heading = _overview_heading(table, "of")
    return make_grid(heading, columns, rows, block=attrgetter("classifier"))


def _main_score(table: ReportTable, cell: ArmCell) -> float:
    mean = cell.summary(table.scores.main.key)
    return mean.mean if mean else -1.0


def _shown(table: ReportTable) -> list[ArmCell]:
    """The cells of an overview: those without samples however low they are, then the highest."""
    cells = sorted(table.cells.values(), key=partial(_main_score, table), reverse=True)
    return sorted(cells, key=lambda cell: not cell.without_samples)[:MOST_ROWS]


def _score_columns(table: ReportTable, *, spare_main: bool) -> list[GridColumn]:
    """The scores of an overview.

    Parameters
    ----------
    spare_main : bool
        The deviation of the main one may be left out too.
    """
    main = table.scores.main
    return [
        GridColumn(
            score.name.split(" (")[0],
            partial(metric_entry, score.key),
            best=True,
            spare=spare_main or score is not main,
            optional=score is not main,
        )
        for score in table.scores.shown
        if score is main or score.key != "aa"
    ]


def _overview_heading(table: ReportTable, joint: str) -> str:
    short, _, classes = table.scores.main.name.partition(" (")
    of = f"; {short} {joint} {classes[:-1]} classes" if classes else ""
    draws = count(len(table.draws), "draw")
    scene = table.condition.scene
    return f"Accuracy on {scene} in percent, {draws}{of}{of_rows(len(table.cells))}"


def _gain_columns(table: ReportTable) -> list[GridColumn]:
    """What an arm gains over no samples, and over its rival."""
    short = table.scores.main.name.split(" (")[0]
    return [
        GridColumn(f"{short} over none", partial(_over_none, table)),
        GridColumn("over its rival", partial(_over_rival, table)),
        GridColumn("rival", partial(_rival, table), numeric=False),
    ]


def gain_entry(comparison: Comparison | None, second: str) -> GridEntry:
    """``above +2.1 [+1.0, +3.2]``: what one comparison shows, and its difference in points. Of few
    draws the difference alone, whose brackets say so.

    Parameters
    ----------
    second : str
        The name of the second metric.
    """
    if comparison is None:
        return GridEntry(MISSING)
    main = comparison.main
    text = with_ends(main.mean, main.ends)
    if main.word == "too few draws":
        return GridEntry(text)
    return GridEntry(f"{shown_words(comparison, second)} {text}", tone=tone_of(comparison))


def _over_none(table: ReportTable, cell: ArmCell) -> GridEntry:
    """What an arm gains over its classifier without samples; empty of that classifier."""
    if cell.without_samples:
        return GridEntry("")
    return gain_entry(table.against(cell).get("none"), table.scores.second.name)


def _over_rival(table: ReportTable, cell: ArmCell) -> GridEntry:
    """What an arm gains over the control that decides."""
    gain = table.gain(cell)
    if gain is None or gain.verdict is None or gain.rival is None:
        return GridEntry("")
    return gain_entry(gain.rival.comparison, table.scores.second.name)


def _rival(table: ReportTable, cell: ArmCell) -> str:
    """The control that decides, or why there is none."""
    gain = table.gain(cell)
    if gain is None or gain.verdict is None:
        return "control" if cell.arm.generator.name != "none" else ""
    if not cell.ok:
        return gain.verdict.finding
    return gain.rival.control if gain.rival else ""


def _accuracy(table: ReportTable) -> Grid:
    """Rows generator × λ × ω, columns classifiers with the metrics of the task."""

    def entry(
        classifier: Method, text: Callable[[ArmCell], str | GridEntry], arm: Arm
    ) -> str | GridEntry:
        cell = table.cells.get((arm, classifier))
        return text(cell) if cell else MISSING

    columns = keys = arm_columns(table, lambda arm: arm)
    for classifier in table.classifiers:
        scores = [GridColumn(s.name, partial(metric_entry, s.key), best=True) for s in table.brief]
        if any(len(cell.ok) < len(table.draws) for cell in table.cells_of(classifier)):
            scores.append(GridColumn("n", lambda cell: str(len(cell.ok))))
        columns = columns + [
            GridColumn(
                c.header, partial(entry, classifier, c.entry), table.labels[classifier], best=c.best
            )
            for c in scores
        ]
    return make_grid("Accuracy", columns, table.arms, keys=len(keys), block=attrgetter("control"))


def _gains(table: ReportTable) -> Grid:
    """Rows classifier × arm: what each arm gains over each control, the largest p, and the
    verdict.
    """

    def pairs(cell: ArmCell) -> str:
        counts = [len(c.mine) if c else 0 for c in table.against(cell).values()]
        several = cell.arm.judged and len(set(counts)) > 1
        return "/".join(str(n) for n in (counts if several else counts[:1]))

    def largest_p(cell: ArmCell) -> str:
        comparisons = table.against(cell).values()
        every = [one.main.p_corrected if one else None for one in comparisons]
        known = [p for p in every if p is not None]
        # Of an arm that is judged, every control counts.
        complete = len(known) == len(every) or not cell.arm.judged
        return p_text(max(known) if known and complete else None)

    def verdict(cell: ArmCell) -> GridEntry:
        found = table.gains[cell.arm, cell.classifier].verdict
        tone = TONES_OF_FINDINGS[found.finding] if found else ""
        return GridEntry(verdict_text(found, table.scores.second.name), tone=tone)

    keys = cell_columns(table)
    scores = {"main": table.scores.main, "second": table.scores.second}
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
    return make_grid(
        "Gain over the controls", columns, cells, keys=len(keys), block=attrgetter("classifier")
    )


def _against(table: ReportTable, control: str, what: str, cell: ArmCell) -> str:
    """What the comparison with a control gave, if there is one: the ``main`` or ``second``
    difference, or the ``p``.
    """
    found = table.against(cell).get(control)
    if found is None:
        return MISSING
    if what == "p":
        return p_text(found.main.p_corrected)
    test = found.second if what == "second" else found.main
    return signed(test.mean if test else None)


def synthetic_only_grid(table: ReportTable) -> Grid:
    """Rows classifier × arm × what was learnt from: scores, and what synthetic samples alone gain
    over the others.
    """
    main = table.scores.main

    def over(control: str, row: _Trained) -> str:
        found = table.synthetic_only.get((row.cell.arm, row.cell.classifier), {}).get(control)
        return with_ends(found.main.mean, found.main.ends) if found else MISSING

    keys = [*cell_columns(table), GridColumn("train on", attrgetter("train"), numeric=False)]
    columns = [
        *keys,
        *(
            GridColumn(s.name, partial(lambda key, row: metric_entry(key, row.cell), s.key))
            for s in table.brief
        ),
        *(
            GridColumn(f"Δ{main.name} vs {name}", partial(over, control))
            for name, control in REAL.items()
        ),
    ]
    rows = [row for cell in table.by_classifier for row in _trained(table, cell)]
    heading = f"Train on synthetic samples, test on real ones: {table.condition.scene}"
    return make_grid(heading, columns, rows, keys=len(keys), block=attrgetter("arm", "classifier"))


class _Trained(NamedTuple):
    """What a classifier learnt from, and how it did.

    Attributes
    ----------
    arm : Arm
        Of both, where it was run; the rows of one block share it.
    """

    arm: Arm
    classifier: Method
    train: str
    cell: ArmCell


def _trained(table: ReportTable, cell: ArmCell) -> Iterator[_Trained]:
    """Real samples, synthetic ones, both: of what was run on draws of an arm of synthetic samples
    alone.
    """
    if over := table.synthetic_only.get((cell.arm, cell.classifier)):
        arm = both.control.arm if (both := over[BOTH]) else cell.arm
        shown = {"real": over["none"], SYNTHETIC: cell, BOTH: both}
        for train, found in shown.items():
            if found:
                own = found if isinstance(found, ArmCell) else found.control
                yield _Trained(arm, cell.classifier, train, own)


def _every_metric(table: ReportTable) -> Grid:
    """Rows classifier × arm: all metrics, the interval of the main one, and its corrected tests."""
    main, keys = table.scores.main, cell_columns(table)

    def interval(cell: ArmCell) -> str:
        values = cell.values(main.key)
        return ends_text(mean_ends(values), percent)

    columns = [
        *keys,
        *(GridColumn(score.name, partial(metric_entry, score.key)) for score in table.metrics),
        GridColumn("n", lambda cell: str(len(cell.ok))),
        GridColumn(f"{main.name} 95 %", interval),
        *(
            GridColumn(f"p vs {control}", partial(_against, table, control, "p"))
            for control in table.controls
        ),
    ]
    heading = f"Every metric, and the tests on {main.name}"
    cells = table.by_classifier
    return make_grid(heading, columns, cells, keys=len(keys), block=attrgetter("classifier"))


def _recalls(table: ReportTable, classifier: Method) -> Grid:
    """Rows classes with their n, columns arms with the recall: mean ± std over the draws that test
    the class.
    """
    ids = range(1, len(table.class_names) + 1)
    counts = ("train_counts", "test_counts")
    trained, tested = ([class_counts(table.splits.values(), key, i) for i in ids] for key in counts)

    def recall(cell: ArmCell, i: int) -> str:
        values = cell.recalls(i)
        if not values:
            return MISSING if any(tested[i - 1]) else "not evaluable"
        short = f" (n={len(values)})" if len(values) < len(table.draws) else ""
        return plus_minus(mean_std(values)) + short

    columns = [
        GridColumn("class", lambda i: f"{i} {table.class_names[i - 1]}", numeric=False),
        GridColumn("train n", lambda i: count_range(trained[i - 1])),
        GridColumn("test n", lambda i: count_range(tested[i - 1])),
        *(
            GridColumn("recall", partial(recall, c), table.arm_label(c.arm))
            for c in table.cells_of(classifier)
        ),
    ]
    return make_grid(f"Recall per class, {table.labels[classifier]}", columns, ids, keys=3)


def _seeds(table: ReportTable) -> Grid:
    """One row per trial, those of control classifiers too: how it went, how long it took, and its
    hash.
    """

    def text(metric: str, write: Callable[[float], str], trial: Trial) -> str:
        return MISSING if (value := number_of(trial, metric)) is None else write(value)

    classifier, *arm = cell_columns(table)
    columns = [
        GridColumn("seed", lambda trial: str(trial.seed)),
        *arm,
        classifier,
        GridColumn("status", attrgetter("status"), numeric=False),
        *(GridColumn(one.name, partial(text, one.key, percent)) for one in table.brief),
        GridColumn("seconds", partial(text, "seconds", "{:.1f}".format)),
        GridColumn("hash", attrgetter("hash"), numeric=False),
    ]
    trials = sorted(table.trials, key=attrgetter("seed"))
    return make_grid("Trials", columns, trials, keys=len(arm) + 2, block=attrgetter("seed"))


VIEWS: dict[str, Callable[[ReportTable], tuple[Grid, ...]]] = {
    "generator": lambda table: (_accuracy(table), _gains(table), synthetic_only_grid(table)),
    "gain": lambda table: (_gains(table),),
    "classifier": lambda table: (_every_metric(table),),
    "class": lambda table: tuple(_recalls(table, classifier) for classifier in table.classifiers),
    "seed": lambda table: (_seeds(table),),
    **{axis: partial(curve_grids, axis=axis) for axis in AXES},
}
"""The grids of a table in each view of it."""
