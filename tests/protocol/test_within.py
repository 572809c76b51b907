"""Nested draws: inner train and inner test, both inside the outer training pixels and nowhere
else.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hsiaug.base.errors import SplitError
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import draw_train, parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view

TOY = toy_scene()
NESTED = [
    "within:issd",
    "within:issd@3",
    "within:kshot:12",
    "within:blocks:6",
    "within:random:0.1",
    "within:all",
]


def outer_pixels(scene: Scene, text: str, patch: int) -> np.ndarray:
    """The outer training pixels, drawn as a benchmark of the outer protocol would."""
    if text == "within:all":
        return scene.labels > 0
    outer, _, draw = text.removeprefix("within:").partition("@")
    return draw_train(scene, parse_protocol(outer), patch, int(draw or 0)).train


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(NESTED), st.integers(0, 50), st.sampled_from([1, 5, 9]))
def test_no_pixel_outside_the_outer_training_pixels_is_trained_or_tested_on(text, seed, patch):
    split = draw_split(TOY, parse_protocol(text), seed, patch)
    outer = outer_pixels(TOY, text, patch)

    assert not (split.train & ~outer).any() and not (split.test & ~outer).any()
    assert not (split.train & split.test).any()


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NESTED), st.integers(0, 50))
def test_every_class_keeps_about_half_and_the_smallest_train_whole_and_are_listed(
    text: str, seed: int
) -> None:
    split = draw_split(TOY, parse_protocol(text), seed, 5)
    totals = np.bincount(TOY.labels[outer_pixels(TOY, text, 5)], minlength=6)[1:]

    for c, (total, train) in enumerate(zip(totals, split.audit.train_counts, strict=True), start=1):
        assert train == (total if total < 6 else (total + 1) // 2)
        assert (c in split.audit.lost_classes) == (total < 6)


def squares() -> Scene:
    """Two classes, each a square of 12×12 pixels."""
    labels = np.zeros((40, 40), dtype=np.int16)
    labels[2:14, 2:14], labels[25:37, 25:37] = 1, 2
    return Scene("squares", np.ones((40, 40, 3), dtype=np.float32), labels, ("a", "b"))


@pytest.mark.parametrize("seed", range(5))
def test_the_halves_of_a_clump_lie_on_two_sides_of_a_line(seed: int) -> None:
    split = draw_split(squares(), parse_protocol("within:all", "none"), seed, 9)

    for c in (1, 2):
        train, test = (
            np.argwhere(mask & (split.labels == c)) for mask in (split.train, split.test)
        )
        assert len(train) == len(test) == 72
        # A line a·x + b that is ≥ 1 on one side and ≤ −1 on the other exists.
        points = np.vstack([np.c_[train, np.ones(72)], -np.c_[test, np.ones(72)]])
        assert (
            linprog(np.zeros(3), A_ub=-points, b_ub=-np.ones(144), bounds=(None, None)).status == 0
        )


def test_the_buffer_is_kept_whole_where_the_clumps_are_large_enough() -> None:
    for buffer in ("centre", "patch"):
        audit = draw_split(squares(), parse_protocol("within:all", buffer), 0, 3).audit
        assert audit.centre_overlap_percent == 0 and not audit.leaky
        assert not any("narrower" in note for note in audit.notes)
        assert buffer == "centre" or audit.patch_overlap_percent == 0


def test_the_buffer_is_narrower_where_it_would_leave_a_class_too_few_test_pixels_and_it_is_said() -> (
    None
):
    small = draw_split(squares(), parse_protocol("within:all", "centre"), 0, 19).audit
    none = draw_split(squares(), parse_protocol("within:all", "none"), 0, 19).audit

    assert small.leaky and any("narrower" in note for note in small.notes)
    assert all(10 <= n < 72 for n in small.test_counts) and none.test_counts == (72, 72)


def test_the_labels_of_outer_test_pixels_change_nothing(tmp_path: Path) -> None:
    """Masks from a file, so that the outer draw itself does not depend on them either."""
    train = draw_train(TOY, parse_protocol("issd:0.1"), 5, 0).train
    np.save(tmp_path / "train.npy", train.astype(np.uint8))
    protocol = parse_protocol(f"within:fixed:{tmp_path / 'train.npy'}")
    labels = TOY.labels.copy()
    outside = (labels > 0) & ~train
    labels[outside] = np.random.default_rng(0).permutation(labels[outside])
    scrambled = replace(TOY, labels=labels)

    for seed in range(5):
        one, other = (draw_split(scene, protocol, seed, 5) for scene in (TOY, scrambled))
        assert (one.train == other.train).all() and (one.test == other.test).all()
        views = [train_view(scene, one, "scene") for scene in (TOY, scrambled)]
        assert (views[0].y == views[1].y).all() and (views[0].cube == views[1].cube).all()


def test_classes_that_cannot_be_judged_are_refused_when_fewer_than_two_are_left() -> None:
    with pytest.raises(SplitError, match="two classes with at least 6 training pixels"):
        draw_split(TOY, parse_protocol("within:kshot:5"), 0, 5)


def test_the_identity_of_nested_masks_does_not_depend_on_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for folder in (tmp_path, tmp_path / "elsewhere"):
        np.save(
            folder / "train.npy",
            draw_train(TOY, parse_protocol("issd:0.1"), 5, 0).train.astype(np.uint8),
        )
    here = parse_protocol(f"within:fixed:{tmp_path / 'train.npy'}@2")
    there = parse_protocol(f"within:fixed:{tmp_path / 'elsewhere' / 'train.npy'}@2")

    assert here == there and here.as_json() == there.as_json()
    assert here.label == "within:fixed:train.npy@2"
    assert parse_protocol(here.text) == here
