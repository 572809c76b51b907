"""The first screen of the page: for each protocol a headline, and scenes and arms in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hsiaug.report.across import NOTE, interval_text
from hsiaug.report.compare import Gain
from hsiaug.report.findings import CONTROL, FINDINGS, OF_SIGNS, SIGNS, over, said_of, signs_note
from hsiaug.report.html.section import TableSection
from hsiaug.report.labels import MISSING, count, p_said, signed
from hsiaug.report.matrix import ArmRow, Matrix, closing, loss_of
from hsiaug.report.tables import Table


def first_screen(shown: Sequence[Matrix], sections: Mapping[Table, TableSection]) -> list[dict[str, Any]]:
    """What the template shows of each matrix."""
    return [_matrix(matrix, sections, titled=len(shown) > 1) for matrix in shown]


def _matrix(matrix: Matrix, sections: Mapping[Table, TableSection], *, titled: bool) -> dict[str, Any]:
    headline, *sentences = closing(matrix)
    if len(matrix.tables) == 1 and headline != (said := said_of(matrix.tables[0])):
        headline, sentences = said, [headline, *sentences]
    leaky = any(table.leaky for table in matrix.tables)
    notes = [signs_note(matrix.tables), f"{CONTROL}: a control.", OF_SIGNS, *([NOTE] if matrix.pooled else [])]
    return {
        "title": matrix.title if titled or leaky else "",
        "leaky": leaky,
        "headline": headline,
        "sentences": sentences,
        "id": sections[matrix.tables[0]].anchor("matrix"),
        "named": matrix.heading,
        "heads": [
            (table.condition.scene, sections[table].anchor("table"), count(len(table.draws), "draw"))
            for table in matrix.tables
        ],
        "pooled": matrix.pooled,
        "rows": [_row(row, matrix, sections) for row in matrix.rows],
        "notes": " ".join(notes) if matrix.rows else "",
    }


def _row(row: ArmRow, matrix: Matrix, sections: Mapping[Table, TableSection]) -> dict[str, Any]:
    pooled = [MISSING, MISSING] if matrix.pooled else []
    if matrix.pooled and row.pooled:
        mean = f"{signed(row.pooled.mean)} {interval_text(row.pooled.interval)}"
        pooled = [mean, interval_text(row.pooled.prediction)]
    cells = [
        _cell(gain, sections[table], named=len(matrix.tables) == 1)
        for table, gain in zip(matrix.tables, row.gains, strict=True)
    ]
    return {"label": row.label, "cells": cells, "pooled": pooled}


def _cell(gain: Gain | None, section: TableSection, *, named: bool) -> dict[str, str] | None:
    """Sign, gain and interval, which open the draws; then a loss in the other metric. named: with the control."""
    if gain is None:
        return None
    finding = gain.verdict.finding if gain.verdict else None
    title, mean, interval = str(finding or "control"), "", ""
    if gain.hardest:
        control, one = gain.hardest
        title += f", over {control}, {p_said(one.main.p_holm)}, {count(len(one.pairs), 'draw')}"
        mean, interval = signed(one.main.mean), f" {interval_text(one.main.interval)}" if one.main.interval else ""
    loss = loss_of(gain)
    aside = [f"{section.table.scores.second.name} {signed(loss)}"] if loss is not None else []
    aside += [over(gain)] if named and over(gain) else []
    return {
        "tone": FINDINGS[finding].tone if finding else "",
        "sign": SIGNS[finding] if finding else CONTROL,
        "target": section.cell_id(gain.cell),
        "title": title,
        "gain": mean,
        "interval": interval,
        "aside": ", ".join(aside),
    }
