"""Run what is missing of plans: the one place that does, for every command and for :mod:`hsiaug.results`.

Heavy to import: a command does so once it knows that it has work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsiaug.base.errors import StoreError
from hsiaug.base.threads import cores
from hsiaug.bench.cluster_settings import ClusterSettings
from hsiaug.bench.command import command_for
from hsiaug.bench.engine import Batch, Engine, Job, Say, engine
from hsiaug.bench.estimate import expected_seconds, guesses, longest_first, timed
from hsiaug.bench.ledger import OnEvent
from hsiaug.bench.memory_check import check_memory
from hsiaug.bench.plan import Plan
from hsiaug.bench.progress import Detail, watching
from hsiaug.bench.schedule import in_order, joined, trials_of
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench, has_fit
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.record import damage_lines
from hsiaug.trial.run import empty
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Reading, Store

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Existing", "batches_of", "held", "missing", "run", "workers"]

Existing = Literal["only-missing", "all", "none"]
"""Which trials to run: those that the store does not hold (failed ones again), all, or none."""


def workers(asked: int | None, device: str, plans: Sequence[Plan]) -> int:
    """Processes to run: as asked, else one per core, but one only where a GPU does the work."""
    used = {resolve_device(device, card) for plan in plans for card in plan.cards.values()}
    if asked is not None:
        return asked
    return 1 if used != {"cpu"} else cores()


def held(trials: Sequence[TrialSpec], store: Path) -> Reading:
    """What the store holds of the trials; nothing where there is no store yet."""
    try:
        kept = Store(store)
    except StoreError:
        return Reading()
    return kept.read(trial.hash for trial in trials)


def missing(trials: Sequence[TrialSpec], kept: Reading, existing: Existing) -> list[TrialSpec]:
    """The trials to run."""
    if existing == "none":
        return []
    finished = kept.finished
    return [trial for trial in trials if existing == "all" or trial.hash not in finished]


def run(
    plans: Sequence[Plan],
    root: Path,
    *,
    existing: Existing = "only-missing",
    device: str = "auto",
    jobs: int | None = None,
    settings: ClusterSettings,
    limit: float | None = None,
    console: Console,
    say: Say,
    warn: Say,
    detail: Detail = "usual",
) -> Reading | None:
    """Run what the store does not hold of the plans, scene by scene; this is what every benchmark is.

    root: of the store, which is made where there is none, unless ``existing`` is none. limit: seconds that a trial may
    take. console: for the progress. say: is told notes, and what is taken from the store; warn: what engines have to say.
    Returns the records of the plans' trials; None where they run elsewhere, and have not ended yet.
    Raises InputError where the samples of a trial do not fit into memory, or the engine cannot be had; StoreError where
    the store cannot be written.
    """
    trials = trials_of(plans)
    kept = held(trials, root)
    todo = missing(trials, kept, existing)
    check_memory(plans, todo)
    plan = joined(plans)
    for note in (*plan.notes, *plan.short):
        say(f"note: {note}")
    where = engine(settings, workers(jobs, device, plans), warn)
    store = Store(root, create=existing != "none")
    store.sweep()
    waiting = {trial.hash: trial for trial in todo}
    if reused := sum(record["hash"] not in waiting for record in kept.records):
        say(f"{reused} of {len(trials)} trials are taken from {root}")
    if waiting and not _run_missing(plans, plan, waiting, store, kept, device, where, limit, console, say, detail):
        return None
    read = store.read(trial.hash for trial in trials)
    begun = {trial.hash for trial in todo}
    for record in (record for record in read.records if record["hash"] in begun):
        for note in record.get("notes") or ():
            say(f"note: {note} ({record['hash']})")
    return read


def _run_missing(
    plans: Sequence[Plan],
    together: Plan,
    waiting: dict[str, TrialSpec],
    store: Store,
    kept: Reading,
    device: str,
    where: AbstractContextManager[Engine],
    limit: float | None,
    console: Console,
    say: Say,
    detail: Detail,
) -> bool:
    """Run the trials that wait; of those that make nothing only the record is written.

    together: the plans as one. Returns False where they go on elsewhere.
    """
    store.check_writable()
    damaged = [one for one in kept.damaged if one.hash in waiting]
    for line in damage_lines(damaged, "its trial is run again"):
        say(line)
    _record_nothing(plans, waiting, store)
    if not waiting:
        return True
    known = timed(store.read(known=kept).records)
    costs = expected_seconds(together, list(waiting.values()), known)
    with where as engine:
        batches = batches_of(plans, waiting, store.root, device, limit, costs, engine.jobs)
        ordered = {trial.hash: trial for batch in batches for trial in batch.trials}
        rough = guesses(together, list(ordered.values()), known, _tested(plans))
        # The fits of an earlier run are in the cache.
        rough |= {hash: replace(rough[hash], fit=0.0) for hash, t in ordered.items() if has_fit(store.cache, t)}

        def watch(jobs: int) -> AbstractContextManager[OnEvent]:
            return watching(ordered, console, jobs=jobs, guesses=rough, store=store, detail=detail)

        return engine.run(batches, watch)


def _tested(plans: Iterable[Plan]) -> dict[str, int]:
    """Test samples of each trial's draw, by the trial's hash."""
    found: dict[str, int] = {}
    for plan in plans:
        sizes = {split.seed: split.audit.n_test for split in plan.splits}
        found |= {trial.hash: sizes[trial.seed] for trial in plan.trials if trial.seed in sizes}
    return found


def batches_of(
    plans: Sequence[Plan],
    waiting: Mapping[str, TrialSpec],
    store: Path,
    device: str,
    limit: float | None,
    costs: Mapping[str, float],
    jobs: int,
) -> list[Batch]:
    """The trials that wait, scene by scene; where several run at a time the longest come first.

    costs: what :func:`expected_seconds` found.
    """
    left, batches = dict(waiting), []
    for (task, ref), scene in {(plan.task, plan.scene_ref): plan.scene for plan in plans}.items():
        here = trials_of(plan for plan in plans if (plan.task, plan.scene_ref) == (task, ref))
        mine = in_order(trial for trial in here if left.pop(trial.hash, None))
        if jobs > 1:
            mine = longest_first(mine, costs)
        if mine:
            commands = {trial.hash: command_for(trial, ref) for trial in mine}
            batches.append(Batch(scene, Job(task, ref, store, device, limit), mine, commands, costs))
    return batches


def _record_nothing(plans: Sequence[Plan], waiting: dict[str, TrialSpec], store: Store) -> None:
    """Write the records of trials whose λ asks for no sample, and take them out of those that are to be run."""
    for plan in plans:
        bench = Workbench(plan.scene, get_task(plan.task))
        for trial in in_order(t for t in plan.trials if t.hash in plan.nothing):
            if waiting.pop(trial.hash, None):
                store.put(empty(trial, bench, plan.scene_ref, command_for(trial, plan.scene_ref)), None)
