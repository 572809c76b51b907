"""Draw real patches beside those of txt2hsi and of gaussian, for docs/txt2hsi.md.

    python -m benchmarks.txt2hsi_pictures SCENE [CLASS…]

SCENE is a name or a card. The draw is 300, on which choices were made. Of each class, by default of
the six with most held-out patches, there are three rows: held-out patches, those of txt2hsi, and
those of gaussian, which is the same without a network. All have one stretch.
The picture goes to docs/images/txt2hsi_NAME.png.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import hsiaug
from benchmarks.common import HERE
from benchmarks.docs_gallery import LARGEST, kept, small
from hsiaug.metrics.false_colours import FalseColours
from hsiaug.protocol.view import patches_at
from hsiaug.report.figures.files import new_figure

DRAW = 300
CLASSES = 6
PATCHES = 12
WIDTH = 6.6
"""Inches."""


def main() -> None:
    scene = hsiaug.load_scene(sys.argv[1])
    split = hsiaug.split(scene, "issd", draw=DRAW)
    labels = np.where(split.test, scene.labels, 0)
    counts = np.bincount(labels.ravel(), minlength=len(scene.class_names) + 1)
    counts[0] = 0
    named = [scene.class_names.index(name) + 1 for name in sys.argv[2:]]
    chosen = named or sorted(np.argsort(-counts, kind="stable")[:CLASSES].tolist())
    sets = {"held-out": held_out(scene, labels, chosen)}
    for generator in ("txt2hsi", "gaussian"):
        samples = hsiaug.augment_scene(scene, generator, lam=1.0, seed=DRAW)
        sets[generator] = {
            c: samples.x[samples.synthetic & (samples.y == c)][:PATCHES] for c in chosen
        }
    draw_sheet(scene, sets, chosen)


def draw_sheet(
    scene: hsiaug.Scene, sets: dict[str, dict[int, NDArray[np.float32]]], chosen: list[int]
) -> None:
    """The picture: two columns of classes, a row of patches for each set."""
    rows = -(-len(chosen) // 2)
    colours = FalseColours.fit(scene.cube.reshape(-1, scene.bands)[::7], scene.wavelengths)
    figure = new_figure(WIDTH, 0.95 * rows + 0.1)
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes in panels:
        axes.axis("off")
    for axes, c in zip(panels, chosen, strict=False):
        lines = []
        for samples in sets.values():
            line = np.full((9, PATCHES * 10, 3), 255, dtype=np.uint8)
            for place, patch in enumerate(colours.of_patches(samples[c])):
                line[:, place * 10 : place * 10 + 9] = patch
            lines += [line, np.full((1, PATCHES * 10, 3), 255, dtype=np.uint8)]
        axes.imshow(np.concatenate(lines), interpolation="nearest")
        axes.set_title(scene.class_names[c - 1], fontsize=8, loc="left", pad=2)
        for row, name in enumerate(sets):
            axes.text(-2, 10 * row + 4, name, fontsize=6.5, ha="right", va="center")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "sheet.png")
        figure.savefig(file, dpi=200)
        kept(HERE.parent / "docs" / "images" / f"txt2hsi_{scene.name}.png", small(file), LARGEST)


def held_out(
    scene: hsiaug.Scene, labels: NDArray[np.int_], chosen: list[int]
) -> dict[int, NDArray[np.float32]]:
    """Some test patches of each class, spread over the scene."""
    patches = {}
    for c in chosen:
        pixels = np.argwhere(labels == c)
        spread = pixels[np.linspace(0, len(pixels) - 1, PATCHES).astype(int)]
        patches[c] = patches_at(scene.cube, spread, 9)
    return patches


if __name__ == "__main__":
    main()
