"""What an import found in the files of a cube and its labels, and what a look at the spectra says
of labels, as sentences for people.

Labels may lie turned, or a pixel or two beside what they label, and single labelled pixels may be
none of their class.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from hsiaug.base.arrays import Bools, Float32, Float64, Int16
from hsiaug.base.text import in_runs, nanometres, setting
from hsiaug.core.fields import label_fields
from hsiaug.core.scene import Scene
from hsiaug.data.cube_check import CubeFacts, CubeValues
from hsiaug.data.georeference import Declared
from hsiaug.data.label_codes import ClassCodes, LabelRaster
from hsiaug.data.raw import PerBand, RawArray

FEW = 10
"""Classes with fewer labelled pixels than this are named: hardly any is left to test on."""
REACH = 2
"""Pixels, along rows and columns, by which labels are moved."""
MIN_FIELD_PIXELS = 12
"""Pixels of a field that counts, at least."""
MIN_FIELDS = 5
"""Fields below which nothing is said."""
MAX_PIXELS = 50_000
"""Pixels that are looked at, about: in every second, third, … field of a scene that has more."""
BANDS, COMPONENTS = 20, 5
GAIN, SURE = 0.03, 2.0
"""Mean fall of the log variance within fields, and its ratio to its standard error over fields,
that are clear.
"""
MIN_PIXELS = 20
"""Labelled pixels of a class that is looked at, at least."""
MOST_NAMED = 5
"""Pixels that a sentence names."""
USUAL = 0.95
"""Share of a class whose distances are taken as usual."""
FAR = 5.0
"""Times the usual distance from which on a spectrum is far from its class. On 45 classes of seven
scenes the farthest pixel has 3.2 times; a pixel of zeros on Indian Pines has 7 to 43 times.
"""
SPIKE = 10.0
"""The same of the largest step of a single band from the bands beside it: 6.5 times at most on
these scenes, and 14 to 430 times where a band is set to the largest value of the class.
"""


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
    stated = findings.raw.widths
    widths = [] if stated is None else [f"{end(stated):.3g}" for end in (np.nanmin, np.nanmax)]
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
        *((("band widths", f"{'–'.join(dict.fromkeys(widths))} nm"),) if widths else ()),
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


def label_warnings(scene: Scene) -> list[str]:
    """Sentences on labels that are shifted, and on pixels that are broken; none where all is
    well.
    """
    return [*place_warnings(scene), *far_warnings(scene)]


# Labels beside what they label: fields are uniform where their labels lie right

Move = tuple[str, int, int]
"""One of TURNS, and rows down and columns right."""
TURNS = {
    "": "",
    "rows": "upside down",
    "columns": "with left and right exchanged",
    "both": "turned by half a circle",
    "exchanged": "with rows and columns exchanged",
}
"""Ways in which labels may lie, in words."""


def better_place(cube: Float32, labels: Int16) -> Move | None:
    """Where labels (H, W) fit a cube (H, W, B) clearly better: turned, or moved; None: nowhere.

    A field that lies right is uniform; one that is shifted holds its neighbour's edge. Spectra are
    compared in principal components of bands that are alike scaled, and fields weigh by the root of
    their pixels, up to 200.
    """
    fields = label_fields(labels).copy()
    for edge in (fields, fields.T):
        edge[:REACH] = edge[-REACH:] = 0
    sizes = np.bincount(fields[fields > 0])
    large = np.flatnonzero(sizes >= MIN_FIELD_PIXELS)
    chosen = large[:: -(-int(sizes[large].sum()) // MAX_PIXELS) or 1]
    if len(chosen) < MIN_FIELDS:
        return None
    rows, columns = np.nonzero(np.isin(fields, chosen))
    group = np.searchsorted(chosen, fields[rows, columns])
    n = sizes[chosen]
    bands = slice(None, None, max(1, cube.shape[2] // BANDS))
    spectra = cube[rows, columns][:, bands].astype(np.float64)
    mean = spectra.mean(axis=0)
    std = np.maximum(spectra.std(axis=0), 1e-12)
    _, variances, axes = np.linalg.svd(
        np.atleast_2d(np.cov(np.clip((spectra - mean) / std, -4, 4).T))
    )
    project = axes[:COMPONENTS].T / np.sqrt(max(variances[:COMPONENTS].sum(), 1e-12))
    height, width = labels.shape

    def spread(turn: str, down: int, right: int) -> Float64:
        """(fields,) log of the variance within each field, turned or moved."""
        there = columns if turn == "exchanged" else rows + down
        across = rows if turn == "exchanged" else columns + right
        there = height - 1 - there if turn in ("rows", "both") else there
        across = width - 1 - across if turn in ("columns", "both") else across
        x = np.clip((cube[there, across][:, bands] - mean) / std, -4, 4) @ project
        sums = (
            np.bincount(group, component**2) / n - (np.bincount(group, component) / n) ** 2
            for component in x.T
        )
        return np.asarray(np.log(np.maximum(sum(sums), 0) + 1e-4))

    unmoved = spread("", 0, 0)
    weight = np.sqrt(np.minimum(n, 200))
    reach = range(-REACH, REACH + 1)
    moves: list[Move] = [("", *by) for by in product(reach, reach)]
    moves += [(turn, 0, 0) for turn in TURNS if turn != "exchanged" or height == width]
    falls = {move: unmoved - spread(*move) for move in moves}
    best = max(falls, key=lambda move: np.average(falls[move], weights=weight))
    gain = np.average(falls[best], weights=weight)
    error = np.sqrt((weight**2 * (falls[best] - gain) ** 2).sum()) / weight.sum()
    return best if gain > GAIN and gain > SURE * error else None


def place_warnings(scene: Scene) -> list[str]:
    """A sentence where the labels of a scene seem to lie elsewhere; else none."""
    if (move := better_place(scene.pixels, scene.labels)) is None:
        return []
    turn, *by = move
    ways = zip(by, ("up", "left"), ("down", "right"), strict=True)
    moved = " and ".join(
        f"{abs(n)} px {before if n < 0 else after}" for n, before, after in ways if n
    )
    return [
        f"the labels fit the cube clearly better {TURNS[turn] or f'moved {moved}'}: look at the"
        " picture, and correct their file"
    ]


# Labelled pixels whose spectrum cannot be of their class, as of a dead detector or a spike


def far_pixels(scene: Scene) -> list[tuple[int, int, int]]:
    """Row, column and class id of labelled pixels far from their class, which may be none.

    Distances are counted in median absolute deviations of each band over the labelled pixels of the
    class, so that the pixels sought do not move what they are compared with.
    """
    found: list[tuple[int, int, int]] = []
    for class_id in range(1, len(scene.class_names) + 1):
        pixels = np.argwhere(scene.labels == class_id)
        if len(pixels) < MIN_PIXELS:
            continue
        spectra = scene.pixels[tuple(pixels.T)].astype(np.float64)
        far = _beyond(np.sqrt(np.square(_deviations(spectra)).mean(axis=1)), FAR)
        if spectra.shape[1] > 2:
            steps = spectra[:, 1:-1] - (spectra[:, :-2] + spectra[:, 2:]) / 2
            far |= _beyond(np.abs(_deviations(steps)).max(axis=1), SPIKE)
        found += [(int(row), int(column), class_id) for row, column in pixels[far]]
    return found


def far_warnings(scene: Scene) -> list[str]:
    """A sentence that names labelled pixels far from their class; else none."""
    far = far_pixels(scene)
    if not far:
        return []
    named = "; ".join(
        f"row {r}, column {c}, {scene.class_names[k - 1]}" for r, c, k in far[:MOST_NAMED]
    )
    if len(far) > MOST_NAMED:
        named += f"; and {len(far) - MOST_NAMED} more"
    lies = "pixel is far from its" if len(far) == 1 else "pixels are far from their"
    return [
        f"{len(far):,} labelled {lies} class (counted from 0): {named}; if its spectrum is broken,"
        " take its label away"
    ]


def _deviations(values: Float64) -> Float64:
    """(n, d) values as distances from the median of their column, in median absolute deviations.

    A column that hardly varies counts as a tenth of the median column does.
    """
    apart = values - np.median(values, axis=0)
    spread = np.median(np.abs(apart), axis=0)
    least = np.median(spread) / 10
    return np.asarray(apart / np.maximum(spread, least if least > 0 else 1.0))


def _beyond(distances: Float64, times: float) -> Bools:
    """(n,) whether a distance is so many times the usual one."""
    usual = np.quantile(distances, USUAL, method="lower")
    return np.asarray(distances > times * usual) if usual > 0 else np.zeros(len(distances), bool)
