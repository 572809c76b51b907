"""Asked labels in reports: every arm by how many were asked for, against none with none of them, in paired draws."""

from __future__ import annotations

from typing import Any

import pytest

from hsiaug.report import build_report, render_report
from hsiaug.report.asked_labels import asked_pages
from tests.report.report_records import record

GAINS = {
    "0:issd:0.05": 0.0,
    "16xsuggest:issd:0.05": 0.08,
    "8xsuggest:issd:0.05": 0.04,
    "16xrandom:issd:0.05": 0.02,
}


def asked(argument: str, gain: float, scene: str = "one") -> list[dict[str, Any]]:
    """``none`` and, 0.03 above it, ``smote`` in three draws that differ."""
    return [
        record(
            0.5,
            0.4 + 0.05 * seed + gain + more,
            generator=generator,
            seed=seed,
            protocol=("asked", argument, "centre"),
            scene=scene,
        )
        for generator, more in (("none", 0.0), ("smote", 0.03))
        for seed in range(3)
    ]


def test_a_grid_shows_every_arm_by_number_and_strategy_with_its_paired_gain() -> None:
    (page,) = asked_pages(build_report([one for item in GAINS.items() for one in asked(*item)]))
    (grid,) = page.grids

    heads = [(column.group, column.header) for column in grid.columns[grid.keys :]]
    assert heads == [("", "0 asked"), ("suggest", "8 asked"), ("suggest", "16 asked"), ("random", "16 asked")]
    rows = {row[1].text: [entry.text for entry in row[grid.keys :]] for row in grid.rows}
    assert rows["none"][0] == "45.0" and rows["none"][2] == "53.0 (+8.0 [+8.0, +8.0])"
    assert rows["smote"][0] == "48.0 (+3.0 [+3.0, +3.0])"
    assert rows["smote"][3] == "50.0 (+5.0 [+5.0, +5.0])"
    assert "16 labels are 5.3 per class" in grid.heading


def test_scenes_have_grids_of_their_own_and_one_table_alone_has_none() -> None:
    both = [one for scene in ("one", "two") for item in GAINS.items() for one in asked(*item, scene)]

    assert len(asked_pages(build_report(both))[0].grids) == 2
    assert not asked_pages(build_report(asked("16xsuggest:issd:0.05", 0.08)))
    assert not asked_pages(build_report([record(0.5, 0.5, seed=seed) for seed in range(3)]))


@pytest.mark.parametrize("format", ["md", "rich", "tex", "html"])
def test_every_format_shows_them(format: str) -> None:
    said = render_report(build_report([one for item in GAINS.items() for one in asked(*item)]), format)

    assert "Labels that were asked for" in said and "+8.0" in said
