"""What several sections show of arms: columns and entries of tables, the words of a comparison and
of a verdict, and where the best row is right.
"""

import shlex
from collections.abc import Callable, Collection, Iterable
from operator import attrgetter, itemgetter
from statistics import fmean
from typing import Any

from hsiaug.metrics.significance import MARGIN, Shown, Verdict, too_few
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.answer_texts import TONES
from hsiaug.report.answers import three_answers
from hsiaug.report.formatting import MISSING, number, plus_minus, with_ends
from hsiaug.report.gains import (
    ArmCell,
    ArmGains,
    Gain,
    corrected_for,
    counts_of_class,
    rival_of,
)
from hsiaug.report.notes import few_in_fields
from hsiaug.report.section import GridColumn, GridEntry
from hsiaug.report.tables import ReportTable
from hsiaug.report.text_templates import sentences
from hsiaug.report.trials import rows_of
from hsiaug.tasks.scores import Metric
from hsiaug.trial.arm import NONE, Arm

MOST_ROWS = 22
"""Rows that an overview shows; the rest is counted."""


def verdict_text(found: Verdict | None, second: str) -> str:
    """A verdict as the entry of a table; ``control`` without one.

    Parameters
    ----------
    second : str
        The name of the second metric.
    """
    about = {"margin": f"{100 * MARGIN:g}", "too_few": too_few}
    return "".join(sentences("verdict.txt", found=found, second=second, **about))


def shown_words(gain: Gain, second: str) -> str:
    """``above``, or ``above, OA below`` where that gain is at a loss in the second metric.

    Parameters
    ----------
    second : str
        The name of the second metric.
    """
    return f"{gain.main.shown}{f', {second} below' * _at_a_loss(gain)}"


def tone_of(gain: Gain) -> str:
    """The tone of what is shown over one control: good, loss, bad or none."""
    return "loss" if _at_a_loss(gain) else TONES[gain.main.shown]


def _at_a_loss(gain: Gain) -> bool:
    return gain.main.shown == "above" and gain.second.shown == "below"


def words_note(arms: Iterable[ArmGains], *, ends: bool = True, more: Iterable[Gain] = ()) -> str:
    """What the words and brackets of differences mean; empty where no arm has one.

    Parameters
    ----------
    ends : bool
        Whether there are brackets.
    more : iterable of Gain
        Others that stand there in brackets.
    """
    compared = [
        gain for arm in arms for gain in (arm.get(NONE), rival_of(arm)) if gain and gain.draws
    ]
    beside = [(gain, gain.main.ends) for gain in compared if ends and gain.main.ends]
    return meanings_of(
        {gain.main.shown for gain in compared},
        ends={of_gain.is_interval for _, of_gain in beside},
        corrected=corrected_for([*(gain for gain, _ in beside), *more]),
    )


def meanings_of(
    shown: Collection[Shown], *, ends: Collection[bool] = (), corrected: str = ""
) -> str:
    """What these words of comparisons mean.

    Parameters
    ----------
    ends : collection of bool
        Whether brackets stand for an interval: those that stand there are explained too.
    corrected : str
        For how many comparisons the intervals are corrected.
    """
    about = {"shown": shown, "ends": ends, "corrected": corrected}
    return "".join(sentences("words.txt", **about))


