"""Samples of generators on a page: real patches or tiles, generated ones, and the training sample
nearest to each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from hsiaug.base.colours import class_colours
from hsiaug.report.cells import ArmCell
from hsiaug.report.figures.files import image_bytes
from hsiaug.report.figures.sheets import UNCHANGED, Images, image_grid, tile_rows
from hsiaug.report.html.markup import picture_source
from hsiaug.report.html.spectra import HEIGHT, SERIES, WIDTH, band_range, spectrum_plots
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import Trial
from hsiaug.trial.arm import CONTROLS_OF_ALL
from hsiaug.trial.record_json import Record
from hsiaug.trial.sheet import SampleSheet
from hsiaug.trial.store import Store

ROOM = 500_000
"""Bytes of pictures after which no further generator is shown, before base64 makes a third more of
them.
"""
PATCH, TILE = 36, 160
"""Pixels that a patch and a tile are drawn in, about: pictures are enlarged by whole numbers."""
WITHIN = ("within_1", "within_2", "within_3")
EDGES = "edges"
"""Layout among what a record says that its generator measured: correlation of neighbours on three
components, and share of pixels with an edge.
"""
OF_MASKS = {
    "mask_edges": ("rank of the image's gradient at edges of the mask", ".1%"),
    "change": ("change inside the mask, of that outside", ".2f"),
}
"""What a record of masks states too, and how it is written."""
PIECES = re.compile(r"pieces_(\d+)")
"""Shares of pieces of so many pixels a side that lie nearer to training pieces than 95 % of
held-out ones do.
"""
NAMES = {"real": "real training", "made": "generated", "nearest": "nearest real"}


@dataclass(frozen=True)
class TableSamples:
    """What the page shows of the samples of a table.

    Attributes
    ----------
    generators : sequence of dict
        Of each generator its name, figures, layout and spectra.
    colours : str
        What the colours of the pictures are.
    tiles : bool
        Whether they are of tiles with masks, and not of patches.
    legend : sequence of (str, str)
        Names and colours of classes, of tiles.
    """

    generators: Sequence[dict[str, Any]]
    colours: str
    tiles: bool
    legend: Sequence[tuple[str, str]]
    series: Mapping[str, str] = field(default_factory=lambda: SERIES)
    plot_size: str = f"{WIDTH} {HEIGHT}"


class SampleMaker:
    """Draws the samples of a page, table after table, until ROOM is used.

    Parameters
    ----------
    store : Store or None
        None where there are none.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._left = ROOM

    def samples(self, table: ReportTable) -> TableSamples | None:
        """The samples of each generator of a table; None where no record keeps any."""
        if self._store is None:
            return None
        generators: list[dict[str, Any]] = []
        last: SampleSheet | None = None
        for cell, trial, sheet in _sheets(self._store, table):
            if self._left <= 0:
                break
            generators.append(self._of_generator(self._store, table, cell, trial, sheet))
            last = sheet
        if last is None:
            return None
        return TableSamples(
            generators,
            colours=str(last.colours),
            tiles=last.of_tiles,
            legend=_legend(last, table.class_names) if last.of_tiles else [],
        )

    def _of_generator(
        self, store: Store, table: ReportTable, cell: ArmCell, trial: Trial, sheet: SampleSheet
    ) -> dict[str, Any]:
        """What is shown of a generator; its room is used then."""
        draw = _tile_figures if sheet.of_tiles else _patch_figures
        figures = [*draw(sheet, table.class_names)]
        spectra = _spectra_of(sheet, table.class_names)
        self._left -= sum(len(figure["source"]) for figure in figures) * 3 // 4
        self._left -= sum(len(line) for plot in spectra["plots"] for _, line in plot.lines)
        record = store.sound(trial.hash) or {}
        return {
            "name": f"{table.arm_label(cell.arm)}, draw {trial.seed}",
            "figures": figures,
            "layout": layout_sentence(record, of_tiles=sheet.of_tiles),
            "spectra": spectra,
        }


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


