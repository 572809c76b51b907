"""Reports for machines: rows per trial, and per arm and control, as CSV, JSON and the frames of
Python have them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hsiaug.base.text import spreadsheet_text, visible
from hsiaug.report.answer_text import answer_texts, headline
from hsiaug.report.answers import Answers, gain_json, three_answers
from hsiaug.report.gains import Gain
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.trials import Trial, number_of
from hsiaug.tasks.scores import PIXELS, over_large
from hsiaug.trial.record import COLUMNS

if TYPE_CHECKING:
    from pandas import DataFrame


AUDITED = (
    "leaky",
    "radius",
    "n_train",
    "n_test",
    "n_buffered",
    "centre_overlap_percent",
    "patch_overlap_percent",
)


def report_json(report: Report) -> dict[str, Any]:
    """The report as plain values: what is found of every table, the rows of gains and of trials,
    the damaged records.
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
                **_answers_json(three_answers(table)),
            }
            for table in report.tables
        ],
        "gains": gain_rows(report),
        "trials": data_rows(report),
        "damaged": [vars(damage) for damage in report.damaged],
    }


def _answers_json(answers: Answers) -> dict[str, Any]:
    """The three answers on a line, as values, and in words under ``text``."""
    texts = [text.line for text in answer_texts(answers)]
    return {"headline": headline(answers), "answers": answers.as_json() | {"text": texts}}


def gain_rows(report: Report) -> list[dict[str, Any]]:
    """A row per arm, classifier and control, in points: mean paired difference of the main metric
    with its simultaneous 95 % interval (none below six draws), the smallest and the largest, what
    is shown, that of the second metric, p corrected for all arms, draws, whether this control is
    the arm's rival, and the arm's verdict.
    """
    named = any(table.run for table in report.tables)
    return [
        ({"run": table.run} if named else {}) | _gain_row(table, gain)
        for table in report.tables
        for gain in table.compared
    ]


