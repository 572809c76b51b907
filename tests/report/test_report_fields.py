"""Scores in seen and in new fields, from records to every format; and verdicts that are the same
wherever they stand.
"""

import csv
import html
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from report_records import audit_of, failure, record

from hsiaug.metrics.accuracy import score
from hsiaug.metrics.significance import Finding
from hsiaug.report import build_report, render_html, render_report
from hsiaug.report.two_arms import compare_arms, comparison_tables

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


def test_classes_with_few_test_pixels_in_either_kind_of_field_are_named_with_their_number() -> None:
    records = store()
    assert "AA new holds classes" not in render_report(build_report(records), "md")

    for one in records:
        one["audit"]["new_counts"] = [100, 1 + 2 * one["spec"]["seed"], 0]
    report = build_report(records)
    said = (
        "AA new holds classes with fewer than 25 test pixels in new fields of some draw, where one"
        " pixel is 4 points of recall and more: corn_notill (1–5)."
    )
    terminal = " ".join(render_report(report, "rich", by="summary").split())
    found = {
        render_report(report, "md").replace("\\", ""): "the notes",
        html.unescape(render_html(report)): '"What the numbers are"',
        terminal: "the notes",
    }
    for text, where in found.items():
        assert said in text and "AA seen holds" not in text
        few = "0 and 1 of their classes have fewer than 25 test pixels in some draw"
        assert f"{few}, see {where})" in text
        assert re.search(
            r"has the highest AA( \(2 of 3\))?( \(it is .* another\))?\. Its AA seen is", text
        )


def test_machines_get_them_as_fractions() -> None:
    report = build_report(store())
    rows = list(csv.DictReader(io.StringIO(render_report(report, "csv"))))
    assert float(rows[0]["aa_seen"]) == 0.6 and float(rows[0]["aa_new"]) == pytest.approx(0.2)


def test_two_arms_are_compared_in_either_kind_of_field() -> None:
    report = build_report(store())
    found = compare_arms(report, "none/svm", "smote/svm")
    scores = comparison_tables(found, "results").sections[0].tables[0]
    said = {row[0].text: row[3].text for row in scores.rows}
    assert said["AA seen"] == "+10.0 ± 0.0" and said["AA new"] == "0.0 ± 0.0"
    asked = compare_arms(report, "none/svm", "smote/svm", metric="aa_new").pairings[0]
    assert asked.score.name == "AA new" and asked.gain.mean == 0


@st.composite
def stores(draw: st.DrawFn) -> list[dict[str, Any]]:
    """none, duplicate and two generators with any gains; some trials failed."""
    draws = draw(st.sampled_from([3, 7, 9, 11]))
    made = []
    for generator in ("none", "duplicate", "mixup", "smote"):
        shift = draw(st.sampled_from([-60, 0, 0, 60]))
        for seed in range(draws):
            aa = 0.5 + (shift + draw(st.integers(-30, 30))) / 1000 * (generator != "none")
            known = {"generator": generator, "seed": seed}
            made.append(record(0.6, aa, **known) if draw(st.integers(0, 11)) else failure(**known))
    return made


def concluded(said: set[str]) -> set[Finding]:
    """What the words of ``compare`` against both controls make of an arm."""
    if said == {"B above A"}:
        return {"helps"}
    if "too few draws" in said:
        return {"too few draws"} | ({"gains"} if "B above A" in said else set())
    unshown: set[Finding] = {"equivalent", "not better", "open"}
    return (
        {"hurts"}
        if said == {"B below A"}
        else unshown | ({"gains"} if "B above A" in said else set())
    )
