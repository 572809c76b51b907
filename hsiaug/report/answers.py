"""The three answers in which a table is read: is an arm better than no samples, is it better than
all controls, and what should be used here.

The answers are plain values, computed from the gains of a table by the rule of
:mod:`hsiaug.metrics.verdict`; :mod:`hsiaug.report.answer_text` says them in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from hsiaug.metrics.significance import MIN_PAIRS, USUAL_DRAWS, Ends
from hsiaug.metrics.verdict import Evidence, Word
from hsiaug.trial.arm import RIVALS

if TYPE_CHECKING:
    from hsiaug.report.cells import ArmCell
    from hsiaug.report.compare import ControlComparison, Gain
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
        The mean, and its simultaneous 95 % interval; the ends are None where it is endless, and
        below six draws.
    smallest, largest : float
        Over the draws.
    p : float or None
        Corrected p; None where too few draws are shared for a test.
    draws : int
        Draws that both arms share.
    shown : str
        What the draws show: ``above``, ``below``, ``< 1 point``, ``open`` or ``too few draws``.
    """

    over: str
    mean: float
    low: float | None
    high: float | None
    smallest: float
    largest: float
    p: float | None
    draws: int
    shown: Word

    @classmethod
    def of(cls, over: str, evidence: Evidence) -> Difference:
        """The difference that paired draws give, of which there is at least one."""
        low, high = evidence.interval or (None, None)
        known = evidence.differences
        return cls(
            over=over,
            mean=100 * evidence.mean,
            low=None if low is None else 100 * low,
            high=None if high is None else 100 * high,
            smallest=100 * min(known),
            largest=100 * max(known),
            p=evidence.p_corrected,
            draws=len(known),
            shown=evidence.word,
        )

    @property
    def ends(self) -> Ends | None:
        """What stands beside the mean, in fractions."""
        if self.draws < MIN_PAIRS:
            few = Ends(self.smallest / 100, self.largest / 100, is_interval=False)
            return few if self.draws > 1 else None
        if self.low is None or self.high is None:
            return None
        return Ends(self.low / 100, self.high / 100, is_interval=True)


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
    classifiers : tuple of str
        Those that ran, of which the third answer names the best.
    repeated : tuple of tuple of int
        Seeds that drew the same pixels, for each such draw.
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
    classifiers: tuple[str, ...] = ()
    repeated: tuple[tuple[int, ...], ...] = ()
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
        "Better than no samples?", table, [(gain, gain.over_none) for gain in gains]
    )
    question = "Better than other controls?" if controls_only else "Better than all controls?"
    remaining = [gain for gain in gains if _asked_further(gain, over_none.status)]
    over_controls = _answer(question, table, [(gain, gain.rival) for gain in remaining])
    if gains and not remaining:
        over_controls = Answer(question, "NOT ASKED", (), 0, 0)
    controls = [gain for gain in judged if gain.cell.is_control]
    of_controls = _answer("", table, [(gain, gain.over_none) for gain in controls])
    return Answers(
        over_none=over_none,
        over_controls=over_controls,
        use=_use(table, over_none),
        metric=table.scores.main.name.split(" (")[0],
        second=table.scores.second.name,
        draws=len(table.draws),
        controls_only=controls_only,
        better_controls=tuple(one for one in of_controls.contrasts if one.status == "YES"),
        classifiers=tuple(table.labels[classifier] for classifier in table.classifiers),
        repeated=table.repeated,
        more_seeds=_more_seeds(table) if over_none.status == "TOO FEW DRAWS" else None,
    )


def _more_seeds(table: ReportTable) -> int | None:
    """The N of ``--seeds N`` that runs the missing draws; None where that would not help."""
    seeds = sorted(set(table.trials.unlike("seed")))
    numbered = seeds == list(range(len(seeds)))
    undecided = {gain.verdict.finding for gain in table.judged if gain.verdict} == {"undecided"}
    if not numbered or not undecided:
        return None
    # A seed that draws the pixels of another one adds no draw.
    return max(USUAL_DRAWS, len(seeds) + MIN_PAIRS - len(table.draws))


STATUS_OF: dict[Word, Status] = {
    "above": "YES",
    "below": "NO",
    "< 1 point": "NO",
    "open": "NOT SHOWN",
    "too few draws": "TOO FEW DRAWS",
}
"""Whether an arm is better, by what one comparison shows."""


def _status(one: ControlComparison | None) -> Status:
    return "NOTHING TO JUDGE" if one is None else STATUS_OF[one.main.word]


def _asked_further(gain: Gain, first: Status) -> bool:
    """Whether the second question is asked of an arm: where the first was answered by YES, of the
    arms that are above no samples; where it is open, of all for which it is.
    """
    status = _status(gain.over_none)
    return status == "YES" if first == "YES" else status not in ("YES", "NO")


def _answer(
    question: str, table: ReportTable, compared: Sequence[tuple[Gain, ControlComparison | None]]
) -> Answer:
    statuses = [_status(one) for _, one in compared]
    status = _of_all(statuses)
    groups: dict[tuple[str, Status, str, bool], list[tuple[Gain, ControlComparison | None]]] = {}
    by_generator: dict[str, list[Gain]] = {}
    for gain, one in compared:
        generator = table.labels[gain.cell.arm.generator]
        below = one is not None and one.main.word == "below"
        key = (generator, _status(one), one.control if one else "", below)
        groups.setdefault(key, []).append((gain, one))
        by_generator.setdefault(generator, []).append(gain)
    contrasts = []
    for (generator, shown, rival, below), members in groups.items():
        known = [one.main for _, one in members if one and one.main.differences]
        every = by_generator[generator]
        contrasts.append(
            Contrast(
                generator=generator,
                rival=rival,
                status=shown,
                below=below,
                arms=tuple(table.cell_label(gain.cell) for gain, _ in members),
                differences=tuple(Difference.of(rival, main) for main in known),
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
        gain=Difference.of(NO_SAMPLES, over_none.main) if over_none else None,
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
    return replace(use, over_without=Difference.of(name, (in_table or comparison).main))


def _unbeaten(table: ReportTable, cell: ArmCell) -> Contrast | None:
    """The control over which an arm is not shown to gain, where that is no map without samples: of
    this :attr:`Use.over_without` tells.
    """
    gain = table.gain(cell)
    if gain is None or gain.verdict is None:
        return None
    rival = gain.rival
    if rival is None or rival.main.word == "above" or rival.control in RIVALS:
        return None
    (contrast,) = _answer("", table, [(gain, rival)]).contrasts
    return contrast


def _mean(table: ReportTable, cell: ArmCell) -> Any:
    return cell.summary(table.scores.main.key)


def _shown_over_none(table: ReportTable, cell: ArmCell) -> bool:
    comparison = table.against(cell).get(NO_SAMPLES)
    return comparison is not None and comparison.main.shown == "above"
