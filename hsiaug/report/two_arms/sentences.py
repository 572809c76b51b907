"""What ``hsiaug compare`` says of two arms: the effect first, then its spread, then what may be claimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hsiaug.metrics.significance import ALPHA, smallest_p
from hsiaug.metrics.verdict import unclaimed
from hsiaug.report.findings import verdict_text
from hsiaug.report.labels import (
    MISSING,
    count,
    count_range,
    decimal,
    draws_text,
    p_said,
    p_text,
    percent,
    signed,
    span,
)
from hsiaug.report.notes import repeat_notes
from hsiaug.report.records import Trial, class_counts
from hsiaug.report.two_arms.comparison import ArmComparison, Pairing
from hsiaug.trial.failures import why_failed

__all__ = [
    "BOOTSTRAP_NOTE",
    "CLASS_HEADER",
    "DRAW_HEADER",
    "class_rows",
    "draw_rows",
    "facts",
    "notes",
]

DRAW_HEADER = ("seed", "A", "B", "Δ", "block 95 %", "inflation", "record A", "record B")
CLASS_HEADER = ("class", "name", "Δ recall", "std", "n draws", "test pixels")

BOOTSTRAP_NOTE = (
    "The block bootstrap is of one draw's difference: for two classifiers as they were fitted, over other test ground. "
    "It resamples whole blocks of pixels, because errors of neighbours go together; McNemar's test takes every pixel for "
    "an independent one, so its p is too small here (anti-conservative) and is not given. Blocks too are a bit narrow. "
    "What other training pixels would change is not in it: the verdict rests on the draws alone."
)


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
    yield "95 % t interval", _span(interval) if interval else f"{MISSING} (one draw has no spread)"
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
    over = f" over the {count(tests, 'comparison')} of its table" if tests > 1 else ""
    if test.p is None or test.p_holm is None:
        return (
            f"not tested: n = {count(n, 'draw')} cannot reach .05, whatever the data say (the smallest p is "
            f"{p_text(smallest_p(n))}); at least {needed} paired draws are needed{over}"
        )
    p = f"{p_said(test.p_holm)}, Holm-corrected{over}" if tests > 1 else p_said(test.p)
    differing = n - pairing.counts[1]
    if test.p_holm < ALPHA:
        return (
            f"{p} (n = {n}){f'; but {why}, so it claims nothing' if (why := unclaimed(test.differences)) else ''}"
        )
    if differing < needed:
        sentences = f"n = {n}" if differing == n else f"only {differing} of n = {n} draws differ"
        least = f"; at least {needed} differing draws are needed{over}"
        return f"{p}: {sentences}, which cannot reach .05{over}{least}"
    return f"{p} (n = {n})"


def _span(ends: tuple[float, float]) -> str:
    return f"{signed(ends[0])} to {signed(ends[1])}"


def draw_rows(pairing: Pairing) -> list[tuple[str, ...]]:
    """A row of DRAW_HEADER for each paired draw; – where a block bootstrap was left out (see :func:`notes`)."""
    rows = []
    for a, b, difference, bootstrap in pairing.draws:
        found = bootstrap.interval
        scores = [percent(t.metric(pairing.score.key) or 0.0) for t in (a, b)]
        interval = _span((found.low, found.high)) if found else MISSING
        inflation = MISSING if found is None or found.inflation is None else decimal(found.inflation)
        # As much of a hash as 'hsiaug show' needs.
        rows.append((str(a.seed), *scores, signed(difference), interval, inflation, a.hash[:8], b.hash[:8]))
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
    """What is missing, unequal or left out on this condition."""
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
    sentences += _budget(pairing)
    without: dict[str, list[int]] = {}
    for a, _, _, bootstrap in pairing.draws:
        if bootstrap.interval is None:
            without.setdefault(bootstrap.why, []).append(a.seed)
    sentences += [f"No block bootstrap for seeds {draws_text(seeds)}: {why}." for why, seeds in without.items()]
    return sentences + _blocks(pairing)


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


def _blocks(pairing: Pairing) -> list[str]:
    found = [one.interval for one in pairing.bootstraps if one.interval is not None]
    if not found:
        return []
    side, numbers = found[0].side, [interval.blocks for interval in found]
    sentences = [
        f"Blocks of {side}×{side} pixels (patches of {pairing.table.condition.patch}), {span(numbers, 0)} with test "
        "pixels. Inflation: variance of a draw's Δ over that from pixels one by one, so many pixels count as one."
    ]
    narrow = {c for interval in found for c in interval.narrow}
    if narrow:
        names = ", ".join(pairing.table.class_names[c - 1] for c in sorted(narrow))
        sentences.append(
            f"In some draw all test pixels of {names} lie in one block: how sure their recall is, resampling cannot say, "
            "and an interval of a mean over classes is too narrow by that."
        )
    return sentences
