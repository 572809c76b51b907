"""Gains: what configurations score more than their controls, over the splits that both share.

The trials of a configuration with one classifier are an :class:`ArmCell`, and a :class:`Gain` is
such a cell against that of one control. Reports, comparisons of two configurations,
advice, files and figures read these; nothing else computes a gain from records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, groupby
from math import nan
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.significance import (
    ALPHA,
    SMALLEST_GAIN,
    Evidence,
    MeanStd,
    Verdict,
    correct,
    judge,
    mean_std,
    strongest_control,
    student,
)
from hsiaug.report.formatting import MISSING
from hsiaug.report.trials import CellKey, numbers, of_classes, unlike
from hsiaug.tasks.scores import Metric, MetricSet
from hsiaug.trial.arm import (
    BOTH,
    CONTROLS_OF_ALL,
    CONTROLS_OF_OLD_RECORDS,
    NONE,
    Arm,
    Control,
    Method,
    controls_of,
)

if TYPE_CHECKING:
    from pandas import DataFrame

Audit = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ArmCell:
    """The trials of one configuration with one classifier, in the order of their seeds.

    Attributes
    ----------
    known_controls : mapping of str to Control
        Every control by name: those of old records, and what those of its table declare.
    """

    arm: Arm
    classifier: Method
    trials: DataFrame
    known_controls: Mapping[str, Control] = field(default_factory=lambda: CONTROLS_OF_OLD_RECORDS)
    _summaries: dict[str, MeanStd | None] = field(default_factory=dict, init=False)
    _of_classes: dict[str, NDArray[np.float64]] = field(default_factory=dict, init=False)

    @property
    def key(self) -> CellKey:
        """By which tables know it."""
        return self.arm, self.classifier

    @cached_property
    def ok(self) -> DataFrame:
        """Trials that gave numbers, one per split: of seeds that drew the same, the first. Only
        these enter a mean.
        """
        used = self.trials["used"]
        return self.trials if used.all() else self.trials[used]

    @property
    def task(self) -> str:
        """Of its table."""
        return str(self.trials["condition"].iloc[0].task)

    @property
    def tried(self) -> bool:
        """Whether a trial of it was run."""
        return unlike(self.trials["status"]) != ["empty"]

    @property
    def without_samples(self) -> bool:
        """Whether it is a classifier without samples."""
        return self.arm.generator.name == NONE

    @property
    def is_control(self) -> bool:
        """Whether its generator is one that others are measured against."""
        control = self.known_controls.get(self.arm.generator.name)
        return control is not None and control.kind == "generator" and self.arm == self.arm.both

    @property
    def is_blind(self) -> bool:
        """Whether its classifier is a control that looks at no spectrum."""
        control = self.known_controls.get(self.classifier.name)
        return control is not None and control.blind

    @property
    def baseline(self) -> str:
        """The generator that is the same without its main part; "" where its card names none."""
        return next(filter(None, unlike(self.trials["baseline"])), "")

    @property
    def _widest_scope(self) -> str | None:
        """Unlabelled pixels that its generator reads: ``scene`` where any of its trials read all of
        them; None for trials that ended before that was known.
        """
        scopes = [(scope or {}).get("generator") for scope in unlike(self.trials["scope"])]
        return "scene" if "scene" in scopes else next(filter(None, scopes), None)

    @property
    def rivals(self) -> tuple[str, ...]:
        """The classifiers that, without a sample, are further controls of it."""
        if not self.arm.judged:
            return ()
        from hsiaug.tasks.task import get_task

        task = get_task(self.task)
        kind = task.classifier_controls
        if kind not in task.control_kinds(self._widest_scope):
            return ()
        return tuple(
            name
            for name, one in self.known_controls.items()
            if (one.kind, one.of) == ("classifier", kind) and name != self.classifier.name
        )

    @property
    def controls(self) -> tuple[str, ...]:
        """Controls that the cell is measured against; for a further control, the others."""
        if not self.arm.judged:
            return CONTROLS_OF_ALL
        from hsiaug.tasks.task import get_task

        task = get_task(self.task)
        every = controls_of(task, self._widest_scope, self.known_controls)
        return tuple(name for name in every if name != self.arm.generator.name)

    @property
    def required(self) -> tuple[str, ...]:
        """All the controls over which it must be better: generators with its own classifier, and
        classifiers without samples. :func:`hsiaug.metrics.significance.judge` wants each of them.
        """
        return (*self.controls, *self.rivals)

    @property
    def blank(self) -> str:
        """Text that stands in a table if the trials gave no number."""
        if len(self.ok):
            return MISSING
        return "failed" if self.trials["failed"].any() else "nothing made"

    def column(self, metric: str) -> NDArray[np.float64]:
        """A metric of each trial of ``ok`` as a fraction; NaN where it has none."""
        return numbers(self.ok, metric).astype(np.float64)

    def values(self, metric: str) -> list[float]:
        """The metric of each trial that has it, in the order of the seeds."""
        return known(self.column(metric))

    def summary(self, metric: str) -> MeanStd | None:
        """Mean, std and n of a metric; None where no trial has it."""
        if metric not in self._summaries:
            self._summaries[metric] = summarise(self.column(metric))
        return self._summaries[metric]

    def of_classes(self, metric: str) -> NDArray[np.float64]:
        """(trials, classes) a metric of each class, as ``recall``, of each trial of ``ok``; NaN
        where the split has no test pixel of the class.
        """
        if metric not in self._of_classes:
            self._of_classes[metric] = of_classes(self.ok, metric)
        return self._of_classes[metric]

    def of_class(self, metric: str, class_id: int) -> list[float]:
        """A metric of a class id 1..C in each split that has a test pixel of it."""
        values = self.of_classes(metric)
        return known(values[:, class_id - 1]) if class_id <= values.shape[1] else []

    @cached_property
    def drawn(self) -> NDArray[np.integer]:
        """The numbers of the splits of ``ok``; -1 of trials that had samples to make and made
        none.
        """
        return np.where(self.ok["idle"], -1, self.ok["draw_number"])


def known(values: NDArray[np.float64]) -> list[float]:
    """The values that are there."""
    return [value for value in values.tolist() if value == value]


def summarise(values: NDArray[np.float64]) -> MeanStd | None:
    """Mean, std and n of the values that are there; None without any."""
    return mean_std(found) if (found := known(values)) else None


def counts_of_class(audits: Iterable[Audit | None], key: str, class_id: int) -> list[int]:
    """Train or test pixels of a class (``train_counts``, ``test_counts``) in each split that counts
    it.
    """
    counts = [(audit or {}).get(key) or () for audit in audits]
    return [int(entries[class_id - 1]) for entries in counts if class_id <= len(entries)]


Cells = Mapping[CellKey, ArmCell]


@dataclass(frozen=True, eq=False)
class Gain:
    """A configuration with one classifier minus one control, over the splits that both share.

    Numbers are fractions of the main metric.

    Attributes
    ----------
    cell : ArmCell
        The configuration with its classifier.
    control : str
        The name of the control.
    control_cell : ArmCell or None
        The trials of the control; None where nothing can be paired.
    arm_places, control_places : array of intp
        The places of the shared splits among the good trials of either.
    main, second : Evidence
        The differences in both metrics that the task names for gains, and their tests.
    rival : bool
        Whether this is the strongest control other than ``none``.
    verdict : Verdict or None
        On the configuration against all its controls; None for controls of all configurations.
    family : str
        Which comparisons ``main`` and ``second`` are corrected for, in words.
    """

    cell: ArmCell
    control: str
    control_cell: ArmCell | None
    arm_places: NDArray[np.intp]
    control_places: NDArray[np.intp]
    main: Evidence
    second: Evidence
    rival: bool = False
    verdict: Verdict | None = None
    family: str = ""

    @property
    def draws(self) -> int:
        """How many splits are shared."""
        return len(self.main.differences)

    @property
    def mean(self) -> float:
        """The mean difference; NaN without a split."""
        return self.main.mean if self.draws else nan

    def delta(self, metric: str) -> MeanStd | None:
        """Configuration minus control in a metric, over the pairs in which both have it; None
        where none has.
        """
        if self.control_cell is None:
            return None
        control = self.control_cell.column(metric)[self.control_places]
        return summarise(self.cell.column(metric)[self.arm_places] - control)

    def class_deltas(self, metric: str, classes: int) -> dict[int, MeanStd]:
        """Class id 1..C → the same of a metric of each class, over the pairs of splits in which
        both have test pixels of the class.
        """
        if self.control_cell is None:
            return {}
        arm = self.cell.of_classes(metric)[self.arm_places]
        control = self.control_cell.of_classes(metric)[self.control_places]
        most = min(classes, arm.shape[1], control.shape[1])
        found = {i + 1: summarise(arm[:, i] - control[:, i]) for i in range(most)}
        return {class_id: delta for class_id, delta in found.items() if delta}


ArmGains = Mapping[str, Gain]
"""The rows of one configuration with one classifier, by the name of the control."""


def gains(cells: Cells, scores: MetricSet, smallest: float = SMALLEST_GAIN) -> list[Gain]:
    """Every configuration against the controls that it needs, corrected for all of the cells: these
    are all that a store holds of one condition, whichever of them are shown.

    Whether configurations are better than ``none`` is one question, whether they are better than
    their other controls another: in each, at most 5 % of tables say anything that is not so. The
    two metrics, and configurations that serve as controls, are apart.

    Parameters
    ----------
    smallest : float
        The smallest gain that matters, a fraction.
    """
    pairs = _over_controls(cells, scores)
    for metric in METRICS:
        pairs = _tested(pairs, metric, _question, smallest)
    rows = []
    for cell, group in groupby(pairs, attrgetter("cell")):
        of_arm = list(group)
        over = {one.control: one.main for one in of_arm}
        rival = strongest_control({name: one for name, one in over.items() if name != NONE})
        verdict = verdict_of(cell, over)
        rows += [replace(one, rival=one.control == rival, verdict=verdict) for one in of_arm]
    return rows


def verdict_of(cell: ArmCell, over: Mapping[str, Evidence]) -> Verdict | None:
    """The verdict on a configuration by its tested differences to its controls; None for a control
    of all configurations, which is not judged.

    ``advise``, reports, comparisons and files have it from here. A control that ``over`` lacks, of
    those that the configuration needs (:attr:`ArmCell.required`), makes it ``unclear``.
    """
    if not cell.arm.judged:
        return None
    if not len(cell.ok):
        return Verdict("unclear", why=cell.blank)
    return judge({name: over.get(name, Evidence()) for name in cell.required})


def synthetic_only(cells: Cells, scores: MetricSet) -> list[Gain]:
    """Every configuration of synthetic samples alone against ``none``, which is real ones alone,
    and against both; uncorrected.
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
    return [one for pair in pairs for one in _tested([pair], "main")]


