"""How much of what prompts say is seen in samples, of generators that read text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hsiaug.report.formatting import MISSING
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.section import Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable

COLUMNS = {
    "centre": {"text_centre": "samples", "text_centre_real": "real"},
    "named side": {
        "text_side": "said",
        "text_side_real": "real",
        "text_not_said": "not said",
        "text_other_side": "other side",
        "text_permuted": "shuffled",
    },
    "new layout": {"text_never_said": "said", "text_never_said_real": "real"},
    "told apart": {"text_evenness": "even", "text_share": "share"},
}
"""Headings of the columns of trials, by what they have in common."""
NOTE = (
    "Said and seen: the generator is asked in words for each class, and for classes beside each"
    " other. Shown is how often an oracle of held-out labels sees that, mean over draws: the class"
    " in the centre, and the neighbour's share of the named side, also where it is not said, is"
    " said of the other side, or prompts are shuffled. A new layout is one that no text of training"
    " said. Good is what real patches show; of what is told apart 100 is good, and 50 chance. The"
    " oracle errs too: it names {right} % of other held-out pixels rightly. With a few hundred"
    " samples a draw, differences below ten points mean little."
)


@dataclass(frozen=True, eq=False)
class _Asked:
    """A generator at one ω, which all λ, M and classifiers share.

    Attributes
    ----------
    draws : dict
        The numbers of each draw, by the column of trials.
    """

    generator: str
    omega: float | None
    draws: dict[int, dict[str, float]]

    def mean(self, name: str) -> float:
        """Mean over the draws that have the number; NaN where none has."""
        values = np.array([numbers[name] for numbers in self.draws.values()])
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else np.nan


def said_grid(table: ReportTable) -> Grid:
    """A row per generator that reads text and ω."""
    columns = [
        GridColumn("generator", lambda row: row.generator, numeric=False),
        GridColumn("ω", lambda row: MISSING if row.omega is None else f"{row.omega:g}"),
        *(
            GridColumn(header, partial(_percent, name), group)
            for group, names in COLUMNS.items()
            for name, header in names.items()
        ),
    ]
    heading = f"What samples show of what prompts say, in percent: {table.condition.scene}"
    return make_grid(heading, columns, _asked(table), keys=2)


def _percent(name: str, row: _Asked) -> GridEntry:
    value = row.mean(name)
    return GridEntry(MISSING if np.isnan(value) else f"{100 * value:.0f}")


def _asked(table: ReportTable) -> Iterator[_Asked]:
    names = ("text_oracle", *(name for names in COLUMNS.values() for name in names))
    asked: dict[tuple[str, float | None], _Asked] = {}
    for cell in table.by_classifier:
        columns: dict[str, NDArray[np.float64]] = {name: cell.column(name) for name in names}
        label, omega = table.labels[cell.arm.generator], cell.arm.omega
        for row in np.flatnonzero(~np.isnan(columns["text_centre"])).tolist():
            one = asked.setdefault((label, omega), _Asked(label, omega, {}))
            numbers = {name: float(values[row]) for name, values in columns.items()}
            one.draws.setdefault(int(cell.drawn[row]), numbers)
    yield from asked.values()


def said_section(table: ReportTable, _: Sources | None = None) -> Section | None:
    """What samples show of what prompts say; None where no generator reads text."""
    grid = said_grid(table)
    if not grid.rows:
        return None
    right = np.mean([row.mean("text_oracle") for row in grid.subjects])
    note = NOTE.format(right=f"{100 * right:.0f}")
    return Section("Said and seen", tables=(grid,), notes=(note,))


SECTIONS = (SectionKind("said-seen", said_section, 57, views=("generator",)),)
