"""Files by their endings, one writer for each, the same for every command.

A command checks the names before any work (:func:`hsiaug.base.files.check_targets`), says what it
has (a figure, tables, arrays), and gets writers by ending for :func:`write_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import check_known
from hsiaug.base.files import PICTURES, write_whole
from hsiaug.base.marks import mark_archive, mark_matlab
from hsiaug.base.text import json_of
from hsiaug.report.render import latex, markdown
from hsiaug.report.render_data import csv_of
from hsiaug.report.section import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

Writers = Mapping[str, Callable[[Path], object]]
"""Functions that write the file of a path, by its ending."""
ARRAYS = (".npz", ".mat")


@dataclass(frozen=True)
class TableFiles:
    """Tables of a command.

    Attributes
    ----------
    name : str
        Name of LaTeX labels.
    sections : sequence of Section
        For people.
    rows : sequence of mapping of str to object
        Rows of the CSV.
    value : object
        The JSON.
    """

    name: str
    sections: Sequence[Section]
    rows: Sequence[Mapping[str, Any]]
    value: Any = field(repr=False)


def figure_writers(draw: Callable[[], Figure]) -> Writers:
    """A figure as PNG (300 dpi), SVG and PDF (TrueType fonts); drawn when it is first written."""
    from hsiaug.report.figures.files import figure_bytes

    figure = cache(draw)

    def write(ending: str, path: Path) -> None:
        path.write_bytes(figure_bytes(figure(), ending.removeprefix(".")))

    return {ending: partial(write, ending) for ending in PICTURES}


RENDERERS: Mapping[str, Callable[[TableFiles], str]] = {
    ".md": lambda tables: markdown(tables.sections),
    ".tex": lambda tables: latex(tables.sections, tables.name),
    ".csv": lambda tables: csv_of(tables.rows),
    ".json": lambda tables: f"{json_of(tables.value, indent=1)}\n",
}
"""Tables as texts, by the ending of their file."""


def table_text(tables: TableFiles, ending: str) -> str:
    """Tables as Markdown, LaTeX, CSV or JSON."""
    known = ", ".join(name.removeprefix(".") for name in RENDERERS)
    check_known(f"the format of these tables must be {known}", ending, RENDERERS)
    return RENDERERS[ending](tables)


def table_writers(made: Callable[[], TableFiles]) -> Writers:
    """Tables as Markdown, LaTeX, CSV and JSON."""

    def write(ending: str, path: Path) -> None:
        path.write_text(table_text(made(), ending), encoding="utf-8", newline="\n")

    return {ending: partial(write, ending) for ending in RENDERERS}


def array_writers(arrays: Callable[[], Mapping[str, NDArray[Any]]]) -> Writers:
    """Arrays by name, as .npz and MATLAB 5, in which lists of texts are cells."""
    import numpy as np
    from scipy.io import savemat

    def cells() -> dict[str, NDArray[Any]]:
        return {
            k: v.astype(object) if v.ndim and v.dtype.kind == "U" else v
            for k, v in arrays().items()
        }

    def write_archive(path: Path) -> None:
        np.savez_compressed(path, **dict(arrays()))  # type: ignore[arg-type]
        mark_archive(path)

    def write_matlab(path: Path) -> None:
        savemat(path, cells(), do_compression=True)
        mark_matlab(path)

    return {".npz": write_archive, ".mat": write_matlab}


def write_files(paths: Iterable[Path], writers: Writers) -> list[Path]:
    """Write each file by its ending, whole or not at all. Raises InputError where it cannot be
    written.
    """
    return [write_whole(path, writers[path.suffix.lower()]) for path in paths]
