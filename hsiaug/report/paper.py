"""What a paper has to say of how a table was made: its methods in a paragraph, versions, machines
and time.
"""

import json
from collections.abc import Iterable, Iterator

from hsiaug.metrics.significance import ALPHA
from hsiaug.report.audit import (
    audit_mean,
    blind_cells,
    chosen_views,
    samples_made,
    small_classes,
    transductive_words,
    untrained_classes,
)
from hsiaug.report.formatting import count, join_words, number, plus_minus, seeds_text
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import unlike
from hsiaug.trial.arm import NONE

STATED = ("hsiaug", "Python", "torch", "scikit-learn", "imbalanced-learn", "numpy")
"""What a paper names the versions of."""


def methods_paragraph(table: ReportTable) -> str:
    """Scene, splits and their audit, configurations, controls, who reads test pixels, scores,
    tests, versions, machine.
    """
    return " ".join(_sentences(table))


def _sentences(table: ReportTable) -> Iterator[str]:
    condition, scores = table.condition, table.scores
    used = list(dict.fromkeys(arm.generator.name for arm in table.arms))
    controls = {cell.arm.generator.name for cell in table.cells.values() if cell.is_control}
    asked = [name for name in used if name not in controls] or [n for n in used if n != NONE]
    others = [name for name in used if name not in asked]
    given = [cell.classifier.name for cell in table.cells.values() if not cell.without_samples]
    every = [method.name for method in table.classifiers]
    classifiers = join_words(dict.fromkeys(given or every))
    others += [name for name in dict.fromkeys(every) if given and name not in given]
    classes = f" ({len(table.class_names)} classes)" if table.class_names else ""
    yield (
        f"We measured {join_words(asked) or 'no generator'} with {classifiers} on"
        f" {condition.scene}{classes} with hsiaug."
    )
    if table.splits:
        seeds = {seed for seed, _ in table.splits}
        yield (
            f"Each of {count(len(table.splits), 'split')} ({seeds_text(seeds)}) of the protocol"
            f" {condition.protocol_text} has {audit_mean(table, 'n_train')} training and"
            f" {audit_mean(table, 'n_test')} test pixels; with the buffer {condition.buffer},"
            f" {audit_mean(table, 'centre_overlap_percent', 1)} % of the test pixels are in a"
            f" {condition.patch}×{condition.patch} training {scores.part}."
        )
    if table.leaky:
        yield "These splits leak location: test pixels are neighbours of training pixels."
    made = "; ".join(
        f"{rate.in_prose} added {added} synthetic to {real} real {scores.unit}"
        for rate, added, real in samples_made(table)
    )
    if made:
        yield f"The {scores.rate} {made}."
    if omegas := sorted({arm.omega for arm in table.arms if arm.omega is not None}):
        yield f"The guidance strength was ω = {join_words(map(number, omegas))}."
    for weight, names in _weights(table).items():
        yield f"In training, each synthetic sample of {join_words(names)} counts {weight}."
    if views := _views(table):
        yield f"Spectra were given as {views}."
    if others:
        yield f"Controls on the same splits were {join_words(others)}."
    if transductive := transductive_words(table):
        yield transductive
    yield (
        f"Scores are {join_words(score.name for score in scores.shown)} on the test pixels, mean ±"
        f" standard deviation over splits. {scores.meaning}"
    )
    if small := small_classes(table):
        yield f"Left out for few test pixels: {join_words(small)}."
    if untrained := untrained_classes(table):
        yield f"Without training pixels in some split: {join_words(untrained)}."
    for cell in blind_cells(table):
        score = plus_minus(cell.summary(scores.main.key))
        yield f"{cell.classifier.name}, which reads no spectrum, has {scores.main.name} {score}."
    if any(gain.main.p is not None for gain in table.gains):
        n = max(gain.main.family for gain in table.gains)
        yield (
            "Differences are paired by split and were tested with the two-sided sign-flip test,"
            f" corrected by step-down max-T for up to {n} comparisons; a configuration is called"
            " better only if it is better than every control with"
            f" p < {ALPHA:g} and by at least {100 * table.smallest:g} points."
        )
    if n := len(table.failed):
        yield f"{count(n, 'trial')} failed and enter no mean."
    if versions := stated_versions([table]):
        machines = join_words(machines_of([table]))
        yield f"Versions: {join_words(versions)}{f' on {machines}' if machines else ''}."
    if methods := method_versions([table]):
        yield f"Versions of methods: {join_words(methods)}."