MOST_COMPARED = 60
"""Configurations that are compared with each other, those of the highest means."""


def lead(cells: Sequence[ArmCell], scores: MetricSet, first: ArmCell, second: ArmCell) -> Gain:
    """The configuration of the highest mean over the next one, corrected for all pairs of
    configurations: any two might have been these.

    Parameters
    ----------
    cells : sequence of ArmCell
        All of a table, the highest mean first.
    """
    pairs = [_pair_up(a, b, "", scores) for a, b in combinations(cells[:MOST_COMPARED], 2)]
    tested = _tested([pair for pair in pairs if pair.draws], "main")
    both = {first, second}
    found = next((one for one in tested if {one.cell, one.control_cell} == both), None)
    return found or _pair_up(first, second, "", scores)


def over_baseline(cells: Cells, scores: MetricSet, smallest: float = SMALLEST_GAIN) -> list[Gain]:
    """What the main part of a generator adds: each of its configurations against the same without
    that part, at the same rate with the same classifier, corrected for all of these comparisons.
    """
    both = [cell for cell in cells.values() if cell.arm == cell.arm.both]
    pairs = [
        _over(
            cell,
            cell.baseline,
            [
                other
                for other in both
                if other.arm.generator.name == cell.baseline and other.classifier == cell.classifier
            ],
            scores,
        )
        for cell in both
        if cell.baseline and len(cell.ok)
    ]
    there = [pair for pair in pairs if pair.control_cell is not None]
    return _tested(there, "main", OVER_BASELINES, smallest)


