"""Output of ``hsiaug advise --asked``: its lines and its file."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from hsiaug.advice.asked import PickAdvice, PickArm
from hsiaug.advice.session import Session
from hsiaug.bench.command import generate_command
from hsiaug.cli.output import print_lines, print_table
from hsiaug.metrics.significance import paired_share_interval, share_interval, told_apart
from hsiaug.report.labels import MISSING, count, percent, signed

if TYPE_CHECKING:
    from rich.console import Console

HEADER = (
    "classifier",
    "generator",
    "λ",
    "spectra",
    "picks right",
    "%",
    "95 %",
    "in new fields",
    "above",
    "seconds",
)


def print_pick_advice(advice: PickAdvice, session: Session, out: Console) -> None:
    """A table of all arms, and below it the verdict, the recipe and what limits both."""
    print_table(out, HEADER, (_row(arm, advice) for arm in advice.arms))
    lines = [f"{name}\t{text}" for name, text in _lines(advice, session)]
    print_lines(out, (line.expandtabs(11) for line in lines) if out.is_terminal else lines)


def pick_advice_json(advice: PickAdvice, session: Session) -> dict[str, object]:
    """All numbers, pick by pick; shares are fractions, seconds those of a processor."""

    def entry(arm: PickArm) -> dict[str, object]:
        spec = arm.trial
        named = {
            "generator": spec.generator.name,
            "lam": spec.rate.lam,
            "times": spec.rate.times,
            "classifier": spec.classifier_label,
        }
        return {**asdict(replace(arm, trial=None)), "trial": spec.hash, **named}  # type: ignore[arg-type]

    return {
        "scene": session.scene.name,
        "arms": [entry(arm) for arm in advice.arms],
        "chosen": None if advice.chosen is None else entry(advice.chosen),
        "before": advice.before,
        "final": None if advice.final is None else advice.final.hash,
        "left_out": advice.left_out,
        "failed": advice.failed,
        "lines": list(_lines(advice, session)),
    }


def _without(arm: PickArm, advice: PickAdvice) -> PickArm | None:
    """The same classifier without samples; None where it is that, or was not tried."""
    same = (one for one in advice.arms if not one.samples and one.trial.classifier == arm.trial.classifier)
    return next(same, None) if arm.samples else None


def _row(arm: PickArm, advice: PickAdvice) -> tuple[str, ...]:
    spec, right, n = arm.trial, sum(arm.right), len(arm.right)
    low, high = share_interval(right, n)
    new = f"{sum(r for r, new in zip(arm.right, arm.new, strict=True) if new)} of {sum(arm.new)}"
    lam = str(spec.rate) if spec.rate else MISSING
    none = _without(arm, advice)
    told = MISSING if none is None else _above(arm, none)
    named = (spec.classifier.name, spec.generator.name, lam, arm.view)
    share = (f"{right} of {n}", percent(right / n), f"{percent(low)} to {percent(high)}")
    return *named, *share, new, told, f"{arm.seconds:.1f}"


def _above(one: PickArm, other: PickArm) -> str:
    apart = one.above(other)
    low, high = paired_share_interval(apart.count(1), apart.count(-1), len(apart))
    return f"{signed(sum(apart) / len(apart))} [{signed(low)} to {signed(high)}]"


def _named(arm: PickArm) -> str:
    spec = arm.trial
    samples = f" with {spec.generator.name} at λ={spec.rate}" if arm.samples else " without samples"
    return f"{spec.classifier.name} on {arm.view} spectra{samples}"


def _lines(advice: PickAdvice, session: Session) -> Iterator[tuple[str, str]]:
    chosen = advice.chosen
    if chosen is None:
        yield "verdict", "not decided: no arm predicted every pick; give more time, or see what failed"
    else:
        yield from _recipe(chosen, advice, session)
    for name, lam, why in advice.left_out:
        yield "not tried", f"{name}{f' at λ={lam}' if lam else ''}: {why}"
    if advice.failed:
        yield "failed", f"{count(len(advice.failed), 'trial')}: {', '.join(h[:8] for h in advice.failed)}"
    yield (
        "note",
        "picks were asked for where classifiers disagree, so these shares lie below the accuracy of a map: "
        "they compare arms on new ground",
    )
    yield (
        "time",
        f"{time.time() - session.start:.0f} of {session.end - session.start:.0f} s; records in {session.store.root}",
    )


def _recipe(chosen: PickArm, advice: PickAdvice, session: Session) -> Iterator[tuple[str, str]]:
    n, right = len(chosen.right), sum(chosen.right)
    above = [_named(arm) for arm in advice.arms if sum(arm.right) > right]
    sure = [arm for arm in advice.arms if sum(chosen.above(arm)) > 0 and told_apart(chosen.above(arm))]
    yield (
        "verdict",
        f"{_named(chosen)}: {right} of {n} picks right that it had not learnt; "
        f"{len(sure)} of {count(len(advice.arms) - 1, 'other arm')} lie below by more than a standard error",
    )
    if above:
        yield "note", f"{', '.join(above)} has more, but is a control, which loses much where its names are wrong"
    none = _without(chosen, advice)
    if none is not None:
        yield "samples", f"{_above(chosen, none)} points above the same classifier without samples"
    if advice.before is not None:
        yield (
            "asking",
            f"without any of these {n} labels the same arm names {percent(advice.before)} % of them right, with the "
            f"others' {percent(right / n)} %: that is what asking was worth on this scene",
        )
    if advice.final is not None:
        ref, store = session.scene_ref, str(session.store.root)
        record = ["--record", advice.final.hash, "--store", store]
        yield "command", shlex.join(["hsiaug", "map", ref, *record, "--out", "map.png"])
        if chosen.samples:
            yield "command", generate_command(advice.final, ref, store)
