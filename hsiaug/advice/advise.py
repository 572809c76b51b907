"""Choice of a generator for a scene: many are screened on inner draws, the best are confirmed on fresh ones.

The gain that is told comes from the confirming draws alone. The best of many on the screening draws is too good on
these: it is the best because it was lucky there too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hsiaug.advice.gains import ArmGain, candidates, conclude, gain_of, key
from hsiaug.advice.screening import (
    CONFIRM,
    SCREEN,
    Ceiling,
    LeftOut,
    alone,
    arms,
    best_alone,
    gains_of,
    scoring,
    screen,
)
from hsiaug.advice.session import Session
from hsiaug.base.errors import InputError
from hsiaug.bench.costs import Costs, Forecast
from hsiaug.bench.plan import Plan, Request, build_plan
from hsiaug.bench.schedule import join_plans
from hsiaug.protocol.balance import Rate
from hsiaug.trial.arm import Arm
from hsiaug.trial.spec import TrialSpec

ALPHA = 0.05


@dataclass(frozen=True)
class Advice:
    """kind: what to do. chosen: the arm it is about, where there is one, as far as it was confirmed.

    screened: on the screening draws. confirmed: on the others, the best candidate first.
    level: of the intervals, so that all candidates together are held to 95 %. left_out: generator, λ (None: all of
    them), and why it was not tried. failed: hashes. alone: AA of each classifier without a generator on the screening
    draws, the control's too. final: the trial that a benchmark should run, on its inner draw. per_draw: seconds of one
    more confirming draw. ceiling: where the kind is "cannot tell", why inner draws could tell nothing.
    score, large: as of the session that found it.
    """

    kind: Literal["use", "none helps", "not decided", "cannot tell"]
    left_out: LeftOut
    failed: tuple[str, ...]
    alone: Mapping[str, float]
    final: TrialSpec | None
    score: str
    large: tuple[int, ...]
    ceiling: Ceiling | None = None
    chosen: ArmGain | None = None
    screened: tuple[ArmGain, ...] = ()
    confirmed: tuple[ArmGain, ...] = ()
    level: float = 1 - ALPHA
    per_draw: float = 0.0


def advise(planned: tuple[Plan, LeftOut], request: Request, session: Session) -> Advice:
    """Screen generators and confirm the best, within the time of the session.

    planned: what :func:`hsiaug.advice.screening.screening_plan` makes of the request.
    Raises InputError where the engine does not wait for trials.
    """
    if not session.engine.waits:
        raise InputError(
            "`on` slurm is for benchmarks: advice waits for what its trials find",
            hint="Run this command within a job (sbatch), or with `on` dask:ADDRESS on workers that are jobs.",
        )
    plan, left_out = planned
    session = scoring(plan, session)
    met = screen(plan, session, left_out)
    without = {name: statistics.fmean(values) for name, values in alone(plan, session).items()}
    if met is not None:
        return Advice(
            kind="cannot tell",
            left_out=left_out,
            failed=_failed(plan.trials, session),
            alone=without,
            final=_final(None, plan, without),
            ceiling=met,
            score=session.score,
            large=session.large,
        )
    tried = gains_of(plan, session)
    best = [(one.arm, one.classifier) for one in candidates(tried)]
    fresh = _confirming_plan(best, request, plan, session)
    for seed in CONFIRM:
        draw = [t for t in fresh.trials if t.seed == seed]
        if time.time() + session.time(fresh, draw).seconds > session.end:
            break
        session.run(fresh, draw)
    told = {(name, rate) for name, rate, _ in left_out}
    told |= {(one.arm.generator.name, one.arm.rate) for one in tried}
    missed = dict.fromkeys((arm.generator.name, arm.rate) for arm, _ in arms(plan))
    left_out += [(*rung, "failed, or not finished on every screening draw") for rung in missed if rung not in told]
    level = 1 - ALPHA / max(1, len(best))
    known = session.results(fresh)
    confirmed = [
        gain_of(*one, known, CONFIRM, plan.controls(one[0].generator.name), session.large) for one in best
    ]
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
    final = None if kind == "not decided" else _final(about[0] if kind == "use" else None, plan, without)
    one_more = Forecast(
        {t.hash: t for t in fresh.trials if t.seed == CONFIRM[-1]},
        Costs.of([fresh], session.known.values()),
        jobs=session.engine.jobs,
    )
    return Advice(
        kind=kind,
        chosen=about[0] if about else None,
        screened=tuple(tried),
        confirmed=tuple(one for one in confirmed if one.seeds),
        level=level,
        left_out=left_out,
        failed=_failed((*plan.trials, *fresh.trials), session),
        alone=without,
        final=final,
        per_draw=one_more.left().seconds,
        score=session.score,
        large=session.large,
    )


def _failed(trials: Sequence[TrialSpec], session: Session) -> tuple[str, ...]:
    return tuple(t.hash for t in trials if not session.record(t) and session.store.sound(t.hash))


def _confirming_plan(best: Sequence[tuple[Arm, str]], request: Request, tried: Plan, session: Session) -> Plan:
    plans = []
    for arm, classifier in best:
        plugins = (arm.generator.name, *tried.controls(arm.generator.name), classifier)
        asked = replace(
            request,
            generators=[arm.generator.name],
            classifiers=[classifier],
            lambdas=[arm.rate.lam],
            times=[arm.rate.times],
            omegas=[] if arm.omega is None else [arm.omega],
            overrides={name: own for name, own in request.overrides.items() if name in plugins},
            seeds=CONFIRM,
        )
        plans.append(build_plan(session.scene, asked, session.plugins, scene_ref=session.scene_ref))
    plan = join_plans([replace(tried, trials=(), notes=()), *plans])
    making = sorted((t for t in plan.trials if t.hash not in plan.nothing), key=lambda t: t.seed)
    return replace(plan, trials=tuple(making))


def _final(use: ArmGain | None, plan: Plan, without: Mapping[str, float]) -> TrialSpec:
    """The trial to go on with: of the arm to use; else of ``none`` with the classifier that does best without."""
    asked: tuple[str, Rate, float | None, str] = ("none", Rate(0.0), None, best_alone(plan, without))
    if use is not None:
        asked = (use.arm.generator.name, use.arm.rate, use.arm.omega, use.classifier)
    return next(trial for trial in plan.trials if key(trial) == (*asked, SCREEN[0]))