def layout_sentence(record: Record, *, of_tiles: bool) -> str:
    """The layout of the samples of a trial beside that of real patches, or of real tiles, as its
    record states it; "" where it does not.
    """
    provenance = record.get("provenance") or {}
    made, real = (provenance.get(name) for name in ("measured", "measured_real"))
    if not isinstance(made, dict) or not isinstance(real, dict):
        return ""
    values = [table.get(name) for table in (made, real) for name in (*WITHIN, EDGES)]
    if not all(map(_is_number, values)):
        return ""
    of_made, of_real = (
        ", ".join(f"{table[name]:.2f}" for name in WITHIN) for table in (made, real)
    )
    others = "real training tiles" if of_tiles else "real patches which were left out"
    figures = [
        f"Layout, and in brackets that of {others}: correlation of neighbours within"
        f" {'tiles' if of_tiles else 'patches'}, first three components {of_made} [{of_real}]",
        f"edges per pixel {made[EDGES]:.1%} [{real[EDGES]:.1%}]",
    ]
    for name, (label, form) in OF_MASKS.items():
        pair = made.get(name), real.get(name)
        if all(map(_is_number, pair)):
            figures.append(f"{label} {pair[0]:{form}} [{pair[1]:{form}}]")
    return "; ".join(figures) + "." + _pieces_sentence(made)


def _pieces_sentence(made: Mapping[str, object]) -> str:
    """How many pieces of generated tiles are all but pieces of training tiles; "" where a record
    does not state it.
    """
    near = [
        f"{100 * share:.0f} % of {side[1]}×{side[1]} pixels"
        for name, share in made.items()
        if (side := PIECES.fullmatch(name)) and isinstance(share, float)
    ]
    if not near:
        return ""
    return (
        " Pieces nearer to a training piece, at any place and in any of eight turns, than 95 % of"
        f" held-out pieces (5 % would be chance): {', '.join(near)}."
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sheets(store: Store, table: ReportTable) -> Iterator[tuple[ArmCell, Trial, SampleSheet]]:
    """The first trial with samples of each generator and ω, further controls last. Of copies there
    is nothing to see.
    """
    cells = sorted(table.by_classifier, key=lambda cell: cell.is_control)
    seen = set()
    for cell in cells:
        key = cell.arm.generator, cell.arm.omega
        if key in seen or not cell.ok or cell.arm.generator.name in CONTROLS_OF_ALL:
            continue
        trial = cell.ok[0]
        sheet = store.sheet(trial.hash)
        if sheet is not None and _fits(sheet, len(table.class_names)):
            seen.add(key)
            yield cell, trial, sheet


def _fits(sheet: SampleSheet, classes: int) -> bool:
    """Whether it has no class that the table has not."""
    return all(
        int(ids.max(initial=0)) <= classes
        for ids in (sheet.real_ids, sheet.made_ids, sheet.nearest_ids)
    )


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
        source = image_bytes(Image.fromarray(drawn), format="PNG", optimize=True)
        yield _figure(
            source,
            drawn,
            class_names[c - 1],
            f"Patches of {class_names[c - 1]}: {', '.join(NAMES.values())}",
        )


def _tile_figures(sheet: SampleSheet, class_names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """A picture of real tiles, one of generated ones, and one of the real ones nearest to these,
    with their masks.
    """
    tints = class_colours(len(class_names))
    for part, name in NAMES.items():
        rows = tile_rows(getattr(sheet, part), getattr(sheet, f"{part}_ids"), tints, TILE)
        drawn, _ = image_grid([*rows.values()], max(len(sheet.real), len(sheet.made)), TILE)
        # A fifth of what it weighs as PNG.
        source = image_bytes(
            Image.fromarray(drawn), format="JPEG", quality=75, subsampling=1, optimize=True
        )
        yield _figure(source, drawn, name, f"Tiles with their masks: {name}")


def _legend(sheet: SampleSheet, class_names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Names and colours of the classes that masks of a sheet may show."""
    first = UNCHANGED + 1 if sheet.made.shape[1] > 1 else 1
    colours = class_colours(len(class_names)).tolist()
    return [
        (class_names[c - 1], "#{:02x}{:02x}{:02x}".format(*colours[c]))
        for c in range(first, len(colours))
    ]


def _figure(picture: bytes, drawn: Images, name: str, text: str) -> dict[str, Any]:
    size = {"height": drawn.shape[0], "width": drawn.shape[1]}
    return {"source": picture_source(picture), **size, "name": name, "text": text}
