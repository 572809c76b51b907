"""Reports for machines: rows per trial, and per configuration and control, as CSV, JSON and the
frames of Python have them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from hsiaug.base.text import spreadsheet_text, visible
from hsiaug.protocol.audit import KEYS_IN_ROWS
from hsiaug.report.answers import three_answers
from hsiaug.report.gains import Gain, in_points
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.trials import of_classes, rows_of, trials_of_records
from hsiaug.tasks.scores import PIXELS, RECALL, Metric, over_large
from hsiaug.trial.arm import NONE
from hsiaug.trial.record import COLUMNS

if TYPE_CHECKING:
    from pandas import DataFrame


Columns = dict[str, list[Any]]
"""Values by the name of their column, row by row."""
Row = dict[str, Any]
OF_TRIALS = {
    "hash": "hash",
    "status": "status",
    "error_type": "error_type",
    "error_message": "error_message",
    "task": "condition.task",
    "scene": "condition.scene",
    "scene_sha256": "condition.scene_sha256",
    "protocol": "condition.protocol",
    "protocol_argument": "condition.argument",
    "buffer": "condition.buffer",
    "patch": "condition.patch",
    "other_settings": "condition.rest",
    "seed": "seed",
    "generator": "arm.generator.name",
    "generator_version": "arm.generator.version",
    "generator_params": "arm.generator.params",
    "classifier": "classifier.name",
    "classifier_version": "classifier.version",
    "classifier_params": "classifier.params",
    "view": "classifier.view",
    "view_shown": "view_shown",
    "train": "arm.generator.train",
    "lambda": "arm.rate.lam",
    "times": "arm.rate.times",
    "omega": "arm.omega",
    "omega_convention": "arm.generator.convention",
}
"""The columns that say what a trial is."""
OF_GAINS: dict[str, Callable[[ReportTable, Gain], Any]] = {
    "scene": lambda table, _: table.condition.scene,
    "protocol": lambda table, _: table.condition.protocol,
    "generator": lambda table, gain: table.labels[gain.cell.arm.generator],
    "lambda": lambda _, gain: gain.cell.arm.rate.lam,
    "times": lambda _, gain: gain.cell.arm.rate.times,
    "omega": lambda _, gain: gain.cell.arm.omega,
    "classifier": lambda table, gain: table.labels[gain.cell.classifier],
    "over": lambda _, gain: gain.control,
    "metric": lambda table, _: table.scores.main.key,
    "gain": lambda _, gain: in_points(gain.main)["mean"],
    "low": lambda _, gain: in_points(gain.main)["low"],
    "high": lambda _, gain: in_points(gain.main)["high"],
    "smallest": lambda _, gain: in_points(gain.main)["smallest"],
    "largest": lambda _, gain: in_points(gain.main)["largest"],
    "shown": lambda _, gain: gain.main.word,
    "second_metric": lambda table, _: table.scores.second.key,
    "second_gain": lambda _, gain: in_points(gain.second)["mean"],
    "p_corrected": lambda _, gain: gain.main.p_corrected,
    "draws": lambda _, gain: gain.draws,
    "rival": lambda _, gain: gain.rival,
    "verdict": lambda table, gain: str(table.against(gain.cell)[NONE].verdict or "control"),
}
"""The columns of a configuration over one control, in points: the mean paired difference of the
main metric with its simultaneous 95 % interval (none below six splits), the smallest and the
largest, what they show, the mean of the second metric, p corrected for all configurations, splits,
whether this is the strongest control, and the verdict on the configuration.
"""


def report_json(report: Report, by: str | None = None) -> dict[str, Any]:
    """The report as plain values: what is found of every table, the rows of gains and of trials,
    the damaged records; by labels also the rows of learning curves.
    """
    return {
        "format": 2,
        "store": report.store,
        "tables": [
            {
                "run": table.run or None,
                "title": table.title,
                "leaky": table.leaky,
                "transductive": table.transductive,
                "metric": table.scores.main.key,
                "class_names": list(table.class_names),
                "headline": three_answers(table).headline,
                "answers": three_answers(table).as_json(),
            }
            for table in report.tables
        ],
        "gains": data_rows(report, "gain"),
        "trials": data_rows(report),
        "damaged": [vars(damage) for damage in report.damaged],
        **({"labels": data_rows(report, by)} if by == "labels" else {}),
    }


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV: a column for each key of any of them, texts in one line that no spreadsheet
    takes for a formula.
    """
    from pandas import DataFrame

    @cache
    def plain(text: str) -> str:
        return spreadsheet_text(visible(text))

    columns = {
        plain(name): [
            plain(value) if isinstance(value := row.get(name), str) else value for row in rows
        ]
        for name in dict.fromkeys(chain.from_iterable(rows))
    }
    return str(DataFrame(columns, dtype=object).to_csv(index=False, lineterminator="\n"))


