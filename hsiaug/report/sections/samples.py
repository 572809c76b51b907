"""A few samples of each generator beside real ones, for the page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import class_colours, hex_of
from hsiaug.metrics.spectra import band_gaps
from hsiaug.report.figures.files import image_bytes, page_picture
from hsiaug.report.figures.sheets import UNCHANGED, image_grid, tile_rows
from hsiaug.report.gains import ArmCell
from hsiaug.report.section import Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import Trial, rows_of
from hsiaug.trial.arm import CONTROLS_OF_ALL
from hsiaug.trial.sheet import MeanSpectra, SampleSheet
from hsiaug.trial.store import Store

WIDTH, HEIGHT = 300, 120
"""Units of a plot, which a browser stretches to the room that is there."""
MARGIN = 0.05
"""Share of the range of values above and below the lines."""
SERIES = {
    "held_out": "test pixels",
    "real": "real training pixels",
    "made": "synthetic samples",
}
"""What is drawn, in this order, by the field that holds it."""


def spectrum_plots(spectra: MeanSpectra, class_names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A plot for each class that has added samples.

    Parameters
    ----------
    spectra : MeanSpectra
        Of a trial.
    class_names : sequence of str
        Those of the scene.

    Yields
    ------
    dict
        ``name`` of the class, ``lines``: the field of :data:`SERIES` and the line as SVG writes a
        path, ``span`` of the values in the units of the scene, and what is drawn as ``text``.
    """
    bands = spectra.bands.astype(np.float64)
    across = (bands - bands.min()) * WIDTH / max(np.ptp(bands), 1e-12)
    gaps = set(band_gaps(spectra.bands).tolist())
    for row, class_id in enumerate(spectra.ids.tolist()):
        curves = {name: getattr(spectra, name)[row].astype(np.float64) for name in SERIES}
        curves = {name: curve for name, curve in curves.items() if np.isfinite(curve).all()}
        values = np.concatenate([*curves.values()]) if curves else np.zeros(1)
        low = float(values.min())
        high = float(values.max())
        name = class_names[class_id - 1]
        yield {
            "name": name,
            "lines": [
                (field, _path(across, _up(curve, low, high), gaps))
                for field, curve in curves.items()
            ],
            "span": f"{low:.3g} to {high:.3g}",
            "text": f"Mean spectra of {name}: {', '.join(SERIES[field] for field in curves)}",
        }


def band_range(spectra: MeanSpectra, *, wavelengths: bool) -> str:
    """What a plot spans from left to right: ``400 to 2,500 nm``, or ``bands 1 to 200``.

    Parameters
    ----------
    spectra : MeanSpectra
        Of a trial.
    wavelengths : bool
        Whether its scene names them.
    """
    first, last = float(spectra.bands.min()), float(spectra.bands.max())
    return f"{first:,.0f} to {last:,.0f} nm" if wavelengths else f"bands {first:.0f} to {last:.0f}"