def _gain_row(table: ReportTable, gain: Gain) -> dict[str, Any]:
    found = gain_json(gain)
    return {
        "scene": table.condition.scene,
        "protocol": table.condition.protocol,
        "generator": table.labels[gain.cell.arm.generator],
        "lambda": gain.cell.arm.rate.lam,
        "times": gain.cell.arm.rate.times,
        "omega": gain.cell.arm.omega,
        "classifier": table.labels[gain.cell.classifier],
        "over": gain.control,
        "metric": table.scores.main.key,
        "gain": found["mean"],
        **{key: found[key] for key in ("low", "high", "smallest", "largest", "shown")},
        "second_metric": table.scores.second.key,
        "second_gain": gain.second_mean and 100 * gain.second_mean,
        "p_corrected": gain.p_corrected,
        "draws": gain.draws,
        "rival": gain.rival,
        "verdict": "control" if gain.verdict is None else gain.verdict.finding,
    }


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV: a column for each key of any of them, texts in one line that no spreadsheet
    takes for a formula.
    """
    from pandas import DataFrame

    plain = [{_plain(key): _plain(value) for key, value in row.items()} for row in rows]
    return str(DataFrame(plain, dtype=object).to_csv(index=False, lineterminator="\n"))


def _plain(value: Any) -> Any:
    """A text as one line that no spreadsheet takes for a formula."""
    return spreadsheet_text(visible(value)) if isinstance(value, str) else value


def data_rows(report: Report, by: str = "") -> list[dict[str, Any]]:
    """The rows of CSV: one per trial, for ``by="class"`` one per trial and class, for ``by="gain"``
    one per arm and control, for ``by="labels"`` one per point of a curve and per arm.

    Fractions as recorded; None: no number. For a suite the first column names the run: a trial is
    in each of its.
    """
    if by == "gain":
        return gain_rows(report)
    rows: list[tuple[ReportTable, Mapping[str, Any]]]
    if by == "labels":
        from hsiaug.report.sections.labels import curve_rows, curves_of

        rows = [(curve.table, row) for curve in curves_of(report) for row in curve_rows(curve)]
    else:
        rows = [
            (table, {**_identity(trial), **row})
            for table in report.tables
            for trial in table.trials
            for row in (_class_rows(table, trial) if by == "class" else [_scores(table, trial)])
        ]
    named = any(table.run for table in report.tables)
    return [
        ({"run": table.run} if named else {})
        | {key: None if v != v else v for key, v in row.items()}
        for table, row in rows
    ]


def _class_rows(table: ReportTable, trial: Trial) -> Iterator[dict[str, Any]]:
    audit = trial.audit or {}
    counts = {
        "recall": trial.recall,
        "train_n": audit.get("train_counts"),
        "test_n": audit.get("test_counts"),
        "real_n": trial.real,
        "synthetic_n": trial.synthetic,
    }
    for i, name in enumerate(table.class_names):
        values = {
            key: known[i] if known and i < len(known) else None for key, known in counts.items()
        }
        yield {"class_id": i + 1, "class_name": name, **values}


def _identity(trial: Trial) -> dict[str, Any]:
    condition, error = trial.condition, trial.error or {}
    row: dict[str, Any] = {
        "hash": trial.hash,
        "status": trial.status,
        "error_type": error.get("type"),
        "error_message": " ".join(str(error.get("message") or "").split()),
        **{
            {"argument": "protocol_argument", "rest": "other_settings"}.get(k, k): v
            for k, v in vars(condition).items()
        },
        "seed": trial.seed,
    }
    for role, method in (("generator", trial.arm.generator), ("classifier", trial.classifier)):
        row |= {
            role: method.name,
            f"{role}_version": method.version,
            f"{role}_params": method.params,
        }
    row |= {
        "view": trial.classifier.view,
        "view_shown": trial.view_shown,
        "train": trial.arm.generator.train,
    }
    row |= {"lambda": trial.arm.rate.lam, "times": trial.arm.rate.times, "omega": trial.arm.omega}
    return row | {"omega_convention": trial.arm.generator.convention}


def _scores(table: ReportTable, trial: Trial) -> dict[str, Any]:
    audit = trial.audit or {}
    plain = (metric.key for metric in table.metrics if metric not in table.subsets)
    scores: dict[str, Any] = {key: trial.get(key) for key in (*plain, "worst_class")}
    worst = number_of(trial, "worst_class")
    scores["worst_class"] = None if worst is None else int(worst)
    for subset in (metric.key for metric in table.subsets):
        name = subset.removeprefix("subset:")
        scores |= {
            f"aa_{name}": trial.value(subset),
            f"oa_{name}": trial.value(f"oa {subset}"),
        }
    scores["transductive"] = trial.transductive
    scores |= {name: audit.get(name) for name in AUDITED}
    scores["split_sha256"] = audit.get("sha256")
    of_record = (column.name for column in COLUMNS)
    return scores | {key: trial.value(key) for key in (*of_record, "created")}


IDENTITY = (
    *("hash", "status", "error_type", "error_message", "task", "scene", "scene_sha256"),
    *("protocol", "protocol_argument", "buffer", "patch", "other_settings", "seed"),
    *("generator", "generator_version", "generator_params"),
    *("classifier", "classifier_version", "classifier_params", "view", "view_shown", "train"),
    *("lambda", "times", "omega", "omega_convention"),
)
"""What a trial is, in every row of it."""

# Any numbers of classes of which some are left out: the columns are the same.
_PIXELS = over_large(PIXELS, large=2, tested=3)
OF_TRIALS = (
    *IDENTITY,
    *(metric.key for metric in (*_PIXELS.shown, *_PIXELS.more, *_PIXELS.fields)),
    *("worst_class", "transductive", *AUDITED, "split_sha256"),
    *(column.name for column in COLUMNS),
    "created",
)
OF_CLASSES = (
    *IDENTITY,
    *("class_id", "class_name", "recall", "train_n", "test_n", "real_n", "synthetic_n"),
)
OF_GAINS = (
    *("scene", "protocol", "generator", "lambda", "times", "omega", "classifier", "over"),
    *("metric", "gain", "low", "high", "smallest", "largest", "shown"),
    *("second_metric", "second_gain", "p_corrected", "draws", "rival"),
    "verdict",
)


def frame_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> "DataFrame":
    """Rows as a frame; without any, one that has the columns of a run of pixels."""
    from pandas import DataFrame

    return DataFrame(list(rows)) if rows else DataFrame(columns=list(columns))
