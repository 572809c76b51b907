"""Conversion of a user's request to the list of trials."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import NamedTuple

from hsiaug.base.errors import InputError
from hsiaug.bench.plugin_choice import Configured, choose_plugins
from hsiaug.bench.request import REAL, CompleteRequest, Request
from hsiaug.core.view_names import RAW, check_view
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import group_alike
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import Registry
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.arm import BOTH, SYNTHETIC, Control, controls_of
from hsiaug.trial.spec import TrialSpec

MOST_TRIALS = 100_000
"""Maximum number of trials of one plan; a slip of a zero should not fill memory and days."""
MOST_FURTHER = 10
"""Seeds that are drawn to say how many give as many splits as were asked for."""
Draw = Callable[[SplitProtocol, int, int], TaskSplit]
"""Gives the split of a scene by protocol, number of the split, and patch."""


@dataclass(frozen=True)
class Plan:
    """The trials of one request on one scene.

    Attributes
    ----------
    trials : tuple of TrialSpec
        In the order in which they share most: by split, generator, ω, λ, classifier.
    run : str
        Its name in a suite.
    scene_ref : str
        What to type for the scene.
    splits : mapping of str to TaskSplit
        Of each split, by its hash, in the order of the splits.
    notes : tuple of str
        Sentences on what was added or collapsed.
    cards : mapping of (Kind, str) to Card
        By kind and name.
    samples : mapping of str to (int, int)
        Real samples of a trial's split and the synthetic ones that its λ asks for, by the
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
        known = {
            name: Control(kind, card.control_of, str(card.control_text))
            for (kind, name), card in self.cards.items()
            if kind == "generator" and card.control_of
        }
        scope = self.cards["generator", generator].scope
        return tuple(name for name in controls_of(self.task, scope, known) if name != generator)


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
    draw: Draw | None = None,
    tell: Callable[[], object] = lambda: None,
) -> Plan:
    """All trials of a request, split by split.

    Parameters
    ----------
    scene : TaskData
        The data as the request's task loads them.
    scene_ref : str
        What to type for them; none = their name.
    draw : callable or None
        That of several plans of the scene, which share its splits (:func:`draw_once`).
    tell : callable
        Is called after each split.

    Raises
    ------
    InputError
        For unknown names, numbers out of range, and masks that the first split's labels are too
        sparse for; SplitError likewise.
    PluginError
        For a plugin that cannot be loaded.
    """
    task = request.kind
    asked = fill_in(request, scene)
    notes: list[str] = []
    generators, classifiers = choose_plugins(asked, scene, plugins, notes)
    columns = list_classifiers(asked, classifiers, scene)
    arms = list_arms(asked, generators, classifiers, notes)
    if len(asked.seeds) * len(arms) * len(columns) > MOST_TRIALS:
        raise InputError(
            f"a benchmark must be at most {MOST_TRIALS:,} trials",
            value=(
                f"{len(asked.seeds):,} splits × {len(arms):,} generators with λ, M and ω ×"
                f" {len(columns):,} classifiers"
            ),
            hint="Use fewer splits, or fewer values of λ, M and ω.",
        )
    draw = draw or draw_once(task, scene)
    trials: list[TrialSpec] = []
    splits: dict[str, TaskSplit] = {}
    samples: dict[str, tuple[int, int]] = {}
    for seed in asked.seeds:
        split = draw(asked.protocol, seed, asked.patch)
        tell()
        sizes: dict[Rate, tuple[int, int]] = {}
        first = len(trials)
        for generator, rate, omega, train in arms:
            for classifier, view in columns:
                card = classifier.card
                if generator.card.adds and not card.learns_samples:
                    continue
                if train == SYNTHETIC and not card.learns_synthetic_alone:
                    continue
                trial = TrialSpec(
                    task=asked.task,
                    scene=scene.name,
                    scene_sha256=scene.sha256,
                    protocol=asked.protocol,
                    patch=asked.patch,
                    seed=seed,
                    generator=generator.spec,
                    classifier=classifier.spec,
                    rate=rate,
                    omega=omega,
                    draws=scene.drawn_as,
                    view=view,
                    train=train,
                )
                generated = trial.generated_rate
                if generated not in sizes:
                    sizes[generated] = task.sampling.sizes(split, generated)
                samples[trial.hash] = sizes[generated]
                trials.append(trial)
        if trials[first:]:
            splits[trials[first].draw_hash] = split
    return Plan(
        run=run,
        task=task,
        scene_ref=scene_ref or scene.name,
        scene=scene,
        trials=tuple(trials),
        splits=splits,
        notes=(
            *notes,
            *_repeated_draws(asked.seeds, lambda seed: draw(asked.protocol, seed, asked.patch)),
            *_empty_rates(asked, trials, samples),
        ),
        cards={
            **{("generator", one.card.name): one.card for one in generators},
            **{("classifier", one.card.name): one.card for one in classifiers},
        },
        samples=samples,
        asked=frozenset(asked.generators),
    )


def draw_once(task: Task, data: TaskData) -> Draw:
    """What draws each split of the data when it is first asked for."""
    return cache(partial(task.draws.split, data))


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


def list_arms(
    request: CompleteRequest,
    generators: Sequence[Configured],
    classifiers: Sequence[Configured],
    notes: list[str],
) -> list[PlannedArm]:
    """Every generator × ω × λ × M of a request.

    Parameters
    ----------
    notes : list of str
        Takes sentences on what collapsed.
    """
    arms = [
        PlannedArm(one, rate, omega, train)
        for one in generators
        for omega in _omegas(one.card, request, notes)
        for rate in _rates(one.card, request, notes)
        for train in _trained_on(one.card, request, rate)
    ]
    if REAL in request.train:
        notes.append("train real is the generator none")
    if SYNTHETIC in request.train:
        notes += [
            f"classifier {one.card.name} reads real labels in the scene: it is not trained on"
            " synthetic samples alone"
            for one in classifiers
            if one.card.learns_samples and one.card.reads_scene
        ]
    return arms


