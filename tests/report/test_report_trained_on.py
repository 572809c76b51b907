"""Reports of classifiers that learnt from synthetic samples alone."""

import csv
import io
from typing import Any

import pytest
from report_records import headline, record

from hsiaug.base.errors import InputError
from hsiaug.report import Report, build_report, render_report
from hsiaug.report.comparison import compare_configurations

DRAWS = range(8)


def records(generator: str = "smote", **spec: Any) -> list[dict[str, Any]]:
    """AA of none 40 %, of duplicate 41 %, of both 50 %, of synthetic samples alone 45 %; a point
    more in each draw.
    """
    arms = [
        ("none", None, 0.40),
        ("duplicate", None, 0.41),
        (generator, None, 0.50),
        (generator, "synthetic", 0.45),
    ]
    return [
        record(
            aa=aa + 0.01 * seed + 0.001 * (seed % 3) * (train is not None),
            seed=seed,
            generator=name,
            train=train,
            **spec,
        )
        for name, train, aa in arms
        for seed in DRAWS
    ]


def report(found: list[dict[str, Any]]) -> Report:
    return build_report(found, store="results")


def test_such_an_arm_is_not_judged_and_changes_no_verdict() -> None:
    found = records()
    (whole,), (plain,) = (
        report(some).tables
        for some in (found, [one for one in found if "train" not in one["spec"]])
    )
    assert headline(whole) == headline(plain)
    assert [gain.verdict for gain in whole.gains] == [gain.verdict for gain in plain.gains]
    assert [arm.generator.train for arm, _ in whole.by_arm] == ["both", "both"]
    said = render_report(report(found), "md", "generator")
    assert "smote synthetic-only" in said and "## Trained on synthetic samples alone" in said
    assert "Trained on synthetic samples" in render_report(report(found), "md", "summary")


def test_a_control_is_never_one_of_synthetic_samples_alone() -> None:
    """``pseudo`` may be asked for itself; its newer arm of synthetic samples is no control of
    others.
    """
    seeing = {"generator": "scene", "classifier": "none"}
    found = [*records("pseudo"), *records("txt2hsi")[2 * len(DRAWS) : 3 * len(DRAWS)]]
    for one in found:
        one["scope"] = seeing
        one["created"] = "2026-01-01" if one["spec"].get("train") else "2025-01-01"
    (table,) = report(found).tables
    (gains,) = (one for (arm, _), one in table.by_arm.items() if arm.generator.name == "txt2hsi")
    control = gains["pseudo"].control_cell
    assert control is not None and control.arm.generator.train == "both"


def test_compare_names_such_arms_and_a_name_without_the_word_is_that_of_both() -> None:
    found = report(records())
    for typed in ("smote synthetic-only/svm", "smote synthetic-only@1/svm"):
        (pairing,) = compare_configurations(found, "smote/svm", typed).pairings
        a, b = pairing.gain.control_cell, pairing.gain.cell
        assert a is not None and a.arm == b.arm.both and b.arm.generator.train == "synthetic"
    with pytest.raises(InputError, match="smote synthetic-only"):
        compare_configurations(found, "none/svm", "smote synthetic/svm")


def test_files_for_machines_say_what_was_learnt_from() -> None:
    found = report(records())
    (table,) = found.tables
    ((alone, against),) = table.synthetic_only.items()
    assert alone not in table.by_arm and set(against) == {"none", "both"}
    assert against["both"].mean == pytest.approx(-0.049, abs=2e-4)
    lines = csv.DictReader(io.StringIO(render_report(found, "csv")))
    assert [line["train"] for line in lines].count("synthetic") == len(DRAWS)
