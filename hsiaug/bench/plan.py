"""Conversion of a user's request to the list of trials, controls included; and whether their
samples fit into memory.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

from hsiaug.base.errors import InputError, check_known
from hsiaug.core.view_names import RAW, check_view
from hsiaug.data.bounds import physical_memory
from hsiaug.protocol.balance import Rate, check_lambda, check_omega, check_times
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import Registry
from hsiaug.registry.split_protocol import SplitProtocol
from hsiaug.tasks.task import USUAL, Task, TaskData, TaskSplit, get_task
from hsiaug.trial.arm import BOTH, EVERY_CONTROL, SYNTHETIC, TEACHER, controls_of
from hsiaug.trial.spec import PluginSpec, TrialSpec, configure_plugin

T = TypeVar("T")
REAL = "real"
TRAIN = (BOTH, SYNTHETIC, REAL)
"""What a classifier may learn from."""
MOST_TRIALS = 100_000
"""Maximum number of trials of one plan; a slip of a zero should not fill memory and days."""


@dataclass(frozen=True)
class Request:
    """A user's request; names and numbers as typed, already split at commas.

    protocol, patch: None = the task's usual ones for the data; buffer: for that protocol, None =
    its own. generators, classifiers, views: empty = the task's usual ones. omegas: empty = each
    generator's own default. times: M; empty = the task's usual. train: of TRAIN, what
    classifiers learn from; real is the arm ``none``. overrides: {plugin name: {parameter:
    text}}.
    """

    lambdas: Sequence[float]
    seeds: Sequence[int]
    task: str = USUAL
    protocol: SplitProtocol | None = None
    buffer: str | None = None
    generators: Sequence[str] = ()
    classifiers: Sequence[str] = ()
    views: Sequence[str] = ()
    omegas: Sequence[float] = ()
    times: Sequence[float] = ()
    train: Sequence[str] = (BOTH,)
    patch: int | None = None
    preset: str = "cpu"
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def kind(self) -> Task:
        """The task of that name. Raises InputError where there is none."""
        return get_task(self.task)


@dataclass(frozen=True)
class Plan:
    """The trials of one request on one scene.

    trials: in the order in which they share most: by draw, generator, ω, λ, classifier. run: its
    name in a suite. scene_ref: what to type for the scene. splits: one per draw. notes:
    sentences on what was added or collapsed. cards: by kind and name. samples: real samples of a
    trial's draw and the synthetic ones that its λ asks for, by the trial's hash. asked: names of
    the generators that were asked for; the others are their controls.
    """

    run: str
    task: Task
    scene_ref: str
    scene: TaskData
    trials: tuple[TrialSpec, ...]
    splits: tuple[TaskSplit, ...]
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

    def controls(self, generator: str) -> tuple[str, ...]:
        """Return the controls that a generator of the plan is measured against, without itself."""
        controls = controls_of(self.task, self.cards["generator", generator].scope)
        return tuple(control for control in controls if control != generator)


def build_plan(
    scene: TaskData,
    request: Request,
    plugins: Registry,
    *,
    scene_ref: str = "",
    run: str = "",
    split: Callable[[SplitProtocol, int, int], TaskSplit] | None = None,
) -> Plan:
    """All trials of a request. Draws every split, so that a scene that cannot be split fails before
    any trial.

    scene: the data as the request's task loads them. scene_ref: what to type for them; none = their
    name. split: draws a split of them from protocol, draw and patch; none = as the task does.

    Raises InputError for unknown names, numbers out of range, and masks that the first draw's
    labels are too sparse for; SplitError and PluginError likewise.
    """
    for lam in request.lambdas:
        check_lambda(lam, "lambdas")
    for amounts, check in ((request.times, check_times), (request.omegas, check_omega)):
        for amount in amounts:
            check(amount)
    for train in request.train:
        check_known("`train` must be both, synthetic or real", train, TRAIN)
    task = request.kind
    usual = task.defaults(scene)
    protocol = request.protocol or parse_protocol(usual.protocol, request.buffer)
    patch = usual.patch if request.patch is None else request.patch
    wanted = request.generators or usual.generators
    asked = _unique((*controls_of(task, None), *wanted))
    classifiers = _unique((*(request.classifiers or usual.classifiers), task.control))
    notes: list[str] = []

    def configure(kind: Kind, name: str) -> tuple[PluginSpec, Card]:
        return configure_plugin(
            plugins, kind, name, task.name, scene, request.preset, request.overrides.get(name)
        )

    loaded = [configure("generator", name) for name in asked]
    compared = BOTH in request.train
    further = _further_controls([card for _, card in loaded], task, notes) if compared else []
    loaded += [configure("generator", name) for name in further]
    if compared:
        names = _baselines([card for _, card in loaded], wanted, notes)
        loaded += [configure("generator", name) for name in names]
    loaded.sort(key=lambda plugin: plugin[0].name not in EVERY_CONTROL)
    generators = [spec.name for spec, _ in loaded]
    if compared and task.single_pixels and TEACHER not in classifiers:
        readers = [card.name for _, card in loaded if card.scope == "scene"]
        if readers:
            classifiers += (TEACHER,)
            who = ", ".join([name for name in readers if name not in EVERY_CONTROL] or readers)
            notes.append(
                f"classifier {TEACHER} is run too, without samples: {who} must be above it to help"
            )
    tests = [configure("classifier", name) for name in classifiers]
    views = _unique(request.views or usual.views)
    for view in views:
        check_view(view, task.views, scene.bands)
    names = [*generators, *classifiers]
    for name in request.overrides:
        if name not in names:
            hint = f"Here: {', '.join(names)}."
            raise InputError(
                "`set` must name a plugin of this benchmark", value=repr(name), hint=hint
            )
    arms = [
        (spec, card, rate, omega, train)
        for spec, card in loaded
        for omega in _omegas(card, request, notes)
        for rate in _rates(card, request, request.times or usual.times, notes)
        for train in (_trained(request, rate, card.name in wanted) if card.adds else (BOTH,))
    ]
    if REAL in request.train:
        notes.append("train real is the arm none")
    if SYNTHETIC in request.train:
        notes += [
            f"classifier {card.name} reads real labels in the scene: it has no arm of synthetic"
            " samples alone"
            for spec, card in tests
            if card.learns_samples and card.reads_scene
        ]
    draws, columns = len(request.seeds), len(tests) * len(views)
    if draws * len(arms) * columns > MOST_TRIALS:
        raise InputError(
            f"a benchmark must be at most {MOST_TRIALS:,} trials",
            value=f"{draws:,} draws × {len(arms):,} arms of generators × {columns:,} classifiers",
            hint="Take fewer draws, or values of λ and ω that lie farther apart.",
        )
    split = split or partial(task.split, scene)
    splits = [split(protocol, seed, patch) for seed in request.seeds]
    trials = [
        TrialSpec(
            task=task.name,
            scene=scene.name,
            scene_sha256=scene.sha256,
            protocol=protocol,
            patch=patch,
            seed=seed,
            generator=g,
            classifier=c,
            rate=rate,
            omega=omega,
            draws=scene.drawn_as,
            view=view,
            train=train,
        )
        for seed in request.seeds
        for g, g_card, rate, omega, train in arms
        for c, c_card in tests
        # A control reads no spectrum, or all of them by itself.
        for view in ((RAW,) if c_card.name == task.control or c_card.reads_scene else views)
        if c_card.learns_samples or not g_card.adds
        # One that reads the scene reads its labels too.
        if train == BOTH
        or (c_card.learns_samples and not c_card.reads_scene and c_card.name != task.control)
    ]
    cards: dict[tuple[Kind, str], Card] = {("generator", card.name): card for _, card in loaded}
    cards |= {("classifier", card.name): card for _, card in tests}
    rates = {trial.made for trial in trials}
    sizes = {(split.seed, rate): task.sizes(split, rate) for split in splits for rate in rates}
    samples = {trial.hash: sizes[trial.seed, trial.made] for trial in trials}
    for rate in sorted({t.rate for t in trials if t.rate and t.train == BOTH}):
        if nothing := [split.seed for split in splits if not sizes[split.seed, rate][1]]:
            where = (
                f" in draws {', '.join(map(str, nothing))}" if len(nothing) < len(splits) else ""
            )
            notes.append(
                f"λ = {rate} makes no synthetic sample{where}, and its arms are not run there: try"
                " a larger λ"
            )
    ref, listed = scene_ref or scene.name, (tuple(trials), tuple(splits), tuple(notes))
    return Plan(run, task, ref, scene, *listed, cards, samples, frozenset(wanted))


def _further_controls(cards: Sequence[Card], task: Task, notes: list[str]) -> list[str]:
    """Controls that were not asked for and that some generator needs, because it reads unlabelled
    pixels.
    """
    named = {card.name for card in cards}
    users: dict[str, list[str]] = {}
    for card in cards:
        if card.adds and card.name not in EVERY_CONTROL:
            for control in controls_of(task, card.scope):
                users.setdefault(control, []).append(card.name)
    further = {control: names for control, names in users.items() if control not in named}
    for control, names in further.items():
        reads = "reads" if len(names) == 1 else "read"
        notes.append(
            f"{control} is run too: {', '.join(names)} {reads} unlabelled pixels, and helps only"
            " above as many real ones under the labels of a teacher"
        )
    return list(further)


def _baselines(cards: Sequence[Card], wanted: Collection[str], notes: list[str]) -> list[str]:
    """Generators that the cards of the wanted ones name as the same without their main part, not
    asked for.
    """
    present = {card.name for card in cards}
    baselines: dict[str, list[str]] = {}
    for card in cards:
        if card.baseline and card.name in wanted and card.baseline not in present:
            baselines.setdefault(card.baseline, []).append(card.name)
    for name, users in baselines.items():
        notes.append(f"{name} is run too: {', '.join(users)} without its main part")
    return list(baselines)


def _omegas(card: Card, request: Request, notes: list[str]) -> list[float | None]:
    if card.guidance is None:
        if request.omegas and card.adds and card.name not in EVERY_CONTROL:
            notes.append(f"generator {card.name} takes no guidance: `omegas` does not apply to it")
        return [None]
    return list(_unique(request.omegas)) or [card.guidance]


def _rates(card: Card, request: Request, times: Sequence[float], notes: list[str]) -> list[Rate]:
    """The rates of a generator's arms; beside real samples one of 0 asks for none, which is what
    ``none`` is.
    """
    if not card.adds:
        return [Rate(0.0)]
    rates = [Rate(lam, m) for lam in _unique(request.lambdas) for m in _unique(times)]
    if BOTH in request.train and not all(rates) and card.name not in EVERY_CONTROL:
        notes.append(f"generator {card.name} at λ = 0 adds nothing: see the row of none")
    return sorted(rates)


def _trained(request: Request, rate: Rate, wanted: bool) -> Iterator[str]:
    """What classifiers learn from at a rate. wanted: the generator was asked for, and is not only a
    control of others.
    """
    if rate and BOTH in request.train:
        yield BOTH
    if wanted and SYNTHETIC in request.train:
        yield SYNTHETIC


def _unique(items: Sequence[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def between(numbers: Sequence[int]) -> str:
    """``1,450``, or the range ``1,434–1,460`` where the numbers differ."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def check_memory(plans: Iterable[Plan], todo: Sequence[TrialSpec]) -> None:
    """Raise InputError where one of the trials asks for more samples than the memory holds. Other
    trials are not run.
    """
    waiting = {trial.hash for trial in todo}
    for plan in plans:
        for trial in (trial for trial in plan.trials if trial.hash in waiting):
            check_samples(plan.scene, plan.samples[trial.hash][1], trial.patch)


def check_samples(data: TaskData, samples: int, patch: int) -> None:
    """The same of so many patches, or tiles, of the side ``patch``. data: a scene, or a set of
    pairs.
    """
    size = samples_bytes(data, samples, patch)
    memory = physical_memory()
    if memory is not None and size > memory:
        raise InputError(
            "`lambdas` (or -n) must ask for no more samples than this machine holds in"
            f" {memory / 1e9:,.0f} GB",
            value=(
                f"{samples:,} samples of {data.bands} bands and {patch}×{patch} pixels,"
                f" {size / 1e9:,.0f} GB"
            ),
            hint="Take a smaller λ, or a smaller `patch`.",
        )


def samples_bytes(data: TaskData, samples: int, patch: int) -> int:
    """Bytes of so many patches, or tiles of all dates, of the side ``patch``."""
    size: int = 4 * samples * patch**2 * data.bands * getattr(data, "dates", 1)
    return size
