"""Layout of patches: what neighbours share, where edges are, and whether a classifier tells two
sets apart.
"""

import json
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.layout_damages import add_noise, blur, copies, move_masks, next_class
from hsiaug.metrics.image_damages import shuffle_blocks, shuffle_pixels
from hsiaug.metrics.layout import edge_share, edge_threshold, neighbour_correlation, variogram
from hsiaug.metrics.layout_measures import JUDGES
from hsiaug.metrics.layout_network import network_judge
from hsiaug.metrics.measures import Measure, Measures
from hsiaug.metrics.patch_layout import KnownPatches, patch_layout
from hsiaug.metrics.spatial_folds import FOLDS, HALVES, Side, spatial_cells
from hsiaug.metrics.two_sample import forest_judge, match_folds, two_sample_auc
from hsiaug.protocol.view import patches_at
from hsiaug.report.formatting import layout_row
from tests.metrics.test_layout_battery import fields

Maps = NDArray[np.float32]


@pytest.fixture
def maps(rng: np.random.Generator) -> Maps:
    """Ramps along rows, whose columns are equal, each patch at a level of its own."""
    ramp = np.broadcast_to(np.arange(6.0), (40, 2, 6, 6))
    return (ramp + rng.normal(0, 20, (40, 1, 1, 1))).astype(np.float32)


def test_neighbours_of_all_patches_are_correlated_as_one_list_of_pairs(
    rng: np.random.Generator,
) -> None:
    x = rng.normal(size=(5, 2, 4, 3))
    first = np.concatenate([x[:, 1, :, :-1].ravel(), x[:, 1, :-1].ravel()])
    second = np.concatenate([x[:, 1, :, 1:].ravel(), x[:, 1, 1:].ravel()])

    assert neighbour_correlation(x)[1] == pytest.approx(np.corrcoef(first, second)[0, 1])


def test_levels_of_patches_hide_that_pixels_are_shuffled_unless_they_are_taken_out(
    maps: Maps, rng: np.random.Generator
) -> None:
    shuffled = shuffle_pixels(maps, 1.0, rng)

    assert neighbour_correlation(shuffled).min() > 0.95
    assert neighbour_correlation(shuffled, within=True) == pytest.approx([0, 0], abs=0.1)
    assert neighbour_correlation(maps, within=True).min() > 0.8
    assert np.isnan(neighbour_correlation(np.ones((2, 1, 3, 3)))).all()


def test_the_variogram_of_a_ramp_grows_with_the_square_of_the_lag(maps: Maps) -> None:
    # Half of the pairs lie along the ramp.
    assert variogram(maps, (1, 2, 4)) == pytest.approx(np.outer([1, 4, 16], [0.25, 0.25]), rel=1e-4)


def test_one_real_pixel_in_ten_is_an_edge(rng: np.random.Generator) -> None:
    real = rng.normal(size=(200, 3, 9, 9))
    threshold = edge_threshold(real)

    assert edge_share(real, threshold) == pytest.approx(0.1, abs=0.001)
    assert edge_share(blur(real, 1.0), threshold) < 0.01 < 0.3 < edge_share(2 * real, threshold)


def test_damage_moves_whole_spectra_and_changes_nothing_in_place(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4, 8, 8)).astype(np.float32)
    before = x.copy()
    for worse in (shuffle_pixels(x, 0.5, rng), shuffle_blocks(x, 4, 1.0, rng)):
        assert np.sort(worse, axis=None).tolist() == np.sort(x, axis=None).tolist()
        assert {tuple(s) for s in worse[0].reshape(4, -1).T} == {
            tuple(s) for s in x[0].reshape(4, -1).T
        }
    assert (shuffle_pixels(x, 0.0, rng) == x).all() and (x == before).all()
    assert add_noise(x, 0.1, rng).dtype == x.dtype
    masks = np.arange(16).reshape(1, 4, 4)
    assert move_masks(masks, 2)[0, 2:, 2:].tolist() == masks[0, :2, :2].tolist()
    assert (copies(10, 3, 0.5, rng) >= 0).sum() == 5


def test_the_next_class_lends_its_mean_and_not_its_texture(rng: np.random.Generator) -> None:
    y = np.repeat([1, 2], 20)
    x = (rng.normal(size=(40, 2, 3, 3)) + 10 * y[:, None, None, None]).astype(np.float32)
    moved = next_class(x, y, [1, 2], 1.0, rng)

    assert moved[:20].mean() == pytest.approx(x[20:].mean(), abs=1e-3)
    assert moved[:20].std() == pytest.approx(x[:20].std(), rel=1e-3)


