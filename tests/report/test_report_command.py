"""``hsiaug report`` on a store: formats, files, and what it costs."""

import json
from pathlib import Path

import pytest
import typer
from html_pages import parsed
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


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 300 trials of 16 classes."""
    generators = ("none", "duplicate", "noise", "mixup", "smote", "cvae", "wgan", "specdm")
    records = benchmark(12, generators, ("rf", "ssrn", "svm"))
    confusion = [[100 + i * j for j in range(16)] for i in range(16)]
    return fill(tmp_path_factory.mktemp("large"), records, confusion)


def test_three_hundred_records_cost_little(large: Path) -> None:
    # What grows with the square of their number would be tens of millions.
    assert calls(run, large, "--format", "rich", "--by", "classifier") < 1_500_000


def test_a_page_of_three_hundred_trials_costs_little_and_is_small(
    large: Path, tmp_path: Path, blank_pictures: None
) -> None:
    out = tmp_path / "report.html"
    assert calls(run, large, "--out", out) < 5_000_000
    text = out.read_text(encoding="utf-8")
    # Its pictures, of which there are as many for few trials, are less than a megabyte.
    assert len(text) < 2_000_000
    assert text.startswith("<!doctype html>\n") and "damaged" not in text
    assert parsed(text).all("section", id="t0-answers")


def test_the_report_room_loads_no_heavy_library() -> None:
    heavy = {"torch", "scipy", "pandas", "sklearn", "rich.console"}
    assert not heavy & loaded("import hsiaug.report") and not {"numpy", *heavy} & loaded(
        "import hsiaug.cli.report"
    )
