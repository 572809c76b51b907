"""The records that every number leads to, and the machines that made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from hsiaug.report.cells import ArmCell
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, escape, plain_grid, scroller
from hsiaug.report.labels import MISSING, count
from hsiaug.report.records import Trial
from hsiaug.report.views_raw import trial_score, trial_seconds
from hsiaug.trial.failures import one_line

__all__ = ["environment", "record_lists"]


def record_lists(section: TableSection) -> str:
    """How to see a record whole; and a folded list per cell: seed, status, metrics, seconds and hash of its records."""
    command = escape(f"hsiaug show RECORD --store {section.where}")
    blocks = [f'<p class="note"><code>{command}</code> shows a record whole.</p>']
    cells = section.table.every_cell.values()
    for classifier in dict.fromkeys(cell.classifier for cell in cells):
        mine = [cell for cell in cells if cell.classifier == classifier]
        counted = count(sum(len(cell.trials) for cell in mine), "record")
        lists = "".join(_list(section, cell) for cell in mine)
        blocks.append(details(f"{section.table.labels[classifier]}: {counted}", lists))
    return "".join(blocks)


def _list(section: TableSection, cell: ArmCell) -> str:
    table = section.table
    scores = (*table.scores.shown, *table.fields[:2])
    head = ("seed", *(score.name for score in scores), "seconds", "record", "made")
    rows = "".join(_row(section, trial, [score.key for score in scores]) for trial in cell.trials)
    headings = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    name = table.cell_label(cell, ", ")
    body = f"<table class=list><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>"
    failed = f", {len(cell.failed)} failed" if cell.failed else ""
    summary = f"{name}: {count(len(cell.trials), 'record')}{failed}"
    return details(summary, scroller(f"Records of {name}", body), id=section.cell_id(cell))


def _row(section: TableSection, trial: Trial, metrics: list[str]) -> str:
    if trial.ok:
        shown = "".join(f"<td>{trial_score(key, trial)}</td>" for key in metrics)
    else:
        why = f"failed: {one_line(trial.error, longest=500)}" if trial.failed else "nothing made"
        shown = f'<td class="t failed" colspan="{len(metrics)}">{escape(why)}</td>'
    made = escape(str(trial.record.get("created") or MISSING)[:16])
    return (
        f'<tr id="{escape(section.record_id(trial))}"><th scope="row">{trial.seed}</th>{shown}'
        f"<td>{trial_seconds(trial)}</td><td class=t><code>{escape(trial.hash)}</code></td><td class=t>{made}</td></tr>\n"
    )


def environment(trials: Iterable[Trial]) -> str:
    """What the trials ran on and with, and how many had each."""
    found: Counter[tuple[str, str]] = Counter()
    for trial in trials:
        found.update(set(_facts(trial)))
    rows = [(name, value, f"{n:,}") for (name, value), n in sorted(found.items())]
    return plain_grid("Environment of the trials", ("what", "value", "trials"), rows, text=(0, 1))


def _facts(trial: Trial) -> Iterator[tuple[str, str]]:
    made = trial.record.get("environment") or {}
    for name, value in made.items():
        if isinstance(value, Mapping):
            yield from ((f"package {key}", str(version)) for key, version in value.items())
        else:
            yield str(name), str(value)
    device = trial.record.get("device") or {}
    yield from ((f"device: {key}", str(value)) for key, value in device.items() if value is not None)
    for role, method in (("generator", trial.generator), ("classifier", trial.classifier)):
        yield f"{role} {method.name}", f"version {method.version}"
