"""The notebooks of the documentation run from their first cell to their last, and show what they
hold.
"""

import re
from pathlib import Path
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


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["first_benchmark", "new_generator", "own_scene"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONWARNINGS", "ignore::UserWarning")
    held, fresh = code(nbformat.read(path, as_version=4)), code(executed(path))
    assert len(held) <= MOST_CELLS and all(cell.outputs for cell in held[1:])
    for before, now in zip(held, fresh, strict=True):
        assert len(now.outputs) == len(before.outputs)
        for text, expected in zip(compared(now), compared(before), strict=True):
            unlike = "\n".join(differences(text, expected, TRAINED))
            assert not unlike, (
                f"{path.name}: run python -m benchmarks.notebooks, and read what is new\n{unlike}"
            )


def test_a_first_table_takes_five_lines_at_most() -> None:
    nbformat = pytest.importorskip("nbformat")
    first = code(nbformat.read(FOLDER / "first_benchmark.ipynb", as_version=4))[0]
    assert len(first.source.splitlines()) <= 5 and any(
        "<table>" in o.data["text/html"] for o in first.outputs
    )


def test_the_notebook_tells_the_numbers_of_the_quickstart_and_of_the_report() -> None:
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(FOLDER / "first_benchmark.ipynb", as_version=4)
    said = "".join(line for cell in code(notebook) for line in shown(cell))
    text = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
    report = (ROOT / "docs" / "read-a-report.md").read_text("utf-8")
    table = re.search(r"^─+\n(.*?)^AA: mean recall", report, re.DOTALL | re.MULTILINE)
    assert table
    rows = [line.split() for line in table[1].splitlines() if "±" in line]
    assert len(rows) == 6
    classifier = ""
    for row in rows:
        if row[0] == "+":
            name, scored = row[1], row[2]
        else:
            classifier = row[0]
            name, scored = "none", row[1]
        oa = scored.partition("±")[0]
        assert re.search(rf"{name} +{oa} ", said[said.index(classifier) :]), (name, classifier, oa)
    (gain,) = re.findall(r"gaussian λ=1 M=3 with svm: \+(\S+) \[", text)
    (measured,) = re.findall(r"gaussian +none +(\d\S+)", said)
    assert f"{float(measured):.1f}" == gain
