"""The work of a run: groups of trials that share a generator's fit, in the order in which they are
begun.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hsiaug.bench.command import command_for
from hsiaug.bench.costs import Costs, Forecast, timed_records
from hsiaug.bench.engine import Batch, Group, Job, Say
from hsiaug.bench.missing import Missing
from hsiaug.bench.plan import Plan
from hsiaug.bench.plans_of_runs import splits_of
from hsiaug.trial.outcome import empty
from hsiaug.trial.record import damage_lines
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from hsiaug.trial.trial_run import SceneContext

FIRST_DRAWS = 2
"""Draws that run before all others: fewer give no idea of how far draws differ."""
WORTH_DIVIDING = 10.0
"""Seconds that each part of a divided group must take beyond its fit, which each part makes."""


def prepare_work(
    plans: Sequence[Plan],
    missing: Missing,
    store: Store,
    job: Callable[[str, str], Job],
    jobs: int,
    say: Say,
    deadline: float | None,
) -> tuple[list[Batch], Forecast]:
    """Divide the missing trials into groups, and record those whose λ asks for no sample.

    Parameters
    ----------
    plans : sequence of Plan
        Whose trials are run.
    missing : Missing
        Those that the store lacks.
    store : Store
        Takes the records.
    job : callable
        Gives the job of a task and of a scene with a checksum.
    jobs : int
        Groups that run at the same time.
    say : callable
        Is told what is taken from the store, and what is damaged there.
    deadline : float or None
        The time (as ``time.time()``) after which no trial should end.

    Returns
    -------
    batches : list of Batch
        The groups, scene by scene; empty where nothing is left to run.
    forecast : Forecast
        Follows them, and says how long the rest takes.

    Raises
    ------
    StoreError
        Where the store cannot be written.
    """
    waiting = {trial.hash: trial for trial in missing.todo}
    if missing.reused:
        say(f"{missing.reused} of {len(missing.trials)} trials are taken from {store.root}")
    if not waiting:
        return [], Forecast({}, Costs())
    store.check_writable()
    damaged = [damage for damage in missing.damaged if damage.hash in waiting]
    for line in damage_lines(damaged, "its trial is run again"):
        say(line)
    _record_empty(plans, waiting, store)
    if not waiting:
        return [], Forecast({}, Costs())
    costs = Costs.of(plans, timed_records(missing.records), store.cache)
    return divide_work(plans, waiting, store.root, job, costs, jobs, deadline)


def _record_empty(plans: Sequence[Plan], waiting: dict[str, TrialSpec], store: Store) -> None:
    """Write the records of trials whose λ asks for no sample, and take them out of those that
    wait.
    """
    for plan in plans:
        context = SceneContext(plan.scene, plan.task)
        for trial in (trial for trial in plan.trials if trial.hash in plan.nothing):
            if waiting.pop(trial.hash, None):
                context.split = plan.splits[trial.draw_hash]
                command = command_for(trial, plan.scene_ref)
                store.put(empty(trial, context, plan.scene_ref, command), None)


def divide_work(
    plans: Sequence[Plan],
    waiting: Mapping[str, TrialSpec],
    root: Path,
    job: Callable[[str, str], Job],
    costs: Costs,
    jobs: int,
    deadline: float | None = None,
) -> tuple[list[Batch], Forecast]:
    """The trials that wait, scene by scene and in groups.

    Parameters
    ----------
    plans : sequence of Plan
        Whose trials wait.
    waiting : mapping of str to TrialSpec
        The trials to run, by hash.
    root : Path
        Of the store that takes their records.
    job : callable
        Gives the job of a task and of a scene with a checksum.
    costs : Costs
        What is known of their seconds.
    jobs : int
        Groups that run at the same time.
    deadline : float, optional
        The time (as ``time.time()``) after which no trial should end.

    Returns
    -------
    batches : list of Batch
        None of them is without a trial.
    forecast : Forecast
        Follows them, and says how long the rest takes.
    """
    left = dict(waiting)
    whole = {name for plan in plans for (_, name), card in plan.cards.items() if card.reads_patches}
    preparing = {name for plan in plans for (_, name), card in plan.cards.items() if card.prepares}
    scenes = {(plan.task.name, plan.scene_ref): plan.scene for plan in plans}
    groups_of_scenes: dict[tuple[str, str], list[Group]] = {}
    for task, ref in scenes:
        of_scene = [plan for plan in plans if (plan.task.name, plan.scene_ref) == (task, ref)]
        planned = {trial.hash: trial for plan in of_scene for trial in plan.trials}
        groups = group_trials((t for t in planned.values() if left.pop(t.hash, None)), whole)
        if groups:
            # Of what has to end in time, what takes longest is begun before all others.
            ranks = {} if deadline is not None else _ranks_of_draws(of_scene)
            parts = _divided(groups, costs, jobs)
            groups_of_scenes[task, ref] = _in_order(parts, ranks, preparing, costs, jobs)
    every = [t for groups in groups_of_scenes.values() for group in groups for t in group]
    forecast = Forecast({trial.hash: trial for trial in every}, costs, jobs=jobs)
    splits = splits_of(plans)
    batches = [
        Batch(
            scene=scenes[task, ref],
            scene_ref=ref,
            store=root,
            job=job(task, scenes[task, ref].sha256),
            groups=groups,
            split=lambda trial: splits[trial.draw_hash],
            expected=forecast.each,
            deadline=deadline,
        )
        for (task, ref), groups in groups_of_scenes.items()
    ]
    return batches, forecast


def group_trials(trials: Iterable[TrialSpec], whole: Collection[str] = ()) -> list[Group]:
    """Trials that share a generator's fit, in the order of the plan.

    In a group, those with third-party plugins are last, and start one of their own where the
    process of the others would show them what they must not see; then those of one ω follow each
    other, and of these those of one λ.

    Parameters
    ----------
    trials : iterable of TrialSpec
        Of one scene.
    whole : collection of str
        Classifiers that read whole patches, whose trials come before the others: what is drawn for
        them serves the others.
    """
    by_fit: dict[tuple[str, str], list[TrialSpec]] = {}
    for trial in trials:
        # What only sampling reads is in the second.
        by_fit.setdefault((trial.fit_hash, trial.generator.hash), []).append(trial)
    groups: list[Group] = []
    for same in by_fit.values():
        omegas = {omega: i for i, omega in enumerate(dict.fromkeys(t.omega for t in same))}
        rates = {
            rate: i for i, rate in enumerate(dict.fromkeys(trial.generated_rate for trial in same))
        }
        ordered = sorted(
            same,
            key=lambda t: (
                len(t.third_party_parts),
                omegas[t.omega],
                t.classifier.name not in whole,
                rates[t.generated_rate],
            ),
        )
        groups += _for_one_process(ordered)
    return groups


def _for_one_process(trials: Sequence[TrialSpec]) -> Iterator[Group]:
    """Trials in parts, in each of which a process may run one after the other."""
    part: list[TrialSpec] = []
    for trial in trials:
        if part and not part[-1].third_party_parts <= trial.third_party_parts:
            yield tuple(part)
            part = []
        part.append(trial)
    yield tuple(part)


def _ranks_of_draws(plans: Iterable[Plan]) -> dict[str, int]:
    """Which draw of its plan each draw is, by its hash."""
    ranks: dict[str, int] = {}
    for plan in plans:
        seeds = {seed: i for i, seed in enumerate(dict.fromkeys(t.seed for t in plan.trials))}
        for trial in plan.trials:
            rank = seeds[trial.seed]
            ranks[trial.draw_hash] = min(rank, ranks.get(trial.draw_hash, rank))
    return ranks


def _divided(groups: Sequence[Group], costs: Costs, jobs: int) -> list[Group]:
    """Groups, and where there are fewer than processes, halves of the longest: each makes the fit,
    which takes no longer side by side.
    """
    parts = list(groups)
    while len(parts) < jobs:
        longest = max(range(len(parts)), key=lambda i: _seconds_beyond_fit(parts[i], costs))
        group = parts[longest]
        if _seconds_beyond_fit(group, costs) < 2 * WORTH_DIVIDING or len(group) == 1:
            break
        middle = len(group) // 2
        parts[longest : longest + 1] = [group[:middle], group[middle:]]
    return parts


def _in_order(
    groups: Sequence[Group],
    ranks: Mapping[str, int],
    preparing: Collection[str],
    costs: Costs,
    jobs: int,
) -> list[Group]:
    """Groups in the order in which they are begun: the first draws, then draw after draw.

    Of what several processes begin together, the costliest come first: left to the end, they would
    keep one process busy while the others have nothing left to do. Of a generator that prepares,
    all groups but one wait, and come last.
    """
    plan = {draw: i for i, draw in enumerate(dict.fromkeys(group[0].draw_hash for group in groups))}
    if jobs == 1:
        return sorted(groups, key=lambda g: (ranks.get(g[0].draw_hash, 0), plan[g[0].draw_hash]))
    seconds = {id(group): _seconds(group, costs) for group in groups}
    costly = max(seconds.values()) / 2

    def key(group: Group) -> tuple[int, float, int]:
        draw = group[0].draw_hash
        wave = max(0, ranks.get(draw, 0) - FIRST_DRAWS + 1)
        return wave, min(0.0, costly - seconds[id(group)]), plan[draw]

    ordered = sorted(groups, key=key)
    waits: dict[int, bool] = {}
    prepared: set[str] = set()
    for group in ordered:
        generator = group[0].generator
        waits[id(group)] = generator.hash in prepared
        prepared |= {generator.hash} if generator.name in preparing else set()
    return sorted(ordered, key=lambda group: (key(group)[0], waits[id(group)]))


def _seconds(group: Group, costs: Costs) -> float:
    """Expected seconds of a group, without what is prepared once: beside a group that waits for
    that, no other would count as costly.
    """
    fit = costs.parts(group[0]).get(group[0].fit_hash, (0.0, False))[0]
    return fit + _seconds_beyond_fit(group, costs)


def _seconds_beyond_fit(group: Group, costs: Costs) -> float:
    return sum(costs.parts(trial)[trial.hash][0] for trial in group)
