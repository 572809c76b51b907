"""What a paper, or a reader of the page, has to know of how a table was made: its methods in a
paragraph, versions, machines, time, and the commands that run it again.
"""

from collections.abc import Iterable
from functools import partial
from itertools import chain

from hsiaug.report.answers import shown_arms, to_quote
from hsiaug.report.commands import to_repeat_all
from hsiaug.report.findings import to_compare
from hsiaug.report.formatting import count, number
from hsiaug.report.gains import corrected_for
from hsiaug.report.notes import (
    audit_mean,
    blind_cells,
    chosen_views,
    counted_again,
    notes_of_draws,
    sample_weights,
    samples_made,
    small_classes,
    untested_classes,
    untrained_classes,
    users_of_unlabelled,
    views_given,
)
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.text_templates import sentences
from hsiaug.report.trials import unlike
from hsiaug.trial.arm import NONE
from hsiaug.trial.store import Store

STATED = ("hsiaug", "Python", "torch", "scikit-learn", "imbalanced-learn", "numpy")
"""What a paper names the versions of."""


def methods_paragraph(table: ReportTable) -> str:
    """Scene, splits and their audit, arms, controls, who reads test pixels, views, scores, tests,
    versions, machine.
    """
    used = list(dict.fromkeys(arm.generator.name for arm in table.arms))
    of_plugins = {cell.arm.generator.name for cell in table.cells.values() if cell.is_control}
    controls = [name for name in (*table.controls, *used) if name in {*table.controls, *of_plugins}]
    # Where nothing but controls ran, what no other arm is measured against was asked for.
    asked = [name for name in used if name not in controls]
    if not asked:
        asked = [name for name in used if name not in table.controls]
        controls = [name for name in controls if name not in asked]
    arms = [arm for arm in table.arms if arm.generator.name in asked]
    # A classifier that ran without samples alone is a control.
    asked_of = {cell.classifier.name for cell in table.cells.values() if cell.arm in arms}
    with_samples = {
        cell.classifier.name for cell in table.cells.values() if not cell.without_samples
    }
    names = dict.fromkeys(method.name for method in table.classifiers)
    rates = sorted({arm.rate for arm in arms})
    measured_against: dict[str, set[str]] = {name: set() for name in asked}
    for (arm, _), gains in table.by_arm.items():
        if arm in arms:
            measured_against[arm.generator.name] |= {*gains}
    # A control may be a classifier without samples, and no generator that ran.
    controls = [name for name in dict.fromkeys(controls) if name in used or name in names]
    shared = [name for name in controls if all(name in of for of in measured_against.values())]
    further = {
        name: [control for control in controls if control in of and control not in shared]
        for name, of in measured_against.items()
    }
    judged = {gains[NONE].cell.arm.generator.name for gains in table.judged}
    condition = table.condition
    views, own_views = views_given(table)
    lines = sentences(
        "methods.txt",
        table=table,
        asked=asked,
        classifiers=[name for name in names if not arms or name in asked_of],
        controls_alone=[name for name in names if arms and name in with_samples - asked_of],
        protocol=condition.protocol_text,
        seeds=sorted({seed for seed, _ in table.splits}),
        mean=partial(audit_mean, table),
        rates=[rate.in_prose for rate in rates],
        multiplied=any(rate.times for rate in rates),
        made=[
            (rate.in_prose, made, real) for rate, made, real in samples_made(table) if rate in rates
        ],
        weights=sample_weights(table),
        omegas=[
            number(omega) for omega in sorted({arm.omega for arm in arms if arm.omega is not None})
        ],
        counted_again=counted_again(table),
        shared=shared,
        further={name: of for name, of in further.items() if of},
        unused=[
            name
            for name in controls
            if name not in {*shared, *with_samples, *chain(*further.values())}
        ],
        tiles=notes_of_draws(table) if table.scores.part == "tile" else {},
        untrained=untrained_classes(table),
        judged_controls=[name for name in controls if name in judged],
        lacking=[one.draws for one in table.lacking],
        seen=users_of_unlabelled(table).get("scene"),
        views=views,
        own_views=own_views,
        blind=blind_cells(table),
        chosen_views=chosen_views(table),
        small=small_classes(table),
        untested=untested_classes(table),
        tested=any(gain.main.p is not None for gain in table.gains),
        corrected=corrected_for(table.gains),
        versions=stated_versions([table]),
        methods=method_versions([table]),
        machines=machines_of([table]),
    )
    return " ".join(lines)


def run_facts(report: Report, store: Store | None) -> list[tuple[str, str]]:
    """(label, sentence) pairs on when, with what and at what cost tables were made; and how to run
    them again, to quote a result, and to compare two arms.

    Parameters
    ----------
    store : Store or None
        Where the records lie; without it no command runs them again.
    """
    tables = report.shown
    created = sorted(time for table in tables for time in unlike(table.trials["created"]))
    seconds = sum(float(table.trials["seconds"].sum()) for table in tables)
    facts = {
        "trials ended": _span_of_time(created[0], created[-1]) if created else "",
        "versions": ", ".join(stated_versions(tables)),
        "versions of methods": ", ".join(method_versions(tables)),
        "machine": ", ".join(machines_of(tables)),
        "device": ", ".join(devices_of(tables)),
        "cost": f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:,.1f} min",
        "run it again": to_repeat_all(tables, store),
        "to quote": to_quote(tables),
        "two arms": _to_compare(report),
        "in a paper": f"methods and references: hsiaug report --cite{report.option}",
    }
    facts["cost"] += ", added over the trials, of which some may have run at once"
    return [(label, text) for label, text in facts.items() if text]


def _to_compare(report: Report) -> str:
    """How the arm of the third answer is compared with one beside it, of a single table."""
    found = [shown_arms(table) for table in report.shown]
    if len(found) != 1 or len(found[0]) < 2:
        return ""
    # As in the table: what an arm has over its control, and one with samples over one without.
    use, beside = found[0]
    bare = use.without_samples and not beside.without_samples
    arms = (use, beside) if bare else (beside, use)
    return f"what the second has over the first: {to_compare(report.shown[0], arms, report.option)}"


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
