"""Automatic texts: what a view shows round the labels of each class."""

from dataclasses import replace

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug_builtin.text import prompts_of

NM = np.array([450.0, 560, 665, 842, 1600])
NAMES = ("Corn", "Trees", "Hay", "Stone")
PLACES = {
    1: (slice(4, 8), slice(4, 8)),
    2: (slice(10, 13), slice(4, 8)),
    3: (slice(6, 7), slice(20, 22)),
    4: (slice(50, 54), slice(50, 54)),
}
"""Rows and columns of the labels: trees lie below the corn, hay to the right, stone at the other
end.
"""
SPECTRA = {
    1: (0.1, 0.1, 0.1, 0.3, 0.2),
    2: (0.05, 0.05, 0.02, 0.3, 0.1),
    4: (0.8, 0.8, 0.8, 0.6, 0.8),
}


@pytest.fixture(scope="module")
def laid_out() -> TrainView:
    """Four classes in known places, all of whose labels train; other ground is grey."""
    cube = np.full((60, 60, 5), 0.3, dtype=np.float32)
    cube += np.random.default_rng(0).normal(0, 0.01, cube.shape).astype(np.float32)
    labels = np.zeros((60, 60), dtype=np.int64)
    for c, place in PLACES.items():
        labels[place] = c
        cube[place] += np.float32(SPECTRA.get(c, (0.3,) * 5)) - np.float32(0.3)
    coords = np.argwhere(labels).astype(np.int32)
    like = train_view(toy_scene(), draw_split(toy_scene(), parse_protocol("issd"), 0, 3), "scene")
    return replace(
        like,
        cube=cube,
        visible=np.ones((60, 60), dtype=bool),
        coords=coords,
        y=labels[coords[:, 0], coords[:, 1]],
        unlabelled=np.argwhere(labels == 0).astype(np.int32),
        class_names=NAMES,
        wavelengths=NM,
        patch=3,
        descriptions={},
    )


def auto(view: TrainView, c: int) -> tuple[str, ...]:
    return tuple(
        text.removeprefix("a hyperspectral image of ") for text in prompts_of(view, "auto")[c]
    )


def test_phrases_name_the_nearest_classes_and_a_far_one(laid_out: TrainView) -> None:
    relations = ("beside trees", "north of trees", "west of hay", "far from stone")
    assert auto(laid_out, 1)[1:] == tuple(f"corn {relation}" for relation in relations)


def test_it_says_where_the_labels_lie_and_how_they_look(laid_out: TrainView) -> None:
    assert auto(laid_out, 2)[0].endswith("dark green mixed trees in the north west")
    assert auto(laid_out, 4)[0].endswith("bright bare mixed stone in the south east")


def test_a_class_without_training_pixels_has_its_coarse_prompt(laid_out: TrainView) -> None:
    kept = laid_out.y != 3
    view = replace(laid_out, coords=laid_out.coords[kept], y=laid_out.y[kept])
    assert prompts_of(view, "auto")[3] == prompts_of(view, "coarse")[3]
    assert not any("hay" in text for c in (1, 2, 4) for text in auto(view, c))


@pytest.mark.parametrize("scope", ["none", "scene"])
@pytest.mark.parametrize("protocol", ["issd", "kshot:1", "random:0.05", "hidden:0.5:issd"])
def test_no_test_label_changes_them(protocol: str, scope: str) -> None:
    scene = toy_scene()
    split = draw_split(scene, parse_protocol(protocol), 0, 5)

    def phrases(of: Scene, drawn: Split) -> dict[int, tuple[str, ...]]:
        return prompts_of(train_view(of, drawn, scope), "auto")  # type: ignore[arg-type]

    shuffled = scene.labels.copy()
    test = np.argwhere(split.test)
    rows = np.random.default_rng(0).permutation(len(test))
    shuffled[tuple(test.T)] = shuffled[tuple(test[rows].T)]
    first = phrases(scene, split)
    assert phrases(replace(scene, labels=shuffled), split) == first == phrases(scene, split)
    assert all(len(own) > 1 for own in first.values())
