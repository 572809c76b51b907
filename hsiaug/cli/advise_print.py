"""Output of ``hsiaug advise``: its lines and its file."""

from __future__ import annotations

import shlex
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from hsiaug.advice.advise import Advice
from hsiaug.advice.gains import ArmGain
from hsiaug.advice.screening import CONFIRM, SCREEN, Ceiling
from hsiaug.advice.session import Session
from hsiaug.bench.command import command_for, generate_command
from hsiaug.bench.costs import readable
from hsiaug.bench.plan import Plan
from hsiaug.cli.output import name_options, print_lines, print_table
from hsiaug.metrics.significance import MIN_PAIRS, t_interval
from hsiaug.protocol.large_classes import FEWEST
from hsiaug.report.labels import MISSING, count, percent, signed, span
from hsiaug.tasks.task import USUAL, get_task

if TYPE_CHECKING:
    from rich.console import Console

ARM = ("generator", "λ", "ω", "classifier")
CLOSE = 50.0
"""Percentage of inner test pixels in training patches above which a warning is due."""


def print_advice(advice: Advice, plan: Plan, session: Session, out: Console) -> None:
    """A table of all arms, and below it the verdict, the command to go on with, and what limits both."""
    main, second = _names(advice, plan)
    header = ("stage", *ARM, "draws", main, f"Δ{main}", "interval", f"Δ{second}", "interval", "over")
    print_table(out, header, _rows(advice))
    lines = [f"{name}\t{text}" for name, text in _lines(advice, plan, session)]
    print_lines(out, (line.expandtabs(11) for line in lines) if out.is_terminal else lines)


def _stages(advice: Advice) -> Iterator[tuple[str, ArmGain]]:
    for stage, listed in (("screened", advice.screened), ("confirmed", advice.confirmed)):
        yield from ((stage, one) for one in listed)


def advice_json(advice: Advice, plan: Plan, session: Session) -> dict[str, object]:
    """All numbers, as fractions, and the hashes of their records."""

    def entry(one: ArmGain) -> dict[str, object]:
        intervals = {
            c.control: {"aa": t_interval(c.aa, advice.level), "oa": t_interval(c.oa, advice.level)}
            for c in one.against
        }
        return {**_as_json(one), "intervals": intervals, "corrected": one.corrected(advice.level)}

    return {
        "scene": session.scene.name,
        "protocol": plan.trials[0].protocol.as_json(),
        **asdict(replace(advice, final=None)),
        "chosen": None if advice.chosen is None else _as_json(advice.chosen),
        "screened": [entry(one) for one in advice.screened],
        "confirmed": [entry(one) for one in advice.confirmed],
        "lines": list(_lines(advice, plan, session)),
        "seconds": time.time() - session.start,
        "budget": session.end - session.start,
    }


def _as_json(one: ArmGain) -> dict[str, object]:
    arm = {
        "generator": one.arm.generator.name,
        "lam": one.arm.rate.lam,
        "times": one.arm.rate.times,
        "omega": one.arm.omega,
    }
    facts = {name: value for name, value in asdict(one).items() if name != "classifier"}
    return {**facts, "arm": {**arm, "classifier": one.classifier}}


def _names(advice: Advice, plan: Plan) -> tuple[str, str]:
    """The scores that gains are told in: of pixels AA and OA."""
    return advice.score, get_task(plan.task).scores[1][1]


def _rows(advice: Advice) -> Iterator[tuple[str, ...]]:
    for stage, one in _stages(advice):
        gains: list[str] = []
        for values in (one.better.aa, one.better.oa):
            # Of the screening no interval: the best of many is no expectation.
            interval = MISSING if stage == "screened" else _interval(t_interval(values, advice.level))
            gains += [signed(statistics.fmean(values)), interval]
        arm, aa = one.arm, percent(statistics.fmean(one.aa))
        omega = MISSING if arm.omega is None else f"{arm.omega:g}"
        named = (arm.generator.name, str(arm.rate), omega, one.classifier)
        yield stage, *named, str(len(one.seeds)), aa, *gains, one.better.control


