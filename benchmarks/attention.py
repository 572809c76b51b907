"""Whether maps of attention follow the layout of classes in patches, for claim C8 of txt2hsi.

    python -m benchmarks.attention SCENE DRAW… [PARAMETER=VALUE…]

For each draw, over up to 300 held-out patches that show two trained classes, read under the name of
the class in their centre, and over patches that are generated under prompts of two classes: the
table of ``hsiaug inspect --attention``, which has the generated ones alone. A picture of these goes
to attention_SCENE_DRAW.png in this folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.common import check_usage, markdown, say, txt2hsi_fits
from hsiaug.quality.attention import (
    GENERATED,
    LABELS,
    MapScore,
    draw_attention,
    generate_layouts,
    look_at_attention,
    score_maps,
)
from hsiaug.quality.prompt_fidelity import PromptScene


def main() -> None:
    rows = []
    for made in txt2hsi_fits(sys.argv[1:]):
        draw = made.spec.seed
        scene = PromptScene.of(made)
        assert scene is not None
        looked_at = {
            "held-out": look_at_attention(made),
            "generated": look_at_attention(made, generate_layouts(made, scene)),
        }
        for patches, found in looked_at.items():
            for name, score in score_maps(found, made).items():
                rows.append((str(draw), patches, LABELS[name], *cells_of(score)))
        figure = draw_attention(looked_at["generated"], made, GENERATED)
        figure.savefig(Path(f"attention_{made.data.name}_{draw}.png"))
    say("\n".join(markdown(("draw", "patches", "map", "AUC", "±", "IoU", "n"), rows)))


def cells_of(score: MapScore | None) -> tuple[str, ...]:
    """Columns of the table."""
    if score is None:
        return ("–", "–", "–", "0")
    return (f"{score.auc:.3f}", f"{score.half:.3f}", f"{score.iou:.3f}", str(score.n))


if __name__ == "__main__":
    check_usage(__doc__, 2)
    main()
