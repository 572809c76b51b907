"""Gains: an arm over a control, which everything else reads."""

import math

import pytest
from report_records import benchmark, record

from hsiaug.report import build_report
from hsiaug.report.gains import by_arm, in_points, rival_of
from hsiaug.report.render_data import data_rows
from hsiaug.report.tables import ReportTable


def table_of(records: list[dict]) -> ReportTable:
    (table,) = build_report(records).tables
    return table


def test_a_row_for_each_arm_and_control_also_where_nothing_can_be_paired() -> None:
    """``smote`` has another λ than ``duplicate``, which has none of itself."""
    table = table_of(
        [
            record(generator="none"),
            record(generator="duplicate", lam=0.5),
            record(generator="smote"),
        ]
    )
    rows = {(row.cell.arm.generator.name, row.control): row for row in table.gains}
    assert {names: row.draws for names, row in rows.items()} == {
        ("duplicate", "none"): 1,
        ("duplicate", "duplicate"): 0,
        ("smote", "none"): 1,
        ("smote", "duplicate"): 0,
    }
    alone = rows["smote", "duplicate"]
    assert alone.control_cell is None and math.isnan(alone.mean) and alone.main.ends is None
    assert [(row["generator"], row["over"]) for row in data_rows(build_report([]), "gain")] == []
    assert len(table.compared) == 2


def test_rows_of_an_arm_share_verdict_and_rival() -> None:
    table = table_of(benchmark(8))
    for arm in by_arm(table.gains).values():
        assert len({row.verdict and str(row.verdict) for row in arm.values()}) == 1
        assert sum(row.rival for row in arm.values()) <= 1
    judged = [rival_of(arm) for arm in table.judged]
    assert [rival.control for rival in judged if rival] == ["duplicate"] * 4


@pytest.mark.parametrize("draws", [5, 6])
def test_few_draws_have_a_range_and_others_an_interval(draws: int) -> None:
    records = [
        record(
            0.5, 0.4 + better + 0.01 * seed * (generator == "smote"), generator=generator, seed=seed
        )
        for generator, better in (("none", 0.0), ("duplicate", 0.001), ("smote", 0.05))
        for seed in range(draws)
    ]
    gain = table_of(records).by_arm
    (row,) = (arm["none"] for (by, _), arm in gain.items() if by.generator.name == "smote")
    assert row.main.ends is not None and row.main.ends.is_interval == (draws == 6)
    in_file = in_points(row.main)
    low, high = row.main.interval or (None, None)
    assert (in_file["low"], in_file["high"]) == (low and 100 * low, high and 100 * high)
    assert (low is None) == (draws == 5)
    assert in_file["smallest"] == pytest.approx(5) and in_file["mean"] == pytest.approx(
        100 * row.mean
    )