def best_row_sentences(table: ReportTable, store: str | None = None) -> list[str]:
    """Where the row with the highest main score is right, if told.

    Parameters
    ----------
    store : str or None
        As an option, to say what to run next.
    """
    means = table.comparable
    cell = max(means, key=means.__getitem__, default=None)
    by_class = table.scores.by_class
    ids = table.large or range(1, len(table.class_names) + 1)
    learnt = [i for i in ids if well_drawn(table, i)]
    told = {
        table.class_names[i - 1]: fmean(values)
        for i in learnt
        if cell and (values := cell.of_class(by_class.key, i))
    }
    use = three_answers(table).use
    used = use.cell if store is not None and table.scores.fields else None
    about = {
        "cell": cell,
        # The arm to use is the best of those that are shown to gain, and need not be this one.
        "passed_over": bool(
            cell and use.name and not cell.without_samples and table.cell_label(cell) != use.name
        ),
        "of_class": by_class.name,
        "told": sorted(told.items(), key=itemgetter(1)),
        "words": table.cell_words(cell) if cell else "",
        "used": use.words,
        "trial": rows_of(used.ok.head(1))[0] if used else None,
        # A classifier without samples needs no record.
        "alone": used.classifier.name if used and used.without_samples else "",
        "few": few_in_fields(table),
        "left_out": table.not_comparable,
        "all_told": len(learnt) == len(ids),
        "store": store,
    }
    return sentences("best.txt", table=table, quote=shlex.quote, **about)


def well_drawn(table: ReportTable, class_id: int) -> bool:
    """Whether every draw has a training pixel of a class, and MIN_TEST_PIXELS to test it by."""
    audits = table.splits.values()
    trained = counts_of_class(audits, "train_counts", class_id)
    tested = counts_of_class(audits, "test_counts", class_id)
    return min(trained, default=1) > 0 and min(tested, default=0) >= MIN_TEST_PIXELS


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
        bare = found.generator.name == NONE and not found.rate
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


def metric_entry(
    table: ReportTable, metric: Metric, cell: ArmCell, *, counted: bool = False
) -> GridEntry:
    """``48.2 ± 3.1``; with its n where it is over fewer draws than the table has; where no trial
    has the number, why.

    Parameters
    ----------
    counted : bool
        Beside a column that says how many trials of the cell went well.
    """
    summary = cell.summary(metric.key)
    if summary is None:
        return GridEntry(cell.blank)
    text = plus_minus(summary)
    if summary.n < (len(cell.ok) if counted else len(table.draws)):
        text = f"{text} (n={summary.n})"
    if summary.n < table.most_draws:
        # A mean over other draws is not the best one.
        return GridEntry(text)
    return GridEntry(text, value=-summary.mean if metric.less_is_better else summary.mean)


def of_rows(number: int) -> str:
    """What the heading of an overview says where it shows the first of more rows."""
    return f"; {MOST_ROWS} of {number} rows (all: --by generator)" if number > MOST_ROWS else ""


def gain_entry(gain: Gain | None, second: str, *, ends: bool = True) -> GridEntry:
    """``above +2.1 [+1.0, +3.2]``: what is shown over one control, and by how many points.

    Parameters
    ----------
    second : str
        The name of the second metric.
    ends : bool
        Also the interval; of few draws it is the smallest and the largest, which needs no word, and
        of one draw there is none.
    """
    if gain is None or not gain.draws:
        return GridEntry(MISSING)
    if ends and gain.main.shown == "too few draws" and gain.main.ends:
        return GridEntry(with_ends(gain.mean, gain.main.ends))
    points = with_ends(gain.mean, gain.main.ends if ends else None)
    return GridEntry(f"{shown_words(gain, second)} {points}", tone=tone_of(gain))


def not_tested(what: str, table: ReportTable, arms: Iterable[ArmCell], option: str) -> str:
    """That a section tests no difference between some of what it shows, and the command that tests
    one.

    Parameters
    ----------
    arms : iterable of ArmCell
        The two that the command compares.
    option : str
        That of the store.
    """
    command = to_compare(table, arms, option)
    return f"Differences between two {what} are not tested here; of two arms: {command}"


def to_compare(table: ReportTable, arms: Iterable[ArmCell], option: str) -> str:
    """The command that compares two arms.

    Parameters
    ----------
    arms : iterable of ArmCell
        Two: the command says what the second has over the first.
    option : str
        That of the store.
    """
    names = " ".join(shlex.quote(table.cell_words(cell)) for cell in arms)
    return f"hsiaug compare {names}{option}"
