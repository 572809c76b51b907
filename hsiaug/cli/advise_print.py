"""Output of ``hsiaug advise``: a table of the arms, and lines."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

from hsiaug.advice.advise import Advice
from hsiaug.advice.asked import PickAdvice, PickArm
from hsiaug.advice.gains import ArmGain
from hsiaug.advice.screening import CONFIRM, SCREEN
from hsiaug.advice.session import Session
from hsiaug.bench.command import command_for, generate_command
from hsiaug.bench.plan import Plan
from hsiaug.cli.output import name_options
from hsiaug.metrics.significance import MIN_PAIRS, paired_share_interval, share_interval, t_interval, told_apart
from hsiaug.protocol.large_classes import FEWEST
from hsiaug.report.labels import count, percent, signed, span

Lines = Iterator[tuple[str, str]]
Row = tuple[object, ...]

CLOSE = 50.0
"""Percentage of inner test pixels in training patches above which a warning is due."""


class Told(NamedTuple):
    """A table of all arms, and below it lines: the verdict, the commands to go on with, and what limits both."""

    header: tuple[str, ...]
    rows: Iterable[Row]
    lines: Lines


def tell_advice(advice: Advice, plan: Plan, session: Session) -> Told:
    """What is printed of an advice."""
    names = advice.score, plan.task.scores[1][1]
    gains = (f"Δ{names[0]}", "interval", f"Δ{names[1]}", "interval", "over")
    header = ("stage", "generator", "λ", "ω", "classifier", "draws", names[0], *gains)
    return Told(header, _rows(advice), _lines(advice, plan, session, names))


def _rows(advice: Advice) -> Iterator[Row]:
    for stage, listed in (("screened", advice.screened), ("confirmed", advice.confirmed)):
        for one in listed:
            gains: list[str | None] = []
            for values in (one.better.aa, one.better.oa):
                # Of the screening no interval: the best of many is no expectation.
                interval = None if stage == "screened" else _written(t_interval(values, advice.level))
                gains += [signed(fmean(values)), interval]
            arm, aa = one.arm, percent(fmean(one.aa))
            named = (arm.generator.name, arm.rate, arm.omega, one.classifier)
            yield stage, *named, len(one.seeds), aa, *gains, one.better.control


def _written(found: tuple[float, float] | None) -> str:
    return "–" if found is None else f"{signed(found[0])} to {signed(found[1])}"


def _lines(advice: Advice, plan: Plan, session: Session, names: tuple[str, str]) -> Lines:
    """names: of the scores that gains are told in, of pixels AA and OA."""
    yield "verdict", _verdict(advice, names)
    if fmean(split.audit.centre_overlap_percent for split in plan.splits) > CLOSE:
        yield (
            "warning",
            "the training pixels lie in clumps too small to be divided with a distance between: what helps or harms only "
            "farther away cannot be seen here; --protocol all divides all labelled pixels",
        )
    yield from (("also", _gain(one, advice.level, names)) for one in advice.confirmed if one is not advice.chosen)
    if plan.task.single_pixels:
        final = advice.final
        record = session.known.get(final.hash)
        view = record["spectral_view"]["name"] if record else final.view
        samples = f"{final.generator.name} at λ={final.rate}" if final.rate else "no samples"
        untried = "" if record else " (not run on inner draws: what gained on most public scenes)"
        yield "recipe", f"{final.classifier.name} on {view} spectra, {samples}{untried}"
        ref = shlex.quote(session.scene_ref)
        told = f"hsiaug suggest {ref} -n 16 --out picks.csv; then hsiaug advise {ref} --asked picks.csv"
        yield "or", f"label 16 pixels first, which tells of fields without a label too: {told}"
    yield from (("command", text) for text in _commands(advice, plan, session))
    yield from _rest(advice, _notes(advice, plan, session), session)


def _rest(advice: Advice | PickAdvice, notes: Iterable[tuple[str, str]], session: Session) -> Lines:
    """What was not tried, what failed, the notes, and the time that was spent."""
    left_out, failed = advice.left_out, advice.failed
    reasons = {name: name_options(why) for name, _, why in reversed(left_out)}
    for name, why in reversed(reasons.items()):
        lams = ", ".join(str(rate) for one, rate, _ in left_out if one == name and rate is not None)
        yield "not tried", f"{name}{' at λ=' if lams else ''}{lams}: {why}"
    if failed:
        yield "failed", f"{count(len(failed), 'trial')}: {', '.join(h[:8] for h in failed)}"
    yield from notes
    spent, whole = time.time() - session.start, session.end - session.start
    yield "time", f"{spent:.0f} of {whole:.0f} s; records in {session.store.root}"


def _verdict(advice: Advice, names: tuple[str, str]) -> str:
    one = advice.chosen
    if advice.kind == "use" and one is not None:
        return f"use {_gain(one, advice.level, names)}"
    if advice.kind == "none helps":
        tried = {arm.arm.generator.name for arm in advice.screened}
        untried = {name for name, _, _ in advice.left_out} - tried
        said = f"none helps of {count(len(advice.screened), 'arm')} tried"
        said += f" ({count(len(untried), 'generator')} not tried)" if untried else ""
        if one is None:
            return f"{said}: not one lay above all its controls on {len(SCREEN)} draws"
        return f"{said}: the best was {_gain(one, advice.level, names)}"
    if (met := advice.ceiling) is not None:
        at = f"without a generator {met.classifier} has {met.score} {percent(met.aa)}"
        return f"cannot tell: inner draws are at their ceiling: {at}, which leaves no room for a gain; --protocol all may"
    if one is None:
        return (
            "not decided: no generator could be tried on every screening draw; give more time, or see what failed"
        )
    n = len(one.seeds)
    said = f"the same command again goes on: {count(len(CONFIRM) - n, 'more draw')}"
    if not n:
        return f"not decided: no time was left to confirm {_name_arm(one)}; {said}"
    why = f"fewer than {MIN_PAIRS} draws" if n < MIN_PAIRS else "the interval over a control holds 0"
    return f"not decided: {_gain(one, advice.level, names)}: {why}; {said}"


def _name_arm(one: ArmGain) -> str:
    arm, omega = one.arm, "" if one.arm.omega is None else f", ω={one.arm.omega:g}"
    return f"{arm.generator.name} at λ={arm.rate}{omega} with {one.classifier}"


def _gain(one: ArmGain, level: float, names: tuple[str, str]) -> str:
    better = one.better
    aa, oa = (f"{signed(fmean(v))} [{_written(t_interval(v, level))}]" for v in (better.aa, better.oa))
    if better.all != better.aa:
        aa += f", AA all {signed(fmean(better.all))}"
    return f"{_name_arm(one)}: {names[0]} {aa}, {names[1]} {oa} over {better.control} ({count(len(one.seeds), 'draw')})"


def _commands(advice: Advice, plan: Plan, session: Session) -> Iterator[str]:
    """How to go on: on the outer test pixels of that very draw, or to a map."""
    outer, draw = advice.final.protocol.outer
    if outer is None:
        outer = plan.task.nearly_all(session.scene)
    spec = replace(advice.final, protocol=outer, seed=draw)
    yield command_for(spec, session.scene_ref)
    yield shlex.join(["hsiaug", "map", session.scene_ref, "--record", spec.hash, "--out", "map.png"])
    if spec.rate:
        yield generate_command(spec, session.scene_ref)


def _notes(advice: Advice, plan: Plan, session: Session) -> Lines:
    audits, scene = [split.audit for split in plan.splits], session.scene
    task = plan.task
    yield from (("note", note) for note in plan.notes)
    train, test = (span([getattr(a, name) for a in audits], 0) for name in ("n_train", "n_test"))
    near = span([a.centre_overlap_percent for a in audits])
    yield (
        "note",
        f"inner draws train on {train} pixels, about half of the training pixels, and test on {test}: with all of them a "
        f"gain may be smaller; {near} % of inner test pixels lie in a training patch",
    )
    blind = {name for (_, name), card in plan.cards.items() if card.input == "location"}
    alone = (f"{percent(aa)} with {n}{' (reads no band)' * (n in blind)}" for n, aa in advice.alone.items())
    yield "note", f"without a generator inner {advice.score} is {', '.join(alone) or '–'}"
    if task.single_pixels and advice.large:
        tested = (c for c in range(1, len(scene.class_names) + 1) if any(a.test_counts[c - 1] for a in audits))
        small = ", ".join(scene.class_names[c - 1] for c in tested if c not in advice.large)
        yield (
            "note",
            f"{advice.score}: classes with at least {FEWEST} test pixels in every inner draw; not {small}",
        )
    elif task.single_pixels and min(n for a in audits for n in a.test_counts if n) < FEWEST:
        said = (
            f"fewer than two classes have {FEWEST} test pixels in every inner draw, so that AA is over all of them"
        )
        yield "note", said
    lost = sorted({c for a in audits for c in a.lost_classes if a.train_counts[c - 1]})
    if lost:
        yield "note", f"too few pixels to be judged by: {', '.join(scene.class_names[c - 1] for c in lost)}"
    one = advice.chosen
    if one is not None and len(one.seeds) > 1:
        wider = f"the interval of {advice.score} is rather [{_written(one.corrected(advice.level))}]"
        yield "note", f"all draws divide the same pixels; for others like them {wider}"
    used = one.arm.generator.name if one is not None and advice.kind == "use" else ""
    if used and plan.cards["generator", used].scope == "scene":
        yield "note", f"TRANSDUCTIVE: {used} learns from unlabelled pixels of the whole scene"
    if advice.level > 0.95:
        said = f"intervals are at {100 * advice.level:g} %, so that both candidates together are held to 95 %"
        yield "note", said


# --asked


def tell_pick_advice(advice: PickAdvice, session: Session) -> Told:
    """What is printed of an advice by picks; numbers pick by pick, seconds those of a processor."""
    shares = ("picks right", "%", "95 %", "in new fields", "above", "seconds")
    rows = (_pick_row(arm, advice) for arm in advice.arms)
    return Told(("classifier", "generator", "λ", "spectra", *shares), rows, _pick_lines(advice, session))


def _without(arm: PickArm, advice: PickAdvice) -> PickArm | None:
    """The same classifier without samples; None where it is that, or was not tried."""
    same = (one for one in advice.arms if not one.samples and one.trial.classifier == arm.trial.classifier)
    return next(same, None) if arm.samples else None


def _pick_row(arm: PickArm, advice: PickAdvice) -> tuple[object, ...]:
    spec, right, n, none = arm.trial, sum(arm.right), len(arm.right), _without(arm, advice)
    low, high = share_interval(right, n)
    new = f"{sum(r for r, new in zip(arm.right, arm.new, strict=True) if new)} of {sum(arm.new)}"
    named = (spec.classifier.name, spec.generator.name, spec.rate or None, arm.view)
    share = (f"{right} of {n}", percent(right / n), f"{percent(low)} to {percent(high)}")
    return *named, *share, new, None if none is None else _above(arm, none), f"{arm.seconds:.1f}"


def _above(one: PickArm, other: PickArm) -> str:
    apart = one.above(other)
    low, high = paired_share_interval(apart.count(1), apart.count(-1), len(apart))
    return f"{signed(sum(apart) / len(apart))} [{signed(low)} to {signed(high)}]"


def _name_pick_arm(arm: PickArm) -> str:
    spec = arm.trial
    samples = f" with {spec.generator.name} at λ={spec.rate}" if arm.samples else " without samples"
    return f"{spec.classifier.name} on {arm.view} spectra{samples}"


def _pick_lines(advice: PickAdvice, session: Session) -> Lines:
    chosen = advice.chosen
    if chosen is None:
        yield "verdict", "not decided: no arm predicted every pick; give more time, or see what failed"
    else:
        yield from _pick_verdict(chosen, advice, session)
    where = "where classifiers disagree, so these shares lie below the accuracy of a map: they compare arms on new ground"
    yield from _rest(advice, [("note", f"picks were asked for {where}")], session)


def _pick_verdict(chosen: PickArm, advice: PickAdvice, session: Session) -> Lines:
    n, right = len(chosen.right), sum(chosen.right)
    above = [_name_pick_arm(arm) for arm in advice.arms if sum(arm.right) > right]
    sure = [arm for arm in advice.arms if sum(chosen.above(arm)) > 0 and told_apart(chosen.above(arm))]
    yield (
        "verdict",
        f"{_name_pick_arm(chosen)}: {right} of {n} picks right that it had not learnt; "
        f"{len(sure)} of {count(len(advice.arms) - 1, 'other arm')} lie below by more than a standard error",
    )
    if above:
        yield "note", f"{', '.join(above)} has more, but is a control, which loses much where its names are wrong"
    none = _without(chosen, advice)
    if none is not None:
        yield "samples", f"{_above(chosen, none)} points above the same classifier without samples"
    if advice.final is not None:
        ref, store = session.scene_ref, str(session.store.root)
        record = ["--record", advice.final.hash, "--store", store]
        yield "command", shlex.join(["hsiaug", "map", ref, *record, "--out", "map.png"])
        if chosen.samples:
            yield "command", generate_command(advice.final, ref, store)
