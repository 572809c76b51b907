"""The three answers of a table: is a configuration better than no synthetic samples, is it better
than its controls, and which configuration is best here.

They are those of *all* configurations that the store holds of the table's condition on its splits,
whichever rows are shown, by the words of :mod:`hsiaug.metrics.significance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from hsiaug.metrics.significance import MIN_PAIRS, Evidence, Word
from hsiaug.report import words
from hsiaug.report.commands import quote_command
from hsiaug.report.formatting import (
    all_of,
    count,
    difference_words,
    join_words,
    plus_minus,
    signed,
)
from hsiaug.report.gains import ArmGains, Gain, in_points, lead, rival_of
from hsiaug.report.section import Answer
from hsiaug.trial.arm import NONE

if TYPE_CHECKING:
    from hsiaug.report.gains import ArmCell
    from hsiaug.report.tables import ReportTable

ANSWERED: WeakKeyDictionary[ReportTable, Answers] = WeakKeyDictionary()
"""The answers of every whole table that is held, so that each is answered once."""
MOST_NAMED = 3
"""Configurations that an answer names."""


@dataclass(frozen=True)
class Best:
    """The configuration of the highest mean.

    Attributes
    ----------
    cell : ArmCell
        The configuration.
    words : str
        Its name.
    next : Gain or None
        Over the configuration of the next mean, corrected for all pairs; None where it is alone.
    """

    cell: ArmCell
    words: str
    next: Gain | None

    @property
    def sure(self) -> bool:
        """Whether its lead is no chance."""
        return self.next is not None and self.next.main.significant


@dataclass(frozen=True)
class Answers:
    """The three answers of a table.

    Attributes
    ----------
    over_none, over_controls, in_words : Answer
        What is said on a screen.
    best : Best or None
        None where no trial gave a number.
    quote : str
        The command that runs the best configuration on splits that did not choose it; empty where
        there are none, or where it need not be run.
    quotable : bool
        Whether these splits ranked no configurations, so that its mean may be quoted.
    """

    over_none: Answer
    over_controls: Answer
    in_words: Answer
    best: Best | None
    quote: str
    quotable: bool

    @property
    def lines(self) -> tuple[Answer, Answer, Answer]:
        """The three, in their order."""
        return self.over_none, self.over_controls, self.in_words

    @property
    def headline(self) -> str:
        """All of them on one line."""
        said = (" ".join(filter(None, (a.question, a.status, a.text))) for a in self.lines)
        return ". ".join(said)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; gains in points."""
        best: dict[str, Any] | None = None
        if self.best:
            cell, following = self.best.cell, self.best.next
            best = {
                "configuration": self.best.words,
                "generator": cell.arm.generator.name,
                "lambda": cell.arm.rate.lam,
                "times": cell.arm.rate.times,
                "omega": cell.arm.omega,
                "classifier": cell.classifier.name,
                "over_next": in_points(following.main) if following else None,
                "lead_may_be_chance": not self.best.sure,
            }
        return {
            "over_none": vars(self.over_none),
            "over_controls": vars(self.over_controls),
            "best": best,
            "quote": self.quote,
            "quotable": self.quotable,
            "text": [" ".join(filter(None, vars(one).values())) for one in self.lines],
        }


def three_answers(table: ReportTable) -> Answers:
    """Answer the three questions for a table, once: those of some of its rows are those of all."""
    whole = table.complete
    if whole not in ANSWERED:
        ANSWERED[whole] = _three_answers(whole)
    return ANSWERED[whole]


def _three_answers(table: ReportTable) -> Answers:
    asked = asked_for(table)
    better = [arm for arm in asked if arm[NONE].main.word == "better"]
    best = _best(table)
    ranked = [
        cell for cell in table.main_scores if not cell.is_control and not cell.without_samples
    ]
    quotable = len(ranked) == 1 and not table.leaky
    quote = ""
    if best and not quotable and not table.leaky and len(table.main_scores) > 1:
        quote = quote_command(best.cell, table)
    return Answers(
        _over_none(table, asked),
        _over_controls(table, better or asked),
        _best_in_words(table, best),
        best,
        quote,
        quotable,
    )


def asked_for(table: ReportTable) -> list[ArmGains]:
    """The configurations that a table is about, those of the highest mean first: neither controls
    nor baselines of others; controls where nothing else was run.
    """
    judged = [arm for arm in table.by_gain if len(arm[NONE].cell.ok)]
    baselines = {arm[NONE].cell.baseline for arm in judged}
    asked = [
        arm
        for arm in judged
        if not arm[NONE].cell.is_control and arm[NONE].cell.arm.generator.name not in baselines
    ]
    return asked or judged