def _interval(found: tuple[float, float] | None) -> str:
    return MISSING if found is None else f"{signed(found[0])} to {signed(found[1])}"


def _lines(advice: Advice, plan: Plan, session: Session) -> Iterator[tuple[str, str]]:
    notes = list(_notes(advice, plan, session))
    names = _names(advice, plan)
    yield "verdict", _verdict(advice, names)
    here = advice.kind == "cannot tell"
    yield from (("warning", _left_line(met)) for met in (advice.ceilings[:-1] if here else advice.ceilings))
    yield from (note for note in notes if note[0] == "warning")
    yield from (("also", _gain(one, advice.level, names)) for one in advice.confirmed if one is not advice.chosen)
    if plan.task == USUAL:
        yield from _recipe(advice, session)
    yield from (("command", text) for text in _commands(advice, session))
    reasons = {name: name_options(why) for name, _, why in reversed(advice.left_out)}
    for name in dict.fromkeys(name for name, _, _ in advice.left_out):
        lams = ", ".join(str(rate) for one, rate, _ in advice.left_out if one == name and rate is not None)
        yield "not tried", f"{name}{' at λ=' if lams else ''}{lams}: {reasons[name]}"
    if advice.failed:
        yield "failed", f"{count(len(advice.failed), 'trial')}: {', '.join(h[:8] for h in advice.failed)}"
    yield from (note for note in notes if note[0] != "warning")
    yield (
        "time",
        f"{time.time() - session.start:.0f} of {session.end - session.start:.0f} s; records in {session.store.root}",
    )


