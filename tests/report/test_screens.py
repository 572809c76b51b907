"""What reports print, whole; and the room that it takes."""

import io

import pytest
from rich.console import Console

from hsiaug.report import build_report, print_report, render_report
from tests.report.screens import FIVE, GOLDEN, screens, stores, trials

MADE = screens()


@pytest.mark.parametrize("name", sorted(MADE))
def test_it_is_printed_as_before(name: str) -> None:
    assert MADE[name] == (GOLDEN / f"{name}.txt").read_text("utf-8")


def test_every_golden_file_is_of_a_screen() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*MADE}


def test_five_generators_with_three_classifiers_fit_a_screen() -> None:
    records = trials(FIVE | {"cvae": 0.02}, ("cnn2d", "rf", "svm"))
    lines = render_report(build_report(records, store="results"), "rich", notes=False).splitlines()
    prose = [line for line in lines if not line.startswith("  hsiaug")]
    assert max(map(len, prose)) <= 100
    assert len(MADE["five"].splitlines()) <= 36 and len(lines) <= 40


@pytest.mark.parametrize("name", ["five", "transductive", "failed", "empty"])
def test_a_terminal_has_the_words_of_a_pipe(name: str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system="standard")
    print_report(build_report(stores()[name], store="results"), console)
    plain = Console(file=io.StringIO(), width=100)
    shown = "\n".join(line.rstrip() for line in _without_colour(out.getvalue()).splitlines())
    assert shown.split() == MADE[name].split() and plain.width == 100


def _without_colour(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
