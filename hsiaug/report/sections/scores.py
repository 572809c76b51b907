"""What every configuration reaches, with synthetic samples alone too, and what it costs."""

from collections.abc import Iterator

from pandas import concat

from hsiaug.metrics.significance import mean_ends
from hsiaug.report.formatting import MISSING, difference_text, ends_text, percent
from hsiaug.report.gains import ArmCell
from hsiaug.report.section import Frame, Section, arm_keys, cells_frame, indexed, score
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import BOTH, NONE, SYNTHETIC
from hsiaug.trial.record import COLUMNS


def _accuracy(table: ReportTable, _: Sources) -> Section:
    columns = {metric.name: score(table, metric) for metric in table.brief}
    frame = cells_frame(table, table.by_classifier, columns)
    return Section("Accuracy in %", frames=(Frame("", frame),))


def _metrics(table: ReportTable, _: Sources) -> Section:
    main = table.scores.main

    def interval(cell: ArmCell) -> str:
        return ends_text(mean_ends(cell.values(main.key)), percent)

    columns = {metric.name: score(table, metric) for metric in table.metrics}
    columns |= {"n": lambda cell: str(len(cell.ok)), f"{main.name}, 95 % interval": interval}
    frame = cells_frame(table, table.by_classifier, columns)
    return Section("Every metric in %", frames=(Frame("", frame),))


NOTE = (
    "Of trials that went well. What several trials share, as the fit of a generator, is computed"
    " once and counts to the trial that came first."
)


def _costs(table: ReportTable, _: Sources) -> Section | None:
    columns = [column for column in COLUMNS if column.heading]
    of_arm = {column.heading: (column.name, column.over_trials) for column in columns}
    found = [
        cell.trials[cell.trials["ok"]].assign(
            classifier=table.labels[cell.classifier], configuration=table.arm_label(cell.arm)
        )
        for cell in table.by_classifier
        if len(cell.ok)
    ]
    if not found:
        return None
    by = ["classifier", "configuration"]
    cost = concat(found).groupby(by, sort=False).agg(trials=("ok", "size"), **of_arm)
    return Section("Cost of every configuration", frames=(Frame("", cost),), notes=(NOTE,))


OVER = {"real": NONE, BOTH: BOTH}
"""What synthetic samples alone are compared with, as it is called here and among comparisons."""


def _rows(table: ReportTable, cell: ArmCell) -> Iterator[dict[str, str]]:
    """Real samples, synthetic ones, both: of what was run on splits of a configuration of synthetic
    samples alone.
    """
    over = table.synthetic_only.get(cell.key)
    if not over:
        return
    real, both = over[NONE].control_cell, over[BOTH].control_cell
    arm = both.arm if both else cell.arm
    differences = {
        f"synthetic minus {name}": difference_text(over[control].main)
        for name, control in OVER.items()
    }
    for train, found in {"real": real, SYNTHETIC: cell, BOTH: both}.items():
        if found:
            keys = {"classifier": table.labels[cell.classifier], **arm_keys(table, arm)}
            scores = {one.name: score(table, one)(found) for one in table.brief}
            blank = dict.fromkeys(differences, "" if found is not cell else MISSING)
            own = differences if found is cell else blank
            yield {**keys, "train on": train, **scores, **own}


def _synthetic_alone(table: ReportTable, _: Sources) -> Section | None:
    rows = [row for cell in table.by_classifier for row in _rows(table, cell)]
    if not rows:
        return None
    frame = indexed(rows, len(table.brief) + len(OVER))
    return Section("Trained on synthetic samples alone", frames=(Frame("", frame),))


SECTIONS = (
    SectionKind("accuracy", _accuracy, 20, views=("generator", "notes")),
    SectionKind("metrics", _metrics, 50, views=("classifier",)),
    SectionKind("costs", _costs, 55, views=("classifier",)),
    SectionKind("trained-on", _synthetic_alone, 40, views=("generator", "notes")),
)
