"""The sentences around a table: failures and warnings above it; below it notes on its figures, and
the audit of its draws.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from hsiaug.core.view_names import AUTO, RAW
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.answers import three_answers
from hsiaug.report.commands import missing_commands
from hsiaug.report.formatting import (
    MISSING,
    count,
    count_range,
    join_words,
    plus_minus,
    seeds_text,
    span,
)
from hsiaug.report.gains import ArmCell, Audit, corrected_for, over_baseline
from hsiaug.report.section import Section
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.text_templates import finding_meanings, labelled, sentences
from hsiaug.report.trials import CellKey, DrawKey, Trial, in_order, numbers, rows_of, unlike
from hsiaug.trial.arm import NONE, Method, with_words
from hsiaug.trial.record_check import Damage
from hsiaug.trial.record_json import ErrorKind, error_kind, why_failed

MOST_DAMAGED = 20
"""Damaged records that a sentence names; JSON has all of them."""
MOST_LACKING = 4
"""Arms that lack draws that a warning names; the rest is counted."""
NAMED = 12
"""Arms that a line names; the rest is counted, and listed by ``hsiaug report --by seed``."""
Counts = Sequence[int]
"""A number for each class."""
COUNTED_AGAIN = "these count a training pixel once in each tile that holds it"
"""Said of masks: tiles overlap."""
NUMBER = re.compile(r"(\d+(?:[.,]\d+)*)")


def table_section(table: ReportTable, where: str, *, page: bool = False) -> Section:
    """The section of a table with what stands above its numbers; these are in its parts.

    Parameters
    ----------
    where : str
        What to type for the store.
    page : bool
        As of :func:`warnings`.
    """
    return Section(
        heading=table.title,
        leaky=table.leaky,
        failed=failure_heading(table),
        failures=failure_lines(table, where),
        warnings=warnings(table, page=page),
    )


def nothing_there(report: Report) -> str:
    """What is said of a report without a table."""
    if report.damaged:
        return f"Every record in {report.where} is damaged: {_damage_summary(report.damaged)}."
    return f"There is no record in {report.where} yet."


def _damage_summary(damaged: Sequence[Damage]) -> str:
    """Damaged records and what is wrong with them, on one line."""
    named = [str(one) for one in damaged[:MOST_DAMAGED]]
    if (rest := len(damaged) - MOST_DAMAGED) > 0:
        named.append(f"and {rest:,} more")
    return "; ".join(named)


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
    for trial in sorted(rows_of(table.failed), key=lambda t: (t.seed, t.hash)):
        found = groups.setdefault(error_kind({"error": trial.error}), {})
        found.setdefault((trial.arm, trial.classifier), []).append(trial)
    errors = []
    for found in groups.values():
        (first, *_), *_ = found.values()
        arms = [
            (table.cell_words(table.every_cell[k]), [t.seed for t in found[k]])
            for k in in_order(found)
        ]
        errors.append(
            (-sum(map(len, found.values())), why_failed({"error": first.error}), arms, first.hash)
        )
    return tuple(sentences("failures.txt", errors=sorted(errors), named=NAMED, where=where))


def warnings(table: ReportTable, *, page: bool = False) -> tuple[str, ...]:
    """Warnings to be read before the numbers: damaged records, arms that lack draws, arms that saw
    test pixels.

    Parameters
    ----------
    page : bool
        On the page, where the audit always stands.
    """
    said = sentences(
        "warnings.txt",
        table=table,
        damaged=_damage_summary(table.damaged),
        named=MOST_LACKING,
        page=page,
    )
    return (*said, *who_saw(table))


def who_saw(table: ReportTable, cells: Iterable[ArmCell] | None = None) -> list[str]:
    """Which methods of some arms, or of all, learned from test pixels."""
    seers = users_of_unlabelled(table, cells).get("scene")
    return sentences("transductive.txt", seers=seers)


# Below the numbers


def table_notes(table: ReportTable, shown: Section | None = None) -> list[str]:
    """Notes on the figures of a table: their meaning, their draws, and those that are missing; how
    arms are compared with controls, its tests, and what its verdicts claim.

    Parameters
    ----------
    shown : Section or None
        Only its columns and sentences are explained; None: all that there may be.
    """
    noted = _noted(table, shown)
    conventions = {arm.generator.convention for arm in table.arms}
    views, own_views = views_given(table)
    notes = sentences(
        "notes.txt",
        table=table,
        conventions=sorted(convention for convention in conventions if convention),
        class_counts=_class_counts(table),
        few=few_in_fields(table),
        untested=untested_classes(table),
        redrawn_seeds=_redrawn_seeds(table),
        unequal_budgets=list(_unequal_budgets(table)),
        chosen_views=chosen_views(table),
        viewed=views.get(AUTO, []),
        own_views=own_views,
        # The control that reads no spectrum has raw ones beside any other view.
        named_views={view: views[view] for view in views if view != RAW} or views,
        noted=noted,
        weights=sample_weights(table),
    )
    return [*notes, *_comparison_notes(table, noted)] if table.gains else notes


def _noted(table: ReportTable, section: Section | None) -> Callable[[str], bool]:
    """Whether a column of a section has a note of this name, or its sentences say the name of a
    score; "answers": whether it has the three; of no section, all that may be.
    """
    if section is None:
        return lambda _: True
    names = {column.note for one in (section, *section.parts) for column in one.columns}
    said = " ".join((*section.text, *section.closing))
    names |= {score.name for score in table.metrics if score.name in said}
    names |= {"answers"} if section.answers else set()
    return names.__contains__


def _comparison_notes(table: ReportTable, noted: Callable[[str], bool]) -> list[str]:
    """Notes on differences from controls, on their tests and on verdicts.

    Parameters
    ----------
    noted : callable
        As of :func:`_noted`.
    """
    pairs = [gain.draws for gain in table.compared]
    controls = table.further_controls
    more = three_answers(table).more_gains if noted("answers") else ()
    added = over_baseline(table.cells, table.scores)
    known = table.known_controls
    needed = dict.fromkeys(known[name].users for name in controls if name in known)
    meanings = finding_meanings(controls, needed)
    findings = {verdict.finding for arm in table.judged if (verdict := arm[NONE].verdict)}
    return sentences(
        "comparison_notes.txt",
        table=table,
        over_baseline=added,
        rivals={name for cell in table.cells.values() for name in cell.rivals},
        with_words=partial(with_words, known=known),
        too_few=[n for n in pairs if n < MIN_PAIRS],
        tested=any(n >= MIN_PAIRS for n in pairs),
        corrected=corrected_for([*table.compared, *added, *more]),
        verdicts="; ".join(f"{word}: {text}" for word, text in meanings if word in findings),
        noted=noted,
    )


def _redrawn_seeds(table: ReportTable) -> list[int]:
    """Seeds that drew different pixels in different trials."""
    drawn = table.trials.loc[table.trials["ok"], ["seed", "split"]]
    splits = drawn.groupby("seed", sort=False)["split"].nunique()
    redrawn: list[int] = splits[splits > 1].index.tolist()
    return redrawn


def chosen_views(table: ReportTable) -> list[tuple[str, int]]:
    """Spectral views that draws chose by themselves, the most frequent first, with their draws."""
    view_of_draw: dict[DrawKey, str] = {}
    for cell in table.every_cell.values():
        if cell.classifier.view == AUTO:
            shown = cell.trials.loc[cell.trials["ok"], ["draw", "view_shown"]]
            view_of_draw |= zip(shown["draw"], shown["view_shown"].map(str), strict=True)
    return Counter(view_of_draw.values()).most_common()


def views_given(table: ReportTable) -> tuple[dict[str, list[str]], list[str]]:
    """Spectral views of a task that has any, and the classifiers that were given each; and those
    that are given raw spectra beside any view, as they read the whole scene and transform it
    themselves.
    """
    views: dict[str, list[str]] = {}
    for method in table.classifiers if table.scores.chooses_view else ():
        views.setdefault(method.view, []).append(method.name)
    given = {view: list(dict.fromkeys(names)) for view, names in sorted(views.items())}
    others = {name for view, names in given.items() if view != RAW for name in names}
    raw = given.get(RAW, [])
    own = [name for name in raw if name not in others] if others else []
    given[RAW] = [name for name in raw if name not in own]
    return {view: names for view, names in given.items() if names}, own


def _class_counts(table: ReportTable) -> dict[tuple[str, str], list[str]]:
    """Of seen and new fields, and of shown and hidden pixels, how many classes have any."""
    if not table.scores.fields:
        return {}
    counts = {}
    for parts in [("seen", "new"), ("shown", "hidden")]:
        rows = table.trials_with(parts[1])
        if rows.any():
            columns = [numbers(table.trials, f"n_classes_{part}")[rows] for part in parts]
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
            for draw, steps in zip(cell.ok["draw"], cell.ok["steps"], strict=True):
                if steps == steps:
                    taken.setdefault(draw, {}).setdefault(int(steps), table.arm_label(cell.arm))
        if unequal := [(seed, arms) for (seed, _), arms in sorted(taken.items()) if len(arms) > 1]:
            seed, arms = unequal[0]
            yield classifier, len(unequal), seed, sorted(arms.items())


# The audit: pixels and samples, who reads unlabelled pixels, whether location alone answers


def audit_lines(table: ReportTable, where: str) -> list[tuple[str, str]]:
    """(label, sentence) pairs on costs and leaks of a table's draws.

    Parameters
    ----------
    where : str
        What the user types for the store.
    """
    audits = [audit for audit in table.splits.values() if audit.get("seen_counts") is not None]
    shares = [100 * sum(audit["seen_counts"]) / max(1, int(audit["n_test"])) for audit in audits]
    return labelled(
        "audit.txt",
        table=table,
        seeds=[seed for seed, _ in table.splits],
        leaky=[seed for (seed, _), audit in table.splits.items() if audit.get("leaky")],
        users=users_of_unlabelled(table),
        mean=partial(audit_mean, table),
        seen=span(shares) if shares else "",
        places=any(audit.get("fields") == "places" for audit in audits),
        classes=partial(_classes, table),
        notes=notes_of_draws(table),
        none_in={part for part in ("new", "seen") if not _any_in(table, part)},
        made=list(samples_made(table)),
        counted_again=counted_again(table),
        blind=blind_cells(table),
        blind_controls=[name for name, one in table.known_controls.items() if one.blind],
        words=partial(with_words, known=table.known_controls),
        kinds=Counter(table.trials["status"]),
        where=where,
        missing=missing_commands(table, where),
    )


def short_audit(tables: Sequence[ReportTable]) -> list[str]:
    """Whether the splits of tables leak, and what is reached without any spectrum."""
    audits = [audit for table in tables for audit in table.splits.values()]
    overlaps = [float(audit.get("centre_overlap_percent") or 0) for audit in audits]
    reached: dict[str, list[str]] = {}
    for table in tables:
        for cell in blind_cells(table):
            what = table.known_controls[cell.classifier.name].text or "no spectrum"
            short = table.scores.main.short
            name = f"{what} ({table.labels[cell.classifier]}) reaches {short}"
            reached.setdefault(name, []).append(_reached(table, cell))
    leaky = any(table.leaky for table in tables)
    # A patch of samples that a generator made of unlabelled pixels may hold test pixels.
    parts = {"patch": "the patch of a training pixel"}
    names = (parts.get(t.scores.part, f"a training {t.scores.part}") for t in tables)
    part = " or ".join(dict.fromkeys(names))
    return sentences("short_audit.txt", part=part, overlaps=overlaps, leaky=leaky, reached=reached)


def _reached(table: ReportTable, cell: ArmCell) -> str:
    """The main score of a control that reads no spectrum; beside it that in fields which hold
    training pixels, where location tells most.
    """
    said = plus_minus(cell.summary(table.scores.main.key))
    seen = cell.summary("aa_seen")
    if seen is None:
        return said
    of_arms = [one.mean for arm in table.cells.values() if (one := arm.summary("aa_seen"))]
    beaten = ", more than any arm" if of_arms and seen.mean > max(of_arms) else ""
    return f"{said} (AA seen {plus_minus(seen)}{beaten})"


def opening(table: ReportTable) -> tuple[str, ...]:
    """What was run: pixels, draws and trials, and the samples that each λ and M added."""
    made: dict[str, list[tuple[str, str]]] = {}
    for rate, added, real in samples_made(table):
        made.setdefault(real, []).append((added, rate.words))
    return tuple(
        sentences(
            "opening.txt",
            table=table,
            mean=partial(audit_mean, table),
            missing=sum(len(one.seeds) for one in table.lacking),
            counted_again=counted_again(table),
            omegas=sorted({arm.omega for arm in table.arms if arm.omega is not None}),
            made=made,
        )
    )


def sample_weights(table: ReportTable) -> dict[str, list[str]]:
    """Weights of samples that are parameters of generators, and the labels of these."""
    weights: dict[str, list[str]] = {}
    for method in dict.fromkeys(arm.generator for arm in table.arms):
        weight = json.loads(method.params).get("weight")
        if isinstance(weight, int | float) and weight != 1:
            weights.setdefault(f"{weight:g}", []).append(table.labels[method])
    return weights


def users_of_unlabelled(
    table: ReportTable, cells: Iterable[ArmCell] | None = None
) -> dict[str, list[str]]:
    """Who learned from unlabelled pixels: scope → labels of generators and classifiers.

    Parameters
    ----------
    cells : iterable of ArmCell or None
        Those that are asked about; None: all of the table.
    """
    users: dict[str, set[str]] = {}
    for cell in table.every_cell.values() if cells is None else cells:
        for scopes in unlike(cell.trials["scope"]):
            for role, method in (
                ("generator", cell.arm.generator),
                ("classifier", cell.classifier),
            ):
                scope = (scopes or {}).get(role)
                if scope and scope != "none":
                    users.setdefault(scope, set()).add(table.labels[method])
    return {scope: sorted(users[scope]) for scope in sorted(users)}


def audit_mean(table: ReportTable, key: str, digits: int = 0) -> str:
    """A number of the audits: its mean, and the range over the splits where it differs."""
    values = [float(audit[key]) for audit in table.splits.values() if audit.get(key) is not None]
    return span(values, digits) if values else MISSING


def _classes(table: ReportTable, key: str) -> str:
    """The classes whose ids the audits list under a key, with the seeds where not all of them
    do.
    """
    names = dict(enumerate(table.class_names, start=1))
    found = sorted(_by_split(table, key).items())
    return ", ".join(
        f"{names.get(class_id, f'class {class_id}')}{seeds}" for class_id, seeds in found
    )


def _by_split(table: ReportTable, key: str) -> dict[Any, str]:
    """Return {entry of the audits: ``" (seeds 0, 3)"`` if only some of those that tell list it,
    else ``""``}.
    """
    listing = [
        (seed, audit)
        for (seed, _), audit in table.splits.items()
        if key in audit or not key.startswith("no_")
    ]
    seeds: dict[Any, list[int]] = {}
    for seed, audit in listing:
        for entry in dict.fromkeys(_entries(audit, key)):
            seeds.setdefault(entry, []).append(seed)
    return {
        entry: "" if len(where) == len(listing) else f" ({seeds_text(where)})"
        for entry, where in seeds.items()
    }


def _any_in(table: ReportTable, part: str) -> bool:
    """Whether any draw has a test pixel in new, or in seen, places or fields, or does not tell."""
    counts = [audit.get(f"{part}_counts") for audit in table.splits.values()]
    return any(numbers is None or any(numbers) for numbers in counts)


def notes_of_draws(table: ReportTable) -> dict[str, str]:
    """Notes of the splits, as of :func:`_by_split`. A note that begins with a count, and that every
    split has but for its numbers, is one note with their ranges; in others a number may be a name.
    """
    found = _by_split(table, "notes")
    alike: dict[tuple[str, ...], list[str]] = {}
    for audit in table.splits.values():
        counts = (note for note in audit.get("notes") or () if NUMBER.match(note))
        for words, note in {tuple(NUMBER.split(note)[::2]): note for note in counts}.items():
            alike.setdefault(words, []).append(note)
    for notes in alike.values():
        joined = _joined(notes)
        if joined and len(notes) == len(table.splits) and len(set(notes)) > 1:
            for note in set(notes):
                del found[note]
            found[joined] = ""
    return found


def _joined(notes: Sequence[str]) -> str:
    """One note in place of some that differ in whole numbers, with the range of each number; empty
    where they differ in others.
    """
    pieces = []
    for column in zip(*map(NUMBER.split, notes), strict=True):
        alike = len(set(column)) == 1
        if not alike and not all(map(str.isdecimal, column)):
            return ""
        pieces.append(column[0] if alike else count_range([*map(int, column)]))
    return "".join(pieces)


def _entries(audit: Audit, key: str) -> Iterable[Any]:
    """What an audit lists under a key. Thin classes are counted again: older records list those
    below another number.
    """
    if key == "thin_classes" and audit.get("test_counts"):
        return [c for c, n in enumerate(audit["test_counts"], start=1) if 0 < n < MIN_TEST_PIXELS]
    return audit.get(key) or ()


class Made(NamedTuple):
    """Samples that a λ and M made, and real ones beside them.

    Attributes
    ----------
    generators : tuple of str
        Which made these, as tables call them; empty where all that were asked for made as many.
    synthetic, real : list of sequence of int
        The number of each class in each draw.
    """

    rate: Rate
    generators: tuple[str, ...]
    synthetic: list[Counts]
    real: list[Counts]


def samples_made(table: ReportTable) -> Iterator[tuple[Rate, str, str]]:
    """How many samples every λ and M made, and how many real ones are beside them, in words."""
    for rate, of_rate in groupby(class_samples(table), key=attrgetter("rate")):
        groups = [*of_rate]
        made = [span([*map(sum, one.synthetic)], 0) for one in groups]
        of = [f" of {join_words(one.generators)}" if one.generators else "" for one in groups]
        words = [number + names for number, names in zip(made, of, strict=True)]
        real = max((one.real for one in groups), key=len)
        yield rate, join_words(words), span([*map(sum, real)], 0)


def class_samples(table: ReportTable) -> Iterator[Made]:
    """Samples of each class that every λ and M made in each draw: those of the generators that were
    asked for, which of masks and pairs make different numbers, and of controls where nothing else
    ran.
    """
    cells = [cell for cell in table.every_cell.values() if cell.arm == cell.arm.both]
    real_of = _by_draw(cells, "real")
    for rate in sorted({arm.rate for arm, _ in table.every_cell if arm.rate}):
        of_rate = [cell for cell in cells if cell.arm.rate == rate]
        asked = [cell for cell in of_rate if cell.arm.judged and not cell.is_control]
        groups = list[tuple[list[str], dict[DrawKey, Counts]]]()
        for cell in asked or of_rate:
            made = _by_draw([cell], "synthetic")
            name = table.labels[cell.arm.generator]
            for names, known in groups:
                if all(made[draw] == known[draw] for draw in made.keys() & known.keys()):
                    names.append(name)
                    known |= made
                    break
            else:
                groups.append(([name], made))
        for names, known in groups:
            of = tuple(dict.fromkeys(names)) if len(groups) > 1 else ()
            if real := [counts for draw, counts in real_of.items() if draw in known]:
                yield Made(rate, of, [*known.values()], real)


def _by_draw(cells: Iterable[ArmCell], key: str) -> dict[DrawKey, Counts]:
    """Samples of each class, ``real`` or ``synthetic``, by draw."""
    return {
        draw: counts
        for cell in cells
        for draw, counts in zip(cell.trials["draw"], cell.trials[key], strict=True)
        if counts is not None
    }


def counted_again(table: ReportTable) -> str:
    """Why more pixels are real than train, in words; empty where they are not: those of tiles."""
    trains = max((int(audit["n_train"]) for audit in table.splits.values()), default=0)
    real = (sum(counts) for counts in unlike(table.trials["real"]) if counts is not None)
    return why_more(max(real, default=0), trains)


def why_more(real: int, trains: int) -> str:
    """The same of the real pixels of a trial and the training pixels of its draw."""
    return COUNTED_AGAIN if real > trains > 0 else ""


def blind_cells(table: ReportTable) -> list[ArmCell]:
    """The control classifiers without a generator."""
    return [cell for cell in table.blind if cell.arm.generator.name == NONE and len(cell.ok)]


# Classes with few test pixels


def averaged_classes(table: ReportTable) -> str:
    """Which classes the main score is over, and by name those that it leaves out; of means that
    leave none out, how many classes these are where draws differ, and which are small; then those
    that nobody could learn. Empty where there is nothing to say.
    """
    averaged = table.scores.over_tested or (table.scores.main,)
    about = {
        "table": table,
        "small": small_classes(table),
        "untested": untested_classes(table),
        "tested": tested_classes(table),
        "thin": _classes(table, "thin_classes"),
        "lost": _classes(table, "lost_classes"),
        "untrained": untrained_classes(table),
        "averaged": [score.short for score in averaged],
    }
    return " ".join(sentences("small_classes.txt", **about))


def untrained_classes(table: ReportTable) -> dict[str, list[str]]:
    """Names of the classes of the main score that have test pixels but no training pixel in some
    draws, by the seeds of these in words; "" where it is so in all draws.
    """
    seeds: dict[str, list[int]] = {}
    named = dict(enumerate(table.class_names, start=1))
    for (seed, _), audit in table.splits.items():
        counts = zip(audit.get("train_counts") or (), audit.get("test_counts") or (), strict=False)
        for class_id, (trained, tested) in enumerate(counts, start=1):
            if tested and not trained and class_id in (table.large or [class_id]):
                seeds.setdefault(named.get(class_id, f"class {class_id}"), []).append(seed)
    found: dict[str, list[str]] = {}
    for name, where in seeds.items():
        words = "" if len(where) == len(table.splits) else seeds_text(where)
        found.setdefault(words, []).append(name)
    return found


def tested_classes(table: ReportTable) -> list[int]:
    """How many classes have test pixels, by draw."""
    return [tested_in(audit) for audit in table.splits.values()]


def tested_in(audit: Audit | None) -> int:
    """How many classes have test pixels in a split."""
    return sum(map(bool, (audit or {}).get("test_counts") or ()))


def small_classes(table: ReportTable) -> list[str]:
    """Names of the classes with test pixels that the main score leaves out; none where it is over
    all.
    """
    if not table.large:
        return []
    untested = untested_classes(table)
    names = enumerate(table.class_names, start=1)
    return [name for i, name in names if i not in table.large and name not in untested]


def untested_classes(table: ReportTable) -> list[str]:
    """Names of the classes that no draw has a test pixel of: they are in no count of classes."""
    counts = [audit.get("test_counts") or () for audit in table.splits.values()]
    tested = {i for numbers in counts for i, number in enumerate(numbers) if number}
    return [name for i, name in enumerate(table.class_names) if tested and i not in tested]


def few_in_fields(table: ReportTable) -> dict[str, dict[str, str]]:
    """Of seen and of new fields, the classes that have test pixels there in some draw, but fewer
    than MIN_TEST_PIXELS: by name, how many.
    """
    few: dict[str, dict[str, str]] = {}
    for part in ("seen", "new") if table.scores.fields else ():
        draws = [audit.get(f"{part}_counts") or () for audit in table.splits.values()]
        for i, name in enumerate(table.class_names):
            counts = [numbers[i] for numbers in draws if len(numbers) > i and numbers[i]]
            if counts and min(counts) < MIN_TEST_PIXELS:
                few.setdefault(part, {})[name] = count_range(counts)
    return few
