"""A contact sheet of a generator that reads text: a prompt a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hsiaug.base.seeds import derive_seed
from hsiaug.base.text import plotted, shortened
from hsiaug.metrics.false_colours import FalseColours
from hsiaug.quality.prompt_fidelity import SceneLayouts, Triple
from hsiaug.report.figures.files import WIDTHS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 8
"""Samples of a prompt."""
CLASSES = 4
"""Classes whose layouts are asked for."""
LETTERS = 90
CAPTION = "Samples of prompts, all from noise. Each row has one prompt; colours as of real patches."


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
    for class_id in list(by_class)[:CLASSES] or list(names)[:CLASSES]:
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
    asked = [prompt for prompt in prompts for _ in range(COLUMNS)]
    seed = derive_seed("prompt sheet", made.spec.seed)
    x = made.fitted.sample_prompts(asked, guidance=made.spec.omega, seed=seed).x
    colours = FalseColours.fit_samples(made.real.x, made.data.wavelengths)
    images = colours.of_patches(x)
    side = x.shape[2] + 1
    sheet = np.full((len(prompts) * (side + 3), COLUMNS * side, 3), 255, dtype=np.uint8)
    for number, image in enumerate(images):
        row, column = divmod(number, COLUMNS)
        top, left = row * (side + 3) + 3, column * side
        sheet[top : top + side - 1, left : left + side - 1] = image
    figure = new_figure(WIDTHS[2], WIDTHS[2] * len(sheet) / sheet.shape[1] + 0.4)
    axes = figure.subplots()
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
    for row, prompt in enumerate(prompts):
        axes.text(-0.5, row * (side + 3) + 1.6, plotted(shortened(prompt, LETTERS)), fontsize=7)
    figure.suptitle(CAPTION, fontsize=8)
    return figure
