"""Charts of the page that stand beside the tables: cost against gain, location under each protocol, ranks over scenes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from html_pages import Node, parsed
from hypothesis import given
from hypothesis import strategies as st
from report_records import audit_of, benchmark, record

from hsiaug.base.errors import InputError
from hsiaug.report import build_report, figure_of, render_html, save_picture
from hsiaug.report.html.scales import round_limit
from hsiaug.report.positions import apart, decades, labelled, shortened
from hsiaug.report.rankings import rankings, too_few


def page_of(records: list[dict[str, Any]]) -> Node:
    return parsed(render_html(build_report(records, store="results")))


def chart(page: Node, beginning: str) -> Node:
    (found,) = [svg for svg in page.all("svg") if svg.attributes.get("aria-label", "").startswith(beginning)]
    return found


def said(node: Node) -> list[str]:
    """What every mark says: the name of its group, and its own values."""
    return [
        f"{group.attributes['data-of']}: {mark.attributes['data-tip']}"
        for group in node.all("g")
        if "data-of" in group.attributes
        for mark in group.every()
        if "data-tip" in mark.attributes
    ]


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
    page = page_of(costed())
    for classifier in ("rf", "svm"):
        assert said(chart(page, f"ΔAA to none (points) against seconds, {classifier}")) == [
            "smote λ=1: 9 s, ΔAA +2.0 [-0.5, +4.5] to none",
            "none: 2 s, what the others are measured against",
        ]


def test_every_mark_of_cost_has_its_name_beside_it_and_no_name_lies_on_another() -> None:
    page = page_of([timed(r, fit_classifier=1.0) for r in benchmark(2, ("none", *(f"g{i}" for i in range(11))))])
    names = [t for t in chart(page, "ΔAA to none (points) against seconds, svm").all("text")
             if t.attributes["class"] == "row"]  # fmt: skip
    heights = sorted(float(text.attributes["y"]) for text in names)
    assert len(names) == 12
    assert all(below - above >= 14.9 for above, below in pairwise(heights))


def test_of_a_sweep_the_arm_of_each_generators_largest_gain_is_named_and_every_arm_has_its_values() -> None:
    records = [timed(r, fit_classifier=1.0) for r in benchmark(2, ("none",), ("svm",))]
    for i, lam in enumerate((0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)):
        for name, sign in (("mixup", -1), ("smote", 1)):
            for seed in range(2):
                made = record(0.5, 0.5 + 0.01 * sign * i, generator=name, lam=lam, seed=seed)
                records.append(timed(made, fit_generator=1.0, fit_classifier=1.0))
    found = chart(page_of(records), "ΔAA to none (points) against seconds, svm")
    names = [text.text for text in found.all("text") if text.attributes["class"] == "row"]
    assert sorted(names) == ["mixup λ=0.5", "none", "smote λ=3.5"]
    assert len(said(found)) == 15


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
    assert all(f"<!-- {name} -->" in text for name in ("smote λ=1", "none", "rf", "svm", "10 s"))


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
    found = chart(page_of(under_protocols()), "AA (%) of none by protocol, indian-pines, svm")
    assert [text.text for text in found.all("text") if text.attributes["class"] == "row"] == [
        "issd:0.05, centre buffer",
        "random:0.05, no buffer, LEAKY",
    ]
    assert said(found) == [
        "issd:0.05, centre buffer, coords: 31.0 [18.3, 43.7] %, n = 2",
        "issd:0.05, centre buffer, svm: 60.0 [60.0, 60.0] %, n = 2",
        "random:0.05, no buffer, LEAKY, coords: 91.0 [78.3, 100.0] %, n = 2",
        "random:0.05, no buffer, LEAKY, svm: 80.0 [80.0, 80.0] %, n = 2",
    ]
    assert "Location under each protocol" not in page_of(benchmark(2)).text, (
        "of one protocol there is nothing to compare"
    )


def over_scenes(scenes: int, arms: tuple[str, ...] = ("none", "smote", "txt2hsi")) -> list[dict[str, Any]]:
    """The arms in one order in every scene; a draw that only some arms have would turn it."""
    records = [
        record(0.5, 0.3 + 0.05 * place + 0.1 * seed, generator=arm, seed=seed, scene=f"scene {i}")
        for i in range(scenes)
        for place, arm in enumerate(arms)
        for seed in range(2)
    ]
    return [*records, *(record(0.5, 0.99, seed=9, scene=f"scene {i}") for i in range(scenes))]


def test_ranks_are_over_scenes_and_the_draws_that_all_arms_share() -> None:
    (found,) = rankings(build_report(over_scenes(5)))
    assert (found.arms, found.ranks) == (("txt2hsi λ=1", "smote λ=1", "none"), (1.0, 2.0, 3.0))
    assert len(found.scenes) == 5 and found.draws == (2,) * 5
    assert found.p < 0.001 and found.cliques == ((0, 1), (1, 2)), (
        "the critical difference of 3 arms and 5 scenes is 1.48"
    )
    drawing = chart(page_of(over_scenes(5)), "Average ranks in AA, issd:0.05, 9×9 patches, svm")
    assert said(drawing)[0] == "txt2hsi λ=1: average rank 1.00 of 3"


def test_where_friedmans_test_shows_nothing_no_two_arms_are_told_apart() -> None:
    records = over_scenes(5)
    for i, r in enumerate(records):
        r["metrics"]["aa"] = 0.4 + 0.01 * (i * 7 % 11)
    (found,) = rankings(build_report(records))
    assert found.p > 0.05 and found.cliques == ((0, 2),)


def test_too_few_scenes_are_counted_in_place_of_a_diagram() -> None:
    report = build_report(over_scenes(4))
    assert rankings(report) == []
    (note,) = too_few(report)
    assert note.startswith(
        "issd:0.05, 9×9 patches: 4 scenes with 3 arms in common; average ranks of arms need 5 scenes"
    )
    assert note in page_of(over_scenes(4)).text
    assert too_few(build_report(over_scenes(1))) == [], "of one scene nobody expects a diagram"
    two = build_report(over_scenes(5, ("none", "smote")))
    assert rankings(two) == [] and "5 scenes with 2 arms in common" in too_few(two)[0]


@given(st.lists(st.integers(0, 100), min_size=1, max_size=12).map(sorted), st.integers(1, 20))
def test_names_keep_their_order_and_their_distance(wanted: list[int], step: int) -> None:
    placed = apart(wanted, step, 0, 300)
    assert all(b - a >= step - 1e-6 for a, b in pairwise(placed))
    assert placed[0] >= -1e-6 and placed[-1] <= 300 + 1e-6
    if all(b - a >= step for a, b in pairwise(wanted)):
        assert placed == pytest.approx(wanted), "what has room stays"


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_marks_of_a_logarithmic_axis_enclose_the_values(values: list[int]) -> None:
    marks = decades([value / 1000 for value in values])
    assert (
        marks[0] <= min(values) / 1000 * (1 + 1e-6)
        and marks[-1] >= max(values) / 1000 * (1 - 1e-6)
        and len(marks) > 1
    )
    assert set(labelled(marks, 4)) <= set(marks) and 1 <= len(labelled(marks, 4)) <= 4


def test_a_scale_ends_at_a_round_number_that_most_fields_stay_below() -> None:
    assert round_limit([]) == round_limit([0.001]) == 0.01
    assert round_limit([0.04] * 99 + [0.9]) == 0.05, "one class of three pixels does not wash out the others"
    assert round_limit([0.9]) == 1.0


def test_a_long_name_keeps_its_end() -> None:
    short = shortened("txt2hsi gate=3.0 strength=0.1 λ=1 ω=3", 20)
    assert len(short) <= 20 and short.startswith("txt2hsi") and short.endswith("λ=1 ω=3")
