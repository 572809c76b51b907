"""Names are data in every format: no markup, no formula, no tag, no command, no control
character.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_records import benchmark, failure

from hsiaug.base.terminal import Console
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.quality.map_files import class_map_figure, save_quick_look
from hsiaug.report import FORMATS, build_report, print_report, render_report, save_report
from hsiaug.report.figures.files import figure_bytes
from hsiaug.report.splits import split_figure
from tests.test_texts import Terminal

CONTROLS = "\x1b]0;title\x07\x9b31m\u202e"


def named(*names: str) -> list[dict[str, Any]]:
    """Records of a scene with three classes of these names, and a failed trial that quotes the
    first.
    """
    records = [*benchmark(3), failure(message=f"{names[0]} failed", seed=9)]
    for record in records:
        record["class_names"] = list(names)
        record["metrics"] and record["metrics"].update(
            subsets={names[0]: {"aa": 0.5, "oa": 0.5, "classes": [1], "n_classes": 1}}
        )
    return records


def rendered(format: str, *names: str) -> str:
    return render_report(build_report(named(*names), store="results"), format=format, by="class")


@pytest.mark.parametrize("format", FORMATS)
def test_no_control_character_reaches_a_file(format: str) -> None:
    said = rendered(format, CONTROLS, "b\nc", "d\te\r")

    assert not set(CONTROLS) - set("]0;title31m") & set(said)
    assert r"\x1b" in said or r"\u001b" in said or "x1b" in said


@pytest.mark.parametrize("by", ["generator", "class", "seed"])
def test_no_markup_is_read_on_a_terminal(by: str) -> None:
    out = Terminal()
    print_report(
        build_report(named("[/]", "[red]b", CONTROLS)),
        Console(file=out, width=160, color_system=None),
        by,
    )

    if by == "class":
        assert "[/]" in out.getvalue() and "[red]b" in out.getvalue()
    assert not {"\x07", "\x9b", "\u202e"} & set(out.getvalue()) and "\x1b]" not in out.getvalue()


def test_a_cell_of_a_csv_is_no_formula() -> None:
    cells = list(csv.reader(io.StringIO(rendered("csv", "=cmd|' /C calc'!A0", "+1+1", "@SUM(1)"))))
    minus = list(csv.reader(io.StringIO(rendered("csv", "-2+3", " =1", "-0.5"))))

    found = {cell for row in (*cells, *minus) for cell in row}
    assert not [cell for cell in found if cell.strip()[:1] in ("=", "+", "@")]
    assert {"'=cmd|' /C calc'!A0", "'-2+3", "-0.5"} <= found


def test_markdown_has_no_live_link_no_html_and_no_formula() -> None:
    said = rendered("md", "[a](javascript:alert(1))", "<b>&lt;", "$x$")

    assert r"[a\](javascript" in said and r"\<b\>\&lt;" in said and r"\$x\$" in said


def test_latex_runs_no_command() -> None:
    said = rendered("tex", "\\input{/etc/passwd}", "$\\write18{id}$", "%c&_#^~{}")

    assert "\\input{" not in said and "\\write18" not in said and r"\%c\&\_\#" in said


def test_json_holds_the_names_as_they_are() -> None:
    told = json.loads(rendered("json", CONTROLS, "[/]", "=1"))

    assert told["tables"][0]["class_names"] == [CONTROLS, "[/]", "=1"]


@pytest.mark.parametrize("names", [("$\\write18{id}$", "_b", "c" * 3000), ("$", "a$b$c", CONTROLS)])
def test_pictures_draw_names_as_they_are(
    tmp_path: Path, toy: Scene, names: tuple[str, str, str]
) -> None:
    labels = np.minimum(toy.labels, 3)
    scene = Scene("odd", toy.cube, labels, names)
    out = tmp_path / "a.png"

    save_quick_look(scene, out)
    figure_bytes(split_figure(scene, draw_split(scene, parse_protocol("issd"), 0, 5)), "png")
    class_map_figure(labels, names, "$\\odd$", "$")
    records = [
        r for lam in (0.5, 1.0) for r in benchmark(2, generators=("none", "$\\frac$"), lam=lam)
    ]
    save_report(build_report(records), out, "png", "lambda")
    assert out.stat().st_size > 1000
