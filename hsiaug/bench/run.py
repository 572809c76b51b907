"""Run what is missing of plans: the one place that does, for every command and for
:mod:`hsiaug.results`.

Heavy to import: a command does so once it knows that it has work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsiaug.base.errors import StoreError
from hsiaug.base.threads import cores
from hsiaug.bench.engine import Engine, Say, WorkerSettings
from hsiaug.bench.engines import ClusterSettings, open_engine
from hsiaug.bench.groups import Costs, divide_work
from hsiaug.bench.loops import run_groups
from hsiaug.bench.plan import Plan
from hsiaug.bench.plans_of_runs import join_plans
from hsiaug.bench.progress import Progress, cost_line, watch_trials
from hsiaug.bench.sample_memory import check_memory
from hsiaug.registry.plugin_code import forget
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.outcome import empty_records
from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import is_finished
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Reading, Store

if TYPE_CHECKING:
    from rich.console import Console


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


# A run


def workers(asked: int | None, device: str, plan: Plan) -> int:
    """Processes to run: as asked, else one per core, but one only where a GPU does the work."""
    used = {resolve_device(device, card) for card in plan.cards.values()}
    if asked is not None:
        return asked
    return 1 if used != {"cpu"} else cores()


def find_work(
    plans: Sequence[Plan], root: Path, existing: Existing, say: Say
) -> tuple[Plan, Missing]:
    """The first steps of a run, which a plan that is only printed takes too: the plans as one, and
    what the store lacks of it. Its notes are said.

    Raises
    ------
    InputError
        Where the samples of a trial do not fit into memory.
    """
    whole = join_plans(plans)
    missing = find_missing(whole, root, existing)
    check_memory(plans, missing.todo)
    for note in whole.notes:
        say(f"note: {note}")
    return whole, missing


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
    deadline: float | None = None,
    console: Console,
    say: Say,
    warn: Say,
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
    deadline : float or None
        The time (as ``time.time()``) after which no trial should end.
    console : Console
        For the progress.
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
    whole, missing = find_work(plans, root, existing, say)
    # Before there is a store: the engine may not be there.
    opened = (
        open_engine(settings or ClusterSettings(), workers(jobs, device, whole), warn)
        if missing.todo and not engine
        else nullcontext(engine)
    )
    progress: Progress | None = None
    try:
        with opened as engine:
            store = Store(root, create=existing != "none")
            store.sweep()
            for line in older_lines(whole, missing, existing):
                say(line)
            if missing.reused:
                say(f"{missing.reused} of {len(whole.trials)} trials are taken from {root}")
            if missing.todo or missing.empty:
                store.check_writable()
                for damage in missing.damaged:
                    say(f"{damage.words}; its trial is run again")
                _write_empty(plans, missing.empty, store)
            if missing.todo and engine:
                batches = divide_work(
                    plans,
                    missing.todo,
                    root,
                    WorkerSettings(device, limit),
                    Costs(whole, store.cache),
                    engine.jobs,
                    deadline,
                )
                expected = {hash: s for one in batches for hash, s in one.expected.items()}
                say(cost_line(expected.values(), engine.jobs))
                if not engine.waits:
                    run_groups(engine, batches, lambda event: None)
                    return None
                progress = Progress(plans, expected, store, engine.jobs)
                with watch_trials(progress, console, root) as on_event:
                    run_groups(engine, batches, on_event)
    except KeyboardInterrupt:
        # The processes of the run have ended, and nothing is drawn any more.
        if progress:
            progress.count_written()
            say(progress.line(0))
        raise
    left_out = missing.older if existing == "none" else ()
    read = store.read(trial.hash for trial in whole.trials if trial.hash not in left_out)
    _say_notes(read, {trial.hash for trial in missing.todo}, say)
    return read


def older_lines(plan: Plan, missing: Missing, existing: Existing) -> Iterator[str]:
    """A line for each plugin whose code has changed since some records were made.

    Parameters
    ----------
    plan : Plan
        Of all trials.
    missing : Missing
        What the store lacks of it.
    existing : {"only-missing", "all", "none"}
        Which are run.
    """
    older = [trial for trial in plan.trials if trial.hash in missing.older]
    number = Counter(
        f"{kind} {getattr(trial, kind).name if kind != 'protocol' else trial.protocol.text}"
        for trial in older
        for kind, code in trial.code.items()
        if code["sha256"] is not None
    )
    then = "left out" if existing == "none" else "run again"
    for plugin, n in number.items():
        yield f"{n} {'trial' if n == 1 else 'trials'} made with other code of {plugin}: {then}"


def _write_empty(plans: Sequence[Plan], trials: Sequence[TrialSpec], store: Store) -> None:
    """Write the records of trials whose λ asks for no sample: there is nothing to run."""
    waiting = {trial.hash for trial in trials}
    for plan in plans:
        of_draws: dict[str, list[TrialSpec]] = {}
        for trial in plan.trials:
            if trial.hash in waiting:
                waiting.remove(trial.hash)
                of_draws.setdefault(trial.draw_hash, []).append(trial)
        for draw, same in of_draws.items():
            split = plan.splits[draw]
            for record in empty_records(same, plan.task, plan.scene, split, plan.scene_ref):
                store.put(record, None)


def _say_notes(read: Reading, begun: Collection[str], say: Say) -> None:
    """Say each note of the trials that were run, with how many have it. begun: their hashes."""
    noted: dict[str, list[str]] = {}
    for record in read.records:
        if record["hash"] in begun:
            for note in record.get("notes") or ():
                noted.setdefault(note, []).append(record["hash"])
    for note, hashes in noted.items():
        whose = hashes[0] if len(hashes) == 1 else f"{len(hashes)} trials"
        say(f"note: {note} ({whose})")
