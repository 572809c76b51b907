"""Output of ``hsiaug compare`` on two arms: the effect first, then its spread, then what may be claimed.

As lines for the terminal, and as files of tables: for people, a row per paired draw, and everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from hsiaug.metrics.significance import ALPHA, MIN_PAIRS, smallest_p
from hsiaug.metrics.verdict import TINY, unclaimed
from hsiaug.report.findings import verdict_text
from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.labels import MISSING, count, count_range, draws_text, p_said, p_text, percent, signed
from hsiaug.report.notes import repeat_notes
from hsiaug.report.output_files import TableFiles
from hsiaug.report.records import Trial, class_counts
from hsiaug.report.render_data import mean_json
from hsiaug.report.two_arms.comparison import ArmComparison, Pairing
from hsiaug.trial.failures import why_failed

DRAW_HEADER = ("seed", "A", "B", "Δ", "record A", "record B")
CLASS_HEADER = ("class", "name", "Δ recall", "std", "n draws", "test pixels")


def comparison_tables(comparison: ArmComparison, store: str) -> TableFiles:
    """A page per condition; rows: one per paired draw, in fractions as recorded; value: the JSON of the command."""
    pages = [_page(comparison, pairing) for pairing in comparison.pairings]
    rows = [row for pairing in comparison.pairings for row in _rows(comparison, pairing)]
    return TableFiles("compare", pages, rows, comparison_json(comparison, store))


def _page(comparison: ArmComparison, pairing: Pairing) -> ReportPage:
    table = pairing.table
    said = [(field, " ".join(text.split("\t"))) for field, text in facts(comparison, pairing)]
    beyond = [f"Not compared: {text}" for text in comparison.apart]
    grids = (
        text_grid("B − A", ("quantity", "value"), said[1:]),
        text_grid("Draw by draw", DRAW_HEADER, draw_rows(pairing)),
        text_grid("Recall per class, B − A", CLASS_HEADER, class_rows(pairing), 2),
    )
    return ReportPage(table.title, leaky=table.leaky, grids=grids, notes=(*notes(pairing), *beyond))


def _rows(comparison: ArmComparison, pairing: Pairing) -> Iterator[dict[str, object]]:
    condition, metric = pairing.table.condition, pairing.score.key
    for a, b, difference in pairing.draws:
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
            "record_a": a.hash,
            "record_b": b.hash,
        }


def comparison_json(comparison: ArmComparison, store: str | None) -> dict[str, object]:
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


def _condition_json(pairing: Pairing) -> dict[str, object]:
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


def _draw_json(metric: str, a: Trial, b: Trial, difference: float) -> dict[str, object]:
    return {
        "seed": a.seed,
        "a": a.metric(metric),
        "b": b.metric(metric),
        "difference": difference if abs(difference) > TINY else 0.0,
        "record_a": a.hash,
        "record_b": b.hash,
    }


def facts(comparison: ArmComparison, pairing: Pairing) -> Iterator[tuple[str, str]]:
    """(field, text) of one condition. Differences are in percentage points, B − A."""
    main, interval = pairing.comparison.main.summary, pairing.comparison.main.interval
    std = "" if main.std is None else f" ± {percent(main.std)}"
    higher, equal, lower = pairing.counts
    seeds = draws_text(b.seed for b, _ in pairing.comparison.pairs)
    yield "condition", pairing.table.title
    if pairing.table.leaky:
        yield "LEAKY", "location alone answers for part of either score; see 'hsiaug report'"
    yield "A", f"{comparison.a}\t{_mean(pairing, 1)}"
    yield "B", f"{comparison.b}\t{_mean(pairing, 0)}"
    yield f"Δ{pairing.score.name} B − A", f"{signed(main.mean)}{std} points"
    yield (
        "t interval",
        f"{signed(interval[0])} to {signed(interval[1])}" if interval else f"{MISSING} (one draw has no spread)",
    )
    yield "median Δ", signed(pairing.median)
    yield from _in_fields(pairing)
    yield (
        "paired draws",
        f"{pairing.n} (seeds {seeds}): B higher in {higher}, equal in {equal}, A higher in {lower}",
    )
    yield "Wilcoxon signed-rank, two-sided", wilcoxon_text(pairing)
    for gain in pairing.judged:
        text = f"{pairing.table.cell_label(gain.cell)}: {verdict_text(pairing.table, gain)}"
        yield (
            f"against {'both' if len(gain.against) == 2 else 'all'} controls, Δ{pairing.table.scores.main.name}",
            text,
        )
    yield "verdict", pairing.verdict


def _in_fields(pairing: Pairing) -> Iterator[tuple[str, str]]:
    """The same difference in fields that hold training pixels, and in fields that hold none."""
    for key, mean in pairing.in_fields.items():
        where = key.rpartition("_")[2]
        std = "" if mean.std is None else f" ± {percent(mean.std)}"
        draws = f" ({count(mean.n, 'draw')})" if mean.n < pairing.n else ""
        if key.startswith("aa_"):
            yield f"ΔAA in {where} fields", f"{signed(mean.mean)}{std} points{draws}"


def _mean(pairing: Pairing, side: int) -> str:
    """The mean of A or B over the paired draws."""
    values = [pair[side].metric(pairing.score.key) or 0.0 for pair in pairing.comparison.pairs]
    return f"{pairing.score.name} {percent(sum(values) / len(values))}"


def wilcoxon_text(pairing: Pairing) -> str:
    """p, or the sentence why these draws cannot give one below .05 and how many could."""
    test, n = pairing.comparison.main, pairing.n
    tests, needed = test.tests, test.evidence.needed
    over = f" over the {count(tests, 'arm')} of its table" if tests > 1 else ""
    if test.p is None or test.p_holm is None:
        return (
            f"not tested: n = {count(n, 'draw')} cannot reach .05, whatever the data say (the smallest p is "
            f"{p_text(smallest_p(n))}); at least {needed} paired draws are needed{over}"
        )
    p = f"{p_said(test.p_holm)}, Holm-corrected{over}" if tests > 1 else p_said(test.p)
    differing = n - pairing.counts[1]
    if test.p_holm < ALPHA:
        why = unclaimed(test.differences, test.factor)
        return f"{p} (n = {n})" + (f"; but {why}, so it claims nothing" if why else "")
    if differing < needed:
        sentences = f"n = {n}" if differing == n else f"only {differing} of n = {n} draws differ"
        least = f"; at least {needed} differing draws are needed{over}"
        return f"{p}: {sentences}, which cannot reach .05{over}{least}"
    return f"{p} (n = {n})"


def draw_rows(pairing: Pairing) -> list[tuple[str, ...]]:
    """A row of DRAW_HEADER for each paired draw."""
    rows = []
    for a, b, difference in pairing.draws:
        scores = [percent(t.metric(pairing.score.key) or 0.0) for t in (a, b)]
        # As much of a hash as 'hsiaug show' needs.
        rows.append((str(a.seed), *scores, signed(difference), a.hash[:8], b.hash[:8]))
    return rows


def class_rows(pairing: Pairing) -> list[tuple[str, ...]]:
    """A row of CLASS_HEADER for each class, with or without test pixels."""
    rows: list[tuple[str, ...]] = []
    for class_id, name in enumerate(pairing.table.class_names, start=1):
        found = pairing.classes.get(class_id)
        tested = count_range(pixels_tested(pairing, class_id))
        if found is None:
            rows.append((str(class_id), name, "not evaluable", MISSING, "0", tested))
        else:
            std = MISSING if found.std is None else percent(found.std)
            rows.append((str(class_id), name, signed(found.mean), std, str(found.n), tested))
    return rows


def pixels_tested(pairing: Pairing, class_id: int) -> list[int]:
    """Test pixels of a class in each paired draw, as the audits count them."""
    return class_counts((b.audit for b, _ in pairing.comparison.pairs), "test_counts", class_id)


def notes(pairing: Pairing) -> list[str]:
    """Sentences on the trials that are missing, unequal or left out on this condition."""
    sentences = repeat_notes(pairing.table)
    for name, cell in (("A", pairing.a), ("B", pairing.b)):
        if cell.failed:
            why = "; ".join(dict.fromkeys(why_failed(trial.record) for trial in cell.failed))
            sentences.append(f"{name} failed in {_seeds(cell.failed)}, which are not compared: {why}.")
        if cell.empty:
            sentences.append(f"{name} made nothing in {_seeds(cell.empty)}, which are not compared.")
        alone = pairing.unpaired(cell)
        if alone:
            sentences.append(f"{name} has no partner on the same pixels for seeds {draws_text(alone)}.")
    return sentences + _budget(pairing)


def _seeds(trials: Sequence[Trial]) -> str:
    return f"{count(len(trials), 'trial')} (seeds {draws_text(trial.seed for trial in trials)})"


def _budget(pairing: Pairing) -> list[str]:
    """Rule: equal optimiser steps, where it is the same classifier."""
    if pairing.a.classifier != pairing.b.classifier:
        return []
    steps = [tuple(trial.steps for trial in pair) for pair in pairing.comparison.pairs]
    unequal = [(a, b) for b, a in steps if None not in (a, b) and a != b]
    if not unequal:
        return []
    a, b = unequal[0]
    return [
        f"Unequal budget in {count(len(unequal), 'draw')}: {a:,} optimiser steps in A and {b:,} in B; a difference may "
        "be the longer training."
    ]
