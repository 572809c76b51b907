"""The trials behind the claims and tables that a suite declares.

An arm is told by the runs that plan it, its generator and classifier, and the settings that these
were given there, so that profiles and ``--data`` change claims and tables with the runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hsiaug.base.errors import InputError, check_known
from hsiaug.bench.plan import Plan
from hsiaug.bench.request import Request, Settings
from hsiaug.trial.declared_tables import (
    ArmTrial,
    ArmTrials,
    Claim,
    DeclaredTable,
    Listed,
    TableSetting,
)
from hsiaug.trial.spec import TrialSpec


class ArmKeys(BaseModel):
    """An arm of claims and tables.

    Attributes
    ----------
    run : tuple of str
        Names of the runs that plan it.
    classifier : str or None
        None for an arm whose samples alone are looked at.
    set : Settings
        The settings that its generator and its classifier are given there.
    omega : float or None
        None = the generator's own, or every value where the arm is swept over ω.
    lam : float or None
        λ (``lambda`` in the file); None = whatever the runs plan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    run: Annotated[tuple[str, ...], Listed, Field(min_length=1)]
    generator: str
    classifier: str | None = None
    set: Settings = {}
    lam: float | None = Field(default=None, alias="lambda")
    omega: float | None = None
    train: Literal["both", "synthetic"] = "both"


def check_tables(
    where: str,
    arms: Mapping[str, ArmKeys],
    claims: Sequence[Claim],
    tables: Sequence[DeclaredTable],
    runs: Iterable[str],
) -> None:
    """Raise InputError where a claim, a table or an arm names what the suite does not have.

    Parameters
    ----------
    where : str
        The suite, for the error.
    """
    known_runs = list(runs)
    for name, arm in arms.items():
        for run in arm.run:
            check_known(f"{where}: `run` of arm {name!r} must be a run", run, known_runs)
    named = [(claim.name, arm) for claim in claims for one in claim.differences for arm in one.arms]
    named += [(table.name, row.arm) for table in tables for row in table.rows]
    for name, arm_name in named:
        check_known(f"{where}: {name} must speak of arms under [arms]", arm_name, arms)


def place_arms(
    arms: Mapping[str, ArmKeys],
    claims: Sequence[Claim],
    runs: Iterable[tuple[str, Request]],
    plans: Sequence[Plan],
) -> dict[str, ArmTrials]:
    """The planned trials of each arm.

    Parameters
    ----------
    runs : iterable of (str, Request)
        The run and the request of each plan.

    Raises
    ------
    InputError
        Where an arm that is not swept stands for several trials of one draw.
    """
    swept = {one.arm: one.sweep for claim in claims for one in claim.differences if one.sweep}
    planned = list(zip(runs, plans, strict=True))
    return {name: _trials_of(name, arm, swept.get(name), planned) for name, arm in arms.items()}


def _trials_of(
    name: str,
    arm: ArmKeys,
    sweep: str | None,
    planned: Sequence[tuple[tuple[str, Request], Plan]],
) -> ArmTrials:
    trials: dict[TableSetting, dict[int, dict[Any, ArmTrial]]] = {}
    for (run, request), plan in planned:
        if run not in arm.run or _settings(arm, request.overrides) != _settings(arm, arm.set):
            continue
        for trial in plan.trials:
            if not _fits(arm, sweep, trial, plan):
                continue
            setting = TableSetting(plan.scene.name, trial.protocol.text)
            adds = plan.cards["generator", arm.generator].adds
            samples = trial.samples_hash if adds else ""
            found = ArmTrial(trial.hash, samples, trial.rate.lam, trial.omega)
            key = found.hash if arm.classifier else found.samples
            trials.setdefault(setting, {}).setdefault(trial.seed, {}).setdefault(key, found)
    for setting, draws in trials.items():
        several = next((list(same.values()) for same in draws.values() if len(same) > 1), None)
        if several and not sweep:
            rule = f"arm {name!r} must be one trial of each draw on {setting.scene}"
            found_values = ", ".join(
                f"λ = {one.lam:g}" + ("" if one.omega is None else f" and ω = {one.omega:g}")
                for one in several
            )
            hint = "Say lambda or omega of the arm, or fewer runs."
            raise InputError(rule, value=found_values, hint=hint)
    return {
        setting: {seed: tuple(same.values()) for seed, same in sorted(draws.items())}
        for setting, draws in trials.items()
    }


def _settings(arm: ArmKeys, overrides: Settings) -> dict[str, dict[str, str]]:
    """What an arm's generator and classifier are given; a plugin without settings is left out."""
    names = (arm.generator, arm.classifier)
    return {name: dict(values) for name, values in overrides.items() if name in names and values}


def _fits(arm: ArmKeys, sweep: str | None, trial: TrialSpec, plan: Plan) -> bool:
    if trial.generator.name != arm.generator or trial.train != arm.train:
        return False
    if arm.classifier and trial.classifier.name != arm.classifier:
        return False
    own = plan.cards["generator", arm.generator].guidance
    omega = own if arm.omega is None else arm.omega
    if sweep != "omega" and trial.omega != omega:
        return False
    return arm.lam is None or trial.rate.lam == arm.lam
