"""What a terminal, a pipe and the first screen of the page show of a table: its three answers, what
every configuration reaches, and what those that it is about gain over each of their controls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.protocol.audit import MIN_TEST_PIXELS
from hsiaug.report import words
from hsiaug.report.answers import asked_for, control_names, three_answers
from hsiaug.report.audit import (
    audit_facts,
    blind_cells,
    damage_words,
    errors_of,
    pixels_words,
    transductive_words,
    untrained_classes,
)
from hsiaug.report.formatting import (
    MISSING,
    count,
    difference_text,
    difference_words,
    join_words,
    number,
    plus_minus,
)
from hsiaug.report.gains import ArmGains, Gain, rival_of
from hsiaug.report.paper import run_facts
from hsiaug.report.section import Answer, Frame, Section, score
from hsiaug.report.tables import Report, ReportTable
from hsiaug.tasks.scores import Metric
from hsiaug.trial.arm import NONE, Arm, Method

FAR_ABOVE = 0.25
"""A lead in the main score that is to be looked at: a plugin may have read the labels."""
MOST_ROWS = 12
"""Lines of differences from each control; of more the strongest control alone is shown."""


def summary_section(report: Report, table: ReportTable, metric: Metric | None = None) -> Section:
    """The screen of a table.

    Parameters
    ----------
    metric : Metric or None
        In place of the main score.
    """
    answers = three_answers(table)
    scores = table.scores if metric is None else replace(table.scores, main=metric)
    shown = _metric_table(table, metric)
    quote = ((words.QUOTE, answers.quote),) if answers.quote else ()
    return Section(
        heading=_header(report, table),
        text=tuple(_warnings(report, table)),
        answers=_about_all(table, answers.lines),
        frames=tuple(_frames(shown, scores.main)),
        closing=tuple(_facts(table)),
        commands=quote,
    )


def _about_all(table: ReportTable, lines: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """The answers; with some of the rows alone, they say which configurations they are about."""
    if table.complete is table:
        return lines
    names = _configurations(table.complete)
    return (*(replace(one, text=f"{names}: {one.text}") for one in lines[:2]), *lines[2:])


def notes_of(report: Report, table: ReportTable) -> Section:
    """What ``--notes`` adds below: small gains that are sure, losses in the second metric, and the
    audit.
    """
    small = [
        words.SMALL_BUT_SURE.format(
            configuration=table.cell_label(gain.cell),
            control=control_names(table, [gain.control])[0],
            gain=difference_words(gain.main),
            least=number(100 * table.smallest),
        )
        for gain in table.compared
        if gain.main.significant and gain.main.word not in ("better", "worse")
    ]
    lost = [
        words.LOSES.format(
            configuration=table.cell_label(gain.cell),
            control=control_names(table, [gain.control])[0],
            metric=table.scores.second.name,
            gain=difference_words(gain.second),
        )
        for gain in table.compared
        if gain.verdict and gain.main.word == "better" and gain.second.word == "worse"
    ]
    errors = tuple(
        (f"{n} × {why}: {where}", f"hsiaug report --trial {hash[:8]}{report.option}")
        for why, where, n, hash in errors_of(table)
    )
    facts = (*audit_facts(table), *run_facts([table]), (words.GUIDE_LABEL, words.GUIDE))
    return Section("Notes", notes=(*small, *lost), facts=facts, commands=errors)


# Above the tables


def _header(report: Report, table: ReportTable) -> str:
    """``indian_pines · txt2hsi, λ = 0.5, M = 3 · 7 splits: … · 119 trials``."""
    same_scene = [one for one in report.shown if one.condition.scene == table.condition.scene]
    name = table.condition.scene
    if len(same_scene) > 1 or table.run:
        name = table.title
    pixels = pixels_words(table)
    splits = count(len(table.draws), "split")
    parts = [
        name,
        _configurations(table),
        f"{splits}: {pixels}" if pixels else splits,
        count(len(table.trials), "trial"),
    ]
    return " · ".join(part for part in parts if part)


def _configurations(table: ReportTable) -> str:
    """The generators that a table is about, with the λ, M and ω that all of them share."""
    arms = list(dict.fromkeys(arm[NONE].cell.arm for arm in asked_for(table)))
    if not arms:
        return ""
    names = list(dict.fromkeys(table.labels[arm.generator] for arm in arms))
    said = [join_words(names) if len(names) < 6 else count(len(names), "generator")]
    values: dict[str, set[float]] = {
        "λ": {arm.rate.lam for arm in arms},
        "M": {arm.rate.times for arm in arms} - {0},
        "ω": {arm.omega for arm in arms if arm.omega is not None},
    }
    for sign, found in values.items():
        # Nobody asked for ω where it is 0.
        if found and found != {0}:
            said.append(f"{sign} = {', '.join(map(number, sorted(found)))}")
    return ", ".join(said)


def _warnings(report: Report, table: ReportTable) -> Iterator[str]:
    if table.leaky:
        yield words.LEAKY
    if table.damaged:
        damaged = count(len(table.damaged), "record")
        yield words.DAMAGED.format(n=damaged, records=damage_words(table.damaged))
    if errors := errors_of(table):
        n, of = len(table.failed), count(len(table.trials), "trial")
        yield words.FAILED.format(n=n, of=of, why=errors[0][0], option=report.option)
    if table.lacking:
        yield words.LACKING.format(n=len(table.lacking), of=len(table.every_cell))
    for kind, name, lead in _far_above(table.complete):
        points = number(100 * lead)
        yield words.FAR_ABOVE.format(name=name, points=points, kind=kind, option=report.option)
    if (whole := table.complete) is not table:
        shown = len(table.every_cell)
        yield words.SOME_ROWS.format(shown=shown, n=len(whole.every_cell))


def _far_above(table: ReportTable) -> Iterator[tuple[str, str, float]]:
    """Kind and name of a generator or classifier that may know test labels, and its lead over the
    next one in the main score, a fraction.
    """
    seen = [cell for cell in table.main_scores if not cell.is_blind]
    for kind in ("generator", "classifier"):
        best: dict[str, float] = {}
        for cell in seen:
            name = (cell.arm.generator if kind == "generator" else cell.classifier).name
            best[name] = max(best.get(name, 0.0), table.main_scores[cell])
        if len(best) < 2:
            continue
        first, second = sorted(best, key=best.__getitem__, reverse=True)[:2]
        if first != NONE and best[first] - best[second] > FAR_ABOVE:
            yield kind, first, best[first] - best[second]


def _frames(table: ReportTable, metric: Metric) -> list[Frame]:
    """What every configuration reaches, and the differences of those that a table is about from
    each of their controls; of many of them, their scores and two differences in a row.
    """
    asked = [arm for arm in asked_for(table) if any(gain.draws for gain in arm.values())]
    by_arm: dict[Arm, dict[Method, ArmGains]] = {}
    for arm in asked:
        cell = arm[NONE].cell
        by_arm.setdefault(cell.arm, {})[cell.classifier] = arm
    rows = sum(len(_controls(found.values())) + 2 for found in by_arm.values())
    if len(by_arm) > 1 and rows > MOST_ROWS:
        return [accuracy_frame(table, metric, [*by_arm]), _in_a_row(table, metric, asked)]
    blocks = [_minus_each(table, arm, found) for arm, found in by_arm.items()]
    return [accuracy_frame(table, metric), *blocks]


# What every configuration reaches


def accuracy_frame(table: ReportTable, metric: Metric, without: Sequence[Arm] = ()) -> Frame:
    """A row for each configuration, a column for each classifier; a classifier that ran without
    samples alone has a row.

    Parameters
    ----------
    without : sequence of Arm
        Those that have rows elsewhere.
    """
    given = [
        by for by in table.classifiers if any(not c.without_samples for c in table.cells_of(by))
    ]
    columns = given or list(table.classifiers)
    arms = sorted(set(table.arms) - set(without), key=partial(_arm_place, table))
    title = words.TITLE.format(metric=metric.short, splits=count(len(table.draws), "split"))
    entry = score(table, metric)
    rows = {}
    for arm in arms:
        found = [table.cells.get((arm, by)) for by in columns]
        if any(found):
            rows[_row_name(table, arm)] = [entry(cell) if cell else MISSING for cell in found]
    for by in table.classifiers:
        if by not in columns and (cell := table.reference(by)):
            name = f"{table.labels[by]}{_what(table, by.name)}"
            rows[name] = [entry(cell), *[""] * (len(columns) - 1)]
    names = [table.labels[by] for by in columns]
    return _frame(rows, names, title)


def _arm_place(table: ReportTable, arm: Arm) -> tuple[bool, tuple[object, ...]]:
    """Controls, then the others; of sweeps in the order of their values."""
    known = table.known_controls.get(arm.generator.name)
    is_control = known is not None and known.kind == "generator" and arm == arm.both
    return not is_control, arm.rank


def _row_name(table: ReportTable, arm: Arm) -> str:
    if arm.generator.name == NONE and not arm.rate:
        return words.NO_SAMPLES
    return f"{table.arm_label(arm, brief=True)}{_what(table, arm.generator.name, arm)}"


def _what(table: ReportTable, name: str, arm: Arm | None = None) -> str:
    """What a control is, behind its name."""
    known = table.known_controls.get(name)
    if known is None or not known.text or (arm is not None and arm != arm.both):
        return ""
    return f": {known.text}"


# Differences


def _metric_table(table: ReportTable, metric: Metric | None) -> ReportTable:
    """The table with another metric in the place of its main one, and its tests of this."""
    if metric is None or metric == table.scores.main:
        return table
    whole = replace(table.complete, scores=replace(table.scores, main=metric))
    if table.whole is None:
        return whole
    return replace(table, scores=whole.scores, whole=whole)


def _controls(arms: Iterable[ArmGains]) -> list[str]:
    return list(dict.fromkeys(name for arm in arms for name in arm))


def _minus_each(table: ReportTable, arm: Arm, found: dict[Method, ArmGains]) -> Frame:
    """A row for each control of a configuration and its baseline, a column for each classifier."""
    controls = _controls(found.values())
    columns = [by for by in table.classifiers if by in found]
    rows = {}
    for control, name in zip(controls, control_names(table, controls), strict=True):
        rows[name] = [_difference(found[by].get(control)) for by in columns]
    over_baselines = [gain for gain in table.over_baselines if gain.cell.arm == arm]
    for name in dict.fromkeys(gain.control for gain in over_baselines):
        of = {gain.cell.classifier: gain for gain in over_baselines if gain.control == name}
        rows[name] = [_difference(of.get(by)) for by in columns]
    title = words.MINUS.format(configuration=table.arm_label(arm, brief=True))
    return _frame(rows, [table.labels[by] for by in columns], title)


def _in_a_row(table: ReportTable, metric: Metric, asked: Sequence[ArmGains]) -> Frame:
    """A row for each configuration, that of the highest mean first: its score, and what it gains
    over no samples and over its strongest control, which is named.
    """
    rows = {}
    for arm in asked:
        cell = arm[NONE].cell
        strongest = rival_of(arm)
        rows[table.cell_label(cell, brief=True)] = [
            score(table, metric)(cell),
            _difference(arm[NONE]),
            _difference(strongest),
            control_names(table, [strongest.control])[0] if strongest else "",
        ]
    columns = [metric.short, words.MINUS_NONE, words.MINUS_STRONGEST, ""]
    return _frame(rows, columns, words.TITLE_OF_ROWS)


def _frame(rows: dict[str, list[str]], columns: Sequence[str], title: str) -> Frame:
    from pandas import DataFrame

    frame: DataFrame = DataFrame.from_dict(rows, orient="index", columns=list(columns))
    return Frame("", frame.rename_axis(title))


def _difference(gain: Gain | None) -> str:
    return MISSING if gain is None else difference_text(gain.main, word=True)


# Below the tables


def _facts(table: ReportTable) -> Iterator[str]:
    """What a reader of the numbers must not miss."""
    shown = [gain for gain in table.compared if gain.verdict]
    if any(gain.main.ends and gain.main.ends.is_interval for gain in shown):
        judged = [arm for arm in table.complete.judged if any(one.draws for one in arm.values())]
        points = 100 * table.smallest
        least = "1 point" if points == 1 else f"{points:g} points"
        judged_count = count(len(judged), "configuration")
        yield f"[ ]  {words.INTERVALS.format(n=judged_count, least=least)}"
    elif shown:
        yield f"( )  {words.RANGES.format(least=MIN_PAIRS)}"
    said = " ".join(filter(None, _class_facts(table)))
    if said:
        yield f"{table.scores.main.short}   {said}"
    blind = blind_cells(table)
    main = table.scores.main
    located = words.NO_LOCATION
    if blind:
        reached = max(plus_minus(cell.summary(main.key)) for cell in blind)
        located = words.LOCATION_ALONE.format(score=f"{main.short} {reached}")
    yield " ".join(filter(None, (located, transductive_words(table))))
    if three_answers(table).quotable:
        yield words.MAY_BE_QUOTED


def _class_facts(table: ReportTable) -> Iterator[str]:
    if table.large:
        yield words.OVER_CLASSES.format(
            large=len(table.large), n=len(table.class_names), least=MIN_TEST_PIXELS
        )
    if untrained := untrained_classes(table):
        yield words.UNTRAINED.format(classes=join_words(untrained))
    best = three_answers(table).best
    in_new = best.cell.summary("aa_new") if best and table.brief_fields else None
    if in_new:
        yield words.IN_NEW_FIELDS.format(score=plus_minus(in_new))