def _answer(over: Sequence[Word]) -> str:
    """YES where one configuration is better, NO where none can be, else UNCLEAR."""
    if "better" in over:
        return "YES"
    return "NO" if over and not {*over} - {"worse", "no gain"} else "UNCLEAR"


def _over_none(table: ReportTable, asked: Sequence[ArmGains]) -> Answer:
    found = [arm[NONE].main.word for arm in asked]
    status = _answer(found)
    return Answer(words.OVER_NONE, status, _why_over_none(table, asked, status))


def _why_over_none(table: ReportTable, asked: Sequence[ArmGains], status: str) -> str:
    if few := _too_few(table, asked, [NONE]):
        return few
    shown: Word = "better"
    if status == "NO":
        shown = "worse" if any(arm[NONE].main.word == "worse" for arm in asked) else "no gain"
    if status == "UNCLEAR":
        first = max(asked, key=lambda arm: arm[NONE].mean)
        cell = first[NONE].cell
        label = f"{table.cell_label(cell, brief=True)} " if len(asked) > 1 else ""
        return f"{label}{difference_words(first[NONE].main)}"
    members = [arm for arm in asked if arm[NONE].main.word == shown]
    points = f"points of {table.scores.main.short}"
    named = _by_generator(table, asked, members)
    if len(named) > MOST_NAMED:
        spread = _spread([arm[NONE].main for arm in members])
        return f"{len(members)} of {count(len(asked), 'configuration')}, {spread} {points}"
    alone = len(_by_generator(table, asked, asked)) == 1
    clauses: list[str] = []
    for name, (some, every) in named.items():
        spread = _spread([arm[NONE].main for arm in some])
        unit = f" {points}" if not clauses else ""
        label = "" if alone else f"{name} "
        clauses.append(f"{label}{spread}{unit}{_with(table, some, every)}")
    return "; ".join(clauses)


def _by_generator(
    table: ReportTable, asked: Sequence[ArmGains], members: Sequence[ArmGains]
) -> dict[str, tuple[list[ArmGains], list[ArmGains]]]:
    """The generators, with λ, M and ω, of which some configurations are members: these, and all."""
    every: dict[str, list[ArmGains]] = {}
    for arm in asked:
        every.setdefault(table.arm_label(arm[NONE].cell.arm, brief=True), []).append(arm)
    some = {name: [arm for arm in arms if arm in members] for name, arms in every.items()}
    return {name: (some[name], arms) for name, arms in every.items() if some[name]}


def _with(table: ReportTable, some: Sequence[ArmGains], every: Sequence[ArmGains]) -> str:
    """``with all three classifiers``, or their names."""
    names = [table.labels[arm[NONE].cell.classifier] for arm in some]
    if len(some) == len(every) > 1:
        return f" with {all_of(len(every))} classifiers"
    return f" with {join_words(names)}"


def _spread(evidence: Sequence[Evidence]) -> str:
    """``+6.2 to +7.5``: the smallest and the largest mean."""
    means = [one.mean for one in evidence]
    low, high = signed(min(means)), signed(max(means))
    return low if low == high else f"{low} to {high}"


def _too_few(table: ReportTable, asked: Sequence[ArmGains], controls: Sequence[str]) -> str:
    """Why nothing can be said: nothing was run, or on too few splits."""
    if not asked:
        return words.NO_GENERATOR if table.main_scores else words.NO_NUMBERS
    shared = max(arm[name].draws for arm in asked for name in controls if name in arm)
    if shared >= MIN_PAIRS:
        return ""
    return words.FEW_SPLITS.format(n=count(shared, "split"), least=MIN_PAIRS)


def _over_controls(table: ReportTable, asked: Sequence[ArmGains]) -> Answer:
    """Whether some configurations are better than all their controls.

    Parameters
    ----------
    asked : sequence of ArmGains
        Those that are better than no samples; all where none is.
    """
    verdicts = [arm[NONE].verdict for arm in asked]
    status = _answer([verdict.word for verdict in verdicts if verdict])
    return Answer(words.OVER_CONTROLS, status, _why_over_controls(table, asked, status))


