"""Gains: what arms score more than their controls, over the draws that both share.

A frame has a row for each arm, classifier and control (:class:`Gain` says what its columns hold).
Reports, comparisons of two arms, files and figures read it; nothing else computes a gain from
records.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.significance import Ends, MeanStd
from hsiaug.metrics.verdict import Evidence, Shown, Verdict, correct, judge
from hsiaug.report.cells import ArmCell, CellKey, summarise
from hsiaug.tasks.scores import Metric, MetricSet
from hsiaug.trial.arm import BOTH, CONTROLS_OF_ALL, NONE, Method

if TYPE_CHECKING:
    from pandas import DataFrame

Cells = Mapping[CellKey, ArmCell]


class Gain(NamedTuple):
    """A row of gains: an arm with one classifier minus one control, over the draws that both share.

    Numbers are fractions of the main metric.

    Attributes
    ----------
    cell : ArmCell
        The arm with its classifier.
    control : str
        The name of the control.
    control_cell : ArmCell or None
        The trials of the control; None where nothing can be paired.
    arm_places, control_places : array of intp
        The places of the shared draws among the good trials of either.
    draws : int
        How many these are.
    differences : tuple of float
        One for each draw.
    mean : float
        Their mean; NaN without a draw.
    low, high : float or None
        What stands beside the mean: the ends of its interval, or of few draws the smallest and the
        largest difference; None where there is neither.
    is_interval : bool
        Which of the two.
    p, p_corrected : float or None
        Of the sign-flip test by itself, and corrected for its family; None of few draws.
    shown : Shown
        What the differences show.
    second_mean : float or None
        The mean difference of the second metric.
    second_below : bool
        Whether the arm is shown below in that.
    rival : bool
        Whether this control, other than ``none``, decides if the arm is better than all of them.
    verdict : Verdict or None
        On the arm against all its controls; None for arms that are not judged.
    """

    cell: ArmCell
    control: str
    control_cell: ArmCell | None
    arm_places: NDArray[np.intp]
    control_places: NDArray[np.intp]
    draws: int
    differences: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    is_interval: bool
    p: float | None
    p_corrected: float | None
    shown: Shown
    second_mean: float | None
    second_below: bool
    rival: bool = False
    verdict: Verdict | None = None

    @property
    def ends(self) -> Ends | None:
        """What stands beside the mean."""
        if self.low is None or self.high is None:
            return None
        return Ends(self.low, self.high, self.is_interval)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of the interval; None of few draws."""
        if self.low is None or self.high is None or not self.is_interval:
            return None
        return self.low, self.high

    def delta(self, metric: str) -> MeanStd | None:
        """Arm minus control in a metric, over the pairs in which both have it; None where none
        has.
        """
        if self.control_cell is None:
            return None
        control = self.control_cell.column(metric)[self.control_places]
        return summarise(self.cell.column(metric)[self.arm_places] - control)

    def class_deltas(self, classes: int) -> dict[int, MeanStd]:
        """Class id 1..C → the same of recall, over the pairs of draws in which both have test
        pixels of the class.
        """
        if self.control_cell is None:
            return {}
        arm = self.cell.recall[self.arm_places]
        control = self.control_cell.recall[self.control_places]
        most = min(classes, arm.shape[1], control.shape[1])
        found = {i + 1: summarise(arm[:, i] - control[:, i]) for i in range(most)}
        return {class_id: delta for class_id, delta in found.items() if delta}


ArmGains = Mapping[str, Gain]
"""The rows of one arm with one classifier, by the name of the control."""


def gains(cells: Cells, scores: MetricSet) -> DataFrame:
    """Every arm of both but ``none`` against the controls of its classifier, corrected for the arms
    of the table.

    Whether arms are above ``none`` is one question, whether they are above their other controls
    another: in each, at most 5 % of tables say anything that is not so. The two metrics, and the
    arms that serve as controls, are apart. An arm helps only if it is shown above *all* controls,
    which needs no further correction (an intersection-union test: Berger, Technometrics 24, 1982).
    """
    pairs = _over_controls(cells, scores)
    for metric in METRICS:
        pairs = _tested(pairs, metric, _question)
    rows = []
    for cell, group in groupby(pairs, attrgetter("cell")):
        of_arm = list(group)
        rival, verdict = _rival(of_arm), _verdict(cell, of_arm)
        rows += [_row(pair, rival=pair is rival, verdict=verdict) for pair in of_arm]
    return _frame(rows)


