"""Trials as runs of MLflow, in the database that ``mlflow ui`` shows in its folder (the extra
``mlflow``).
"""

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from hsiaug.base.errors import need
from hsiaug.base.files import file_errors
from hsiaug.report.render_data import data_rows
from hsiaug.report.tables import Report

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
