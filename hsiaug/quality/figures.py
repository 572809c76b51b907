"""Pictures of real and synthetic samples: class spectra, principal components, attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.files import write_whole
from hsiaug.metrics.spectra import Spectra, at_most, fit_space
from hsiaug.quality.attention import Example, class_map
from hsiaug.quality.inspection import Inspection
from hsiaug.quality.vector import save_svg
from hsiaug.scene import Scene
from hsiaug.text import plotted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["save_pictures"]

ROLES = (("held-out", "#8c8c8c"), ("synthetic", "#d7301f"), ("train", "#1f5fa8"))
"""Drawn in this order: training samples on top, thin, or the synthetic ones made from them would hide them."""
SHOWN = 300
"""Points of a class and role in a cloud at most."""
WORDS = 9
"""Words of a prompt that are shown at most."""
DPI = 110
Array = NDArray[np.float64]


def save_pictures(inspection: Inspection, folder: Path) -> list[Path]:
    """Write spectra.png and .svg, pca.png, and attention.png where there is any; returns the files.

    The clouds are no SVG: ten thousand points would weigh several times what they do as pixels.
    Raises InputError where the folder cannot be written to.
    """
    spectra = _spectra(inspection)
    pictures = {"spectra.png": spectra, "spectra.svg": spectra, "pca.png": _clouds(inspection)}
    attention = inspection.attention
    if attention is not None and attention.examples:
        pictures["attention.png"] = _attention(attention.examples, inspection.synthesis.scene)
    return [
        save_svg(figure, folder / name)
        if name.endswith(".svg")
        else write_whole(folder / name, partial(figure.savefig, dpi=DPI, format="png"))
        for name, figure in pictures.items()
    ]


def _grid(panels: int, width: float, height: float, columns: int = 4) -> tuple[Figure, list[Axes]]:
    """A figure of as many panels of that size in inches, and nothing in the places left over."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(columns, panels)
    rows = math.ceil(panels / columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for spare in axes[panels:]:
        spare.set_visible(False)
    return figure, axes[:panels]


def _sets(inspection: Inspection) -> tuple[tuple[Spectra, str, str], ...]:
    sets = (inspection.held, inspection.synthetic, inspection.train)
    return tuple((part, name, colour) for part, (name, colour) in zip(sets, ROLES, strict=True))


def _title(inspection: Inspection, what: str) -> str:
    spec = inspection.synthesis.spec
    omega = "" if spec.omega is None else f", ω = {spec.omega:g}"
    arm = f"{spec.generator.name}, λ = {spec.lam:g}{omega}"
    return f"{what}: {spec.scene}, {arm}, {spec.protocol.label}, draw {spec.seed}"


def _below(panels: Sequence[Axes], label: str) -> None:
    """Name the horizontal axis of the last panel of each column."""
    columns = panels[0].get_gridspec().ncols  # type: ignore[union-attr]
    for axes in panels[-columns:]:
        axes.set_xlabel(label, fontsize=8)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False, markerscale=2)


def _spectra(inspection: Inspection) -> Figure:
    """One panel per class: mean ± standard deviation of each set."""
    scene = inspection.synthesis.scene
    classes = _classes(inspection)
    x, breaks = _band_axis(scene)
    figure, panels = _grid(len(classes), 3.6, 2.5)
    for axes, c in zip(panels, classes, strict=True):
        counts = []
        for part, name, colour in _sets(inspection):
            own = part.x[part.y == c]
            counts.append(f"{name} {len(own)}")
            mean, std = (own.mean(axis=0), own.std(axis=0)) if len(own) else (np.full(scene.bands, np.nan),) * 2
            mean, std = (np.insert(values, breaks, np.nan) for values in (mean, std))
            axes.fill_between(x, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)
            width, style = (1.0, (0, (4, 3))) if name == "train" else (1.5, "-")
            axes.plot(x, mean, color=colour, linewidth=width, linestyle=style, label=f"{name}: mean ± std")
        _name_panel(axes, scene.class_names[c - 1], ", ".join(counts))
    _below(panels, "band" if scene.wavelengths is None else "wavelength (nm)")
    figure.supylabel(scene.units, fontsize=9)
    figure.suptitle(_title(inspection, "Class spectra"), fontsize=11)
    _legend(figure, panels[0])
    return figure


