"""The verdict in plain words, and failed trials by their error, each linked to the records behind it."""

from __future__ import annotations

from collections.abc import Iterator

from hsiaug.report.compare import Gain
from hsiaug.report.failures import failed_arms, failure_heading, failures
from hsiaug.report.findings import (
    CLEAR,
    SHOWN,
    TONES,
    Group,
    arm_name,
    arm_numbers,
    best_arm,
    find_groups,
    headline,
    mean_range,
)
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import badge, details, escape, items, link
from hsiaug.report.labels import count
from hsiaug.report.notes import significance_note
from hsiaug.report.records import Trial

__all__ = ["failure_block", "summary"]

LISTED = 40
"""Failed trials of one arm and error that have a link; the rest stands in the list of its records."""


def summary(place: TableSection) -> str:
    """Headline, the arms under their verdict and the best arm of a table; what could be tested below."""
    table = place.table
    groups = find_groups(table)
    parts = [f'<p class="headline">{escape(headline(table))}</p>']
    few = sum(len(group.gains) for group in groups) <= SHOWN
    for group in groups:
        mark = badge(group.heading, TONES.get(group.finding, ""))
        clear = few or group.finding in ("helps", "hurts")
        parts += [f"<p>{mark}</p>", items(_told(place, gain) for gain in group.gains)] if clear else [
            f"<p>{mark} {count(len(group.gains), 'arm')}</p>", *_by_generator(place, group)
        ]  # fmt: skip
    best = best_arm(table)
    parts += [f"<p>{escape(best)}</p>"] if best else []
    notes = " ".join(significance_note(table)) if groups else ""
    return "\n".join([*parts, f'<p class="note">{escape(notes)}</p>'])


def _by_generator(place: TableSection, group: Group) -> Iterator[str]:
    """A folded list per generator, headed by the range of its mean gains: no arm is picked out."""
    for generator in dict.fromkeys(gain.cell.arm.generator for gain in group.gains):
        mine = [gain for gain in group.gains if gain.cell.arm.generator == generator]
        said = f"{place.table.labels[generator]}, {count(len(mine), 'arm')}{mean_range(place.table, mine)}"
        yield details(said, items(_told(place, gain) for gain in mine))


def _told(place: TableSection, gain: Gain) -> str:
    name = link(arm_name(place.table, gain), place.cell_id(gain.cell))
    judged = gain.verdict is not None and gain.verdict.finding not in ("nothing made", "failed")
    numbers = arm_numbers(place.table, gain) if judged else ""
    return f"<strong>{name}</strong>{escape(f': {numbers}' if numbers else '')}"


def failure_block(place: TableSection) -> str:
    """Failed trials by error, each hash a link to its record; empty where none failed."""
    heading = failure_heading(place.table)
    if heading is None:
        return ""
    told = []
    for failure in failures(place.table.trials):
        arms = failed_arms(place.table, failure)
        listed = items(f"{escape(name)}: {_hashes(place, trials)}" for name, trials in arms)
        why = f"<strong>{len(failure.trials):,} × {escape(failure.why)}</strong>"
        told.append(why + (listed if len(arms) <= CLEAR else details(count(len(arms), "arm"), listed)))
    return f'<div class="warning" role="note"><p>{escape(heading)}:</p>{items(told)}</div>'


def _hashes(place: TableSection, trials: list[Trial]) -> str:
    linked = [f"seed {t.seed} {link(t.hash[:8], place.record_id(t))}" for t in trials[:LISTED]]
    more = len(trials) - LISTED
    return ", ".join(linked) + (f", and {more:,} more" if more > 0 else "")
