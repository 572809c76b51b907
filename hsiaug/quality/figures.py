"""Figures of samples: contact sheet, class spectra, principal components, and measures over ω."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, Float64, Int64
from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN
from hsiaug.base.files import write_whole
from hsiaug.base.text import plotted
from hsiaug.metrics.spectra import Spectra, at_most, band_gaps, fit_space
from hsiaug.quality.contact_sheets import choose_patches, draw_patches
from hsiaug.quality.synthesis import AnySynthesis, PixelSynthesis
from hsiaug.report.figures.charts import ChartBlock, Panel, draw_blocks
from hsiaug.report.figures.files import figure_bytes

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"held-out": HELD_OUT, "synthetic": SYNTHETIC, "train": TRAIN}
"""Drawn in this order: training samples on top, thin, or the synthetic ones made from them would
hide them.
"""
SHOWN = 300
"""Points of a class and role in a cloud at most."""
ClassSpectra = Callable[[int], NDArray[np.floating]]
"""Gives the spectra (n, bands) of a class id."""


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write each figure under its name as PNG, and spectra as SVG too, which weighs less; returns
    the files.

    Raises InputError where a file cannot be written.
    """
    wanted = [
        (name, ending)
        for name in figures
        for ending in ("png", "svg")
        if ending == "png" or name == "spectra"
    ]
    made = {f"{name}.{ending}": figure_bytes(figures[name], ending) for name, ending in wanted}
    return [
        write_whole(folder / name, partial(Path.write_bytes, data=data))
        for name, data in made.items()
    ]


def class_spectra(
    made: AnySynthesis,
    sets: Mapping[str, tuple[str, ClassSpectra]],
    classes: Mapping[int, str],
    bands: int,
    wavelengths: Float64 | None,
    *,
    dates: int = 1,
) -> Figure:
    """Mean ± standard deviation of the spectra of each class: a panel per class, a line per set and
    date.

    Parameters
    ----------
    made : AnySynthesis
        What the spectra are of.
    sets : mapping of str to (str, ClassSpectra)
        The colour and the spectra (n, dates · bands) of each set, by its name.
    classes : mapping of int to str
        Names of classes by their ids.
    bands : int
        Number of bands of a date.
    wavelengths : Float64 or None
        (bands,) in nm, or None.
    dates : int
        Dates that a spectrum holds, one after the other; the second is dashed.
    """
    x = np.arange(bands, dtype=np.float64) if wavelengths is None else wavelengths
    breaks = band_gaps(x)
    x = np.insert(x, breaks, np.nan)
    panels = []
    for c, class_name in classes.items():
        shown = {name: (colour, spectra_of(c)) for name, (colour, spectra_of) in sets.items()}
        counts = _counts_line({name: len(spectra) for name, (_, spectra) in shown.items()})
        panels.append(Panel((class_name, counts), partial(_draw_spectra, shown, x, breaks, dates)))
    along = "band" if wavelengths is None else "wavelength (nm)"
    block = ChartBlock("", panels, 1.7, along=along, up=made.data.units)
    return draw_blocks([block], 2, "mean ± standard deviation of the spectra of each class")


def _counts_line(counts: Mapping[str, int]) -> str:
    """Names with their counts, of which no line ends between a name and its count."""
    return ", ".join(f"{name}\N{NO-BREAK SPACE}{count}" for name, count in counts.items())


def _draw_spectra(
    sets: Mapping[str, tuple[str, AnyArray]],
    x: Float64,
    breaks: Int64,
    dates: int,
    axes: Axes,
) -> dict[str, Artist]:
    entries: dict[str, Artist] = {}
    for name, (colour, spectra) in sets.items():
        nothing = np.full(dates * (len(x) - len(breaks)), np.nan)
        mean, std = (
            (spectra.mean(axis=0), spectra.std(axis=0)) if len(spectra) else (nothing, nothing)
        )
        by_date = zip(np.split(mean, dates), np.split(std, dates), strict=True)
        for date, (centre, spread) in enumerate(by_date, start=1):
            centre, spread = (np.insert(values, breaks, np.nan) for values in (centre, spread))
            axes.fill_between(
                x, centre - spread, centre + spread, color=colour, alpha=0.2 / dates, linewidth=0
            )
            dashed = name == "train" or date > 1
            look: dict[str, Any] = {
                "linewidth": 0.8 if dashed else 1.0,
                "linestyle": (0, (4, 3)) if dashed else "-",
            }
            label = name if dates == 1 else f"{name}, date {date}"
            (entries[label],) = axes.plot(x, centre, color=colour, **look)
    return entries


def pixel_figures(
    made: PixelSynthesis, train: Spectra, held: Spectra, synthetic: Spectra
) -> dict[str, Figure]:
    """``contact_sheet`` of whole patches, then ``spectra`` and ``pca`` of the centre spectra of the
    three sets.

    The points of the clouds are pixels in every file: ten thousand outlines would weigh several
    times as much.
    """
    data = made.data
    sets = dict(zip(COLOURS, (held, synthetic, train), strict=True))
    classes = {c: data.class_names[c - 1] for c in sorted(train.counts)}
    spectra = {
        name: (COLOURS[name], lambda c, part=part: part.x[part.y == c])
        for name, part in sets.items()
    }
    lines = class_spectra(made, spectra, classes, data.bands, data.wavelengths)
    sheet = draw_patches(choose_patches(made))
    return {"contact_sheet": sheet, "spectra": lines, "pca": _clouds(sets, classes)}


