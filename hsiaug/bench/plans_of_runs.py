"""The plans of several runs, which share their scenes and splits, and what is asked of all of them
together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count

from hsiaug.base.errors import HsiaugError
from hsiaug.bench.plan import Draw, Plan, build_plan, draw_once
from hsiaug.bench.request import Request
from hsiaug.bench.suite import Run
from hsiaug.contracts import Progress
from hsiaug.data.catalogue import own_card
from hsiaug.data.pair_sets import split_bands
from hsiaug.data.paths import is_file
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData
from hsiaug.trial.arm import NONE
from hsiaug.trial.spec import TrialSpec

ABSENT = "python -m benchmarks.make_scenes, in a clone, makes the scenes of hsiaug's suites."


def plan_runs(
    runs: Iterable[Run],
    plugins: Registry,
    load: Callable[[Task, str], TaskData] = lambda task, ref: task.data.load(ref),
    progress: Progress | None = None,
) -> tuple[Plan, ...]:
    """The plans of all runs; every scene is loaded once for each task, and runs that share a split
    draw it once.

    Parameters
    ----------
    runs : iterable of Run
        The runs of a suite, or the one of a command.
    plugins : Registry
        Where plugins are looked up.
    load : callable
        Gives the data of a task by name or card.
    progress : callable or None
        Told of splits. Those of some protocols take seconds each, since they train classifiers.

    Raises
    ------
    HsiaugError
        What ``load`` and :func:`build_plan` raise, with the name of the run in front.
    """
    runs = tuple(runs)
    total = sum(len(request.seeds) for run in runs for _, request in run.asked)
    numbers = count(1)

    def tell() -> None:
        drawn = next(numbers)
        if progress:
            progress(drawn, total)

    scenes: dict[tuple[Task, str], TaskData] = {}
    draws: dict[tuple[Task, str], Draw] = {}
    plans = []
    for run in runs:
        for ref, request in run.asked:
            key = request.kind, ref
            try:
                if key not in scenes:
                    scenes[key] = load(*key)
                    draws[key] = draw_once(request.kind, scenes[key])
                plan = build_plan(
                    scenes[key],
                    request,
                    plugins,
                    scene_ref=ref,
                    run=run.name,
                    draw=draws[key],
                    tell=tell,
                )
                plans.append(plan)
            except HsiaugError as error:
                if not run.name:
                    raise
                raise _error_of_run(error, run, ref) from error
    return tuple(plans)


def _error_of_run(error: HsiaugError, run: Run, ref: str) -> HsiaugError:
    """The error with the name of the run, and where its card is not here, how to get it."""
    card = own_card(split_bands(ref)[0])
    absent = card is not None and not is_file(card)
    return type(error)(
        f"run {run.name!r}: {error.rule}",
        value=error.value,
        hint=ABSENT if absent else error.hint,
    )


def trials_of(plans: Iterable[Plan]) -> list[TrialSpec]:
    """The trials of all plans, each once."""
    return list({trial.hash: trial for plan in plans for trial in plan.trials}.values())


def hashes_by_run(plans: Iterable[Plan]) -> dict[str, set[str]]:
    """The hashes of each run's trials, by the run's name, in the order of the suite."""
    found: dict[str, set[str]] = {}
    for plan in plans:
        found.setdefault(plan.run, set()).update(trial.hash for trial in plan.trials)
    return found


def notes_of(plans: Sequence[Plan]) -> tuple[str, ...]:
    """The notes of plans, each once."""
    return tuple(dict.fromkeys(note for plan in plans for note in plan.notes))


def join_plans(plans: Sequence[Plan]) -> Plan:
    """Several plans as one; the scene is that of the first."""
    return replace(
        plans[0],
        trials=tuple(trials_of(plans)),
        splits={draw: split for plan in plans for draw, split in plan.splits.items()},
        notes=notes_of(plans),
        cards={key: card for plan in plans for key, card in plan.cards.items()},
        samples={hash: n for plan in plans for hash, n in plan.samples.items()},
    )


def plan_labels(
    ref: str, request: Request, added: Sequence[int], plugins: Registry
) -> tuple[Plan, ...]:
    """The benchmark of a request on scene ``ref``, and after it ``none`` with so many more labels
    per class.

    added: numbers of labels, from 1 on, ascending. Raises what :func:`plan_runs` raises.
    """
    (base,) = plan_runs((Run("", ((ref, request),)),), plugins)
    first = base.trials[0]
    set_ = {
        name: values
        for name, values in request.overrides.items()
        if ("classifier", name) in base.cards
    }
    alone = {"patch": first.patch, "generators": (NONE,), "overrides": set_}
    texts = (f"added:{k}xscattered:{first.protocol.text}" for k in added)
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
        classifiers = plan.learning_classifiers
        kept = tuple(
            t for t in plan.trials if t.generator.name == NONE and t.classifier.name in classifiers
        )
        plans.append(
            replace(
                plan, trials=kept, notes=(), samples={t.hash: plan.samples[t.hash] for t in kept}
            )
        )
    return tuple(plans)