def between(
    cells: Cells,
    scores: MetricSet,
    arm: ArmCell,
    control: ArmCell,
    smallest: float = SMALLEST_GAIN,
) -> Gain:
    """Any configuration over any other, with the test that :func:`gains` or :func:`over_baseline`
    has of these two; where none has, the pair joins those over ``none``.
    """
    pair = _pair_up(arm, control, "", scores)
    if not pair.draws:
        return pair
    rows = [*gains(cells, scores, smallest), *over_baseline(cells, scores, smallest)]
    both = {arm, control}
    same = [one for one in rows if {one.cell, one.control_cell} == both]
    if same:
        test, words = same[-1].main, same[-1].family
    else:
        over_none = [one for one in _over_controls(cells, scores) if _question(one) == OVER_NONE]
        words = f"(those {OVER_NONE}, and this one)"
        test = _tested([*over_none, pair], "main", smallest=smallest)[-1].main
    main = replace(test, differences=pair.main.differences, draws=pair.main.draws)
    return replace(pair, main=main, family=words)


def on_shared_draws(
    cell: ArmCell, controls: Mapping[str, ArmCell], scores: MetricSet, level: float = 1 - ALPHA
) -> list[Gain]:
    """A configuration over each of its controls, over the splits that it shares with all of them;
    with Student's t interval of a level, which holds how many such configurations there are.
    """
    drawn = [set(one.drawn.tolist()) for one in (cell, *controls.values())]
    shared = sorted(set.intersection(*drawn) - {-1})
    cell = replace(cell, trials=cell.ok[np.isin(cell.drawn, shared)])
    pairs = [_pair_up(cell, control, name, scores) for name, control in controls.items()]
    return [
        replace(pair, main=student(pair.main, level), second=student(pair.second, level))
        for pair in pairs
    ]


