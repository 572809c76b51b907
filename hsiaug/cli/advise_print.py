"""Output of ``hsiaug advise``: a table of the arms, and below it lines, whose sentences are
templates.
"""

import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

from hsiaug.advice.advise import Advice
from hsiaug.advice.context import ShownByBenchmark
from hsiaug.advice.gains import ArmGain, arm_key
from hsiaug.advice.screening import CONFIRM, SCREEN
from hsiaug.advice.session import Session
from hsiaug.bench.defaults import PROPOSED
from hsiaug.cli.output import name_options
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.report.formatting import count, ends_text, percent, signed, span, with_ends
from hsiaug.report.gains import in_points
from hsiaug.report.text_templates import labelled
from hsiaug.tasks.scores import MetricSet
from hsiaug.trial.commands import command_for, generate_command
from hsiaug.trial.spec import TrialSpec

Row = tuple[object, ...]

CLOSE = 50.0
"""Percentage of inner test pixels in training patches above which a warning is due."""


def tell_advice(
    advice: Advice, session: Session, benchmark: ShownByBenchmark | None = None
) -> tuple[tuple[str, ...], list[Row], list[tuple[str, str]]]:
    """Header and rows of all arms, and lines below: what to use and what the inner draws show, the
    command for it, and what limits both.

    Parameters
    ----------
    advice : Advice
        What was found.
    session : Session
        Its records are of inner draws.
    benchmark : ShownByBenchmark or None
        What a benchmark of this scene has shown, where there is one.
    """
    plan = advice.plan
    # Of pixels AA and OA.
    scores = plan.task.metrics.advice
    names = advice.score, scores.second.name
    gains = (f"Δ{names[0]}", "interval", f"Δ{names[1]}", "interval", "over")
    header = ("stage", "generator", "λ", "M", "ω", "classifier", "draws", names[0], *gains)
    audits = [split.audit for split in plan.splits.values()]
    classes = session.scene.class_names
    final = advice.final
    near = [audit.centre_overlap_percent for audit in audits]
    tested = [c for c in range(1, len(classes) + 1) if any(a.test_counts[c - 1] for a in audits)]
    record = session.known.get(final.hash)
    used = plan.cards["generator", advice.chosen.arm.generator.name] if advice.chosen else None
    lines = labelled(
        "advise.txt",
        **_spent(advice, session),
        gain=partial(_gain, scores=scores, names=names),
        name=_name_arm,
        taken=advice.kind == "use" and _is_taken(advice),
        percent=percent,
        untried={name for name, *_ in advice.left_out}
        - {gain.arm.generator.name for gain in advice.screened},
        screen=len(SCREEN),
        confirm=len(CONFIRM),
        near=fmean(near),
        close=CLOSE,
        single_pixels=plan.task.settings.advice.divides_labels,
        view=record["spectral_view"]["name"] if record and plan.task.metrics.chooses_view else "",
        ref=shlex.quote(session.scene_ref),
        commands=_commands(advice, session),
        leaky=_is_leaky(advice, session),
        reported=",".join(PROPOSED),
        own_map=_map_command(session, benchmark.hash) if benchmark else "",
        benchmark=benchmark,
        whole=advice.final.protocol.outer[0] is None,
        notes=advice.notes,
        train=span([audit.n_train for audit in audits], 0),
        test=span([audit.n_test for audit in audits], 0),
        tested=len(tested),
        overlap=span(near),
        part=plan.task.metrics.part,
        blind={name for (_, name), card in plan.cards.items() if card.input == "location"},
        small=[classes[c - 1] for c in tested if c not in advice.large],
        few=min(n for audit in audits for n in audit.test_counts if n) < MIN_TEST_PIXELS,
        lost=[
            classes[c - 1]
            for c in sorted({c for a in audits for c in a.lost_classes if a.train_counts[c - 1]})
        ],
        transductive=advice.kind == "use" and used is not None and used.scope == "scene",
    )
    return header, list(_rows(advice)), lines


def _is_taken(advice: Advice) -> bool:
    """Whether what to use is the arm that was confirmed."""
    final, chosen = advice.final, advice.chosen
    if chosen is None:
        return False
    used = arm_key(final.arm, final.classifier.name)
    return used == arm_key(chosen.arm, chosen.classifier)


def _rows(advice: Advice) -> Iterator[Row]:
    for stage, listed in (("screened", advice.screened), ("confirmed", advice.confirmed)):
        for gain in listed:
            gains: list[str | None] = []
            for evidence in (gain.better.main, gain.better.second):
                # Of the screening no interval: the best of many is no expectation.
                interval = None if stage == "screened" else ends_text(evidence.ends)
                gains += [signed(evidence.mean), interval]
            arm = gain.arm
            aa = percent(fmean(gain.scores))
            rate = arm.rate
            named = (arm.generator.name, rate.lam, rate.times, arm.omega, gain.classifier)
            yield stage, *named, gain.draws, aa, *gains, gain.better.control


