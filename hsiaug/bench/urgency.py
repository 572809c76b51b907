"""Which trials of a benchmark run first, so that its questions have a first answer early."""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

from hsiaug.bench.costs import Costs
from hsiaug.bench.plan import Plan
from hsiaug.trial.spec import TrialSpec

FIRST_DRAWS = 2
"""Draws that run before all others: fewer give no idea of how far draws differ."""


class Urgency(IntEnum):
    """When a trial runs; a smaller number is earlier."""

    DECIDING = 0
    FIRST_DRAWS = 1
    LATER = 2


def deciding_trials(plan: Plan) -> frozenset[str]:
    """The trials that answer the three questions in short.

    Parameters
    ----------
    plan : Plan
        With any number of draws.

    Returns
    -------
    frozenset of str
        Hashes of the trials of each generator, controls too, at the first of its λ, M and ω, with
        the first classifier that was asked for; and of the classifiers that are controls.
    """
    controls = {
        name
        for (kind, name), card in plan.cards.items()
        if kind == "classifier" and card.control_of
    }
    asked = (trial for trial in plan.trials if trial.classifier.name not in controls)
    leading = next(asked, plan.trials[0])
    first_arms: dict[str, tuple[object, ...]] = {}
    deciding = set()
    for trial in plan.trials:
        if trial.hash in plan.nothing:
            continue
        arm = trial.rate, trial.omega, trial.train
        first_arm = first_arms.setdefault(trial.generator.hash, arm)
        led = trial.classifier.name in controls or (
            (trial.classifier, trial.view) == (leading.classifier, leading.view)
        )
        if led and arm == first_arm:
            deciding.add(trial.hash)
    return frozenset(deciding)


def urgency_of(
    plans: Iterable[Plan], trials: Sequence[TrialSpec], costs: Costs
) -> dict[str, Urgency]:
    """When each trial runs.

    Trials that share a fit are parted only where the trials that then wait take longer than the
    fit, which might have to be made again for them.

    Parameters
    ----------
    plans : iterable of Plan
        Whose trials they are.
    trials : sequence of TrialSpec
        The trials to run.
    costs : Costs
        What is known of their seconds.

    Returns
    -------
    dict of str to Urgency
        By the trial's hash.
    """
    first: set[str] = set()
    deciding: set[str] = set()
    for plan in plans:
        draws = [*dict.fromkeys(trial.seed for trial in plan.trials)][:FIRST_DRAWS]
        first |= {trial.hash for trial in plan.trials if trial.seed in draws}
        deciding |= deciding_trials(plan)
    urgency = {
        trial.hash: (
            Urgency.LATER
            if trial.hash not in first
            else Urgency.DECIDING
            if trial.hash in deciding
            else Urgency.FIRST_DRAWS
        )
        for trial in trials
    }
    by_fit: dict[str, list[TrialSpec]] = {}
    for trial in trials:
        if trial.hash in first:
            by_fit.setdefault(trial.fit_hash, []).append(trial)
    for group in by_fit.values():
        if not _worth_parting(group, urgency, costs):
            urgency |= dict.fromkeys(
                (trial.hash for trial in group), min(urgency[trial.hash] for trial in group)
            )
    return urgency


def _worth_parting(
    group: Sequence[TrialSpec], urgency: Mapping[str, Urgency], costs: Costs
) -> bool:
    """Whether the trials of a group that decide nothing take longer than its fit."""
    fit = 0.0
    waiting = 0.0
    for trial in group:
        parts = costs.parts(trial)
        fit = max(fit, parts.get(trial.fit_hash, (0.0, False))[0])
        if urgency[trial.hash] != Urgency.DECIDING:
            waiting += parts[trial.hash][0]
    return waiting > fit
