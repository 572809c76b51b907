"""The work of a run: its trials scene by scene, those of a first answer before the others, and else
in the order in which they share most.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hsiaug.bench.command import command_for
from hsiaug.bench.costs import Costs, Forecast
from hsiaug.bench.engine import Batch, Job, Say
from hsiaug.bench.missing import Missing
from hsiaug.bench.plan import Plan
from hsiaug.bench.plans_of_runs import in_order, trials_of
from hsiaug.bench.urgency import Urgency, urgency_of
from hsiaug.trial.record import damage_lines
from hsiaug.trial.run import empty
from hsiaug.trial.scene_context import SceneContext
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store


@dataclass(frozen=True)
class Work:
    """What an engine is to run.

    Attributes
    ----------
    batches : list of Batch
        The trials, scene by scene.
    forecast : Forecast
        Follows them, and says how long the rest takes.
    """

    batches: list[Batch]
    forecast: Forecast

    @property
    def trials(self) -> dict[str, TrialSpec]:
        """All trials by hash, in their order."""
        return {trial.hash: trial for batch in self.batches for trial in batch.trials}


def prepare_work(
    plans: Sequence[Plan],
    missing: Missing,
    store: Store,
    job: Callable[[str, str], Job],
    jobs: int,
    say: Say,
    deadline: float | None = None,
) -> Work:
    """Divide the missing trials into batches, and record those whose λ asks for no sample.

    Parameters
    ----------
    plans : sequence of Plan
        Whose trials are run.
    missing : Missing
        Those that the store lacks.
    store : Store
        Takes the records.
    job : callable
        Gives the job of a task and a scene.
    jobs : int
        Trials that run at the same time.
    say : callable
        Is told what is taken from the store, and what is damaged there.
    deadline : float, optional
        The time (as ``time.time()``) after which no trial should end.

    Returns
    -------
    Work
        Without a batch where nothing is left to run.

    Raises
    ------
    StoreError
        Where the store cannot be written.
    """
    waiting = {trial.hash: trial for trial in missing.todo}
    reused = sum(record["hash"] not in waiting for record in missing.held.records)
    if reused:
        say(f"{reused} of {len(missing.trials)} trials are taken from {store.root}")
    if not waiting:
        return Work([], Forecast({}, Costs()))
    store.check_writable()
    damaged = [damage for damage in missing.held.damaged if damage.hash in waiting]
    for line in damage_lines(damaged, "its trial is run again"):
        say(line)
    _record_empty(plans, waiting, store)
    if not waiting:
        return Work([], Forecast({}, Costs()))
    costs = Costs.of(plans, store.each(), store.cache)
    return divide_trials(plans, waiting, job, costs, jobs, deadline)


def _record_empty(plans: Sequence[Plan], waiting: dict[str, TrialSpec], store: Store) -> None:
    """Write the records of trials whose λ asks for no sample, and take them out of those that
    wait.
    """
    for plan in plans:
        context = SceneContext(plan.scene, plan.task)
        for trial in in_order(trial for trial in plan.trials if trial.hash in plan.nothing):
            if waiting.pop(trial.hash, None):
                command = command_for(trial, plan.scene_ref)
                store.put(empty(trial, context, plan.scene_ref, command), None)


def divide_trials(
    plans: Sequence[Plan],
    waiting: Mapping[str, TrialSpec],
    job: Callable[[str, str], Job],
    costs: Costs,
    jobs: int,
    deadline: float | None = None,
) -> Work:
    """The trials that wait, scene by scene.

    Parameters
    ----------
    plans : sequence of Plan
        Whose trials wait.
    waiting : mapping of str to TrialSpec
        The trials to run, by hash.
    job : callable
        Gives the job of a task and a scene.
    costs : Costs
        What is known of their seconds.
    jobs : int
        Trials that run at the same time.
    deadline : float, optional
        The time (as ``time.time()``) after which no trial should end.

    Returns
    -------
    Work
        No batch of it is without a trial.
    """
    left = dict(waiting)
    ordered_by_scene: dict[tuple[str, str], list[TrialSpec]] = {}
    # Trials of classifiers that read whole patches come first: what they draw serves the others.
    whole = {name for plan in plans for (_, name), card in plan.cards.items() if card.reads_patches}
    scenes = {(plan.task.name, plan.scene_ref): plan.scene for plan in plans}
    # Of what has to end in time, whole groups count, in the order of the plan.
    urgency_by_hash = {} if deadline is not None else urgency_of(plans, [*waiting.values()], costs)
    for task, ref in scenes:
        planned = trials_of(
            plan for plan in plans if (plan.task.name, plan.scene_ref) == (task, ref)
        )
        trials = in_order((trial for trial in planned if left.pop(trial.hash, None)), whole)
        if trials:
            ordered_by_scene[task, ref] = [
                trial
                for urgency in Urgency
                for trial in _side_by_side(
                    [t for t in trials if urgency_by_hash.get(t.hash, Urgency.LATER) == urgency],
                    costs,
                    jobs,
                    in_waves=deadline is None,
                )
            ]
    forecast = Forecast(
        {trial.hash: trial for ordered in ordered_by_scene.values() for trial in ordered},
        costs,
        jobs=jobs,
    )
    batches = [
        Batch(
            scene=scenes[task, ref],
            job=job(task, ref),
            trials=ordered,
            commands={trial.hash: command_for(trial, ref) for trial in ordered},
            expected={trial.hash: forecast.each[trial.hash] for trial in ordered},
            deadline=deadline,
            urgency={
                trial.hash: urgency_by_hash[trial.hash]
                for trial in ordered
                if trial.hash in urgency_by_hash
            },
        )
        for (task, ref), ordered in ordered_by_scene.items()
    ]
    return Work(batches, forecast)


def _side_by_side(
    trials: Sequence[TrialSpec], costs: Costs, jobs: int, *, in_waves: bool
) -> list[TrialSpec]:
    """Trials of one urgency, as several processes begin them. With a deadline, what takes longest
    is begun before all others, and not in waves.
    """
    if jobs == 1:
        return list(trials)
    waves = _waves(trials, jobs) if in_waves else [trials]
    return [trial for wave in waves for trial in _costly_first(wave, costs)]


def _waves(trials: Sequence[TrialSpec], jobs: int) -> list[list[TrialSpec]]:
    """Trials in parts of as many draws as there are processes, so that draws end one after the
    other; the first part may have fewer, and all processes are busy to the end.
    """
    by_draw: dict[str, list[TrialSpec]] = {}
    for trial in trials:
        by_draw.setdefault(trial.draw_hash, []).append(trial)
    draws = [*by_draw.values()]
    ends = range(len(draws) % jobs or jobs, len(draws) + 1, jobs)
    starts = [0, *ends]
    return [
        [trial for draw in draws[start:end] for trial in draw]
        for start, end in zip(starts, ends, strict=False)
    ]


def _costly_first(trials: Sequence[TrialSpec], costs: Costs) -> list[TrialSpec]:
    """Those that share the costliest fits, then the rest, which stays draw by draw.

    Left to the end, they would keep one process busy while the others have nothing left to do.
    """
    if not trials:
        return []
    # Without what is prepared once: beside a group that waits for that, no other would count as
    # costly.
    parts: dict[str, float] = {}
    for trial in trials:
        parts |= {key: seconds for key, (seconds, _) in costs.parts(trial).items()}
    of_fit: dict[str, float] = defaultdict(float, parts)
    for trial in trials:
        of_fit[trial.fit_hash] += parts[trial.hash]
    costly = max(of_fit[trial.fit_hash] for trial in trials) / 2
    return sorted(trials, key=lambda trial: min(0.0, costly - of_fit[trial.fit_hash]))
