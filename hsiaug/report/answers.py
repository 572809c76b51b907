"""The three answers in which a table is read: is an arm better than no samples, is it better than
all controls, and what should be used here.

The answers are plain values, computed from the gains of a table by the rule of
:mod:`hsiaug.metrics.verdict`; :mod:`hsiaug.report.answer_text` says them in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from hsiaug.metrics.significance import USUAL_DRAWS
from hsiaug.metrics.verdict import Evidence, Shown, equivalence
from hsiaug.trial.arm import RIVALS

if TYPE_CHECKING:
    from hsiaug.report.cells import ArmCell
    from hsiaug.report.compare import Comparison, Gain
    from hsiaug.report.tables import ReportTable

Status = Literal["YES", "NO", "NOT SHOWN", "TOO FEW DRAWS", "NOT ASKED", "NOTHING TO JUDGE"]
"""``NO``: shown below, or shown to gain less than one point. ``NOT SHOWN``: enough draws for a
large difference, and neither a gain nor its absence is shown. ``NOT ASKED``: an earlier answer
settles it. ``NOTHING TO JUDGE``: no arm that could be judged gave a number.
"""
NO_SAMPLES = "none"
"""The generator that makes no sample."""


@dataclass(frozen=True)
class Difference:
    """The mean paired difference of the main metric between two arms, in points.

    Parameters
    ----------
    over : str
        What the arm is measured against, as tables name it.
    mean, low, high : float
        The mean, and its simultaneous 95 % interval; the ends are None where it is endless.
    p : float or None
        Corrected p; None where too few draws are shared for a test.
    draws : int
        Draws that both arms share.
    shown : str
        What the draws show: ``above``, ``below``, ``no difference shown`` or ``undecided``.
    """

    over: str
    mean: float
    low: float | None
    high: float | None
    p: float | None
    draws: int
    shown: Shown


@dataclass(frozen=True)
class Contrast:
    """Arms of one generator that have the same result against the same rival.

    Parameters
    ----------
    generator : str
        The generator, as tables name it.
    rival : str
        The control that decides: the one over which these arms gain least.
    status : str
        What is shown of these arms.
    below : bool
        True where they are shown below the rival; else a ``NO`` means a gain below one point.
    arms : tuple of str
        These arms with their classifiers, as tables name them.
    differences : tuple of Difference
        One for each arm, in the same order; empty where no draw is shared with the rival.
    asked : int
        Arms of this generator of which the question is asked, these included.
    classifiers : bool
        True where these arms differ in nothing but the classifier.
    lost : tuple of str
        Those of the arms that lose in the second metric: against ``none`` where this is the
        rival, else against another control.
    """

    generator: str
    rival: str
    status: Status
    below: bool
    arms: tuple[str, ...]
    differences: tuple[Difference, ...]
    asked: int
    classifiers: bool
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The answer to one of the first two questions.

    Parameters
    ----------
    question : str
        The question in words.
    status : str
        ``YES`` where it is shown of at least one arm, ``NO`` where of none it can be.
    contrasts : tuple of Contrast
        What it rests on; those that agree with the status lead.
    shown, asked : int
        Arms of which a ``YES`` is shown, and of which the question is asked.
    """

    question: str
    status: Status
    contrasts: tuple[Contrast, ...]
    shown: int
    asked: int


