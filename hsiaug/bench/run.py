"""Run what is missing of plans: the one place that does, for every command and for
:mod:`hsiaug.results`.

Heavy to import: a command does so once it knows that it has work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsiaug.base.errors import StoreError
from hsiaug.base.threads import cores
from hsiaug.bench.bounds import UNBOUNDED, Bounds
from hsiaug.bench.command import command_for
from hsiaug.bench.costs import Costs, Forecast
from hsiaug.bench.engine import Batch, ClusterSettings, Engine, Job, Say, open_engine
from hsiaug.bench.plan import Plan, check_memory
from hsiaug.bench.progress import watch_trials
from hsiaug.bench.schedule import in_order, join_plans, trials_of
from hsiaug.trial.cache import Workbench
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.record import damage_lines, newer_record
from hsiaug.trial.run import empty
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Reading, Store

if TYPE_CHECKING:
    from rich.console import Console

Existing = Literal["only-missing", "all", "none"]
"""Trials to run: those that the store does not hold (failed ones again), all, or none."""


def workers(asked: int | None, device: str, plans: Sequence[Plan]) -> int:
    """Processes to run: as asked, else one per core, but one only where a GPU does the work."""
    used = {resolve_device(device, card) for plan in plans for card in plan.cards.values()}
    if asked is not None:
        return asked
    return 1 if used != {"cpu"} else cores()


def read_held(trials: Sequence[TrialSpec], store: Path) -> Reading:
    """Read the records of the trials from the store; an empty reading if there is no store yet."""
    try:
        kept = Store(store)
    except StoreError:
        return Reading()
    return kept.read(trial.hash for trial in trials)


def select_missing(
    trials: Sequence[TrialSpec], kept: Reading, existing: Existing
) -> list[TrialSpec]:
    """The trials to run. Raises StoreError where that would replace records of a later hsiaug."""
    if existing == "none":
        return []
    finished = kept.finished
    missing = [trial for trial in trials if existing == "all" or trial.hash not in finished]
    wanted = {trial.hash for trial in missing}
    for damage in kept.damaged:
        if damage.newer and damage.hash in wanted:
            raise newer_record(damage)
    return missing


def run(
    plans: Sequence[Plan],
    root: Path,
    *,
    existing: Existing = "only-missing",
    device: str = "auto",
    jobs: int | None = None,
    settings: ClusterSettings | None = None,
    engine: Engine | None = None,
    limit: float | None = None,
    bounds: Bounds = UNBOUNDED,
    deadline: float | None = None,
    console: Console,
    say: Say,
    warn: Say,
    quiet: bool = False,
) -> Reading | None:
    """Run what the store does not hold of the plans, scene by scene; this is what every benchmark
    is.

    Parameters
    ----------
    root : Path
        Root of the store, which is made where there is none, unless ``existing`` is none.
    engine : Engine or None
        One that is open, in place of that of the settings.
    limit : float or None
        Seconds that a trial may take.
    bounds : Bounds
        Bounds of the workers.
    deadline : float or None
        The time (as ``time.time()``) after which no trial should end.
    console : Console
        For the progress.
    quiet : bool
        Of failures alone.
    say : Say
        Is told notes, and what is taken from the store.
    warn : Say
        What engines have to say.

    Returns
    -------
    Reading or None
        The records of the plans' trials; None where they run elsewhere, and have not ended yet.

    Raises
    ------
    InputError
        Where the samples of a trial do not fit into memory, or the engine cannot be had.
    StoreError
        Where the store cannot be written.
    """
    trials = trials_of(plans)
    kept = read_held(trials, root)
    todo = select_missing(trials, kept, existing)
    check_memory(plans, todo)
    plan = join_plans(plans)
    for note in plan.notes:
        say(f"note: {note}")
    asked = settings or ClusterSettings()
    # Before there is a store: the engine may not be there.
    opened = (
        open_engine(asked, workers(jobs, device, plans), warn)
        if todo and not engine
        else nullcontext(engine)
    )
    with opened as where:
        store = Store(root, create=existing != "none")
        store.sweep()
        waiting = {trial.hash: trial for trial in todo}
        if reused := sum(record["hash"] not in waiting for record in kept.records):
            say(f"{reused} of {len(trials)} trials are taken from {root}")
        if waiting:
            store.check_writable()
            damaged = [one for one in kept.damaged if one.hash in waiting]
            for line in damage_lines(damaged, "its trial is run again"):
                say(line)
            _record_nothing(plans, waiting, store)
        if waiting and where:
            costs = Costs.of(plans, store.each(), store.cache)
            job = partial(Job, store=root, device=device, limit=limit, bounds=bounds)
            batches = make_batches(plans, waiting, job, costs, where.jobs, deadline)
            ordered = {trial.hash: trial for batch in batches for trial in batch.trials}
            where.submit(batches)
            if not where.waits:
                return None
            with watch_trials(
                ordered, console, costs=costs, jobs=where.jobs, store=store, quiet=quiet
            ) as on_event:
                where.wait(on_event)
    read = store.read(trial.hash for trial in trials)
    begun = {trial.hash for trial in todo}
    noted: dict[str, list[str]] = {}
    for record in (record for record in read.records if record["hash"] in begun):
        for note in record.get("notes") or ():
            noted.setdefault(note, []).append(record["hash"])
    for note, hashes in noted.items():
        say(f"note: {note} ({hashes[0] if len(hashes) == 1 else f'{len(hashes)} trials'})")
    return read


def make_batches(
    plans: Sequence[Plan],
    waiting: Mapping[str, TrialSpec],
    job: Callable[[str, str], Job],
    costs: Costs,
    jobs: int,
    deadline: float | None = None,
) -> list[Batch]:
    """The trials that wait, scene by scene.

    Where several run at a time those that share the costliest fits come first: left to the end,
    they would keep one process busy while the others have nothing left to do. The rest stays draw
    by draw, and shares what a draw has.

    Parameters
    ----------
    job : callable
        That of a task and a scene.
    """
    left, batches = dict(waiting), []
    whole = {name for plan in plans for (_, name), card in plan.cards.items() if card.reads_patches}
    for (task, ref), scene in {
        (plan.task.name, plan.scene_ref): plan.scene for plan in plans
    }.items():
        here = trials_of(plan for plan in plans if (plan.task.name, plan.scene_ref) == (task, ref))
        mine = in_order((trial for trial in here if left.pop(trial.hash, None)), whole)
        seconds = Forecast({trial.hash: trial for trial in mine}, costs).each
        if jobs > 1:
            # Without what is prepared once: beside a group that waits for that, no other would
            # count as costly.
            parts = {key: found for trial in mine for key, (found, _) in costs.parts(trial).items()}
            of_fit: dict[str, float] = defaultdict(float, parts)
            for trial in mine:
                of_fit[trial.fit_hash] += parts[trial.hash]
            costly = max((of_fit[trial.fit_hash] for trial in mine), default=0.0) / 2
            mine.sort(key=lambda trial: min(0.0, costly - of_fit[trial.fit_hash]))
        if mine:
            commands = {trial.hash: command_for(trial, ref) for trial in mine}
            batches.append(Batch(scene, job(task, ref), mine, commands, seconds, deadline))
    return batches


def _record_nothing(plans: Sequence[Plan], waiting: dict[str, TrialSpec], store: Store) -> None:
    """Write the records of trials whose λ asks for no sample, and take them out of those that are
    to be run.
    """
    for plan in plans:
        bench = Workbench(plan.scene, plan.task)
        for trial in in_order(t for t in plan.trials if t.hash in plan.nothing):
            if waiting.pop(trial.hash, None):
                store.put(
                    empty(trial, bench, plan.scene_ref, command_for(trial, plan.scene_ref)), None
                )
