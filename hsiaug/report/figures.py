"""Pictures: the map of a split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.files import write_whole
from hsiaug.protocol.split import Split
from hsiaug.report.labels import left_out
from hsiaug.scene import Scene
from hsiaug.text import plotted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ROLES", "class_colours", "save_png", "save_split_map"]

ROLES = (("unlabelled", "#f2f2f2"), ("left out", "#b3b3b3"), ("test", "#6baed6"), ("train", "#d7301f"))


def save_split_map(scene: Scene, split: Split, path: Path) -> None:
    """A PNG of two maps side by side: the labels, and who is train, test, buffer or unlabelled."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    roles = np.zeros(scene.shape, dtype=int)
    roles[split.buffered], roles[split.test], roles[split.train] = 1, 2, 3
    height, width = scene.shape
    figure = Figure(figsize=(13, max(4.5, 5.5 * height / width)), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    names = ["unlabelled", *map(plotted, scene.class_names)]
    colours = class_colours(len(scene.class_names))
    left.imshow(
        scene.labels, cmap=ListedColormap(colours), vmin=-0.5, vmax=len(names) - 0.5, interpolation="nearest"
    )
    left.set_title(plotted(f"{scene.name}: labels"))
    handles = [Patch(facecolor=colour, label=name) for name, colour in zip(names, colours, strict=True)]
    left.legend(handles=handles, loc="center right", bbox_to_anchor=(-0.02, 0.5), fontsize=8, frameon=False)
    right.imshow(
        roles, cmap=ListedColormap([colour for _, colour in ROLES]), vmin=-0.5, vmax=3.5, interpolation="nearest"
    )
    audit = split.audit
    leaky = " (LEAKY)" if audit.leaky else ""
    right.set_title(plotted(f"{audit.protocol}{leaky}, draw {split.seed}, patch {split.patch}"))
    counts = np.bincount(roles.ravel(), minlength=4)
    said = {"left out": left_out(audit.protocol, audit.buffer)}
    handles = [
        Patch(facecolor=colour, label=f"{said.get(name, name)}: {counts[i]:,}")
        for i, (name, colour) in enumerate(ROLES)
    ]
    right.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=4, fontsize=8, frameon=False
    )
    right.set_xlabel(
        f"{audit.centre_overlap_percent} % of test pixels lie in a training patch;\n"
        f"{audit.patch_overlap_percent} % have a patch that meets one",
        labelpad=24,
        fontsize=9,
    )
    for axes in (left, right):
        axes.set_xticks([])
        axes.set_yticks([])
    save_png(figure, path)


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure. Raises InputError where that cannot be."""
    write_whole(path, lambda fresh: figure.savefig(fresh, dpi=120, format="png"))


def class_colours(classes: int) -> list[str]:
    """White-ish for unlabelled, then one distinct colour per class."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    tab = [to_hex(colour) for name in ("tab20", "tab20b", "tab20c") for colour in colormaps[name].colors]  # type: ignore[attr-defined]
    return ["#f2f2f2", *(tab[i % len(tab)] for i in range(classes))]