def by_arm(rows: Iterable[Gain]) -> dict[CellKey, dict[str, Gain]]:
    """The rows of each configuration with one classifier, by the name of the control."""
    arms: dict[CellKey, dict[str, Gain]] = {}
    for row in rows:
        arms.setdefault(row.cell.key, {})[row.control] = row
    return arms


def rival_of(arm: ArmGains) -> Gain | None:
    """The row of the control that decides; None where the configuration has no control but
    ``none``.
    """
    return next((row for row in arm.values() if row.rival), None)


def in_points(evidence: Evidence, scale: float = 100.0) -> dict[str, Any]:
    """A mean difference as files have it: ``mean``; ``low`` and ``high`` of an interval, None of
    few splits; ``smallest`` and ``largest``.
    """
    differences = evidence.differences
    low, high = evidence.interval or (None, None)
    return {
        "mean": scale * evidence.mean if differences else None,
        "low": low if low is None else scale * low,
        "high": high if high is None else scale * high,
        "smallest": scale * min(differences) if differences else None,
        "largest": scale * max(differences) if differences else None,
    }


# How gains are computed

METRICS: tuple[Literal["main", "second"], ...] = ("main", "second")


def _over_controls(cells: Cells, scores: MetricSet) -> list[Gain]:
    """Every configuration of both but ``none`` beside the controls of its classifier; no
    difference is tested yet.
    """
    both = [cell for cell in cells.values() if cell.arm == cell.arm.both]
    controls: dict[tuple[str, Method], list[ArmCell]] = {}
    without_samples: dict[str, list[ArmCell]] = {}
    for cell in both:
        controls.setdefault((cell.arm.generator.name, cell.classifier), []).append(cell)
        if cell.without_samples:
            without_samples.setdefault(cell.classifier.name, []).append(cell)
    pairs = []
    for cell in (cell for cell in both if not cell.without_samples):
        known = {name: controls.get((name, cell.classifier), []) for name in cell.controls}
        known |= {name: without_samples.get(name, []) for name in cell.rivals}
        pairs += [_over(cell, name, there, scores) for name, there in known.items()]
    return pairs


