"""The main score: AA over the classes with at least 25 test pixels in every draw, from records of
any age.
"""

from pathlib import Path

import pytest

from hsiaug.protocol.audit import MIN_TEST_PIXELS
from hsiaug.report import build_report, render_report
from hsiaug.report.tables import ReportTable
from hsiaug.tasks.scores import AA_LARGE
from tests.in_process import hsiaug
from tests.report.report_records import audit_of, fill, record


def trials(counts: list[list[int]], gain: float = 0.1) -> list[dict]:
    """none and smote in as many draws as there are test counts; smote gains in the last class
    alone.
    """
    return [
        record(
            0.5,
            0.5,
            recall=[0.5, 0.5, 0.5 + shift],
            generator=name,
            seed=s,
            audit=audit_of(s, test_counts=own),
        )
        for name, shift in (("none", 0.0), ("duplicate", 0.0), ("smote", gain))
        for s, own in enumerate(counts)
    ]


def table_of(records: list[dict]) -> ReportTable:
    (table,) = build_report(records).tables
    return table


def test_a_class_counts_where_every_draw_has_enough_test_pixels_of_it() -> None:
    table = table_of(trials([[40, MIN_TEST_PIXELS, 90], [40, 50, MIN_TEST_PIXELS - 1]]))
    assert table.scores.main.name == "AA (2 of 3)"
    (smote,) = (cell for cell in table.cells.values() if cell.arm.generator.name == "smote")
    assert smote.values(AA_LARGE) == pytest.approx([0.5, 0.5])
    assert table.against(smote)["none"].mean == 0, "one small class is no gain"


def test_the_aa_of_a_record_has_the_name_that_reports_give_it(
    tmp_path: Path,
) -> None:
    records = trials([[40, 60, 3]] * 2)
    fill(tmp_path, records)
    shown = hsiaug(
        "report", "--trial", records[-1]["hash"], "--store", str(tmp_path)
    ).stdout.splitlines()
    assert "metrics.aa (AA all)\t0.5" in shown


@pytest.mark.parametrize("counts", [[40, 60, 30], [40, 3, 3], [3, 3, 3], [40, 60, 0]])
def test_where_all_tested_classes_are_large_or_fewer_than_two_the_score_is_plain_aa(
    counts: list[int],
) -> None:
    table = table_of(trials([counts] * 2))
    assert (table.scores.main.key, table.scores.main.name) == ("aa", "AA")


def test_scores_of_hidden_test_pixels_have_columns_where_a_protocol_hides_some() -> None:
    records = trials([[40, 60, 30]] * 2)
    assert "AA hidden" not in render_report(build_report(records), "md", "generator")
    for one in records:
        known = {"oa": 0.5, "aa": 0.4, "n_classes": 3, "recall": [0.4] * 3, "n_test": [9] * 3}
        one["metrics"]["visibility"] = {"shown": known, "hidden": {**known, "aa": 0.2}}
    text = render_report(build_report(records), "md", "generator")
    assert "AA hidden" in text and "20.0 ± 0.0" in text