def _up(curve: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Places of the values from the top down."""
    # The range of large values may not be a number of its own.
    scale = max(abs(low), abs(high)) or 1.0
    span = max(high / scale - low / scale, 1e-12)
    share = (curve / scale - low / scale) / span
    return HEIGHT * (1 - MARGIN - share * (1 - 2 * MARGIN))


def _path(across: NDArray[np.float64], down: NDArray[np.float64], gaps: Collection[int]) -> str:
    """A line through points as SVG writes it, begun anew behind each gap."""
    pieces = []
    for place, (x, y) in enumerate(zip(across, down, strict=True)):
        pieces.append(f"{'M' if place in gaps or not place else 'L'}{x:.1f} {y:.1f}")
    return "".join(pieces)


ROOM = 500_000
"""Bytes of pictures after which a page has no more of them, before base64 makes a third more of
them.
"""
PATCH, TILE = 36, 160
"""Pixels that a patch and a tile are drawn in, about: pictures are enlarged by whole numbers."""
NAMES = {"real": "real training", "made": "generated", "nearest": "nearest real"}


def _section(table: ReportTable, sources: Sources) -> Section | None:
    """The samples of each generator of a table, without pictures once ROOM is used; None where no
    record keeps any.
    """
    from hsiaug.report.render_page import markup_of

    store = sources.store
    if store is None:
        return None
    generators: list[dict[str, Any]] = []
    last: SampleSheet | None = None
    for cell, trial, sheet in _sheets(store, table):
        figures: list[dict[str, Any]] = []
        spectra: dict[str, Any] = {"plots": []}
        full = sources.drawn["samples"] >= ROOM
        if not full:
            draw = _tile_figures if sheet.of_tiles else _patch_figures
            figures = [*draw(sheet, table.class_names)]
            spectra = _spectra_of(sheet, table.class_names)
            lines = (line for plot in spectra["plots"] for _, line in plot["lines"])
            pictures = sum(len(figure["source"]) for figure in figures) * 3 // 4
            sources.drawn["samples"] += pictures + sum(map(len, lines))
        shown_of_generator = {
            "name": f"{table.arm_label(cell.arm)}, split {trial.seed}",
            "figures": figures,
            "full": full,
            "spectra": spectra,
        }
        generators.append(shown_of_generator)
        last = sheet
    if last is None:
        return None
    shown = {
        "generators": generators,
        "colours": str(last.colours),
        "score": table.scores.main.name,
        "tiles": last.of_tiles,
        "legend": _legend(last, table.class_names) if last.of_tiles else [],
        "series": SERIES,
        "plot_size": f"{WIDTH} {HEIGHT}",
    }
    return Section("Samples", html=markup_of("samples", shown))


def _spectra_of(sheet: SampleSheet, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Plots of the mean spectra of a sheet, and what they span; no plot where it has none."""
    spectra = sheet.spectra
    if spectra is None or spectra.ids.max(initial=0) > len(class_names):
        return {"plots": [], "bands": ""}
    numbers = np.arange(1, len(spectra.bands) + 1, dtype=np.float32)
    named = not np.array_equal(spectra.bands, numbers)
    return {
        "plots": [*spectrum_plots(spectra, class_names)],
        "bands": band_range(spectra, wavelengths=named),
    }


def _sheets(store: Store, table: ReportTable) -> Iterator[tuple[ArmCell, Trial, SampleSheet]]:
    """The first trial with samples of each generator and ω, of its highest configuration; further
    controls last. Of copies there is nothing to see.
    """

    # A sort keeps the order of equals: the highest first, and of these the controls last.
    cells = sorted(table.by_classifier, key=table.score_rank, reverse=True)
    cells.sort(key=attrgetter("is_control"))
    seen = set()
    for cell in cells:
        key = cell.arm.generator, cell.arm.omega
        if key in seen or not len(cell.ok) or cell.arm.generator.name in CONTROLS_OF_ALL:
            continue
        trial = rows_of(cell.ok)[0]
        sheet = store.sheet(trial.hash)
        if sheet is None:
            continue
        ids = np.concatenate([sheet.real_ids, sheet.made_ids, sheet.nearest_ids], axis=None)
        # Of a class that the table has not nothing is shown.
        if ids.max(initial=0) <= len(table.class_names):
            seen.add(key)
            yield cell, trial, sheet


def _patch_figures(sheet: SampleSheet, class_names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """A picture of each class: real patches, generated ones, and below each of these the nearest
    real one.
    """
    across = max(np.bincount(ids).max() for ids in (sheet.real_ids, sheet.made_ids))
    for c in np.unique(sheet.made_ids).tolist():
        rows = [
            sheet.real[sheet.real_ids == c],
            sheet.made[sheet.made_ids == c],
            sheet.nearest[sheet.made_ids == c],
        ]
        drawn, _ = image_grid([row[:, 0] for row in rows], int(across), PATCH, apart=True)
        source = image_bytes(drawn, format="PNG", optimize=True)
        name = class_names[c - 1]
        text = f"Patches of {name}: {', '.join(NAMES.values())}"
        yield page_picture(source, drawn.shape, name=name, text=text)


def _tile_figures(sheet: SampleSheet, class_names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """A picture of real tiles, one of generated ones, and one of the real ones nearest to these,
    with their masks.
    """
    tints = class_colours(len(class_names))
    for part, name in NAMES.items():
        rows = tile_rows(getattr(sheet, part), getattr(sheet, f"{part}_ids"), tints, TILE)
        drawn, _ = image_grid([*rows.values()], max(len(sheet.real), len(sheet.made)), TILE)
        # A fifth of what it weighs as PNG.
        source = image_bytes(drawn, format="JPEG", quality=75, subsampling=1, optimize=True)
        text = f"Tiles with their masks: {name}"
        yield page_picture(source, drawn.shape, name=name, text=text)


def _legend(sheet: SampleSheet, class_names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Names and colours of the classes that masks of a sheet may show."""
    first = UNCHANGED + 1 if sheet.made.shape[1] > 1 else 1
    colours = class_colours(len(class_names)).tolist()
    return [(class_names[c - 1], hex_of(colours[c])) for c in range(first, len(colours))]


SECTIONS = (SectionKind("samples", _section, 100, within=""),)
