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
