"""Accuracy over λ and ω at once, as heat maps: a field for every pair, darker where it is higher."""

from __future__ import annotations

from hsiaug.report.cells import ArmCell
from hsiaug.report.curve_notes import n_text, surface_label, surface_notes
from hsiaug.report.curves import SweepSurface, all_surfaces, drawn
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import escape, scroller
from hsiaug.report.labels import MISSING, percent
from hsiaug.report.scores import Metric

__all__ = ["heat_maps"]

SHADES = 9
"""Shades g1 to g9 of the page's style."""


def heat_maps(section: TableSection) -> str:
    """One per classifier, generator and metric where both λ and ω vary; empty where they do nowhere."""
    table = section.table
    maps = []
    for surface in all_surfaces(table):
        for score in reversed(drawn(table)):
            caption = f"{score.name} (%), {surface_label(table, surface)}; {n_text(surface.draws)}"
            maps.append(_map(section, surface, score, caption))
    if not maps:
        return ""
    note = (
        "Mean over the draws that the map names; λ to the right, ω upwards. Every map is shaded from its own lowest to "
        "its own highest; a field with an n is over other draws, and not shaded."
    )
    notes = "".join(f'<p class="note">{escape(text)}</p>' for text in (note, *surface_notes(table)))
    return f'<h4>Over λ and ω</h4><div class="panels">{"".join(maps)}</div>{notes}'


def _map(section: TableSection, surface: SweepSurface, score: Metric, caption: str) -> str:
    shared = [cell for cell in surface.cells.values() if surface.shares(cell)]
    means = [s.mean for cell in shared if (s := cell.summary(score.key))]
    low, high = min(means, default=0.0), max(means, default=0.0)

    def field(cell: ArmCell | None) -> str:
        if cell is None:
            return f"<td>{MISSING}</td>"
        summary = cell.summary(score.key)
        if summary is None:
            return f"<td>{MISSING if cell.ok else section.cell_link('failed', cell)}</td>"
        if not surface.shares(cell):
            return f"<td>{section.cell_link(f'{percent(summary.mean)} (n={summary.n})', cell)}</td>"
        shade = 1 + round((SHADES - 1) * (summary.mean - low) / (high - low)) if high > low else 1
        return f'<td class="g{shade}">{section.cell_link(percent(summary.mean), cell)}</td>'

    head = "".join(f'<th scope="col">λ={lam:g}</th>' for lam in surface.lambdas)
    rows = "".join(
        f'<tr><th scope="row">ω={omega:g}</th>'
        + "".join(field(surface.cells.get((lam, omega))) for lam in surface.lambdas)
        + "</tr>"
        for omega in reversed(surface.omegas)
    )
    body = f"<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody>"
    return "<div>" + scroller(caption, f'<table class="heat">{body}</table>') + "</div>"
