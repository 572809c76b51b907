"""Output of ``hsiaug advise``: what to use and why on a few lines, with commands that run as they
are printed; all that was tried below it, where that is asked for.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from statistics import fmean

from hsiaug.advice.advise import Advice
from hsiaug.advice.context import ShownByBenchmark
from hsiaug.advice.gains import ArmGain, above, arm_key
from hsiaug.advice.screening import CONFIRM
from hsiaug.advice.session import Session
from hsiaug.base.errors import SplitError
from hsiaug.bench.defaults import DRAWS, LAMBDAS, PROPOSED, STORE
from hsiaug.cli.output import name_options
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.report.formatting import count, ends_text, join_words, percent, signed, span, with_ends
from hsiaug.report.gains import in_points
from hsiaug.tasks.task import USUAL, task_of, task_words
from hsiaug.trial.arm import NONE
from hsiaug.trial.spec import TrialSpec

Row = tuple[object, ...]
HEADER = ("tried", "generator", "λ", "M", "ω", "classifier", "splits", "score", "gain")
"""Of the table of ``--notes``, with ``interval``, ``over`` and ``verdict`` behind it."""
CLOSE = 50.0
"""Percentage of inner test pixels in training patches above which a note is due."""


def advice_lines(
    advice: Advice, session: Session, benchmark: ShownByBenchmark | None
) -> list[tuple[str, str]]:
    """(label, text) of what to use, why, and how to go on.

    Parameters
    ----------
    session : Session
        Its records are of inner splits.
    benchmark : ShownByBenchmark or None
        What a benchmark of this scene has shown, where there is one.
    """
    use = f"{_configuration(advice.final)}    ({_rests_on(advice)})"
    if benchmark:
        use = benchmark.sentence
    lines = [("Use", use), ("Why", _why(advice, session))]
    commands = advice_commands(advice, session, benchmark)
    if label := commands.get("label"):
        lines.append(("Better", f"label 16 more pixels, in other fields: {label}"))
    lines.append(("Map it", commands["map"]))
    if test := commands.get("test"):
        lines.append(("Test it", test))
    return lines


def _configuration(trial: TrialSpec) -> str:
    """``svm with pseudo, λ = 1``."""
    samples = f"{trial.generator.name}, {trial.rate.in_prose}"
    return f"{trial.classifier.name} with {samples if trial.rate else 'no synthetic samples'}"


def _rests_on(advice: Advice) -> str:
    final, chosen = advice.final, advice.chosen
    key = arm_key(final.arm, final.classifier.name)
    if advice.kind == "use" and chosen and arm_key(chosen.arm, chosen.classifier) == key:
        return f"better than all its controls on {chosen.draws} inner splits"
    if not advice.ranked:
        return "a default: nothing could be ranked"
    (_, scores), (other, next_scores) = advice.ranked[:2]
    chance = "" if above(scores, next_scores) else ", a difference that may be chance"
    return (
        f"{advice.score} {percent(fmean(scores))}, the highest of {len(advice.ranked)} on"
        f" {len(scores)} inner splits; {_configuration(other)} has"
        f" {percent(fmean(next_scores))}{chance}"
    )


def _why(advice: Advice, session: Session) -> str:
    """What the inner splits show, in a sentence or two."""
    one = advice.chosen
    if advice.ceiling:
        classifier, aa = advice.ceiling
        tests = span([split.audit.n_test for split in advice.plan.splits.values()], 0)
        return (
            f"Without samples {classifier} has {percent(aa)} % on the {tests} pixels that can be"
            " held back: no generator can be ranked on them."
        )
    if advice.kind == "use" and one is not None:
        return f"{name_arm(one)} is better: {_gain(one, advice.score)}."
    tried = count(len(advice.screened), "configuration")
    if advice.kind == "none helps":
        nearest = f"{name_arm(one)} is {one.verdict}: {_gain(one, advice.score)}." if one else ""
        nearest = nearest or _nearest(advice)
        return f"No generator is better than its controls: {tried} tried. {nearest}".rstrip()
    if one is None:
        return "Unclear: no generator could be tried on every inner split. Give a larger --budget."
    more = len(CONFIRM) - one.draws
    goes_on = f" The same command goes on with {count(more, 'split')}." if more else ""
    if not one.draws:
        return f"No time was left to confirm {name_arm(one)}.{goes_on}"
    return f"{name_arm(one)} is {one.verdict} ({_gain(one, advice.score)}).{goes_on}"


def _nearest(advice: Advice) -> str:
    """Of the screening, the configuration that came nearest to its strongest control."""
    if not advice.screened:
        return ""
    best = max(advice.screened, key=lambda gain: gain.better.mean)
    return (
        f"The nearest, {name_arm(best)}, has {signed(best.better.mean)} points over"
        f" {best.better.control}."
    )


def name_arm(gain: ArmGain) -> str:
    """``pseudo with svm, λ = 1``."""
    arm = gain.arm
    omega = "" if arm.omega is None else f", ω = {arm.omega:g}"
    return f"{arm.generator.name} with {gain.classifier}, {arm.rate.in_prose}{omega}"


def _gain(gain: ArmGain, score: str) -> str:
    """Its gain over its strongest control."""
    better = gain.better
    ends = with_ends(better.main.mean, better.main.ends)
    splits = count(gain.draws, "inner split")
    return f"{score} {ends} over {better.control}, {splits}"


# Commands


def advice_commands(
    advice: Advice, session: Session, benchmark: ShownByBenchmark | None
) -> dict[str, str]:
    """How to go on: ``label``, ``map`` and ``test``. Each runs as it is printed, whatever ran
    before; what cannot be run on the scene is not there.
    """
    ref, final = session.scene_ref, advice.final
    task = advice.plan.task
    data = [ref] if task.name == task_of(ref) else [ref, *task_words(task.name)]
    usual = PROPOSED if task.name == USUAL else task.settings.generators
    samples: list[str] = []
    if final.rate:
        samples = ["--generator", final.generator.name]
        if (final.rate.lam,) != LAMBDAS:
            samples += ["--lambda", f"{final.rate.lam:g}"]
    mapped = [ref, "--classifier", final.classifier.name, *samples]
    if benchmark:
        mapped = [benchmark.hash[:12], "--store", STORE]
    commands = {"map": ["map", *mapped, "--out", "map.tif"]}
    if task.settings.advice.divides_labels:
        commands["label"] = ["label", ref, "--number", "16", "--out", "picks.csv"]
    if (typed := _drawable(advice, session)) is not None:
        proposed = samples or ["--generator", ",".join(usual)]
        learns = advice.plan.cards["classifier", final.classifier.name].learns_samples
        # A map that learns no samples, as the teacher's, runs beside all others.
        names = [final.classifier.name] if learns else task.settings.classifiers[:1]
        classifier = ["--classifier", ",".join(names)]
        commands["test"] = ["benchmark", *data, *proposed, *classifier, *typed]
        commands["test"] += ["--seeds", str(DRAWS)]
    return {name: shlex.join(["hsiaug", *words]) for name, words in commands.items()}


def _drawable(advice: Advice, session: Session) -> list[str] | None:
    """Options of a benchmark of the usual protocol, or of a few pixels of each class where fields
    are too small for that; None where neither can be drawn.
    """
    usual = advice.plan.task.settings.on(session.scene)
    patch = advice.final.patch
    typed = [] if patch == usual.patch else ["--patch", str(patch)]
    for text in (usual.protocol, "kshot:3"):
        try:
            for seed in range(DRAWS):
                session.draw(parse_protocol(text), seed, patch)
        except SplitError:
            continue
        return typed if text == usual.protocol else ["--protocol", text, *typed]
    return None


# --notes and --json


def advice_rows(advice: Advice) -> Iterator[Row]:
    """Rows of all that was tried, below HEADER and what is named there."""
    for stage, gains in (("screened", advice.screened), ("confirmed", advice.confirmed)):
        for gain in gains:
            arm, better = gain.arm, gain.better
            # Of the screening no interval: the best of many is no expectation.
            confirmed = stage == "confirmed"
            yield (
                stage,
                arm.generator.name,
                arm.rate.lam,
                arm.rate.times,
                arm.omega,
                gain.classifier,
                gain.draws,
                percent(fmean(gain.scores)),
                signed(better.main.mean),
                ends_text(better.main.ends) if confirmed else None,
                better.control,
                str(gain.verdict) if confirmed else None,
            )


def advice_notes(advice: Advice, session: Session) -> list[str]:
    """What was not tried, and what limits the answer."""
    audits = [split.audit for split in advice.plan.splits.values()]
    classes = session.scene.class_names
    reasons: dict[str, list[str]] = {}
    for name, rate, why in advice.left_out:
        said = name_options(why)
        reasons.setdefault(f"{name}: {said}", []).extend([rate.words] if rate else [])
    notes = [
        f"not tried: {why}{f' ({join_words(rates)})' if rates else ''}"
        for why, rates in reasons.items()
    ]
    if advice.failed:
        hashes = ", ".join(hash[:8] for hash in advice.failed)
        notes.append(f"failed: {count(len(advice.failed), 'trial')}, {hashes}")
    notes += advice.notes
    near = [audit.centre_overlap_percent for audit in audits]
    part = advice.plan.task.metrics.part
    notes.append(
        f"inner splits train on {span([audit.n_train for audit in audits], 0)} pixels and test on"
        f" {span([audit.n_test for audit in audits], 0)}, parts of the labels that this command"
        f" reads; {span(near)} % of the test pixels lie in a training {part}"
    )
    if fmean(near) > CLOSE:
        notes.append(
            "connected regions are too small to be divided with a distance between the parts, so"
            " inner splits do not show what helps farther away; --protocol all divides all labels"
        )
    blind = {name for (_, name), card in advice.plan.cards.items() if card.input == "location"}
    scores = [
        f"{name}{' (location alone)' if name in blind else ''} {percent(score)}"
        for name, score in advice.without_generator.items()
    ]
    notes.append(f"{advice.score} without samples: {', '.join(scores) or 'none was run'}")
    if advice.large:
        small = [name for c, name in enumerate(classes, start=1) if c not in advice.large]
        notes.append(f"{advice.score} leaves out classes with few test pixels: {', '.join(small)}")
    if advice.level > 1 - 0.05:
        notes.append(f"intervals are at {100 * advice.level:g} %, for two candidates together")
    if advice.confirmed:
        notes.append(
            "all inner splits divide the same training pixels: for other pixels of the scene the"
            " intervals would be several times as wide"
        )
    spent = time.time() - session.start
    whole = session.end - session.start
    notes.append(f"{spent:.0f} of {whole:.0f} s; records in {session.store.root}")
    return notes


def advice_json(
    advice: Advice, session: Session, benchmark: ShownByBenchmark | None
) -> dict[str, object]:
    """An advice as plain values; gains are in points, of the main score over the control that
    decides.
    """
    final = advice.final
    use = _use_json(final.classifier.name, final.generator.name, final.rate, final.omega)
    found, verdict = use, advice.chosen.verdict if advice.chosen else None
    if benchmark:
        arm, classifier = benchmark.cell.key
        use = _use_json(classifier.name, arm.generator.name, arm.rate, arm.omega)
    stages = (("screened", advice.screened), ("confirmed", advice.confirmed))
    return {
        "use": use,
        "inner_splits": {"finding": advice.kind, **found},
        "verdict": None if verdict is None else vars(verdict),
        "metric": advice.score,
        "commands": advice_commands(advice, session, benchmark),
        "configurations": [
            {"stage": stage, **_arm_json(gain)} for stage, listed in stages for gain in listed
        ],
        "without_generator": {
            name: 100 * score for name, score in advice.without_generator.items()
        },
        "lines": dict(advice_lines(advice, session, benchmark)),
        "notes": advice_notes(advice, session),
    }


def _use_json(
    classifier: str, generator: str, rate: Rate, omega: float | None
) -> dict[str, object]:
    return {
        "classifier": classifier,
        "generator": generator if rate else NONE,
        "lambda": rate.lam,
        "times": rate.times,
        "omega": omega,
    }


def _arm_json(gain: ArmGain) -> dict[str, object]:
    points = in_points(gain.better.main)
    return {
        **_use_json(gain.classifier, gain.arm.generator.name, gain.arm.rate, gain.arm.omega),
        "splits": gain.draws,
        "score": 100 * fmean(gain.scores),
        "over": gain.better.control,
        "gain": points.pop("mean"),
        **points,
        "verdict": gain.verdict.word,
        "why": gain.verdict.why,
    }


def score_header(advice: Advice) -> Sequence[str]:
    """HEADER with the name of the score."""
    names = [advice.score if name == "score" else name for name in HEADER]
    return (*names[:-1], f"Δ{advice.score}", "interval", "over", "verdict")
