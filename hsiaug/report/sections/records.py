"""The audit of the splits with what the trials ran on, and every trial with its record."""

from hsiaug.report.audit import audit_facts, tested_in
from hsiaug.report.formatting import MISSING, percent
from hsiaug.report.paper import run_facts
from hsiaug.report.section import Frame, Section, arm_keys, indexed
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import numbers, rows_of


def _audit(table: ReportTable, _: Sources) -> Section:
    return Section("Audit", facts=(*audit_facts(table), *run_facts([table])))


def _trials(table: ReportTable, _: Sources) -> Section | None:
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


SECTIONS = (
    SectionKind("audit", _audit, 110, within=""),
    SectionKind("records", _trials, 120, views=("seed",), within=""),
)