def _spent(advice: Advice, session: Session) -> dict[str, object]:
    """The advice, what was not tried (generator, its rates, and why), and the time that was
    spent.
    """
    left_out = advice.left_out
    spent = time.time() - session.start
    reasons = {name: name_options(why) for name, _, why in reversed(left_out)}
    return {
        "advice": advice,
        "tried": [
            (
                name,
                [
                    rate.words
                    for generator, rate, _ in left_out
                    if generator == name and rate is not None
                ],
                why,
            )
            for name, why in reversed(reasons.items())
        ],
        "spent": f"{spent:.0f} of {session.end - session.start:.0f}",
        "root": session.store.root,
    }


def _name_arm(gain: ArmGain) -> str:
    arm = gain.arm
    omega = "" if gain.arm.omega is None else f", ω={gain.arm.omega:g}"
    return f"{arm.generator.name} at {arm.rate.words}{omega} with {gain.classifier}"


def _gain(gain: ArmGain, *, scores: MetricSet, names: tuple[str, str]) -> str:
    """The gain of an arm in the scores of these names, and over all classes where that differs."""
    better = gain.better
    aa, oa = (with_ends(one.mean, one.ends) for one in (better.main, better.second))
    everywhere = better.delta(scores.main.key)
    if everywhere is not None and everywhere != better.main.summary:
        aa += f", AA all {signed(everywhere.mean)}"
    return (
        f"{_name_arm(gain)}: {names[0]} {aa}, {names[1]} {oa} over {better.control}"
        f" ({count(gain.draws, 'draw')})"
    )


def _map_command(session: Session, record: str) -> str:
    """How to map the scene by the classifier of a record."""
    words = ["hsiaug", "map", session.scene_ref, "--record", record, "--out", "map.tif"]
    return shlex.join(words)


def _final_trial(advice: Advice, session: Session) -> TrialSpec:
    """What to go on with, on the outer test pixels of that very draw."""
    outer, draw = advice.final.protocol.outer
    if outer is None:
        outer = parse_protocol(advice.plan.task.settings.on(session.scene).widest, "none")
    return replace(advice.final, protocol=outer, seed=draw)


def _is_leaky(advice: Advice, session: Session) -> bool:
    """Whether the test pixels of that draw are neighbours of its training pixels."""
    spec = _final_trial(advice, session)
    split = session.draw(spec.protocol, spec.seed, spec.patch)
    return split.audit.leaky


def _commands(advice: Advice, session: Session) -> dict[str, str]:
    """How to go on, by what for: on the outer test pixels of that very draw, to a map, to files."""
    spec = _final_trial(advice, session)
    commands = {
        "command": command_for(spec, session.scene_ref),
        "map": _map_command(session, spec.hash),
    }
    if spec.rate:
        commands["samples"] = generate_command(spec, session.scene_ref)
    return commands


def advice_json(
    advice: Advice,
    session: Session,
    lines: Sequence[tuple[str, str]],
    benchmark: ShownByBenchmark | None = None,
) -> dict[str, object]:
    """An advice as plain values; gains are in points, of the main score over the control that
    decides. What to use, and its command, are those of the lines.

    Parameters
    ----------
    lines : sequence of (str, str)
        As :func:`tell_advice` gives them.
    benchmark : ShownByBenchmark or None
        What a benchmark of this scene has shown, where there is one.
    """
    final = advice.final
    inner = _use_json(final.classifier.name, final.generator.name, final.rate, final.omega)
    use, commands = inner, _commands(advice, session)
    if benchmark:
        arm, classifier = benchmark.cell.key
        use = _use_json(classifier.name, arm.generator.name, arm.rate, arm.omega)
        own_map = _map_command(session, benchmark.hash)
        commands |= {"command": own_map, "map": own_map, "or": commands["command"]}
    stages = (("screened", advice.screened), ("confirmed", advice.confirmed))
    return {
        "use": use,
        "inner_draws": {"finding": advice.kind, **inner},
        "metric": advice.score,
        "commands": commands,
        "leaky": _is_leaky(advice, session),
        "arms": [
            {"stage": stage, **_arm_json(gain)} for stage, listed in stages for gain in listed
        ],
        "without_generator": {
            name: 100 * score for name, score in advice.without_generator.items()
        },
        "lines": [{"label": label, "text": text} for label, text in lines],
    }


def _use_json(
    classifier: str, generator: str, rate: Rate, omega: float | None
) -> dict[str, object]:
    return {
        "classifier": classifier,
        "generator": generator,
        "lambda": rate.lam,
        "times": rate.times,
        "omega": omega,
    }


def _arm_json(gain: ArmGain) -> dict[str, object]:
    points = in_points(gain.better.main)
    return {
        "generator": gain.arm.generator.name,
        "lambda": gain.arm.rate.lam,
        "times": gain.arm.rate.times,
        "omega": gain.arm.omega,
        "classifier": gain.classifier,
        "draws": gain.draws,
        "score": 100 * fmean(gain.scores),
        "over": gain.better.control,
        "gain": points.pop("mean"),
        **points,
    }