def synthetic_only(cells: Cells, scores: MetricSet) -> list[Gain]:
    """Every arm of synthetic samples alone against ``none``, which is real ones alone, and against
    both; uncorrected.
    """
    pairs = []
    for (arm, classifier), cell in cells.items():
        if arm == arm.both:
            continue
        real_only = [
            other
            for (other_arm, by), other in cells.items()
            if other_arm.generator.name == NONE and by == classifier
        ]
        both = [other for key, other in cells.items() if key == (arm.both, classifier)]
        pairs += [_over(cell, NONE, real_only, scores), _over(cell, BOTH, both, scores)]
    return [_row(pair) for pair in _tested(pairs, "main", id)]


def over_best(cells: Cells, scores: MetricSet) -> list[Gain]:
    """Every judged arm against each classifier of the table that got no sample, corrected for all
    of these comparisons: no test label chooses the best of these classifiers.
    """
    cells = _of_both(cells)
    bare: dict[Method, list[ArmCell]] = {}
    for (arm, classifier), cell in cells.items():
        if arm.generator.name == NONE:
            bare.setdefault(classifier, []).append(cell)
    pairs = [
        _over(cell, NONE, there, scores)
        for cell in cells.values()
        for there in bare.values()
        if cell.arm.judged and cell.ok
    ]
    return [_row(pair) for pair in _tested(pairs, "main")]


def over_baseline(cells: Cells, scores: MetricSet) -> list[Gain]:
    """What the main part of a generator adds: each of its arms against the same without that part,
    at the same rate with the same classifier, corrected for all of these comparisons.
    """
    pairs = []
    for cell in cells.values():
        if cell.baseline and cell.arm == cell.arm.both and cell.ok:
            others = [
                other
                for other in cells.values()
                if other.arm.generator.name == cell.baseline
                and other.arm == other.arm.both
                and other.classifier == cell.classifier
            ]
            pairs.append(_over(cell, cell.baseline, others, scores))
    tested = _tested([pair for pair in pairs if pair.control_cell is not None], "main")
    return [_row(pair) for pair in tested]


def between(cells: Cells, scores: MetricSet, arm: ArmCell, control: ArmCell) -> Gain:
    """Any arm over any other, with the test that :func:`gains` has of these two; where it has none,
    the pair joins those of the arms with ``none``.
    """
    pair = _pair_up(arm, control, "", scores)
    if not pair.main.differences:
        return _row(pair)
    pairs = _over_controls(cells, scores)
    same = [one for one in pairs if {one.cell, one.control_cell} == {arm, control}]
    question = _question(same[-1]) if same else (True, True)
    family = [one for one in pairs if _question(one) == question]
    # The table's other tests would take longer than all else.
    tested = _tested(family if same else [*family, pair], "main")
    test = tested[family.index(same[-1]) if same else -1].main
    main = replace(pair.main, p=test.p, p_corrected=test.p_corrected, critical=test.critical)
    return _row(replace(pair, main=main))


def rows_of(frame: DataFrame) -> list[Gain]:
    """The rows of a frame of gains."""
    return [Gain._make(row) for row in frame.itertuples(index=False, name=None)]


def rows_by_arm(rows: Iterable[Gain]) -> dict[CellKey, list[Gain]]:
    """The rows of each arm with one classifier, in their order."""
    arms: dict[CellKey, list[Gain]] = {}
    for row in rows:
        arms.setdefault(row.cell.key, []).append(row)
    return arms


def by_arm(rows: Iterable[Gain]) -> dict[CellKey, ArmGains]:
    """The same, each arm's rows by the name of the control."""
    return {key: {row.control: row for row in of} for key, of in rows_by_arm(rows).items()}


def rival_of(arm: ArmGains) -> Gain | None:
    """The row of the control that decides; None where the arm has no control but ``none``."""
    return next((row for row in arm.values() if row.rival), None)


def mean_over_none(arm: ArmGains) -> float:
    """The mean gain over no samples; below all others where there is none."""
    return arm[NONE].mean if arm[NONE].draws else float("-inf")


