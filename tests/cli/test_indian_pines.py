"""The main job, on the real Indian Pines, as the README says it."""

from pathlib import Path

import pytest

from hsiaug.trial.store import Store
from tests.in_process import hsiaug

pytestmark = pytest.mark.indian_pines


def test_the_main_job_ends_with_a_table_an_audit_and_records(tmp_path: Path) -> None:
    store = tmp_path / "store"
    answer = hsiaug(
        *(
            "benchmark",
            "indian_pines",
            "--generator",
            "smote",
            "--classifier",
            "svm,rf",
            "--lambda",
            "0.5",
        ),
        # A tenth of the trees: what they say is not looked at here.
        *("--times", "0", "--set", "rf.trees=30", "--seeds", "2", "--store", str(store)),
    )
    assert answer.returncode == 0, answer.stderr

    records = list(Store(store).each())
    assert len(records) == 2 * (3 * 2 + 1)
    assert {r["status"] for r in records} == {"ok"}
    for words in (
        "smote, λ = 0.5 · 2 splits: 518 training",
        "no synthetic samples",
        "smote minus",
        "of 16 classes",
        "Location alone, without any band",
    ):
        assert words in answer.stdout
    by_arm = {
        (r["spec"]["generator"]["name"], r["spec"]["classifier"]["name"], r["spec"]["seed"]): r
        for r in records
    }
    assert by_arm["smote", "svm", 0]["samples"]["synthetic"][10] == 0
    assert by_arm["smote", "svm", 0]["samples"]["synthetic"][8] == 62 - 3
    assert 0.35 < by_arm["none", "svm", 0]["metrics"]["oa"] < 0.6
