"""What is gained over none over λ and ω at once, as tables on the diverging scale."""

from __future__ import annotations

from collections.abc import Mapping

from hsiaug.report.cells import ArmCell
from hsiaug.report.compare import PairedTest, pair_up
from hsiaug.report.curve_notes import n_text, surface_label, surface_notes
from hsiaug.report.curves import SweepSurface, all_surfaces, drawn, reference
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import escape, link, scroller, shade
from hsiaug.report.html.scales import diverging_legend, round_limit
from hsiaug.report.labels import MISSING, signed, with_interval
from hsiaug.report.scores import Metric
from hsiaug.report.tables import Table

__all__ = ["heat_maps"]

Tests = Mapping[tuple[float, float], PairedTest]
"""(λ, ω) → differences to none."""


def heat_maps(section: TableSection) -> str:
    """One per classifier, generator and metric where both λ and ω vary; empty where they do nowhere."""
    table = section.table
    found = [
        (surface, score, tests)
        for surface in all_surfaces(table)
        for score in reversed(drawn(table))
        if (tests := _tests(table, surface, score))
    ]
    if not found:
        return ""
    limit = round_limit([abs(test.mean) for _, _, tests in found for test in tests.values()])
    maps = "".join(_heat_map(section, surface, score, tests, limit) for surface, score, tests in found)
    notes = "".join(f'<p class="note">{escape(text)}</p>' for text in (HOW_TO_READ, *surface_notes(table)))
    legend = diverging_legend(limit, "below none", "above none")
    return f'<h4>Over λ and ω</h4>{legend}<div class="panels">{maps}</div>{notes}'


HOW_TO_READ = (
    "Mean difference to none in points, paired over the draws that the map names; λ to the right, ω upwards. A field "
    "with an n is over other draws, and not shaded."
)


def _tests(table: Table, surface: SweepSurface, score: Metric) -> Tests:
    none = reference(table, surface.classifier)
    found = {}
    for place, cell in surface.cells.items() if none else ():
        pairs = pair_up(cell, none, table.scores) if none else None
        test = pairs and (pairs.main if score == table.scores.main else pairs.second)
        if test and test.differences:
            found[place] = test
    return found


def _heat_map(section: TableSection, surface: SweepSurface, score: Metric, tests: Tests, limit: float) -> str:
    label = surface_label(section.table, surface)
    caption = f"Δ{score.name} to none, {label}; {n_text(surface.draws)}"
    head = "".join(f'<th scope="col">λ={lam:g}</th>' for lam in surface.lambdas)
    rows = "".join(
        f'<tr><th scope="row">ω={omega:g}</th>'
        + "".join(_field(section, surface, tests, (lam, omega), limit) for lam in surface.lambdas)
        + "</tr>"
        for omega in reversed(surface.omegas)
    )
    body = f"<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody>"
    return "<div>" + scroller(caption, f'<table class="heat shaded">{body}</table>') + "</div>"


def _field(
    section: TableSection, surface: SweepSurface, tests: Tests, place: tuple[float, float], limit: float
) -> str:
    cell: ArmCell | None = surface.cells.get(place)
    if cell is None:
        return f"<td>{MISSING}</td>"
    test = tests.get(place)
    if test is None:
        return f"<td>{MISSING if cell.ok else section.cell_link('failed', cell)}</td>"
    n, shares = len(test.differences), surface.shares(cell)
    text = signed(test.mean) + ("" if shares else f" (n={n})")
    shown = link(text, section.cell_id(cell), f"{with_interval(test.mean, test.interval)}, n = {n}")
    kind = shade(test.mean / limit) if shares else ""
    return f"<td{f' class={kind}' if kind else ''}>{shown}</td>"
