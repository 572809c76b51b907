"""The trials of several runs as one list of work, in which everything that can be shared is
shared.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import count

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.request import Request
from hsiaug.bench.suite import Run, missing_card
from hsiaug.contracts import Progress
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry
from hsiaug.registry.split_protocol import SplitProtocol
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.arm import NONE
from hsiaug.trial.spec import TrialSpec

ABSENT = (
    "python -m benchmarks.make_scenes, in a clone, makes the scenes of hsiaug's suites; --data"
    " takes one of yours."
)


def plan_runs(
    runs: Iterable[Run],
    plugins: Registry,
    load: Callable[[Task, str], TaskData] = lambda task, ref: task.data.load(ref),
    progress: Progress | None = None,
) -> tuple[Plan, ...]:
    """The plans of all runs; every scene is loaded once for each task, and runs that share a split
    draw it once.

    progress: told of splits. Those of some protocols take seconds each, since they train
    classifiers. load: gives the data of a task by name or card.

    Raises what ``load`` and :func:`build_plan` raise, with the name of the run in front.
    """
    scenes: dict[tuple[Task, str], TaskData] = {}
    plans: list[Plan] = []
    runs = tuple(runs)
    total = sum(len(request.seeds) for run in runs for _, request in run.asked)
    drawn = count(1)

    @cache
    def split(key: tuple[Task, str], protocol: SplitProtocol, seed: int, patch: int) -> TaskSplit:
        return key[0].draws.split(scenes[key], protocol, seed, patch)

    def draw(key: tuple[Task, str], protocol: SplitProtocol, seed: int, patch: int) -> TaskSplit:
        found = split(key, protocol, seed, patch)
        if progress:
            progress(next(drawn), total)
        return found

    for run in runs:
        for ref, request in run.asked:
            try:
                key = (request.kind, ref)
                if key not in scenes:
                    scenes[key] = load(*key)
                plan = partial(
                    build_plan, scenes[key], scene_ref=ref, run=run.name, split=partial(draw, key)
                )
                try:
                    plans.append(plan(request, plugins))
                except HsiaugError as error:
                    if not run.elsewhere or request.protocol is None:
                        raise
                    other = plan(request.model_copy(update={"protocol": None}), plugins)
                    usual = other.trials[0].protocol.text
                    said = (
                        f"{ref}: protocol {usual} in place of {request.protocol.text}, which does"
                        f" not fit: {error}"
                    )
                    plans.append(replace(other, notes=(said, *other.notes)))
            except HsiaugError as error:
                if not run.name:
                    raise
                rule = f"run {run.name!r}: {error.rule}"
                absent = not run.elsewhere and missing_card(ref)
                raise type(error)(
                    rule, value=error.value, hint=ABSENT if absent else error.hint
                ) from error
    return tuple(plans)


def trials_of(plans: Iterable[Plan]) -> list[TrialSpec]:
    """The trials of all plans, each once."""
    return list({trial.hash: trial for plan in plans for trial in plan.trials}.values())


def hashes_by_run(plans: Iterable[Plan]) -> dict[str, set[str]]:
    """The hashes of each run's trials, by the run's name, in the order of the suite."""
    found: dict[str, set[str]] = {}
    for plan in plans:
        found.setdefault(plan.run, set()).update(trial.hash for trial in plan.trials)
    return found


def in_order(trials: Iterable[TrialSpec], first: Collection[str] = ()) -> list[TrialSpec]:
    """The trials draw by draw and generator by generator, so that a process makes each split and
    fit once.

    first: classifiers whose trials come before the others of a generator.
    """
    trials = list(trials)
    draws: dict[str, int] = {}
    fits: dict[str, int] = {}
    for trial in trials:
        draws.setdefault(trial.draw_hash, len(draws))
        fits.setdefault(trial.fit_hash, len(fits))
    return sorted(
        trials, key=lambda t: (draws[t.draw_hash], fits[t.fit_hash], t.classifier.name not in first)
    )


def notes_of(plans: Sequence[Plan]) -> tuple[str, ...]:
    """The notes of plans, each once."""
    return tuple(dict.fromkeys(note for plan in plans for note in plan.notes))


def join_plans(plans: Sequence[Plan]) -> Plan:
    """Several plans as one, to estimate what they cost together; scene and splits are those of the
    first.
    """
    return replace(
        plans[0],
        trials=tuple(trials_of(plans)),
        notes=notes_of(plans),
        cards={key: card for plan in plans for key, card in plan.cards.items()},
        samples={hash: n for plan in plans for hash, n in plan.samples.items()},
    )


def plan_labels(
    ref: str, request: Request, added: Sequence[float], plugins: Registry
) -> tuple[Plan, ...]:
    """The benchmark of a request on scene ``ref``, and after it ``none`` with so many more labels
    per class.

    added: numbers of labels, from 1 on.
    Raises InputError for other numbers, and what :func:`hsiaug.bench.schedule.plan_runs` raises.
    """
    if not added or any(k < 1 or k != int(k) for k in added):
        rule = "added labels must be whole numbers from 1 on"
        hint = "Write `added` 1,2,3,5,10,20; without any label the curve begins by itself."
        raise InputError(rule, value=", ".join(f"{k:g}" for k in added) or "none", hint=hint)
    (base,) = plan_runs((Run("", ((ref, request),)),), plugins)
    first = base.trials[0]
    set_ = {
        name: values
        for name, values in request.overrides.items()
        if ("classifier", name) in base.cards
    }
    alone = {"patch": first.patch, "generators": (NONE,), "overrides": set_}
    texts = (f"added:{k}xscattered:{first.protocol.text}" for k in sorted({int(k) for k in added}))
    asked = [
        (
            ref,
            request.model_copy(
                update={**alone, "protocol": parse_protocol(text, first.protocol.buffer)}
            ),
        )
        for text in texts
    ]
    more = plan_runs((Run("", tuple(asked)),), plugins, lambda task, ref: base.scene)
    plans = [base]
    for plan in more:
        # Without other controls, and without classifiers that read no spectrum.
        spectral = {
            name
            for (kind, name), card in plan.cards.items()
            if kind == "classifier" and card.learns_samples
        }
        kept = tuple(
            t for t in plan.trials if t.generator.name == NONE and t.classifier.name in spectral
        )
        plans.append(
            replace(
                plan, trials=kept, notes=(), samples={t.hash: plan.samples[t.hash] for t in kept}
            )
        )
    return tuple(plans)
