"""The work of a run: groups of trials that share a generator's fit, in the order in which they are
begun.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from hsiaug.bench.engine import Batch, Group, WorkerSettings
from hsiaug.bench.plan import Plan
from hsiaug.registry.card import Card
from hsiaug.tasks.task import USUAL
from hsiaug.tasks.types import TaskSplit
from hsiaug.trial.saved_fits import has_fit
from hsiaug.trial.spec import TrialSpec

USUAL_REAL = 518
"""Training pixels of Indian Pines under ``issd``, to which the seconds of cards refer."""
LEARN_POWER = 0.4
"""Power of the training set that times grow with."""
SHORT = 0.05
"""Seconds below which times do not differ."""


class Costs:
    """Expected seconds of the trials of a plan.

    Parameters
    ----------
    plan : Plan
        With the cards of its plugins.
    cache : Path or None
        Cache of the store; a generator that is saved there takes no time.
    """

    def __init__(self, plan: Plan, cache: Path | None = None) -> None:
        self._cards = {card.name: card for card in plan.cards.values()}
        self._samples = plan.samples
        self._cache = cache

    def of_fit(self, trial: TrialSpec) -> float:
        """Expected seconds of the fit that a trial needs; none of one that is saved."""
        real, synthetic = self._samples[trial.hash]
        if not synthetic or (self._cache and has_fit(self._cache, trial)):
            return 0.0
        return _seconds(self._cards[trial.generator.name], trial.task, real)

    def beyond_fit(self, trials: Iterable[TrialSpec]) -> float:
        """Expected seconds of trials without what they share."""
        return sum(
            _seconds(self._cards[trial.classifier.name], trial.task, sum(self._samples[trial.hash]))
            for trial in trials
        )

    def of_preparation(self, trial: TrialSpec) -> float:
        """Expected seconds of what its generator learns once for the scene."""
        card = self._cards[trial.generator.name]
        prepares = card.prepares and self._samples[trial.hash][1]
        return card.prepare_seconds if prepares else 0.0

    def each(self, trials: Iterable[TrialSpec]) -> dict[str, float]:
        """Expected seconds of every trial, by hash; the first of those that share something makes
        it.

        Parameters
        ----------
        trials : iterable of TrialSpec
            In the order in which they run.
        """
        made: set[object] = set()
        seconds = {}
        for trial in trials:
            shared = {
                trial.fit_hash: self.of_fit,
                (trial.generator.hash, trial.scene_sha256): self.of_preparation,
            }
            seconds[trial.hash] = self.beyond_fit([trial]) + sum(
                cost(trial) for key, cost in shared.items() if key not in made
            )
            made.update(shared)
        return seconds


def _seconds(card: Card, task: str, size: int) -> float:
    """Seconds of a plugin on so many samples."""
    seconds = float(card.seconds)
    # A network takes the same number of steps of any training set.
    if not card.uses_device and task == USUAL:
        seconds *= float((max(1, size) / USUAL_REAL) ** LEARN_POWER)
    return max(SHORT, seconds)


def write_duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


# Groups


FIRST_DRAWS = 2
"""Draws that run before all others: fewer give no idea of how far splits differ."""
WORTH_DIVIDING = 10.0
"""Seconds that each part of a divided group must take beyond its fit, which each part makes."""


def divide_work(
    plans: Sequence[Plan],
    todo: Iterable[TrialSpec],
    root: Path,
    settings: WorkerSettings,
    costs: Costs,
    jobs: int,
    deadline: float | None = None,
) -> list[Batch]:
    """The trials to run, scene by scene and in groups.

    Parameters
    ----------
    plans : sequence of Plan
        Whose trials they are.
    todo : iterable of TrialSpec
        The trials, each once.
    root : Path
        Of the store that takes their records.
    settings : WorkerSettings
        Of the run.
    costs : Costs
        What is known of their seconds.
    jobs : int
        Groups that run at the same time.
    deadline : float, optional
        The time (as ``time.time()``) after which no trial should end.

    Returns
    -------
    list of Batch
        None of them is without a trial.
    """
    waiting = {trial.hash for trial in todo}
    whole = {name for plan in plans for (_, name), card in plan.cards.items() if card.reads_patches}
    preparing = {name for plan in plans for (_, name), card in plan.cards.items() if card.prepares}
    # Which split of its plan each one is. Of what has to end in time, what takes longest is begun
    # before all others.
    ranks: dict[str, int] = {}
    of_scenes: dict[tuple[str, str], tuple[Plan, list[TrialSpec]]] = {}
    splits: dict[str, TaskSplit] = {}
    for plan in plans:
        _, trials = of_scenes.setdefault((plan.task.name, plan.scene_ref), (plan, []))
        for trial in plan.trials:
            if trial.hash in waiting:
                waiting.remove(trial.hash)
                trials.append(trial)
        for rank, draw in enumerate(plan.splits if deadline is None else ()):
            ranks[draw] = min(rank, ranks.get(draw, rank))
        splits.update(plan.splits)
    work: list[tuple[Plan, list[Group]]] = []
    for plan, trials in of_scenes.values():
        if trials:
            groups = _divided(group_trials(trials, whole), costs, jobs)
            work.append((plan, _in_order(groups, ranks, preparing, costs, jobs)))
    expected = costs.each(trial for _, groups in work for group in groups for trial in group)
    return [
        Batch(
            task=plan.task,
            scene=plan.scene,
            scene_ref=plan.scene_ref,
            store=root,
            settings=settings,
            groups=groups,
            split=lambda trial: splits[trial.draw_hash],
            expected={t.hash: expected[t.hash] for group in groups for t in group},
            deadline=deadline,
        )
        for plan, groups in work
    ]


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
        # One process may run the trials of a part one after the other.
        part: list[TrialSpec] = []
        for trial in ordered:
            if part and not part[-1].third_party_parts <= trial.third_party_parts:
                groups.append(tuple(part))
                part = []
            part.append(trial)
        groups.append(tuple(part))
    return groups


def _divided(groups: Sequence[Group], costs: Costs, jobs: int) -> list[Group]:
    """The groups; where there are fewer of them than processes, the longest are halved. Both halves
    make the fit, at the same time.
    """
    parts = list(groups)
    while len(parts) < jobs:
        seconds = [costs.beyond_fit(group) for group in parts]
        longest = seconds.index(max(seconds))
        group = parts[longest]
        if seconds[longest] < 2 * WORTH_DIVIDING or len(group) == 1:
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
    """Groups in the order in which they are begun: split after split.

    With several processes the first FIRST_DRAWS splits come together, then each further split. Of
    what comes together, the costliest are begun first: left to the end, they would keep one process
    busy while the others have nothing left to do. Of a generator that prepares, all groups but the
    first wait for that one, and come last among these.
    """
    draws = [group[0].draw_hash for group in groups]
    places = {draw: i for i, draw in enumerate(dict.fromkeys(draws))}
    if jobs == 1:
        return sorted(groups, key=lambda g: (ranks.get(g[0].draw_hash, 0), places[g[0].draw_hash]))
    # Without what is prepared once: beside a group that waits for that, no other would count as
    # costly.
    seconds = [costs.of_fit(group[0]) + costs.beyond_fit(group) for group in groups]
    costly = max(seconds) / 2
    keyed: list[tuple[int, float, int, Group]] = []
    for group, draw, its_seconds in zip(groups, draws, seconds, strict=True):
        wave = max(0, ranks.get(draw, 0) - FIRST_DRAWS + 1)
        keyed.append((wave, min(0.0, costly - its_seconds), places[draw], group))
    keyed.sort(key=lambda entry: entry[:3])
    prepared: set[str] = set()
    waves: list[tuple[int, bool, Group]] = []
    for wave, _, _, group in keyed:
        generator = group[0].generator
        waves.append((wave, generator.hash in prepared, group))
        if generator.name in preparing:
            prepared.add(generator.hash)
    return [group for *_, group in sorted(waves, key=lambda entry: entry[:2])]
