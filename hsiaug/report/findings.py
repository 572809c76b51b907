"""The findings of a table in plain words and as signs: a headline, and the arm that stands for a
generator.
"""

import shlex
from collections import Counter
from collections.abc import Sequence
from operator import attrgetter, itemgetter
from statistics import fmean
from typing import NamedTuple

from hsiaug.metrics.significance import MIN_PAIRS, USUAL_DRAWS
from hsiaug.metrics.verdict import MARGIN, Finding, Verdict, undecided
from hsiaug.report.compare import Gain
from hsiaug.report.tables import Table
from hsiaug.report.text_templates import sentences


class Look(NamedTuple):
    """Tone of a finding on a page and in a picture, and its sign; signs are told apart by shape,
    not by colour alone.
    """

    tone: str
    sign: str


FINDINGS: dict[Finding, Look] = {
    "helps": Look("good", "▲"),
    "helps, at a loss": Look("loss", "▲▼"),
    "gains": Look("", "△"),
    "hurts": Look("bad", "▼"),
    "equivalent": Look("", "≈"),
    "not better": Look("", "○"),
    "open": Look("", "◇"),
    "undecided": Look("", "?"),
    "nothing made": Look("warn", "–"),
    "failed": Look("warn", "✕"),
}
"""Every finding."""
CONTROL = "·"
"""Sign of a control that is not judged itself."""
OF_SIGNS = (
    "The control that decides: of those that led to the verdict, the one over which the arm gains"
    " least; of a control, none. Beside it the mean paired difference with its 95 % interval,"
    " corrected for all arms as p is."
)


def verdict_text(found: Verdict | None, second: str) -> str:
    """A verdict as the entry of a table; ``control`` without one. second: the name of the second
    metric.
    """
    about = {"min_pairs": MIN_PAIRS, "margin": f"{100 * MARGIN:g}", "undecided": undecided}
    return "".join(sentences("verdict.txt", found=found, second=second, **about))


def headline(table: Table) -> str:
    """Summarize the findings, and say which arm that helps gains most, or how to run the missing
    draws.
    """
    best = max(table.judged, key=attrgetter("rank"), default=None)
    return " ".join(sentences("headline.txt", **_counted(table), needed=go_on(table), best=best))


def said_of(table: Table) -> str:
    """Summarize the findings on all arms of a table."""
    return " ".join(sentences("findings.txt", **_counted(table)))


def best_said(table: Table, store: str | None = None) -> list[str]:
    """Where the row with the highest main score is right, if told. store: as an option, to say what
    to run next.
    """
    means = {
        cell: mean[0]
        for cell in table.cells.values()
        if (mean := cell.summary(table.scores.main.key))
    }
    cell = max(means, key=lambda one: means[one], default=None)
    ids = table.large or range(1, len(table.class_names) + 1)
    told = {
        table.class_names[i - 1]: fmean(values) for i in ids if cell and (values := cell.recalls(i))
    }
    trial = cell.ok[0] if cell and store is not None and table.scores.fields else None
    about = {
        "cell": cell,
        "told": sorted(told.items(), key=itemgetter(1)),
        "trial": trial,
        "store": store,
    }
    return sentences("best.txt", table=table, quote=shlex.quote, **about)


def _counted(table: Table) -> dict[str, object]:
    return {
        "table": table,
        "counted": Counter(gain.verdict.finding for gain in table.judged if gain.verdict),
    }


def go_on(table: Table) -> int | None:
    """The N of ``--seeds N`` that runs the missing draws where all arms lack some; None where that
    would not help.
    """
    verdicts = [gain.verdict for gain in table.judged if gain.verdict]
    numbered = not table.repeated and table.draws == tuple(range(len(table.draws)))
    if not numbered or {found.finding for found in verdicts} != {"undecided"}:
        return None
    return USUAL_DRAWS


def over(gain: Gain) -> str:
    """``over none``, or ``below pseudo`` where that is shown of an arm that is not said to hurt;
    may be empty.
    """
    if gain.hardest is None or gain.verdict is None:
        return ""
    control, comparison = gain.hardest
    below = gain.verdict.finding != "hurts" and comparison.main.shown == "below"
    return f"{'below' if below else 'over'} {control}"


def signs_note(tables: Sequence[Table]) -> str:
    """Explain the signs of the verdicts of these tables."""
    found = {gain.verdict.finding for table in tables for gain in table.judged if gain.verdict}
    signs = {finding: look.sign for finding, look in FINDINGS.items() if finding in found}
    return " ".join(sentences("signs.txt", signs=signs, second=tables[0].scores.second.name))
