"""The findings of a table in plain words: a headline, and the arms under their verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from hsiaug.metrics.significance import MeanStd
from hsiaug.metrics.verdict import Finding, points, prints_zero
from hsiaug.protocol.balance import Rate
from hsiaug.report.compare import Comparison, Gain, mean_difference
from hsiaug.report.labels import count, join_words, p_said, signed
from hsiaug.report.records import FIELDS
from hsiaug.report.tables import Table
from hsiaug.trial.arm import needed_of
from hsiaug.trial.failures import why_failed

LISTED = 12
"""Arms of one verdict that have a line of their own."""


class _Words(NamedTuple):
    """Words of a finding: a sentence where all arms have it, words for some of them, and its tone on a page.

    {second} stands for the second metric, {margin} for the margin of equivalence.
    """

    of_all: str
    of_some: str
    tone: str


ALONE_SAID = "Synthetic samples alone are compared with real ones, not judged."
"""Where no arm has real samples beside them."""

FINDINGS: dict[Finding, _Words] = {
    "helps": _Words("Every arm helps.", "shown to help", "good"),
    "helps, at a loss": _Words(
        "Every arm helps, at a loss of {second}.", "shown to help at a loss of {second}", "loss"
    ),
    "hurts": _Words("Every arm hurts.", "shown to hurt", "bad"),
    "equivalent": _Words(
        "Every arm is equivalent to a control (±{margin}).", "equivalent to a control (±{margin})", ""
    ),
    "not better": _Words("No arm is better than its controls by {margin}.", "not better by {margin}", ""),
    "open": _Words("Open: these draws show neither a gain nor that there is none.", "open", ""),
    "undecided": _Words(
        "Undecided: these are too few draws to tell whether anything helps or hurts.", "undecided", ""
    ),
    "nothing made": _Words(
        "No synthetic sample was made, so there is nothing to judge.", "that made nothing", "warn"
    ),
    "failed": _Words("Every arm failed, so there is nothing to judge.", "failed", "warn"),
}
"""Every finding, in the order in which a report names them."""


def judged(table: Table) -> list[Gain]:
    """Return the gains to be judged: every arm but ``none`` and ``duplicate``, with every classifier."""
    return [gain for gain in table.gains.values() if gain.verdict is not None]


def verdict(table: Table) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Sentences, each with a line per arm below it: the headline, then the verdicts, those that help first."""
    groups: dict[tuple[int, str], list[Gain]] = {}
    for gain in judged(table):
        finding = gain.verdict.finding if gain.verdict else "failed"
        groups.setdefault((list(FINDINGS).index(finding), _heading(table, gain)), []).append(gain)
    found = [(heading, _lines(table, groups[place, heading])) for place, heading in sorted(groups)]
    return ((headline(table), ()), *found) if table.cells else ()


def verdict_text(table: Table, gain: Gain) -> str:
    """The verdict as the entry of a table; ``control`` for a control."""
    found = gain.verdict
    if found is None:
        return "control"
    return f"{found.text} of {table.scores.second.name}" if found.finding == "helps, at a loss" else found.text


def _heading(table: Table, gain: Gain) -> str:
    """The verdict with what is behind it: a reason, or what to try instead."""
    text, finding = verdict_text(table, gain), gain.verdict.finding if gain.verdict else None
    if finding == "failed":
        return f"{text}: {why_failed(gain.cell.failed[0].record)}"
    if finding == "nothing made" and gain.cell.arm.rate <= Rate(1.0) and table.scores.balanced:
        return f"{text} ({table.scores.balanced})"
    return text


def headline(table: Table) -> str:
    """Summarize the findings, and say which of several arms that help gains most, or how to run the missing draws."""
    needed = go_on(table)
    more = (
        f" The same benchmark with --seeds {needed} runs the draws that are missing."
        if needed
        else _largest(table)
    )
    return said_of(table) + more


def said_of(table: Table) -> str:
    """Summarize the findings on all arms of a table."""
    counted = Counter(gain.verdict.finding for gain in judged(table) if gain.verdict)
    second, margin = table.scores.second.name, points(table.scores.margin)
    if not counted:
        return "Only controls were run, so there is nothing to judge yet." if not table.alone else ALONE_SAID
    if len(counted) == 1:
        finding = next(iter(counted))
        if lacking := _lacking(table):
            return lacking
        return FINDINGS[finding].of_all.format(second=second, margin=margin)
    arms, helping = counted.total(), counted["helps"]
    rest = ", ".join(
        f"{n} {words.of_some.format(second=second, margin=margin)}"
        for finding, words in FINDINGS.items()
        if (n := counted[finding]) and finding != "helps"
    )
    if helping:
        helps = "helps" if helping == 1 else "help"
        return f"{helping} of {count(arms, 'arm')} {helps}; of the others: {rest}."
    without = f" without a loss of {second}" if counted["helps, at a loss"] else ""
    return f"Nothing is shown to help{without}. Of {count(arms, 'arm')}: {rest}."


