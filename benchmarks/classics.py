"""What do classics that need no generator score? The tables of benchmarks/results/classics.

    python -m benchmarks.make_scenes FOLDER        (for the small scenes; see there)
    python -m benchmarks.classics 400 404 svm,emp,filtered:svm > maps.md

Under ``issd``, without samples, means over the draws from the first to the last that are named: average accuracy over the
classes with at least 25 test pixels, in all fields and in new ones; and processor seconds of fit and prediction. Scenes
may be named after the classifiers. A diagnosis that reads test labels, and no component.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import HERE, markdown, say
from benchmarks.fill import accuracies
from benchmarks.teacher import PATCH, SCENES
from hsiaug.api import choose_view, load_plugin
from hsiaug.core.scene import Scene
from hsiaug.core.spectral_views import RAW_VIEW
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug.quality.synthesis import silent
from hsiaug.tasks.pixels import PixelClassification

FOUR = ("indian_pines", "houston", "pavia", "jasper")


def main() -> None:
    """Print the table."""
    first, last, classifiers = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")
    say(f"# Classifiers without samples, `issd`, draws {first} to {last}\n")
    say("\n".join(markdown(("scene", "classifier", "AA", "in new fields", "seconds"), [])))
    for name in sys.argv[4:] or FOUR:
        scene = load_scene(SCENES[name] if SCENES[name] == name else HERE / SCENES[name])
        for row in scene_rows(scene, classifiers, range(first, last + 1)):
            say("| " + " | ".join(row) + " |")


def scene_rows(scene: Scene, classifiers: list[str], draws: range) -> Iterator[tuple[str, ...]]:
    """The rows of a scene: means, and their standard deviations over draws."""
    for classifier in classifiers:
        found = np.array([scores(scene, classifier, draw) for draw in draws])
        mean, spread = np.nanmean(found, axis=0), np.nanstd(found, axis=0)
        told = [f"{one:.1f} ± {sd:.1f}" for one, sd in zip(mean[:2], spread[:2], strict=True)]
        yield scene.name, f"`{classifier}`", *told, f"{mean[2]:.1f}"


def scores(scene: Scene, classifier: str, draw: int) -> NDArray[np.float64]:
    """(3,) average accuracy in all and in new fields, and seconds."""
    task, split = PixelClassification(), draw_split(scene, parse_protocol("issd"), draw, PATCH)
    plugin = load_plugin("classifier", classifier)
    view = train_view(scene, split, plugin.card.scope)
    spectra = RAW_VIEW if plugin.card.reads_scene else choose_view(view)
    shown, seen = task.shown(view.real, plugin.card, spectra), task.seen(view, spectra)
    start = time.process_time()
    model = plugin.fit(shown, seen, seed=draw, device="cpu", progress=silent)
    named = task.predict(model, plugin.card, scene, split, spectra)
    return np.array([*accuracies(named, scene, split), time.process_time() - start])


if __name__ == "__main__":
    main()
