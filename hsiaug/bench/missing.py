"""Which trials of plans a store lacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hsiaug.base.errors import StoreError
from hsiaug.bench.plan import Plan, check_memory
from hsiaug.bench.plans_of_runs import trials_of
from hsiaug.trial.record import newer_record
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Held, Store

Existing = Literal["only-missing", "all", "none"]
"""Trials to run: those that the store does not hold (failed ones again), all, or none."""


def select_missing(trials: Sequence[TrialSpec], held: Held, existing: Existing) -> list[TrialSpec]:
    """The trials to run.

    Parameters
    ----------
    trials : sequence of TrialSpec
        All that were asked for.
    held : Held
        Those of which the store has a record.
    existing : {"only-missing", "all", "none"}
        Which to run.

    Raises
    ------
    StoreError
        Where that would replace records of a later hsiaug.
    """
    if existing == "none":
        return []
    finished = held.finished
    missing = [trial for trial in trials if existing == "all" or trial.hash not in finished]
    wanted = {trial.hash for trial in missing}
    for damage in held.damaged:
        if damage.newer and damage.hash in wanted:
            raise newer_record(damage)
    return missing


@dataclass(frozen=True)
class Missing:
    """Trials of plans, and what a store lacks of them.

    Attributes
    ----------
    trials : list of TrialSpec
        All, each once.
    todo : list of TrialSpec
        Those to run.
    held : Held
        Those of which the store has a record.
    """

    trials: list[TrialSpec]
    todo: list[TrialSpec]
    held: Held


def find_missing(plans: Sequence[Plan], store: Path, existing: Existing) -> Missing:
    """What a store lacks of plans.

    Parameters
    ----------
    plans : sequence of Plan
        Whose trials were asked for.
    store : Path
        Root of the store, which need not be there.
    existing : {"only-missing", "all", "none"}
        Which to run.

    Raises
    ------
    InputError
        Where the samples of a trial to run do not fit into memory.
    StoreError
        Where records of a later hsiaug would be replaced.
    """
    trials = trials_of(plans)
    try:
        there = Store(store)
    except StoreError:  # there is none yet
        held = Held()
    else:
        held = there.held(trial.hash for trial in trials)
    todo = select_missing(trials, held, existing)
    check_memory(plans, todo)
    return Missing(trials, todo, held)