def _largest(table: Table) -> str:
    """Name the arm of the largest gain among several that help, or that help at a loss where no other does."""
    arms = judged(table)
    best = max(arms, key=attrgetter("rank"), default=None)
    if best is None or len(arms) < 2 or not best.rank[0] or best.hardest is None:
        return ""
    gained = f"{table.scores.main.name} {signed(best.rank[1])} over {best.hardest[0]}"
    return f" The largest gain: {table.cell_label(best.cell)}, {gained}."


def _lacking(table: Table) -> str:
    """Explain that every arm is shown above what it was run beside but lacks a control; else return ""."""
    verdicts = [gain.verdict for gain in judged(table) if gain.verdict]
    names = dict.fromkeys(found.waits_for for found in verdicts if found.waits_for and not found.draws)
    if not names or not all(found.waits_for and not found.draws for found in verdicts):
        return ""
    who = " or ".join(dict.fromkeys(map(needed_of, filter(None, names))))
    return (
        f"Undecided: no arm was measured against {' or '.join(filter(None, names))}, which {who} "
        "must be above to help. The same benchmark again runs it."
    )


def go_on(table: Table) -> int | None:
    """The N of ``--seeds N`` that runs the missing draws where all arms lack some; None where that would not help."""
    verdicts = [gain.verdict for gain in judged(table) if gain.verdict]
    numbered = not table.repeated and table.draws == tuple(range(len(table.draws)))
    if not numbered or {found.finding for found in verdicts} != {"undecided"} or _lacking(table):
        return None
    return max(found.needed for found in verdicts)


def _lines(table: Table, gains: Sequence[Gain]) -> tuple[str, ...]:
    """A line per arm, with its numbers where it is judged; of many, the first."""
    lines = []
    for gain in gains[:LISTED]:
        judged = gain.verdict is not None and gain.verdict.finding not in ("nothing made", "failed")
        lines.append(table.cell_label(gain.cell) + (f": {_arm_numbers(table, gain)}" if judged else ""))
    more = len(gains) - LISTED
    return (*lines, *([f"and {count(more, 'more arm')} of the table above"] if more > 0 else []))


def _arm_numbers(table: Table, gain: Gain) -> str:
    """``AA +1.2 against none and -0.6 against duplicate; OA -1.4 and -0.7``, with p where it was tested."""
    found = [(control, c) for control, c in gain.against.items() if c is not None]
    parts = []
    if found:
        main = join_words(f"{signed(c.main.mean)}{_p(c.main.p_holm)} against {control}" for control, c in found)
        parts.append(f"{table.scores.main.name} {main}")
    if found and all(c.second is not None for _, c in found):
        gained = all(c.direction > 0 for _, c in found)
        lost = any(c.second and c.second.mean < 0 and not prints_zero(c.second.mean) for _, c in found)
        second = join_words(f"{signed(c.second.mean)}{_p(c.second.p_holm)}" for _, c in found if c.second)
        parts.append(f"{'but ' if gained and lost else ''}{table.scores.second.name} {second}")
    parts += _in_fields(table, [c for _, c in found])
    parts += [_absent(table, gain, control) for control, c in gain.against.items() if c is None]
    draws = dict.fromkeys(len(c.pairs) for _, c in found)
    if found and any(c.main.p is not None for _, c in found):
        parts.append(f"over {' and '.join(map(str, draws))} draws")
    if gain.cell.failed:
        parts.append(f"failed in {len(gain.cell.failed)} of {count(len(gain.cell.trials), 'draw')}")
    if gain.cell.empty:
        parts.append(f"made nothing in {len(gain.cell.empty)} of {count(len(gain.cell.trials), 'draw')}")
    return "; ".join(parts)


def _in_fields(table: Table, found: Sequence[Comparison]) -> list[str]:
    """``AA in seen fields +4.1 and +3.8, in new fields +0.2 and -0.1``: the paired gains over the same controls."""
    said = []
    for where in FIELDS if table.fields else ():
        means = [mean_difference(c.pairs, f"aa_{where}") for c in found]
        if means and any(means):
            gains = join_words(_gain_text(mean, len(c.pairs)) for mean, c in zip(means, found, strict=True))
            said.append(f"in {where} fields {gains}")
    return [f"AA {', '.join(said)}"] if said else []


def _gain_text(mean: MeanStd | None, pairs: int) -> str:
    return signed(mean and mean.mean) + (f" (n={mean.n})" if mean and mean.n < pairs else "")


def _p(p: float | None) -> str:
    return "" if p is None else f" ({p_said(p)})"


def _absent(table: Table, gain: Gain, control: str) -> str:
    """Why an arm does not stand against a control."""
    cells = [
        cell
        for cell in table.cells_of(gain.cell.classifier)
        if cell.arm.control
        and cell.arm.generator.name == control
        and (control == "none" or cell.arm.rate == gain.cell.arm.rate)
    ]
    if not cells:
        return f"{control} was not run with it"
    failed, run = sum(len(cell.failed) for cell in cells), sum(len(cell.trials) for cell in cells)
    return (
        f"{control} failed in {failed} of {count(run, 'draw')}" if failed else f"no draw in common with {control}"
    )
