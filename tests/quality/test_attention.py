"""Attention: maps whose answer is known, and generators that have none."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.attention import generated_patches
from benchmarks.oracle import Oracle
from hsiaug.api import Attention, InputError, PluginError
from hsiaug.core.scene import Scene
from hsiaug.quality.attention import (
    LABELS,
    draw_attention,
    look_at_attention,
    score_map,
    score_maps,
)
from hsiaug.quality.figures import save_figures
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
    """Attends to the name of the class where its band is bright, to "the" elsewhere."""

    def __init__(self, names: tuple[str, ...], scale: float = 1.0) -> None:
        self.names, self.scale = names, np.float32(scale)
        self.asked: list[tuple[Any, Any]] = []

    def attention(self, x: Any, y: Any) -> Attention:
        self.asked.append((x, y))
        bright = [np.clip(patch[c - 1], 0.05, 0.95) for patch, c in zip(x, y, strict=True)]
        maps = tuple(
            self.scale * np.stack([1 - b, b / 2, b / 2]).astype(np.float32) for b in bright
        )
        return Attention(tuple(("the", self.names[c - 1], "x" * c) for c in y), maps)


@pytest.fixture(scope="module")
def coded(toy: Scene) -> Scene:
    """The toy scene with a band per class that is bright just there."""
    cube = np.stack([toy.labels == c for c in toy.class_ids], axis=2).astype(np.float32)
    return replace(toy, cube=cube + 0.01 * toy.cube[..., :5], wavelengths=None)


def test_attention_to_the_class_is_told_from_what_it_is_compared_with(make, coded, tmp_path):
    attentive = Attentive(coded.class_names)
    made = replace(make(scene=coded), fitted=attentive)  # type: ignore[arg-type]
    report = look_at_attention(made)
    scores = score_maps(report, made)
    auc = {name: score and score.auc for name, score in scores.items()}

    assert auc["class"] == pytest.approx(1) and auc["elsewhere"] < 0.9 and auc["spectra"] > 0.9
    ((x, y),) = attentive.asked
    assert ((x > 0.5).any(axis=(2, 3)).sum(axis=1) >= 2).all() and set(y.tolist()) == set(
        coded.class_ids
    )

    assert scores.keys() == LABELS.keys() and scores["class"] and scores["class"].n == len(x)
    assert {patch.class_id for patch in report.shown} == set(coded.class_ids)
    (path,) = save_figures({"attention": draw_attention(report, made)}, tmp_path)
    with Image.open(path) as image:
        assert image.width == 2160 and len(image.convert("RGB").getcolors(2**24) or []) > 20


def test_regions_of_generated_patches_are_where_an_oracle_sees_their_class(make, coded) -> None:
    made = make(scene=coded)
    oracle = Oracle.of(coded, made.split)
    assert oracle.right > 0.95
    x = np.zeros((3, coded.bands, 3, 3), dtype=np.float32)
    x[:, 0] = 1  # the first class everywhere
    x[1:, :, 0] = np.eye(coded.bands, dtype=np.float32)[1][:, None]  # a row of the second
    shown = generated_patches(x, np.array([1, 1, 2]), oracle)

    # A patch of one class has no layout, and one whose centre is another class is none of its own.
    assert shown.y.tolist() == [1]
    assert (shown.region[0] == [[0, 0, 0], [1, 1, 1], [1, 1, 1]]).all()
    assert oracle.auc(x[:, :, 1, 1], np.array([1, 1, 2])) == pytest.approx(0.5)


@pytest.mark.parametrize("scale", [2.0, np.nan])
def test_maps_that_break_the_contract_are_refused(make: Make, coded: Scene, scale: float) -> None:
    broken: Any = Attentive(coded.class_names, scale)
    with pytest.raises(PluginError, match="sum to 1"):
        look_at_attention(replace(make(scene=coded), fitted=broken))


def test_a_generator_without_attention_or_patches_is_refused(make: Make) -> None:
    with pytest.raises(InputError, match="generators that read text"):
        make("smote", attention=True)  # before any fit
    with pytest.raises(InputError, match="generators that read text"):
        look_at_attention(make("smote"))
    single: Any = Attentive(("a",) * 9)
    with pytest.raises(InputError, match="two trained classes"):
        look_at_attention(replace(make("smote", patch=1), fitted=single))
