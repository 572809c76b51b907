"""``hsiaug_builtin.pairs`` and balanced copies: what is pasted comes from where it says, and labels
move with it.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.api import DenseSamples, DenseView, NoParams, PairCounts, PluginError
from hsiaug_builtin.baselines.controls import DuplicateBalanced
from hsiaug_builtin.pairs.connected_areas import components, cut, place
from hsiaug_builtin.pairs.paste import Paste, PasteParams

SIDE, TILES, BANDS = 16, 10, 3


def view(dates: int = 1, rare: int = 1) -> DenseView:
    """Tiles of ground (class 1) with a square of class 2; the first ``rare`` ones have a small
    square of class 3 too.

    Band 0 holds the number of the tile, band 1 the class, band 2 noise. Of two dates, the square
    appeared.
    """
    rng = np.random.default_rng(0)
    masks = np.ones((TILES, SIDE, SIDE), dtype=np.int64)
    masks[:, 3:8, 4:9] = 2
    if dates == 1:
        masks[:rare, 11:13, 11:13] = 3
    images = np.empty((TILES, dates, BANDS, SIDE, SIDE), dtype=np.float32)
    images[:, :, 0] = np.arange(TILES)[:, None, None, None]
    images[:, :, 1] = 1
    images[:, -1, 1] = masks
    images[:, :, 2] = rng.normal(1, 0.02, images[:, :, 2].shape)
    names = ("unchanged", "changed") if dates == 2 else ("ground", "square", "rare")
    return DenseView(DenseSamples.made(images, masks), names)


def made(plugin: Any, seen: DenseView, counts: PairCounts, seed: int = 0) -> DenseSamples:
    fitted = plugin.fit(seen, seed=0, device="cpu", progress=lambda *_: None)
    return fitted.sample(counts, guidance=None, seed=seed)


@pytest.mark.parametrize("reshaped", [0.0, 1.0])
def test_pixels_and_labels_of_a_component_move_together_and_the_ground_stays(
    reshaped: float,
) -> None:
    seen = view(rare=2)  # else the only tile of class 3 would give to itself
    # Five components of at most 25 pixels cover less than half of a tile.
    found = made(Paste(PasteParams(most=5, light=0, reshaped=reshaped)), seen, PairCounts(100))
    assert np.array_equal(found.images[:, 0, 1], found.masks)  # band 1 is the class, hard borders
    tiles = (
        found.images[:, 0, 0].reshape(100, -1).astype(int)
    )  # band 0 is the tile, and most pixels are of the ground
    homes = np.array([np.bincount(tile).argmax() for tile in tiles])
    assert sorted(np.bincount(homes, minlength=TILES)) == [10] * TILES
    untouched = found.images[:, 0, 0] == homes[:, None, None]
    real = seen.real.images[homes, 0]
    assert not (untouched[:, None] & (found.images[:, 0] != real)).any()
    assert (~untouched).any(axis=(1, 2)).mean() > 0.5


def test_the_outline_of_another_component_is_filled_with_spectra_that_vary() -> None:
    """Class 3 has a square of four pixels; those of class 2, of 25, give outlines and
    deviations.
    """
    seen = view()
    kept, other = (
        made(Paste(PasteParams(most=1, light=0, reshaped=share)), seen, PairCounts(40, {3: 40}))
        for share in (0, 1)
    )
    ground = seen.real.masks[0] == 3
    new = [((s.masks == 3) & ~ground).sum(axis=(1, 2)).max() for s in (kept, other)]
    assert new == [4, 25]
    assert len(np.unique(kept.images[:, 0, 2][kept.masks == 3])) == 4
    values = other.images[:, 0, 2][other.masks == 3]
    assert (
        len(np.unique(values)) > 100
        and 0.01 < values.std() < 0.05
        and abs(values.mean() - 1) < 0.05
    )


def test_a_rare_class_gains_share_and_is_counted() -> None:
    seen = view()
    found = made(Paste(PasteParams()), seen, PairCounts(60))
    before, after = ((s.masks == 3).any(axis=(1, 2)).mean() for s in (seen.real, found))
    assert before == 0.1 and after > 0.4
    assert found.provenance["class 3"] > 20
    assert (made(Paste(PasteParams(weight=0.5)), seen, PairCounts(6)).weight == 0.5).all()


def test_a_class_that_every_tile_shows_is_not_pasted_but_where_it_is_asked_for() -> None:
    """Class 2 has a seventh of the pixels, in every tile; class 3 four pixels, in half of the
    tiles.
    """
    seen = view(rare=TILES // 2)
    free = made(Paste(PasteParams(light=0)), seen, PairCounts(60)).provenance
    asked = made(Paste(PasteParams(light=0)), seen, PairCounts(20, {2: 20})).provenance
    assert "class 2" not in free and "class 1" not in free and free["class 3"] > 30
    assert asked["class 2"] == 20
    everywhere = made(Paste(PasteParams()), view(rare=TILES), PairCounts(20))
    assert not everywhere.provenance  # nothing is rare: the pairs are the real ones


def test_a_component_that_the_edge_cuts_stays_at_an_edge_and_others_stay_whole() -> None:
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[:4, 6:9] = True
    ids, spared = np.ones((SIDE, SIDE), np.int64), np.zeros((SIDE, SIDE), bool)
    for seed in range(30):
        at = place(cut(inside), np.ones(1, np.int64), ids, spared, np.random.default_rng(seed))
        assert at.shape == (2, 12) and ((at >= 0) & (at < SIDE)).all()
        assert (at == 0).any() or (at == SIDE - 1).any()


def test_what_lies_round_a_component_decides_where_it_is_set() -> None:
    """A component from ground of class 2 is set into the half of class 2."""
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[6:9, 6:9] = True
    ids = np.ones((SIDE, SIDE), dtype=np.int64)
    ids[8:] = 2
    around, spared, piece = np.full(40, 2), np.zeros((SIDE, SIDE), bool), cut(inside)
    rows = [
        place(piece, around, ids, spared, np.random.default_rng(seed))[0].mean()
        for seed in range(20)
    ]
    assert np.mean([row > 8 for row in rows]) > 0.9


MAKERS = [Paste(PasteParams()), DuplicateBalanced(NoParams())]


@pytest.mark.parametrize("plugin", MAKERS, ids=lambda plugin: plugin.card.name)
@settings(max_examples=10, deadline=None)
@given(
    total=st.integers(0, 12),
    asked=st.dictionaries(st.integers(1, 3), st.integers(0, 4)),
    seed=st.integers(0, 99),
)
def test_pairs_show_the_classes_that_they_are_asked_for_and_seeds_repeat(
    plugin, total, asked, seed
):
    counts = PairCounts(total + sum(asked.values()), asked)
    found, again = (made(plugin, view(), counts, seed) for _ in range(2))
    assert len(found) == counts.total
    for c, n in asked.items():
        assert (found.masks == c).any(axis=(1, 2)).sum() >= n
    assert np.array_equal(found.images, again.images) and np.array_equal(found.masks, again.masks)


def test_a_class_without_pixels_is_refused() -> None:
    plain = view(rare=0)
    for plugin in MAKERS:
        with pytest.raises(PluginError, match="class 3"):
            made(plugin, plain, PairCounts(2, {3: 2}))


def test_balanced_copies_are_real_pairs_drawn_equally_often_for_each_class() -> None:
    seen = view()
    found = made(DuplicateBalanced(NoParams()), seen, PairCounts(30))
    known = {image.tobytes() for image in seen.real.images}
    assert all(image.tobytes() in known for image in found.images)
    assert (found.masks == 3).any(axis=(1, 2)).sum() >= 10


def test_components_are_within_a_tile_and_touch_at_corners_where_asked() -> None:
    ids = np.zeros((2, 4, 4), dtype=np.int64)
    ids[:, 0, 0] = ids[:, 1, 1] = 2
    ids[0, 3, 3] = 1
    found = components(ids)
    assert found.tile.tolist() == [0, 0, 1] and found.kind.tolist() == [1, 2, 2]
    assert found.size.tolist() == [1, 2, 2]
    assert components(ids, corners=False).size.tolist() == [1, 1, 1, 1, 1]
