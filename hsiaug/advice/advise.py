"""Choice of a generator for a scene: many are screened on inner splits, the best are confirmed on
fresh ones.

The gain that is told comes from the confirming splits alone. The best of many on the screening
splits is too good on these: it is the best because it was lucky there too.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from hsiaug.advice.gains import ArmGain, above, arm_key, candidates, gain_of
from hsiaug.advice.screening import (
    CONFIRM,
    Ceiling,
    LeftOut,
    arms,
    baselines_of,
    ceiling,
    gains_of,
    ranking,
    run_baselines,
    scores_without_generator,
    scoring,
    screen,
    usual_recipe,
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
    """What to do on a scene, and the splits that say so.

    Attributes
    ----------
    kind : {"use", "none helps", "not decided", "cannot tell"}
        What to do.
    chosen : ArmGain or None
        The configuration it is about, where there is one, as far as it was confirmed.
    screened : tuple of ArmGain
        On the screening splits.
    confirmed : tuple of ArmGain
        On the others, the best candidate first.
    level : float
        Of the intervals, so that all candidates together are held to 95 %.
    left_out : LeftOut
        Generator, λ (None: all of them), and why it was not tried.
    failed : tuple of str
        Hashes.
    without_generator : mapping of str to float
        AA of each classifier without a generator on the screening splits, the control's too.
    final : TrialSpec
        The configuration to use, on its first inner split.
    ranked : tuple of (TrialSpec, list of float)
        What was measured on every screening split, with its scores, the best first; none where that
        is less than two, and ``final`` a default.
    ceiling : Ceiling or None
        Where the kind is "cannot tell", why inner splits could tell nothing.
    score, large : str or tuple of int
        As of the session.
    plan : Plan
        Of the inner splits that were asked.
    notes : tuple of str
        What was left out before anything was tried, and why.
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
    ranked: tuple[tuple[TrialSpec, list[float]], ...] = ()
    chosen: ArmGain | None = None
    screened: tuple[ArmGain, ...] = ()
    confirmed: tuple[ArmGain, ...] = ()
    level: float = 1 - ALPHA
    notes: tuple[str, ...] = ()


def advise(planned: tuple[Plan, LeftOut], request: Request, session: Session) -> Advice:
    """Screen generators and confirm the best, within the time of the session.

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
    every_arm, left_out = planned
    session = scoring(every_arm, session)
    plan = run_baselines(every_arm, session)
    met = ceiling(plan, session)
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
        notes=plan.notes,
    )
    if met is not None:
        return advice(
            "cannot tell",
            left_out=left_out,
            failed=session.failed(plan.trials),
            final=usual_recipe(every_arm),
            ceiling=met,
        )
    tried = gains_of(plan, session)
    to_confirm = [(gain.arm, gain.classifier) for gain in candidates(tried, baselines_of(plan))]
    fresh = _confirming_plan(to_confirm, request, plan, session)
    for seed in CONFIRM:
        split = [trial for trial in fresh.trials if trial.seed == seed]
        if time.time() + session.seconds(fresh, split) > session.end:
            break
        session.run(fresh, split)
    level = 1 - ALPHA / max(1, len(to_confirm))
    results = session.results(fresh)
    confirmed = [
        gain_of(arm, classifier, results, session.scores, level) for arm, classifier in to_confirm
    ]
    kind, chosen = _decide(confirmed, any_tried=bool(tried))
    ranked = ranking(plan, session)
    return advice(
        kind,
        left_out=[*left_out, *_unfinished(plan, left_out, tried)],
        chosen=chosen,
        screened=tuple(tried),
        confirmed=tuple(gain for gain in confirmed if gain.draws),
        level=level,
        failed=session.failed((*plan.trials, *fresh.trials)),
        ranked=tuple(ranked) if len(ranked) > 1 else (),
        final=best(ranked, chosen if kind == "use" else None, usual_recipe(every_arm)),
    )


def best(
    ranked: Sequence[tuple[TrialSpec, list[float]]], found: ArmGain | None, usual: TrialSpec
) -> TrialSpec:
    """The configuration of the highest score; that of which a gain was found unless another is
    clearly above it; the usual one where there is nothing to compare.
    """
    if len(ranked) < 2:
        return usual
    first, highest = ranked[0]
    wanted = found and arm_key(found.arm, found.classifier)
    for trial, scores in ranked:
        if arm_key(trial.arm, trial.classifier.name) == wanted and not above(highest, scores):
            return trial
    return first


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


def _decide(
    confirmed: Sequence[ArmGain], *, any_tried: bool
) -> tuple[Literal["use", "none helps", "not decided"], ArmGain | None]:
    """What to do, and the configuration that it is about.

    Parameters
    ----------
    confirmed : sequence of ArmGain
        The candidates, the best first.
    any_tried : bool
        Whether any configuration was screened on every split.
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
    """Generators and λ that were neither left out nor tried on every screening split."""
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
