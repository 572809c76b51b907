"""The findings of a table in plain words and as signs: a headline, and the arm that stands for a generator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from hsiaug.metrics.significance import USUAL_DRAWS
from hsiaug.metrics.verdict import Finding
from hsiaug.report.compare import Gain
from hsiaug.report.labels import count, p_said, signed, with_interval
from hsiaug.report.tables import Table


class _Words(NamedTuple):
    """Words of a finding: a sentence where all arms have it, words for some of them, its tone on a page, and its sign.

    {second} stands for the second metric.
    """

    of_all: str
    of_some: str
    tone: str
    sign: str


FINDINGS: dict[Finding, _Words] = {
    "helps": _Words("Every arm helps.", "shown to help", "good", "▲"),
    "helps, at a loss": _Words(
        "Every arm helps, at a loss of {second}.", "shown to help at a loss of {second}", "loss", "▲▼"
    ),
    "gains": _Words(
        "Every arm gains over none; more is open.",
        "shown to gain over none, and open beside another control",
        "gain",
        "△",
    ),
    "hurts": _Words("Every arm hurts.", "shown to hurt", "bad", "▼"),
    "equivalent": _Words(
        "Every arm is equivalent to a control (±1 point).", "equivalent to a control (±1 point)", "", "≈"
    ),
    "not better": _Words("No arm is better than its controls by 1 point.", "not better by 1 point", "", "○"),
    "open": _Words("Open: these draws show neither a gain nor that there is none.", "open", "", "◇"),
    "undecided": _Words(
        "Undecided: these are too few draws to tell whether anything helps or hurts.", "undecided", "", "?"
    ),
    "nothing made": _Words(
        "No synthetic sample was made, so there is nothing to judge.", "that made nothing", "warn", "–"
    ),
    "failed": _Words("Every arm failed, so there is nothing to judge.", "failed", "warn", "✕"),
}
"""Every finding, in the order in which a report names them."""
SIGNS: dict[Finding, str] = {finding: words.sign for finding, words in FINDINGS.items()}
"""Signs of every finding; told apart by shape, not by colour alone."""
CONTROL = "·"
"""Sign of a control that is not judged itself."""
OF_SIGNS = (
    "The control that decides: of those that led to the verdict, the one over which the arm gains least; of a control, "
    "none. Beside it the mean paired difference with its 95 % interval, corrected for all arms as p is."
)


def verdict_text(table: Table, gain: Gain) -> str:
    """The verdict as the entry of a table; ``control`` for a control."""
    found = gain.verdict
    if found is None:
        return "control"
    return f"{found.text} of {table.scores.second.name}" if found.finding == "helps, at a loss" else found.text


def headline(table: Table) -> str:
    """Summarize the findings, and say which arm that helps gains most, or how to run the missing draws."""
    if needed := go_on(table):
        return f"{said_of(table)} The same benchmark with --seeds {needed} runs the draws that are missing."
    best = max(table.judged, key=attrgetter("rank"), default=None)
    if best is None or not best.rank[0] or best.hardest is None:
        return said_of(table)
    control, one = best.hardest
    gained = f"{with_interval(one.main.mean, one.main.interval)} over {control}"
    about = f"({p_said(one.main.p_corrected)}, {count(len(one.mine), 'draw')}){_beside_best(table, best)}"
    label = table.cell_label(best.cell)
    return f"{said_of(table)} The largest gain: {label}, {table.scores.main.name} {gained} {about}."


def _beside_best(table: Table, gain: Gain) -> str:
    """``; +1.2 over the best that needs no sample, filtered:svm (shown)``; "" of a table with one classifier."""
    found = table.over_best.get((gain.cell.arm, gain.cell.classifier))
    if found is None or len(table.classifiers) < 2:
        return ""
    said = {"above": "shown", "below": "shown below", "undecided": "too few draws"}.get(found.shown, "open")
    over = f"{signed(found.comparison.main.mean)} over the best that needs no sample, {table.labels[found.classifier]}"
    return f"; {over} ({said})"


def said_of(table: Table) -> str:
    """Summarize the findings on all arms of a table."""
    counted = Counter(gain.verdict.finding for gain in table.judged if gain.verdict)
    said = {"second": table.scores.second.name}
    if not counted:
        return (
            "Synthetic samples alone are compared with real ones, not judged."
            if table.alone
            else "Only controls were run, so there is nothing to judge yet."
        )
    if len(counted) == 1:
        return FINDINGS[next(iter(counted))].of_all.format(**said)
    arms, helping = counted.total(), counted["helps"]
    rest = ", ".join(
        f"{n} {words.of_some.format(**said)}"
        for finding, words in FINDINGS.items()
        if (n := counted[finding]) and finding != "helps"
    )
    if helping:
        return f"{helping} of {count(arms, 'arm')} {'helps' if helping == 1 else 'help'}; of the others: {rest}."
    without = f" without a loss of {said['second']}" if counted["helps, at a loss"] else ""
    return f"Nothing is shown to help{without}. Of {count(arms, 'arm')}: {rest}."


def go_on(table: Table) -> int | None:
    """The N of ``--seeds N`` that runs the missing draws where all arms lack some; None where that would not help."""
    verdicts = [gain.verdict for gain in table.judged if gain.verdict]
    numbered = not table.repeated and table.draws == tuple(range(len(table.draws)))
    if not numbered or {found.finding for found in verdicts} != {"undecided"}:
        return None
    return USUAL_DRAWS


def over(gain: Gain) -> str:
    """``over none``, or ``below pseudo`` where that is shown of an arm that is not said to hurt; may be empty."""
    if gain.hardest is None or gain.verdict is None:
        return ""
    control, comparison = gain.hardest
    below = gain.verdict.finding != "hurts" and comparison.main.shown == "below"
    return f"{'below' if below else 'over'} {control}"


def signs_note(tables: Sequence[Table]) -> str:
    """Explain the signs of the verdicts of these tables."""
    found = {gain.verdict.finding for table in tables for gain in table.judged if gain.verdict}
    scores = tables[0].scores
    words = {
        "helps, at a loss": f"helps, at a loss of {scores.second.name}",
        "equivalent": "equivalent (±1 point)",
        "not better": "not better by 1 point",
    }
    signs = [f"{sign} {words.get(finding, finding)}" for finding, sign in SIGNS.items() if finding in found]
    return f"{', '.join([*signs, 'with 95 % intervals, corrected as p is'])}."
