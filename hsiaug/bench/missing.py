"""Which trials of a plan a store lacks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hsiaug.base.errors import StoreError
from hsiaug.bench.plan import Plan
from hsiaug.registry.plugin_code import forget
from hsiaug.trial.record_check import Damage
from hsiaug.trial.record_json import is_finished
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

Existing = Literal["only-missing", "all", "none"]
"""Trials to run: those that the store does not hold (failed ones again), all, or none."""


@dataclass(frozen=True)
class Missing:
    """What a store lacks of a plan.

    Attributes
    ----------
    todo : list of TrialSpec
        Those to run.
    empty : list of TrialSpec
        Those to record, as their λ asks for no sample.
    reused : int
        How many of the others have a record.
    damaged : list of Damage
        Records of those to run or to record that are not to be believed.
    older : frozenset of str
        Hashes of trials whose record was made with other code of a plugin.
    """

    todo: list[TrialSpec]
    empty: list[TrialSpec]
    reused: int
    damaged: list[Damage]
    older: frozenset[str]


def find_missing(plan: Plan, root: Path, existing: Existing) -> Missing:
    """What a store lacks of a plan.

    Parameters
    ----------
    plan : Plan
        Of all trials that were asked for.
    root : Path
        Of the store, which need not be there.
    existing : {"only-missing", "all", "none"}
        Which to run.
    """
    finished: dict[str, bool] = {}
    damaged, older = list[Damage](), set[str]()
    trials = {trial.hash: trial for trial in plan.trials}
    forget()
    try:
        store = Store(root)
    except StoreError:  # there is none yet
        pass
    else:
        # One after the other: those of a large store do not fit into memory together.
        for record in store.each(trials, damaged):
            hash = record["hash"]
            finished[hash] = is_finished(record)
            if not trials[hash].is_of_this_code(record):
                finished[hash] = False
                older.add(hash)
    missing = [
        trial
        for trial in plan.trials
        if existing == "all" or (existing == "only-missing" and not finished.get(trial.hash))
    ]
    waiting = {trial.hash for trial in missing}
    return Missing(
        todo=[trial for trial in missing if trial.hash not in plan.nothing],
        empty=[trial for trial in missing if trial.hash in plan.nothing],
        reused=len(finished.keys() - waiting - older),
        damaged=[damage for damage in damaged if damage.hash in waiting],
        older=frozenset(older),
    )
