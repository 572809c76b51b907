"""The three answers in which a table is read: is an arm better than no samples, is it better than
all controls, and what should be used here.

They are computed from the gains of a table by the rule of :mod:`hsiaug.metrics.significance`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from hsiaug.metrics.significance import MIN_PAIRS, USUAL_DRAWS, Shown
from hsiaug.report.answer_texts import Answer, Answers, Contrast, Status, Use
from hsiaug.report.commands import FRESH, fresh_options, on_fresh_draws
from hsiaug.report.gains import ArmGains, Gain, over_best, rival_of
from hsiaug.trial.arm import NONE

if TYPE_CHECKING:
    from hsiaug.report.gains import ArmCell
    from hsiaug.report.tables import ReportTable


ANSWERED: WeakKeyDictionary[ReportTable, Answers] = WeakKeyDictionary()
"""The answers of every table that is held, so that each is answered once."""


def three_answers(table: ReportTable) -> Answers:
    """Answer the three questions for a table, once.

    Controls are answered for only where no other generator ran.
    """
    if table not in ANSWERED:
        ANSWERED[table] = _three_answers(table)
    return ANSWERED[table]


def _three_answers(table: ReportTable) -> Answers:
    judged = [arm for arm in table.judged if (verdict := arm[NONE].verdict) and verdict.of]
    asked_for = [arm for arm in judged if not arm[NONE].cell.is_control]
    controls_only = bool(judged) and not asked_for
    arms = [arm for arm in asked_for or judged if len(arm[NONE].cell.ok)]
    over_none = _answer("Better than no samples?", table, arms, itemgetter(NONE))
    question = "Better than other controls?" if controls_only else "Better than all controls?"
    # Where the first is YES, of the arms that it is said of; else of those for which it is open.
    asked = {"YES"} if over_none.status == "YES" else {"OPEN", "TOO FEW DRAWS", "NOTHING TO JUDGE"}
    remaining = [arm for arm in arms if _status(arm[NONE]) in asked]
    over_controls = _answer(question, table, remaining, rival_of)
    if arms and not remaining:
        over_controls = Answer(question, "NOT ASKED", (), 0, 0)
    elif over_controls.status == "YES" and over_none.status != "YES":
        # ``none`` is a control too.
        over_controls = replace(over_controls, status=over_none.status, shown=0)
    controls = [arm for arm in judged if arm[NONE].cell.is_control]
    of_controls = _answer("", table, [] if controls_only else controls, itemgetter(NONE))
    use = _use(table, over_none)
    named = _named_before(table, [arm[NONE].cell for arm in asked_for or judged])
    return Answers(
        over_none=over_none,
        over_controls=over_controls,
        use=use,
        metric=table.scores.main.short,
        main=table.scores.main.name,
        second=table.scores.second.name,
        draws=len(table.draws),
        controls_only=controls_only,
        controls=table.known_controls,
        of_controls=of_controls.contrasts,
        leaky=table.leaky,
        chose=len(table.main_scores) > 1 and not named,
        named=_quoted(table, named, use) if named else "",
        fresh_draws=on_fresh_draws(use.cell, table) if use.cell and not table.leaky else "",
        fresh_options=fresh_options(table),
        divides_images=table.divides_images,
        classifiers=tuple(table.labels[classifier] for classifier in table.classifiers),
        repeated=table.repeated,
        more_seeds=_more_seeds(table) if over_none.status == "TOO FEW DRAWS" else None,
    )


def _quoted(table: ReportTable, named: ArmCell, use: Use) -> str:
    """What may be quoted of draws that choose nothing, in words."""
    if named is use.cell:
        return "this mean"
    return f"the mean of {table.cell_words(named)}, {100 * table.main_scores[named]:.1f}"


def _named_before(table: ReportTable, asked: Sequence[ArmCell]) -> ArmCell | None:
    """The arm that alone was asked for on draws that choose nothing."""
    if min(table.trials["seed"], default=0) < FRESH or table.divides_images or table.repeated:
        return None
    # Where nothing has a verdict, as where copies alone ran, what has samples was asked for.
    made = asked or [cell for cell in table.main_scores if not cell.without_samples]
    arms = made or [*table.main_scores]
    return arms[0] if len(arms) == 1 and arms[0] in table.main_scores else None


def _more_seeds(table: ReportTable) -> int | None:
    """The N of ``--seeds N`` that runs the missing draws; None where that would not help."""
    seeds = sorted(set(table.trials["seed"].tolist()))
    numbered = seeds == list(range(len(seeds)))
    findings = {verdict.finding for arm in table.judged if (verdict := arm[NONE].verdict)}
    if not numbered or findings != {"too few draws"}:
        return None
    # A seed that draws the pixels of another one adds no draw.
    return max(USUAL_DRAWS, len(seeds) + MIN_PAIRS - len(table.draws))


STATUS_OF: dict[Shown, Status] = {
    "above": "YES",
    "below": "NO",
    "< 1 point": "NO",
    "open": "OPEN",
    "too few draws": "TOO FEW DRAWS",
}
"""Whether an arm is better, by what one comparison shows."""


def _status(gain: Gain | None) -> Status:
    return "NOTHING TO JUDGE" if gain is None else STATUS_OF[gain.main.shown]


def _answer(
    question: str,
    table: ReportTable,
    arms: Sequence[ArmGains],
    decides: Callable[[ArmGains], Gain | None],
) -> Answer:
    """The answer of some arms.

    Parameters
    ----------
    decides : callable
        The gain of an arm that answers the question.
    """
    decided = [(arm, decides(arm)) for arm in arms]
    statuses = [_status(gain) for _, gain in decided]
    status = _of_all(statuses)
    groups: dict[tuple[str, Status, str, bool], list[tuple[ArmGains, Gain | None]]] = {}
    by_generator: dict[str, list[ArmCell]] = {}
    for arm, gain in decided:
        cell = arm[NONE].cell
        generator = table.labels[cell.arm.generator]
        below = gain is not None and gain.main.shown == "below"
        key = (generator, _status(gain), gain.control if gain else "", below)
        groups.setdefault(key, []).append((arm, gain))
        by_generator.setdefault(generator, []).append(cell)
    contrasts = []
    for (generator, shown, rival, below), members in groups.items():
        every = by_generator[generator]
        contrasts.append(
            Contrast(
                generator=generator,
                rival=rival,
                status=shown,
                below=below,
                arms=tuple(table.cell_label(arm[NONE].cell) for arm, _ in members),
                gains=tuple(gain for _, gain in members if gain and gain.draws),
                asked=len(every),
                classifiers=len({cell.arm for cell in every}) == 1,
                lost=tuple(
                    table.cell_label(arm[NONE].cell) for arm, _ in members if _loses(arm, rival)
                ),
            )
        )

    def order(one: Contrast) -> tuple[bool, float]:
        return one.status != status, -max((gain.mean for gain in one.gains), default=-inf)

    contrasts.sort(key=order)
    return Answer(question, status, tuple(contrasts), statuses.count("YES"), len(statuses))


def _of_all(statuses: Sequence[Status]) -> Status:
    """One status for several arms: shown of one is shown; a ``NO`` needs all."""
    if not statuses:
        return "NOTHING TO JUDGE"
    unlike = set(statuses)
    if "YES" in unlike:
        return "YES"
    if len(unlike) == 1:
        return statuses[0]
    open_ones = unlike - {"NO"}
    return "TOO FEW DRAWS" if open_ones == {"TOO FEW DRAWS"} else "OPEN"


def _loses(arm: ArmGains, rival: str) -> bool:
    """Whether an arm is shown below ``none``, or else below another control, in the second
    metric.
    """
    asked = (gain for name, gain in arm.items() if (name == NONE) == (rival == NONE))
    return any(gain.second.shown == "below" for gain in asked)


def _use(table: ReportTable, first: Answer) -> Use:
    """The arm with the highest mean, of those that are shown above no samples and of the
    classifiers without samples, where enough draws are there to compare them. No difference between
    two arms is claimed by this choice.
    """
    means = table.comparable
    above = [cell for cell in table.main_scores if _above_none(table, cell)]
    asked = [*table.without_samples, *above]
    candidates = {cell: means[cell] for cell in asked if cell in means}
    if not candidates:
        return Use("NOTHING TO JUDGE")
    chosen = max(candidates, key=candidates.__getitem__)
    use = Use(
        status="OPEN",
        cell=chosen,
        name=table.cell_label(chosen),
        words=table.cell_words(chosen),
        generator=table.labels[chosen.arm.generator],
        classifier=table.labels[chosen.classifier],
        lam=chosen.arm.rate.lam,
        times=chosen.arm.rate.times,
        omega=chosen.arm.omega,
        score=100 * table.main_scores[chosen],
        left_out=tuple(table.cell_words(cell) for cell in asked if cell not in means),
    )
    if not chosen.without_samples:
        return _use_with_samples(use, table, chosen)
    # Where the first question is settled, so is this one.
    status = first.status if first.status in ("NO", "TOO FEW DRAWS") else use.status
    return replace(use, status=status, name=use.classifier)


def _above_none(table: ReportTable, cell: ArmCell) -> bool:
    arm = table.by_arm.get(cell.key)
    return arm is not None and arm[NONE].main.shown == "above"


def _use_with_samples(use: Use, table: ReportTable, chosen: ArmCell) -> Use:
    """An arm with samples beside the best classifier that needs none.

    Parameters
    ----------
    use : Use
        What is known of the arm alone.
    """
    without_samples = {
        cell: mean for cell, mean in table.comparable.items() if cell.without_samples
    }
    arm = table.against(chosen)
    use = replace(use, gain=arm[NONE], rival=_unbeaten(table, arm))
    over_all = [gain for gain in over_best(table.cells, table.scores) if gain.cell is chosen]
    known = [gain for gain in over_all if gain.control_cell in without_samples]
    hardest = min(known, key=attrgetter("mean"), default=None)
    if hardest is None or hardest.control_cell is None:
        best = max(without_samples, key=without_samples.__getitem__, default=None)
    else:
        best = hardest.control_cell
        # Of every one of these classifiers.
        if all(gain.main.shown == "above" for gain in over_all):
            use = replace(use, status="YES")
    if best is None or best.classifier == chosen.classifier:
        return use
    name = table.labels[best.classifier]
    use = replace(use, without=name, without_score=100 * table.main_scores[best])
    if hardest is None:
        return use
    # Where the table compares the two, both say the same interval.
    in_table = arm.get(name)
    over = in_table if in_table and in_table.draws else hardest
    return replace(use, over_without=replace(over, control=name))


def _unbeaten(table: ReportTable, arm: ArmGains) -> Contrast | None:
    """The control over which an arm is not shown to gain, where that is no map without samples: of
    this :attr:`Use.over_without` tells.
    """
    rival = rival_of(arm)
    if rival is None or rival.verdict is None or rival.main.shown == "above":
        return None
    if rival.control in rival.cell.rivals:
        return None
    (contrast,) = _answer("", table, [arm], rival_of).contrasts
    return contrast


def to_quote(tables: Sequence[ReportTable]) -> str:
    """How what is to be used is run on draws that did not choose it, in words; empty where there
    are none.
    """
    answers = {table: three_answers(table) for table in tables}
    told = {table: one for table, one in answers.items() if one.chose and one.fresh_draws}
    commands = dict.fromkeys(one.fresh_draws for one in told.values())
    if not commands:
        return ""
    large = any(table.large for table in told)
    classes = ", with AA over the classes that are large enough there" * large
    return f"what answer 3 names, on draws that chose nothing{classes}: {'; then: '.join(commands)}"


def shown_arms(table: ReportTable) -> list[ArmCell]:
    """The arm that the third answer names, and what maps show beside it: its rival, or
    its classifier without samples where it has none; beside one without samples, the arm with
    samples that has the highest mean.
    """
    use = three_answers(table).use.cell
    if use is None:
        return []
    if not use.without_samples:
        arm = table.against(use)
        beside = (gain.control_cell for gain in (rival_of(arm), arm[NONE]) if gain and gain.draws)
        return [use, *[cell for cell in beside if cell][:1]]
    with_samples = [arm[NONE].cell for arm in table.judged if arm[NONE].cell in table.main_scores]
    return [use, *sorted(with_samples, key=table.score_rank, reverse=True)[:1]]
