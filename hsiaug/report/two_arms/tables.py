"""Two arms against each other as files of tables: for people, a row per paired draw, and everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.metrics.verdict import TINY
from hsiaug.report.findings import verdict_text
from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.output_files import TableFiles
from hsiaug.report.records import Trial
from hsiaug.report.render_data import mean_json
from hsiaug.report.scenes.pixel_bootstraps import DrawBootstrap
from hsiaug.report.two_arms.comparison import ArmComparison, Pairing
from hsiaug.report.two_arms.sentences import (
    BOOTSTRAP_NOTE,
    CLASS_HEADER,
    DRAW_HEADER,
    class_rows,
    draw_rows,
    facts,
    notes,
    pixels_tested,
    wilcoxon_text,
)

__all__ = ["comparison_json", "comparison_tables"]


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


def comparison_json(comparison: ArmComparison, store: str | None) -> dict[str, Any]:
    """Everything as plain values: fractions, B − A; null where there is no number."""
    return {
        "format": 1,
        "store": store,
        "a": comparison.a,
        "b": comparison.b,
        "difference": "B - A, as a fraction",
        "alpha": ALPHA,
        "fewest_draws": MIN_PAIRS,
        "conditions": [_condition_json(pairing) for pairing in comparison.pairings],
        "apart": list(comparison.apart),
    }


def _condition_json(pairing: Pairing) -> dict[str, Any]:
    table, test = pairing.table, pairing.comparison.main
    higher, equal, lower = pairing.counts
    return {
        "title": table.title,
        "condition": asdict(table.condition),
        "leaky": table.leaky,
        "metric": pairing.score.key,
        "verdict": pairing.verdict,
        "finding": test.evidence.shown,
        "against_both_controls": {table.cell_label(g.cell): verdict_text(table, g) for g in pairing.judged},
        "n": pairing.n,
        "mean": test.summary.mean,
        "std": test.summary.std,
        "t_interval_95": test.interval,
        "median": pairing.median,
        "in_fields": {f"delta_{key}": mean_json(mean) for key, mean in pairing.in_fields.items()},
        "b_higher": higher,
        "equal": equal,
        "a_higher": lower,
        "wilcoxon": {
            "p": test.p,
            "p_holm": test.p_holm,
            "tests": test.tests,
            "draws_needed": test.evidence.needed,
            "text": wilcoxon_text(pairing),
        },
        "draws": [_draw_json(pairing.score.key, *draw) for draw in pairing.draws],
        "classes": [
            {"id": c, "name": name, "test_pixels": pixels_tested(pairing, c), **mean_json(pairing.classes.get(c))}
            for c, name in enumerate(table.class_names, start=1)
        ],
        "notes": notes(pairing),
    }


def _draw_json(metric: str, a: Trial, b: Trial, difference: float, bootstrap: DrawBootstrap) -> dict[str, Any]:
    return {
        "seed": a.seed,
        "a": a.metric(metric),
        "b": b.metric(metric),
        "difference": difference if abs(difference) > TINY else 0.0,
        "record_a": a.hash,
        "record_b": b.hash,
        "block_bootstrap": None if bootstrap.interval is None else asdict(bootstrap.interval),
        "left_out": bootstrap.why or None,
    }
