"""Splits of the dense tasks: tiles by place or by block, no pixel on both sides, every test pixel
scored once.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.base.errors import InputError, SceneError, SplitError
from hsiaug.core.pairs import PairSet, Place
from hsiaug.core.scene import array_checksum
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import TileSplit, cover, dense_view, draw_tiles


def place(
    name: str, height: int, width: int, part: str = "any", seed: int = 0, dates: int = 1
) -> Place:
    rng = np.random.default_rng(seed)
    images = rng.random((dates, 4, height, width)).astype(np.float32)
    return Place(name, images, rng.integers(0, 4, size=(height, width)).astype(np.int16), part)


def scene(height: int = 60, width: int = 70) -> PairSet:
    return PairSet("field", (place("field", height, width),), ("a", "b", "c"), draws="field")


def cities() -> PairSet:
    parts = [("x", "train"), ("y", "train"), ("z", "test")]
    return PairSet(
        "cities",
        tuple(place(n, 40, 50, part, i) for i, (n, part) in enumerate(parts)),
        ("a", "b", "c"),
    )


def pixels_of_tiles(split: TileSplit, tiles: tuple[tuple[int, int, int], ...]) -> list[np.ndarray]:
    masks = [np.zeros(p.mask.shape, dtype=int) for p in split.pairs.places]
    for where, row, column in tiles:
        masks[where][row : row + split.patch, column : column + split.patch] += 1
    return masks


@settings(max_examples=25, deadline=None)
@given(
    st.integers(50, 90),
    st.integers(50, 90),
    st.sampled_from([16, 17, 20]),
    st.integers(20, 40),
    st.integers(0, 99),
)
def test_blocks_keep_training_tiles_off_test_tiles(height, width, tile, block, seed):
    try:
        split = draw_tiles(scene(height, width), parse_protocol(f"blocks:{block}"), seed, tile)
    except SplitError:
        return
    train, test = (pixels_of_tiles(split, tiles)[0] > 0 for tiles in (split.train, split.test))
    rows, columns = np.nonzero(train)
    near = np.zeros_like(train)
    guard = -(-tile // 4)
    for r, c in zip(rows, columns, strict=True):
        near[max(0, r - guard) : r + guard + 1, max(0, c - guard) : c + guard + 1] = True
    assert not (near & test).any()
    assert split.audit.centre_overlap_percent == 0 and not split.audit.leaky


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(2, 5), st.integers(8, 16), st.integers(8, 16))
def test_test_tiles_lie_inside_and_cover_all_that_a_tile_can_cover(seed, side, height, width):
    rng = np.random.default_rng(seed)
    mask = np.ones((height, width), dtype=bool)
    for row, column in rng.integers(0, [height, width], size=(3, 2)):
        mask[row : row + 3, column : column + 3] = False
    found, possible = np.zeros_like(mask), np.zeros_like(mask)
    for row, column in cover(mask, side):
        found[row : row + side, column : column + side] = True
    for row, column in np.ndindex(height - side + 1, width - side + 1):
        tile = np.s_[row : row + side, column : column + side]
        possible[tile] |= mask[tile].all()
    assert (found == possible).all()


def test_draws_of_pairs_are_seeded_with_the_checksum_of_their_masks_as_one_flat_array() -> None:
    pairs = cities()
    flat = np.concatenate([place.mask.ravel() for place in pairs.places])
    assert pairs.drawn_as == f"masks {array_checksum(flat, '<i2')[:16]}"
    assert pairs.drawn_as == "masks d7fd3b6efb57a82f", "all draws of such a set depend on it"


def test_draws_of_blocks_cut_a_small_scene_in_different_places() -> None:
    draws = [draw_tiles(scene(), parse_protocol("blocks:32"), seed, 16) for seed in (0, 0, 1, 2, 3)]
    assert draws[0].test == draws[1].test
    assert len({draw.audit.sha256 for draw in draws}) == 4
    for draw in draws:
        assert 0.2 < draw.tested[0].mean() < 0.8


def test_the_drawn_blocks_show_a_class_on_both_sides_by_more_than_a_few_pixels() -> None:
    field = place("field", 128, 128)
    mask = np.ones((128, 128), dtype=np.int16)
    mask[:64, :64] = mask[64:, 64:] = (
        2  # two squares on the diagonal: one for training, one for test
    )
    mask[40, 100] = 2  # a stray pixel does not stand for the class
    pairs = PairSet("field", (Place("field", field.images, mask),), ("a", "b"))
    for seed in range(5):
        audit = draw_tiles(pairs, parse_protocol("blocks:64", "none"), seed, 16).audit
        assert min(audit.train_counts) >= 100 and min(audit.test_counts) >= 100


def test_few_tiles_can_be_asked_for_and_differ_between_draws() -> None:
    draws = [draw_tiles(cities(), parse_protocol("places:7"), seed, 16) for seed in (0, 0, 1)]
    assert [len(d.train) for d in draws] == [7, 7, 7]
    assert draws[0].train == draws[1].train != draws[2].train
    assert draws[0].test == draws[2].test
    assert draws[0].audit.sha256 == draws[1].audit.sha256 != draws[2].audit.sha256


def test_the_stride_shrinks_where_tiles_are_few() -> None:
    big = PairSet(
        "big", (place("a", 200, 200, "train"), place("b", 40, 40, "test")), ("a", "b", "c")
    )
    assert draw_tiles(big, parse_protocol("places"), 0, 16).stride == 8
    assert draw_tiles(cities(), parse_protocol("places"), 0, 16).stride < 8


def test_the_view_holds_the_training_tiles_and_nothing_of_the_scene() -> None:
    pairs = cities()
    split = draw_tiles(pairs, parse_protocol("places:3"), 0, 16)
    view = dense_view(pairs, split)
    where, row, column = split.train[1]
    assert view.real.images.shape == (3, 1, 4, 16, 16) and view.patch == 16
    np.testing.assert_array_equal(
        view.real.images[1], pairs.places[where].images[..., row : row + 16, column : column + 16]
    )
    assert not any(np.shares_memory(view.real.images, p.images) for p in pairs.places)
    assert 0 not in view.counts and sum(view.counts.values()) == int((view.real.masks > 0).sum())


def test_audit_counts_labelled_pixels_once_and_names_lost_classes() -> None:
    pairs = cities()
    pairs.places[2].mask.flags.writeable = True
    pairs.places[2].mask[pairs.places[2].mask == 2] = 0
    audit = draw_tiles(pairs, parse_protocol("places"), 0, 16).audit
    assert audit.lost_classes == (2,)
    assert audit.n_train + audit.n_test + audit.n_buffered == sum(
        int((p.mask > 0).sum()) for p in pairs.places
    )


@pytest.mark.parametrize(
    ("protocol", "tile", "error", "message"),
    [
        ("issd", 16, InputError, "places, places:N or blocks:B"),
        ("blocks:30", 61, InputError, "fit into field's 60"),
        ("blocks:30", 15, InputError, "16 pixels or more"),
        ("places", 16, InputError, "does not name"),
        ("blocks:20", 40, SplitError, "leaves no"),
        ("blocks:30x9999", 16, SplitError, "needs 9999 training tiles"),
    ],
)
def test_what_cannot_be_split_is_refused(
    protocol: str, tile: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        draw_tiles(scene(), parse_protocol(protocol), 0, tile)


def test_a_draw_without_a_labelled_pixel_to_train_on_is_refused() -> None:
    x, y, z = cities().places
    blank = tuple(replace(place, mask=np.zeros_like(place.mask)) for place in (x, y))
    pairs = PairSet("cities", (*blank, z), ("a", "b", "c"))

    with pytest.raises(SplitError, match=r"must draw a training tile .* with a labelled pixel"):
        _ = draw_tiles(pairs, parse_protocol("places"), 0, 16).audit


def test_pairs_that_do_not_fit_are_refused() -> None:
    good = place("a", 20, 20)
    with pytest.raises(SceneError, match="the mask their size"):
        PairSet("x", (Place("a", good.images, good.mask[:10]),), ("a", "b", "c"))
    with pytest.raises(SceneError, match="finite"):
        PairSet("x", (Place("a", np.full_like(good.images, np.nan), good.mask),), ("a", "b", "c"))
    with pytest.raises(SceneError, match=r"0\.\.2"):
        PairSet("x", (good,), ("a", "b"))


@pytest.mark.parametrize("outer", ["blocks:24", "blocks:24@3"])
@pytest.mark.parametrize("seed", [0, 1, 100])
def test_nested_tiles_stay_inside_the_training_tiles_of_the_outer_draw(
    outer: str, seed: int
) -> None:
    toy = PairSet.of(toy_scene())
    text, _, number = outer.partition("@")
    whole = draw_tiles(toy, parse_protocol(text), int(number or 0), 16).trained
    inner = draw_tiles(toy, parse_protocol(f"within:{outer}"), seed, 16)

    assert inner.train and inner.test and inner.shared == 0
    for inside, train, test in zip(whole, inner.trained, inner.tested, strict=True):
        assert not ((train | test) & ~inside).any()


def test_labels_outside_the_outer_training_tiles_change_no_nested_draw() -> None:
    data = cities()
    test = data.places[2]
    other = replace(data, places=(*data.places[:2], replace(test, mask=np.ones_like(test.mask))))
    drawn = [draw_tiles(one, parse_protocol("within:places"), 5, 16) for one in (data, other)]

    assert (drawn[0].train, drawn[0].test) == (drawn[1].train, drawn[1].test)
    assert {where for where, _, _ in (*drawn[0].train, *drawn[0].test)} <= {0, 1}


def test_everything_may_be_divided() -> None:
    split = draw_tiles(cities(), parse_protocol("within:all"), 0, 16)
    assert split.train and split.test and split.shared == 0


def test_an_overlap_behind_the_number_sets_the_stride_of_training_tiles() -> None:
    pairs = cities()
    patch = 16
    split = draw_tiles(pairs, parse_protocol("places:@0.75"), 0, patch)
    assert split.stride == 4
    assert {row % 4 for _, row, _ in split.train} == {0}
    usual = draw_tiles(pairs, parse_protocol("places"), 0, patch)
    assert split.test == usual.test
    some = draw_tiles(pairs, parse_protocol("places:5@0.75"), 0, patch)
    assert len(some.train) == 5 and set(some.train) <= set(split.train)
    assert all(row % patch == column % patch == 0 for _, row, column in some.fold)
    assert parse_protocol("places:5@0.75").text == "places:5@0.75"
    for wrong in ("places:5@1", "places:@", "places:5@x", "places:0@0.5"):
        with pytest.raises(InputError, match="places:N@OVERLAP"):
            parse_protocol(wrong)
