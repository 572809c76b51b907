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
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import markdown, say
from benchmarks.oracle import Oracle
from hsiaug.core.samples import take_in_turn
from hsiaug.data import load_scene
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.quality.attention import (
    LEAST,
    AttentionMaps,
    Maps,
    RegionPatches,
    draw_attention,
    look_at_attention,
    words_of,
)
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import AnySynthesis, SampleRequest
from hsiaug.registry.lookup import registry

Array = NDArray[np.floating[Any]]
PER_CLASS = 25
"""Generated patches of a class, of which those are looked at that show another class too."""
CAPTION = (
    "Generated patches of each class, with the attention to words of one prompt. Region: white = an"
    " oracle sees the class, black = another."
)
LABELS = {
    "class": "words of the class's name",
    "elsewhere": "words of the class's name, map of another patch",
    "spectra": "no map: likeness to the centre's spectrum",
}
"""What each row compares with the region of the class of the centre."""


@dataclass(frozen=True)
class MapScore:
    """Means over n patches. half: of the 95 % interval of the AUC."""

    auc: float
    half: float
    iou: float
    n: int


def score_maps(found: AttentionMaps, made: AnySynthesis) -> dict[str, MapScore | None]:
    """Scores by the names of LABELS; None where no patch has such words."""
    patches = found.patches
    names = [found.content.intersection(words_of(name)) for name in made.data.class_names]
    of_class = [total(patch.maps, names[patch.class_id - 1]) for patch in patches]
    x = np.stack([patch.x for patch in patches])
    middle = slice(x.shape[2] // 2, x.shape[2] // 2 + 1)
    scaled = x / (made.real.x.std(axis=(0, 2, 3))[:, None, None] + 1e-9)
    compared = {
        "class": of_class,
        # Classes take turns: the next patch is of another class, where there are several left.
        "elsewhere": of_class[1:] + of_class[:1],
        "spectra": [*-np.linalg.norm(scaled - scaled[:, :, middle, middle], axis=1)],
    }
    rows: dict[str, MapScore | None] = {}
    for name, maps in compared.items():
        pairs = zip(maps, patches, strict=True)
        scores = [score_map(own, patch.region) for own, patch in pairs if own is not None]
        if not scores:
            rows[name] = None
            continue
        aucs, ious = np.array(scores).T
        half = 1.96 * aucs.std() / np.sqrt(len(aucs))
        rows[name] = MapScore(float(aucs.mean()), float(half), float(ious.mean()), len(scores))
    return rows


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


def total(maps: Maps, words: Collection[str]) -> NDArray[np.float32] | None:
    """(p, p) sum of the maps of some words; None where there is none of them."""
    found = [values for word, values in maps.items() if word in words]
    return np.sum(found, axis=0) if found else None


def score_map(values: Array, region: Array) -> tuple[float, float]:
    """AUC and IoU, as of :class:`MapScore`, of a map (p, p) where its region (p, p) of 1 and 0 is
    not NaN.
    """
    known = ~np.isnan(region)
    inside, seen = region[known] > 0, values[known]
    high = seen > seen.mean()
    return rank_nearer(seen[~inside], seen[inside]), float(
        (inside & high).sum() / (inside | high).sum()
    )


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
