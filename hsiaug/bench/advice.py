"""Which generator to use on a scene: many are screened on inner draws, the best are confirmed on fresh ones.

The gain that is told comes from the confirming draws alone. The best of many on the screening draws is too good on
these: it is the best because it was lucky there too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from typing import Any, Literal

from hsiaug.bench.command import command_for
from hsiaug.bench.deadline import Run, Work, crew
from hsiaug.bench.estimate import estimate, readable
from hsiaug.bench.execute import Job, OnEvent, groups
from hsiaug.bench.gains import Arm, Gained, Results, candidates, conclude, gained, key
from hsiaug.bench.plan import CONTROL_GENERATORS, Plan, Request, build_plan
from hsiaug.errors import HsiaugError, InputError
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.plugins.card import Card
from hsiaug.plugins.registry import Registry
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record, Store

__all__ = ["CONFIRM", "SCREEN", "Advice", "Desk", "advise", "ladder", "screening_plan"]

SCREEN = range(3)
"""Inner draws on which every generator is tried."""
CONFIRM = range(100, 112)
"""Inner draws for the best of them; as many of these as the time allows."""
SCREEN_SHARE = 0.5
"""Part of the time that the screening may take."""
ALPHA = 0.05
LeftOut = list[tuple[str, float | None, str]]


@dataclass(frozen=True)
class Desk:
    """Where advice is worked out, and from when until when (seconds as ``time.time()``).

    known: records of trials that went well, by hash, once they were read.
    """

    scene: Any
    scene_ref: str
    plugins: Registry
    store: Store
    device: str
    jobs: int
    start: float
    end: float
    watch: Callable[[Mapping[str, TrialSpec]], AbstractContextManager[OnEvent]]
    known: dict[str, Record] = field(default_factory=dict)

    def record(self, trial: TrialSpec) -> Record | None:
        """The record of a trial that went well, or None."""
        if trial.hash not in self.known:
            found = self.store.get(trial.hash)
            if found is None or found["status"] != "ok":
                return None
            self.known[trial.hash] = found
        return self.known[trial.hash]


@dataclass(frozen=True)
class Advice:
    """kind: what to do. chosen: the arm it is about, where there is one, as far as it was confirmed.

    screened: on the screening draws. confirmed: on the others, the best candidate first.
    level: of the intervals, so that all candidates together are held to 95 %. left_out: generator, λ (None: all of
    them), and why it was not tried. failed: hashes. alone: AA of each classifier without a generator on the screening
    draws, the control's too. final: the trial that a benchmark should run, on its inner draw. per_draw: seconds of one
    more confirming draw.
    """

    kind: Literal["use", "none helps", "not decided"]
    chosen: Gained | None
    screened: tuple[Gained, ...]
    confirmed: tuple[Gained, ...]
    level: float
    left_out: LeftOut
    failed: tuple[str, ...]
    alone: Mapping[str, float]
    final: TrialSpec | None
    per_draw: float


def ladder(plugins: Registry) -> tuple[list[str], LeftOut]:
    """Generators of single pixels, the cheapest first, as their cards say; and those that cannot be loaded, with why."""
    cards: list[Card] = []
    broken: LeftOut = []
    for name in plugins.names("generator"):
        try:
            cards.append(plugins.find("generator", name).load().card)
        except HsiaugError as error:
            broken.append((name, None, f"could not be loaded: {error.value}"))
    usable = [c for c in cards if "pixels" in c.tasks and c.adds and c.name not in CONTROL_GENERATORS]
    return [card.name for card in sorted(usable, key=lambda card: (card.seconds, card.name))], broken


def screening_plan(scene: Any, request: Request, plugins: Registry) -> tuple[Plan, LeftOut]:
    """All arms that could be tried, and generators that cannot be loaded.

    request: without generators, the whole ladder. Raises what :func:`build_plan` raises.
    """
    names, broken = (list(request.generators), []) if request.generators else ladder(plugins)
    plan = build_plan(scene, replace(request, generators=names, seeds=SCREEN), plugins)
    if not _arms(plan):
        raise InputError(
            "--generator and --lambda must leave something to try", mend="Name a generator and a λ > 0."
        )
    return plan, broken


def advise(plan: Plan, request: Request, desk: Desk, broken: LeftOut) -> Advice:
    """Screen a plan and confirm the best, within the time of the desk. broken: generators that nobody can try."""
    left_out = list(broken)
    lambdas = [lam for lam in dict.fromkeys(request.lambdas) if lam > 0]
    job = Job("pixels", desk.scene_ref, desk.store.root, desk.device, {})
    with crew(desk.scene, job, desk.jobs) as run:
        _do(plan, _screening(plan, lambdas, desk, left_out), desk, run)
        screened = _screened(plan, desk)
        arms = [one.arm for one in candidates(screened)]
        fresh = _confirming_plan(arms, request, desk)
        _do(fresh, _confirming(fresh, desk), desk, run)
    told = {(name, lam) for name, lam, _ in left_out}
    told |= {(one.arm.generator, one.arm.lam) for one in screened}
    missed = dict.fromkeys((arm.generator, arm.lam) for arm in _arms(plan))
    left_out += [(*rung, "failed, or not finished on every screening draw") for rung in missed if rung not in told]
    level = 1 - ALPHA / max(1, len(arms))
    confirmed = [gained(arm, _results(fresh, desk), CONFIRM) for arm in arms]
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
    elif found_by["open"] or not screened:
        kind, about = "not decided", found_by["open"]
    alone = _alone(_results(plan, desk))
    last = [t for t in fresh.trials if t.seed == CONFIRM[-1]]
    return Advice(
        kind,
        about[0] if about else None,
        tuple(screened),
        tuple(one for one in confirmed if one.seeds),
        level,
        left_out,
        tuple(t.hash for t in (*plan.trials, *fresh.trials) if not desk.record(t) and desk.store.get(t.hash)),
        alone,
        None if kind == "not decided" else _final(kind, about, plan, alone),
        _wall(fresh, last, desk),
    )


def _arms(plan: Plan) -> list[Arm]:
    """The arms of a plan that are no controls, in its order."""
    arms = [Arm(t.generator.name, t.lam, t.omega, t.classifier.name) for t in plan.trials]
    return [arm for arm in dict.fromkeys(arms) if arm.generator not in CONTROL_GENERATORS]


def _do(plan: Plan, work: Iterable[Work], desk: Desk, run: Run) -> None:
    todo = {trial.hash: trial for trial in plan.trials if not desk.record(trial)}
    if todo:
        with desk.watch(todo) as on_event:
            run(work, on_event)


def _screening(plan: Plan, lambdas: Sequence[float], desk: Desk, left_out: LeftOut) -> Iterator[Work]:
    """The controls, and then, at one λ after the other, each generator that fits.

    Once there is a candidate, half of the time is kept for confirming, and what could not be confirmed in it (six
    draws, with one classifier) is not tried.
    """
    half = desk.start + SCREEN_SHARE * (desk.end - desk.start)
    blind = sum(card.input == "location" for (kind, _), card in plan.cards.items() if kind == "classifier")
    classifiers = sum(kind == "classifier" for kind, _ in plan.cards) - blind
    names = dict.fromkeys(arm.generator for arm in _arms(plan))
    yield from _work(plan, _rung(plan, CONTROL_GENERATORS, lambdas[0]), desk, desk.end)
    for lam, name in product(lambdas, names):
        whole = [*_rung(plan, CONTROL_GENERATORS, lam), *_rung(plan, (name,), lam)]
        todo = [t for t in whole if not desk.record(t)]
        done = time.time() + _wall(plan, todo, desk)
        check = _wall(plan, whole, desk) * MIN_PAIRS / len(SCREEN) / classifiers
        share = min(half, desk.end - check) if candidates(_screened(plan, desk)) else desk.end
        if todo and done > share:
            left_out.append((name, lam, f"no time left: about {readable(_wall(plan, todo, desk))} to try it"))
        else:
            yield from _work(plan, todo, desk, share)


def _screened(plan: Plan, desk: Desk) -> list[Gained]:
    """The arms that were tried on every screening draw."""
    found = [gained(arm, _results(plan, desk), SCREEN) for arm in _arms(plan)]
    return [one for one in found if len(one.seeds) == len(SCREEN)]


def _rung(plan: Plan, names: Sequence[str], lam: float) -> list[TrialSpec]:
    """Trials of generators at one λ; those of ``none`` belong to every λ."""
    return [t for t in plan.trials if t.generator.name in names and t.lam in (0.0, lam)]


def _confirming_plan(arms: Sequence[Arm], request: Request, desk: Desk) -> Plan:
    plans = [
        build_plan(
            desk.scene,
            replace(
                request,
                generators=[arm.generator],
                classifiers=[arm.classifier],
                lambdas=[arm.lam],
                omegas=[] if arm.omega is None else [arm.omega],
                seeds=CONFIRM,
            ),
            desk.plugins,
        )
        for arm in arms
    ]
    trials = {trial.hash: trial for plan in plans for trial in plan.trials}
    cards = {part: card for plan in plans for part, card in plan.cards.items()}
    samples = {hash: n for plan in plans for hash, n in plan.samples.items()}
    return Plan(tuple(sorted(trials.values(), key=lambda t: t.seed)), (), (), cards, samples)


def _confirming(plan: Plan, desk: Desk) -> Iterator[Work]:
    """Draw by draw, as long as a whole one fits."""
    for seed in CONFIRM:
        draw = [t for t in plan.trials if t.seed == seed]
        if time.time() + _wall(plan, [t for t in draw if not desk.record(t)], desk) > desk.end:
            return
        yield from _work(plan, draw, desk, desk.end)


def _work(plan: Plan, trials: Sequence[TrialSpec], desk: Desk, end: float) -> Iterator[Work]:
    """What is missing, in groups that share a fit, with the latest start of each trial.

    The first of a group is to leave time for the others: half a group is of no use.
    """
    for group in groups(t for t in trials if not desk.record(t)):
        costs = [_seconds(plan, group[: i + 1], desk) for i in range(len(group))]
        each = [costs[-1], *(b - a for a, b in pairwise(costs))]
        latest = {trial.hash: end - cost for trial, cost in zip(group, each, strict=True)}
        yield Work(group, latest, {trial.hash: command_for(trial, desk.scene_ref) for trial in group})


def _wall(plan: Plan, trials: Sequence[TrialSpec], desk: Desk) -> float:
    """Expected seconds of wall time: at least those of the longest group."""
    each = [_seconds(plan, group, desk) for group in groups(trials)]
    return max([sum(each) / desk.jobs, *each])


def _seconds(plan: Plan, trials: Sequence[TrialSpec], desk: Desk) -> float:
    """Expected seconds of one process.

    Cards speak of another machine and scene: the classifiers timed here, in proportion to their cards, correct the
    cards of generators that were not timed yet.
    """
    known = [record for trial in plan.trials if (record := desk.record(trial))]
    paces = []
    for record in known:
        card = plan.cards["classifier", record["spec"]["classifier"]["name"]]
        if card.seconds and card.input != "location":
            times = record["timings"]
            paces.append((times["fit_classifier"] + times["predict"]) / card.seconds)
    pace = statistics.median(paces) if paces else 1.0
    cards = {part: replace(card, seconds=card.seconds * pace) for part, card in plan.cards.items()}
    return estimate(replace(plan, cards=cards), trials, known, 1).guess


def _results(plan: Plan, desk: Desk) -> Results:
    return {key(trial): record for trial in plan.trials if (record := desk.record(trial))}


def _alone(results: Results) -> dict[str, float]:
    """Mean AA of each classifier without a generator."""
    found: dict[str, list[float]] = {}
    for (generator, _, _, classifier, _), record in results.items():
        if generator == "none":
            found.setdefault(classifier, []).append(record["metrics"]["aa"])
    return {name: statistics.fmean(values) for name, values in found.items()}


def _final(kind: str, about: Sequence[Gained], plan: Plan, alone: Mapping[str, float]) -> TrialSpec:
    """The trial to go on with: of the arm to use; else of ``none`` with the classifier that does best without."""
    seeing = [name for name in alone if plan.cards["classifier", name].input != "location"]
    arm = about[0].arm if kind == "use" else Arm("none", 0.0, None, max(seeing, key=lambda name: alone[name]))
    wanted = (arm.generator, arm.lam, arm.omega, arm.classifier, SCREEN[0])
    return next(trial for trial in plan.trials if key(trial) == wanted)
