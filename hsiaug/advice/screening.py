"""Choice and order of the configurations to try on the screening splits, and whether anything can
be ranked on these.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

from hsiaug.advice.gains import ArmGain, arm_key, candidates, gain_of
from hsiaug.advice.session import Session
from hsiaug.base.errors import HsiaugError, InputError, PluginError
from hsiaug.bench.defaults import RECOMMENDED
from hsiaug.bench.groups import write_duration
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.request import Request
from hsiaug.bench.sample_memory import samples_bytes
from hsiaug.protocol.audit import large_classes
from hsiaug.protocol.balance import Rate
from hsiaug.registry.card import Card, build_params
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.scores import AA_LARGE, over_large
from hsiaug.tasks.types import TaskData
from hsiaug.trial.arm import NONE, Arm
from hsiaug.trial.spec import TrialSpec

SCREEN = range(3)
"""Inner splits on which every generator is tried."""
CONFIRM = range(100, 112)
"""Inner splits for the best of them; as many of these as the time allows."""
SCREEN_SHARE = 0.5
"""Part of the time that the screening may take."""
BASELINE_SHARE = 0.1
"""Part of the time that classifiers may take without samples, before any generator is tried."""
CHEAP_SHARE = 0.02
"""Part of the time that a single classifier may always take without samples."""
HEADROOM = 0.02
"""AA that a classifier must have left to 100 %, for a gain to be told.

