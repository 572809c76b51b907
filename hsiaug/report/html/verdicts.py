"""The verdict in plain words, and failed trials by their error, each linked to the records behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hsiaug.report.compare import Gain
from hsiaug.report.failures import failure_heading, failures
from hsiaug.report.findings import CLEAR, FINDINGS, arm_numbers, best_arm, by_generator, find_groups, headline
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import badge, details, escape, items, link
from hsiaug.report.labels import count
from hsiaug.report.notes import significance_note
from hsiaug.report.records import Trial

__all__ = ["failure_block", "summary"]

LISTED = 40
"""Failed trials of one arm and error that have a link; the rest stands in the list of its records."""


def summary(section: TableSection) -> str:
    """Headline, the arms under their verdict and the best arm of a table; what could be tested below."""
    table = section.table
    groups, best = find_groups(table), best_arm(table)
    parts = [f'<p class="headline">{escape(headline(table))}</p>']
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
    entries = []
    for failure in failures(table):
        arms = failure.by_arm
        listed = items(f"{escape(table.cell_label(cell))}: {_hashes(section, cell.trials)}" for cell in arms)
        why = f"<strong>{len(failure.trials):,} × {escape(failure.why)}</strong>"
        entries.append(why + (listed if len(arms) <= CLEAR else details(count(len(arms), "arm"), listed)))
    return f'<div class="warning" role="note"><p>{escape(heading)}:</p>{items(entries)}</div>'


def _hashes(section: TableSection, trials: Sequence[Trial]) -> str:
    linked = [f"seed {t.seed} {link(t.hash[:8], section.record_id(t))}" for t in trials[:LISTED]]
    more = len(trials) - LISTED
    return ", ".join(linked) + (f", and {more:,} more" if more > 0 else "")