def _score_note(
    advice: Advice, counts: Sequence[Sequence[int]], class_names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Note on classes of few test pixels. counts: of each screening draw, test pixels of the class ids 1..C."""
    tested = {c: min(filter(None, own)) for c, own in enumerate(zip(*counts, strict=True), start=1) if any(own)}
    if advice.large:
        small = ", ".join(class_names[c - 1] for c in tested if c not in advice.large)
        yield (
            "note",
            f"{advice.score}: classes with at least {FEWEST} test pixels in every inner draw; not {small}",
        )
    elif min(tested.values()) < FEWEST:
        least = min(tested, key=lambda c: tested[c])
        yield (
            "note",
            f"fewer than two classes have {FEWEST} test pixels in every inner draw, so that AA is over all of them: one "
            f"pixel of {class_names[least - 1]} may be worth {100 / len(tested) / tested[least]:.1f} points",
        )


def _verdict(advice: Advice, names: tuple[str, str]) -> str:
    one = advice.chosen
    if advice.kind == "use" and one is not None:
        return f"use {_gain(one, advice.level, names)}"
    if advice.kind == "none helps":
        untried = {name for name, _, _ in advice.left_out} - {
            tried.arm.generator.name for tried in advice.screened
        }
        said = f"none helps of {count(len(advice.screened), 'arm')} tried"
        if untried:
            said += f" ({count(len(untried), 'generator')} not tried)"
        if one is None:
            all_ = "both" if all(len(tried.against) == 2 for tried in advice.screened) else "all its"
            return f"{said}: not one lay above {all_} controls on {len(SCREEN)} draws"
        return f"{said}: the best was {_gain(one, advice.level, names)}"
    if advice.kind == "cannot tell":
        met = advice.ceilings[-1]
        return (
            f"cannot tell: inner draws are at their ceiling: {_at_ceiling(met)}, which leaves no room for a "
            "gain that could be told from chance"
        )
    if one is None:
        return (
            "not decided: no generator could be tried on every screening draw; give more time, or see what failed"
        )
    n = len(one.seeds)
    left = count(len(CONFIRM) - n, "more draw")
    said = f"the same command again goes on: {left}, about {readable((len(CONFIRM) - n) * advice.per_draw)}"
    if not n:
        return f"not decided: no time was left to confirm {_name_arm(one)}; {said}"
    why = f"fewer than {MIN_PAIRS} draws" if n < MIN_PAIRS else "the interval over a control holds 0"
    return f"not decided: {_gain(one, advice.level, names)}: {why}; {said}"


def _left_line(met: Ceiling) -> str:
    return (
        f"inner draws of {met.protocol} are at their ceiling ({_at_ceiling(met)}; {met.near:.1f} % of their test "
        "pixels lie in a training patch) and cannot tell: all labelled pixels were divided in place of its training "
        "pixels, so that test pixels of this scene are no fair judge of the choice"
    )


def _at_ceiling(met: Ceiling) -> str:
    return f"without a generator {met.classifier} has {met.score} {percent(met.aa)}"


def _name_arm(one: ArmGain) -> str:
    arm, omega = one.arm, "" if one.arm.omega is None else f", ω={one.arm.omega:g}"
    return f"{arm.generator.name} at λ={arm.rate}{omega} with {one.classifier}"


def _gain(one: ArmGain, level: float, names: tuple[str, str]) -> str:
    better = one.better
    aa, oa = (f"{signed(statistics.fmean(v))} [{_interval(t_interval(v, level))}]" for v in (better.aa, better.oa))
    if better.all != better.aa:
        aa += f", AA all {signed(statistics.fmean(better.all))}"
    return f"{_name_arm(one)}: {names[0]} {aa}, {names[1]} {oa} over {better.control} ({count(len(one.seeds), 'draw')})"


ASKING = (
    "label 16 pixels first. Elsewhere (benchmarks/results/asked/bar.md; not measured on this scene) that was worth, "
    "with the SVM, AA +8.8 [+6.9 to +10.7] and +8.8 in new fields on Indian Pines (as much as 1.7 labels of every "
    "class anywhere), +3.0 [+1.5 to +4.4] and +2.4 on a crop of Houston (4.1 labels), +18.6 [+9.8 to +27.3] and +9.5 "
    "on a crop of Pavia, +1.9 [-1.4 to +5.2] and +3.7 on Jasper Ridge; 16 random pixels +4.4, +2.4, +17.9 and +1.7; "
    "to find them took 13 s of a processor on Indian Pines"
)
"""Worth of asking where it was measured, over 10 draws, with 95 % intervals; labels read off the mean curve."""


def _recipe(advice: Advice, session: Session) -> Iterator[tuple[str, str]]:
    """What to do by these draws, with its gain in seen and in new fields and its cost; and the alternative, to ask."""
    final = advice.final
    if final is not None:
        record = session.known.get(final.hash)
        view = record["spectral_view"]["name"] if record else final.view
        samples = f"{final.generator.name} at λ={final.rate}" if final.rate else "no samples"
        used = [one for one in advice.confirmed if one is advice.chosen and final.rate]
        gain = "".join(f"; AA {text}" for one in used for text in _by_ground(one, session, advice.level))
        cost = "" if record is None else f"; {record['cpu_seconds']['total']:.1f} s of a processor a trial"
        yield "recipe", f"{final.classifier.name} on {view} spectra, {samples}{gain}{cost}"
    else:
        yield "recipe", "no samples until it is decided"
    yield "or", ASKING
    command = shlex.join(["hsiaug", "suggest", session.scene_ref, "-n", "16", "--out", "picks.csv"])
    yield "or", f"{command}; then hsiaug advise {shlex.quote(session.scene_ref)} --asked picks.csv"
    yield (
        "note",
        "of fields without a label this command cannot know what helps: inner test pixels lie where labels are. Picks do "
        "not: --asked chooses by them",
    )


def _by_ground(one: ArmGain, session: Session, level: float) -> Iterator[str]:
    """Mean gain in AA, of all classes, over the control that is hardest to beat: in fields with and without training
    pixels, over the draws that test such.
    """
    place = 1 + one.against.index(one.better)
    for ground, said in (("seen", "seen fields"), ("new", "new fields")):
        aa = [
            [session.known[hashes[i]]["metrics"]["fields"][ground]["aa"] for i in (0, place)]
            for hashes in one.hashes
        ]
        found = [mine - other for mine, other in aa if mine is not None and other is not None]
        if found:
            interval = _interval(t_interval(found, level))
            yield f"{signed(statistics.fmean(found))} [{interval}] in {said} ({count(len(found), 'draw')})"


def _commands(advice: Advice, session: Session) -> Iterator[str]:
    """How to go on: on the outer test pixels of that very draw, or to a map."""
    if advice.final is None:
        return
    outer, draw = advice.final.protocol.outer
    if outer is None:
        outer = get_task(advice.final.task).nearly_all(session.scene)
    spec = replace(advice.final, protocol=outer, seed=draw)
    yield command_for(spec, session.scene_ref)
    yield shlex.join(["hsiaug", "map", session.scene_ref, "--record", spec.hash, "--out", "map.png"])
    if spec.rate:
        yield generate_command(spec, session.scene_ref)


def _notes(advice: Advice, plan: Plan, session: Session) -> Iterator[tuple[str, str]]:
    audits = [split.audit for split in plan.splits]
    (outer, draw), scene, task = plan.trials[0].protocol.outer, session.scene, get_task(plan.trials[0].task)
    whole = audits[0].n_train + audits[0].n_test + audits[0].n_buffered
    if outer is not None:
        whole = task.split(scene, outer, draw, plan.trials[0].patch).audit.n_train
    yield from (("note", note) for note in plan.notes)
    train, test = (span([getattr(a, name) for a in audits], 0) for name in ("n_train", "n_test"))
    near = [a.centre_overlap_percent for a in audits]
    blind = {name for (_, name), card in plan.cards.items() if card.input == "location"}
    alone = [
        f"{percent(aa)} with {name}{' (reads no band)' if name in blind else ''}"
        for name, aa in advice.alone.items()
    ]
    if statistics.fmean(near) > CLOSE:
        yield (
            "warning",
            "the training pixels lie in clumps too small to be divided with a distance between: what helps or harms only "
            "farther away, where most of a scene is, cannot be seen here"
            + ("" if outer is None else "; --protocol all divides all labelled pixels"),
        )
    yield (
        "note",
        f"inner draws train on {train} of the {whole:,} training pixels, about half, and test on {test}: with "
        "all of them a gain may be smaller",
    )
    yield "note", f"{span(near)} % of inner test pixels lie in a training patch"
    yield "note", f"without a generator inner {advice.score} is {', '.join(alone) or MISSING}"
    if task.single_pixels:
        yield from _score_note(advice, [audit.test_counts for audit in audits], scene.class_names)
    lost = sorted({c for a in audits for c in a.lost_classes if a.train_counts[c - 1]})
    if lost:
        yield "note", f"too few pixels to be judged by: {', '.join(scene.class_names[c - 1] for c in lost)}"
    if advice.chosen is not None and len(advice.chosen.seeds) > 1:
        wider = _interval(advice.chosen.corrected(advice.level))
        yield (
            "note",
            "all draws divide the same pixels; for others like them the interval of "
            f"{advice.score} is rather [{wider}]",
        )
    if advice.kind == "use" and advice.chosen is not None:
        generator, classifier = advice.chosen.arm.generator.name, advice.chosen.classifier
        same = (one for one in advice.screened if (one.arm, one.classifier) == (advice.chosen.arm, classifier))
        mine = statistics.fmean(next(same).aa)
        better = [name for name, aa in advice.alone.items() if aa > mine and name not in blind]
        if better:
            yield (
                "note",
                f"without a generator {', '.join(better)} does better still than {classifier} with it",
            )
        if plan.cards["generator", generator].scope == "scene":
            yield "note", f"TRANSDUCTIVE: {generator} learns from unlabelled pixels of the whole scene"
    if advice.level > 0.95:
        yield (
            "note",
            f"intervals are at {100 * advice.level:g} %, so that both candidates together are held to 95 %",
        )
