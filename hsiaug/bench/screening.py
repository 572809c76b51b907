"""Which arms are worth a trial on the screening draws, whether these draws can tell anything, and in which order."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hsiaug.base.errors import HsiaugError, InputError, PluginError
from hsiaug.bench.advice_context import AdviceContext, Prices, do, results, work
from hsiaug.bench.dispatch import Work
from hsiaug.bench.estimate import Estimate
from hsiaug.bench.execute import Run
from hsiaug.bench.gains import ArmGain, Results, candidates, gained, scored
from hsiaug.bench.memory_check import samples_bytes
from hsiaug.bench.plan import Plan, Request, build_plan
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.registry.card import Card, build_params, check_files
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import TaskData
from hsiaug.trial.arm import BALANCED, CONTROLS, EVERY_CONTROL, Arm
from hsiaug.trial.spec import TrialSpec

__all__ = [
    "CONFIRM",
    "SCREEN",
    "Ceiling",
    "LeftOut",
    "alone",
    "ceiling",
    "ladder",
    "screen",
    "screened",
    "screening_plan",
]

SCREEN = range(3)
"""Inner draws on which every generator is tried."""
CONFIRM = range(100, 112)
"""Inner draws for the best of them; as many of these as the time allows."""
SCREEN_SHARE = 0.5
"""Part of the time that the screening may take."""
HEADROOM = 0.02
"""AA that a classifier must have left to 100 %, for a gain to be told.

A generator that undid every second error would gain half of it, one point; gains below a point are not told from chance
by twelve draws that divide the same pixels (docs/decide.md gives the measurement).
"""
LARGEST = 2 * 2**30
"""Bytes of synthetic samples above which a λ is not tried: a trial holds them several times over."""
LeftOut = list[tuple[str, float | None, str]]


@dataclass(frozen=True)
class Ceiling:
    """Inner draws of a protocol on which a classifier has next to nothing left to gain.

    aa: without a generator, mean over the screening draws. near: percentage of test pixels in training patches.
    """

    protocol: str
    classifier: str
    aa: float
    near: float


def ladder(plugins: Registry, request: Request) -> tuple[list[str], LeftOut]:
    """Generators of a request's task, the cheapest first, as their cards say; and those that cannot be made, with why."""
    cards: list[Card] = []
    broken: LeftOut = []
    for name in plugins.names("generator"):
        own = (request.overrides or {}).get(name)
        try:
            plugin = plugins.find("generator", name).load()
            card: Card = plugin.card
            if request.task in card.tasks and card.adds and card.name not in (*CONTROLS, BALANCED):
                params = build_params(card, request.preset, own)
                check_files(card, params)
                plugin(params)
                cards.append(card)
        except Exception as error:
            why = error
            if not isinstance(error, HsiaugError):
                said, hint = (
                    f"{type(error).__name__}: {error}",
                    "Correct what `set` gives it, or repair its package.",
                )
                why = PluginError(f"generator {name} could not be made", value=said, hint=hint)
            if own:
                raise why from error
            broken.append((name, None, str(why)))
    return [card.name for card in sorted(cards, key=lambda card: (card.seconds, card.name))], broken


def screening_plan(scene: TaskData, request: Request, plugins: Registry) -> tuple[Plan, LeftOut]:
    """All arms that are worth a trial, and generators that cannot be made.

    request: without generators, the whole ladder. Raises what :func:`build_plan` raises.
    """
    names, broken = (list(request.generators), []) if request.generators else ladder(plugins, request)
    plan = _worth(build_plan(scene, replace(request, generators=names, seeds=SCREEN), plugins), scene)
    if not arms(plan):
        raise InputError(
            "`generators` and `lambdas` must leave something to try",
            value="; ".join(plan.notes) or None,
            hint="Name a generator and a λ that makes samples.",
        )
    return plan, broken


def _worth(plan: Plan, scene: TaskData) -> Plan:
    """A plan without the arms that are another one under another name, or too large; its notes tell which."""
    notes = [*plan.notes, *plan.short]
    idle = [c.name for (kind, _), c in plan.cards.items() if kind == "generator" and not c.adds]
    notes += [f"generator {name} never adds a sample, as none: not tried" for name in idle if name != "none"]
    made: dict[tuple[int, ...], float] = {}
    useless = {t.lam for t in plan.trials if t.hash in plan.nothing}
    for lam in sorted({t.lam for t in plan.trials} - useless - {0.0}):
        asked = tuple(plan.samples[t.hash][1] for t in plan.trials if t.lam == lam)
        size = samples_bytes(scene, max(asked), plan.trials[0].patch)
        if size > LARGEST:
            notes.append(f"λ = {lam:g} makes {max(asked):,} samples, {size / 2**30:.1f} GiB: not tried")
            useless.add(lam)
        elif asked in made:
            notes.append(f"λ = {lam:g} asks for the same samples as λ = {made[asked]:g}: not tried")
            useless.add(lam)
        made.setdefault(asked, lam)
    kept = [t for t in plan.trials if t.lam not in useless and (t.lam or t.generator.name == "none")]
    return replace(plan, trials=tuple(kept), notes=tuple(notes))


def arms(plan: Plan) -> list[tuple[Arm, str]]:
    """The arms of a plan that were asked for, be they controls of others, with their classifiers' names, in its order."""
    return list(
        dict.fromkeys(
            (t.arm, t.classifier.name) for t in plan.trials if t.lam and t.arm.generator.name in plan.asked
        )
    )


