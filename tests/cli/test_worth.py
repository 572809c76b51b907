"""``hsiaug worth`` on a small scene: the curve, what arms are worth, and the same again from the
store.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.report import Report, build_report, render_html, render_report, save_report
from hsiaug.report.label_curves import label_curves
from hsiaug.tasks.scores import AA_LARGE
from hsiaug.tasks.task import get_task
from hsiaug.trial.store import Store
from tests.in_process import hsiaug

ASKED = ("toy", "--classifier", "svm", "--seeds", "3")


@pytest.fixture(scope="module", autouse=True)
def two_points() -> Iterator[None]:
    """A curve of few points."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hsiaug.cli.worth.ADDED", (1, 3))
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels") / "store"
    done = hsiaug("worth", *ASKED, "--store", str(folder), "--jobs", "1")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["svm", "duplicate", "1", "3"] in [row[:4] for row in rows] and "k=3" in done.stdout
    return folder


def built(store: Path) -> Report:
    return build_report(Store(store).read().records, store=str(store))


def test_curve_and_arms_are_scored_on_the_pixels_that_all_of_them_test(store: Path) -> None:
    done = hsiaug("worth", *ASKED, "--store", str(store))
    assert done.returncode == 0 and "trials are taken from" in done.stderr
    (found,) = label_curves(built(store))
    told = json.loads(render_report(built(store), "json", "labels"))["labels"]

    scene = get_task("pixels").data.load("toy")
    last = [
        draw_split(scene, parse_protocol("added:3xscattered:issd"), seed, 9) for seed in range(3)
    ]
    assert [draw.pixels for draw in found.draws] == [split.audit.n_test for split in last]
    assert found.labels == (0, 1, 3) and found.seeds == (0, 1, 2)
    assert {row["score"] for row in told} == {AA_LARGE, "aa", "oa", "aa_new", "worst_recall"}
    levels = [row["mean"] for row in told if row["score"] == "aa" and "labels" in row]
    (arm,) = (row for row in told if row["score"] == "aa" and "equivalent" in row)
    if arm["mean"] < min(levels):
        assert arm["equivalent"] == "< 0"


def test_the_last_point_of_the_curve_is_the_score_of_its_own_records(store: Path) -> None:
    report = built(store)
    (found,) = label_curves(report)

    (last,) = (t for t in report.tables if t.condition.argument.startswith("3xscattered"))
    (cell,) = last.cells.values()
    assert np.isclose(found.means["oa"][-1].mean, np.mean(cell.values("oa")))
    assert np.isclose(found.means[AA_LARGE][-1].mean, cell.of_classes("recall")[:, :4].mean())


def test_every_format_has_them(store: Path, tmp_path: Path) -> None:
    report = built(store)

    assert "k\\* AA" in render_report(report, "md", "labels")
    assert "Label equivalents" in render_report(report, "rich", "labels")
    rows = list(csv.DictReader(io.StringIO(render_report(report, "csv", "labels"))))
    assert {row["labels"] for row in rows if row["generator"] == "none"} == {"0", "1", "3"}
    save_report(report, tmp_path / "curves.svg", "svg", "labels")
    assert "<svg" in (tmp_path / "curves.svg").read_text()
    assert "Label equivalents" in render_html(report, Store(store))


def test_the_table_has_what_more_labels_bring(store: Path) -> None:
    (found,) = label_curves(built(store))
    means = [f"{100 * point.mean:.1f}" for point in found.means[AA_LARGE]]
    lines = render_report(built(store), "md", "labels").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    (row,) = (row for row in cells if row[:2] == ["svm", "AA (4 of 5)"])
    assert [cell.split(" ")[0] for cell in row[2:]] == means


def test_the_points_of_a_curve_stand_below_what_they_are_a_curve_of(store: Path) -> None:
    assert [table.condition.protocol for table in built(store).tables] == ["issd", "added", "added"]


def test_where_the_predictions_are_gone_the_verdict_says_nothing_of_labels(store: Path) -> None:
    assert "Label equivalents" not in render_report(build_report(Store(store).read().records), "md")


def test_what_cannot_be_asked_is_said(store: Path) -> None:
    with pytest.raises(InputError, match="hsiaug worth SCENE"):
        render_report(build_report([], store=str(store)), "md", "labels")
