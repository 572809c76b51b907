"""What stands in brackets beside a difference, and what is said of it."""

import pytest
from report_records import record

from hsiaug.metrics.significance import MARGIN, Ends, equivalence
from hsiaug.report import build_report, render_report
from hsiaug.report.findings import words_note
from hsiaug.report.formatting import ends_text
from hsiaug.report.paper import methods_paragraph
from hsiaug.report.tables import ReportTable
from hsiaug.report.two_arms import compare_arms, comparison_tables

NEAR = [
    side * (limit + step)
    for side in (-1, 1)
    for limit in (0.0, MARGIN)
    for step in (-0.02, -0.0005, -0.00029, -1e-6, 0.0, 1e-6, 0.00029, 0.0005, 0.02)
]
"""Ends at and beside the differences that words rest on."""


def printed(low: float, high: float) -> tuple[float, float]:
    text = ends_text(Ends(low, high, is_interval=True)).replace("−", "-")
    first, second = text.strip("[]").split(", ")
    return float(first) / 100, float(second) / 100


@pytest.mark.parametrize("low", NEAR)
def test_printed_ends_show_what_the_interval_shows(low: float) -> None:
    for high in (end for end in NEAR if end >= low):
        first, second = printed(low, high)
        if low * high > 0:
            assert first * second > 0, (low, high)
        if equivalence((low, high)) != "open":
            assert equivalence((first, second)) == equivalence((low, high)), (low, high)


def test_an_end_has_one_digit_where_that_is_enough() -> None:
    assert ends_text(Ends(-0.0525, -0.00029, is_interval=True)) == "[−5.2, −0.03]"
    assert ends_text(Ends(-0.0004, 0.0525, is_interval=True)) == "[0.0, +5.2]"
    # 0 but for rounding.
    assert ends_text(Ends(3e-14, 0.002, is_interval=True)) == "[0.0, +0.2]"
    assert ends_text(Ends(-0.0004, 0.0097, is_interval=False)) == "(0.0 to +1.0)"


ARMS = {"none": 0.0, "duplicate": 0.001, "mixup": 0.02, "smote": 0.03}
"""What each gains, more with every draw."""


def records_of(draws: int) -> list[dict]:
    return [
        record(aa=0.4 + gain + 0.001 * seed * (name != "none"), seed=seed, generator=name)
        for name, gain in ARMS.items()
        for seed in range(draws)
    ]


def table_of(draws: int) -> ReportTable:
    (table,) = build_report(records_of(draws)).tables
    return table


def test_copies_are_said_to_be_corrected_apart_and_are() -> None:
    table = table_of(8)
    over_none = [arm["none"] for arm in table.by_arm.values()]
    families = {gain.cell.arm.generator.name: gain.main for gain in over_none}
    assert [families[name].family for name in ("duplicate", "mixup", "smote")] == [1, 2, 2]
    assert families["duplicate"].p_corrected == families["duplicate"].p
    said = words_note(table.by_arm.values())
    assert said.endswith(
        "[ ]: 95 % interval, corrected separately for 2 comparisons over none, 2 over other controls and"
        " 1 of duplicate over none."
    )
    assert words_note(table.judged).endswith(
        "corrected separately for 2 comparisons over none and 2 over other controls."
    )


def test_comparisons_of_too_few_draws_are_not_counted() -> None:
    records = [*records_of(8), record(aa=0.5, seed=0, generator="noise")]
    (table,) = build_report(records).tables
    assert "corrected separately for 2 comparisons over none, 2 over other" in words_note(
        table.by_arm.values()
    )
    found = {arm["none"].cell.arm.generator.name: arm["none"].main for arm in table.judged}
    assert (found["noise"].p, found["smote"].family) == (None, 2)


def test_brackets_are_explained_where_they_stand() -> None:
    assert "( )" not in words_note(table_of(8).by_arm.values())
    few = words_note(table_of(3).by_arm.values())
    assert few.endswith(" ( ), below 6 draws: smallest to largest.") and "[ ]" not in few


def test_a_comparison_of_one_arm_is_not_said_to_be_corrected() -> None:
    records = [one for one in records_of(8) if one["spec"]["generator"]["name"] != "mixup"]
    (table,) = build_report(records).tables
    assert words_note(table.by_arm.values()).endswith("[ ]: 95 % interval.")
    assert "(step-down max-T)." in render_report(build_report(records), "md")


@pytest.mark.parametrize(
    ("a", "b", "corrected"),
    [
        ("none", "duplicate", ""),
        ("none", "smote", ", corrected for 2 comparisons over none"),
        ("duplicate", "smote", ", corrected for 2 comparisons over other controls"),
        ("mixup", "smote", ", corrected for 3 comparisons (those over none, and this one)"),
    ],
)
def test_a_comparison_says_which_its_p_is_corrected_for(a: str, b: str, corrected: str) -> None:
    report = build_report(records_of(8))
    found = compare_arms(report, f"{a}/svm", f"{b}/svm")
    (page,) = comparison_tables(found, "results").sections
    assert f" (p = .008{corrected})." in " ".join(page.closing)


def test_notes_terminal_and_paper_count_comparisons_alike() -> None:
    report = build_report(records_of(8))
    (table,) = report.tables
    said = (
        "separately for 2 comparisons over none, 2 over other controls and 1 of duplicate over none"
    )
    assert f"(step-down max-T) {said}." in render_report(report, "md")
    assert f"by the step-down max-T procedure {said};" in methods_paragraph(table)
    terminal = " ".join(render_report(report, "rich", by="summary").split())
    assert f"corrected {said}." in terminal