def _band_axis(scene: Scene) -> tuple[Array, NDArray[np.int64]]:
    """Where bands lie, with NaN where bands are missing in between, and the places of these NaN.

    Lines must not run across what water vapour took away.
    """
    if scene.wavelengths is None:
        return np.arange(scene.bands, dtype=np.float64), np.empty(0, dtype=np.int64)
    steps = np.diff(scene.wavelengths)
    breaks = np.flatnonzero((steps > 3 * np.median(steps)) | (steps <= 0)) + 1
    return np.insert(scene.wavelengths, breaks, np.nan), breaks


def _classes(inspection: Inspection) -> list[int]:
    """Ids of the classes with training samples."""
    return sorted(inspection.train.counts)


def _name_panel(axes: Axes, name: str, counts: str) -> None:
    axes.set_title(f"{plotted(name)}\n", fontsize=9, fontweight="bold")
    axes.text(0.5, 1.02, counts, transform=axes.transAxes, ha="center", va="bottom", fontsize=7, color="#555555")
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _clouds(inspection: Inspection) -> Figure:
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
    figure, panels = _grid(len(classes), 2.9, 2.6)
    for axes, c in zip(panels, classes, strict=True):
        axes.scatter(
            points[-1][0][:, 0],
            points[-1][0][:, 1],
            s=4,
            color="#dddddd",
            linewidths=0,
            label="train, all classes",
        )
        for plane, y, name, colour in points:
            own = plane[y == c]
            if name == "train":
                axes.scatter(
                    own[:, 0], own[:, 1], s=13, facecolors="none", edgecolors=colour, linewidths=0.8, label=name
                )
            else:
                axes.scatter(own[:, 0], own[:, 1], s=7, color=colour, alpha=0.45, linewidths=0, label=name)
        axes.set_xlim(low[0] - room[0], high[0] + room[0])
        axes.set_ylim(low[1] - room[1], high[1] + room[1])
        counts = ", ".join(f"{name} {int((part.y == c).sum())}" for part, name, _ in _sets(inspection))
        _name_panel(axes, inspection.synthesis.scene.class_names[c - 1], counts)
    _below(panels, "PC 1 of the training spectra")
    figure.supylabel("PC 2", fontsize=9)
    figure.suptitle(_title(inspection, "Real and synthetic samples"), fontsize=11)
    _legend(figure, panels[0])
    return figure


def _plane(scores: Array) -> Array:
    """(n, 2): the first two scores, with 0 for an axis that is not there."""
    return np.pad(scores, ((0, 0), (0, max(0, 2 - scores.shape[1]))))[:, :2]


def _attention(examples: Sequence[Example], scene: Scene) -> Figure:
    """A row per patch: its colours, the class's region, the class's words together, then every word."""
    words = [_shown_words(example) for example in examples]
    columns = 3 + max(len(row) for row in words)
    figure, panels = _grid(len(examples) * columns, 1.35, 1.6, columns)
    low, high = np.percentile(scene.cube.reshape(-1, scene.bands), [2, 98], axis=0)
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
            axes.set_title(plotted(word), fontsize=8, fontweight="bold" if axes is line[2] else "normal")
        for axes in line[2 + len(maps) :]:
            axes.set_visible(False)
        line[0].set_title("patch", fontsize=8)
        line[1].set_title("region", fontsize=8)
        line[0].set_ylabel("\n".join(map(plotted, name.split("-")[:3])), fontsize=8)
        for axes in line:
            axes.set_xticks([])
            axes.set_yticks([])
    figure.suptitle(
        "Attention per word round held-out pixels, each map on its own scale; region: class white, other classes "
        "black, unlabelled grey",
        fontsize=10,
    )  # fmt: skip
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
