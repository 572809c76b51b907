"""What is shown of arms in words: of one comparison, of an arm against all its controls, and where
the best row is right.
"""

import shlex
from collections.abc import Collection, Iterable
from operator import itemgetter
from statistics import fmean

from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.metrics.verdict import MARGIN, Shown, Verdict, too_few
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.answers import TONES, three_answers
from hsiaug.report.gains import ArmGains, Gain, rival_of
from hsiaug.report.split_audit import few_in_fields
from hsiaug.report.tables import ReportTable
from hsiaug.report.text_templates import sentences
from hsiaug.trial.arm import NONE


def verdict_text(found: Verdict | None, second: str) -> str:
    """A verdict as the entry of a table; ``control`` without one.

    Parameters
    ----------
    second : str
        The name of the second metric.
    """
    about = {"min_pairs": MIN_PAIRS, "margin": f"{100 * MARGIN:g}", "too_few": too_few}
    return "".join(sentences("verdict.txt", found=found, second=second, **about))


def shown_words(gain: Gain, second: str) -> str:
    """``above``, or ``above, OA below`` where that gain is at a loss in the second metric.

    Parameters
    ----------
    second : str
        The name of the second metric.
    """
    return f"{gain.shown}{f', {second} below' * _at_a_loss(gain)}"


def tone_of(gain: Gain) -> str:
    """The tone of what is shown over one control: good, loss, bad or none."""
    return "loss" if _at_a_loss(gain) else TONES[gain.shown]


def _at_a_loss(gain: Gain) -> bool:
    return gain.shown == "above" and gain.second.shown == "below"


def words_note(arms: Iterable[ArmGains], *, ends: bool = True) -> str:
    """What the words and brackets of differences mean; empty where no arm has one.

    Parameters
    ----------
    ends : bool
        Whether there are brackets.
    """
    shown = {
        gain.shown for arm in arms for gain in (arm.get(NONE), rival_of(arm)) if gain and gain.draws
    }
    return meanings_of(shown, ends=ends)


def meanings_of(shown: Collection[Shown], *, ends: bool) -> str:
    """What these words of comparisons mean.

    Parameters
    ----------
    ends : bool
        Whether there are brackets, which are explained too.
    """
    return "".join(sentences("words.txt", shown=shown, ends=ends, min_pairs=MIN_PAIRS))


def best_row_sentences(table: ReportTable, store: str | None = None) -> list[str]:
    """Where the row with the highest main score is right, if told.

    Parameters
    ----------
    store : str or None
        As an option, to say what to run next.
    """
    means = table.main_scores
    cell = max(means, key=means.__getitem__, default=None)
    ids = table.large or range(1, len(table.class_names) + 1)
    told = {
        table.class_names[i - 1]: fmean(values) for i in ids if cell and (values := cell.recalls(i))
    }
    use = three_answers(table).use
    used = use.cell if store is not None and table.scores.fields else None
    about = {
        "cell": cell,
        # The arm to use is the best of those that are shown to gain, and need not be this one.
        "passed_over": bool(
            cell and use.name and not cell.without_samples and table.cell_label(cell) != use.name
        ),
        "told": sorted(told.items(), key=itemgetter(1)),
        "used": use.words,
        "trial": used.ok[0] if used else None,
        # A classifier without samples needs no record.
        "alone": used.classifier.name if used and used.without_samples else "",
        "few": few_in_fields(table),
        "fewest": MIN_TEST_PIXELS,
        "store": store,
    }
    return sentences("best.txt", table=table, quote=shlex.quote, **about)
