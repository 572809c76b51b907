"""``hsiaug report --format html``: files, options, and how long a thousand trials take."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from html_pages import parsed
from report_records import benchmark, fill
from test_report_command import COMMAND, run

from hsiaug.errors import InputError

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
    assert parsed(text).all("section", id="verdict")


def test_samples_belong_to_a_page(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--quality belongs to a page"):
        run(store, "--format", "md", "--quality", tmp_path)


def test_a_thousand_trials_take_less_than_five_seconds_and_megabytes(tmp_path: Path) -> None:
    generators = ("none", "duplicate", "noise", "mixup", "smote", "cvae", "wgan", "specdm")
    records = benchmark(21, generators, ("cnn2d", "hybridsn", "rf", "ssrn", "svm", "vit"))[:1000]
    store = fill(tmp_path / "store", records, [[100 + i * j for j in range(CLASSES)] for i in range(CLASSES)])
    out = tmp_path / "report.html"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", COMMAND, str(store), "--out", str(out)], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Seconds that the process computed: the machine may be busy with other tests.
    assert (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime) < 5
    assert out.stat().st_size < 5_000_000
    assert "damaged" not in out.read_text(encoding="utf-8")
