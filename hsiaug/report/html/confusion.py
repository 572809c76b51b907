"""Confusion matrices: of none as counts over the draws, of other arms as their difference to none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import reference
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.maps import best_cells
from hsiaug.report.html.markup import SHADES, details, diverging_legend, escape, scroller, shade
from hsiaug.report.labels import count
from hsiaug.report.records import Trial

__all__ = ["confusions"]

LIMIT = 0.2
"""Where the scale of differences ends, as a share of a class's test pixels; the same for all matrices of a page."""
HOW_TO_READ = (
    "none: test pixels, summed over the draws. The other controls and the best other arm: the share of each true class "
    "minus that of none, in points, over the draws that both have; shaded as better where more pixels are right or fewer "
    "are wrong. Differences below half a point are left empty."
)


def confusions(section: TableSection) -> str:
    """For each classifier the matrix of ``none``, and those of the other controls and of the best other arm."""
    table, blocks = section.table, []
    for classifier in table.classifiers:
        cells = [cell for cell in best_cells(table, classifier) if _sum(cell.ok) is not None]
        if cells:
            folded = "".join(_folded(section, cell) for cell in cells)
            blocks.append(details(f"{table.labels[classifier]}: {len(cells)} of its arms", folded))
    if not blocks:
        return ""
    legend = diverging_legend(LIMIT, "worse", "better")
    return f'<p class="note">{escape(HOW_TO_READ)}</p>{legend}{"".join(blocks)}'


def _folded(section: TableSection, cell: ArmCell) -> str:
    """The matrix of none, or of an arm without a draw in common with it; the difference of any other."""
    title, names = section.table.cell_label(cell, ", "), section.table.class_names
    none, whole = reference(section.table, cell.classifier), _sum(cell.ok)
    paired = _paired(cell, none) if none is not None and cell.arm != none.arm else None
    if paired is not None:
        table = _difference(*paired, names, title)
    else:
        table = _matrix(whole, names, len(cell.ok), title) if whole is not None else ""
    return details(title, f"{table}<p class=note>{section.cell_link('Its records', cell)}</p>")


def _sum(trials: Iterable[Trial]) -> NDArray[np.int64] | None:
    """(C, C) test pixels over all trials, rows true, columns predicted; None where no record has it."""
    found = [np.asarray(t.record["metrics"].get("confusion") or [], dtype=np.int64) for t in trials]
    square = [m for m in found if m.ndim == 2 and m.shape[0] == m.shape[1]]
    if not square or any(m.shape != square[0].shape for m in square):
        return None
    return np.sum(square, axis=0)  # type: ignore[no-any-return]


def _paired(cell: ArmCell, none: ArmCell) -> tuple[NDArray[np.int64], NDArray[np.int64], int] | None:
    """The sums of an arm and of none over the draws that both have, and how many these are; None where there are none."""
    shared = {trial.draw for trial in cell.ok} & {trial.draw for trial in none.ok}
    mine, theirs = (_sum(t for t in one.ok if t.draw in shared) for one in (cell, none))
    if mine is None or theirs is None or mine.shape != theirs.shape:
        return None
    return mine, theirs, len(shared)


def _shares(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C, C) shares of each row; 0 where it has no pixel."""
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)  # type: ignore[no-any-return]


def _matrix(matrix: NDArray[np.int64], names: Sequence[str], draws: int, title: str) -> str:
    """Shades are shares of the row, of what is right and of what is not."""
    shares = _shares(matrix)
    steps = np.ceil(shares * SHADES - 1e-9).astype(int)
    rows = []
    for i, row in enumerate(matrix.tolist()):
        entries = [
            f"<td>{n}" if not n else f'<td class="{"m" if i == j else "l"}{steps[i, j]}">{n}'
            for j, n in enumerate(row)
        ]
        recall = f"{100 * shares[i, i]:.1f}" if any(row) else "–"
        rows.append((*entries, f"<td class=r>{recall}"))
    caption = (
        f"{title}: test pixels summed over {count(draws, 'draw')}; rows: true class, columns: predicted class"
    )
    return _table(caption, title, names, rows, ("recall %",))


def _difference(
    mine: NDArray[np.int64], none: NDArray[np.int64], draws: int, names: Sequence[str], title: str
) -> str:
    """Points of each row, arm minus none; shaded by whether more pixels are right or fewer wrong."""
    shares, change = _shares(mine), _shares(mine) - _shares(none)
    signs = 2 * np.eye(len(mine)) - 1
    rows = []
    for i, row in enumerate((100 * change).round().astype(int).tolist()):
        entries = [
            f'<td class="{shade(signs[i, j] * change[i, j] / LIMIT)}{" own" * (i == j)}">{f"{n:+d}" if n else 0}'
            if n or i == j
            else "<td>"
            for j, n in enumerate(row)
        ]
        recalls = [100 * (shares - change)[i, i], 100 * shares[i, i]]
        rows.append((*entries, *(f"<td class=r>{r:.1f}" if none[i].any() else "<td class=r>–" for r in recalls)))
    caption = (
        f"{title} minus none: points of each true class, over {count(draws, 'draw')}; rows: true class, columns: "
        "predicted class"
    )
    return _table(caption, title, names, rows, ("recall of none %", "recall %"))


def _table(
    caption: str, title: str, names: Sequence[str], html: Sequence[Sequence[str]], last: Sequence[str]
) -> str:
    """Rows of fields; last: the headings after those of the classes."""
    ids = range(len(html))
    head = "".join(f'<th scope="col"><abbr title="{escape(_name(names, j))}">{j + 1}</abbr></th>' for j in ids)
    head += "".join(f'<th scope="col">{heading}</th>' for heading in last)
    body = "".join(
        f'<tr><th scope="row">{i + 1} {escape(_name(names, i))}</th>{"".join(html[i])}</tr>' for i in ids
    )
    parts = f'<thead><tr><th scope="col">true \\ predicted</th>{head}</tr></thead><tbody>{body}</tbody>'
    named = f'aria-label="{escape(title)}" data-tips=" called "'
    return scroller(caption, f'<table class="confusion" {named}>{parts}</table>')


def _name(names: Sequence[str], place: int) -> str:
    return names[place] if place < len(names) else f"class {place + 1}"
