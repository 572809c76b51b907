"""Running what is missing of a plan, for commands and for :mod:`hsiaug.results` alike.

Heavy to import: a command does so once it knows that it has work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.bench.command import command_for
from hsiaug.bench.engine import Batch, Job
from hsiaug.bench.estimate import Known, expected_seconds, guesses, longest_first, timed
from hsiaug.bench.ledger import OnEvent
from hsiaug.bench.progress import Detail, watching
from hsiaug.bench.schedule import Part, in_order, merged, trials_of
from hsiaug.errors import StoreError
from hsiaug.tasks.task import get_task
from hsiaug.threads import cores
from hsiaug.trial.cache import Workbench, has_fit
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.record import damage_lines
from hsiaug.trial.run import empty
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Reading, Record, Store

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from hsiaug.bench.engine import Engine, Say

__all__ = ["batches_of", "held", "missing", "run_all", "trial_notes", "workers"]


def workers(asked: int | None, device: str, parts: Sequence[Part]) -> int:
    """Processes to run: as asked, else one per core, but one only where a GPU does the work."""
    used = {resolve_device(device, card) for part in parts for card in part.plan.cards.values()}
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


def missing(trials: Sequence[TrialSpec], kept: Reading, existing: str) -> list[TrialSpec]:
    """The trials to run. existing: only-missing, all or none, as on the command line."""
    if existing == "none":
        return []
    finished = kept.finished
    return [trial for trial in trials if existing == "all" or trial.hash not in finished]


def run_all(
    parts: Sequence[Part],
    todo: Sequence[TrialSpec],
    store: Store,
    kept: Reading,
    *,
    device: str,
    engine: AbstractContextManager[Engine],
    limit: float | None,
    console: Console,
    say: Say,
    detail: Detail = "usual",
) -> bool:
    """Run the trials, scene by scene; of those that make nothing only the record is written.

    kept: what the store holds of all trials. limit: seconds that one may take. console: for the progress; say: is told
    what is taken from the store and what is wrong there.
    Returns False where they run elsewhere, and have not ended yet.
    """
    waiting = {trial.hash: trial for trial in todo}
    if reused := sum(record["hash"] not in waiting for record in kept.records):
        say(f"{reused} of {len(trials_of(parts))} trials are taken from {store.root}")
    if not todo:
        return True
    store.check_writable()
    damaged = [one for one in kept.damaged if one.hash in waiting]
    for line in damage_lines(damaged, "its trial is run again"):
        say(line)
    _record_nothing(parts, waiting, store)
    if not waiting:
        return True
    known, plan = timed(store.read(known=kept).records), merged(parts)
    costs = expected_seconds(plan, list(waiting.values()), known)
    with engine as where:
        batches = batches_of(parts, waiting, store.root, device, limit, known, costs, where.jobs)
        ordered = {trial.hash: trial for batch in batches for trial in batch.trials}
        rough = guesses(plan, list(ordered.values()), known, _tested(parts))
        # What an earlier run has fitted is there.
        rough |= {hash: replace(rough[hash], fit=0.0) for hash, t in ordered.items() if has_fit(store.cache, t)}

        def watch(jobs: int) -> AbstractContextManager[OnEvent]:
            return watching(ordered, console, jobs=jobs, guesses=rough, store=store, detail=detail)

        return where.run(batches, watch)


def _tested(parts: Iterable[Part]) -> dict[str, int]:
    """Test samples of each trial's draw, by the trial's hash."""
    found: dict[str, int] = {}
    for part in parts:
        sizes = {split.seed: split.audit.n_test for split in part.plan.splits}
        found |= {trial.hash: sizes[trial.seed] for trial in part.plan.trials if trial.seed in sizes}
    return found


def batches_of(
    parts: Sequence[Part],
    waiting: Mapping[str, TrialSpec],
    store: Path,
    device: str,
    limit: float | None,
    known: Known,
    costs: Mapping[str, float],
    jobs: int,
) -> list[Batch]:
    """The trials that wait, scene by scene; where several run at a time the longest come first.

    known, costs: what :func:`timed` and :func:`expected_seconds` found.
    """
    left, plan, batches = dict(waiting), merged(parts), []
    for (task, ref), scene in {(part.task, part.scene_ref): part.scene for part in parts}.items():
        here = trials_of(part for part in parts if (part.task, part.scene_ref) == (task, ref))
        mine = in_order(trial for trial in here if left.pop(trial.hash, None))
        if jobs > 1:
            mine = longest_first(plan, mine, known)
        if mine:
            commands = {trial.hash: command_for(trial, ref) for trial in mine}
            batches.append(Batch(scene, Job(task, ref, store, device, limit), mine, commands, costs))
    return batches


def _record_nothing(parts: Sequence[Part], waiting: dict[str, TrialSpec], store: Store) -> None:
    """Write the records of trials whose λ asks for no sample, and take them out of those that are to be run."""
    for part in parts:
        bench = Workbench(part.scene, get_task(part.task))
        for trial in in_order(t for t in part.plan.trials if t.hash in part.plan.nothing):
            if waiting.pop(trial.hash, None):
                store.put(empty(trial, bench, part.scene_ref, command_for(trial, part.scene_ref)), None)


def trial_notes(records: Iterable[Record], hashes: Collection[str]) -> Iterator[str]:
    """What the trials of those hashes noted."""
    for record in records:
        if record["hash"] in hashes:
            yield from (f"note: {note} ({record['hash']})" for note in record.get("notes") or ())
