"""Two arms against each other as plain values, for other programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.metrics.verdict import TINY
from hsiaug.report.findings import verdict_text
from hsiaug.report.pairwise import ArmComparison, Pairing
from hsiaug.report.pairwise_pixels import DrawBootstrap
from hsiaug.report.pairwise_views import notes, pixels_tested, wilcoxon_text
from hsiaug.report.records import Trial
from hsiaug.report.render_data import mean_json

__all__ = ["comparison_json"]


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