def rank(arm: ArmGains) -> tuple[int, float]:
    """Largest for the arm to show of several: 2 where it is above no samples and its rival, 1
    where above no samples; then by what it gains over no samples.
    """
    rival = rival_of(arm)
    above_none = arm[NONE].shown == "above"
    level = 2 if above_none and (rival is None or rival.shown == "above") else int(above_none)
    return level, mean_over_none(arm)


def in_points(
    differences: Sequence[float], ends: Ends | None, scale: float = 100.0
) -> dict[str, Any]:
    """A mean difference as files have it: ``mean``; ``low`` and ``high`` of an interval, None of
    few draws; ``smallest`` and ``largest``.

    Parameters
    ----------
    ends : Ends or None
        What stands beside the mean.
    """
    interval = ends if ends and ends.is_interval else None
    summary = summarise(np.asarray(differences))
    return {
        "mean": summary and scale * summary.mean,
        "low": interval and scale * interval.low,
        "high": interval and scale * interval.high,
        "smallest": scale * min(differences) if differences else None,
        "largest": scale * max(differences) if differences else None,
    }


# How a frame is made

METRICS: tuple[Literal["main", "second"], ...] = ("main", "second")


@dataclass(frozen=True, eq=False)
class _Pair:
    """An arm and a control, draw by draw, in both metrics that the task names for gains."""

    cell: ArmCell
    control: str
    control_cell: ArmCell | None
    arm_places: NDArray[np.intp]
    control_places: NDArray[np.intp]
    main: Evidence
    second: Evidence


def _frame(rows: Iterable[Gain]) -> DataFrame:
    from pandas import DataFrame

    # Columns keep None, which a column of floats would make NaN.
    return DataFrame(list(rows), columns=list(Gain._fields), dtype=object)


def _row(pair: _Pair, *, rival: bool = False, verdict: Verdict | None = None) -> Gain:
    main, second = pair.main, pair.second
    ends = main.ends
    return Gain(
        cell=pair.cell,
        control=pair.control,
        control_cell=pair.control_cell,
        arm_places=pair.arm_places,
        control_places=pair.control_places,
        draws=len(main.differences),
        differences=main.differences,
        mean=main.mean if main.differences else float("nan"),
        low=None if ends is None else ends.low,
        high=None if ends is None else ends.high,
        is_interval=ends is not None and ends.is_interval,
        p=main.p,
        p_corrected=main.p_corrected,
        shown=main.shown,
        second_mean=second.mean if second.differences else None,
        second_below=second.shown == "below",
        rival=rival,
        verdict=verdict,
    )


def _of_both(cells: Cells) -> Cells:
    """The arms that learnt from real and synthetic samples."""
    return {key: cell for key, cell in cells.items() if key[0] == key[0].both}


def _over_controls(cells: Cells, scores: MetricSet) -> list[_Pair]:
    """Every arm of both but ``none`` beside the controls of its classifier; no difference is
    tested yet.
    """
    cells = _of_both(cells)
    controls: dict[tuple[str, Method], list[ArmCell]] = {}
    without_samples: dict[str, list[ArmCell]] = {}
    for cell in cells.values():
        controls.setdefault((cell.arm.generator.name, cell.classifier), []).append(cell)
        if cell.without_samples:
            without_samples.setdefault(cell.classifier.name, []).append(cell)
    pairs = []
    for cell in (cell for cell in cells.values() if not cell.without_samples):
        known = {name: controls.get((name, cell.classifier), []) for name in cell.controls}
        if cell.rival in without_samples:
            known[cell.rival] = without_samples[cell.rival]
        pairs += [_over(cell, name, there, scores) for name, there in known.items()]
    return pairs


def _over(cell: ArmCell, name: str, controls: Iterable[ArmCell], scores: MetricSet) -> _Pair:
    """The pair with the control that shares most draws; the newest one where several do.

    Parameters
    ----------
    name : str
        The generator that is the control.
    controls : iterable of ArmCell
        Its cells with the cell's classifier.
    """
    candidates = [
        _pair_up(cell, other, name, scores)
        for other in controls
        if cell.arm.generator.name != name
        and (other.without_samples or other.arm.rate == cell.arm.rate)
    ]
    found = [pair for pair in candidates if pair.main.differences]
    if not found:
        nowhere = np.array([], np.intp)
        return _Pair(cell, name, None, nowhere, nowhere, Evidence(), Evidence())
    return found[0] if len(found) == 1 else max(found, key=_draws_and_date)