def test_patches_of_different_folds_or_halves_share_no_pixel(rng: np.random.Generator) -> None:
    at = np.column_stack([np.zeros(3000, dtype=int), rng.integers(0, 90, (3000, 2))])
    y = rng.integers(1, 4, 3000)
    cells = spatial_cells(at, y, 5, rng)

    assert cells is not None
    owner = np.full((100, 100), -1)
    for row, cell in zip(cells.rows, cells.fold * HALVES + cells.half, strict=True):
        window = owner[at[row, 1] : at[row, 1] + 5, at[row, 2] : at[row, 2] + 5]
        assert set(np.unique(window)) <= {-1, cell}
        window[:] = cell
    shares = np.bincount(cells.fold * HALVES + cells.half) / len(cells)
    assert len(shares) == FOLDS * HALVES and shares.min() > 0.08
    assert spatial_cells(at[:50] // 30, y[:50], 5, rng) is None


def side(rng: np.random.Generator, n: int) -> Side:
    y, fold, block = rng.integers(1, 3, n), rng.integers(0, FOLDS, n), rng.integers(0, 9, n)
    return Side(np.arange(n), y, block, fold, half=block % HALVES)


def test_folds_hold_as_many_of_each_class_on_both_sides(rng: np.random.Generator) -> None:
    first, second = match_folds([side(rng, 200), side(rng, 90)], rng, 60)

    assert len(first) == len(second) <= 60
    for k in range(FOLDS):
        counts = [
            np.bincount(one.y[one.fold == k], minlength=3).tolist() for one in (first, second)
        ]
        assert counts[0] == counts[1]


@pytest.mark.parametrize("judge", [forest_judge, network_judge])
def test_noise_is_told_from_ramps_and_ramps_are_not_told_from_ramps(
    judge, rng, monkeypatch
) -> None:
    monkeypatch.setattr("hsiaug.metrics.two_sample.TREES", 30)
    monkeypatch.setattr("hsiaug.metrics.layout_network.STEPS", 25)
    sides = side(rng, 90), side(rng, 90)
    ramps, others = (
        rng.normal(size=(90, 1, 1, 1)) + np.arange(5.0) + rng.normal(0, 0.1, (90, 2, 5, 5))
        for _ in "ab"
    )
    shuffled = shuffle_pixels(others, 1.0, rng)
    read = (lambda x: x.reshape(90, -1)) if judge is forest_judge else (lambda x: x)
    alike, told = (two_sample_auc(sides, (read(ramps), read(x)), judge) for x in (others, shuffled))
    again = two_sample_auc(sides, (read(ramps), read(shuffled)), judge)

    assert alike is not None and told is not None and again == told
    assert alike.auc == pytest.approx(0.5, abs=0.2) and told.auc > 0.85
    assert told.interval[0] <= told.auc <= told.interval[1] <= 1 and told.n == 90


def test_too_few_samples_give_no_auc(rng: np.random.Generator) -> None:
    assert (
        two_sample_auc(
            (side(rng, 9), side(rng, 9)), (np.zeros((9, 1)), np.zeros((9, 1))), forest_judge
        )
        is None
    )


@pytest.fixture(scope="module")
def compared() -> dict[str, Measures]:
    """Real patches, and the same with shuffled pixels, in place of made ones."""
    cube, labels = fields()
    rng = np.random.default_rng(3)
    at = rng.integers(4, len(cube) - 4, (3000, 2))
    train, held, made = (
        KnownPatches(part, labels[tuple(part.T)]) for part in np.split(at, [100, 2700])
    )
    cut = partial(patches_at, cube, patch=9)
    x = cut(made.at)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hsiaug.metrics.two_sample.TREES", 20)
        patched.setattr("hsiaug.metrics.patch_layout.TESTED", 120)
        forest = {"told_by_forest": JUDGES["told_by_forest"]}
        sets = {"real": x, "shuffled": shuffle_pixels(x, 1.0, rng)}
        return {
            name: patch_layout(cut, train, held, part, made.y, judges=forest)
            for name, part in sets.items()
        }


def test_real_patches_lie_at_the_held_out_ones_and_shuffled_ones_at_the_shuffled(
    compared: dict[str, Measures],
) -> None:
    real, shuffled = compared["real"], compared["shuffled"]

    assert (real["told_by_forest"].value or 0) < 70 < 95 < (shuffled["told_by_forest"].value or 0)
    assert (real["told_by_forest"].beside["shuffled"] or 0) > 95
    for name in ("within_1", "within_2", "variogram_1", "elsewhere"):
        row = real[name]
        assert row.value == pytest.approx(row.beside["held_out"], rel=0.1)
        assert shuffled[name].value == pytest.approx(row.beside["shuffled"], rel=0.1, abs=0.03)
    json.dumps(real.as_json(), allow_nan=False)


def test_what_has_no_layout_is_said() -> None:
    none = np.empty((0, 2), dtype=np.int64)
    known = KnownPatches(none, np.empty(0, dtype=np.int64))
    single = patch_layout(
        lambda at: np.zeros((len(at), 3, 1, 1)),
        known,
        known,
        np.zeros((4, 3, 1, 1)),
        np.ones(4, dtype=int),
    )

    assert single.measures == () and single.notes == ("patches of one pixel have no layout",)


def test_an_auc_below_chance_is_printed_as_chance() -> None:
    beside = {"interval": (31.0, 52.0), "held_out": 47.0, "training": None, "shuffled": 99.8}
    row = Measure("told_by_forest", "told", 38.2, beside, 60, "%", "50 %")

    assert layout_row(row)[1:6] == ("50", "50–52", "50", "–", "99.8")
    assert row.value == 38.2
