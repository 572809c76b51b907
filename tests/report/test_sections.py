"""Sections of a report: each module declares its own, and every format shows them."""

import io
import re
import shlex
from typing import get_args, get_type_hints

import pytest
from html_pages import parsed, table_named
from pandas import DataFrame
from report_records import benchmark
from rich.console import Console

from hsiaug.cli.report import report as report_command
from hsiaug.report import build_report, print_report, render_html, render_report
from hsiaug.report.section import Section, frame_grid, without_parts
from hsiaug.report.sections import SectionKind, section_kinds, table_views
from hsiaug.report.two_arms import find_arm

pytestmark = pytest.mark.usefixtures("blank_pictures")

COST = "Cost of every arm, over all draws"


def test_what_arms_cost_stands_in_every_format() -> None:
    report = build_report(benchmark(2), store="results")
    console = Console(file=io.StringIO(), width=120, color_system=None)
    print_report(report, console, "classifier")
    texts = [
        console.file.getvalue(),
        *(render_report(report, f, "classifier") for f in ("md", "tex")),
    ]
    assert all(COST in text for text in texts)
    rows = table_named(parsed(render_html(report)), COST)
    # Eight arms of two trials, 1.25 seconds each.
    assert [[cell.text for cell in row[2:]] for row in rows] == [
        ["2", "2.5", "0.0", "2.0", "100.0"]
    ] * 8


def test_every_section_has_a_name_of_its_own_and_lies_in_a_part_that_exists() -> None:
    kinds = section_kinds()
    ids = [kind.id for kind in kinds]
    assert len(ids) == len(set(ids))
    assert {kind.within for kind in kinds} - {""} <= {kind.id for kind in kinds if not kind.within}


@pytest.mark.parametrize("view", ["summary", "labels"])
def test_a_section_of_one_table_stands_in_no_view_of_several(view: str) -> None:
    with pytest.raises(ValueError, match=f"own stands in {view}, a view of several tables"):
        SectionKind("own", lambda table, sources: None, 1, views=("class", view))


def test_the_help_names_every_view() -> None:
    _, option = get_args(get_type_hints(report_command, include_extras=True)["by"])
    words = option.help
    assert set(re.findall(r"\w+", words.partition(": ")[2])) >= {
        "summary",
        "labels",
        *table_views(),
    }


def test_a_frame_is_a_table() -> None:
    frame = DataFrame(
        {("", "n"): [1200, 3], ("seconds", "mean"): [1.25, float("nan")]},
        index=["first", "second"],
    ).rename_axis("arm")
    grid = frame_grid("Example", frame)
    assert [(column.group, column.header) for column in grid.columns] == [
        ("", "arm"),
        ("", "n"),
        ("seconds", "mean"),
    ]
    assert [[entry.text for entry in row] for row in grid.rows] == [
        ["first", "1,200", "1.2"],
        ["second", "3", "–"],
    ]
    assert [column.numeric for column in grid.columns] == [False, True, True]


@pytest.mark.parametrize("depth", [1, 2])
def test_formats_that_do_not_fold_show_what_parts_hold(depth: int) -> None:
    section = Section(
        "part", tables=(frame_grid("Inner", DataFrame({"x": [1]})),), notes=("Note.",)
    )
    for _ in range(depth):
        section = Section("whole", parts=(section,), notes=("First.",))
    (joined,) = without_parts([section])
    assert [table.heading for table in joined.tables] == ["Inner"]
    assert joined.notes == ("First.",) * depth + ("Note.",) and joined.parts == ()


def test_the_page_has_the_samples_of_each_class_by_rate() -> None:
    records = benchmark(2, ("none", "duplicate", "smote"), ("svm",))
    records += benchmark(2, ("smote",), ("svm",), lam=0.5)
    for one in records:
        more, rate = 2 * one["spec"]["seed"], one["spec"]["lambda"]
        one["samples"] = {"real": [5 + more, 12, 3], "synthetic": [more, 1000, int(10 * rate)]}
    page = parsed(render_html(build_report(records, store="results")))
    rows = table_named(page, "Samples of each class in training")
    assert [[cell.text for cell in row[1:]] for row in rows] == [
        ["6 (5–7)", "1 (0–2)", "1 (0–2)"],
        ["12", "1,000", "1,000"],
        ["3", "5", "10"],
    ]
    assert "λ and M fix the number for every generator alike" in page.text


def test_the_page_has_the_samples_of_each_class_by_generator_where_these_differ() -> None:
    records = benchmark(2, ("none", "duplicate", "mixup", "smote"), ("svm",))
    for one in records:
        made = {"none": 0, "duplicate": 5, "mixup": 30, "smote": 40}
        one["samples"] = {
            "real": [5, 12, 3],
            "synthetic": [0, 1, made[one["spec"]["generator"]["name"]]],
        }
    page = parsed(render_html(build_report(records, store="results")))
    rows = table_named(page, "Samples of each class in training")
    assert [cell.text for cell in rows[-1][1:]] == ["3", "30", "40"]
    assert "for every generator alike" not in page.text


def test_the_page_has_the_commands_that_compare_two_arms_classifiers_or_rates() -> None:
    records = benchmark(2, ("none", "duplicate", "smote"), ("svm", "cnn2d"))
    records += benchmark(2, ("smote",), ("svm",), lam=0.5)
    report = build_report(records, store="results")
    page = parsed(render_html(report))
    commands = [code.text for code in page.all("code") if "hsiaug compare" in code.text]
    pairs = [shlex.split(command)[2:4] for command in commands]
    assert pairs == [
        # What has samples is compared over what has none, as in the table.
        ["cnn2d without samples", "smote λ=1 with cnn2d"],
        ["svm without samples", "cnn2d without samples"],
        ["smote λ=0.5 with svm", "smote λ=1 with svm"],
    ]
    keys = [key for table in report.tables for key in table.cells]
    assert all(find_arm(name, "A", keys) in keys for pair in pairs for name in pair)