@dataclass(frozen=True)
class Use:
    """What to use here: the arm with the highest mean of those that are shown above no samples, or
    a classifier without samples where that has the highest mean.

    Parameters
    ----------
    status : str
        Whether it is shown above every classifier that got no samples: ``YES``, ``NOT SHOWN``;
        ``NO`` where the arm gets no samples and none is better; ``TOO FEW DRAWS``.
    name : str
        The arm with its classifier, as tables name it; empty where no trial gave a number.
    generator, classifier : str
        Its parts.
    lam, times : float
        Its λ, and its M: synthetic samples for each real one.
    omega : float or None
        Its ω.
    score : float
        Mean of the main metric in percent.
    gain : Difference or None
        Over the same classifier without samples; None where it gets none itself.
    without : str
        The best classifier that needs no sample, as tables name it; empty where it is the arm.
    without_score : float or None
        The mean of that classifier in percent.
    over_without : Difference or None
        What the arm gains over that classifier.
    rival : Contrast or None
        The control beside which the arm is not shown to be better, where there is one.
    """

    status: Status
    name: str = ""
    generator: str = ""
    classifier: str = ""
    lam: float = 0.0
    times: float = 0.0
    omega: float | None = None
    score: float = 0.0
    gain: Difference | None = None
    without: str = ""
    without_score: float | None = None
    over_without: Difference | None = None
    rival: Contrast | None = None


