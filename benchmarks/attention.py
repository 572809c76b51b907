"""Whether maps of attention follow the layout of classes in patches, for claim C8 of txt2hsi.

    python -m benchmarks.attention SCENE DRAW…

For each draw, over up to 300 held-out patches that show two trained classes, and over generated
ones: the area under the ROC curve of a map's values against the region of the centre's class (0.5 =
it tells nothing), with the half of its 95 % interval over patches, and the intersection over union
of the region and the pixels above the map's mean. The region of a generated patch is where an
oracle, which learns from the spectra of held-out pixels, sees its class. A picture of the generated
ones goes to attention_SCENE_DRAW.png in this folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import markdown, say
from benchmarks.oracle import Oracle
from hsiaug.core.samples import take_in_turn
from hsiaug.data import load_scene
from hsiaug.quality.attention import (
    LABELS,
    LEAST,
    MapScore,
    RegionPatches,
    draw_attention,
    look_at_attention,
    score_maps,
)
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import SampleRequest
from hsiaug.registry.lookup import registry

PER_CLASS = 25
"""Generated patches of a class, of which those are looked at that show another class too."""
CAPTION = (
    "Generated patches of each class, with the attention to words of one prompt. Region: white = an"
    " oracle sees the class, black = another."
)


def generated_patches(
    x: NDArray[np.float32], y: NDArray[np.int64], oracle: Oracle
) -> RegionPatches:
    """Those of generated patches x (n, B, p, p) of classes y (n,) whose centre the oracle names
    rightly, and which show another class too, by turns of their classes.
    """
    middle = x.shape[2] // 2
    named = oracle.classes_of(np.moveaxis(x, 1, 3))
    own = named == y[:, None, None]
    share = own.mean(axis=(1, 2))
    rows = np.flatnonzero(own[:, middle, middle] & (np.minimum(share, 1 - share) >= LEAST))
    rows = rows[take_in_turn(y[rows])]
    return RegionPatches(x[rows], y[rows], own[rows].astype(np.float64))


def main() -> None:
    scene, *draws = sys.argv[1:]
    rows = []
    for draw in map(int, draws):
        # Its fit is looked at: samples of its own are hardly needed.
        request = SampleRequest("txt2hsi", seed=draw, lam=0.1, times=0.0, attention=True)
        made = synthesise(sample_kit("pixels"), load_scene(scene), request, registry())
        oracle = Oracle.of(made.data, made.split)
        counts = dict.fromkeys(np.unique(made.real.y).tolist(), PER_CLASS)
        samples = made.fitted.sample(counts, guidance=0.0, seed=draw)
        shown = generated_patches(samples.x, samples.y, oracle)
        looked_at = {
            "held-out": look_at_attention(made),
            "generated": look_at_attention(made, shown),
        }
        for patches, found in looked_at.items():
            for name, score in score_maps(found, made).items():
                rows.append((str(draw), patches, LABELS[name], *cells_of(score)))
        figure = draw_attention(looked_at["generated"], made, CAPTION)
        figure.savefig(Path(f"attention_{made.data.name}_{draw}.png"))
    say("\n".join(markdown(("draw", "patches", "map", "AUC", "±", "IoU", "n"), rows)))


def cells_of(score: MapScore | None) -> tuple[str, ...]:
    """Columns of the table."""
    if score is None:
        return ("–", "–", "–", "0")
    return (f"{score.auc:.3f}", f"{score.half:.3f}", f"{score.iou:.3f}", str(score.n))


if __name__ == "__main__":
    main()
