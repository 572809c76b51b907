"""``hsiaug report --format html``: files, options, and what a thousand trials cost."""

from pathlib import Path

import pytest
from html_pages import parsed
from report_records import benchmark, fill
from test_report_command import run

from tests.effort import calls

pytestmark = pytest.mark.usefixtures("blank_pictures")

CLASSES = 16


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("store"), benchmark(3))


def test_the_suffix_gives_a_page(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert run(store, "--out", out) == ""
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>\n")
    assert text == run(store, "--format", "html")
    assert parsed(text).all("section", id="t0-answers")


def test_a_page_of_a_thousand_trials_costs_little_and_less_than_five_megabytes(
    tmp_path: Path,
) -> None:
    generators = ("none", "duplicate", "noise", "mixup", "smote", "cvae", "wgan", "specdm")
    records = benchmark(21, generators, ("cnn2d", "hybridsn", "rf", "ssrn", "svm", "vit"))[:1000]
    store = fill(
        tmp_path / "store", records, [[100 + i * j for j in range(CLASSES)] for i in range(CLASSES)]
    )
    out = tmp_path / "report.html"
    # Six million today, where libraries are loaded for it; to draw its pictures takes as many again.
    assert calls(run, store, "--out", out) < 9_000_000
    # Its pictures, of which there are as many for few trials, are less than a megabyte.
    assert out.stat().st_size < 4_000_000
    assert "damaged" not in out.read_text(encoding="utf-8")
