"""The findings of a table in plain words and as signs: a headline, and the arm that stands for a
generator.
"""

import shlex
from collections.abc import Sequence
from operator import itemgetter
from statistics import fmean
from typing import NamedTuple

from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.metrics.verdict import MARGIN, Finding, Verdict, undecided
from hsiaug.report.answers import Status, Use, over_rival
from hsiaug.report.compare import Gain
from hsiaug.report.tables import ReportTable
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
OF_STATUS: dict[Status, Finding] = {
    "YES": "helps",
    "NO": "not better",
    "NOT SHOWN": "open",
    "TOO FEW DRAWS": "undecided",
    "NOT ASKED": "open",
    "NOTHING TO JUDGE": "nothing made",
}
"""The finding whose sign each status has, where an arm is not shown below its rival."""
CONTROL = "·"
"""Sign of a control that is not judged itself."""
OF_SIGNS = (
    "The control that decides: of those that led to the verdict, the one over which the arm gains"
    " least; of a control, none. Beside it the mean paired difference with its 95 % interval,"
    " corrected for all arms as p is."
)


def verdict_text(found: Verdict | None, second: str) -> str:
    """A verdict as the entry of a table; ``control`` without one.

    Parameters
    ----------
    second : str
        The name of the second metric.
    """
    about = {"min_pairs": MIN_PAIRS, "margin": f"{100 * MARGIN:g}", "undecided": undecided}
    return "".join(sentences("verdict.txt", found=found, second=second, **about))


def rival_look(gain: Gain) -> Look:
    """Tone and sign of what is shown of an arm against the control that decides."""
    if gain.verdict is None:
        return Look("", CONTROL)
    finding = gain.verdict.finding
    if finding in ("helps, at a loss", "failed", "nothing made"):
        return FINDINGS[finding]
    result = over_rival(gain)
    if result.comparison is not None and result.comparison.main.shown == "below":
        return FINDINGS["hurts"]
    return FINDINGS[OF_STATUS[result.status]]


RIVAL_WORDS = {
    "▲": "helps",
    "▲▼": "helps, at a loss",
    "▼": "worse than {rival}",
    "○": "not 1 point above {rival}",
    "◇": "open against {rival}",
    "?": "too few draws",
    "–": "nothing made",
    "✕": "failed",
}
"""What each sign of a rival says of an arm, in a few words."""


def rival_meanings(table: ReportTable) -> dict[str, str]:
    """What each sign of a rival means, in a sentence's part."""
    return {
        "▲": "shown better than this rival",
        "▲▼": f"shown better than this rival, at a loss of {table.scores.second.name}",
        "▼": "shown worse than this rival",
        "○": "a gain of 1 point over it is ruled out (one-sided test at 5 %, not corrected)",
        "◇": "nothing shown",
        "?": "too few draws",
        "–": "no sample was made",
        "✕": "failed",
    }


def rival_words(gain: Gain) -> str:
    """What is shown of an arm against the control that decides: ``worse than pseudo``."""
    return RIVAL_WORDS[rival_look(gain).sign].format(rival=over_rival(gain).rival)


def best_row_sentences(table: ReportTable, use: Use, store: str | None = None) -> list[str]:
    """Where the row with the highest main score is right, if told.

    Parameters
    ----------
    use : Use
        The third answer of the table.
    store : str or None
        As an option, to say what to run next.
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
        # The arm to use is the best of those that are shown to gain, and need not be this one.
        "passed_over": bool(
            cell and use.name and not cell.without_samples and table.cell_label(cell) != use.name
        ),
        "told": sorted(told.items(), key=itemgetter(1)),
        "trial": trial,
        "store": store,
    }
    return sentences("best.txt", table=table, quote=shlex.quote, **about)


def decisive_control_phrase(gain: Gain) -> str:
    """``over none``, or ``below pseudo`` where that is shown of an arm that is not said to hurt;
    may be empty.
    """
    if gain.hardest is None or gain.verdict is None:
        return ""
    control, comparison = gain.hardest
    below = gain.verdict.finding != "hurts" and comparison.main.shown == "below"
    return f"{'below' if below else 'over'} {control}"


def signs_note(tables: Sequence[ReportTable]) -> str:
    """Explain the signs of the verdicts of these tables."""
    found = {gain.verdict.finding for table in tables for gain in table.judged if gain.verdict}
    signs = {finding: look.sign for finding, look in FINDINGS.items() if finding in found}
    return " ".join(sentences("signs.txt", signs=signs, second=tables[0].scores.second.name))


def rival_signs_note(table: ReportTable) -> str:
    """Explain the signs behind the rivals of a table; empty where no arm is judged."""
    shown = {rival_look(gain).sign for gain in table.judged}
    words = rival_meanings(table)
    said = ", ".join(f"{sign} {text}" for sign, text in words.items() if sign in shown)
    return f"{said}. Intervals are at 95 %, corrected for all arms." if said else ""
