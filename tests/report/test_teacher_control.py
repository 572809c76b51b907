"""The teacher's own map as a control of arms that read every unlabelled pixel."""

import pytest

from hsiaug.report import build_report, figure_of, render_report
from tests.report.report_records import record

SEES = {"generator": "scene", "classifier": "none"}


def trials(
    generator: str, aa: float, classifier: str = "svm", *, scope: bool = False, n: int = 10
) -> list[dict]:
    made = [
        record(0.5, aa + 0.001 * s, generator=generator, classifier=classifier, seed=s)
        for s in range(n)
    ]
    return [{**one, "scope": SEES, "transductive": True} for one in made] if scope else made


PLAIN = [*trials("none", 0.40), *trials("duplicate", 0.40)]


@pytest.mark.parametrize(("teacher", "finding"), [(0.45, "helps"), (0.60, "not better")])
def test_an_arm_that_reads_unlabelled_pixels_must_be_above_the_teachers_own_map(teacher, finding):
    own = trials("ldm", 0.55, scope=True)
    for seed, one in enumerate(own):
        one["metrics"]["recall"] = [one["metrics"]["aa"] + 0.0003 * seed] * 3
        one["metrics"]["aa"] += 0.0003 * seed
    report = build_report(
        [*PLAIN, *trials("none", teacher, "teacher"), *trials("pseudo", 0.5, scope=True), *own]
    )
    arms = report.tables[0].by_arm
    (ldm,) = (gains for (arm, _), gains in arms.items() if arm.generator.name == "ldm")
    assert list(ldm) == ["none", "duplicate", "pseudo", "teacher"]
    lines = [line for axes in figure_of(report, "gain").axes for line in axes.lines]
    marks = {
        (one.get_color(), one.get_marker())
        for one in lines
        if str(one.get_label()).startswith("over ")
    }
    assert len(marks) == 4
    verdict = ldm["none"].verdict
    assert verdict is not None and verdict.finding == finding
    assert "vs teacher" in render_report(report, "md")


def test_other_arms_and_stores_without_a_teacher_have_no_such_control() -> None:
    report = build_report([*PLAIN, *trials("none", 0.6, "teacher"), *trials("smote", 0.5)])
    assert "teacher" not in {gain.control for gain in report.tables[0].gains}
    older = build_report([*PLAIN, *trials("pseudo", 0.5, scope=True)])
    assert older.tables[0].controls == ("none", "duplicate")


def test_in_a_figure_of_gains_the_name_of_an_arm_stands_amid_the_marks_of_its_own_controls() -> (
    None
):
    """``ldm`` has four controls, ``smote`` two; a line's room lies between them."""
    controls = [*trials("none", 0.45, "teacher"), *trials("pseudo", 0.5, scope=True)]
    arms = [*trials("ldm", 0.6, scope=True), *trials("smote", 0.5)]
    figure = figure_of(build_report([*PLAIN, *controls, *arms]), "gain")
    panel = figure.axes[0]
    names = [label.get_text() for label in panel.get_yticklabels()]
    marks = {
        place
        for line in panel.lines
        if str(line.get_label()).startswith("over ")
        for place in line.get_ydata()
    }
    own = {
        name: {place for place in marks if abs(place - at) <= 2}
        for name, at in zip(names, panel.get_yticks(), strict=True)
    }
    for name, at in zip(names, panel.get_yticks(), strict=True):
        assert at == (min(own[name]) + max(own[name])) / 2
    assert {name.split()[0]: len(places) for name, places in own.items()} == {
        "ldm": 4,
        "pseudo": 3,
        "smote": 2,
    }


@pytest.mark.parametrize("by", ["gain", "generator"])
def test_pictures_of_gains_say_which_arm_is_a_control(by: str) -> None:
    arms = [*trials("pseudo", 0.5, scope=True), *trials("ldm", 0.6, scope=True)]
    figure = figure_of(build_report([*PLAIN, *arms]), by)
    names = [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]
    assert len(names) == 2
    assert {"pseudo" in name: name.endswith("(control)") for name in names} == {
        True: True,
        False: False,
    }