@dataclass(frozen=True)
class Answers:
    """The three answers of a table.

    Parameters
    ----------
    over_none, over_controls : Answer
        The first two.
    use : Use
        The third.
    metric : str
        The metric that all numbers are of.
    second : str
        The metric of which a loss is told.
    draws : int
        Draws of the table.
    controls_only : bool
        True where no generator but controls ran, so that the answers are about these.
    more_seeds : int or None
        The N of ``--seeds N`` that runs the missing draws where all arms lack some.
    better_controls : tuple of Contrast
        Controls that make samples of real pixels, where these are shown above no samples.
    """

    over_none: Answer
    over_controls: Answer
    use: Use
    metric: str
    second: str
    draws: int
    controls_only: bool
    more_seeds: int | None = None
    better_controls: tuple[Contrast, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def three_answers(table: ReportTable) -> Answers:
    """Answer the three questions for a table.

    Parameters
    ----------
    table : ReportTable
        The trials of one scene and protocol; its gains are computed where they are not yet.

    Returns
    -------
    Answers
        Controls are answered for only where no other generator ran.
    """
    judged = [gain for gain in table.judged if gain.verdict and gain.verdict.of]
    asked_for = [gain for gain in judged if not gain.cell.is_control]
    controls_only = bool(judged) and not asked_for
    gains = [gain for gain in asked_for or judged if gain.cell.ok]
    over_none = _answer(
        "Better than no samples?", table, [(gain, _over_none(gain)) for gain in gains]
    )
    question = "Better than other controls?" if controls_only else "Better than all controls?"
    remaining = [gain for gain in gains if _asked_further(gain, over_none.status)]
    over_controls = _answer(question, table, [(gain, over_rival(gain)) for gain in remaining])
    if gains and not remaining:
        over_controls = Answer(question, "NOT ASKED", (), 0, 0)
    controls = [gain for gain in judged if gain.cell.is_control]
    of_controls = _answer("", table, [(gain, _over_none(gain)) for gain in controls])
    return Answers(
        over_none=over_none,
        over_controls=over_controls,
        use=_use(table, over_none),
        metric=table.scores.main.name.split(" (")[0],
        second=table.scores.second.name,
        draws=len(table.draws),
        controls_only=controls_only,
        better_controls=tuple(one for one in of_controls.contrasts if one.status == "YES"),
        more_seeds=_more_seeds(table) if over_none.status == "TOO FEW DRAWS" else None,
    )


def _more_seeds(table: ReportTable) -> int | None:
    """The N of ``--seeds N`` that runs the missing draws; None where that would not help."""
    numbered = not table.repeated and table.draws == tuple(range(len(table.draws)))
    undecided = {gain.verdict.finding for gain in table.judged if gain.verdict} == {"undecided"}
    return USUAL_DRAWS if numbered and undecided else None


@dataclass(frozen=True)
class ArmResult:
    """What is shown of one arm against its rival: the control that decides."""

    status: Status
    rival: str
    comparison: Comparison | None


def _asked_further(gain: Gain, first: Status) -> bool:
    """Whether the second question is asked of an arm: where the first was answered by YES, of the
    arms that are above no samples; where it is open, of all for which it is.
    """
    status = _over_none(gain).status
    return status == "YES" if first == "YES" else status not in ("YES", "NO")


def _over_none(gain: Gain) -> ArmResult:
    comparison = gain.against.get(NO_SAMPLES)
    evidence = comparison.main if comparison else Evidence()
    return ArmResult(_status(evidence), NO_SAMPLES, comparison)


def over_rival(gain: Gain) -> ArmResult:
    """What is shown of an arm against its controls other than ``none``.

    Parameters
    ----------
    gain : Gain
        Of a judged arm.

    Returns
    -------
    ArmResult
        ``YES`` only where it is above all of them; the rival is the one that decides.
    """
    others = {name: one for name, one in gain.against.items() if name != NO_SAMPLES}
    if not others:
        return ArmResult("NOTHING TO JUDGE", "", None)
    main = {name: one.main if one else Evidence() for name, one in others.items()}
    least = min(main, key=lambda name: main[name].mean if main[name].differences else float("inf"))
    below = [name for name, evidence in main.items() if evidence.shown == "below"]
    waiting = [name for name, evidence in main.items() if evidence.shown == "undecided"]
    if below:
        rival = min(below, key=lambda name: main[name].mean)
        return ArmResult("NO", rival, others[rival])
    status = _status(main[least])
    if status == "NO" or not waiting:
        # An arm that is above all is named with the control over which it gains least.
        not_above = [name for name, evidence in main.items() if evidence.shown != "above"]
        rival = min(not_above or main, key=lambda name: main[name].mean)
        return ArmResult(_status(main[rival]), rival, others[rival])
    rival = min(waiting, key=lambda name: len(main[name].differences))
    return ArmResult("TOO FEW DRAWS", rival, others[rival])


def _status(evidence: Evidence) -> Status:
    """Whether an arm is better, by what one comparison shows."""
    if evidence.shown == "above":
        return "YES"
    if evidence.shown == "below":
        return "NO"
    if evidence.shown == "undecided":
        return "TOO FEW DRAWS"
    return "NOT SHOWN" if equivalence(evidence.differences) == "open" else "NO"


def _answer(question: str, table: ReportTable, results: Sequence[tuple[Gain, ArmResult]]) -> Answer:
    statuses = [result.status for _, result in results]
    status = _of_all(statuses)
    groups: dict[tuple[str, Status, str, bool], list[tuple[Gain, ArmResult]]] = {}
    by_generator: dict[str, list[Gain]] = {}
    for gain, result in results:
        generator = table.labels[gain.cell.arm.generator]
        below = result.comparison is not None and result.comparison.main.shown == "below"
        key = (generator, result.status, result.rival, below)
        groups.setdefault(key, []).append((gain, result))
        by_generator.setdefault(generator, []).append(gain)
    contrasts = []
    for (generator, shown, rival, below), members in groups.items():
        comparisons = [result.comparison for _, result in members if result.comparison]
        every = by_generator[generator]
        contrasts.append(
            Contrast(
                generator=generator,
                rival=rival,
                status=shown,
                below=below,
                arms=tuple(table.cell_label(gain.cell) for gain, _ in members),
                differences=tuple(_difference(rival, one.main) for one in comparisons),
                asked=len(every),
                classifiers=len({gain.cell.arm for gain in every}) == 1,
                lost=tuple(
                    table.cell_label(gain.cell) for gain, _ in members if _loses(gain, rival)
                ),
            )
        )
    contrasts.sort(key=lambda one: (one.status != status, -_largest(one)))
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
    return "TOO FEW DRAWS" if open_ones == {"TOO FEW DRAWS"} else "NOT SHOWN"


def _largest(contrast: Contrast) -> float:
    return max((one.mean for one in contrast.differences), default=float("-inf"))


def _loses(gain: Gain, rival: str) -> bool:
    """Whether an arm is shown below ``none``, or else below another control, in the second
    metric.
    """
    tests = [
        one.second
        for name, one in gain.against.items()
        if one is not None and (name == NO_SAMPLES) == (rival == NO_SAMPLES)
    ]
    return any(test is not None and test.shown == "below" for test in tests)


def _difference(over: str, evidence: Evidence) -> Difference:
    low, high = evidence.interval or (None, None)
    return Difference(
        over=over,
        mean=100 * evidence.mean,
        low=None if low is None else 100 * low,
        high=None if high is None else 100 * high,
        p=evidence.p_corrected,
        draws=len(evidence.differences),
        shown=evidence.shown,
    )


def _use(table: ReportTable, first: Answer) -> Use:
    """The arm with the highest mean, of those that are shown above no samples and of the
    classifiers without samples. No difference between two arms is claimed by this choice.
    """
    means = {cell: mean.mean for cell in table.cells.values() if (mean := _mean(table, cell))}
    without_samples = {cell: mean for cell, mean in means.items() if cell.without_samples}
    shown = {
        cell: mean
        for cell, mean in means.items()
        if not cell.without_samples and cell.arm == cell.arm.both and _shown_over_none(table, cell)
    }
    candidates = without_samples | shown
    if not candidates:
        return Use("NOTHING TO JUDGE")
    chosen = max(candidates, key=candidates.__getitem__)
    use = Use(
        status="NOT SHOWN",
        name=table.cell_label(chosen),
        generator=table.labels[chosen.arm.generator],
        classifier=table.labels[chosen.classifier],
        lam=chosen.arm.rate.lam,
        times=chosen.arm.rate.times,
        omega=chosen.arm.omega,
        score=100 * candidates[chosen],
    )
    if not chosen.without_samples:
        return _use_with_samples(use, table, chosen, without_samples)
    # Where the first question is settled, so is this one.
    status = first.status if first.status in ("NO", "TOO FEW DRAWS") else use.status
    return replace(use, status=status, name=use.classifier)


def _use_with_samples(
    use: Use, table: ReportTable, chosen: ArmCell, without_samples: Mapping[ArmCell, float]
) -> Use:
    """An arm with samples beside the best classifier that needs none.

    Parameters
    ----------
    use : Use
        What is known of the arm alone.
    without_samples : mapping of ArmCell to float
        Means of the classifiers without samples.
    """
    against = table.against(chosen)
    over_none = against.get(NO_SAMPLES)
    use = replace(
        use,
        gain=_difference(NO_SAMPLES, over_none.main) if over_none else None,
        rival=_unbeaten(table, chosen),
    )
    over_best = table.over_best.get((chosen.arm, chosen.classifier))
    if over_best is None:
        best = max(without_samples, key=without_samples.__getitem__, default=None)
        comparison = None
    else:
        comparison, shown = over_best
        best = comparison.control
        if shown == "above":
            use = replace(use, status="YES")
    if best is None or best.classifier == chosen.classifier:
        return use
    name = table.labels[best.classifier]
    use = replace(use, without=name, without_score=100 * without_samples[best])
    if comparison is None:
        return use
    # Where the table compares the two, both say the same interval.
    in_table = against.get(name)
    return replace(use, over_without=_difference(name, (in_table or comparison).main))


def _unbeaten(table: ReportTable, cell: ArmCell) -> Contrast | None:
    """The control over which an arm is not shown to gain, where that is no map without samples: of
    this :attr:`Use.over_without` tells.
    """
    gain = table.gain(cell)
    if gain is None or gain.verdict is None:
        return None
    result = over_rival(gain)
    if result.status in ("YES", "NOTHING TO JUDGE") or result.rival in RIVALS:
        return None
    (contrast,) = _answer("", table, [(gain, result)]).contrasts
    return contrast


def _mean(table: ReportTable, cell: ArmCell) -> Any:
    return cell.summary(table.scores.main.key)


def _shown_over_none(table: ReportTable, cell: ArmCell) -> bool:
    comparison = table.against(cell).get(NO_SAMPLES)
    return comparison is not None and comparison.main.shown == "above"
