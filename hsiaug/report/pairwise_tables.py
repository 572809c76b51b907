"""Two arms against each other as files of tables: for people, a row per paired draw, and everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.output_files import TableFiles
from hsiaug.report.pairwise import ArmComparison, Pairing
from hsiaug.report.pairwise_json import comparison_json
from hsiaug.report.pairwise_views import (
    BOOTSTRAP_NOTE,
    CLASS_HEADER,
    DRAW_HEADER,
    class_rows,
    draw_rows,
    facts,
    notes,
)

__all__ = ["comparison_tables"]


def comparison_tables(comparison: ArmComparison, store: str) -> TableFiles:
    """A page per condition; rows: one per paired draw, in fractions as recorded; value: the JSON of the command."""
    pages = [_page(comparison, pairing) for pairing in comparison.pairings]
    rows = [row for pairing in comparison.pairings for row in _rows(comparison, pairing)]
    return TableFiles("compare", pages, rows, comparison_json(comparison, store))


def _page(comparison: ArmComparison, pairing: Pairing) -> ReportPage:
    table = pairing.table
    said = [(field, " ".join(text.split("\t"))) for field, text in facts(comparison, pairing)]
    beyond = [f"Not compared: {text}" for text in comparison.apart]
    if any(draw.interval for draw in pairing.bootstraps):
        beyond.append(BOOTSTRAP_NOTE)
    grids = (
        text_grid("B − A", ("quantity", "value"), said[1:]),
        text_grid("Draw by draw", DRAW_HEADER, draw_rows(pairing)),
        text_grid("Recall per class, B − A", CLASS_HEADER, class_rows(pairing), 2),
    )
    return ReportPage(table.title, leaky=table.leaky, grids=grids, notes=(*notes(pairing), *beyond))


def _rows(comparison: ArmComparison, pairing: Pairing) -> Iterator[dict[str, Any]]:
    condition, metric = pairing.table.condition, pairing.score.key
    for a, b, difference, bootstrap in pairing.draws:
        found = bootstrap.interval
        yield {
            "scene": condition.scene,
            "protocol": condition.protocol,
            "argument": condition.argument,
            "patch": condition.patch,
            "seed": a.seed,
            "metric": metric,
            "a": comparison.a,
            "b": comparison.b,
            "value_a": a.metric(metric),
            "value_b": b.metric(metric),
            "difference": difference,
            "block_low": found and found.low,
            "block_high": found and found.high,
            "record_a": a.hash,
            "record_b": b.hash,
        }
