"""Every trial: how it went, how long it took, and the hash of its record."""

from hsiaug.report.audit import tested_in
from hsiaug.report.formatting import MISSING, percent
from hsiaug.report.frames import arm_keys, indexed
from hsiaug.report.section import Frame, Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import numbers, rows_of


def _section(table: ReportTable, _: Sources) -> Section | None:
    trials = table.trials.sort_values("seed", kind="stable")
    columns = {one.name: numbers(trials, one.key).tolist() for one in table.brief}
    seconds = numbers(trials, "seconds").tolist()
    rows = []
    for place, trial in enumerate(rows_of(trials)):
        keys = {"seed": str(trial.seed), **arm_keys(table, trial.arm)}
        keys["classifier"] = table.labels[trial.classifier]
        scores = {name: _percent(values[place]) for name, values in columns.items()}
        took = seconds[place]
        rows.append(
            {
                **keys,
                "status": trial.status,
                **scores,
                "classes": str(tested_in(trial.audit) or MISSING),
                "seconds": f"{took:.1f}" if took == took else MISSING,
                "hash": trial.hash,
            }
        )
    if not rows:
        return None
    return Section("Trials", frames=(Frame("", indexed(rows, len(columns) + 4)),))


def _percent(value: float) -> str:
    return percent(value) if value == value else MISSING


SECTIONS = (SectionKind("records", _section, 120, views=("seed",), within=""),)
