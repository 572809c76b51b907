"""Splits: what each protocol promises, and that a split raises rather than leak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_cdt

from hsiaug.base.errors import InputError, SplitError
from hsiaug.core.fields import dilate
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split

TOY = toy_scene()
PROTOCOLS = [
    "issd",
    "issd:0.1",
    "kshot:3",
    "kshot:3-6x2",
    "blocks:6",
    "random:0.1",
    "random-twin:kshot:3",
]


def scene_of(labels: np.ndarray, names: int) -> Scene:
    cube = np.ones((*labels.shape, 3), dtype=np.float32)
    return Scene(
        "made", cube, labels.astype(np.int16), tuple(f"class {i}" for i in range(1, names + 1))
    )


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PROTOCOLS), st.integers(0, 50), st.sampled_from([1, 3, 5, 9]))
def test_train_and_test_are_disjoint_labelled_and_audited(text: str, seed: int, patch: int) -> None:
    split = draw_split(TOY, parse_protocol(text), seed, patch)

    assert not (split.train & split.test).any()
    assert (TOY.labels[split.train] > 0).all() and (TOY.labels[split.test] > 0).all()
    audit = split.audit
    assert audit.n_train + audit.n_test + audit.n_buffered == int((TOY.labels > 0).sum())
    assert sum(audit.train_counts) == audit.n_train and sum(audit.test_counts) == audit.n_test
    assert audit.untrained_classes == ()


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["issd", "kshot:3", "blocks:6"]), st.integers(0, 50), st.sampled_from([3, 5, 9])
)
def test_the_centre_buffer_keeps_test_pixels_out_of_training_patches(
    text: str, seed: int, patch: int
) -> None:
    split = draw_split(TOY, parse_protocol(text), seed, patch)

    in_training_patches = dilate(split.train, patch // 2)
    assert not (in_training_patches & split.test).any()
    assert split.audit.centre_overlap_percent == 0
    assert not split.audit.leaky


def test_the_patch_buffer_keeps_test_patches_clear_of_training_patches() -> None:
    split = draw_split(TOY, parse_protocol("issd", "patch"), 0, 5)

    train_patches, test_patches = dilate(split.train, 2), dilate(split.test, 2)
    assert not (train_patches & test_patches).any()
    assert split.audit.patch_overlap_percent == 0


@pytest.mark.parametrize("text", ["kshot:9999", "kshot:5-9999"])
def test_more_pixels_than_any_class_has_are_refused(text: str) -> None:
    with pytest.raises(
        SplitError, match=r"a class of more than 9999 labelled pixels.*found 967 in the largest"
    ):
        draw_split(TOY, parse_protocol(text), 0, 1)


@pytest.mark.parametrize("text", PROTOCOLS)
def test_a_draw_is_the_same_every_time_and_another_seed_is_another_draw(text: str) -> None:
    hashes = [draw_split(TOY, parse_protocol(text), seed, 5).audit.sha256 for seed in (0, 0, 1)]

    assert hashes[0] == hashes[1] != hashes[2]


def test_random_draws_are_tagged_leaky_whatever_they_measure() -> None:
    assert draw_split(TOY, parse_protocol("random:0.1"), 0, 1).audit.leaky
    assert draw_split(TOY, parse_protocol("random-twin:issd"), 0, 1).audit.leaky


def test_no_buffer_where_clumps_touch_test_pixels_is_leaky() -> None:
    audit = draw_split(TOY, parse_protocol("issd", "none"), 0, 9).audit

    assert audit.leaky and audit.centre_overlap_percent > 0


def test_a_twin_has_the_counts_of_its_protocol_and_none_of_its_distance() -> None:
    protocol, twin = parse_protocol("issd"), parse_protocol("random-twin:issd")
    for seed in range(3):
        original, random = draw_split(TOY, protocol, seed, 9), draw_split(TOY, twin, seed, 9)
        assert random.audit.train_counts == original.audit.train_counts
        assert random.audit.centre_overlap_percent > original.audit.centre_overlap_percent


def test_kshot_gives_k_of_each_class_and_caps_small_ones() -> None:
    split = draw_split(TOY, parse_protocol("kshot:8"), 0, 3)

    for total, train in zip(TOY.class_counts, split.audit.train_counts, strict=True):
        assert train == 8 if total >= 60 else train <= max(1, total // 4)


def test_kshot_from_the_rarest_class_to_the_largest_is_as_unequal_as_it_says() -> None:
    labels = np.zeros((90, 60), dtype=int)
    labels[:50], labels[60:75, :40], labels[80:, :10] = 1, 2, 3
    scene = scene_of(labels, 3)
    counts = draw_split(scene, parse_protocol("kshot:5-50"), 0, 3).audit.train_counts

    assert (counts[0], counts[2]) == (50, 5) and 5 < counts[1] < 50
    assert parse_protocol("kshot:05-5x1") == parse_protocol("kshot:5")
    assert parse_protocol("kshot:5-50x2").label == "kshot:5-50x2"


def test_one_class_pixel_is_refused_with_the_class_and_the_mend() -> None:
    labels = np.zeros((20, 20), dtype=int)
    labels[:8, :8], labels[12:, 12:], labels[0, 19] = 1, 2, 3

    with pytest.raises(SplitError, match=r"class 3.*labels\.ignore"):
        draw_split(scene_of(labels, 3), parse_protocol("issd"), 0, 3)


def test_a_small_class_keeps_fewer_training_pixels_so_that_some_remain_for_test() -> None:
    labels = np.zeros((30, 30), dtype=int)
    labels[:10, :], labels[20, 0:8], labels[25:, 15:] = 1, 2, 3
    split = draw_split(scene_of(labels, 3), parse_protocol("issd:0.5"), 0, 9)

    assert split.audit.test_counts[1] >= 3
    assert split.audit.train_counts[1] < 4
    (note,) = (note for note in split.audit.notes if "class 2 keeps" in note)
    assert note.endswith("training pixels, so that at least 3 of each class remain for test")


@pytest.mark.parametrize(
    ("columns", "kept", "largest"), [(slice(5, 8), 2, 3), (slice(5, 58, 6), 1, 1)]
)
def test_a_class_of_small_areas_keeps_a_pixel_of_one_out_or_one_and_says_why(
    columns: slice, kept: int, largest: int
) -> None:
    labels = np.zeros((60, 60), dtype=np.int16)
    labels[:20] = 1
    labels[30:58:6, columns] = 2
    split = draw_split(scene_of(labels, 2), parse_protocol("kshot:3"), 0, 3)

    assert split.audit.notes == (
        f"class 2 keeps {kept} of 3 training pixels, as its largest area of adjacent pixels has "
        f"{largest}",
    )


def test_lost_and_thin_classes_are_named() -> None:
    labels = np.zeros((30, 30), dtype=int)
    labels[:10, :], labels[25, 20:24] = 1, 2
    audit = draw_split(scene_of(labels, 2), parse_protocol("issd"), 0, 9).audit

    assert audit.lost_classes == (2,)
    thin = draw_split(scene_of(labels, 2), parse_protocol("issd"), 0, 1).audit
    assert thin.thin_classes == (2,) and thin.test_counts[1] < 25


def masks(train: np.ndarray, test: np.ndarray) -> Split:
    labels = np.ones((4, 4), dtype=np.int16)
    labels[0] = 0
    return Split(labels, 1, train, test, parse_protocol("issd"), 3, 0)


def test_a_split_refuses_shared_pixels_empty_sides_and_missing_labels() -> None:
    none = np.zeros((4, 4), dtype=bool)
    one, other, background = none.copy(), none.copy(), none.copy()
    one[1, 1], other[3, 3], background[0, 0] = True, True, True

    assert masks(one, other).audit.n_test == 1
    with pytest.raises(SplitError, match="share a pixel"):
        masks(one, one | other)
    with pytest.raises(SplitError, match="no test pixel"):
        masks(one, none)
    with pytest.raises(SplitError, match="every test pixel must be labelled"):
        masks(one, background)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("isd", "Did you mean issd"),
        ("kshot:x", "kshot needs a whole number"),
        ("kshot", "kshot needs a whole number"),
        ("kshot:9-3", "from the rarest class up"),
        ("kshot:9x", "kshot needs a whole number"),
        ("random:2", "ratio between 0 and 1"),
        ("random:nan", "ratio between 0 and 1"),
        ("blocks:0", "whole number"),
        ("blocks:24x", "whole number"),
        ("blocks:24x0", "whole number"),
        ("random-twin:oops", "must name a protocol"),
        ("fixed:nowhere.mat", "needs a file of masks"),
        ("within", "must name a protocol"),
        ("within:isd", "Did you mean issd"),
        ("within:within:issd", "not nested"),
        ("random-twin:places", "not nested"),
        ("random-twin:within:issd", "not nested"),
        ("within:fixed:nowhere.npy", "needs a file of masks"),
    ],
)
def test_protocols_that_are_not_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_protocol(text)


@pytest.mark.parametrize("patch", [0, 2, 99])
def test_patches_must_be_odd_and_fit_the_scene(patch: int) -> None:
    with pytest.raises(InputError, match="odd number"):
        draw_split(TOY, parse_protocol("issd"), 0, patch)


def test_harder_nested_draws_train_on_fewer_pixels_that_lie_farther_away(toy: Scene) -> None:
    easy, hard = (
        draw_split(toy, parse_protocol(text), 0, 5) for text in ("within:all", "within:4:all")
    )
    assert hard.audit.n_train < easy.audit.n_train
    for c in range(1, len(toy.class_names) + 1):
        near, far = (
            distance_transform_cdt(~(split.train & (toy.labels == c)), metric="chessboard")[
                split.test & (toy.labels == c)
            ].mean()
            for split in (easy, hard)
        )
        assert far > near
    assert parse_protocol("within:4:issd@3").text == "within:4:issd:0.05@3"
