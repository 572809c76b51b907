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
from hsiaug.api import Attention, PatchSamples, PluginError, PromptReading
from hsiaug.core.scene import Scene
from hsiaug.quality.figures import save_figures
from hsiaug.quality.prompt_fidelity import PromptScene
from hsiaug.quality.synthesis import PixelSynthesis

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


class Attentive:
    """Reads prompts as "NAME" or "NAME with NAME to the SIDE", and attends to the words of each
    class where its band is bright, to "the" elsewhere.
    """

    def __init__(self, names: tuple[str, ...], scale: float = 1.0) -> None:
        self.names, self.scale = names, np.float32(scale)
        self.asked: list[tuple[Any, Any]] = []

    def classes_of(self, prompt: str) -> list[int]:
        """Ids of the classes of a prompt, that of the centre first."""
        found = [c for c, name in enumerate(self.names, start=1) if name in prompt]
        return sorted(found, key=lambda c: prompt.index(self.names[c - 1]))

    def read_prompts(self, prompts: Sequence[str]) -> tuple[PromptReading, ...]:
        return tuple(PromptReading(prompt, self.classes_of(prompt)[0]) for prompt in prompts)

    def sample_prompts(self, prompts: Sequence[str], *, guidance: Any, seed: int) -> PatchSamples:
        """What is said: the class of the centre, and two rows or columns of its neighbour."""
        strips: dict[str, Any] = {
            "north": np.s_[:2],
            "south": np.s_[-2:],
            "west": np.s_[:, :2],
            "east": np.s_[:, -2:],
        }
        x = np.zeros((len(prompts), len(self.names), 5, 5), dtype=np.float32)
        for patch, prompt in zip(x, prompts, strict=True):
            centre, neighbour = self.classes_of(prompt)
            own = np.ones((5, 5), dtype=bool)
            own[strips[prompt.split()[-1]]] = False
            patch[centre - 1, own] = patch[neighbour - 1, ~own] = 1
        return PatchSamples.made(x, np.array([self.classes_of(p)[0] for p in prompts]), {})

    def attention(self, x: Any, prompts: Sequence[str]) -> Attention:
        self.asked.append((x, prompts))
        words, maps = [], []
        for patch, prompt in zip(x, prompts, strict=True):
            classes = self.classes_of(prompt)
            bright = np.clip(patch[[c - 1 for c in classes]], 0.05, 0.9) / len(classes)
            words.append((*(self.names[c - 1] for c in classes), "the", "x" * classes[0]))
            rest = (1 - bright.sum(axis=0)) / 2
            maps.append(self.scale * np.stack([*bright, rest, rest]).astype(np.float32))
        return Attention(tuple(words), tuple(maps))


@pytest.fixture(scope="module")
def coded(toy: Scene) -> Scene:
    """The toy scene with a band per class that is bright just there."""
    cube = np.stack([toy.labels == c for c in toy.class_ids], axis=2).astype(np.float32)
    return replace(toy, cube=cube + 0.01 * toy.cube[..., :5], wavelengths=None)


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
