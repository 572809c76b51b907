"""Whether maps of attention follow the layout of classes in real patches, for claim C8 of txt2hsi.

    python -m benchmarks.attention SCENE DRAW…

For each draw, over up to 300 held-out patches that show two trained classes: the area under the ROC
curve of a map's values against the region of the centre's class (0.5 = it tells nothing), and the
intersection over union of the region and the pixels above the map's mean.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import markdown, say
from hsiaug.data import load_scene
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.quality.attention import AttentionMaps, Maps, look_at_attention, words_of
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import AnySynthesis, SampleRequest
from hsiaug.registry.lookup import registry

Array = NDArray[np.floating[Any]]
LABELS = {
    "class": "words of the class's name",
    "elsewhere": "words of the class's name, map of another patch",
    "spectra": "no map: likeness to the centre's spectrum",
}
"""What each row compares with the region of the class of the centre."""


@dataclass(frozen=True)
class MapScore:
    """Means over n patches."""

    auc: float
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
        auc, iou = np.mean(scores or [(0.0, 0.0)], axis=0).tolist()
        rows[name] = MapScore(auc, iou, len(scores)) if scores else None
    return rows


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
        request = SampleRequest("txt2hsi", seed=draw, attention=True)
        made = synthesise(sample_kit("pixels"), load_scene(scene), request, registry())
        for name, score in score_maps(look_at_attention(made), made).items():
            told = (
                (f"{score.auc:.3f}", f"{score.iou:.3f}", str(score.n)) if score else ("–", "–", "0")
            )
            rows.append((str(draw), LABELS[name], *told))
    say("\n".join(markdown(("draw", "map", "AUC", "IoU", "patches"), rows)))


if __name__ == "__main__":
    main()
