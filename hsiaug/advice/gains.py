"""Gains of arms over the controls, draw by draw, and the conclusions that they allow."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from hsiaug.metrics.significance import told_apart
from hsiaug.metrics.verdict import TINY, Evidence
from hsiaug.protocol.balance import Rate
from hsiaug.tasks.task import get_task
from hsiaug.trial.arm import CONTROLS_OF_ALL, NONE, Arm
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record

Key = tuple[str, Rate, float | None, str, int]
Results = dict[Key, Record]


@dataclass(frozen=True)
class Against:
    """An arm minus one control, as fractions, draw by draw.

    Attributes
    ----------
    all : tuple of float
        Of pixels, AA over all classes.
    """

    control: str
    aa: tuple[float, ...]
    oa: tuple[float, ...]
    all: tuple[float, ...]


@dataclass(frozen=True)
class ArmGain:
    """An arm with one classifier, over the draws in which it and its controls went well.

    Attributes
    ----------
    aa : tuple of float
        Of the arm itself, over the large classes where there are some.
    against : tuple of Against
        Its controls at the same λ.
    """

    arm: Arm
    classifier: str
    seeds: tuple[int, ...]
    aa: tuple[float, ...]
    against: tuple[Against, ...]

    @property
    def better(self) -> Against:
        """The control that the arm gains least over."""
        return min(self.against, key=lambda control: sum(control.aa))

    @property
    def mean(self) -> float:
        """Mean gain of AA over the best control."""
        return fmean(self.better.aa)


def key(trial: TrialSpec) -> Key:
    """Return generator, λ, ω, classifier and seed, which identify a trial among those of one
    protocol.
    """
    return trial.generator.name, trial.rate, trial.omega, trial.classifier.name, trial.seed


def main_score(record: Record, large: Sequence[int] = ()) -> float:
    """The score of a trial that its task is advised by: of pixels AA, of masks mIoU.

    Parameters
    ----------
    record : Record
        Of a trial that went well.
    large : sequence of int
        Ids of the classes that it is averaged over; none: all of them.

    Returns
    -------
    float
        0..1.
    """
    metrics = record["metrics"]
    if large:
        return fmean(metrics["recall"][c - 1] for c in large)
    main, _ = get_task(record["spec"]["task"]).metrics.advice
    value: float = metrics[main.key]
    return value


def second_score(record: Record) -> float:
    """The score that stands beside the main one: of pixels OA, of masks F1."""
    _, second = get_task(record["spec"]["task"]).metrics.advice
    value: float = record["metrics"][second.key]
    return value


def gain_of(
    arm: Arm,
    classifier: str,
    results: Results,
    seeds: Iterable[int],
    names: Iterable[str] = CONTROLS_OF_ALL,
    large: Sequence[int] = (),
) -> ArmGain:
    """The gains of an arm with a classifier on those of the seeds that it shares with all controls;
    there may be none.

    Parameters
    ----------
    arm : Arm
        The arm whose gains are asked for.
    classifier : str
        Name of the classifier.
    results : Results
        Records of trials that went well.
    seeds : iterable of int
        Numbers of the draws.
    names : iterable of str
        Names of the controls.
    large : sequence of int
        As of :func:`main_score`.
    """
    arm_key = (arm.generator.name, arm.rate, arm.omega)
    control_keys = {name: (name, Rate(0.0) if name == NONE else arm.rate, None) for name in names}
    shared = [
        seed
        for seed in seeds
        if all((*key, classifier, seed) in results for key in (arm_key, *control_keys.values()))
    ]

    def scores(
        key: tuple[str, Rate, float | None], score: Callable[[Record], float]
    ) -> dict[Hashable, float]:
        return {seed: score(results[*key, classifier, seed]) for seed in shared}

    def differences(control: str, score: Callable[[Record], float]) -> tuple[float, ...]:
        over = scores(control_keys[control], score)
        return Evidence.paired(scores(arm_key, score), over).differences

    def main_of_large(record: Record) -> float:
        return main_score(record, large)

    return ArmGain(
        arm=arm,
        classifier=classifier,
        seeds=tuple(shared),
        aa=tuple(scores(arm_key, main_of_large).values()),
        against=tuple(
            Against(
                control=name,
                aa=differences(name, main_of_large),
                oa=differences(name, second_score),
                all=differences(name, main_score),
            )
            for name in control_keys
        ),
    )


def candidates(
    screened: Iterable[ArmGain], baselines: Mapping[str, str], most: int = 2
) -> list[ArmGain]:
    """For each classifier, the arm of the highest AA that lies above all its controls; the largest
    gain first.

    Of the arms of one generator, a later one (of a larger λ) counts where it is told apart from
    those before. So does a generator beside its baseline, which is the same without its main part
    and takes less time. Among other generators AA counts, not the gain: some are measured against
    more controls than others.

    Parameters
    ----------
    screened : iterable of ArmGain
        Of all arms, the smallest λ first.
    baselines : mapping of str to str
        Names of the baselines, by the generators that have one.
    most : int
        Candidates at most.

    Returns
    -------
    list of ArmGain
        Of different classifiers.
    """
    arms: dict[tuple[str, str], ArmGain] = {}
    for gain in screened:
        best_so_far = arms.get((gain.classifier, gain.arm.generator.name))
        if gain.mean > TINY and (best_so_far is None or above(gain.aa, best_so_far.aa)):
            arms[gain.classifier, gain.arm.generator.name] = gain
    best: dict[str, ArmGain] = {}
    for (classifier, generator), gain in arms.items():
        simpler = arms.get((classifier, baselines.get(generator, "")))
        if simpler is not None and not above(gain.aa, simpler.aa):
            continue
        if gain.classifier not in best or fmean(gain.aa) > fmean(best[gain.classifier].aa):
            best[gain.classifier] = gain
    return sorted(best.values(), key=lambda gain: -gain.mean)[:most]


def above(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether the first arm has the higher AA on the same draws, and the difference is clear; False
    where an arm was not run on all of them.
    """
    if len(first) != len(second) or not first:
        return False
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return fmean(differences) > 0 and told_apart(differences)
