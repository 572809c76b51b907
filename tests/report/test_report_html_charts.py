"""Charts of the page that stand beside the tables: cost against gain, and location under each protocol."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from html_pages import Node, parsed, table_named
from hypothesis import given
from hypothesis import strategies as st
from report_records import audit_of, benchmark, record

from hsiaug.base.errors import InputError
from hsiaug.report import build_report, figure_of, render_html, save_picture
from hsiaug.report.costs import costed_arms
from hsiaug.report.html.scales import round_limit
from hsiaug.report.positions import apart, shortened


def page_of(records: list[dict[str, Any]]) -> Node:
    return parsed(render_html(build_report(records, store="results")))


def timed(made: dict[str, Any], **timings: float) -> dict[str, Any]:
    return {**made, "timings": {**timings, "total": 99.0}}


def costed() -> list[dict[str, Any]]:
    """A generator whose samples the second classifier reuses: its sampling took 3 s once."""
    records = []
    for seed in range(3):
        for i, classifier in enumerate(("rf", "svm")):
            aa = 0.5 + 0.1 * seed
            records.append(
                timed(record(aa, aa, classifier=classifier, seed=seed), fit_generator=0, fit_classifier=2)
            )
            made = record(aa, aa + 0.01 * (1 + seed), generator="smote", classifier=classifier, seed=seed)
            records.append(timed(made, fit_generator=4, sample=(3, 0)[i], fit_classifier=2))
    return records


def test_cost_is_fit_sampling_and_training_also_where_they_were_reused() -> None:
    (table,) = build_report(costed()).tables
    for classifier in table.classifiers:
        found = [(arm.cell.arm.generator.name, arm.seconds, arm.mean) for arm in costed_arms(table, classifier)]
        assert found == [("smote", 9.0, pytest.approx(2.0)), ("none", 2.0, 0.0)]


def names_beside(records: list[dict[str, Any]]) -> dict[str, float]:
    """The names beside the marks of the one panel of cost, and where they stand, as shares of its height."""
    (panel,) = figure_of(build_report(records), "cost").axes
    return {text.get_text(): text.get_position()[1] for text in panel.texts}


def test_every_mark_of_cost_has_its_name_beside_it_and_no_name_lies_on_another() -> None:
    records = benchmark(2, ("none", *(f"g{i}" for i in range(11))), ("svm",))
    heights = sorted(names_beside([timed(r, fit_classifier=1.0) for r in records]).values())
    assert len(heights) == 12
    assert all(above - below >= 0.07 for below, above in pairwise(heights))


def test_of_a_sweep_the_arm_of_each_generators_largest_gain_is_named() -> None:
    records = [timed(r, fit_classifier=1.0) for r in benchmark(2, ("none",), ("svm",))]
    for i, lam in enumerate((0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)):
        for name, sign in (("mixup", -1), ("smote", 1)):
            for seed in range(2):
                made = record(0.5, 0.5 + 0.01 * sign * i, generator=name, lam=lam, seed=seed)
                records.append(timed(made, fit_generator=1.0, fit_classifier=1.0))
    assert sorted(names_beside(records)) == ["mixup λ=0.5", "none", "smote λ=3.5"]


def test_the_page_shows_the_figures_of_the_files() -> None:
    swept = [record(0.5, 0.5, generator="smote", lam=lam, seed=s) for lam in (1.0, 2.0) for s in range(2)]
    shown = [one.attributes["alt"] for one in page_of([*swept, *benchmark(2, ("none",), ("svm",))]).all("img")]
    assert shown[-2:] == ["OA and AA against λ", "ΔAA to none (points) against seconds"]


def test_without_none_or_times_there_is_no_cost() -> None:
    assert "Cost against gain" not in page_of([r for r in costed() if r["spec"]["lambda"]]).text
    untimed = [{**r, "timings": {}} for r in costed()]
    assert "Cost against gain" not in page_of(untimed).text
    with pytest.raises(InputError, match="by cost needs a generator beside none"):
        figure_of(build_report(untimed), "cost")


def test_cost_is_a_picture_file_with_the_names_of_the_arms(tmp_path: Path) -> None:
    path = tmp_path / "cost.svg"
    save_picture(build_report(costed()), path, "svg", "cost")
    text = path.read_text(encoding="utf-8")
    assert all(f"<!-- {name} -->" in text for name in ("smote λ=1", "none", "rf", "svm", "5 s"))


def under_protocols() -> list[dict[str, Any]]:
    """A leaky protocol under which location answers for more than under another."""
    protocols = {("random", "0.05", "none"): (0.9, 0.8), ("issd", "0.05", "centre"): (0.3, 0.6)}
    records = []
    for protocol, (location, spectra) in protocols.items():
        for seed in range(2):
            leaky = {"audit": audit_of(seed, leaky=protocol[0] == "random")}
            coords = location + 0.02 * seed
            records.append(record(coords, coords, classifier="coords", protocol=protocol, seed=seed, **leaky))
            records.append(record(spectra, spectra, protocol=protocol, seed=seed, **leaky))
    return records


def test_protocols_stand_beside_what_location_alone_reaches_least_first() -> None:
    rows = table_named(page_of(under_protocols()), "AA (%) of none by protocol, indian-pines")
    assert [[cell.text for cell in row] for row in rows] == [
        ["issd:0.05, centre buffer", "31.0 [18.3, 43.7]", "60.0 [60.0, 60.0]"],
        ["random:0.05, no buffer, LEAKY", "91.0 [78.3, 100.0]", "80.0 [80.0, 80.0]"],
    ]
    assert "Location under each protocol" not in page_of(benchmark(2)).text, (
        "of one protocol there is nothing to compare"
    )


@given(st.lists(st.integers(0, 100), min_size=1, max_size=12).map(sorted), st.integers(1, 20))
def test_names_keep_their_order_and_their_distance(wanted: list[int], step: int) -> None:
    placed = apart(wanted, step, 0, 300)
    assert all(b - a >= step - 1e-6 for a, b in pairwise(placed))
    assert placed[0] >= -1e-6 and placed[-1] <= 300 + 1e-6
    if all(b - a >= step for a, b in pairwise(wanted)):
        assert placed == pytest.approx(wanted), "what has room stays"


def test_a_scale_ends_at_a_round_number_that_most_fields_stay_below() -> None:
    assert round_limit([]) == round_limit([0.001]) == 0.01
    assert round_limit([0.04] * 99 + [0.9]) == 0.05, "one class of three pixels does not wash out the others"
    assert round_limit([0.9]) == 1.0


def test_a_long_name_keeps_its_end() -> None:
    short = shortened("txt2hsi gate=3.0 strength=0.1 λ=1 ω=3", 20)
    assert len(short) <= 20 and short.startswith("txt2hsi") and short.endswith("λ=1 ω=3")
