"""Pictures of real and synthetic patches: class spectra, principal components, attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN
from hsiaug.base.text import plotted
from hsiaug.core.scene import Scene
from hsiaug.metrics.spectra import Spectra, at_most, fit_space
from hsiaug.quality.attention import Example, class_map
from hsiaug.quality.class_means import save_class_means
from hsiaug.quality.figures import class_spectra, grid, legend, name_columns, name_panel, title
from hsiaug.quality.inspection import PixelInspection
from hsiaug.report.figures.files import WIDTHS, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["class_means", "pictures"]

ROLES = (("held-out", HELD_OUT), ("synthetic", SYNTHETIC), ("train", TRAIN))
"""Drawn in this order: training samples on top, thin, or the synthetic ones made from them would hide them."""
SHOWN = 300
"""Points of a class and role in a cloud at most."""
WORDS = 6
"""Words of a prompt that are shown at most."""
MOST_VALUES = 2**28
"""Values (1 GiB) of a cube that colours are chosen by; larger cubes are thinned out to it."""
Array = NDArray[np.float64]


def pictures(inspection: PixelInspection) -> dict[str, Figure]:
    """``spectra`` and ``pca``, and ``attention`` where there is any.

    The points of the clouds are pixels in every file: ten thousand outlines would weigh several times as much.
    """
    figures = {"spectra": _spectra(inspection), "pca": _clouds(inspection)}
    attention = inspection.attention
    if attention is not None and attention.examples:
        figures["attention"] = _attention(attention.examples, inspection.made.data)
    return figures


def class_means(inspection: PixelInspection, folder: Path) -> Path:
    """Write what the figure of spectra shows as spectra.csv. Raises InputError where that cannot be."""
    sets = {name: part for part, name, _ in _sets(inspection)}
    wavelengths = inspection.made.data.wavelengths
    return save_class_means(folder / "spectra.csv", sets, _classes(inspection), wavelengths)


def _sets(inspection: PixelInspection) -> tuple[tuple[Spectra, str, str], ...]:
    sets = (inspection.held, inspection.synthetic, inspection.train)
    return tuple((part, name, colour) for part, (name, colour) in zip(sets, ROLES, strict=True))


def _classes(inspection: PixelInspection) -> dict[int, str]:
    """Ids and names of the classes with training samples."""
    return {c: inspection.made.data.class_names[c - 1] for c in sorted(inspection.train.counts)}


def _spectra(inspection: PixelInspection) -> Figure:
    """Centre spectra of each class."""
    scene = inspection.made.data
    sets = {name: (colour, lambda c, part=part: part.x[part.y == c]) for part, name, colour in _sets(inspection)}
    return class_spectra(inspection, sets, _classes(inspection), scene.bands, scene.wavelengths)


def _clouds(inspection: PixelInspection) -> Figure:
    """One panel per class on the first two principal axes of the training set; all its samples pale behind."""
    classes = _classes(inspection)
    space = fit_space(inspection.train.x)
    rng = np.random.default_rng(0)
    points = []
    for part, name, colour in _sets(inspection):
        few = part.take(at_most(part.y, SHOWN, rng))
        points.append((_plane(space.project(few.x)), few.y, name, colour))
    everything = np.concatenate([plane for plane, *_ in points])
    low, high = np.percentile(everything, [0.2, 99.8], axis=0)
    room = 0.06 * (high - low) + 1e-9
    figure, panels = grid(len(classes), 1.7)
    for axes, (c, class_name) in zip(panels, classes.items(), strict=True):
        axes.scatter(
            points[-1][0][:, 0],
            points[-1][0][:, 1],
            s=2,
            color="#dddddd",
            linewidths=0,
            rasterized=True,
            label="train, all classes",
        )
        for plane, y, name, colour in points:
            own = plane[y == c]
            if name == "train":
                look: dict[str, Any] = {"s": 8, "facecolors": "none", "edgecolors": colour, "linewidths": 0.6}
            else:
                look = {"s": 4, "color": colour, "alpha": 0.45, "linewidths": 0}
            axes.scatter(own[:, 0], own[:, 1], label=name, rasterized=True, **look)
        axes.set_xlim(low[0] - room[0], high[0] + room[0])
        axes.set_ylim(low[1] - room[1], high[1] + room[1])
        counts = ", ".join(f"{name} {int((part.y == c).sum())}" for part, name, _ in _sets(inspection))
        name_panel(axes, class_name, counts)
    name_columns(panels, "PC 1 of the training spectra")
    figure.supylabel("PC 2", fontsize=8)
    figure.suptitle(title(inspection, "Real and synthetic samples"), fontsize=8)
    legend(figure, panels[0])
    return figure


def _plane(scores: Array) -> Array:
    """(n, 2): the first two scores, with 0 for an axis that is not there."""
    return np.pad(scores, ((0, 0), (0, max(0, 2 - scores.shape[1]))))[:, :2]


def _attention(examples: Sequence[Example], scene: Scene) -> Figure:
    """A row per patch: its colours, the class's region, the class's words together, then every word."""
    words = [_shown_words(example) for example in examples]
    columns = 3 + max(len(row) for row in words)
    figure, panels = grid(len(examples) * columns, 1.1, columns)
    step = max(1, round(math.sqrt(scene.cube.size / MOST_VALUES)))
    low, high = np.percentile(scene.cube[::step, ::step].reshape(-1, scene.bands), [2, 98], axis=0)
    for row, (example, shown) in enumerate(zip(examples, words, strict=True)):
        line = panels[row * columns : (row + 1) * columns]
        name = scene.class_names[example.class_id - 1]
        line[0].imshow(_colours(example.x, low, high), interpolation="nearest")
        line[1].imshow(_region(example), interpolation="nearest")
        own = class_map(example.words, example.maps, name)
        maps = [("class's words", own), *((example.words[i], example.maps[i]) for i in shown)]
        for axes, (word, values) in zip(line[2:], maps, strict=False):
            if values is not None:
                axes.imshow(values, cmap="magma", interpolation="nearest")
            axes.set_title(
                "\n".join(wrap(plotted(word), 12)), fontsize=7, fontweight="bold" if axes is line[2] else "normal"
            )
        for axes in line[2 + len(maps) :]:
            axes.set_visible(False)
        line[0].set_title("patch", fontsize=7)
        line[1].set_title("region", fontsize=7)
        line[0].set_ylabel("\n".join(map(plotted, name.split("-")[:3])), fontsize=7)
        for axes in line:
            axes.set_xticks([])
            axes.set_yticks([])
    said = (
        "Attention per word round held-out pixels, each map on its own scale; region: class white, other classes black, "
        "unlabelled grey"
    )
    figure.suptitle(wrapped(said, WIDTHS[2]), fontsize=8)
    return figure


def _shown_words(example: Example) -> list[int]:
    """Places of the words with the most contrast over the patch, in the order of the prompt."""
    contrast = example.maps.std(axis=(1, 2))
    return sorted(np.argsort(-contrast, kind="stable")[:WORDS].tolist())


def _region(example: Example) -> NDArray[Any]:
    inside, known = example.labels == example.class_id, example.labels > 0
    grey = np.where(inside, 1.0, np.where(known, 0.0, 0.55))
    return np.repeat(grey[..., None], 3, axis=2)


def _colours(x: NDArray[np.float32], low: Array, high: Array) -> NDArray[Any]:
    """(p, p, 3) three bands spread over the spectrum as red, green, blue, scaled as over the whole scene."""
    bands = (np.array([0.75, 0.45, 0.15]) * (len(x) - 1)).astype(int)
    scaled = (x[bands].transpose(1, 2, 0) - low[bands]) / np.maximum(high - low, 1e-9)[bands]
    return np.asarray(scaled.clip(0, 1))
