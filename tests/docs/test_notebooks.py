"""The notebooks of the documentation run from their first cell to their last, and show what they
hold.

Of the largest, which runs fewer splits here, it is compared which figures there are.
"""

import re
from typing import Any

import pytest

pytest.importorskip(
    "nbclient", reason="nbclient, which runs notebooks, is not installed: pip install -e '.[dev]'"
)
pytest.importorskip(
    "ipykernel", reason="ipykernel, which runs notebooks, is not installed: pip install -e '.[dev]'"
)

from benchmarks.notebooks import FOLDER, executed
from tests.docs.pages import ROOT
from tests.figures import Tolerance, differences, words_of

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_CELLS = 12
TRAINED = Tolerance(units=50, share=0.02)
"""Five points of a recall, half a point of a mean gain or of an end of its interval, 0.05 of a
share, one in fifty pixels of a map. Another processor or build of a library sums in another
order, and then a pixel between two classes changes sides: with other kernels on one processor, a
recall moved by 0.4 points and the end of an interval by 0.23. In a class of seven test pixels,
one of them in one of seven draws is two points.
"""
HASH = re.compile(r"\b[0-9a-f]{16}\b")
"""Of a record: the checksum of the scene is in it, and a simulated scene has float32 values that
round differently.
"""
IN_ONE_PROCESS = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})

import pytest

from tests.few_rounds import measure_few_rounds
from tests.in_process import run_trials_here

run_trials_here(pytest.MonkeyPatch())
if {{few}}:
    measure_few_rounds(pytest.MonkeyPatch())
"""
"""What runs first; tests/bench has the processes that trials run in."""


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any) -> list[str]:
    """The outputs of a cell as text; of a picture, that there is one."""
    said = []
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        kinds = "".join(sorted(output.get("data", {})))
        said.append(
            f"{output.output_type}"
            f" {kinds}\n{HASH.sub('HASH', re.sub(r'<Figure size .*>', '', text))}"
        )
    return said


def is_table(output: Any) -> bool:
    """Whether an output is a data frame, whose rows may be sorted by a trained figure."""
    return 'class="dataframe"' in output.get("data", {}).get("text/html", "")


def compared(cell: Any) -> list[str]:
    """The outputs of a cell as text; the rows of a table in the order of their words, as a near tie
    may be sorted either way.
    """
    texts = zip(shown(cell), cell.outputs, strict=True)
    return [
        "\n".join(sorted(text.splitlines(), key=words_of)) if is_table(output) else text
        for text, output in texts
    ]


def form(output: Any) -> tuple[str, list[str], list[str]]:
    """What an output is, whatever its figures: its kinds, and the columns of a table."""
    page = output.get("data", {}).get("text/html", "")
    columns = re.findall(r"<th>([^<]*)</th>", page.partition("</thead>")[0])
    return output.output_type, sorted(output.get("data", {})), columns


def test_there_are_three_of_few_cells_that_show_something() -> None:
    nbformat = pytest.importorskip("nbformat")
    assert [path.stem for path in NOTEBOOKS] == ["first_benchmark", "new_generator", "own_scene"]
    for cells in (code(nbformat.read(path, as_version=4)) for path in NOTEBOOKS):
        assert len(cells) <= MOST_CELLS and all(cell.outputs for cell in cells[1:])


@pytest.mark.parametrize(
    ("name", "whole"), [("first_benchmark", 0), ("new_generator", 12), ("own_scene", 12)]
)
def test_a_notebook_shows_what_it_holds(
    name: str, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """whole: so many cells are run as they stand; later ones with fewer splits."""
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONWARNINGS", "ignore::UserWarning")
    held, begun = (nbformat.read(FOLDER / f"{name}.ipynb", as_version=4) for _ in range(2))
    for cell in code(begun)[whole:]:
        cell.source = cell.source.replace(
            '["svm"])', '["svm"], seeds=2, views="raw", protocol="kshot:5")'
        )
    begun.cells.insert(0, nbformat.v4.new_code_cell(IN_ONE_PROCESS.format(few=not whole)))
    fresh = code(executed(begun))[-len(code(held)) :]

    for number, (before, now) in enumerate(zip(code(held), fresh, strict=True)):
        assert list(map(form, now.outputs)) == list(map(form, before.outputs)), before.source
        for text, expected in zip(compared(now), compared(before), strict=True):
            unlike = "\n".join(differences(text, expected, TRAINED)) if number < whole else ""
            assert not unlike, (
                f"{name}: run python -m benchmarks.notebooks, and read what is new\n{unlike}"
            )


def test_the_notebook_has_the_numbers_of_the_guide() -> None:
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(FOLDER / "first_benchmark.ipynb", as_version=4)
    printed = "".join(line for cell in code(notebook) for line in shown(cell))
    report = (ROOT / "docs" / "read-a-report.md").read_text("utf-8")
    for text in ("gaussian +4.2 points of AA with svm", "AA 55.2 ± 5.2"):
        assert text in printed and text in report