def data_rows(report: Report, by: str | None = None) -> list[Row]:
    """The rows of CSV: one per trial, for ``by="class"`` one per trial and class, for ``by="gain"``
    one per configuration and control, for ``by="labels"`` one per point of a curve and per
    configuration.

    Fractions as recorded, of gains points; None: no number. For a suite the first column names the
    run: a trial is in each of its.
    """
    rows: list[tuple[ReportTable, Row]] = []
    if by == "labels":
        from hsiaug.report.sections.labels import curve_rows, curves_of

        rows = [(curve.table, row) for curve in curves_of(report) for row in curve_rows(curve)]
    for table in () if by == "labels" else report.tables:
        columns = _columns_of(table, by)
        values = zip(*columns.values(), strict=True)
        rows += [(table, dict(zip(columns, row, strict=True))) for row in values]
    named = any(table.run for table in report.tables)
    return [
        ({"run": table.run} if named else {})
        | {key: None if v != v else v for key, v in row.items()}
        for table, row in rows
    ]


def data_frame(report: Report, by: str = "") -> DataFrame:
    """The rows as a frame; without any, one that has the columns of a run of pixels."""
    from pandas import DataFrame

    rows = data_rows(report, by)
    return DataFrame(rows) if rows else DataFrame(columns=list(_columns_of(None, by)))


def _columns_of(table: ReportTable | None, by: str | None) -> Columns:
    """The columns of a table; of none those of a run of pixels, without a row."""
    if by == "gain":
        found = (*table.compared, *table.over_baselines) if table else ()
        return {
            name: [value(table, gain) for gain in found if table]
            for name, value in OF_GAINS.items()
        }
    trials = table.trials if table else trials_of_records([])
    rows = rows_of(trials) if table else []
    columns = {name: list(map(attrgetter(path), rows)) for name, path in OF_TRIALS.items()}
    if by == "class":
        metrics, names = (table.class_metrics, table.class_names) if table else ((RECALL,), ())
        return _class_columns(columns, trials, metrics, names)
    if table:
        plain = [metric for metric in table.metrics if metric not in table.subsets]
        return columns | _trial_columns(trials, plain, table.subsets)
    # Any numbers of classes of which some are left out: the columns are the same.
    pixels = over_large(PIXELS, large=2, tested=3)
    return columns | _trial_columns(trials, (*pixels.shown, *pixels.more, *pixels.fields), ())


def _trial_columns(
    trials: DataFrame, metrics: Sequence[Metric], subsets: Sequence[Metric]
) -> Columns:
    """What a trial reached, and what it took.

    Parameters
    ----------
    subsets : sequence of Metric
        AA over fixed classes, which have a column of their OA too.
    """

    def values(name: str) -> list[Any]:
        return trials[name].tolist() if name in trials else [None] * len(trials)

    audits = [audit or {} for audit in trials["audit"]]
    columns = {metric.key: values(metric.key) for metric in metrics}
    columns["worst_class"] = [
        None if value is None or value != value else int(value) for value in values("worst_class")
    ]
    for subset in subsets:
        name = subset.key.removeprefix("subset:")
        columns[f"aa_{name}"] = values(subset.key)
        columns[f"oa_{name}"] = values(f"oa {subset.key}")
    columns["transductive"] = values("transductive")
    columns |= {name: [audit.get(name) for audit in audits] for name in KEYS_IN_ROWS}
    columns["split_sha256"] = [audit.get("sha256") for audit in audits]
    columns |= {column.name: values(column.name) for column in COLUMNS}
    return columns | {"created": values("created")}


def _class_columns(
    of_trials: Columns, trials: DataFrame, metrics: Sequence[Metric], class_names: Sequence[str]
) -> Columns:
    """A row per trial and class."""
    audits = [audit or {} for audit in trials["audit"]]
    of_classes_ = {
        **{metric.key: of_classes(trials, metric.key).tolist() for metric in metrics},
        "train_n": [audit.get("train_counts") for audit in audits],
        "test_n": [audit.get("test_counts") for audit in audits],
        "real_n": trials["real"].tolist(),
        "synthetic_n": trials["synthetic"].tolist(),
    }
    places = [(row, i) for row in range(len(trials)) for i in range(len(class_names))]

    def entry(values: Sequence[Any] | None, i: int) -> Any:
        return values[i] if values and i < len(values) else None

    return {
        **{name: [values[row] for row, _ in places] for name, values in of_trials.items()},
        "class_id": [i + 1 for _, i in places],
        "class_name": [class_names[i] for _, i in places],
        **{
            name: [entry(values[row], i) for row, i in places]
            for name, values in of_classes_.items()
        },
    }
