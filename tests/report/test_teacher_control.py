"""The teacher's own map as a control of arms that read every unlabelled pixel."""

import pytest

from hsiaug.report import build_report, figure_of
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