def _why_over_controls(table: ReportTable, asked: Sequence[ArmGains], status: str) -> str:
    if few := _too_few(table, asked, [NONE]):
        return few
    if status == "YES":
        better = [arm for arm in asked if (one := arm[NONE].verdict) and one.word == "better"]
        return _over_strongest(table, better, asked)
    if status == "NO":
        return _no_better(table, asked)
    names = dict.fromkeys(name for arm in asked for name in arm)
    missing = [name for name in names if all(not arm[name].draws for arm in asked if name in arm)]
    known = [name for name in names if name not in missing]

    def none_better(name: str) -> bool:
        return all(arm[name].main.word != "better" for arm in asked if name in arm)

    open_ = [name for name in known if none_better(name)]
    strongest = [rival.control for arm in asked if (rival := rival_of(arm))]
    clauses = []
    if missing:
        clauses.append(words.NOT_RUN.format(controls=join_words(control_names(table, missing))))
    if controls := open_ or ([] if missing else [*dict.fromkeys(strongest)]):
        named = " or ".join(control_names(table, controls))
        clauses.append(words.NOT_BETTER.format(controls=named))
    return "; ".join(clauses)


def _no_better(table: ReportTable, asked: Sequence[ArmGains]) -> str:
    """``worse than pseudo; no gain over the teacher's map``: the strongest controls."""
    found: dict[str, dict[str, None]] = {}
    for arm in asked:
        if verdict := arm[NONE].verdict:
            found.setdefault(verdict.word, {})[verdict.control] = None
    said = {"worse": words.WORSE, "no gain": words.NO_GAIN}
    return "; ".join(
        text.format(controls=join_words(control_names(table, list(found[word]))))
        for word, text in said.items()
        if word in found
    )


def control_names(table: ReportTable, names: Sequence[str]) -> list[str]:
    """Controls as they are called: ``pseudo``, ``no synthetic samples``, ``the teacher's map``."""

    def name(control: str) -> str:
        known = table.known_controls.get(control)
        if known is not None and known.kind == "classifier":
            return f"the {control}'s map"
        return words.NO_SAMPLES if control == NONE else control

    return [name(one) for one in names]


def _over_strongest(
    table: ReportTable, better: Sequence[ArmGains], asked: Sequence[ArmGains]
) -> str:
    """``txt2hsi with svm: +2.1 [1.0, 3.2] over pseudo``; of several the range of their means."""
    strongest = [rival_of(arm) or arm[NONE] for arm in better]
    if len(better) == 1:
        (gain,) = strongest
        (control,) = control_names(table, [gain.control])
        cell = table.cell_label(gain.cell, brief=True)
        return f"{cell}: {difference_words(gain.main)} over {control}"
    named = _by_generator(table, asked, better)
    of_each = f"{_spread([gain.main for gain in strongest])} over the strongest control of each"
    if len(named) > MOST_NAMED:
        return f"{len(better)} of {count(len(asked), 'configuration')}: {of_each}"
    clauses = [f"{name}{_with(table, some, every)}" for name, (some, every) in named.items()]
    return f"{join_words(clauses)}: {of_each}"


def _best(table: ReportTable) -> Best | None:
    """The configuration of the highest mean, and its lead over the next one."""
    # Of synthetic samples alone nobody asks whether they are best.
    both = [cell for cell in table.comparable if cell.arm == cell.arm.both]
    ranked = sorted(both, key=table.score_rank, reverse=True)
    if not ranked:
        return None
    first, *others = ranked
    over_next = lead(ranked, table.scores, first, others[0]) if others else None
    return Best(first, table.cell_words(first, brief=True), over_next)


def _best_in_words(table: ReportTable, best: Best | None) -> Answer:
    if best is None:
        return Answer(words.BEST, "", words.NO_NUMBERS)
    main = table.scores.main
    score = f"{main.short} {plus_minus(best.cell.summary(main.key))}"
    if best.next is None or best.next.control_cell is None:
        return Answer(words.BEST, "", f"{best.words}, {score}")
    sure = words.BY_CHANCE
    if best.sure:
        sure = words.SURE.format(lead=difference_words(best.next.main))
    text = words.NEXT.format(
        best=best.words,
        score=score,
        next=table.cell_words(best.next.control_cell, brief=True),
        sure=sure,
    )
    return Answer(words.BEST, "", text)


def shown_cells(table: ReportTable) -> list[ArmCell]:
    """The best configuration, and what maps and matrices show with it: its strongest control, or
    with one without samples the best configuration with samples.
    """
    best = three_answers(table).best
    if best is None:
        return []
    cell = best.cell
    asked = asked_for(table.complete)
    if cell.without_samples:
        return [cell, *(arm[NONE].cell for arm in asked[:1])]
    arm = table.complete.against(cell)
    strongest = rival_of(arm) if arm else None
    others = [gain.control_cell for gain in (strongest, arm.get(NONE)) if gain and gain.draws]
    return [cell, *[other for other in others if other and other is not cell][:1]]
