"""``hsiaug report --format mlflow``. The tests of what is written skip where MLflow is not
installed.
"""

import sys
from pathlib import Path

import pytest
import typer
from report_records import benchmark, fill
from typer.testing import CliRunner

from hsiaug.base.errors import DataUnavailableError, InputError
from hsiaug.cli.report import report
from hsiaug.report.render_data import data_rows
from hsiaug.report.tables import build_report
from hsiaug.report.trials import trials_of_store
from hsiaug.trial.store import Store

# MLflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("store"), benchmark(3))


def write(store: Path, *arguments: object) -> str:
    app = typer.Typer()
    app.command()(report)
    words = ["--store", str(store), "--format", "mlflow", *map(str, arguments)]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0 and result.stdout == ""
    return result.stderr


def test_a_run_of_mlflow_for_each_trial(store: Path, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    trials, _ = trials_of_store(Store(store))
    rows = {row["hash"]: row for row in data_rows(build_report(trials))}
    said = write(store, "--out", tmp_path / "runs")

    assert (
        said == f"{len(rows)} runs added to {tmp_path / 'runs' / 'mlflow.db'}; see them: mlflow ui,"
        " Model training\n"
    )
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("indian-pines")
    runs = {
        run.data.tags["hash"]: run
        for run in client.search_runs([experiment.experiment_id], max_results=10_000)
    }
    assert set(runs) == set(rows)
    for hash, row in rows.items():
        data, info = runs[hash].data, runs[hash].info
        named = {
            key: str(row[key]) for key in ("generator", "classifier", "seed", "lambda", "protocol")
        }
        assert {key: data.params[key] for key in named} == named
        assert {key: data.metrics[key] for key in ("oa", "aa", "kappa")} == {
            k: row[k] for k in ("oa", "aa", "kappa")
        }
        assert info.status == "FINISHED" and data.tags["split_sha256"] == row["split_sha256"]
        assert info.end_time - info.start_time == round(1000 * row["seconds"])
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"mlflow.db"}


def test_runs_that_are_there_are_not_added_again(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    write(store, "--out", tmp_path)
    assert write(store, "--out", tmp_path).startswith("0 runs added")


def test_without_mlflow_the_error_says_what_to_install(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(DataUnavailableError, match=r"pip install mlflow .*\[mlflow\]"):
        write(store, "--out", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_made_is_refused(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(InputError, match="must be a folder that can be written to"):
        write(store, "--out", tmp_path / "runs")
