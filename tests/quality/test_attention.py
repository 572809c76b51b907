"""Attention: maps whose answer is known, and generators that have none."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.attention import (
    draw_attention,
    generate_layouts,
    look_at_attention,
    score_map,
    score_maps,
)
from hsiaug.api import Attention, PluginError
from hsiaug.core.scene import Scene
from hsiaug.quality.figures import save_figures
from hsiaug.quality.prompt_fidelity import PromptScene
from hsiaug.quality.synthesis import PixelSynthesis
from tests.quality.prompts import Reader

Make = Callable[..., PixelSynthesis]
REGION = np.array([[1, 1, 0], [1, 0, 0], [np.nan, np.nan, np.nan]])


@pytest.mark.parametrize(
    ("values", "auc", "iou"),
    [
        ([[9, 8, 1], [7, 0, 2], [99, 0, 0]], 1, 1),
        ([[1, 2, 7], [3, 8, 9], [0, 0, 0]], 0, 0),
        ([[5, 5, 5], [5, 5, 5], [9, 0, 0]], 0.5, 0),
        # Two of three inside lie above the mean, and one of three outside, which all but one inside
        # surpass.
        ([[9, 8, 7], [1, 0, 0], [0, 0, 0]], 8 / 9, 2 / 4),
    ],
)
def test_a_map_is_scored_where_the_region_is_known(
    values: list[list[int]], auc: float, iou: float
) -> None:
    assert score_map(np.array(values, dtype=float), REGION) == (
        pytest.approx(auc),
        pytest.approx(iou),
    )


class Attentive(Reader):
    """Attends to the words of each class where its band is bright, to "the" elsewhere."""

    def __init__(self, names: tuple[str, ...], scale: float = 1.0) -> None:
        super().__init__(names)
        self.scale = np.float32(scale)

    def attention(self, x: Any, prompts: Sequence[str]) -> Attention:
        words, maps = [], []
        for patch, prompt in zip(x, prompts, strict=True):
            classes = self.classes_of(prompt)
            bright = np.clip(patch[[c - 1 for c in classes]], 0.05, 0.9) / len(classes)
            words.append((*(self.names[c - 1] for c in classes), "the", "x" * classes[0]))
            rest = (1 - bright.sum(axis=0)) / 2
            maps.append(self.scale * np.stack([*bright, rest, rest]).astype(np.float32))
        return Attention(tuple(words), tuple(maps))


def test_attention_in_generated_patches_is_scored_where_an_oracle_sees_each_class(
    make, coded, tmp_path
):
    attentive = Attentive(coded.class_names)
    made = replace(make(scene=coded), fitted=attentive)
    scene = PromptScene.of(made)
    assert scene and scene.oracle.right > 0.9
    shown = generate_layouts(made, scene)
    report = look_at_attention(made, shown)
    scores = score_maps(report, made)

    pairs = [tuple(attentive.classes_of(prompt)) for prompt in shown.prompts]
    assert pairs == list(zip(shown.y.tolist(), shown.neighbour.tolist(), strict=True))
    assert not (shown.region * shown.neighbour_region).any()
    assert scores["class"] and scores["class"].auc > 0.9
    assert scores["neighbour"] and scores["neighbour"].auc > 0.9
    assert scores["elsewhere"] and scores["elsewhere"].auc < 0.9
    (path,) = save_figures({"attention": draw_attention(report, made)}, tmp_path)
    with Image.open(path) as image:
        assert image.width == 2160 and len(image.convert("RGB").getcolors(2**24) or []) > 20


@pytest.mark.parametrize("scale", [2.0, np.nan])
def test_maps_that_break_the_contract_are_refused(make: Make, coded: Scene, scale: float) -> None:
    broken: Any = Attentive(coded.class_names, scale)
    made = replace(make(scene=coded), fitted=broken)
    scene = PromptScene.of(made)
    assert scene
    with pytest.raises(PluginError, match="sum to 1"):
        look_at_attention(made, generate_layouts(made, scene))
