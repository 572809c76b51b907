"""The methods section of a benchmark, written from its records: a paragraph for each table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.report.labels import number
from hsiaug.report.notes import audit_mean, users_of_unlabelled
from hsiaug.report.tables import Table
from hsiaug.report.text_templates import sentences

STATED = ("hsiaug", "torch", "scikit-learn", "imbalanced-learn", "numpy")
"""Libraries whose versions a paper names."""


def methods_paragraph(table: Table) -> str:
    """Scene, splits and their audit, arms, controls, who reads test pixels, views, scores, tests, versions, machine."""
    used = list(dict.fromkeys(arm.generator.name for arm in table.arms))
    asked = [name for name in used if name not in table.controls]
    arms = [arm for arm in table.arms if arm.generator.name in asked]
    condition, versions = table.condition, versions_of([table])
    lines = sentences(
        "methods.txt",
        table=table,
        asked=asked,
        classifiers=dict.fromkeys(method.name for method in table.classifiers),
        protocol=f"{condition.protocol}:{condition.argument}".removesuffix(":"),
        seeds=sorted({seed for seed, _ in table.splits}),
        mean=partial(audit_mean, table),
        rates=[str(rate) for rate in sorted({arm.rate for arm in arms})],
        omegas=[number(omega) for omega in sorted({arm.omega for arm in arms if arm.omega is not None})],
        controls=[name for name in table.controls if name in used],
        seen=users_of_unlabelled(table).get("scene"),
        views=list({method.view for method in table.classifiers}),
        tested=any(comparison.main.p is not None for comparison in table.comparisons),
        alpha=ALPHA,
        min_pairs=MIN_PAIRS,
        versions=[f"{name} {' and '.join(versions[name])}" for name in STATED if name in versions],
        machines=sorted({str((t.environment or {}).get("processor") or "") for t in table.trials} - {""}),
    )
    return " ".join(lines)


def versions_of(tables: Iterable[Table]) -> dict[str, list[str]]:
    """Versions of every library that the records name, by its name."""
    found: dict[str, set[str]] = {}
    for table in tables:
        for trial in table.trials:
            for name, version in ((trial.environment or {}).get("versions") or {}).items():
                found.setdefault(str(name), set()).add(str(version))
    return {name: sorted(found[name]) for name in sorted(found)}
