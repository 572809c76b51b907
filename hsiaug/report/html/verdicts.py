"""The verdict in plain words, and failed trials by their error, each linked to the records behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hsiaug.report.cells import CellKey
from hsiaug.report.compare import Gain
from hsiaug.report.failures import failure_heading, failures
from hsiaug.report.findings import CLEAR, FINDINGS, arm_numbers, best_arm, by_generator, find_groups
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import badge, details, escape, grid_table, items, link, scroller
from hsiaug.report.labels import count
from hsiaug.report.notes import significance_note
from hsiaug.report.records import Trial
from hsiaug.report.verdict_grid import grid_note, verdict_grid

__all__ = ["failure_block", "summary"]

FAILURE_COLUMNS = ("trials", "stage", "reason", "arms", "how to run the first again")
LISTED = 40
"""Failed trials of one arm and error that have a link; the rest stands in the list of its records."""


def outcome(section: TableSection, worth: Mapping[CellKey, str] | None) -> str:
    """The verdict at a glance, each cell linked to the records behind it; empty where only controls were run."""
    grid = verdict_grid(section.table, worth)
    if grid is None:
        return ""
    return f'{grid_table(grid, section.cell_id)}<p class="note">{escape(grid_note(section.table))}</p>'


def summary(section: TableSection) -> str:
    """The arms under their verdict and the best arm of a table; what could be tested below."""
    table = section.table
    groups, best = find_groups(table), best_arm(table)
    parts = []
    for group in groups:
        mark = badge(group.heading, FINDINGS[group.finding].tone)
        if group.listed:
            parts += [f"<p>{mark}</p>", _arms(section, group.gains)]
        else:
            parts.append(f"<p>{mark} {count(len(group.gains), 'arm')}</p>")
            parts += [details(text, _arms(section, gains)) for text, gains in by_generator(table, group).items()]
    parts += [f"<p>{escape(best)}</p>"] if best else []
    notes = " ".join(significance_note(table)) if groups else ""
    return "\n".join([*parts, f'<p class="note">{escape(notes)}</p>'])


def _arms(section: TableSection, gains: Iterable[Gain]) -> str:
    """A list of arms, each with its numbers where it is judged."""
    entries = []
    for gain in gains:
        judged = gain.verdict is not None and gain.verdict.finding not in ("nothing made", "failed")
        numbers = f": {arm_numbers(section.table, gain)}" if judged else ""
        name = section.cell_link(section.table.cell_label(gain.cell), gain.cell)
        entries.append(f"<strong>{name}</strong>{escape(numbers)}")
    return items(entries)


def failure_block(section: TableSection) -> str:
    """Failed trials by error, each hash a link to its record; empty where none failed."""
    table, heading = section.table, failure_heading(section.table)
    if heading is None:
        return ""
    rows = []
    for failure in failures(table):
        first = failure.trials[0].record
        arms = items(
            f"{escape(table.cell_label(cell))}: {_hashes(section, cell.trials)}" for cell in failure.by_arm
        )
        listed = arms if len(failure.by_arm) <= CLEAR else details(count(len(failure.by_arm), "arm"), arms)
        stage, again = str((first.get("error") or {}).get("stage") or ""), str(first.get("command") or "")
        cells = (
            f"{len(failure.trials):,}",
            escape(stage),
            escape(failure.why),
            listed,
            f"<code>{escape(again)}</code>",
        )
        number, *rest = cells
        rows.append(f'<tr><th scope="row">{number}</th>{"".join(f"<td class=t>{one}</td>" for one in rest)}</tr>')
    head = "".join(f'<th scope="col" class="t">{name}</th>' for name in FAILURE_COLUMNS)
    made = f'<table class="failures"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    place = section.anchor("failed")
    return f'<div class="warning" role="note" id="{place}">{scroller(f"{heading}:", made)}</div>'


def _hashes(section: TableSection, trials: Sequence[Trial]) -> str:
    linked = [f"seed {t.seed} {link(t.hash[:8], section.record_id(t))}" for t in trials[:LISTED]]
    more = len(trials) - LISTED
    return ", ".join(linked) + (f", and {more:,} more" if more > 0 else "")