def _over(cell: ArmCell, name: str, controls: Iterable[ArmCell], scores: MetricSet) -> Gain:
    """The pair with the control that shares most splits; the newest one where several do.

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
    found = [pair for pair in candidates if pair.draws]
    if not found:
        nowhere = np.array([], np.intp)
        return Gain(cell, name, None, nowhere, nowhere, Evidence(), Evidence())
    if len(found) == 1:
        return found[0]

    def draws_and_date(pair: Gain) -> tuple[int, str]:
        assert pair.control_cell is not None
        return pair.draws, max(pair.control_cell.trials["created"])

    return max(found, key=draws_and_date)


def _pair_up(cell: ArmCell, control: ArmCell, name: str, scores: MetricSet) -> Gain:
    """A configuration and another, split by split; a split in which either made no sample says
    nothing, and is left out.
    """
    # The place of each split among the trials of the control; the last one is of trials without a
    # sample, whose draw is -1.
    draws = max(cell.drawn.max(initial=0), control.drawn.max(initial=0)) + 1
    place_of_draw = np.full(draws + 1, -1)
    place_of_draw[control.drawn] = np.arange(len(control.drawn))
    place_of_draw[-1] = -1
    control_place = place_of_draw[cell.drawn]

    def differences(score: Metric) -> NDArray[np.float64]:
        # Where the control lacks the split, its place is -1: the value behind all others.
        values = np.append(control.column(score.key), np.nan)
        difference: NDArray[np.float64] = cell.column(score.key) - values[control_place]
        return difference

    main_differences = differences(scores.main)
    shared = np.flatnonzero(~np.isnan(main_differences))

    def evidence(values: NDArray[np.float64]) -> Evidence:
        known = shared[~np.isnan(values[shared])]
        return Evidence(tuple(values[known].tolist()), tuple(cell.drawn[known].tolist()))

    return Gain(
        cell,
        name,
        control,
        arm_places=shared,
        control_places=control_place[shared],
        main=evidence(main_differences),
        second=evidence(differences(scores.second)),
    )


OVER_NONE = "over none"
OVER_CONTROLS = "over other controls"
OVER_BASELINES = "over baselines"


def _question(pair: Gain) -> str:
    """What a pair answers: of a configuration that is judged, over no samples or over another
    control; or of a control of every configuration.
    """
    if not pair.cell.arm.judged:
        return f"of {pair.cell.arm.generator.name} over {NONE}"
    return OVER_NONE if pair.control == NONE else OVER_CONTROLS


def _tested(
    pairs: Sequence[Gain],
    metric: Literal["main", "second"],
    family: str | Callable[[Gain], str] = "",
    smallest: float = SMALLEST_GAIN,
) -> list[Gain]:
    """The pairs with the tests of a metric, corrected for all of a family.

    Parameters
    ----------
    family : str or callable
        That of all pairs, or of each, in words.
    """
    tested = list(pairs)
    families: dict[str, list[int]] = {}
    for place, pair in enumerate(pairs):
        if getattr(pair, metric).differences:
            of = family if isinstance(family, str) else family(pair)
            families.setdefault(of, []).append(place)
    for words, places in families.items():
        tests = correct([getattr(pairs[place], metric) for place in places])
        for place, untouched in zip(places, tests, strict=True):
            test = replace(untouched, smallest=smallest)
            # The pair may hold the test of the other metric by now.
            pair = replace(tested[place], family=words)
            main = metric == "main"
            tested[place] = replace(pair, main=test) if main else replace(pair, second=test)
    return tested