def screened(plan: Plan, context: AdviceContext) -> list[ArmGain]:
    """The arms that were tried on every screening draw."""
    known = results(plan, context)
    found = [gained(*one, known, SCREEN, plan.controls(one[0].generator.name)) for one in arms(plan)]
    return [one for one in found if len(one.seeds) == len(SCREEN)]


def alone(known: Results) -> dict[str, float]:
    """Mean AA of each classifier without a generator."""
    return {name: statistics.fmean(values) for name, values in _alone(known).items()}


def _alone(known: Results) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for (generator, _, _, classifier, _), record in known.items():
        if generator == "none":
            found.setdefault(classifier, []).append(scored(record))
    return found


def ceiling(plan: Plan, context: AdviceContext) -> Ceiling | None:
    """Where the classifier that does best without a generator has at most ``HEADROOM`` left to gain; else None."""
    seeing = {
        name: values
        for name, values in _alone(results(plan, context)).items()
        if plan.cards["classifier", name].learns_samples and len(values) == len(SCREEN)
    }
    if not seeing:
        return None
    name, values = max(seeing.items(), key=lambda item: statistics.fmean(item[1]))
    mean = statistics.fmean(values)
    if 1 - mean > HEADROOM:
        return None
    near = statistics.fmean(split.audit.centre_overlap_percent for split in plan.splits)
    return Ceiling(plan.trials[0].protocol.label.removeprefix("within:"), name, mean, near)


def screen(plan: Plan, context: AdviceContext, run: Run, left_out: LeftOut) -> Ceiling | None:
    """Try generators as far as the time goes: all of them at the smallest λ, then at the next.

    Begins with ``none``, and ends there with a ceiling where one is met.
    """
    begin = time.time()
    half = begin + SCREEN_SHARE * (context.end - begin)
    without = _rung(plan, ("none",), 0.0)
    do(plan, without, work(plan, without, context, context.end), context, run)
    met = ceiling(plan, context)
    if met is not None:
        return met
    for lam in sorted({t.lam for t in plan.trials if t.lam}):
        names = list(dict.fromkeys(arm.generator.name for arm, _ in arms(plan) if arm.lam == lam))
        begun: list[str] = []
        do(
            plan,
            _rung(plan, (*EVERY_CONTROL[1:], *names), lam),
            _turns(plan, names, lam, context, half, begun, left_out),
            context,
            run,
        )
        # Whoever took longer than expected gave way to the others, and may use what time they leave.
        again = [name for name in begun if not _ended(_rung(plan, (name,), lam), context)]
        do(plan, _rung(plan, again, lam), _turns(plan, again, lam, context, half, [], left_out), context, run)
    return None


def _turns(
    plan: Plan,
    names: Sequence[str],
    lam: float,
    context: AdviceContext,
    half: float,
    begun: list[str],
    left_out: LeftOut,
) -> Iterator[Work]:
    """One generator after the other, the cheapest first. Each may use its share of the time, or what it is expected to.
    Its controls, but for ``none``, come before the first that is measured against them.

    Once there is a candidate, half of the time is kept for confirming, and what could not be confirmed in it (six draws,
    with one classifier) is not tried.
    """
    seeing = sum(kind == "classifier" and card.learns_samples for (kind, _), card in plan.cards.items())
    waiting = {name: _rung(plan, (name,), lam) for name in names}
    begun_controls = {"none"}
    while waiting:
        prices, now = Prices(plan, context), time.time()
        costs = {name: prices.wall(context.missing(trials)) for name, trials in waiting.items()}
        name = min(waiting, key=lambda one: costs[one].guess)
        mine = waiting.pop(name)
        controls = plan.controls(name)
        owed = _rung(plan, [control for control in controls if control not in begun_controls], lam)
        cost = prices.wall(context.missing([*owed, *mine]))
        check = prices.wall([*_rung(plan, controls, lam), *mine]).guess * MIN_PAIRS / len(SCREEN) / seeing
        share = min(half, context.end - check) if candidates(screened(plan, context)) else context.end
        if context.missing(mine) and now + cost.guess > share:
            left_out.append((name, lam, f"no time left: {_said(cost)}"))
            continue
        begun.append(name)
        yield from work(plan, owed, context, share)
        begun_controls.update(controls)
        now = time.time()
        turn = max(costs[name].guess, (share - now) / (len(waiting) + 1))
        yield from work(plan, mine, context, min(share, now + turn))


def _said(cost: Estimate) -> str:
    if cost.unknown:
        return "what it takes with these parameters is not known"
    return f"about {cost.text} to try it" if cost.measured == 1 else f"perhaps {cost.text} to try it, by its card"


def _ended(trials: Sequence[TrialSpec], context: AdviceContext) -> bool:
    """True where every trial has a record, be it of a failure."""
    return all(context.record(trial) or context.store.sound(trial.hash) for trial in trials)


def _rung(plan: Plan, names: Sequence[str], lam: float) -> list[TrialSpec]:
    """Trials of generators at one λ; those of ``none`` belong to every λ."""
    return [t for t in plan.trials if t.generator.name in names and t.lam in (0.0, lam)]


def best_alone(plan: Plan, known: Mapping[str, float]) -> str:
    """The classifier that does best without a generator."""
    seeing = [name for name in known if plan.cards["classifier", name].learns_samples]
    return max(seeing, key=lambda name: known[name])