A generator that undid every second error would gain half of it, one point; gains below a point are
not told from chance by twelve splits that divide the same pixels (docs/decide.md gives the
measurement).
"""
MAX_SAMPLE_BYTES = 2 * 2**30
"""Bytes of synthetic samples above which a λ is not tried: a trial holds them several times over.
"""
LeftOut = list[tuple[str, Rate | None, str]]
Ceiling = tuple[str, float]
"""A classifier that has next to nothing left to gain on inner splits, and its mean AA on them
without a generator.
"""


def scoring(plan: Plan, session: Session) -> Session:
    """The session with the score by which configurations are compared on all inner splits, the
    confirming ones included.

    As in reports, AA over the classes with MIN_TEST_PIXELS test pixels in every split; over all
    where fewer than two have these.
    """
    task = plan.task
    trial = plan.trials[0]
    scores = task.metrics.advice
    if not task.metrics.leaves_out_small:
        return replace(session, scores=scores)
    fresh = [session.draw(trial.protocol, seed, trial.patch) for seed in CONFIRM]
    large, tested = large_classes(
        split.audit.test_counts for split in (*plan.splits.values(), *fresh)
    )
    main = over_large(task.metrics, len(large), tested).main
    if main.key == AA_LARGE:
        return replace(session, scores=replace(scores, main=main), large=large)
    if len(large) < tested:
        scores = replace(scores, main=replace(main, name=f"{main.name} (all classes)"))
    return replace(session, scores=scores, large=())


def ladder(plugins: Registry, request: Request) -> tuple[list[str], LeftOut]:
    """Generators of a request's task, the cheapest first, as their cards say; and those that cannot
    be made, with why.
    """
    cards: list[Card] = []
    broken: LeftOut = []
    for name in plugins.names("generator"):
        overrides = request.overrides.get(name)
        try:
            found = plugins.find("generator", name)
            card = found.card
            if card.serves(request.task) and card.adds and not card.always_runs:
                params = build_params(card, request.preset, overrides)
                found.load()(params)
                cards.append(card)
        except Exception as error:
            why = error
            if not isinstance(error, HsiaugError):
                reason = f"{type(error).__name__}: {error}"
                hint = "Correct what `set` gives it, or repair its package."
                why = PluginError(f"generator {name} could not be made", value=reason, hint=hint)
            if overrides:
                raise why from error
            broken.append((name, None, str(why)))
    return [card.name for card in sorted(cards, key=lambda card: (card.seconds, card.name))], broken


def screening_plan(
    scene: TaskData, request: Request, plugins: Registry, scene_ref: str = ""
) -> tuple[Plan, LeftOut]:
    """All configurations that are worth a trial, and generators that cannot be made.

    Parameters
    ----------
    request : Request
        Without generators, the whole ladder; of those that it names, the baselines are tried
        too.
    scene_ref : str
        What to type for the scene.

    Raises
    ------
    InputError
        For several spectral views, and what :func:`build_plan` raises.
    """
    if len(request.views) > 1:
        raise InputError(
            "`view` must be one spectral view here",
            value=", ".join(request.views),
            hint="Try each.",
        )
    names, broken = (
        (list(request.generators), []) if request.generators else ladder(plugins, request)
    )
    task = request.kind
    usual = (*task.settings.classifiers, *task.settings.advice.classifiers)
    screening = request.model_copy(
        update={
            "generators": tuple(names),
            "classifiers": request.classifiers or usual,
            "seeds": tuple(SCREEN),
        }
    )
    plan = _far_sighted(_worth(build_plan(scene, screening, plugins, scene_ref=scene_ref), scene))
    plan = replace(plan, asked=plan.asked.union(baselines_of(plan).values()))
    if not arms(plan):
        rule = "`generators` and `lambdas` must leave something to try"
        raise InputError(
            rule,
            value="; ".join(plan.notes) or None,
            hint="Name a generator and a λ that makes samples.",
        )
    return plan, broken


def baselines_of(plan: Plan) -> dict[str, str]:
    """Baselines that are run in a plan, by the generators that they are the baseline of."""
    return {
        name: card.baseline
        for (kind, name), card in plan.cards.items()
        if kind == "generator" and ("generator", card.baseline) in plan.cards
    }


def _worth(plan: Plan, scene: TaskData) -> Plan:
    """A plan without the configurations that are another one under another name, or too large; its
    notes say which.
    """
    notes = [*plan.notes]
    idle = [c.name for (kind, _), c in plan.cards.items() if kind == "generator" and not c.adds]
    notes += [
        f"generator {name} never adds a sample, as none: not tried" for name in idle if name != NONE
    ]
    rate_of: dict[tuple[int, ...], Rate] = {}
    useless = {t.rate for t in plan.trials if t.hash in plan.nothing}
    for rate in sorted({t.rate for t in plan.trials} - useless - {Rate(0.0)}):
        sample_counts = tuple(plan.samples[t.hash][1] for t in plan.trials if t.rate == rate)
        size = samples_bytes(scene, max(sample_counts), plan.trials[0].patch)
        if size > MAX_SAMPLE_BYTES:
            notes.append(
                f"{rate.in_prose} makes {max(sample_counts):,} samples, {size / 2**30:.1f} GiB:"
                " not tried"
            )
            useless.add(rate)
        elif sample_counts in rate_of:
            notes.append(
                f"{rate.in_prose} asks for the same samples as"
                f" {rate_of[sample_counts].in_prose}: not tried"
            )
            useless.add(rate)
        rate_of.setdefault(sample_counts, rate)
    trials = [
        t for t in plan.trials if t.rate not in useless and (t.rate or t.generator.name == NONE)
    ]
    return replace(plan, trials=tuple(trials), notes=tuple(notes))


def _far_sighted(plan: Plan) -> Plan:
    """A plan within a few training pixels without the classifiers that learn patches, if others are
    left.

    Both halves of a clump lie in one field: there a network gains that loses on all others.
    """
    learning = plan.learning_classifiers
    blind = {name for name in learning if plan.cards["classifier", name].input == "patch"}
    divides = plan.task.settings.advice.divides_labels
    whole = plan.trials[0].protocol.outer[0] is None or not divides
    if whole or blind in (set(), learning):
        return plan
    note = (
        f"not tried: {', '.join(sorted(blind))}, because the inner splits test in fields with"
        " training pixels, and patches show these fields"
    )
    trials = tuple(t for t in plan.trials if t.classifier.name not in blind)
    return replace(plan, trials=trials, notes=(*plan.notes, note))


def arms(plan: Plan) -> list[tuple[Arm, str]]:
    """The configurations of a plan that were asked for, be they controls of others, with their
    classifiers' names, in its order.
    """
    return list(
        dict.fromkeys(
            (t.arm, t.classifier.name)
            for t in plan.trials
            if t.rate and t.arm.generator.name in plan.asked
        )
    )


def gains_of(plan: Plan, session: Session) -> list[ArmGain]:
    """The configurations that were tried on every screening split."""
    results = session.results(plan)
    gains = [gain_of(arm, classifier, results, session.scores) for arm, classifier in arms(plan)]
    return [gain for gain in gains if gain.draws == len(SCREEN)]


def scores_without_generator(plan: Plan, session: Session) -> dict[str, list[float]]:
    """AA of each classifier without a generator, split by split."""
    results = session.results(plan)
    names = dict.fromkeys(trial.classifier.name for trial in plan.trials)
    without = {name: results.get((NONE, Rate(0.0), None, name)) for name in names}
    main = session.scores.main.key
    return {name: cell.values(main) for name, cell in without.items() if cell is not None}


def ceiling(plan: Plan, session: Session) -> Ceiling | None:
    """Return a ceiling if the best classifier without a generator can gain at most ``HEADROOM``;
    else None.
    """
    learning = plan.learning_classifiers
    means = {
        classifier: statistics.fmean(scores)
        for classifier, scores in scores_without_generator(plan, session).items()
        if classifier in learning and len(scores) == len(SCREEN)
    }
    name, mean = max(means.items(), key=itemgetter(1), default=("", 0.0))
    return (name, mean) if 1 - mean <= HEADROOM else None


def run_baselines(plan: Plan, session: Session) -> Plan:
    """Run classifiers without samples on the screening splits, the cheapest first.

    A slow classifier would leave no time for generators, each of which it has to learn too.

    Parameters
    ----------
    plan : Plan
        All configurations that are worth a trial.
    session : Session
        Its end says how much time there is.

    Returns
    -------
    Plan
        Without the classifiers that did not fit into BASELINE_SHARE of the time; a note names each.
        The first classifier that learns samples always stays, since the recipe begins with it.
    """
    begin = time.time()
    whole = session.end - begin
    skipped: dict[str, str] = {}
    for place, (name, trials) in enumerate(_baselines_by_cost(plan, session)):
        seconds = session.seconds(plan, trials)
        spent = time.time() - begin
        is_cheap = seconds <= CHEAP_SHARE * whole
        if place == 0 or is_cheap or spent + seconds <= BASELINE_SHARE * whole:
            session.run(plan, trials)
        else:
            skipped[name] = write_duration(seconds)
    notes = [
        f"classifier {name} not tried: about {duration} without samples alone, and as much again"
        " for each generator"
        for name, duration in skipped.items()
    ]
    remaining = tuple(trial for trial in plan.trials if trial.classifier.name not in skipped)
    return replace(plan, trials=remaining, notes=(*plan.notes, *notes))


def _baselines_by_cost(plan: Plan, session: Session) -> list[tuple[str, list[TrialSpec]]]:
    """The trials without samples of each classifier: of the first that learns samples, then of the
    cheapest, and so on.
    """
    trials: dict[str, list[TrialSpec]] = {}
    for trial in _rung(plan, (NONE,), Rate(0.0)):
        trials.setdefault(trial.classifier.name, []).append(trial)
    learning = plan.learning_classifiers
    first = next(name for name in trials if name in learning)
    costs = {name: session.seconds(plan, members) for name, members in trials.items()}
    return sorted(trials.items(), key=lambda item: (item[0] != first, costs[item[0]]))


def screen(plan: Plan, session: Session, left_out: LeftOut) -> None:
    """Try generators as far as the time goes: all of them at the smallest λ, then at the next;
    split by split.
    """
    begin = time.time()
    half = begin + SCREEN_SHARE * (session.end - begin)
    for rate in sorted({t.rate for t in plan.trials if t.rate}):
        names = list(dict.fromkeys(arm.generator.name for arm, _ in arms(plan) if arm.rate == rate))
        # Once there is a candidate, half of the time is kept for confirming.
        until = half if candidates(gains_of(plan, session), baselines_of(plan)) else session.end
        for seed in SCREEN:
            # After the first split it is known what each takes.
            names = _affordable(plan, names, rate, session, until, left_out)
            session.run(
                plan, [t for t in _rung(plan, _with_controls(plan, names), rate) if t.seed == seed]
            )


def _affordable(
    plan: Plan, names: Sequence[str], rate: Rate, session: Session, until: float, left_out: LeftOut
) -> list[str]:
    """The generators that end in time on all splits that are left, the cheapest first; the others
    are left out.
    """
    costs = {name: session.seconds(plan, _rung(plan, (name,), rate)) for name in names}
    chosen: list[str] = []
    for name in sorted(names, key=lambda name: costs[name]):
        together = session.seconds(plan, _rung(plan, _with_controls(plan, [*chosen, name]), rate))
        if costs[name] and time.time() + together > until:
            left_out.append((name, rate, "no time left"))
        else:
            chosen.append(name)
    return chosen


def _with_controls(plan: Plan, names: Sequence[str]) -> list[str]:
    """Generators with what they are measured against; ``none`` was run before."""
    return [*dict.fromkeys(c for name in names for c in plan.controls(name) if c != NONE), *names]


def _rung(plan: Plan, names: Sequence[str], rate: Rate) -> list[TrialSpec]:
    """Trials of generators at one rate; those of ``none`` belong to every one."""
    return [
        t
        for name in names
        for t in plan.trials
        if t.generator.name == name and t.rate in (Rate(0.0), rate)
    ]


def ranking(plan: Plan, session: Session) -> list[tuple[TrialSpec, list[float]]]:
    """What was run on every screening split, with its scores, the highest mean first:
    configurations, their controls, and classifiers without samples, as the teacher's own map; none
    that reads no spectrum. Of equal ones those without samples come first.
    """
    results = session.results(plan)
    ranked = []
    for trial in plan.trials:
        cell = results.get(arm_key(trial.arm, trial.classifier.name))
        reads = plan.cards["classifier", trial.classifier.name].input != "location"
        if trial.seed != SCREEN[0] or cell is None or not reads:
            continue
        scores = cell.values(session.scores.main.key)
        if len(scores) == len(SCREEN):
            ranked.append((trial, scores))
    return sorted(ranked, key=lambda one: (-statistics.fmean(one[1]), bool(one[0].rate)))


def usual_recipe(plan: Plan) -> TrialSpec:
    """What did well on most public scenes, where nothing could be ranked: the recommended
    classifier, or the first one, with samples of the control of transductive generators (real
    patches under a teacher's labels), if there are any.
    """
    learning = plan.learning_classifiers

    def rank(trial: TrialSpec) -> tuple[bool, bool, bool]:
        control_of = plan.cards["generator", trial.generator.name].control_of
        return (
            trial.classifier.name != RECOMMENDED,
            control_of != "transductive",
            trial.generator.name != NONE,
        )

    return min((t for t in plan.trials if t.classifier.name in learning), key=rank)
