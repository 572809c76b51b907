"""The notebooks of the documentation run from their first cell to their last, and show what they hold."""

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not installed: pip install -e '.[dev]'")
pytest.importorskip("ipykernel", reason="ipykernel, which runs notebooks, is not installed: pip install -e '.[dev]'")

from benchmarks.notebooks import FOLDER, executed
from tests.docs.pages import ROOT

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_CELLS = 12


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any) -> list[str]:
    """The outputs of a cell as text; of a picture, that there is one."""
    said = []
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        kinds = "".join(sorted(output.get("data", {})))
        said.append(f"{output.output_type} {kinds} {re.sub(r'<Figure size .*>', '', text)}")
    return said


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["first_benchmark", "new_generator", "own_scene"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONWARNINGS", "ignore::UserWarning")
    held, fresh = code(nbformat.read(path, as_version=4)), code(executed(path))
    assert len(held) <= MOST_CELLS and all(cell.outputs for cell in held[1:])
    for before, now in zip(held, fresh, strict=True):
        assert shown(now) == shown(before), f"{path.name}: run python -m benchmarks.notebooks, and read what is new"


def test_a_first_table_takes_five_lines_at_most() -> None:
    nbformat = pytest.importorskip("nbformat")
    first = code(nbformat.read(FOLDER / "first_benchmark.ipynb", as_version=4))[0]
    assert len(first.source.splitlines()) <= 5 and any("<table>" in o.data["text/html"] for o in first.outputs)


def test_the_quickstart_and_its_notebook_tell_the_same_numbers() -> None:
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(FOLDER / "first_benchmark.ipynb", as_version=4)
    said = "".join(line for cell in code(notebook) for line in shown(cell))
    table = (ROOT / "docs" / "quickstart.md").read_text("utf-8").partition("ΔAA over none  verdict\n")[2]
    rows = [line.split() for line in table.partition("\n\n")[0].splitlines()[1:]]
    assert len(rows) == 5
    for name, *rest in rows:
        classifier, oa = [word for word in rest if not word.startswith("λ")][:2]
        assert re.search(rf"{name} +{oa} ", said[said.index(classifier) :]), (name, classifier, oa)
    (gain,) = re.findall(r"it gains (\S+) points over `none`", table)
    (measured,) = re.findall(r"pseudo +none +(\S+)", said)
    assert f"{float(measured):.1f}" == gain
