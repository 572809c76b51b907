"""Draw Indian Pines as the guide explains it, and the method at work, for README and concepts.

    python -m benchmarks.docs_ideas [FOLDER]

FOLDER, a temporary one unless it is named, holds the samples of the README's figure: named again,
it takes those that are there. Nothing is chosen for looks: classes are those with most test pixels,
and of each the first samples are shown.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import hsiaug
from benchmarks.common import check_usage, in_folder
from benchmarks.docs_figures import keep_picture
from hsiaug.base.colours import class_colours
from hsiaug.core.fields import label_fields, seen_fields
from hsiaug.metrics.false_colours import FalseColours
from hsiaug.protocol.audit import MIN_TEST_PIXELS
from hsiaug.protocol.split import Split
from hsiaug.report.figures.files import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCENE = "indian_pines"
FIRST_DRAW = 0
"""The split that the guide explains."""
DRAW = 140
"""The split of the README's figure: nothing was chosen on it."""
CLASSES, PATCHES = 5, 8
"""Classes of the README's figure, and patches of each."""
WIDTH = 6.6
"""Inches of a figure."""
COST = 100.0
"""C of the support vector machine of the maps."""
TRAINING, BUFFER, TEST = "#b35900", "#9a9a9a", "#a9c8e8"
"""Colours of the pixels of a split."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Training samples of a split.

    x: (n, B, p, p) patches. y: (n,) class ids. synthetic: (n,) which are synthetic. weight: (n,).
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    synthetic: NDArray[np.bool_]
    weight: NDArray[np.float32]


def main(folder: Path) -> None:
    scene = hsiaug.load_scene(SCENE)
    colours = FalseColours.fit(scene.cube.reshape(-1, scene.bands)[::7], scene.wavelengths)
    image = colours.of_patches(np.moveaxis(scene.cube, 2, 0)[None])[0]
    keep(ideas(scene, image), "ideas")
    samples = samples_of(scene, folder / "samples.npz")
    keep(method(scene, colours, samples), "method")


def keep(figure: Figure, name: str) -> None:
    """Write a figure as a small PNG."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "figure.png")
        figure.savefig(file, dpi=180)
        keep_picture(file, f"{name}")


def bare(panel: Axes, title: str) -> None:
    panel.set(xticks=[], yticks=[])
    panel.set_title(title, fontsize=9, loc="left")


