"""The methods section of a benchmark, written from its records: a paragraph for each table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hsiaug.core.view_names import AUTO, RAW
from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.report.labels import count, draws_text, join_words, number, span
from hsiaug.report.notes import users_of_unlabelled
from hsiaug.report.tables import Table

STATED = ("hsiaug", "torch", "scikit-learn", "imbalanced-learn", "numpy")
"""Libraries whose versions a paper names."""


def methods_paragraph(table: Table) -> str:
    """Scene, splits and their audit, arms, controls, who reads test pixels, views, scores, tests, versions, machine."""
    parts = [
        _task(table),
        _splits(table),
        _arms(table),
        _unlabelled(table),
        _views(table),
        _scores(table),
        _tests(table),
        _failed(table),
    ]
    return " ".join(part for part in [*parts, _machine(table)] if part)


def versions_of(tables: Iterable[Table]) -> dict[str, list[str]]:
    """Versions of every library that the records name, by its name."""
    found: dict[str, set[str]] = {}
    for table in tables:
        for trial in table.trials:
            for name, version in ((trial.common["environment"] or {}).get("versions") or {}).items():
                found.setdefault(str(name), set()).add(str(version))
    return {name: sorted(found[name]) for name in sorted(found)}


def _task(table: Table) -> str:
    condition = table.condition
    classes = f" of {len(table.class_names)} classes" if table.class_names else ""
    generators = join_words(_generators(table)) or "the controls"
    return (
        f"We measured {generators} with {join_words(_names(table, 'classifier'))} on the scene "
        f"{condition.scene}{classes} with hsiaug."
    )


def _splits(table: Table) -> str:
    condition, audits = table.condition, list(table.splits.values())
    if not audits:
        return ""
    argument = f":{condition.argument}" if condition.argument else ""
    seeds = sorted({seed for seed, _ in table.splits})
    leaky = " These draws leak location: test pixels are neighbours of training pixels." if table.leaky else ""
    return (
        f"Each of {count(len(seeds), 'draw')} (seeds {draws_text(seeds)}) of the protocol {condition.protocol}{argument} "
        f"has {_mean(audits, 'n_train', 0)} training and {_mean(audits, 'n_test', 0)} test pixels; with the buffer "
        f"{condition.buffer!r}, {_mean(audits, 'centre_overlap_percent', 1)} % of the test pixels lie inside a "
        f"{condition.patch}×{condition.patch} training patch.{leaky}"
    )


def _arms(table: Table) -> str:
    asked = _generators(table)
    arms = [arm for arm in table.arms if arm.generator.name in asked]
    if not arms:
        return ""
    lambdas = join_words(str(rate) for rate in sorted({arm.rate for arm in arms}))
    omegas = sorted({arm.omega for arm in arms if arm.omega is not None})
    guided = f" and the guidance strength ω = {join_words(map(number, omegas))}" if omegas else ""
    controls = join_words(name for name in table.controls if name in _names(table, "generator"))
    alone = " Classifiers were also trained on as many synthetic samples alone." if table.alone else ""
    return f"The sample balance rate was λ = {lambdas}{guided}; the controls were {controls}, on the same draws.{alone}"


def _unlabelled(table: Table) -> str:
    seen = users_of_unlabelled(table).get("scene", [])
    return f"Transductive, reading unlabelled test pixels: {join_words(seen)}." if seen else ""


def _views(table: Table) -> str:
    views = {method.view for method in table.classifiers}
    if views == {RAW}:
        return "Classifiers read raw spectra."
    if views == {AUTO}:
        return "Classifiers read the spectral view that cross-validation inside the training pixels of each draw chose."
    return ""


def _scores(table: Table) -> str:
    shown = join_words(score.name for score in table.scores.shown)
    return f"Scores are {shown} on the test pixels, mean ± standard deviation over the draws."


def _tests(table: Table) -> str:
    if not table.comparisons:
        return ""
    tested = [comparison.main.tests for comparison in table.comparisons if comparison.main.p is not None]
    if not tested:
        return f"Differences are paired by draw; none was tested, which takes {MIN_PAIRS} draws, and no gain is claimed."
    return (
        "Differences are paired by draw and were tested with the two-sided Wilcoxon signed-rank test, Holm-corrected "
        f"over {count(max(tested), 'arm')}, each with the largest p over its controls; a gain is claimed only above "
        f"every control, at p < {ALPHA:g} and with a t interval, of 95 % corrected likewise, that leaves out 0."
    )


def _failed(table: Table) -> str:
    return f"{count(len(table.failed), 'trial')} failed and enter no mean." if table.failed else ""


def _machine(table: Table) -> str:
    versions = versions_of([table])
    named = join_words(f"{name} {' and '.join(versions[name])}" for name in STATED if name in versions)
    processors = sorted({str((t.common["environment"] or {}).get("processor") or "") for t in table.trials} - {""})
    on = f" on {join_words(processors)}" if processors else ""
    return f"Versions: {named}{on}." if named else ""


def _generators(table: Table) -> list[str]:
    """Generators that were asked for: all but those that others are measured against."""
    return [name for name in _names(table, "generator") if name not in table.controls]


def _names(table: Table, role: str) -> list[str]:
    methods = table.classifiers if role == "classifier" else [arm.generator for arm in table.arms]
    return list(dict.fromkeys(method.name for method in methods))


def _mean(audits: Iterable[Any], key: str, digits: int) -> str:
    values = [float(audit[key]) for audit in audits if audit.get(key) is not None]
    return span(values, digits) if values else "an unknown number of"
