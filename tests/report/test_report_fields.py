"""Scores in seen and in new fields, from records to every format; and verdicts that are the same
wherever they stand.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from report_records import audit_of, record

from hsiaug.metrics.accuracy import score
from hsiaug.report import build_report, render_report
from hsiaug.report.comparison import compare_configurations, comparison_tables

WHOLE = np.diag([100, 100, 100])


def scored(
    made: dict[str, Any], seen: Sequence[float], new: Sequence[float | None]
) -> dict[str, Any]:
    """The record with these recalls of 100 test pixels of each class in seen fields and, but for
    None, in new ones.
    """
    parts = []
    for recalls in (seen, new):
        matrix = np.zeros((3, 3), dtype=np.int64)
        for i, share in enumerate(recalls):
            if share is not None:
                matrix[i, i] = round(100 * share)
                matrix[i, (i + 1) % 3] = 100 - matrix[i, i]
        parts.append(matrix)
    counts = [part.sum(axis=1).tolist() for part in parts]
    missing = [c for c, n in enumerate(counts[1], start=1) if not n]
    audit = audit_of(
        made["spec"]["seed"],
        n_test=sum(map(sum, counts)),
        test_counts=[a + b for a, b in zip(*counts, strict=True)],
        fields="connected components",
        seen_counts=counts[0],
        new_counts=counts[1],
        no_seen_classes=[],
        no_new_classes=missing,
    )
    return {**made, "metrics": score(parts[0] + parts[1], {}, parts[1]), "audit": audit}


def store(draws: int = 3, gain: float = 0.1) -> list[dict[str, Any]]:
    """none, duplicate and smote; smote gains in seen fields alone. Oats have no new field."""
    made = []
    for generator, more in (("none", 0.0), ("duplicate", 0.01), ("smote", gain)):
        for seed in range(draws):
            seen = [0.6 + 0.05 * seed + more] * 3
            made.append(
                scored(record(generator=generator, seed=seed), seen, [0.3 + 0.02 * seed, 0.1, None])
            )
    return made


def test_a_matrix_gives_the_scores_of_seen_and_of_new_fields_with_their_classes() -> None:
    new = np.array([[10, 0, 0], [5, 5, 0], [0, 0, 0]])
    found = score(np.diag([40, 20, 8]) + new, {}, new)["fields"]

    assert found["new"] == {
        "oa": 0.75,
        "aa": 0.75,
        "n_classes": 2,
        "recall": [1.0, 0.5, None],
        "n_test": [10, 10, 0],
    }
    assert found["seen"]["recall"] == [1.0, 1.0, 1.0] and found["seen"]["n_test"] == [40, 20, 8]
    assert found["new_confusion"] == new.tolist()


def test_where_no_class_can_be_asked_there_is_no_number() -> None:
    found = score(WHOLE, {}, np.zeros((3, 3), dtype=np.int64))["fields"]["new"]
    assert found["aa"] is found["oa"] is None and found["n_classes"] == 0
    assert "fields" not in score(WHOLE, {})


def test_machines_get_them_as_fractions() -> None:
    report = build_report(store())
    rows = list(csv.DictReader(io.StringIO(render_report(report, "csv"))))
    assert float(rows[0]["aa_seen"]) == 0.6 and float(rows[0]["aa_new"]) == pytest.approx(0.2)


def test_two_arms_are_compared_in_either_kind_of_field() -> None:
    report = build_report(store())
    found = compare_configurations(report, "none/svm", "smote/svm")
    scores = comparison_tables(found, "results").sections[0].frames[0].frame
    said = dict(scores["B − A"])
    assert said["AA seen"] == "+10.0 ± 0.0" and said["AA new"] == "0.0 ± 0.0"
    asked = compare_configurations(report, "none/svm", "smote/svm", metric="aa_new").pairings[0]
    assert asked.score.name == "AA new" and asked.gain.mean == 0
