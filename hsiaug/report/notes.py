"""The sentences around a table: failures and warnings above it, notes on its figures below."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import numpy as np

from hsiaug.core.view_names import AUTO, RAW
from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.cells import CellKey, DrawKey, in_order
from hsiaug.report.formatting import count, count_range
from hsiaug.report.section import Section
from hsiaug.report.split_audit import few_in_fields, untested_classes, users_of_unlabelled
from hsiaug.report.tables import Report, ReportTable, damage_summary
from hsiaug.report.text_templates import finding_meanings, sentences
from hsiaug.report.trials import Trial
from hsiaug.trial.arm import NONE, Method, with_words
from hsiaug.trial.record_json import ErrorKind, error_kind, why_failed

MOST_LACKING = 4
"""Arms that lack draws that a warning names; the rest is counted."""
NAMED = 12
"""Arms that a line names; the rest is counted, and listed by ``hsiaug report --by seed``."""


def table_section(table: ReportTable, where: str) -> Section:
    """The section of a table with what stands above its numbers; these are in its parts.

    Parameters
    ----------
    where : str
        What to type for the store.
    """
    return Section(
        heading=table.title,
        leaky=table.leaky,
        failed=failure_heading(table),
        failures=failure_lines(table, where),
        warnings=warnings(table),
    )


def nothing_there(report: Report) -> str:
    """What is said of a report without a table."""
    if report.damaged:
        return f"Every record in {report.where} is damaged: {damage_summary(report.damaged)}."
    return f"There is no record in {report.where} yet."


# Above the numbers


def failure_heading(*tables: ReportTable) -> str | None:
    """``3 of 21 trials failed``; None where none did."""
    failed = sum(len(table.failed) for table in tables)
    trials = sum(len(table.trials) for table in tables)
    return f"{failed:,} of {count(trials, 'trial')} failed" if failed else None


def failure_lines(table: ReportTable, where: str) -> tuple[str, ...]:
    """A line per error, the most frequent first: how often, what it was, which arms, and how to see
    the first whole.
    """
    groups: dict[ErrorKind, dict[CellKey, list[Trial]]] = {}
    for trial in sorted(table.failed, key=lambda t: (t.seed, t.hash)):
        found = groups.setdefault(error_kind({"error": trial.error}), {})
        found.setdefault((trial.arm, trial.classifier), []).append(trial)
    errors = []
    for found in groups.values():
        (first, *_), *_ = found.values()
        arms = [
            (table.cell_label(table.every_cell[k]), [t.seed for t in found[k]])
            for k in in_order(found)
        ]
        errors.append(
            (-sum(map(len, found.values())), why_failed({"error": first.error}), arms, first.hash)
        )
    return tuple(sentences("failures.txt", errors=sorted(errors), named=NAMED, where=where))


def warnings(table: ReportTable) -> tuple[str, ...]:
    """Warnings to be read before the numbers: damaged records, arms that lack draws, arms that saw
    test pixels.
    """
    seers = users_of_unlabelled(table).get("scene")
    return tuple(
        sentences(
            "warnings.txt",
            table=table,
            damaged=damage_summary(table.damaged),
            lacking=_lacking(table),
            named=MOST_LACKING,
            seers=seers,
        )
    )


def _lacking(table: ReportTable) -> list[tuple[str, int]]:
    """Arms that were not begun on every draw of the table, and the draws that they have: of a run
    that goes on, or was stopped.
    """
    draws = {
        cell: len({draw for draw, _ in cell.trials.unlike("draw")})
        for cell in table.every_cell.values()
    }
    return [
        (table.cell_label(cell), number)
        for cell, number in draws.items()
        if number < len(table.draws)
    ]


# Below the numbers


def table_notes(table: ReportTable, *, compared: bool = True) -> list[str]:
    """Notes on the figures of a table: their meaning, their draws, and those that are missing.

    Parameters
    ----------
    compared : bool
        Also how arms are compared with controls, its tests, and what its verdicts claim.
    """
    conventions = {arm.generator.convention for arm in table.arms}
    views = views_given(table)
    notes = sentences(
        "notes.txt",
        table=table,
        conventions=sorted(convention for convention in conventions if convention),
        class_counts=_class_counts(table),
        few=few_in_fields(table),
        fewest=MIN_TEST_PIXELS,
        untested=untested_classes(table),
        redrawn_seeds=_redrawn_seeds(table),
        unequal_budgets=list(_unequal_budgets(table)),
        chosen_views=_chosen_views(table),
        # The control that reads no spectrum has raw ones beside any other view.
        named_views=[view for view in views if view != RAW] or list(views),
    )
    return [*notes, *_comparison_notes(table)] if compared and table.gains else notes


def _comparison_notes(table: ReportTable) -> list[str]:
    """Notes on differences from controls, on their tests and on verdicts."""
    pairs = [gain.draws for gain in table.compared]
    controls = table.further_controls
    known = table.known_controls
    needed = dict.fromkeys(known[name].users for name in controls if name in known)
    meanings = finding_meanings(controls, needed)
    findings = {verdict.finding for arm in table.judged if (verdict := arm[NONE].verdict)}
    return sentences(
        "comparison_notes.txt",
        table=table,
        rivals={name for cell in table.cells.values() for name in cell.rivals},
        with_words=partial(with_words, known=known),
        too_few=[n for n in pairs if n < MIN_PAIRS],
        tested=any(n >= MIN_PAIRS for n in pairs),
        min_pairs=MIN_PAIRS,
        verdicts="; ".join(f"{word}: {text}" for word, text in meanings if word in findings),
        alpha=ALPHA,
    )


def _redrawn_seeds(table: ReportTable) -> list[int]:
    """Seeds that drew different pixels in different trials."""
    drawn = {(seed, split) for seed, split, ok in table.trials.pairs("seed", "split", "ok") if ok}
    splits = Counter(seed for seed, _ in drawn)
    return [seed for seed, number in splits.items() if number > 1]


def _chosen_views(table: ReportTable) -> list[tuple[str, int]]:
    """Spectral views that draws chose by themselves, the most frequent first, with their draws."""
    view_of_draw = {
        draw: str(view)
        for cell in table.every_cell.values()
        if cell.classifier.view == AUTO
        for draw, view, ok in cell.trials.pairs("draw", "view_shown", "ok")
        if ok
    }
    return Counter(view_of_draw.values()).most_common()


def views_given(table: ReportTable) -> dict[str, list[str]]:
    """Spectral views of a task that has any, and the classifiers that were given each."""
    views: dict[str, list[str]] = {}
    for method in table.classifiers if table.scores.chooses_view else ():
        views.setdefault(method.view, []).append(method.name)
    return {view: list(dict.fromkeys(names)) for view, names in sorted(views.items())}


def _class_counts(table: ReportTable) -> dict[tuple[str, str], list[str]]:
    """Of seen and new fields, and of shown and hidden pixels, how many classes have any."""
    if not table.scores.fields:
        return {}
    counts = {}
    for parts in [("seen", "new"), ("shown", "hidden")]:
        rows = table.trials_with(parts[1])
        if rows.any():
            columns = [table.trials.numbers(f"n_classes_{part}")[rows] for part in parts]
            counts[parts] = [
                count_range(np.nan_to_num(column).astype(int).tolist()) for column in columns
            ]
    return counts


def _unequal_budgets(
    table: ReportTable,
) -> Iterator[tuple[Method, int, int, list[tuple[int, str]]]]:
    """Classifiers whose arms differ in optimiser steps within one draw, in how many, and the first
    of these draws.
    """
    for classifier in table.classifiers:
        taken: dict[DrawKey, dict[int, str]] = {}
        for cell in table.cells_of(classifier):
            for draw, steps in cell.ok.pairs("draw", "steps"):
                if steps == steps:
                    taken.setdefault(draw, {}).setdefault(int(steps), table.arm_label(cell.arm))
        if unequal := [(seed, arms) for (seed, _), arms in sorted(taken.items()) if len(arms) > 1]:
            seed, arms = unequal[0]
            yield classifier, len(unequal), seed, sorted(arms.items())