def ideas(scene: hsiaug.Scene, image: NDArray[np.uint8]) -> Figure:
    """Scene, labels with a field, a draw, and an enlarged part with clump, buffer and patch."""
    split = hsiaug.split(scene, "issd", seed=FIRST_DRAW)
    fields = label_fields(scene.labels)
    seen = seen_fields(fields, split.train)
    figure = new_figure(WIDTH, 6.4)
    panels = figure.subplots(2, 2)
    palette = class_colours(len(scene.class_names))

    panels[0, 0].imshow(image, interpolation="nearest")
    bare(panels[0, 0], "1. The scene: 145×145 pixels, 200 bands")

    panels[0, 1].imshow(palette[scene.labels], interpolation="nearest")
    bare(panels[0, 1], "2. Labels: a colour for each class")

    panels[1, 0].imshow(roles(scene, split), interpolation="nearest")
    bare(panels[1, 0], "3. One split: training and test pixels")

    row, column = largest_clump(scene, split)
    half = 24
    top = int(np.clip(row - half, 0, scene.labels.shape[0] - 2 * half))
    left = int(np.clip(column - half, 0, scene.labels.shape[1] - 2 * half))
    part = np.s_[top : top + 2 * half, left : left + 2 * half]
    panel = panels[1, 1]
    panel.imshow(roles(scene, split)[part], interpolation="nearest")
    for number in np.unique(fields[part]):
        if number:
            inside = fields[part] == number
            panel.contour(
                inside,
                levels=[0.5],
                colors="black",
                linewidths=1.4 if seen[fields == number].all() else 0.6,
            )
    panel.add_patch(
        Rectangle((column - left - 4.5, row - top - 4.5), 9, 9, fill=False, ec="red", lw=1.8)
    )
    for axes in (panels[1, 0],):
        axes.add_patch(
            Rectangle((left - 0.5, top - 0.5), 2 * half, 2 * half, fill=False, ec="black", lw=1.2)
        )
    bare(panel, "4. Enlarged; thick outline: seen field")
    handles = [
        Patch(color=TRAINING, label="training pixels: one region per class"),
        Patch(color=BUFFER, label="buffer: left out"),
        Patch(color=TEST, label="test pixels"),
        Patch(facecolor="white", edgecolor="red", label="a 9×9 patch"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)
    return figure


def roles(scene: hsiaug.Scene, split: Split) -> NDArray[np.uint8]:
    """(H, W, 3) colours of training, buffer and test pixels; white where there is no label."""
    colours = np.full((*scene.labels.shape, 3), 255, dtype=np.uint8)
    labelled = scene.labels > 0
    for mask, colour in (
        (labelled, BUFFER),
        (split.test, TEST),
        (split.train, TRAINING),
    ):
        colours[mask] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return colours


def largest_clump(scene: hsiaug.Scene, split: Split) -> tuple[int, int]:
    """Row and column of the middle training pixel of the class with most of them."""
    counts = np.bincount(scene.labels[split.train], minlength=len(scene.class_names) + 1)
    pixels = np.argwhere(split.train & (scene.labels == counts.argmax()))
    nearest = np.square(pixels - pixels.mean(axis=0)).sum(axis=1).argmin()
    return int(pixels[nearest, 0]), int(pixels[nearest, 1])


def method(scene: hsiaug.Scene, colours: FalseColours, samples: Samples) -> Figure:
    """Real and synthetic patches, and the map of a classifier without and with the latter."""
    split = hsiaug.split(scene, "issd", seed=DRAW)
    counts = np.bincount(scene.labels[split.test], minlength=len(scene.class_names) + 1)
    chosen = largest_classes(scene, split, CLASSES)
    real = ~samples.synthetic
    maps = {
        "SVM, real samples": class_map(scene, samples, real),
        "SVM, real + synthetic": class_map(scene, samples, np.ones_like(real)),
    }
    tested = [c for c in range(1, len(counts)) if counts[c] >= MIN_TEST_PIXELS]

    figure = new_figure(WIDTH, 4.5)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.3))
    panels = upper.subplots(1, 2)
    for panel, kind, title in zip(
        panels, (real, ~real), ("Real training patches", "Synthetic patches (txt2hsi)"), strict=True
    ):
        lines = []
        for class_id in chosen:
            line = np.full((10, 10 * PATCHES, 3), 255, dtype=np.uint8)
            patches = colours.of_patches(samples.x[kind & (samples.y == class_id)][:PATCHES])
            for place, patch in enumerate(patches):
                line[:9, 10 * place : 10 * place + 9] = patch
            lines.append(line)
        panel.imshow(np.concatenate(lines), interpolation="nearest")
        bare(panel, title)
        panel.set_frame_on(False)
    panels[0].set_yticks(
        [10 * row + 4 for row in range(CLASSES)],
        [scene.class_names[class_id - 1] for class_id in chosen],
        fontsize=8,
    )
    panels[0].tick_params(length=0)

    palette = class_colours(len(scene.class_names))
    shown = lower.subplots(1, 3)
    shown[0].imshow(palette[scene.labels], interpolation="nearest")
    bare(shown[0], "All labels; 5 % are for training")
    for panel, (title, ids) in zip(shown[1:], maps.items(), strict=True):
        panel.imshow(palette[np.where(scene.labels > 0, ids, 0)], interpolation="nearest")
        right = split.test & (ids == scene.labels)
        recall = [np.sum(right & (scene.labels == c)) / counts[c] for c in tested]
        bare(panel, f"{title}: AA {100 * np.mean(recall):.0f} %")
    return figure


def largest_classes(scene: hsiaug.Scene, split: Split, number: int) -> list[int]:
    """Ids of the classes with most test pixels, but for the largest, which λ gives no sample."""
    train = np.bincount(scene.labels[split.train], minlength=len(scene.class_names) + 1)
    counts = np.bincount(scene.labels[split.test], minlength=len(scene.class_names) + 1)
    counts[train.argmax()] = 0
    return sorted(np.argsort(-counts, kind="stable")[:number].tolist())


def samples_of(scene: hsiaug.Scene, file: Path) -> Samples:
    """The samples of the split. They are kept in a file, as generating them takes longest."""
    if not file.is_file():
        made = hsiaug.augment_scene(scene, "txt2hsi", lam=1.0, times=0, seed=DRAW).together
        np.savez(file, x=made.x, y=made.y, synthetic=made.synthetic, weight=made.weight)
    with np.load(file) as arrays:
        return Samples(**arrays)


def class_map(scene: hsiaug.Scene, samples: Samples, used: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(H, W) class ids by a support vector machine of the centre spectra of the samples used."""
    middle = samples.x.shape[2] // 2
    machine = make_pipeline(StandardScaler(), SVC(C=COST, gamma="scale"))
    machine.fit(
        samples.x[used, :, middle, middle],
        samples.y[used],
        svc__sample_weight=samples.weight[used],
    )
    named: NDArray[np.int64] = machine.predict(scene.cube.reshape(-1, scene.bands))
    return named.reshape(scene.labels.shape)


if __name__ == "__main__":
    check_usage(__doc__, 0, 1)
    in_folder(main)
