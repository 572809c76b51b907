"""Signs of verdicts, and which of several arms stands for a generator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from hsiaug.metrics.verdict import Finding, points
from hsiaug.report.compare import Gain
from hsiaug.report.findings import judged
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

SIGNS: dict[Finding, str] = {
    "helps": "▲",
    "helps, at a loss": "▲▼",
    "hurts": "▼",
    "equivalent": "≈",
    "not better": "○",
    "open": "◇",
    "undecided": "?",
    "nothing made": "–",
    "failed": "✕",
}
"""Signs of every finding; told apart by shape, not by colour alone."""
CONTROL = "·"
"""Sign of a control that is not judged itself."""
OF_SIGNS = (
    "The control that decides: of those that led to the verdict, the one over which the arm gains least; of a control, "
    "none. Beside it the mean paired difference, with its t interval, of 95 %, corrected as p is."
)


class Shown(NamedTuple):
    """Content of a cell. gain: of the arm that it is about; findings: of all its arms."""

    gain: Gain
    findings: tuple[Finding, ...]

    @property
    def tally(self) -> str:
        """``1 ▲ 2 ▼``: the signs of several arms, each with how many have it; empty of one arm."""
        counted = Counter(self.findings)
        signs = (f"{counted[finding]} {sign}" for finding, sign in SIGNS.items() if counted[finding])
        return " ".join(signs) if len(self.findings) > 1 else ""


def shown_arms(table: Table) -> dict[tuple[Method, Method], Shown]:
    """Generator and classifier → what their cell shows: of several λ and ω the arm of the largest mean gain over the
    control that is hardest to beat, those that help first."""
    found: dict[tuple[Method, Method], list[Gain]] = {}
    for gain in judged(table):
        found.setdefault((gain.cell.arm.generator, gain.cell.classifier), []).append(gain)
    return {
        key: Shown(
            max(gains, key=attrgetter("rank")), tuple(gain.verdict.finding for gain in gains if gain.verdict)
        )
        for key, gains in found.items()
    }


def generators_of(shown: Mapping[tuple[Method, Method], Shown]) -> list[Method]:
    """The rows, in the order of the table."""
    return list(dict.fromkeys(generator for generator, _ in shown))


def over(gain: Gain) -> str:
    """``over none``, or ``below pseudo`` where that is shown of an arm that is not said to hurt; may be empty."""
    if gain.hardest is None or gain.verdict is None:
        return ""
    control, comparison = gain.hardest
    below = gain.verdict.finding != "hurts" and comparison.main.evidence.shown == "below"
    return f"{'below' if below else 'over'} {control}"


def signs_note(tables: Sequence[Table]) -> str:
    """Explain the signs of the verdicts of these tables."""
    found = {gain.verdict.finding for table in tables for gain in judged(table) if gain.verdict}
    scores = tables[0].scores
    words = {
        "helps, at a loss": f"helps, at a loss of {scores.second.name}",
        "equivalent": f"equivalent (±{points(scores.margin)})",
        "not better": f"not better by {points(scores.margin)}",
    }
    signs = [f"{sign} {words.get(finding, finding)}" for finding, sign in SIGNS.items() if finding in found]
    return f"{', '.join([*signs, 'with 95 % intervals, corrected as p is'])}."
