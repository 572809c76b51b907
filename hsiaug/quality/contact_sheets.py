"""Contact sheets: real and generated patches, samples of prompts, or tiles with their masks, in one
false-colour stretch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Float32
from hsiaug.base.colours import class_colours
from hsiaug.base.seeds import derive_seed
from hsiaug.base.text import plotted, shortened
from hsiaug.core.samples import random_rows, spread_rows
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.false_colours import FalseColours, some_pixels
from hsiaug.metrics.patch_distances import RealSamples, turn_each
from hsiaug.protocol.view import patches_at
from hsiaug.quality.prompt_fidelity import SceneLayouts, Triple
from hsiaug.quality.synthesis import PixelSynthesis
from hsiaug.report.figures.files import (
    DPI,
    WIDTHS,
    class_legend,
    legend_columns,
    new_figure,
    wrapped,
)
from hsiaug.report.figures.sheets import UNCHANGED, Images, image_grid, tile_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PATCH_ROWS = ("held-out", "generated", "nearest real")
PATCHES, TILES = 9, 8
"""Patches or tiles of a row."""
POINTS = 7.5
"""Size of letters: 7 pt or more where a figure is printed 175 mm wide."""
ROW_NAMES = 0.8
"""Inches that the names of rows take."""
PROMPT_COLUMNS, PROMPT_CLASSES, PROMPT_LETTERS = 8, 4, 90
"""Of a sheet of prompts: samples of each, classes whose layouts are asked for, letters shown."""
PROMPTS_CAPTION = (
    "Samples of prompts, all from noise. Each row has one prompt; colours as of real patches."
)


@dataclass(frozen=True, eq=False)
class PatchSheet:
    """Real held-out and generated patches of each trained class, in the same colours.

    Attributes
    ----------
    classes : mapping of str to mapping of str to array
        By the name of a class its rows by their names, (n, p, p, 3) uint8 each: held-out patches,
        generated ones, and the training patches nearest to these.
    note : str
        On these, for a caption.
    """

    classes: Mapping[str, Mapping[str, Images]]
    colours: FalseColours
    note: str


def choose_patches(made: PixelSynthesis) -> PatchSheet:
    """Some held-out and generated patches of each class, and the training patch nearest to each
    generated one.

    Held-out patches are drawn at random; generated ones are spread from the first to the last.
    Reads test labels: a diagnosis after the fit.
    """
    scene, real, synthetic = made.data, made.real, made.synthetic
    rng = np.random.default_rng(derive_seed("contact sheet", made.spec.seed))
    trained = np.unique(real.y).tolist()
    held = {c: _held_out(made, c, rng) for c in trained}
    generated = {
        c: synthetic.x[spread_rows(np.flatnonzero(synthetic.y == c), PATCHES)] for c in trained
    }
    pixels = [some_pixels(x) for x in (real.x, *held.values()) if len(x)]
    colours = FalseColours.fit(np.concatenate(pixels), scene.wavelengths)
    known = RealSamples.of(real.x)
    classes = {}
    for c in trained:
        which, turns = known.nearest(generated[c])
        rows = (held[c], generated[c], turn_each(real.x[which], turns))
        drawn = map(colours.of_patches, rows)
        classes[scene.class_names[c - 1]] = dict(zip(PATCH_ROWS, drawn, strict=True))
    about = f"{made.card.name} on {scene.name}, split {made.spec.seed}"
    nearest = "Nearest real: the nearest training patch, turned as it fits best."
    return PatchSheet(classes, colours, f"{about}. {_stretch_note(colours)} {nearest}")


def _held_out(made: PixelSynthesis, c: int, rng: np.random.Generator) -> Float32:
    """At most ``PATCHES`` held-out patches (n, B, p, p) of a class."""
    coords = np.argwhere(made.split.test & (made.data.labels == c))
    return patches_at(made.data.cube, random_rows(coords, PATCHES, rng), made.split.patch)


def _stretch_note(colours: FalseColours) -> str:
    return f"{colours.name}. One stretch for all: the 2nd to 98th percentile of real pixels."


def draw_patches(sheet: PatchSheet) -> Figure:
    """A panel for each class: held-out patches, generated ones, and under each of these the nearest
    training patch.
    """
    rows = -(-len(sheet.classes) // 2)
    width = WIDTHS[2] / 2 - ROW_NAMES
    note = wrapped(sheet.note, WIDTHS[2], POINTS)
    figure = new_figure(
        WIDTHS[2], rows * (3.15 * width / PATCHES + 0.2) + 0.15 * len(note.splitlines()) + 0.1
    )
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes, (name, strips) in zip(panels, sheet.classes.items(), strict=False):
        _draw_rows(axes, strips, PATCHES, width)
        axes.set_title(plotted(name), fontsize=POINTS, fontweight="bold", loc="left", pad=2)
    for axes in panels[len(sheet.classes) :]:
        axes.set_axis_off()
    figure.supxlabel(note, fontsize=POINTS)
    figure.set_label(sheet.note)
    return figure


def _draw_rows(axes: Axes, strips: Mapping[str, Images], across: int, inches: float) -> None:
    """Rows of images one below the other, each with its name.

    Parameters
    ----------
    inches : float
        Width of the axes.
    """
    # What belongs together in pairs stands below a row of others.
    sheet, middles = image_grid(
        list(strips.values()), across, int(DPI * inches / across), apart=len(strips) > 2
    )
    axes.imshow(sheet, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks(middles, strips, fontsize=POINTS)
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
    axes.set_anchor("NW")


def spread(samples: DenseSamples) -> DenseSamples:
    """Some of the samples, from the first to the last of them."""
    return samples.take(spread_rows(np.arange(len(samples)), TILES))


def turned_pairs(
    known: RealSamples, real: DenseSamples, made: DenseSamples, which: NDArray[np.integer]
) -> DenseSamples:
    """The real pairs of some rows, each turned as it comes nearest to the made one of its place."""
    pairs = real.take(which)
    turns = known.turns(made.images, which)
    return replace(
        pairs,
        images=turn_each(pairs.images, turns),
        masks=turn_each(pairs.masks, turns),
        confidence=None,
    )


def contact_sheet(
    groups: Sequence[tuple[str, DenseSamples]], classes: Sequence[str], colours: FalseColours
) -> Figure:
    """Draw the images and masks of each (title, pairs), at most ``TILES`` of them, then the legend
    of classes.

    One date: the images, and below them the images with the mask over them. Two dates: both, with
    what changed outlined.
    """
    tints = class_colours(len(classes))
    tints[IGNORE] = 255
    width = WIDTHS[2] - ROW_NAMES
    side = int(DPI * width / TILES)
    height = width / TILES * groups[0][1].side[0] / groups[0][1].side[1]
    shown_ids = sorted(
        {int(c) for _, pairs in groups for c in np.unique(pairs.masks[:TILES])} - {IGNORE}
    )
    if groups[0][1].dates > 1:
        shown_ids = [c for c in shown_ids if c != UNCHANGED]
    names = [plotted(classes[c - 1]) for c in shown_ids]
    ncols = legend_columns(WIDTHS[2], names or [""])
    note = wrapped(_stretch_note(colours), WIDTHS[2], POINTS)
    around = 0.17 * (-(-len(names) // ncols) + len(note.splitlines())) + 0.3
    figure = new_figure(WIDTHS[2], len(groups) * (2 * height + 0.22) + around)
    panels = figure.subplots(len(groups), 1, squeeze=False)[:, 0]
    for axes, (title, pairs) in zip(panels, groups, strict=True):
        some = pairs.take(np.arange(min(TILES, len(pairs))))
        _draw_rows(
            axes, tile_rows(colours.of_patches(some.images), some.masks, tints, side), TILES, width
        )
        axes.set_title(plotted(title), fontsize=POINTS, fontweight="bold", loc="left", pad=2)
    # Above: below it would lie under the legend.
    figure.suptitle(note, fontsize=POINTS)
    class_legend(figure, tints[shown_ids], names, loc="outside lower center", ncols=ncols)
    figure.set_label(_stretch_note(colours))
    return figure


def sheet_prompts(made: Any, layouts: SceneLayouts) -> list[str]:
    """Prompts of some classes: each alone, then its layouts with classes that look otherwise.

    Parameters
    ----------
    made : PixelSynthesis
        A fitted generator that takes prompts, and what it was fitted on.
    layouts : SceneLayouts
        Of the scene.
    """
    names = layouts.names
    by_class: dict[int, list[Triple]] = {}
    means = {c: made.real.x[made.real.y == c].mean(axis=(0, 2, 3)) for c in names}
    scale = made.real.x.std(axis=(0, 2, 3)) + 1e-9

    def unlike(triple: Triple) -> float:
        """How far two classes lie apart: a picture shows what differs."""
        return float(np.abs((means[triple[0]] - means[triple[2]]) / scale).mean())

    for triple in sorted(layouts.at, key=unlike, reverse=True):
        by_class.setdefault(triple[0], []).append(triple)
    prompts = []
    for class_id in list(by_class)[:PROMPT_CLASSES] or list(names)[:PROMPT_CLASSES]:
        prompts.append(names[class_id])
        sides: dict[str, Triple] = {}
        for triple in by_class.get(class_id, ()):
            sides.setdefault(triple[1], triple)
        prompts += [layouts.prompt(triple) for triple in list(sides.values())[:2]]
    return prompts


def prompt_sheet(made: Any, prompts: Sequence[str]) -> Figure:
    """Samples of prompts, a prompt a row.

    Parameters
    ----------
    made : PixelSynthesis
        With a fitted generator that takes prompts.
    prompts : sequence of str
        As a user would type them.
    """
    asked = [prompt for prompt in prompts for _ in range(PROMPT_COLUMNS)]
    seed = derive_seed("prompt sheet", made.spec.seed)
    x = made.fitted.sample_prompts(asked, guidance=made.spec.omega, seed=seed).x
    colours = FalseColours.fit_samples(made.real.x, made.data.wavelengths)
    images = colours.of_patches(x)
    side = x.shape[2] + 1
    sheet = np.full((len(prompts) * (side + 3), PROMPT_COLUMNS * side, 3), 255, dtype=np.uint8)
    for number, image in enumerate(images):
        row, column = divmod(number, PROMPT_COLUMNS)
        top, left = row * (side + 3) + 3, column * side
        sheet[top : top + side - 1, left : left + side - 1] = image
    figure = new_figure(WIDTHS[2], WIDTHS[2] * len(sheet) / sheet.shape[1] + 0.4)
    axes = figure.subplots()
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
    for row, prompt in enumerate(prompts):
        axes.text(
            -0.5, row * (side + 3) + 1.6, plotted(shortened(prompt, PROMPT_LETTERS)), fontsize=7
        )
    figure.suptitle(PROMPTS_CAPTION, fontsize=8)
    return figure