def _clouds(sets: Mapping[str, Spectra], classes: Mapping[int, str]) -> Figure:
    """One panel per class on the first two principal axes of the training set; all its samples pale
    behind.
    """
    space, rng = fit_space(sets["train"].x), np.random.default_rng(0)
    points = {}
    for name, part in sets.items():
        few = part.take(at_most(part.y, SHOWN, rng))
        scores = space.project(few.x)
        # 0 for an axis that is not there.
        points[name] = np.pad(scores, ((0, 0), (0, max(0, 2 - scores.shape[1]))))[:, :2], few.y
    limits = _cloud_limits({name: plane for name, (plane, _) in points.items()})
    panels = []
    for c, class_name in classes.items():
        counts = _counts_line({name: int((part.y == c).sum()) for name, part in sets.items()})
        beyond = sum(_beyond(plane[y == c], limits) for plane, y in points.values())
        counts += f"; {beyond} beyond the axes" if beyond else ""
        panels.append(Panel((class_name, counts), partial(_draw_cloud, points, c, limits)))
    block = ChartBlock("", panels, 1.7, along="PC 1 of the training spectra", up="PC 2")
    return draw_blocks([block], 2, "principal components of the training spectra")


def _cloud_limits(planes: Mapping[str, Float64]) -> Float64:
    """(2, 2) lower and upper ends of both axes: every training point lies between them, and of the
    others all but the outermost.
    """
    most = np.percentile(np.concatenate(list(planes.values())), [0.2, 99.8], axis=0)
    train = planes["train"]
    low, high = np.minimum(most[0], train.min(axis=0)), np.maximum(most[1], train.max(axis=0))
    room = 0.06 * (high - low) + 1e-9
    return np.stack([low - room, high + room])


def _beyond(plane: Float64, limits: Float64) -> int:
    """How many points (n, 2) lie outside the limits."""
    return int(((plane < limits[0]) | (plane > limits[1])).any(axis=1).sum())


def _draw_cloud(
    points: Mapping[str, tuple[Float64, Int64]], c: int, limits: Float64, axes: Axes
) -> dict[str, Artist]:
    pale: dict[str, Any] = {"s": 2, "color": "#dddddd", "linewidths": 0}
    entries: dict[str, Artist] = {
        "train, all classes": axes.scatter(*points["train"][0].T, rasterized=True, **pale)
    }
    for name, (plane, y) in points.items():
        look: dict[str, Any] = {"s": 4, "color": COLOURS[name], "alpha": 0.45, "linewidths": 0}
        if name == "train":
            look = {"s": 8, "facecolors": "none", "edgecolors": COLOURS[name], "linewidths": 0.6}
        entries[name] = axes.scatter(*plane[y == c].T, rasterized=True, **look)
    axes.set_xlim(*limits[:, 0])
    axes.set_ylim(*limits[:, 1])
    return entries


def guidance_figure(points: Sequence[Mapping[str, Any]]) -> Figure:
    """A panel for each measure: samples over ω, and held-out ones, which do not depend on it."""
    panels = []
    for name in dict.fromkeys(point["measure"] for point in points):
        own = [point for point in points if point["measure"] == name]
        unit = f" ({own[0]['unit']})" if own[0]["unit"] else ""
        panels.append(Panel((f"{name.replace('_', ' ')}{unit}",), partial(_draw_guidance, own)))
    return draw_blocks(
        [ChartBlock("", panels, 1.9, narrowest=2.2, along="ω")],
        2,
        "samples and held-out ones over ω",
    )


def _draw_guidance(own: Sequence[Mapping[str, Any]], axes: Axes) -> dict[str, Any]:
    entries = {}
    looks = (
        ("held-out", "reference", HELD_OUT, "--"),
        ("synthetic", "value", SYNTHETIC, "-o"),
    )
    for label, column, colour, look in looks:
        known = [(p["omega"], p[column]) for p in own if p[column] is not None]
        x, y = zip(*known, strict=True) if known else ((), ())
        (entries[label],) = axes.plot(x, y, look, color=colour, linewidth=1.2, markersize=4)
    axes.margins(y=0.15)
    return entries


def shares_figure(
    by_class: Mapping[int, Mapping[str, float | None]], class_names: Sequence[str]
) -> Figure:
    """Bars of how much of the labelled pixels each class has: of training, of held-out and of
    synthetic tiles.

    Parameters
    ----------
    by_class : mapping of int to mapping of str to float or None
        "train", "held_out" and "made" as shares, by class id.
    class_names : sequence of str
        Names in the order of the ids from 1 on.
    """
    panel = Panel(("",), partial(_draw_shares, by_class, class_names))
    height = 0.7 + 0.34 * len(by_class)
    block = ChartBlock("", [panel], height, narrowest=5.0, along="% of the labelled pixels")
    return draw_blocks([block], 2, "share of each class in the labelled pixels")


def _draw_shares(
    by_class: Mapping[int, Mapping[str, float | None]], class_names: Sequence[str], axes: Axes
) -> dict[str, Artist]:
    sets = {"train": ("train", TRAIN), "held-out": ("held_out", HELD_OUT)}
    sets["synthetic"] = ("made", SYNTHETIC)
    thick = 0.8 / len(sets)
    places = np.arange(len(by_class), dtype=np.float64)
    entries: dict[str, Artist] = {}
    for number, (label, (key, colour)) in enumerate(sets.items()):
        shares = [100 * (row[key] or 0.0) for row in by_class.values()]
        bars = axes.barh(places + thick * (number - 1), shares, thick, color=colour)
        entries[label] = bars.patches[0]
    names = [plotted(class_names[c - 1]) for c in by_class]
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    return entries
