"""Confusion matrices: of none as counts over the draws, of every arm as its difference to none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import reference
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import SHADES, details, escape, scroller, shade
from hsiaug.report.html.scales import diverging_legend
from hsiaug.report.labels import count
from hsiaug.report.records import Trial

__all__ = ["confusions"]

ENTRIES = 30_000
"""Entries of all matrices of a page: more would make it slow to open."""
LIMIT = 0.2
"""Where the scale of differences ends, as a share of a class's test pixels; the same for all matrices of a page."""
HOW_TO_READ = (
    "none: test pixels, summed over the draws. Every other arm: its share of each true class minus that of none, in "
    "points, over the draws that both have; shaded as better where more pixels are right or fewer are wrong. Differences "
    "below half a point are left empty."
)


def confusions(section: TableSection, tables: int) -> str:
    """A matrix per arm and classifier; where they are too many for the page, controls and the best arms.

    tables: how many tables share the page.
    """
    table = section.table
    matrices = {cell: summed for cell in table.cells.values() if (summed := _summed(cell)) is not None}
    size = max(len(table.class_names), 1)
    room = max(len(table.classifiers), ENTRIES // (tables * size * size))
    kept = set(sorted(matrices, key=lambda cell: _rank(cell, table.scores.main.key))[:room])
    blocks = []
    for classifier in table.classifiers:
        mine = [cell for cell in matrices if cell in kept and cell.classifier == classifier]
        if mine:
            folded = "".join(_folded(section, cell, matrices[cell]) for cell in mine)
            blocks.append(details(f"{table.labels[classifier]}: {len(mine)} of its arms", folded))
    if len(kept) < len(matrices):
        left = f"Of {len(matrices)} matrices {len(matrices) - len(kept)} are left out, to keep the page small"
        blocks.append(
            f'<p class="note">{left}: shown are the controls and the best arms. Every record has its own.</p>'
        )
    if not blocks:
        return ""
    legend = diverging_legend(LIMIT, "worse", "better")
    return f'<p class="note">{escape(HOW_TO_READ)}</p>{legend}{"".join(blocks)}'


def _folded(section: TableSection, cell: ArmCell, matrix: NDArray[np.int64]) -> str:
    """The matrix of none, or of an arm without a draw in common with it; the difference of any other."""
    title, names = section.table.cell_label(cell, ", "), section.table.class_names
    none = reference(section.table, cell.classifier)
    paired = _paired(cell, none) if none is not None and cell.arm != none.arm else None
    if paired is None:
        table = _matrix(matrix, names, len(cell.ok), title)
    else:
        table = _difference(*paired, names, title)
    return details(title, f"{table}<p class=note>{section.cell_link('Its records', cell)}</p>")


def _rank(cell: ArmCell, metric: str) -> tuple[bool, float]:
    summary = cell.summary(metric)
    return not cell.arm.control, -(summary.mean if summary else 0.0)


def _summed(cell: ArmCell) -> NDArray[np.int64] | None:
    """(C, C) test pixels over all draws of a cell, rows true, columns predicted; None where no record has it."""
    return _sum(cell.ok)


def _sum(trials: Iterable[Trial]) -> NDArray[np.int64] | None:
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
