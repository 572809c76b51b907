"""Confusion matrices, summed over the draws, as tables in shades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.report.cells import ArmCell
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, escape, scroller
from hsiaug.report.labels import count

__all__ = ["confusions"]

ENTRIES = 30_000
"""Entries of all matrices of a page: more would make it slow to open."""


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
    return "".join(blocks)


def _folded(section: TableSection, cell: ArmCell, matrix: NDArray[np.int64]) -> str:
    title = section.table.cell_label(cell, ", ")
    table = _matrix(matrix, section.table.class_names, len(cell.ok), title)
    return details(title, f"{table}<p class=note>{section.cell_link('Its records', cell)}</p>")


def _rank(cell: ArmCell, metric: str) -> tuple[bool, float]:
    summary = cell.summary(metric)
    return not cell.arm.control, -(summary.mean if summary else 0.0)


def _summed(cell: ArmCell) -> NDArray[np.int64] | None:
    """(C, C) test pixels over all draws of a cell, rows true, columns predicted; None where no record has it."""
    found = [np.asarray(t.record["metrics"].get("confusion") or [], dtype=np.int64) for t in cell.ok]
    square = [m for m in found if m.ndim == 2 and m.shape[0] == m.shape[1]]
    if not square or any(m.shape != square[0].shape for m in square):
        return None
    return np.sum(square, axis=0)  # type: ignore[no-any-return]


def _matrix(matrix: NDArray[np.int64], names: Sequence[str], draws: int, title: str) -> str:
    """Shades are shares of the row: blue for what is right, red for what is not."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    steps = np.ceil(shares * 9 - 1e-9).astype(int)
    ids = range(len(matrix))
    head = "".join(f'<th scope="col"><abbr title="{escape(_name(names, j))}">{j + 1}</abbr></th>' for j in ids)
    rows = []
    for i in ids:
        entries = "".join(
            f"<td>{n}" if not n else f"<td class={'g' if i == j else 'w'}{steps[i, j]}>{n}"
            for j, n in enumerate(matrix[i].tolist())
        )
        recall = f"{100 * shares[i, i]:.1f}" if matrix[i].any() else "–"
        rows.append(f'<tr><th scope="row">{i + 1} {escape(_name(names, i))}</th>{entries}<td>{recall}</tr>')
    caption = (
        f"{title}: test pixels summed over {count(draws, 'draw')}; rows: true class, columns: predicted class"
    )
    top = f'<tr><th scope="col">true \\ predicted</th>{head}<th scope="col">recall %</th></tr>'
    parts = f"<thead>{top}</thead><tbody>{''.join(rows)}</tbody>"
    table = f'<table class="confusion" aria-label="{escape(title)}">{parts}</table>'
    return scroller(caption, table)


def _name(names: Sequence[str], place: int) -> str:
    return names[place] if place < len(names) else f"class {place + 1}"
