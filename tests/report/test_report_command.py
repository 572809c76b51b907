"""``hsiaug report`` on a store: formats, files, and what it costs."""

import json
from pathlib import Path

import pytest
import typer
from report_records import benchmark, fill
from typer.testing import CliRunner

from hsiaug.base.errors import InputError, StoreError
from hsiaug.cli.report import report
from tests.effort import calls, loaded


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("store"), benchmark(3))


def run(store: Path, *arguments: object) -> str:
    app = typer.Typer()
    app.command()(report)
    result = CliRunner().invoke(
        app, ["--store", str(store), *map(str, arguments)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_format_is_for_the_terminal_or_that_of_the_file(store: Path, tmp_path: Path) -> None:
    assert json.loads(run(store, "--format", "json"))
    run(store, "--format", "md", "--out", tmp_path / "x.md")
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == run(store, "--format", "md")
    with pytest.raises(InputError, match="must agree with the endings"):
        run(store, "--format", "md", "--out", tmp_path / "x.csv")


def test_a_folder_that_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        run(tmp_path / "nowhere")


def test_a_misspelt_view(store: Path) -> None:
    with pytest.raises(InputError, match="Did you mean seed"):
        run(store, "--by", "seeds")


@pytest.mark.parametrize("by", ["generator", "classifier"])
def test_a_thousand_records_cost_little(thousand: Path, by: str) -> None:
    # A million today, in a quarter of a second; what grows with the square of their number would be
    # hundreds.
    assert calls(run, thousand, "--format", "rich", "--by", by) < 5_000_000


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generators = ("none", "duplicate", "noise", "mixup", "smote", "cvae", "wgan", "specdm")
    classifiers = ("cnn2d", "hybridsn", "rf", "ssrn", "svm", "vit")
    return fill(tmp_path_factory.mktemp("thousand"), benchmark(21, generators, classifiers)[:1000])


def test_the_report_room_loads_no_heavy_library() -> None:
    heavy = {"torch", "scipy", "pandas", "sklearn", "rich.console"}
    assert not heavy & loaded("import hsiaug.report") and not {"numpy", *heavy} & loaded(
        "import hsiaug.cli.report"
    )
