"""Findings of ``hsiaug datasets add``: the entries of a scene's card, and the sentences that explain them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.cardtext import nanometres
from hsiaug.data.cube_check import CubeFacts, runs, usual_scale, usual_units
from hsiaug.data.declared import Declared
from hsiaug.data.georeference import Georeference
from hsiaug.data.label_rasters import LabelRaster
from hsiaug.data.label_source import ClassCodes
from hsiaug.data.raw import RawArray

__all__ = ["ImportFindings", "facts", "read_values", "warnings"]

FEW = 10
"""Classes with fewer labelled pixels than this are named: hardly any is left to test on."""


@dataclass(frozen=True)
class _CubeValues:
    """How the values of a cube are understood. remarks: for the card, by its key.

    scale: None = what the ENVI header says, or none. centres: of the bands in nm, or None.
    """

    scale: float | None
    offset: float
    units: str
    bad_bands: tuple[int, ...]
    centres: tuple[float, ...] | None
    remarks: dict[str, str]


@dataclass(frozen=True, eq=False)
class ImportFindings:
    """All that was found in the two files. view: the cube as (H, W, B) raw values. counts: pixels of each class.

    other_axes: orders of the cube's axes that would fit the labels as well. nodata: raw value of pixels without data.
    plots: ids of plots, and their own file where that is used as it is.
    """

    raw: RawArray
    view: NDArray[Any]
    axes: str
    other_axes: tuple[str, ...]
    ground: Georeference | None
    seen: CubeFacts
    read: _CubeValues
    raster: LabelRaster
    coding: ClassCodes
    counts: tuple[int, ...]
    nodata: float | None = None
    plots: tuple[LabelRaster, Path | None] | None = None


def read_values(
    raw: RawArray,
    seen: CubeFacts,
    said: Declared,
    scale: float | None,
    units: str | None,
    bad_bands: tuple[int, ...],
) -> _CubeValues:
    """Scale, units and bands of a cube: as given, else as its file says, else as usual, said to be a guess.

    bad_bands: those the user drops beside the ones that were found.
    """
    remarks = {}
    stated = scale if scale is not None else said.scale if said.scale is not None else raw.scale
    guessed = usual_scale(raw.array.dtype, seen) if stated is None else None
    used = stated if stated is not None else guessed if guessed is not None else 1.0
    low, high = sorted(float(value * used + said.offset) for value in seen.typical)
    if guessed is not None:
        remarks["cube.scale"] = f"a guess: the file holds integers up to {seen.high:g} and names no scale"
    if units is None:
        units = usual_units(low, high, scale_known=guessed is None)
        remarks["cube.units"] = f"a guess: 99.8 % of the values lie in {low:.3g} to {high:.3g}"
    reasons = {
        "asked for": bad_bands,
        "bad by the ENVI header": said.bad_bands,
        "one value only": seen.constant,
        "many values missing": seen.broken,
    }
    bad = tuple(sorted(set().union(*reasons.values())))
    if bad:
        remarks["cube.bad_bands"] = "; ".join(f"{why}: {runs(bands)}" for why, bands in reasons.items() if bands)
    centres = said.wavelengths if raw.wavelengths is None else tuple(float(nm) for nm in raw.wavelengths)
    in_card = scale if scale is not None else said.scale if said.scale is not None else guessed
    return _CubeValues(in_card, said.offset, units, bad, centres, remarks)


def facts(found: ImportFindings) -> tuple[tuple[str, str], ...]:
    """(what, finding) for people."""
    seen, read, ground, dtype = found.seen, found.read, found.ground, found.raw.array.dtype
    height, width, bands = seen.shape
    dropped = f" ({read.remarks['cube.bad_bands']})" if read.bad_bands else ""
    scale = read.scale if read.scale is not None else found.raw.scale
    ends = () if read.centres is None else (min(read.centres), max(read.centres))
    place = "none" if ground is None else f"pixels of {ground.metres:g} m" if ground.metres else "not in metres"
    guess = {key: " (a guess)" if f"cube.{key}" in read.remarks else "" for key in ("scale", "units")}
    listed = [
        ("size", f"{height}×{width} pixels"),
        ("bands", f"{bands} in the file, {bands - len(read.bad_bands)} kept{dropped}"),
        ("band centres", f"{'–'.join(map(nanometres, ends))} nm" if ends else "not known"),
        ("raw values", f"{dtype}, {seen.low:g} to {seen.high:g}"),
        ("scale", f"{1 if scale is None else scale:g}{guess['scale']}"),
        ("units", read.units + guess["units"]),
        ("no data", f"{int(seen.empty.sum()):,} pixels"),
        ("georeference", place),
    ]
    if found.plots is not None:
        ids, labelled = found.plots[0].codes, np.isin(found.raster.codes, found.coding.ids)
        without = int((labelled & (ids <= 0)).sum())
        rest = f"; {without:,} labelled pixels lie in none: there a field is a connected stretch of one class"
        number = len(np.unique(ids[labelled & (ids > 0)]))
        listed.append(("plots", f"{number:,} with labelled pixels{rest if without else ''}"))
    return tuple(listed)


def warnings(found: ImportFindings) -> Iterator[str]:
    """Sentences, each with its hint."""
    seen, read, coding = found.seen, found.read, found.coding
    yield from (*found.raster.notes, *coding.notes)
    yield from (f"plots: {note}" for note in (found.plots[0].notes if found.plots else ()))
    if seen.unfilled:
        held = "NaN or infinity" if found.nodata is None else f"NaN, infinity or {found.nodata:g}"
        yield f"{held} at {seen.unfilled:,} of {seen.empty.size:,} pixels: they count as 0 (cube.nodata of the card)"
    if found.other_axes:
        orders = " or ".join(found.other_axes)
        yield f"the cube's axes may also be in the order {orders}: look at the picture; `axes` says it"
    if "cube.scale" in read.remarks:
        yield f"cube.scale is {read.remarks['cube.scale']}: say it with `scale` (1 to keep the numbers)"
    if read.centres is None:
        yield (
            "no band centres in the file: the picture's colours are arbitrary; "
            "add range_nm = [first, last] under [sensor] of the card"
        )
    if read.bad_bands:
        yield (
            f"bands are dropped ({read.remarks['cube.bad_bands']}): "
            "edit cube.bad_bands and cube.shape of the card to keep them"
        )
    rows = zip(coding.names, coding.ids, found.counts, strict=True)
    few = [f"{n} ({count:,})" for n, code, count in rows if count < FEW and not {n, code} & set(coding.ignore)]
    if few:
        yield f"fewer than {FEW} labelled pixels: {', '.join(few)}; label more, or leave them out with `ignore`"
