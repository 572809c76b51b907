"""How much of what prompts say is seen in samples, of generators that read text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from hsiaug.report.formatting import MISSING
from hsiaug.report.section import Grid, GridColumn, Section, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.report.text_templates import heading_meanings

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
    "told apart": {"text_evenness": "mixed/even", "text_share": "much/little"},
}
"""Headings of the columns of trials, by what they have in common."""
NOTE = (
    "Said and seen: the generator is asked in words for each class, and for classes beside each"
    " other. Shown is how often an oracle of held-out labels sees that, mean over draws: the class"
    " in the centre, and the neighbour's share of the named side, also where it is not said, is"
    " said of the other side, or prompts are shuffled. A new layout is one that no text of training"
    " said. Good is what real patches show. Told apart: {told_apart}. The oracle errs too: it names"
    " {right} % of other held-out pixels rightly. With a few hundred samples a draw, differences"
    " below ten points mean little."
)


def said_grid(table: ReportTable) -> Grid:
    """A row per generator that reads text and ω, which all λ, M and classifiers share."""
    columns = [
        GridColumn("generator", itemgetter("generator"), numeric=False),
        GridColumn("ω", lambda row: _written(row["omega"], "g")),
        *(
            GridColumn(header, partial(_percent, name), group)
            for group, names in COLUMNS.items()
            for name, header in names.items()
        ),
    ]
    heading = f"What samples show of what prompts say, in percent: {table.condition.scene}"
    return make_grid(heading, columns, _asked(table), keys=2)


def _percent(name: str, row: Mapping[str, float]) -> str:
    return _written(100 * row[name], ".0f")


def _written(value: float, form: str) -> str:
    return MISSING if np.isnan(value) else f"{value:{form}}"


def _asked(table: ReportTable) -> list[dict[str, Any]]:
    """Generator, ω, and the mean of each column over the draws that have it; NaN where none has."""
    names = ["text_oracle", *(name for names in COLUMNS.values() for name in names)]
    key = ["generator", "omega"]
    trials = table.frame(*names).dropna(subset=["text_centre"])
    if trials.empty:
        return []
    asked = trials.drop_duplicates([*key, "draw"])
    means = asked.groupby(key, sort=False, dropna=False)[names].mean().reset_index()
    rows: list[dict[str, Any]] = means.to_dict("records")
    return rows


def said_section(table: ReportTable, _: Sources | None = None) -> Section | None:
    """What samples show of what prompts say; None where no generator reads text."""
    grid = said_grid(table)
    if not grid.rows:
        return None
    right = np.mean([row["text_oracle"] for row in grid.subjects])
    terms = dict(heading_meanings())
    told_apart = "; ".join(f"{name}: {terms[name]}" for name in COLUMNS["told apart"].values())
    note = NOTE.format(right=f"{100 * right:.0f}", told_apart=told_apart)
    return Section("Said and seen", tables=(grid,), notes=(note,))


SECTIONS = (SectionKind("said-seen", said_section, 57, views=("generator",)),)
