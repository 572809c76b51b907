"""Reports for machines: rows per trial, and per arm and control, as CSV, JSON and the frames of
Python have them; and trials as runs of MLflow.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import need
from hsiaug.base.files import file_errors
from hsiaug.base.text import spreadsheet_text, visible
from hsiaug.protocol.audit import KEYS_IN_ROWS
from hsiaug.report.answers import three_answers
from hsiaug.report.gains import Gain, in_points, over_baseline
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.trials import of_classes, trials_of_records
from hsiaug.tasks.scores import PIXELS, RECALL, Metric, over_large
from hsiaug.trial.arm import NONE
from hsiaug.trial.condition import Condition
from hsiaug.trial.record import COLUMNS

if TYPE_CHECKING:
    from pandas import DataFrame


Columns = dict[str, list[Any]]
"""Values by the name of their column, row by row."""
Row = dict[str, Any]

NAMES_OF_CONDITION = {"argument": "protocol_argument", "rest": "other_settings"}
"""Attributes of conditions that columns name otherwise."""


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
    one per arm and control, for ``by="labels"`` one per point of a curve and per arm.

    Fractions as recorded, of gains points; None: no number. For a suite the first column names the
    run: a trial is in each of its.
    """
    rows: list[tuple[ReportTable, Row]]
    if by == "labels":
        from hsiaug.report.sections.labels import curve_rows, curves_of

        rows = [(curve.table, row) for curve in curves_of(report) for row in curve_rows(curve)]
    else:
        rows = []
        for table in report.tables:
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
        return _gain_columns([(table, gain) for gain in _all_gains(table)] if table else [])
    trials = table.trials if table else trials_of_records([])
    if by == "class":
        return _class_columns(
            trials, table.class_metrics if table else (RECALL,), table.class_names if table else ()
        )
    if table:
        plain = [metric for metric in table.metrics if metric not in table.subsets]
        return _trial_columns(trials, plain, table.subsets)
    # Any numbers of classes of which some are left out: the columns are the same.
    pixels = over_large(PIXELS, large=2, tested=3)
    return _trial_columns(trials, (*pixels.shown, *pixels.more, *pixels.fields), ())


def _all_gains(table: ReportTable) -> list[Gain]:
    """Over every control, and over baselines that are none."""
    over = over_baseline(table.complete.cells, table.scores, table.smallest)
    shown = [gain for gain in over if gain.cell.key in table.cells and gain.draws]
    return [*table.compared, *(gain for gain in shown if gain.control not in gain.cell.required)]


def _gain_columns(gains: Sequence[tuple[ReportTable, Gain]]) -> Columns:
    """A row per configuration, classifier and control, in points: mean paired difference of the
    main metric with its simultaneous 95 % interval (none below six splits), the smallest and the
    largest, what is shown, that of the second metric, p corrected for all configurations, splits,
    whether this is the strongest control, and the verdict on the configuration.
    """
    arms = [gain.cell.arm for _, gain in gains]
    points = [in_points(gain.main) for _, gain in gains]
    verdicts = [table.against(gain.cell)[NONE].verdict for table, gain in gains]
    return {
        "scene": [table.condition.scene for table, _ in gains],
        "protocol": [table.condition.protocol for table, _ in gains],
        "generator": [table.labels[gain.cell.arm.generator] for table, gain in gains],
        "lambda": [arm.rate.lam for arm in arms],
        "times": [arm.rate.times for arm in arms],
        "omega": [arm.omega for arm in arms],
        "classifier": [table.labels[gain.cell.classifier] for table, gain in gains],
        "over": [gain.control for _, gain in gains],
        "metric": [table.scores.main.key for table, _ in gains],
        "gain": [one["mean"] for one in points],
        **{name: [one[name] for one in points] for name in ("low", "high", "smallest", "largest")},
        "shown": [gain.main.word for _, gain in gains],
        "second_metric": [table.scores.second.key for table, _ in gains],
        "second_gain": [gain.second_mean and 100 * gain.second_mean for _, gain in gains],
        "p_corrected": [gain.main.p_corrected for _, gain in gains],
        "draws": [gain.draws for _, gain in gains],
        "rival": [gain.rival for _, gain in gains],
        "verdict": ["control" if found is None else str(found) for found in verdicts],
    }


def _identity_columns(trials: DataFrame) -> Columns:
    """What a trial is."""
    errors = [error or {} for error in trials["error"]]
    conditions = trials["condition"].tolist()
    arms = trials["arm"].tolist()
    generators = [arm.generator for arm in arms]
    classifiers = trials["classifier"].tolist()
    columns = {
        "hash": trials["hash"].tolist(),
        "status": trials["status"].tolist(),
        "error_type": [error.get("type") for error in errors],
        "error_message": [" ".join(str(error.get("message") or "").split()) for error in errors],
    }
    for name in (field.name for field in fields(Condition)):
        columns[NAMES_OF_CONDITION.get(name, name)] = [getattr(one, name) for one in conditions]
    columns["seed"] = trials["seed"].tolist()
    for role, methods in {"generator": generators, "classifier": classifiers}.items():
        columns[role] = [method.name for method in methods]
        columns[f"{role}_version"] = [method.version for method in methods]
        columns[f"{role}_params"] = [method.params for method in methods]
    return {
        **columns,
        "view": [classifier.view for classifier in classifiers],
        "view_shown": trials["view_shown"].tolist(),
        "train": [generator.train for generator in generators],
        "lambda": [arm.rate.lam for arm in arms],
        "times": [arm.rate.times for arm in arms],
        "omega": [arm.omega for arm in arms],
        "omega_convention": [generator.convention for generator in generators],
    }


