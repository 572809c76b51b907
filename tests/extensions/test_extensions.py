"""What docs/develop/architecture.md says of adding a section, a field, a metric and a classifier: in
so many files, seen in a report and in a record.

They are added to a copy of the package, in which one benchmark runs.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SECTION = """
import pandas as pd

from hsiaug.report.section import Frame, Section
from hsiaug.report.sections import SectionKind


def _section(table, sources):
    return Section("Trials in all", frames=(Frame("", pd.DataFrame({"trials": [61]})),))


SECTIONS = (SectionKind("own", _section, 99, views=("own",)),)
"""
CLASSIFIER = """
from hsiaug.api import Card


class Nearest:
    card = Card(name="nearest", version="1", summary="The nearest class mean", input="spectrum")

    def __init__(self, params):
        self.params = params

    def fit(self, samples, view, *, seed, device, progress):
        self.ids = sorted(set(samples.y.tolist()))
        self.means = [samples.centres[samples.y == c].mean(axis=0) for c in self.ids]
        return self

    def predict(self, patches):
        import numpy as np

        far = [((patches.centres - mean) ** 2).sum(axis=1) for mean in self.means]
        return np.array(self.ids)[np.argmin(far, axis=0)]
"""
SECTION_FILES = {"hsiaug/report/sections/own.py": ("", SECTION)}
FIELD_FILES = {
    "hsiaug/trial/record.py": (
        "class TrialRecord(PartialRecord):\n",
        '    live_threads: Count | None = Field(None, description="threads of the process.")\n\n\n'
        "class TrialRecord(PartialRecord):\n",
    ),
    "hsiaug/trial/plugin_calls.py": (
        '            "optimiser_steps": self.steps,\n',
        '            "optimiser_steps": self.steps,\n'
        '            "live_threads": __import__("threading").active_count(),\n',
    ),
}
METRIC_FILES = {
    "hsiaug/metrics/accuracy.py": (
        '        "worst_class": worst + 1,\n',
        '        "worst_class": worst + 1,\n        "best_recall": float(np.nanmax(recalls)),\n',
    ),
    "hsiaug/tasks/class_metrics.py": (
        "    worst_class: Annotated[int, Field(ge=1)]\n",
        "    worst_class: Annotated[int, Field(ge=1)]\n    best_recall: Score\n",
    ),
    "hsiaug/tasks/scores.py": (
        "    (MACRO_F1, WORST, SPREAD),\n",
        '    (MACRO_F1, WORST, SPREAD, Metric("best_recall", "best recall")),\n',
    ),
}
"""By file a line, and what comes in its place."""
CLASSIFIER_FILES = {"own_classifier.py": ("", CLASSIFIER)}

RUN = """
import hsiaug
from own_classifier import Nearest

if __name__ == "__main__":
    hsiaug.benchmark(
        "toy", "smote", ["svm", Nearest], seeds=2, store="store", jobs=1, progress=False
    )
    from hsiaug.cli.main import app

    for view in ("--by own", "--by classifier"):
        print("---", view)
        app(["report", "--store", "store", *view.split()], standalone_mode=False)
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict]]:
    """What reports print, and the records."""
    folder = tmp_path_factory.mktemp("extended")
    skipped = shutil.ignore_patterns("__pycache__")
    for package in ("hsiaug", "plugins"):
        shutil.copytree(ROOT / package, folder / package, ignore=skipped)
    for files in (SECTION_FILES, FIELD_FILES, METRIC_FILES, CLASSIFIER_FILES):
        for name, (line, new) in files.items():
            path = folder / name
            text = path.read_text("utf-8") if line else ""
            assert line in text, f"{name} has no line {line!r}"
            path.write_text(text.replace(line, new, 1), "utf-8")
    (folder / "run.py").write_text(RUN, "utf-8")
    paths = os.pathsep.join([str(folder), str(folder / "plugins")])
    ended = subprocess.run(
        [sys.executable, "run.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    records = [json.loads(path.read_text("utf-8")) for path in folder.rglob("record.json")]
    return ended.stdout, records


def test_a_section_of_a_report_is_one_file(extended) -> None:
    printed, _ = extended
    assert "Trials in all" in printed.partition("--- --by own")[2]
    assert len(SECTION_FILES) == 1


def test_a_field_of_a_record_is_two_files(extended) -> None:
    _, records = extended
    assert records and all(record["live_threads"] >= 1 for record in records)
    assert len(FIELD_FILES) == 2


def test_a_metric_is_at_most_four_files(extended) -> None:
    printed, records = extended
    assert all(
        record["metrics"]["best_recall"] == max(filter(None, record["metrics"]["recall"]))
        for record in records
    )
    assert "best recall" in printed.partition("--- --by classifier")[2]
    assert len(METRIC_FILES) <= 4


def test_a_classifier_is_one_file(extended) -> None:
    printed, records = extended
    assert {record["spec"]["classifier"]["name"] for record in records} >= {"svm", "nearest"}
    assert "nearest" in printed.partition("--- --by classifier")[2]
    assert len(CLASSIFIER_FILES) == 1
