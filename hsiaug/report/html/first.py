"""The first screen of the page: for each protocol a headline, and scenes and arms in one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hsiaug.metrics.significance import MeanStd, summary_interval
from hsiaug.report.across import NOTE, interval_text, score_of
from hsiaug.report.compare import Gain
from hsiaug.report.findings import CONTROL, FINDINGS, OF_SIGNS, SIGNS, over, said_of, signs_note
from hsiaug.report.html.markup import badge, details, escape, link, scroller
from hsiaug.report.html.section import TableSection
from hsiaug.report.labels import MISSING, count, p_said, signed
from hsiaug.report.matrix import ArmRow, Matrix, closing, loss_of
from hsiaug.report.records import CellKey
from hsiaug.report.tables import Table


def first_screen(shown: Sequence[Matrix], sections: Mapping[Table, TableSection]) -> str:
    """Markup of all matrices, one below the other."""
    return "\n".join(_matrix(matrix, sections, titled=len(shown) > 1) for matrix in shown)


def _matrix(matrix: Matrix, sections: Mapping[Table, TableSection], *, titled: bool) -> str:
    first, *more = closing(matrix)
    if len(matrix.tables) == 1 and first != (headline := said_of(matrix.tables[0])):
        first, more = headline, [first, *more]
    leaky = f" {badge('LEAKY', 'bad')}" if any(table.leaky for table in matrix.tables) else ""
    title = f"<h3>{escape(matrix.title)}{leaky}</h3>" if titled or leaky else ""
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in more)
    if not matrix.rows:
        return f'{title}<p class="headline">{escape(first)}</p>{said}'
    notes = [signs_note(matrix.tables), f"{CONTROL}: a control.", OF_SIGNS, *([NOTE] if matrix.pooled else [])]
    id = sections[matrix.tables[0]].anchor("matrix")
    named = matrix.heading
    head = "".join(_head(table, sections[table]) for table in matrix.tables)
    if matrix.pooled:
        head += '<th scope="col">mean over none</th><th scope="col">on a new scene</th>'
    rows = "".join(_row(row, matrix, sections) for row in matrix.rows)
    top = f'<thead><tr><th scope="col">arm</th>{head}</tr></thead>'
    table = f'<table class="matrix" id="{id}" aria-label="{escape(named)}">{top}<tbody>{rows}</tbody></table>'
    about = details("What the signs and numbers are", f'<p class="note">{escape(" ".join(notes))}</p>')
    heading = f'{title}<p class="headline">{escape(first)}</p>'
    return f"{heading}{_filter(matrix, id)}{scroller(named, table)}{said}{_any_two(matrix)}{about}"


def _any_two(matrix: Matrix) -> str:
    """A choice of two arms, controls too, and their difference on every scene, which the page's script fills in."""
    labels: dict[CellKey, str] = {row.key: row.label for row in matrix.rows}
    for one in matrix.tables:
        for key, cell in one.cells.items():
            labels.setdefault(key, one.cell_label(cell, ", "))
    scenes = [(one.condition.scene, [_scores(one, key) for key in labels]) for one in matrix.tables]
    most = max(len(one.draws) for one in matrix.tables)
    intervals = [summary_interval(MeanStd(0.0, 1.0, n)) for n in range(2, most + 1)]
    arms, best = list(labels), matrix.rows[0].key
    plain = [
        place
        for place, (arm, classifier) in enumerate(arms)
        if arm.generator.name == "none" and classifier == best[1]
    ]
    about = {
        "names": list(labels.values()),
        "scenes": scenes,
        "halves": [round(interval[1], 4) for interval in intervals if interval],
        "first": [0, *(plain or [0])][:2],
    }
    score = f"{score_of(matrix.tables)}, A against B, in percent; draws that both have"
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("scene", "draws", "A", "B", "A − B", "95 % interval")
    )
    table = (
        f'<table class="two" aria-label="{escape(score)}"><thead><tr>{head}</tr></thead><tbody></tbody></table>'
    )
    inside = details("Compare any two arms", f'<div class="fields"></div>{scroller(score, table)}')
    return (
        f'<div class="arms" data-about="{escape(json.dumps(about, separators=(",", ":")))}" hidden>{inside}</div>'
    )


def _scores(table: Table, key: CellKey) -> list[float | None]:
    """The main score in percent of a cell in each draw of the table; empty where it was not run."""
    cell = table.cells.get(key)
    if cell is None:
        return []
    values = cell.column(table.scores.main.key)
    by_draw = {draw[0]: values[place] for draw, place in cell.places.items()}
    found = (by_draw.get(draw) for draw in table.draws)
    return [None if value is None else round(100 * value, 2) for value in found]


def _filter(matrix: Matrix, id: str) -> str:
    """A choice of the classifier, which the page's script shows."""
    table = matrix.tables[0]
    names = sorted({_classifier(row, table) for row in matrix.rows})
    if len(names) < 2:
        return ""
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    return (
        f'<div class="fields filter" data-table="{id}" hidden><label>Classifier '
        f'<select aria-label="Classifier"><option value="">all</option>{options}</select></label></div>'
    )


def _classifier(row: ArmRow, table: Table) -> str:
    return table.labels.get(row.classifier, row.classifier.name)


def _head(table: Table, section: TableSection) -> str:
    draws = count(len(table.draws), "draw")
    return f'<th scope="col">{link(table.condition.scene, section.anchor("table"))}<small>{draws}</small></th>'


def _row(row: ArmRow, matrix: Matrix, sections: Mapping[Table, TableSection]) -> str:
    cells = [
        _cell(gain, sections[table], matrix.worth(place, row), named=len(matrix.tables) == 1)
        for place, (table, gain) in enumerate(zip(matrix.tables, row.gains, strict=True))
    ]
    if matrix.pooled:
        mean, new = MISSING, MISSING
        if row.pooled:
            mean = f"{signed(row.pooled.mean)} {interval_text(row.pooled.interval)}"
            new = interval_text(row.pooled.prediction)
        cells.append(f"<td>{mean}</td><td>{new}</td>")
    name = escape(_classifier(row, matrix.tables[0]))
    return f'<tr data-of="{name}"><th scope="row">{escape(row.label)}</th>{"".join(cells)}</tr>\n'


def _cell(gain: Gain | None, section: TableSection, worth: str | None, *, named: bool) -> str:
    """Sign, gain and interval, which open the draws; then a loss in the other metric, and the worth in labels.

    named: with the control that decides.
    """
    if gain is None:
        return f"<td>{MISSING}</td>"
    finding = gain.verdict.finding if gain.verdict else None
    tone, sign = (FINDINGS[finding].tone, SIGNS[finding]) if finding else ("", CONTROL)
    title, numbers = str(finding or "control"), ""
    if gain.hardest:
        control, one = gain.hardest
        test = one.main
        title += f", over {control}, {p_said(test.p_holm)}, {count(len(one.pairs), 'draw')}"
        numbers = f" <b>{signed(test.mean)}</b>" + (f" {interval_text(test.interval)}" if test.interval else "")
    loss = loss_of(gain)
    aside = [f"{section.table.scores.second.name} {signed(loss)}"] if loss is not None else []
    aside += [f"k* {escape(worth)}"] if worth is not None else []
    aside += [over(gain)] if named and over(gain) else []
    small = f" <small>{', '.join(aside)}</small>" if aside else ""
    opens = f'<a href="#{section.cell_id(gain.cell)}" title="{escape(title)}">{sign}{numbers}</a>'
    return f'<td><span class="badge {tone}">{opens}{small}</span></td>'
