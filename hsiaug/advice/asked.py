"""Choice of classifier and samples by the pixels that were asked for: each is predicted by what learnt without it.

Such pixels lie where no label was, so they tell what inner draws of a clump cannot: what helps on new ground. The arm
that names most of them is taken, of equals the one of whose plugins most read unlabelled pixels. A classifier that is a
control is shown and never taken: it loses much where its names are wrong.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, cast

from hsiaug.advice.screening import LeftOut, classifiers_to_try, price
from hsiaug.advice.session import Session
from hsiaug.bench.plan import Plan, Request, build_plan
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.arm import CONTROLS, RIVALS, controls_of
from hsiaug.trial.spec import TrialSpec

PARTS = 8
"""Parts of the picks that are left out in turn; where there are fewer picks, each is left out alone."""


@dataclass(frozen=True)
class PickArm:
    """An arm on every pick, draw by draw.

    trial: of the first draw. right: whether it names the pick's class. new: whether the pick lies in a field without a
    training pixel. seconds: processor time of a trial, in the mean. view: spectral view that most draws took.
    """

    trial: TrialSpec
    right: tuple[bool, ...]
    new: tuple[bool, ...]
    seconds: float
    view: str

    @property
    def samples(self) -> bool:
        """Whether it learns from samples of a generator."""
        return bool(self.trial.rate)

    def above(self, other: PickArm) -> list[int]:
        """Differences pick by pick: 1 = only this arm is right, -1 = only the other."""
        return [a - b for a, b in zip(self.right, other.right, strict=True)]


@dataclass(frozen=True)
class PickAdvice:
    """arms: those that predicted every pick, the better of equals first. chosen: one of them; None where there is none.

    final: the trial that learns all picks but one; None where the time did not reach. left_out, failed: as of
    :class:`hsiaug.advice.Advice`.
    """

    arms: tuple[PickArm, ...]
    chosen: PickArm | None
    final: TrialSpec | None
    left_out: LeftOut
    failed: tuple[str, ...]


def picks_plan(scene: Scene, request: Request, plugins: Registry, scene_ref: str = "") -> Plan:
    """Every classifier that reads spectra, without samples and with those of each generator at the smallest λ.

    request: of the protocol ``picks``; without generators, the control of those that read unlabelled pixels.
    Raises what :func:`build_plan` raises.
    """
    task = get_task(request.task)
    picks, patch = cast(Any, request.protocol), request.patch or task.defaults(scene).patch
    asked = replace(
        request,
        generators=request.generators or [n for n in controls_of(task, "scene") if n not in CONTROLS],
        classifiers=classifiers_to_try(scene, request),
        lambdas=[min(request.lambdas)],
        seeds=range(min(picks.parts, len(picks.known(scene, patch).places))),
    )
    plan = build_plan(scene, asked, plugins, scene_ref=scene_ref)
    kept = tuple(
        trial
        for trial in plan.trials
        if trial.generator.name in ("none", *plan.asked)
        and plan.cards["classifier", trial.classifier.name].input != "location"
        and trial.hash not in plan.nothing
    )
    return replace(plan, trials=kept)


def advise_by_picks(plan: Plan, request: Request, session: Session) -> PickAdvice:
    """Predict every pick with every arm of the plan, the cheapest arm first, within the time of the session; choose."""
    arms: dict[tuple[str, str, str], list[TrialSpec]] = {}
    for trial in plan.trials:
        arms.setdefault((trial.classifier.name, trial.view, trial.generator.name), []).append(trial)
    left_out: LeftOut = []
    for trials in sorted(arms.values(), key=lambda trials: session.time(plan, trials).seconds):
        cost, one = session.time(plan, trials), trials[0]
        if cost.seconds and time.time() + cost.seconds > session.end:
            left_out.append((one.generator.name, one.rate, f"with {one.classifier_label} {price(cost)}"))
        else:
            session.run(plan, trials)
    whole = [_pick_arm(trials, plan, session) for trials in arms.values() if all(map(session.record, trials))]
    ranked = tuple(sorted(whole, key=lambda arm: rank(arm.trial, plan)))
    failed = session.failed(plan.trials)
    if not ranked:
        return PickAdvice((), None, None, left_out, failed)
    free = [arm for arm in ranked if arm.trial.classifier.name not in RIVALS]
    chosen, count = max(free or ranked, key=lambda arm: fmean(arm.right)), len(ranked[0].right)
    final = _try_last(chosen, request, session, count)
    return PickAdvice(ranked, chosen, final, left_out, failed)


def rank(trial: TrialSpec, plan: Plan) -> tuple[int, int]:
    """Sort key: the more of its plugins read unlabelled pixels the earlier; else classifiers in their order."""
    reading = sum(plan.cards[kind, spec.name].scope == "scene" for kind, spec in trial.plugins)
    order = [name for kind, name in plan.cards if kind == "classifier"]
    return -reading, order.index(trial.classifier.name)


def _pick_arm(trials: Sequence[TrialSpec], plan: Plan, session: Session) -> PickArm:
    right, new = [], []
    records = [session.known[trial.hash] for trial in trials]
    splits = {split.seed: cast(Split, split) for split in plan.splits}
    for trial in trials:
        split = splits[trial.seed]
        index, named = session.store.predictions(trial.hash)
        right += (split.labels.ravel()[index] == named).tolist()
        new += (~split.seen.ravel()[index]).tolist()
    views = Counter(str(record["spectral_view"]["name"]) for record in records)
    seconds = fmean(record["cpu_seconds"]["total"] for record in records)
    return PickArm(trials[0], tuple(right), tuple(new), seconds, views.most_common(1)[0][0])


def _try_last(arm: PickArm, request: Request, session: Session, picks: int) -> TrialSpec | None:
    """The trial of an arm that learns all picks but one, once it went well."""
    trial = arm.trial
    protocol = cast(Any, trial.protocol)
    named = {trial.generator.name, trial.classifier.name}
    asked = replace(
        request,
        protocol=parse_protocol(protocol.in_parts(picks), protocol.buffer),
        generators=[trial.generator.name],
        classifiers=[trial.classifier.name],
        views=[trial.view],
        lambdas=[trial.rate.lam] if trial.rate else request.lambdas,
        times=[trial.rate.times] if trial.rate else request.times,
        seeds=[picks - 1],
        overrides={name: own for name, own in request.overrides.items() if name in named},
    )
    plan = build_plan(cast(Scene, session.scene), asked, session.plugins, scene_ref=session.scene_ref)
    found = next(t for t in plan.trials if (t.arm, t.classifier) == (trial.arm, trial.classifier))
    session.run(plan, [found])
    return found if session.record(found) else None
