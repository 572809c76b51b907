"""The methods section of a benchmark, written from its records: a paragraph for each table."""

from __future__ import annotations

from collections.abc import Iterable

from hsiaug.core.view_names import AUTO, RAW
from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.report.labels import count, draws_text, join_words, number
from hsiaug.report.notes import audit_mean, users_of_unlabelled
from hsiaug.report.tables import Table

STATED = ("hsiaug", "torch", "scikit-learn", "imbalanced-learn", "numpy")
"""Libraries whose versions a paper names."""
VIEWS = {
    RAW: "Classifiers read raw spectra.",
    AUTO: "Classifiers read the spectral view that cross-validation inside the training pixels of each draw chose.",
}


def methods_paragraph(table: Table) -> str:
    """Scene, splits and their audit, arms, controls, who reads test pixels, views, scores, tests, versions, machine."""
    used = list(dict.fromkeys(arm.generator.name for arm in table.arms))
    asked = [name for name in used if name not in table.controls]
    classifiers = dict.fromkeys(method.name for method in table.classifiers)
    classes = f" of {len(table.class_names)} classes" if table.class_names else ""
    parts = [
        f"We measured {join_words(asked) or 'the controls'} with {join_words(classifiers)} on the scene "
        f"{table.condition.scene}{classes} with hsiaug."
    ]
    if table.splits:
        parts.append(_splits(table))
    if arms := [arm for arm in table.arms if arm.generator.name in asked]:
        lambdas = join_words(str(rate) for rate in sorted({arm.rate for arm in arms}))
        omegas = sorted({arm.omega for arm in arms if arm.omega is not None})
        guided = f" and the guidance strength ω = {join_words(map(number, omegas))}" if omegas else ""
        controls = join_words(name for name in table.controls if name in used)
        alone = " Classifiers were also trained on as many synthetic samples alone." if table.alone else ""
        parts.append(
            f"The sample balance rate was λ = {lambdas}{guided}; the controls were {controls}, on the same draws.{alone}"
        )
    if seen := users_of_unlabelled(table).get("scene"):
        parts.append(f"Transductive, reading unlabelled test pixels: {join_words(seen)}.")
    views = {method.view for method in table.classifiers}
    parts += [VIEWS[view] for view in views if len(views) == 1 and view in VIEWS]
    shown = join_words(score.name for score in table.scores.shown)
    parts.append(f"Scores are {shown} on the test pixels, mean ± standard deviation over the draws.")
    if table.comparisons:
        parts.append(_tests(table))
    if table.failed:
        parts.append(f"{count(len(table.failed), 'trial')} failed and enter no mean.")
    versions = versions_of([table])
    if stated := join_words(f"{name} {' and '.join(versions[name])}" for name in STATED if name in versions):
        machines = {str((t.environment or {}).get("processor") or "") for t in table.trials} - {""}
        on = f" on {join_words(sorted(machines))}" if machines else ""
        parts.append(f"Versions: {stated}{on}.")
    return " ".join(parts)


def versions_of(tables: Iterable[Table]) -> dict[str, list[str]]:
    """Versions of every library that the records name, by its name."""
    found: dict[str, set[str]] = {}
    for table in tables:
        for trial in table.trials:
            for name, version in ((trial.environment or {}).get("versions") or {}).items():
                found.setdefault(str(name), set()).add(str(version))
    return {name: sorted(found[name]) for name in sorted(found)}


def _splits(table: Table) -> str:
    condition = table.condition
    argument = f":{condition.argument}" if condition.argument else ""
    seeds = sorted({seed for seed, _ in table.splits})
    leaky = " These draws leak location: test pixels are neighbours of training pixels." if table.leaky else ""
    return (
        f"Each of {count(len(seeds), 'draw')} (seeds {draws_text(seeds)}) of the protocol {condition.protocol}{argument} "
        f"has {audit_mean(table, 'n_train')} training and {audit_mean(table, 'n_test')} test pixels; with the buffer "
        f"{condition.buffer!r}, {audit_mean(table, 'centre_overlap_percent', 1)} % of the test pixels lie inside a "
        f"{condition.patch}×{condition.patch} training patch.{leaky}"
    )


def _tests(table: Table) -> str:
    tested = [gain for gain in table.gains.values() if gain.verdict is not None]
    if all(comparison.main.p is None for comparison in table.comparisons):
        return f"Differences are paired by draw; none was tested, which takes {MIN_PAIRS} draws, and no gain is claimed."
    return (
        "Differences are paired by draw and were tested with the two-sided sign-flip test, corrected for "
        f"{count(len(tested), 'arm')} by the step-down max-T procedure; a generator is said to help only where "
        f"its p is below {ALPHA:g} over every control."
    )
