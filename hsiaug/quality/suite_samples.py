"""Measures of the samples that the claims and tables of a suite speak of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hsiaug.bench.plan import Plan
from hsiaug.quality.attention import AttentionMaps, score_maps
from hsiaug.quality.synthesis import Inspection
from hsiaug.trial.declared_tables import DeclaredTables
from hsiaug.trial.sample_measures import SampleMeasure
from hsiaug.trial.spec import TrialSpec

ATTENTION = "attention"
"""The measure that takes maps of attention: their AUC against the region of the class."""


@dataclass(frozen=True, eq=False)
class AskedSamples:
    """Samples whose measures are asked for.

    Attributes
    ----------
    arm : str
        The first arm of the suite that has them.
    trial : TrialSpec
        A trial whose classifier learns from them.
    measures : tuple of str
        Names of the measures.
    """

    arm: str
    plan: Plan
    trial: TrialSpec
    measures: tuple[str, ...]


def asked_samples(declared: DeclaredTables, plans: Sequence[Plan]) -> list[AskedSamples]:
    """All samples that claims and tables ask measures of, each once, draw by draw and fit by
    fit.
    """
    known = {trial.hash: (plan, trial) for plan in plans for trial in plan.trials}
    arms: dict[str, str] = {}
    measures: dict[str, dict[str, None]] = {}
    trials: dict[str, str] = {}
    for arm, names in declared.measured_arms.items():
        for trial in (trial for trial in declared.trials(arm) if trial.samples):
            arms.setdefault(trial.samples, arm)
            trials.setdefault(trial.samples, trial.hash)
            measures.setdefault(trial.samples, {}).update(dict.fromkeys(names))
    asked = [
        AskedSamples(arms[samples], *known[trial_hash], tuple(measures[samples]))
        for samples, trial_hash in trials.items()
    ]
    return sorted(asked, key=lambda one: (one.trial.scene, one.trial.seed, one.trial.fit_hash))


def measure_samples(
    inspection: Inspection, names: Iterable[str], attention_maps: AttentionMaps | None
) -> dict[str, SampleMeasure]:
    """Measures of samples by name: all of fidelity, and of the others those that are named.

    Parameters
    ----------
    attention_maps : AttentionMaps or None
        Those of the samples' generator, where ATTENTION is among the names.
    """
    measures = {
        one.name: SampleMeasure(one.label, one.unit, one.value, one.floor)
        for one in inspection.fidelity.measures
    }
    for one in inspection.reconstruction:
        measures[one.name] = SampleMeasure(one.label, one.unit, one.held_out, one.training)
    if attention_maps:
        score = score_maps(attention_maps, inspection.made)["class"]
        label = "AUC of attention to the class's name against its region"
        value = None if score is None else score.auc
        measures[ATTENTION] = SampleMeasure(label, "", value, 0.5)
    for name in names:
        # It is not defined for these samples, and need not be looked for again.
        measures.setdefault(name, SampleMeasure(name, "", None, None))
    return measures
