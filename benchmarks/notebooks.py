"""Run the notebooks of the documentation and keep what they show: ``python -m
benchmarks.notebooks``.

Progress and warnings (standard error) are left out, as they depend on the machine.
``tests/docs/test_notebooks.py`` runs the same, the largest with fewer draws, and compares: words as
they stand, figures with a tolerance.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

from benchmarks.common import check_usage

__all__ = ["FOLDER", "executed", "main"]

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
LONGEST = 1800
"""Seconds that a cell may take, on a busy machine too."""


def executed(notebook: Any) -> Any:
    """A notebook with the outputs of a fresh run, in a folder of its own. Raises CellExecutionError
    where a cell does.
    """
    with TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=LONGEST,
            kernel_name="python3",
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
        ).execute()
    for cell in notebook.cells:
        # When each cell ran, and in which version of Python.
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _kept(output)]
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def _kept(output: Any) -> bool:
    """Whether an output is a result: neither progress nor a widget."""
    return output.get("name") != "stderr" and not any(
        "widget" in kind for kind in output.get("data", {})
    )


def main() -> None:
    """Run those that are named on the command line, or all."""
    for path in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(FOLDER.glob("*.ipynb")):
        nbformat.write(executed(nbformat.read(path, as_version=4)), path)


if __name__ == "__main__":
    check_usage(__doc__)
    main()