def _draws_and_date(pair: _Pair) -> tuple[int, str]:
    dates = pair.control_cell.trials.values("created") if pair.control_cell else [""]
    return len(pair.main.differences), max(dates)


def _pair_up(cell: ArmCell, control: ArmCell, name: str, scores: MetricSet) -> _Pair:
    """An arm and another, draw by draw; a draw in which either made no sample says nothing, and is
    left out.
    """
    # The place of each draw among the trials of the control; the last one is of trials without a
    # sample, whose draw is -1.
    draws = len(cell.ok.shared["draw"][1])
    place_of_draw = np.full(draws + 1, -1)
    place_of_draw[control.drawn] = np.arange(len(control.drawn))
    place_of_draw[-1] = -1
    control_place = place_of_draw[cell.drawn]

    def differences(score: Metric) -> NDArray[np.float64]:
        # Where the control lacks the draw, its place is -1: the value behind all others.
        values = np.append(control.column(score.key), np.nan)
        difference: NDArray[np.float64] = cell.column(score.key) - values[control_place]
        return difference

    main_differences = differences(scores.main)
    shared = np.flatnonzero(~np.isnan(main_differences))

    def evidence(values: NDArray[np.float64]) -> Evidence:
        known = shared[~np.isnan(values[shared])]
        return Evidence(tuple(values[known].tolist()), tuple(cell.drawn[known].tolist()))

    return _Pair(
        cell,
        name,
        control,
        arm_places=shared,
        control_places=control_place[shared],
        main=evidence(main_differences),
        second=evidence(differences(scores.second)),
    )


def _question(pair: _Pair) -> tuple[bool, bool]:
    """What a pair answers: of an arm that is judged, or of a control; over no samples, or over
    another control.
    """
    return pair.cell.arm.judged, pair.control == NONE


def _tested(
    pairs: Sequence[_Pair],
    metric: Literal["main", "second"],
    family: Callable[[_Pair], Hashable] = lambda _: "",
) -> list[_Pair]:
    """The pairs with the tests of a metric, corrected for all of a family."""
    tested = list(pairs)
    families: dict[Hashable, list[int]] = {}
    for place, pair in enumerate(pairs):
        if getattr(pair, metric).differences:
            families.setdefault(family(pair), []).append(place)
    for places in families.values():
        tests = correct([getattr(pairs[place], metric) for place in places])
        for place, test in zip(places, tests, strict=True):
            pair = pairs[place]
            main = metric == "main"
            tested[place] = replace(pair, main=test) if main else replace(pair, second=test)
    return tested


def _verdict(cell: ArmCell, pairs: Sequence[_Pair]) -> Verdict | None:
    """On an arm by its tested pairs; None for a control of every arm, which is not judged."""
    if not cell.arm.judged:
        return None
    main = {pair.control: pair.main for pair in pairs}
    return judge(
        {name: main[name] for name in CONTROLS_OF_ALL},
        {pair.control: pair.second for pair in pairs if pair.second.differences},
        further={name: one for name, one in main.items() if name not in CONTROLS_OF_ALL},
        of=len(cell.trials),
        failed=len(cell.failed),
        nothing_made=len(cell.idle),
    )


def _rival(pairs: Sequence[_Pair]) -> _Pair | None:
    """The control other than ``none`` that decides whether an arm is better than all of them; None
    where it has no other.

    Of those that it is shown below, or else not shown above, or else of all, the one over which
    it gains least. Where one of them shares too few draws and no other rules a gain out, that
    one.
    """
    others = [pair for pair in pairs if pair.control != NONE]
    compared = [pair for pair in others if pair.main.differences]
    if not compared:
        return others[0] if others else None
    least = min(compared, key=attrgetter("main.mean"))
    below = [pair for pair in compared if pair.main.shown == "below"]
    waiting = [pair for pair in others if pair.main.shown == "too few draws"]
    if below:
        return min(below, key=attrgetter("main.mean"))
    if waiting and least.main.shown != "< 1 point":
        return min(waiting, key=lambda pair: len(pair.main.differences))
    not_above = (pair for pair in compared if pair.main.shown != "above")
    return min(not_above, key=attrgetter("main.mean"), default=least)
