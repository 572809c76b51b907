"""How good is the teacher's map beside those of classics that need no generator? The table of
benchmarks/results/fill.

    python -m benchmarks.make_scenes FOLDER        (for the small scenes; see there)
    python -m benchmarks.fill 110 115

Under ``issd``, means over the draws from the first to the last that are named: average accuracy
over the classes with at least 25 test pixels, in all fields and in new ones, of the map of an SVM
in its chosen view; and the difference to it of other maps. In brackets, the least difference of a
draw. A diagnosis that reads test labels, and no component. The teacher was chosen on draws 100 to
105.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import HERE, check_usage, markdown, say
from benchmarks.teacher import PATCH, SCENES
from hsiaug.api import choose_view, load_plugin
from hsiaug.contracts import silent
from hsiaug.core.scene import Scene
from hsiaug.core.spectral_views import RAW_VIEW
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.view import train_view
from hsiaug.tasks.task import get_task

LEAST = 25
MAPS = ("svm", "emp", "filtered:svm", "teacher")
Scores = NDArray[np.float64]


def main() -> None:
    """Print the table."""
    first, last = (int(word) for word in sys.argv[1:3])
    names = sys.argv[3:] or list(SCENES)
    rows = [row for name in names for row in scene_rows(name, range(first, last + 1))]
    say(f"# The teacher's map and those of classics, draws {first} to {last}\n")
    say("\n".join(markdown(("scene", "map", "AA", "in new fields"), rows)))


def scene_rows(name: str, draws: range) -> Iterator[tuple[str, ...]]:
    """The rows of a scene: AA of the SVM, and differences to it."""
    scene = load_scene(SCENES[name] if SCENES[name] == name else HERE / SCENES[name])
    found = np.stack([draw_scores(scene, draw) for draw in draws])  # (draws, maps, 2)
    alone = np.nanmean(found[:, 0], axis=0)
    yield scene.name, "svm", f"{alone[0]:.1f}", f"{alone[1]:.1f}"
    for i, classifier in enumerate(MAPS[1:], start=1):
        gains = found[:, i] - found[:, 0]
        told = [f"{np.nanmean(gain):+.1f} ({np.nanmin(gain):+.1f})" for gain in gains.T]
        yield scene.name, classifier, *told


def draw_scores(scene: Scene, draw: int) -> Scores:
    """(maps, 2) average accuracy in all and in new fields, of each of MAPS."""
    task, split = get_task("pixels"), draw_split(scene, parse_protocol("issd"), draw, PATCH)
    chosen = choose_view(train_view(scene, split, "none"))
    scores = []
    for classifier in MAPS:
        plugin = load_plugin("classifier", classifier)
        view = train_view(scene, split, plugin.card.scope)
        spectra = RAW_VIEW if plugin.card.reads_scene else chosen
        shown = task.sampling.shown(view.real, plugin.card, spectra)
        model = plugin.fit(
            shown, task.draws.seen(view, spectra), seed=draw, device="cpu", progress=silent
        )
        scores.append(
            accuracies(
                task.prediction.predict(model, plugin.card, scene, split, spectra), scene, split
            )
        )
    return np.array(scores)


def accuracies(named: NDArray[np.int16], scene: Scene, split: Split) -> tuple[float, float]:
    """Average accuracy in per cent of the names of all test pixels, and of those in new fields."""
    true, new = scene.labels[split.test], ~split.seen[split.test]
    return average(named, true), average(named[new], true[new])


def average(named: NDArray[np.int16], true: NDArray[np.int16]) -> float:
    """Mean recall in per cent over the classes with LEAST pixels; NaN where there is none."""
    ids, sizes = np.unique(true, return_counts=True)
    recalls = [np.mean(named[true == c] == c) for c in ids[sizes >= LEAST]]
    return 100 * float(np.mean(recalls)) if recalls else float("nan")


if __name__ == "__main__":
    check_usage(__doc__, 2)
    main()
