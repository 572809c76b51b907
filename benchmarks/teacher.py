"""How good are the names that the teacher gives to unlabelled pixels? The table of
benchmarks/results/teacher.

    python -m benchmarks.make_scenes FOLDER        (for the small scenes; see there)
    python -m benchmarks.teacher

For each scene and protocol, means over draws: the average accuracy of the names of all test pixels,
and of those in new fields; and the share of believed pixels with a label that are named right, as a
mean over classes. A diagnosis that reads test labels, and no component. Draws 110 to 115: the
teacher was chosen on some of those before.
"""

from __future__ import annotations

import time
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import HERE, check_usage, markdown, say
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug_builtin.baselines.pseudo import PseudoParams
from hsiaug_builtin.teacher.choice import choose_trusted
from hsiaug_builtin.teacher.teacher import teach

SCENES = {
    "indian_pines": "indian_pines",
    "houston": "scenes/houston_crop.toml",
    "pavia": "scenes/pavia_crop.toml",
    "jasper": "scenes/jasper_ridge.toml",
    "samson": "scenes/samson.toml",
}
PROTOCOLS, DRAWS, PATCH = ("kshot:1", "kshot:3", "issd"), range(110, 116), 9


def main() -> None:
    """Print the table."""
    rows = []
    for name, ref in SCENES.items():
        scene = load_scene(ref if ref == name else HERE / ref)
        for protocol in PROTOCOLS:
            found = defaultdict(list)
            for draw in DRAWS:
                split = draw_split(scene, parse_protocol(protocol), draw, PATCH)
                view = train_view(scene, split, "scene")
                start = time.perf_counter()
                votes = teach(view)
                found["seconds"].append(time.perf_counter() - start)
                true = scene.labels[tuple(votes.pixels.T)]
                named = votes.classes[votes.shares.argmax(axis=1)]
                tested = split.test[tuple(votes.pixels.T)]
                new = tested & ~split.seen[tuple(votes.pixels.T)]
                found["aa"].append(average_accuracy(named[tested], true[tested]))
                found["new"].append(average_accuracy(named[new], true[new]))
                rows_of = choose_trusted(votes.shares, PseudoParams().share, among=votes.attached)
                right = [
                    true[own][true[own] > 0] == c
                    for c, own in zip(votes.classes, rows_of, strict=True)
                ]
                found["believed"].append(np.mean([part.mean() for part in right if len(part)]))
            means = {key: float(np.nanmean(values)) for key, values in found.items()}
            scores = [f"{100 * means[key]:.1f}" for key in ("aa", "new", "believed")]
            rows.append((scene.name, protocol, *scores, f"{means['seconds']:.1f}"))
    say("# Names that the teacher gives to unlabelled pixels\n")
    header = (
        "scene",
        "protocol",
        "AA of all named test pixels",
        "in new fields",
        "right among the believed",
        "seconds",
    )
    say("\n".join(markdown(header, rows)))


def average_accuracy(named: NDArray[np.int64], true: NDArray[np.int64]) -> float:
    """Mean over classes of the share of their pixels that is named right; NaN where there is
    none.
    """
    return (
        float(np.mean([(named[true == c] == c).mean() for c in np.unique(true)]))
        if len(true)
        else float("nan")
    )


if __name__ == "__main__":
    check_usage(__doc__, 0, 0)
    main()