def _weights(table: ReportTable) -> dict[str, list[str]]:
    """Weights of samples that are parameters of generators, and the labels of these."""
    weights: dict[str, list[str]] = {}
    for method in dict.fromkeys(arm.generator for arm in table.arms):
        weight = json.loads(method.params).get("weight")
        if isinstance(weight, int | float) and weight != 1:
            weights.setdefault(f"{weight:g}", []).append(table.labels[method])
    return weights


def _views(table: ReportTable) -> str:
    """``raw (teacher), auto (svm)``: spectral views, and the classifiers that were given each."""
    views: dict[str, list[str]] = {}
    for method in table.classifiers if table.scores.chooses_view else ():
        views.setdefault(method.view, []).append(method.name)
    given = ", ".join(f"{view} ({', '.join(names)})" for view, names in sorted(views.items()))
    chosen = ", ".join(f"{name} in {count(n, 'split')}" for name, n in chosen_views(table))
    return f"{given}; cross-validation in training pixels chose {chosen}" if chosen else given


def run_facts(tables: Iterable[ReportTable]) -> list[tuple[str, str]]:
    """(label, sentence) pairs on when, with what and at what cost tables were made."""
    tables = list(tables)
    created = sorted(time for table in tables for time in unlike(table.trials["created"]))
    seconds = sum(float(table.trials["seconds"].sum()) for table in tables)
    facts = {
        "trials ended": _span_of_time(created[0], created[-1]) if created else "",
        "versions": ", ".join(stated_versions(tables)),
        "versions of methods": ", ".join(method_versions(tables)),
        "machine": ", ".join(machines_of(tables)),
        "device": ", ".join(devices_of(tables)),
        "cost of all trials": (
            f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:,.1f} min"
        ),
    }
    return [(label, text) for label, text in facts.items() if text]


def _span_of_time(first: str, last: str) -> str:
    """``2026-11-30 07:25 to 07:31 UTC``: from one UTC time in ISO 8601 to another."""
    first, last = (time[:16].replace("T", " ") for time in (first, last))
    until = "" if first == last else f" to {last.removeprefix(first[:11])}"
    return f"{first}{until} UTC"


def stated_versions(tables: Iterable[ReportTable]) -> list[str]:
    """``hsiaug 0.2.0``: the versions that a paper names."""
    versions = versions_of(tables)
    return [f"{name} {' and '.join(versions[name])}" for name in STATED if name in versions]


def method_versions(tables: Iterable[ReportTable]) -> list[str]:
    """``txt2hsi 17``: the versions of the generators and classifiers that ran, but for controls
    that read no spectrum.
    """
    methods = {
        method
        for table in tables
        for cell in table.cells.values()
        for method in (cell.arm.generator, cell.classifier)
        if method.name != NONE
    }
    return sorted({f"{method.name} {method.version}" for method in methods})


def machines_of(tables: Iterable[ReportTable]) -> list[str]:
    """Names of the processors that the records name."""
    environments = [one for table in tables for one in unlike(table.trials["environment"])]
    return sorted({str((one or {}).get("processor") or "") for one in environments} - {""})


def devices_of(tables: Iterable[ReportTable]) -> list[str]:
    """``cuda``, ``4 threads``: what the records say that trials computed on."""
    stated = [one or {} for table in tables for one in unlike(table.trials["device"])]
    devices = {str(one.get(part) or "") for one in stated for part in ("generator", "classifier")}
    threads = {int(one["threads"]) for one in stated if one.get("threads")}
    return [*sorted(devices - {""}), *(count(number, "thread") for number in sorted(threads))]


def versions_of(tables: Iterable[ReportTable]) -> dict[str, list[str]]:
    """Versions of Python and of every library that the records name, by its name."""
    found: dict[str, set[str]] = {}
    for table in tables:
        for environment in unlike(table.trials["environment"]):
            stated = environment or {}
            python = {"Python": stated["python"]} if stated.get("python") else {}
            for name, version in (python | (stated.get("versions") or {})).items():
                found.setdefault(str(name), set()).add(str(version))
    return {name: sorted(found[name]) for name in sorted(found)}
