"""Conversion of a user's request to the list of trials, controls included."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from hsiaug.base.errors import InputError
from hsiaug.bench.plugin_choice import Chosen, Configured, choose_plugins, controls_for, unique
from hsiaug.bench.request import REAL, CompleteRequest, Request
from hsiaug.core.view_names import RAW, check_view
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import Registry
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.arm import BOTH, SYNTHETIC
from hsiaug.trial.spec import TrialSpec

MOST_TRIALS = 100_000
"""Maximum number of trials of one plan; a slip of a zero should not fill memory and days."""
MOST_FURTHER = 10
"""Seeds that are drawn to say how many give as many draws as were asked for."""
Splits = dict[tuple[SplitProtocol, int, int], TaskSplit]
"""Splits of one scene, by protocol, number of the draw, and patch."""


@dataclass(frozen=True)
class Plan:
    """The trials of one request on one scene.

    Attributes
    ----------
    trials : tuple of TrialSpec
        In the order in which they share most: by draw, generator, ω, λ, classifier.
    run : str
        Its name in a suite.
    scene_ref : str
        What to type for the scene.
    splits : mapping of str to TaskSplit
        Of each draw, by its hash, in the order of the draws.
    notes : tuple of str
        Sentences on what was added or collapsed.
    cards : mapping of (Kind, str) to Card
        By kind and name.
    samples : mapping of str to (int, int)
        Real samples of a trial's draw and the synthetic ones that its λ asks for, by the
        trial's hash.
    asked : frozenset of str
        Names of the generators that were asked for; the others are their controls.
    """

    run: str
    task: Task
    scene_ref: str
    scene: TaskData
    trials: tuple[TrialSpec, ...]
    splits: Mapping[str, TaskSplit]
    notes: tuple[str, ...]
    cards: Mapping[tuple[Kind, str], Card]
    samples: Mapping[str, tuple[int, int]]
    asked: frozenset[str] = frozenset()

    @cached_property
    def nothing(self) -> frozenset[str]:
        """Hashes of the trials that would add samples, but whose λ asks for none: they are not
        run.
        """
        return frozenset(t.hash for t in self.trials if t.rate and not self.samples[t.hash][1])

    @property
    def learning_classifiers(self) -> frozenset[str]:
        """Names of the classifiers that samples can change."""
        return frozenset(
            name
            for (kind, name), card in self.cards.items()
            if kind == "classifier" and card.learns_samples
        )

    def controls(self, generator: str) -> tuple[str, ...]:
        """Return the controls that a generator of the plan is measured against, without itself."""
        generators = [card for (kind, _), card in self.cards.items() if kind == "generator"]
        return controls_for(self.cards["generator", generator], generators, self.task)


class PlannedArm(NamedTuple):
    """A generator at one rate and ω, and what classifiers learn from beside it."""

    generator: Configured
    rate: Rate
    omega: float | None
    train: str


def build_plan(
    scene: TaskData,
    request: Request,
    plugins: Registry,
    *,
    scene_ref: str = "",
    run: str = "",
    drawn: Splits | None = None,
    tell: Callable[[], object] = lambda: None,
) -> Plan:
    """All trials of a request, draw by draw.

    Parameters
    ----------
    scene : TaskData
        The data as the request's task loads them.
    scene_ref : str
        What to type for them; none = their name.
    drawn : dict or None
        Splits of the scene that were drawn before; takes in the others.
    tell : callable
        Is called after each split.

    Raises
    ------
    InputError
        For unknown names, numbers out of range, and masks that the first draw's labels are too
        sparse for; SplitError and PluginError likewise.
    """
    task = request.kind
    asked = fill_in(request, scene)
    chosen = choose_plugins(asked, scene, plugins)
    columns = list_classifiers(asked, chosen, scene)
    arms, notes = list_arms(asked, chosen)
    check_number(len(asked.seeds), len(arms), len(columns))
    drawn = {} if drawn is None else drawn
    trials: list[TrialSpec] = []
    splits: dict[str, TaskSplit] = {}
    samples: dict[str, tuple[int, int]] = {}
    for seed in asked.seeds:
        split = draw_split(task, scene, asked.protocol, seed, asked.patch, drawn)
        tell()
        sizes: dict[Rate, tuple[int, int]] = {}
        of_draw = list_trials(asked, scene, seed, arms, columns)
        for trial in of_draw:
            rate = trial.generated_rate
            if rate not in sizes:
                sizes[rate] = task.sampling.sizes(split, rate)
            samples[trial.hash] = sizes[rate]
        trials += of_draw
        if of_draw:
            splits[of_draw[0].draw_hash] = split
    return Plan(
        run=run,
        task=task,
        scene_ref=scene_ref or scene.name,
        scene=scene,
        trials=tuple(trials),
        splits=splits,
        notes=(
            *chosen.notes,
            *notes,
            *_equal_draws(asked, scene, drawn),
            *_empty_rates(asked, trials, samples),
        ),
        cards={
            **{("generator", one.card.name): one.card for one in chosen.generators},
            **{("classifier", one.card.name): one.card for one in chosen.classifiers},
        },
        samples=samples,
        asked=frozenset(asked.generators),
    )


def draw_split(
    task: Task, data: TaskData, protocol: SplitProtocol, seed: int, patch: int, drawn: Splits
) -> TaskSplit:
    """The split of a draw, from ``drawn`` or for it."""
    key = protocol, seed, patch
    if key not in drawn:
        drawn[key] = task.draws.split(data, protocol, seed, patch)
    return drawn[key]


def fill_in(request: Request, data: TaskData) -> CompleteRequest:
    """The request with the usual values of its task on these data in place of what it leaves
    open.
    """
    usual = request.kind.settings.on(data)
    filled = {
        "protocol": request.protocol or parse_protocol(usual.protocol, request.buffer),
        "patch": usual.patch if request.patch is None else request.patch,
        "generators": request.generators or usual.generators,
        "classifiers": request.classifiers or usual.classifiers,
        "views": request.views or usual.views,
        "times": request.times or usual.times,
    }
    return CompleteRequest.model_construct(**{**dict(request), **filled})


def list_arms(request: CompleteRequest, chosen: Chosen) -> tuple[list[PlannedArm], list[str]]:
    """Every generator × ω × λ × M of a request, and sentences on what collapsed."""
    notes: list[str] = []
    arms = [
        PlannedArm(one, rate, omega, train)
        for one in chosen.generators
        for omega in _omegas(one.card, request, notes)
        for rate in _rates(one.card, request, notes)
        for train in _trained_on(one.card, request, rate)
    ]
    if REAL in request.train:
        notes.append("train real is the arm none")
    if SYNTHETIC in request.train:
        notes += [
            f"classifier {one.card.name} reads real labels in the scene: it has no arm of synthetic"
            " samples alone"
            for one in chosen.classifiers
            if one.card.learns_samples and one.card.reads_scene
        ]
    return arms, notes


def _omegas(card: Card, request: CompleteRequest, notes: list[str]) -> Sequence[float | None]:
    if card.guidance is not None:
        return unique(request.omegas) or (card.guidance,)
    if request.omegas and card.adds and not card.control_of:
        notes.append(f"generator {card.name} takes no guidance: `omegas` does not apply to it")
    return (None,)


def _rates(card: Card, request: CompleteRequest, notes: list[str]) -> list[Rate]:
    """The rates of a generator's arms; beside real samples one of 0 asks for none, which is what
    ``none`` is.
    """
    if not card.adds:
        return [Rate(0.0)]
    rates = [Rate(lam, m) for lam in unique(request.lambdas) for m in unique(request.times)]
    if BOTH in request.train and not all(rates) and not card.control_of:
        notes.append(f"generator {card.name} at λ = 0 adds nothing: see the row of none")
    return sorted(rates)


def _trained_on(card: Card, request: CompleteRequest, rate: Rate) -> Iterator[str]:
    """What classifiers learn from at a rate. A generator that is only a control of others has no
    arm of synthetic samples alone.
    """
    if not card.adds or (rate and BOTH in request.train):
        yield BOTH
    if card.adds and card.name in request.generators and SYNTHETIC in request.train:
        yield SYNTHETIC


def list_classifiers(
    request: CompleteRequest, chosen: Chosen, data: TaskData
) -> list[tuple[Configured, str]]:
    """Every classifier × spectral view of a request. Raises InputError for a view that there is
    not.
    """
    views = unique(request.views)
    for view in views:
        check_view(view, request.kind.views, data.bands)
    return [
        (one, view)
        for one in chosen.classifiers
        for view in ((RAW,) if one.card.reads_raw else views)
    ]


def check_number(draws: int, arms: int, columns: int) -> None:
    """Raise InputError for more trials than one plan may have."""
    if draws * arms * columns > MOST_TRIALS:
        raise InputError(
            f"a benchmark must be at most {MOST_TRIALS:,} trials",
            value=f"{draws:,} draws × {arms:,} arms of generators × {columns:,} classifiers",
            hint="Take fewer draws, or values of λ and ω that lie farther apart.",
        )


def list_trials(
    request: CompleteRequest,
    data: TaskData,
    seed: int,
    arms: Sequence[PlannedArm],
    columns: Sequence[tuple[Configured, str]],
) -> list[TrialSpec]:
    """Every arm × classifier of a draw, but for samples that a classifier does not learn from."""
    return [
        TrialSpec(
            task=request.task,
            scene=data.name,
            scene_sha256=data.sha256,
            protocol=request.protocol,
            patch=request.patch,
            seed=seed,
            generator=arm.generator.spec,
            classifier=classifier.spec,
            rate=arm.rate,
            omega=arm.omega,
            draws=data.drawn_as,
            view=view,
            train=arm.train,
        )
        for arm in arms
        for classifier, view in columns
        if classifier.card.learns_samples or not arm.generator.card.adds
        if arm.train == BOTH or classifier.card.learns_synthetic_alone
    ]


def _equal_draws(request: CompleteRequest, data: TaskData, drawn: Splits) -> Iterator[str]:
    """A sentence on seeds that drew the same pixels, which count as one draw, and how many seeds
    give as many draws as were asked for.

    Parameters
    ----------
    drawn : dict
        Splits of the seeds; takes in those of further seeds.
    """

    def pixels(seed: int) -> str:
        split = draw_split(request.kind, data, request.protocol, seed, request.patch, drawn)
        return split.audit.sha256

    seeds = request.seeds
    seeds_of: dict[str, list[int]] = {}
    for seed in seeds:
        seeds_of.setdefault(pixels(seed), []).append(seed)
    if len(seeds_of) == len(seeds):
        return
    equal = "; ".join(
        f"{' and '.join(map(str, same))} drew the same pixels"
        for same in seeds_of.values()
        if len(same) > 1
    )
    draws = "1 draw" if len(seeds_of) == 1 else f"{len(seeds_of)} draws"
    sentence = f"seeds {equal}, so that {len(seeds)} seeds are {draws}"
    if seeds == tuple(range(len(seeds))):
        different = set(seeds_of)
        for seed in range(len(seeds), len(seeds) + MOST_FURTHER):
            different.add(pixels(seed))
            if len(different) == len(seeds):
                yield f"{sentence}: `draws={seed + 1}` has {len(seeds)}"
                return
    yield sentence


def _empty_rates(
    request: CompleteRequest,
    trials: Sequence[TrialSpec],
    samples: Mapping[str, tuple[int, int]],
) -> Iterator[str]:
    """Sentences on rates that make no synthetic sample in some draws."""
    empty: dict[Rate, set[int]] = {}
    for trial in trials:
        if trial.rate and trial.train == BOTH and not samples[trial.hash][1]:
            empty.setdefault(trial.rate, set()).add(trial.seed)
    for rate in sorted(empty):
        draws = [seed for seed in request.seeds if seed in empty[rate]]
        where = f" in draws {', '.join(map(str, draws))}" if len(draws) < len(request.seeds) else ""
        yield (
            f"{rate.in_prose} makes no synthetic sample{where}, and its arms are not run there:"
            " try a larger λ"
        )