def _omegas(card: Card, request: CompleteRequest, notes: list[str]) -> Sequence[float | None]:
    if card.guidance is not None:
        return tuple(dict.fromkeys(request.omegas)) or (card.guidance,)
    if request.omegas and card.adds and not card.control_of:
        notes.append(f"generator {card.name} takes no guidance: `omegas` does not apply to it")
    return (None,)


def _rates(card: Card, request: CompleteRequest, notes: list[str]) -> list[Rate]:
    """The rates of a generator's configurations; beside real samples one of 0 asks for none, which
    is what ``none`` is.
    """
    if not card.adds:
        return [Rate(0.0)]
    rates = {Rate(lam, m) for lam in request.lambdas for m in request.times}
    if BOTH in request.train and not all(rates) and not card.control_of:
        notes.append(f"generator {card.name} at λ = 0 adds nothing: see the row of none")
    return sorted(rates)


def _trained_on(card: Card, request: CompleteRequest, rate: Rate) -> Iterator[str]:
    """What classifiers learn from at a rate. A generator that is only a control of others has no
    configuration of synthetic samples alone.
    """
    if not card.adds or (rate and BOTH in request.train):
        yield BOTH
    if card.adds and card.name in request.generators and SYNTHETIC in request.train:
        yield SYNTHETIC


def list_classifiers(
    request: CompleteRequest, classifiers: Sequence[Configured], data: TaskData
) -> list[tuple[Configured, str]]:
    """Every classifier × spectral view of a request. Raises InputError for a view that there is
    not.
    """
    views = tuple(dict.fromkeys(request.views))
    for view in views:
        check_view(view, request.kind.views, data.bands)
    return [
        (one, view) for one in classifiers for view in ((RAW,) if one.card.reads_raw else views)
    ]


def _repeated_draws(seeds: Sequence[int], split_of: Callable[[int], TaskSplit]) -> Iterator[str]:
    """Sentences on seeds that drew the same pixels, which count as one split, and how many seeds
    give as many splits as were asked for; and on splits that differ, and hardly do.

    Parameters
    ----------
    split_of : callable
        The split of a seed, of further ones too.
    """
    seeds_of: dict[str, list[int]] = {}
    for seed in seeds:
        seeds_of.setdefault(split_of(seed).audit.sha256, []).append(seed)
    if len(seeds_of) < len(seeds):
        yield _equal_draws(seeds, seeds_of, lambda seed: split_of(seed).audit.sha256)
    unlike = [same[0] for same in seeds_of.values()]
    groups = group_alike([split_of(seed).sides for seed in unlike])
    if len(groups) < len(unlike):
        yield _alike_draws(unlike, groups)


def _equal_draws(
    seeds: Sequence[int], seeds_of: Mapping[str, list[int]], pixels: Callable[[int], str]
) -> str:
    """A sentence on seeds that drew the same pixels.

    Parameters
    ----------
    seeds_of : mapping of str to list of int
        The seeds of each split, by its checksum.
    pixels : callable
        The checksum of the split of a seed.
    """
    equal = "; ".join(
        f"{' and '.join(map(str, same))} have the same pixels"
        for same in seeds_of.values()
        if len(same) > 1
    )
    splits = "1 split" if len(seeds_of) == 1 else f"{len(seeds_of)} different splits"
    sentence = f"seeds {equal}, so {len(seeds)} seeds give {splits}"
    if seeds == tuple(range(len(seeds))):
        different = set(seeds_of)
        for seed in range(len(seeds), len(seeds) + MOST_FURTHER):
            different.add(pixels(seed))
            if len(different) == len(seeds):
                return f"{sentence}: `seeds={seed + 1}` has {len(seeds)}"
    return sentence


def _alike_draws(seeds: Sequence[int], groups: Sequence[Sequence[int]]) -> str:
    """A sentence on seeds whose splits are alike.

    Parameters
    ----------
    groups : sequence of sequence of int
        Places among ``seeds``, as of :func:`hsiaug.protocol.split.group_alike`.
    """
    alike = "; ".join(
        ", ".join(str(seeds[place]) for place in group) for group in groups if len(group) > 1
    )
    number = "1 split is" if len(groups) == 1 else f"{len(groups)} splits are"
    return (
        f"seeds {alike} have mostly the same training and test pixels, so about {number}"
        f" distinct, and intervals over {len(seeds)} are too narrow; use more images, or smaller"
        " blocks and tiles"
    )


def _empty_rates(
    request: CompleteRequest,
    trials: Sequence[TrialSpec],
    samples: Mapping[str, tuple[int, int]],
) -> Iterator[str]:
    """Sentences on rates that make no synthetic sample in some splits."""
    empty: dict[Rate, set[int]] = {}
    for trial in trials:
        if trial.rate and trial.train == BOTH and not samples[trial.hash][1]:
            empty.setdefault(trial.rate, set()).add(trial.seed)
    for rate in sorted(empty):
        draws = [seed for seed in request.seeds if seed in empty[rate]]
        where = (
            f" in splits {', '.join(map(str, draws))}" if len(draws) < len(request.seeds) else ""
        )
        yield (
            f"{rate.in_prose} makes no synthetic sample{where}, so these trials are not run:"
            " try a larger λ"
        )