def _trial_columns(
    trials: DataFrame, metrics: Sequence[Metric], subsets: Sequence[Metric]
) -> Columns:
    """A row per trial.

    Parameters
    ----------
    subsets : sequence of Metric
        AA over fixed classes, which have a column of their OA too.
    """

    def values(name: str) -> list[Any]:
        return trials[name].tolist() if name in trials else [None] * len(trials)

    audits = [audit or {} for audit in trials["audit"]]
    columns = _identity_columns(trials) | {metric.key: values(metric.key) for metric in metrics}
    columns["worst_class"] = [
        None if value is None or value != value else int(value) for value in values("worst_class")
    ]
    for subset in subsets:
        name = subset.key.removeprefix("subset:")
        columns[f"aa_{name}"] = values(subset.key)
        columns[f"oa_{name}"] = values(f"oa {subset.key}")
    columns["transductive"] = trials["transductive"].tolist()
    columns |= {name: [audit.get(name) for audit in audits] for name in KEYS_IN_ROWS}
    columns["split_sha256"] = [audit.get("sha256") for audit in audits]
    columns |= {column.name: values(column.name) for column in COLUMNS}
    return columns | {"created": trials["created"].tolist()}


def _class_columns(
    trials: DataFrame, metrics: Sequence[Metric], class_names: Sequence[str]
) -> Columns:
    """A row per trial and class."""
    audits = [audit or {} for audit in trials["audit"]]
    numbers = {
        **{metric.key: of_classes(trials, metric.key).tolist() for metric in metrics},
        "train_n": [audit.get("train_counts") for audit in audits],
        "test_n": [audit.get("test_counts") for audit in audits],
        "real_n": trials["real"].tolist(),
        "synthetic_n": trials["synthetic"].tolist(),
    }
    places = [(row, i) for row in range(len(trials)) for i in range(len(class_names))]
    return {
        **{
            name: [values[row] for row, _ in places]
            for name, values in _identity_columns(trials).items()
        },
        "class_id": [i + 1 for _, i in places],
        "class_name": [class_names[i] for _, i in places],
        **{
            name: [_of_class(of_trial[row], i) for row, i in places]
            for name, of_trial in numbers.items()
        },
    }


def _of_class(values: Sequence[Any] | None, i: int) -> Any:
    return values[i] if values and i < len(values) else None


# Runs in the database that ``mlflow ui`` shows in its folder (the extra ``mlflow``)

PARAMS = (
    *(
        "task",
        "protocol",
        "protocol_argument",
        "buffer",
        "patch",
        "seed",
        "generator",
        "generator_params",
        "lambda",
    ),
    *("times", "omega", "classifier", "classifier_params", "view_shown", "train"),
)
"""Columns of the CSV that become parameters. Of the others numbers become metrics, the rest tags.
"""


def write_mlflow(report: Report, folder: Path) -> str:
    """Add to ``folder/mlflow.db`` a run for each trial that has none there, in an experiment for
    each scene.

    Returns how many were added, as a sentence. Raises DataUnavailableError without MLflow,
    InputError where it cannot write.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported
    need("`format` mlflow", "mlflow", "mlflow", instead="write .csv")
    from mlflow import MlflowClient

    with file_errors(
        f"`out` {folder} must be a folder that can be written to", "Name another one."
    ):
        folder.mkdir(exist_ok=True)
        (file := folder / "mlflow.db").touch()
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    client = MlflowClient(f"sqlite:///{file.resolve()}")
    experiments = dict[str, str]()
    added = 0
    for row in data_rows(report):
        if (scene := row["scene"]) not in experiments:
            there = client.get_experiment_by_name(scene)
            place = (folder.resolve() / "mlartifacts").as_uri()
            experiments[scene] = (
                there.experiment_id if there else client.create_experiment(scene, place)
            )
        if not client.search_runs([experiments[scene]], f"tags.hash = '{row['hash']}'"):
            _add_run(client, experiments[scene], row)
            added += 1
    return f"{added} runs added to {file}; see them: mlflow ui, Model training"


def _add_run(client: Any, experiment: str, row: dict[str, Any]) -> None:
    from mlflow.entities import Metric, Param, RunTag

    end = round(1000 * datetime.fromisoformat(row["created"]).timestamp())
    start = end - round(1000 * (row["seconds"] or 0))
    name = f"{row['generator']}/{row['classifier']} draw {row['seed']}"
    run = client.create_run(experiment, start_time=start, run_name=name).info.run_id
    metrics, params, tags = list[Metric](), list[Param](), list[RunTag]()
    for key, value in ((key, value) for key, value in row.items() if value not in (None, "")):
        if key in PARAMS:
            params.append(Param(key, str(value)))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            metrics.append(Metric(key, value, end, 0))
        else:
            tags.append(RunTag(key, str(value)))
    client.log_batch(run, metrics, params, tags)
    client.set_terminated(run, "FAILED" if row["status"] == "failed" else "FINISHED", end)
