"""Which generator to use on a scene: many are screened on inner draws, the best are confirmed on fresh ones.

The gain that is told comes from the confirming draws alone. The best of many on the screening draws is too good on
these: it is the best because it was lucky there too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hsiaug.bench.advice_context import AdviceContext, Prices, do, results, work
from hsiaug.bench.dispatch import Work
from hsiaug.bench.engine import Job
from hsiaug.bench.execute import worker_pool
from hsiaug.bench.gains import ArmGain, candidates, conclude, gained, key
from hsiaug.bench.plan import Plan, Request, build_plan
from hsiaug.bench.schedule import joined
from hsiaug.bench.screening import CONFIRM, SCREEN, Ceiling, LeftOut, alone, arms, best_alone, screen, screened
from hsiaug.bench.view_screening import ViewGain, screen_views
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.trial.arm import Arm
from hsiaug.trial.spec import TrialSpec

__all__ = ["Advice", "advise", "wider"]

ALPHA = 0.05


@dataclass(frozen=True)
class Advice:
    """kind: what to do. chosen: the arm it is about, where there is one, as far as it was confirmed.

    screened: on the screening draws. confirmed: on the others, the best candidate first.
    level: of the intervals, so that all candidates together are held to 95 %. left_out: generator, λ (None: all of
    them), and why it was not tried. failed: hashes. alone: AA of each classifier without a generator on the screening
    draws, the control's too. final: the trial that a benchmark should run, on its inner draw. per_draw: seconds of one
    more confirming draw. ceilings: of the protocols whose inner draws could tell nothing; where the kind is "cannot
    tell", the last is of this very protocol. views: what each classifier does on which view, where several were tried.
    """

    kind: Literal["use", "none helps", "not decided", "cannot tell"]
    chosen: ArmGain | None
    screened: tuple[ArmGain, ...]
    confirmed: tuple[ArmGain, ...]
    level: float
    left_out: LeftOut
    failed: tuple[str, ...]
    alone: Mapping[str, float]
    final: TrialSpec | None
    per_draw: float
    ceilings: tuple[Ceiling, ...]
    views: tuple[ViewGain, ...]


def wider(request: Request) -> Request | None:
    """What to ask where inner draws are at their ceiling: all labelled pixels are divided; None where they were."""
    whole = parse_protocol("within:all")
    return None if request.protocol == whole else replace(request, protocol=whole)


def advise(
    plan: Plan, request: Request, context: AdviceContext, broken: LeftOut, before: Sequence[Ceiling] = ()
) -> Advice:
    """Screen a plan and confirm the best, within the time of the context.

    broken: generators that nobody can try. before: ceilings that were met with other protocols.
    """
    left_out = list(broken)
    job = Job(request.task, context.scene_ref, context.store.root, context.device)
    with worker_pool(context.scene, job, context.engine) as run:
        plan, views = screen_views(plan, context, run)
        met = screen(plan, context, run, left_out)
        if met is not None:
            return _at_ceiling(plan, context, left_out, (*before, met), views)
        tried = screened(plan, context)
        best = [(one.arm, one.classifier) for one in candidates(tried)]
        fresh = _confirming_plan(best, request, plan, context)
        do(fresh, fresh.trials, _confirming(fresh, context), context, run)
    told = {(name, lam) for name, lam, _ in left_out}
    told |= {(one.arm.generator.name, one.arm.lam) for one in tried}
    missed = dict.fromkeys((arm.generator.name, arm.lam) for arm, _ in arms(plan))
    left_out += [(*rung, "failed, or not finished on every screening draw") for rung in missed if rung not in told]
    level = 1 - ALPHA / max(1, len(best))
    known = results(fresh, context)
    confirmed = [gained(*one, known, CONFIRM, plan.controls(one[0].generator.name)) for one in best]
    found_by = {
        finding: [one for one in confirmed if conclude(one, level, len(CONFIRM)) == finding]
        for finding in ("helps", "open", "no")
    }
    kind: Literal["use", "none helps", "not decided"] = "none helps"
    about = confirmed[:1]
    if found_by["helps"]:
        kind = "use"
        # The highest AA itself: a large gain of a poor classifier is no reason to take it.
        about = sorted(found_by["helps"], key=lambda one: -statistics.fmean(one.aa))
    elif found_by["open"] or not tried:
        kind, about = "not decided", found_by["open"]
    without = alone(results(plan, context))
    last = [t for t in fresh.trials if t.seed == CONFIRM[-1]]
    return Advice(
        kind=kind,
        chosen=about[0] if about else None,
        screened=tuple(tried),
        confirmed=tuple(one for one in confirmed if one.seeds),
        level=level,
        left_out=left_out,
        failed=_failed((*plan.trials, *fresh.trials), context),
        alone=without,
        final=None if kind == "not decided" else _final(kind, about, plan, without),
        per_draw=Prices(fresh, context).wall(last).guess,
        ceilings=tuple(before),
        views=views,
    )


def _at_ceiling(
    plan: Plan,
    context: AdviceContext,
    left_out: LeftOut,
    ceilings: tuple[Ceiling, ...],
    views: tuple[ViewGain, ...],
) -> Advice:
    """What is said where no arm was tried, because none could have gained."""
    without = alone(results(plan, context))
    final = _final("cannot tell", (), plan, without)
    failed = _failed(plan.trials, context)
    return Advice(
        kind="cannot tell",
        chosen=None,
        screened=(),
        confirmed=(),
        level=1 - ALPHA,
        left_out=left_out,
        failed=failed,
        alone=without,
        final=final,
        per_draw=0.0,
        ceilings=ceilings,
        views=views,
    )


def _failed(trials: Sequence[TrialSpec], context: AdviceContext) -> tuple[str, ...]:
    return tuple(t.hash for t in trials if not context.record(t) and context.store.sound(t.hash))


def _confirming_plan(
    best: Sequence[tuple[Arm, str]], request: Request, tried: Plan, context: AdviceContext
) -> Plan:
    views = {t.classifier.name: t.view for t in tried.trials}
    plans = [
        build_plan(
            context.scene,
            replace(
                request,
                generators=[arm.generator.name],
                classifiers=[classifier],
                views=[views[classifier]],
                lambdas=[arm.lam],
                omegas=[] if arm.omega is None else [arm.omega],
                overrides=_of(request, (arm.generator.name, *tried.controls(arm.generator.name), classifier)),
                seeds=CONFIRM,
            ),
            context.plugins,
        )
        for arm, classifier in best
    ]
    plan = joined([replace(tried, trials=(), notes=(), short=()), *plans])
    making = sorted((t for t in plan.trials if t.hash not in plan.nothing), key=lambda t: t.seed)
    return replace(plan, trials=tuple(making))


def _of(request: Request, plugins: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """What a request sets for these plugins."""
    return {name: own for name, own in (request.overrides or {}).items() if name in plugins}


def _confirming(plan: Plan, context: AdviceContext) -> Iterator[Work]:
    """Draw by draw, as long as a whole one fits."""
    for seed in CONFIRM:
        draw = [t for t in plan.trials if t.seed == seed]
        if time.time() + Prices(plan, context).wall(context.missing(draw)).guess > context.end:
            return
        yield from work(plan, draw, context, context.end)


def _final(kind: str, about: Sequence[ArmGain], plan: Plan, without: Mapping[str, float]) -> TrialSpec:
    """The trial to go on with: of the arm to use; else of ``none`` with the classifier that does best without."""
    asked: tuple[str, float, float | None, str] = ("none", 0.0, None, best_alone(plan, without))
    if kind == "use":
        one = about[0]
        asked = (one.arm.generator.name, one.arm.lam, one.arm.omega, one.classifier)
    return next(trial for trial in plan.trials if key(trial) == (*asked, SCREEN[0]))
