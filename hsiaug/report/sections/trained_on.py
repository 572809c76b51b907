"""Classifiers that learnt from synthetic samples alone, with those of real ones and of both."""

from collections.abc import Iterator

from hsiaug.report.formatting import MISSING, difference_text
from hsiaug.report.frames import arm_keys, indexed, score
from hsiaug.report.gains import ArmCell
from hsiaug.report.section import Frame, Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import BOTH, NONE, SYNTHETIC

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


def _section(table: ReportTable, _: Sources) -> Section | None:
    rows = [row for cell in table.by_classifier for row in _rows(table, cell)]
    if not rows:
        return None
    frame = indexed(rows, len(table.brief) + len(OVER))
    return Section("Trained on synthetic samples alone", frames=(Frame("", frame),))


SECTIONS = (SectionKind("trained-on", _section, 40, views=("generator", "notes")),)
