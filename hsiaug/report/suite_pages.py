"""Pages of the claims and tables that a suite declares."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pandas import DataFrame

from hsiaug.metrics.significance import mean_std
from hsiaug.report.formatting import (
    MISSING,
    count,
    ends_text,
    join_words,
    measured,
    plus_minus,
    signed_measure,
    with_ends,
)
from hsiaug.report.gains import in_points
from hsiaug.report.output_files import TableFiles
from hsiaug.report.section import Grid, GridColumn, GridEntry, Section, frame_grid, make_grid
from hsiaug.report.sections.sweeps import SIGNS
from hsiaug.report.suite_findings import (
    IN_PART,
    NOT_SUPPORTED,
    OPEN,
    SUPPORTED,
    ClaimedGain,
    ClaimFinding,
    ClaimRow,
    StoredValues,
    TableValue,
    find_claims,
    find_tables,
)
from hsiaug.report.text_templates import sentences
from hsiaug.tasks.task import metric_names
from hsiaug.trial.declared_tables import (
    QUALITY,
    DeclaredTable,
    DeclaredTables,
    TableSetting,
    is_measure,
)
from hsiaug.trial.store import Store

TONES = {SUPPORTED: "good", NOT_SUPPORTED: "bad", OPEN: "warn", IN_PART: "warn"}


def suite_tables(declared: DeclaredTables, store: Store) -> TableFiles:
    """The claims and tables of a suite, from the records and the measures of a store.

    Raises StoreError as the store does.
    """
    stored = StoredValues.read(store, declared)
    claims = find_claims(declared, stored)
    tables = find_tables(declared, stored)
    of_claims = [_claim_json(found) for found in claims]
    of_tables: list[dict[str, Any]] = [
        {"name": table.name, "title": table.title, "values": _values_json(tables[table.name])}
        for table in declared.tables
    ]
    pages = []
    if claims or tables:
        pages.append(_summary(declared, claims, tables))
    pages += [
        _claim_page(found, one["text"], stored)
        for found, one in zip(claims, of_claims, strict=True)
    ]
    pages += [_table_page(table, tables[table.name], stored) for table in declared.tables]
    missing = _missing(declared, store, stored)
    if missing and pages:
        pages[-1] = replace(pages[-1], closing=missing)
    value = {
        "suite": declared.options,
        "title": declared.title,
        "claims": of_claims,
        "tables": of_tables,
        "missing": list(missing),
    }
    rows = [row for one in of_claims for row in one["rows"]]
    rows += [{"table": one["name"], **row} for one in of_tables for row in one["values"]]
    return TableFiles("suite", pages, rows, value)


def _claim_json(found: ClaimFinding) -> dict[str, Any]:
    """A claim with its verdict, its sentences and the rows of its differences."""
    return {
        "name": found.claim.name,
        "says": found.claim.says,
        "verdict": found.verdict,
        "text": claim_sentences(found),
        "rows": list(_claim_rows(found)),
    }


def _summary(
    declared: DeclaredTables,
    claims: Sequence[ClaimFinding],
    tables: Mapping[str, Sequence[Sequence[TableValue]]],
) -> Section:
    """What follows: every claim with its verdict, and every table."""
    claim_columns = (
        GridColumn("claim", lambda found: found.claim.name, numeric=False),
        GridColumn("what it says", lambda found: found.claim.says, numeric=False),
        GridColumn(
            "by the records",
            lambda found: GridEntry(found.verdict, TONES[found.verdict]),
            numeric=False,
        ),
    )
    table_columns = (
        GridColumn("table", lambda table: table.name, numeric=False),
        GridColumn("what it shows", lambda table: table.title, numeric=False),
        GridColumn("by the records", lambda table: _filled_text(tables[table.name]), numeric=False),
    )
    grids = []
    if claims:
        grids.append(make_grid("Claims", claim_columns, claims))
    if declared.tables:
        grids.append(make_grid("Tables", table_columns, declared.tables))
    return Section(
        declared.title or declared.options,
        tables=tuple(grids),
        notes=tuple(sentences("claim_rule.txt")) if claims else (),
    )


def _filled_text(rows: Sequence[Sequence[TableValue]]) -> str:
    """How many rows of a table have a value."""
    if not rows:
        return "not planned on these data"
    filled = sum(any(entry.values for entry in row) for row in rows)
    return f"{filled} of {count(len(rows), 'row')}"


def claim_sentences(found: ClaimFinding) -> list[str]:
    """What the records say of a claim: the verdict on all of it, and a sentence for each
    setting.
    """
    settings = _by_setting(found.rows)
    return sentences("claim.txt", verdict=found.verdict, settings=settings, arms_of=_arms_of)


def _arms_of(rows: Iterable[ClaimRow]) -> str:
    """The rows in words: an arm over others."""
    others: dict[str, list[str]] = {}
    for row in rows:
        others.setdefault(row.arm, []).append(row.other)
    return join_words(
        f"{arm} over {join_words(names)}" if all(names) else arm for arm, names in others.items()
    )


def _setting_text(setting: TableSetting) -> str:
    return f"{setting.scene}, {setting.protocol}"


def _by_setting(rows: Sequence[ClaimRow]) -> dict[TableSetting, list[ClaimRow]]:
    by_setting: dict[TableSetting, list[ClaimRow]] = {}
    for row in rows:
        by_setting.setdefault(row.setting, []).append(row)
    return by_setting


def _claim_page(found: ClaimFinding, text: Sequence[str], stored: StoredValues) -> Section:
    names = tuple(dict.fromkeys(name for one in found.claim.differences for name in one.values))
    grids = tuple(
        _claim_grid(_setting_text(setting), rows, names, stored)
        for setting, rows in _by_setting(found.rows).items()
    )
    title = f"{found.claim.name}. {found.claim.says}"
    return Section(title, text=tuple(text), tables=grids)


def _claim_grid(
    heading: str, rows: Sequence[ClaimRow], names: Sequence[str], stored: StoredValues
) -> Grid:
    swept = any(row.sweep for row in rows)
    header = ["", *(("values", "best") if swept else ())]
    header += [f"Δ {_value_name(name, stored)}" for name in names]
    header += ["draws", "verdict"]
    texts = []
    for row in rows:
        by_name = {one.value: one for one in row.differences}
        cells = [_difference_text(by_name.get(name)) for name in names]
        texts.append(
            (
                row.label,
                *(_sweep_texts(row) if swept else ()),
                *cells,
                f"{row.draws} of {row.planned}",
                row.verdict,
            )
        )
    return frame_grid(heading, DataFrame(texts, columns=header).set_index(""))


def _sweep_texts(row: ClaimRow) -> tuple[str, str]:
    if row.sweep is None:
        return MISSING, MISSING
    curve = ", ".join(f"{place:g}: {100 * mean:.1f}" for place, mean in row.sweep.means.items())
    where = "inside" if row.sweep.interior else "at an end"
    return curve, f"{SIGNS[row.sweep.axis]} = {row.sweep.best:g}, {where}"


def _value_name(name: str, stored: StoredValues) -> str:
    return stored.label(name) if is_measure(name) else metric_names().get(name, name)


def _difference_text(gain: ClaimedGain | None) -> str:
    if gain is None or not gain.evidence.differences:
        return MISSING
    mean, ends = gain.evidence.mean, gain.evidence.ends
    if not is_measure(gain.value):
        return with_ends(mean, ends)
    text = signed_measure(mean)
    return f"{text} {ends_text(ends, signed_measure)}" if ends else text


def _table_page(
    table: DeclaredTable, rows: Sequence[Sequence[TableValue]], stored: StoredValues
) -> Section:
    heading = f"{table.name}. {table.title}"
    if not rows:
        return Section(heading, text=("No arm of it is planned on these data.",))
    header = ["data", "", *(column.title for column in table.columns), "draws"]
    texts = [
        (
            _setting_text(entries[0].setting),
            entries[0].row,
            *map(_value_text, entries),
            f"{max(len(entry.values) for entry in entries)} of {entries[0].planned}",
        )
        for entries in rows
    ]
    measures = dict.fromkeys(
        f"{column.title}: {label}."
        for column in table.columns
        if is_measure(column.value)
        if (label := stored.label(column.value)) != column.value.removeprefix(QUALITY)
    )
    frame = DataFrame(texts, columns=header).set_index(header[:2])
    grid = frame_grid("Mean ± standard deviation over draws", frame)
    return Section(heading, tables=(grid,), notes=tuple(measures))


def _value_text(entry: TableValue) -> str:
    if not entry.values:
        return MISSING
    summary = mean_std(entry.values)
    if not is_measure(entry.value):
        return plus_minus(summary)
    spread = "" if summary.std is None else f" ± {summary.std:.2g}"
    return f"{measured(summary.mean)}{spread}"


def _missing(declared: DeclaredTables, store: Store, stored: StoredValues) -> tuple[str, ...]:
    """Sentences on the trials and measures that the store lacks, with the command that makes
    them.
    """
    trials = {trial.hash for arm in declared.scored_arms for trial in declared.trials(arm)}
    asked = {
        (trial.samples, name)
        for arm, names in declared.measured_arms.items()
        for trial in declared.trials(arm)
        if trial.samples
        for name in names
    }
    unmeasured = {samples for samples, name in asked if name not in stored.measures[samples]}
    lines = sentences(
        "not_there.txt",
        options=f"{declared.options} --store {shlex.quote(str(store.root))}",
        trials=trials,
        lacking=trials.difference(stored.trials.index),
        samples={samples for samples, _ in asked},
        unmeasured=unmeasured,
    )
    return tuple(lines)


def _claim_rows(found: ClaimFinding) -> Iterator[dict[str, Any]]:
    """A row for each difference: mean and interval, of records in points."""
    for row in found.rows:
        for gain in row.differences:
            yield {
                "claim": found.claim.name,
                "scene": row.setting.scene,
                "protocol": row.setting.protocol,
                "row": row.label,
                "value": gain.value,
                **in_points(gain.evidence, _scale(gain.value)),
                "best": None if row.sweep is None else row.sweep.best,
                "draws": len(gain.evidence.differences),
                "planned": row.planned,
                "verdict": row.verdict,
            }


def _scale(name: str) -> float:
    """What a value is multiplied by: metrics are fractions, and shown in percent."""
    return 1.0 if is_measure(name) else 100.0


def _values_json(rows: Sequence[Sequence[TableValue]]) -> list[dict[str, Any]]:
    """A row for each entry of a table; values of records in percent."""
    found = []
    for entry in (entry for entries in rows for entry in entries):
        scale = _scale(entry.value)
        summary = mean_std([scale * value for value in entry.values]) if entry.values else None
        found.append(
            {
                "scene": entry.setting.scene,
                "protocol": entry.setting.protocol,
                "row": entry.row,
                "column": entry.column,
                "value": entry.value,
                "mean": None if summary is None else summary.mean,
                "std": None if summary is None else summary.std,
                "draws": len(entry.values),
                "planned": entry.planned,
            }
        )
    return found
