"""What an import found in the files of a cube and its labels, and how it is said to people."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hsiaug.base.text import in_runs, nanometres, setting
from hsiaug.data.cube_check import CubeFacts, CubeValues
from hsiaug.data.georeference import Declared
from hsiaug.data.label_codes import ClassCodes, LabelRaster
from hsiaug.data.raw import PerBand, RawArray

FEW = 10
"""Classes with fewer labelled pixels than this are named: hardly any is left to test on."""


@dataclass(frozen=True, eq=False)
class ImportFindings:
    """All that was found in the two files.

    Attributes
    ----------
    counts : tuple of int
        Pixels of each class.
    other_axes : tuple of str
        Orders of the cube's axes that would fit the labels as well.
    nodata : PerBand or None
        Raw value of pixels without data.
    """

    raw: RawArray
    axes: str
    other_axes: tuple[str, ...]
    declared: Declared
    seen: CubeFacts
    read: CubeValues
    raster: LabelRaster
    coding: ClassCodes
    counts: tuple[int, ...]
    nodata: PerBand | None = None
    field: str = ""

    @property
    def kept(self) -> list[int]:
        """The bands that are kept, counted from 0."""
        return [band for band in range(self.seen.shape[2]) if band not in set(self.read.bad_bands)]

    @property
    def centres(self) -> tuple[float, ...]:
        """Band centres in nm of the bands that are kept, NaN where one is not known; () where none
        is.
        """
        return (
            () if self.raw.wavelengths is None else tuple(self.raw.wavelengths[self.kept].tolist())
        )

    @property
    def without_centre(self) -> list[int]:
        """The kept bands whose centre is not known although that of another is."""
        return [
            band
            for band, centre in zip(self.kept, self.centres, strict=False)
            if math.isnan(centre)
        ]


def facts_of(findings: ImportFindings) -> tuple[tuple[str, str], ...]:
    """(what, finding) for people."""
    cube = findings.seen
    values = findings.read
    ground = findings.declared.ground
    dtype = findings.raw.array.dtype
    height, width, bands = cube.shape
    dropped = f" ({values.remarks['cube.bad_bands']})" if values.bad_bands else ""
    listed = () if findings.raw.wavelengths is None else findings.raw.wavelengths.tolist()
    centres = [centre for centre in listed if not math.isnan(centre)]
    ends = (min(centres), max(centres)) if centres else ()
    if findings.declared.control_points:
        place = "ground control points only: warp the cube to give it one (gdalwarp)"
    elif ground is None:
        place = "none"
    elif ground.metres:
        place = f"pixels of {ground.metres:g} m"
    else:
        place = "not in metres"
    guess = {
        key: " (a guess)" if f"cube.{key}" in values.remarks else "" for key in ("scale", "units")
    }
    facts = [
        ("size", f"{height}×{width} pixels"),
        ("bands", f"{bands} in the file, {bands - len(values.bad_bands)} kept{dropped}"),
        ("band centres", f"{'–'.join(map(nanometres, ends))} nm" if ends else "not known"),
        *_widths(findings.raw),
        ("raw values", f"{dtype}, {cube.low:g} to {cube.high:g}"),
        ("scale", f"{_per_band(1.0 if values.used is None else values.used)}{guess['scale']}"),
        *((("offset", _per_band(values.offset)),) if np.any(values.offset) else ()),
        ("units", values.units + guess["units"]),
        ("no data", f"{int(cube.empty.sum()):,} pixels"),
        ("georeference", place),
    ]
    if findings.field:
        facts.append(("class attribute", findings.field))
    return tuple(facts)


def _widths(raw: RawArray) -> tuple[tuple[str, str], ...]:
    """The row of band widths, where a file says them."""
    if raw.widths is None:
        return ()
    ends = np.nanmin(raw.widths), np.nanmax(raw.widths)
    return (("band widths", f"{'–'.join(dict.fromkeys(f'{end:.3g}' for end in ends))} nm"),)


def _per_band(values: PerBand) -> str:
    """One number, or the range of those of all bands."""
    listed = values if isinstance(values, tuple) else (values,)
    return f"{listed[0]:g}" if len(listed) == 1 else f"{min(listed):g} to {max(listed):g}, by band"


def warnings_of(findings: ImportFindings) -> Iterator[str]:
    """Sentences, each with its hint."""
    values = findings.read
    coding = findings.coding
    yield from (*findings.raw.notes, *findings.raster.notes, *coding.notes)
    yield from _data_warnings(findings)
    bands = findings.seen.shape[2]
    if bands == 1:
        yield "the cube has one band: where each band is a file, stack them first (rio stack)"
    elif bands in (3, 4) and findings.raw.array.dtype == np.uint8:
        yield f"{bands} bands of 8 bits are a picture in colours rather than a cube of spectra"
    if findings.other_axes:
        orders = " or ".join(findings.other_axes)
        yield (
            f"the cube's axes may also be in the order {orders}: look at the picture; `axes`"
            " says it"
        )
    yield from _scale_warnings(findings)
    if unknown := findings.without_centre:
        yield (
            f"band centres are not used: those of bands {in_runs(unknown, 2)} are not known; drop"
            f" these bands with {setting('bad_bands', ','.join(map(str, unknown)))}"
        )
    elif not findings.centres:
        yield (
            "no band centres in the file: the picture's colours are arbitrary; add range_nm ="
            " [first, last] under [sensor] of the card"
        )
    if values.bad_bands:
        yield (
            f"bands are dropped ({values.remarks['cube.bad_bands']}): edit cube.bad_bands and"
            " cube.shape of the card to keep them"
        )
    rows = zip(coding.names, coding.ids, findings.counts, strict=True)
    few = [
        f"{n} ({count:,})"
        for n, code, count in rows
        if count < FEW and not {n, code} & set(coding.ignore)
    ]
    if few:
        yield (
            f"fewer than {FEW} labelled pixels: {', '.join(few)}; label more, or leave them out"
            " with `ignore`"
        )


def _data_warnings(findings: ImportFindings) -> Iterator[str]:
    """On pixels without data."""
    facts = findings.seen
    raw = findings.raw
    if facts.unfilled:
        invalid = ["NaN", "infinity"]
        declared = findings.nodata if isinstance(findings.nodata, tuple) else (findings.nodata,)
        values = {value for value in declared if value and math.isfinite(value)}
        invalid += [f"{value:g}" for value in sorted(values)]
        invalid += ["masked"] if raw.valid is not None else []
        text = f"{', '.join(invalid[:-1])} or {invalid[-1]}"
        yield (
            f"{text} at {facts.unfilled:,} of {facts.empty.size:,} pixels: they count as 0"
            " (cube.nodata of the card)"
        )
    if findings.nodata == 0 and facts.low == 0:
        yield "0 is the value of no data: a pixel has none where all its bands hold 0"
    if facts.filler is not None:
        value, count = facts.filler
        text = f"{int(value)}" if value.is_integer() and abs(value) < 2**53 else repr(value)
        yield (
            f"{text} at {count:,} pixels looks like missing data: if it is, say"
            f" {setting('nodata', text)}"
        )


def _scale_warnings(findings: ImportFindings) -> Iterator[str]:
    """On the scale and the units of the values."""
    facts = findings.seen
    values = findings.read
    raw = findings.raw
    if "cube.scale" in values.remarks:
        yield (
            f"cube.scale is {values.remarks['cube.scale']}: say it with `scale` (1 to keep the"
            " numbers, 0.01 for percent)"
        )
    elif values.scale is not None and (raw.scale is not None or np.any(raw.offset)):
        declared = (
            f"{_per_band(1.0 if raw.scale is None else raw.scale)}, offset {_per_band(raw.offset)}"
        )
        yield f"the scale of the file ({declared}) is not applied: `scale` says another one"
    if values.units == "unknown" and "cube.units" in values.remarks and facts.filler is None:
        yield (
            f"values up to {facts.high:g} are no reflectance: multiply them by `scale` (0.01 for"
            " percent, 0.0001 for reflectance times 10,000), or say with `units` what they are"
        )
