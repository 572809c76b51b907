"""What reports show of what prompts say: from records alone."""

from typing import Any

import pytest
from html_pages import parsed, table_named
from report_records import benchmark, record

from hsiaug.report import build_report, render_html, render_report
from hsiaug.report.render_data import csv_of, data_rows
from hsiaug.report.sections.said_seen import said_grid

pytestmark = pytest.mark.usefixtures("blank_pictures")

HEADING = "What samples show of what prompts say, in percent: indian-pines"


def reading(seed: int, centre: float, omega: float, **spec: Any) -> dict[str, Any]:
    """The record of a trial of a generator that reads text."""
    made = record(generator="txt2hsi", seed=seed, omega=omega, **spec)
    said = {"centre": centre, "centre_real": 0.9, "side": 0.4, "side_real": 0.8, "oracle": 0.875}
    return {**made, "said_and_seen": {**said, "not_said": 0.05, "layouts": 16, "samples": 200}}


def records() -> list[dict[str, Any]]:
    """Two draws; each ω with two λ, which share what is seen."""
    return [
        *benchmark(2),
        *(
            reading(seed, 0.5 + 0.1 * seed + 0.1 * omega, omega, lam=lam)
            for omega in (0.0, 1.0)
            for lam in (0.5, 1.0)
            for seed in (0, 1)
        ),
    ]


def test_a_row_is_a_generator_at_an_omega_over_its_draws() -> None:
    (table,) = build_report(records(), store="results").tables
    rows = [[entry.text for entry in row] for row in said_grid(table).rows]
    assert [row[:8] for row in rows] == [
        ["txt2hsi", "0", "55", "90", "40", "80", "5", "–"],
        ["txt2hsi", "1", "65", "90", "40", "80", "5", "–"],
    ]


def test_the_page_and_texts_show_it_with_the_rate_of_the_oracle() -> None:
    report = build_report(records(), store="results")
    page = render_html(report)
    assert len(table_named(parsed(page), HEADING)) == 2
    assert "it names 88 % of other held-out pixels rightly" in page
    assert HEADING in render_report(report, "md", "generator")
    assert HEADING in " ".join(render_report(report, "rich", "summary").split())


def test_records_without_it_give_no_section() -> None:
    page = render_html(build_report(benchmark(2), store="results"))
    assert "Said and seen" not in page


def test_rows_of_data_have_its_columns() -> None:
    header, *_ = csv_of(data_rows(build_report(records(), store="results"))).splitlines()
    assert {"text_centre", "text_side_real", "text_oracle"} <= set(header.split(","))
