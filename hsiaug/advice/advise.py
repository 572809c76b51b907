"""Choice of a generator for a scene: many are screened on inner draws, the best are confirmed on
fresh ones.

The gain that is told comes from the confirming draws alone. The best of many on the screening
draws is too good on these: it is the best because it was lucky there too.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from hsiaug.advice.gains import ArmGain, candidates, gain_of
from hsiaug.advice.screening import (
    CONFIRM,
    HARDER,
    Ceiling,
    LeftOut,
    arms,
    baselines_of,
    ceiling,
    gains_of,
    harder_question,
    recipe,
    run_baselines,
    scores_without_generator,
    scoring,
    screen,
    too_easy,
)
from hsiaug.advice.session import Session
from hsiaug.base.errors import InputError
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.plans_of_runs import join_plans
from hsiaug.bench.request import Request
from hsiaug.metrics.significance import ALPHA
from hsiaug.trial.arm import Arm
from hsiaug.trial.spec import TrialSpec


@dataclass(frozen=True)
class Advice:
    """What to do on a scene, and the draws that say so.

    Attributes
    ----------
    kind : {"use", "none helps", "not decided", "cannot tell"}
        What to do.
    chosen : ArmGain or None
        The arm it is about, where there is one, as far as it was confirmed.
    screened : tuple of ArmGain
        On the screening draws.
    confirmed : tuple of ArmGain
        On the others, the best candidate first.
    level : float
        Of the intervals, so that all candidates together are held to 95 %.
    left_out : LeftOut
        Generator, λ (None: all of them), and why it was not tried.
    failed : tuple of str
        Hashes.
    without_generator : mapping of str to float
        AA of each classifier without a generator on the screening draws, the control's too.
    final : TrialSpec
        The recipe, on its inner draw.
    ceiling : Ceiling or None
        Where the kind is "cannot tell", why inner draws could tell nothing.
    score, large : str or tuple of int
        As of the session.
    plan : Plan
        Of the inner draws that were asked.
    notes : tuple of str
        What was left out before anything was tried, and why; and whether easier inner draws came
        before these.
    """

    kind: Literal["use", "none helps", "not decided", "cannot tell"]
    left_out: LeftOut
    failed: tuple[str, ...]
    without_generator: Mapping[str, float]
    final: TrialSpec
    score: str
    large: tuple[int, ...]
    plan: Plan
    ceiling: Ceiling | None = None
    chosen: ArmGain | None = None
    screened: tuple[ArmGain, ...] = ()
    confirmed: tuple[ArmGain, ...] = ()
    level: float = 1 - ALPHA
    notes: tuple[str, ...] = ()


def advise(planned: tuple[Plan, LeftOut], request: Request, session: Session) -> Advice:
    """Screen generators and confirm the best, within the time of the session.

    Where a classifier has next to nothing left to gain on the inner draws, harder ones are asked in
    their place.

    Parameters
    ----------
    planned : (Plan, LeftOut)
        What :func:`hsiaug.advice.screening.screening_plan` makes of the request.

    Raises
    ------
    InputError
        Where the engine does not wait for trials.
    """
    _check_engine(session)
    plan, left_out = planned
    easier: list[str] = []
    harder = iter(HARDER)
    while True:
        session = scoring(plan, session)
        # What to go on with may be a classifier that these draws have no time for.
        every_arm = plan
        plan = run_baselines(plan, session)
        met = ceiling(plan, session)
        asked = harder_question(request, next(harder, None), session) if met else None
        if met is None or asked is None:
            break
        easier.append(too_easy(plan, met, session))
        request, (plan, left_out) = asked
    if met is None:
        screen(plan, session, left_out)
    advice = partial(
        Advice,
        plan=every_arm,
        without_generator={
            name: statistics.fmean(scores)
            for name, scores in scores_without_generator(plan, session).items()
        },
        score=session.scores.main.name,
        large=session.large,
        notes=(*easier, *plan.notes),
    )
    if met is not None:
        return advice(
            "cannot tell",
            left_out=left_out,
            failed=session.failed(plan.trials),
            final=recipe(every_arm, session),
            ceiling=met,
        )
    tried = gains_of(plan, session)
    best = [(gain.arm, gain.classifier) for gain in candidates(tried, baselines_of(plan))]
    fresh = _confirming_plan(best, request, plan, session)
    _run_in_time(fresh, session)
    level = 1 - ALPHA / max(1, len(best))
    results = session.results(fresh)
    confirmed = [
        gain_of(arm, classifier, results, session.scores, level) for arm, classifier in best
    ]
    kind, chosen = _decide(confirmed, any_tried=bool(tried))
    return advice(
        kind,
        left_out=[*left_out, *_unfinished(plan, left_out, tried)],
        chosen=chosen,
        screened=tuple(tried),
        confirmed=tuple(gain for gain in confirmed if gain.draws),
        level=level,
        failed=session.failed((*plan.trials, *fresh.trials)),
        final=recipe(every_arm, session, chosen if kind == "use" else None),
    )


def _check_engine(session: Session) -> None:
    """Raise InputError where the engine does not wait for trials."""
    if not session.engine.waits:
        hint = (
            "Run this command within a job (sbatch), or with `on` dask:ADDRESS on workers that are"
            " jobs."
        )
        raise InputError(
            "`on` slurm is for benchmarks: advice waits for what its trials find", hint=hint
        )


def _run_in_time(fresh: Plan, session: Session) -> None:
    """Run the confirming draws for which there is time."""
    for seed in CONFIRM:
        draw = [trial for trial in fresh.trials if trial.seed == seed]
        if time.time() + session.seconds(fresh, draw) > session.end:
            return
        session.run(fresh, draw)


def _decide(
    confirmed: Sequence[ArmGain], *, any_tried: bool
) -> tuple[Literal["use", "none helps", "not decided"], ArmGain | None]:
    """What to do, and the arm that it is about.

    Parameters
    ----------
    confirmed : sequence of ArmGain
        The candidates, the best first.
    any_tried : bool
        Whether any arm was screened on every draw.
    """
    better = [gain for gain in confirmed if gain.verdict.word == "better"]
    if better:
        # The highest AA itself: a large gain of a poor classifier is no reason to take it.
        return "use", max(better, key=lambda gain: statistics.fmean(gain.scores))
    unclear = [gain for gain in confirmed if gain.verdict.word == "unclear"]
    if unclear or not any_tried:
        return "not decided", next(iter(unclear), None)
    return "none helps", next(iter(confirmed), None)


def _unfinished(plan: Plan, left_out: LeftOut, tried: Sequence[ArmGain]) -> LeftOut:
    """Generators and λ that were neither left out nor tried on every screening draw."""
    explained = {(name, rate) for name, rate, _ in left_out}
    explained |= {(gain.arm.generator.name, gain.arm.rate) for gain in tried}
    asked = dict.fromkeys((arm.generator.name, arm.rate) for arm, _ in arms(plan))
    why = "failed, or not finished on every screening split"
    return [(*rung, why) for rung in asked if rung not in explained]


def _confirming_plan(
    best: Sequence[tuple[Arm, str]], request: Request, tried: Plan, session: Session
) -> Plan:
    plans = []
    for arm, classifier in best:
        plugins = (arm.generator.name, *tried.controls(arm.generator.name), classifier)
        overrides = {
            name: settings for name, settings in request.overrides.items() if name in plugins
        }
        confirming = request.model_copy(
            update={
                "generators": (arm.generator.name,),
                "classifiers": (classifier,),
                "lambdas": (arm.rate.lam,),
                "times": (arm.rate.times,),
                "omegas": () if arm.omega is None else (arm.omega,),
                "overrides": overrides,
                "seeds": tuple(CONFIRM),
            }
        )
        plans.append(
            build_plan(
                session.scene,
                confirming,
                session.plugins,
                scene_ref=session.scene_ref,
                draw=session.draw,
            )
        )
    plan = join_plans([replace(tried, trials=(), notes=()), *plans])
    making = sorted((t for t in plan.trials if t.hash not in plan.nothing), key=lambda t: t.seed)
    return replace(plan, trials=tuple(making))
