"""Damaged records: named with every table, in every form of the report, and never a number of
it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from report_records import benchmark, fill, hash_of, spec_of

from hsiaug.report import build_report, render_html, render_report
from hsiaug.trial.record import Damage
from hsiaug.trial.store import Store
from tests.in_process import hsiaug


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two scenes, three draws; the AA of one record was edited, and one file is no JSON."""
    root = fill(tmp_path / "store", [*benchmark(3), *benchmark(3, scene="pavia")])
    edit(root, EDITED, "metrics", "aa", 9.99)
    path(root, CUT).write_text("{")
    return root


EDITED = hash_of(spec_of("smote", "svm", 0))
CUT = hash_of(spec_of("mixup", "svm", 1))


def path(root: Path, hash: str) -> Path:
    return root / "records" / hash[:2] / hash / "record.json"


def edit(root: Path, hash: str, part: str, key: str, value: Any) -> None:
    record = json.loads(path(root, hash).read_text())
    record[part][key] = value
    path(root, hash).write_text(json.dumps(record))


def rendered(root: Path, **how: str) -> str:
    read = Store(root).read()
    return render_report(build_report(read.records, store=str(root), damaged=read.damaged), **how)


def test_the_commands_go_on_and_say_so_on_stderr(store: Path) -> None:
    for words in (
        ("report", "--store", str(store), "--format", "csv"),
        ("compare", "none/svm", "smote/svm", "--store", str(store)),
    ):
        answer = hsiaug(*words)
        assert answer.returncode == 0, answer.stderr
        assert f"damaged record {EDITED}: metrics.aa (9.99)" in answer.stderr
        assert "9.99" not in answer.stdout


def test_one_record_is_refused_with_its_file_and_key(store: Path) -> None:
    answer = hsiaug("report", "--trial", EDITED, "--store", str(store))
    assert answer.returncode == 2 and answer.stdout == ""
    assert str(path(store, EDITED)) in answer.stderr and "metrics.aa (9.99)" in answer.stderr
    assert "Run its benchmark again" in answer.stderr


def test_a_store_of_nothing_but_damage_is_not_called_empty(store: Path) -> None:
    for file in store.glob("records/??/*/record.json"):
        file.write_text(
            file.read_text().replace('"fit_classifier": 0.5', '"fit_classifier": "<script>"')
        )
    text = rendered(store)
    assert text.startswith("## Every record in ") and "more" in text and len(text) < 3000
    assert r"\<script\>" in text and "<script>" not in text


def test_a_page_of_damaged_records_alone_says_so() -> None:
    damage = Damage("0123456789abcdef", "it holds no JSON")
    page = render_html(build_report([], store="runs", damaged=[damage]))
    assert "Every record in runs is damaged: " in page and "no record in" not in page
