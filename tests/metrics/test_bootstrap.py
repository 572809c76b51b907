"""Intervals from resampled blocks: right where neighbours are alike, where single pixels are far too sure."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

from hsiaug.base.errors import InputError
from hsiaug.metrics.accuracy import dense_score, many_scores, score
from hsiaug.metrics.bootstrap import FEWEST_BLOCKS, BlockInterval, Pixels, block_bootstrap

OA, AA = many_scores("oa"), many_scores("aa")


def pixels_of(true: np.ndarray, a: np.ndarray, b: np.ndarray, classes: int = 2) -> Pixels:
    """All pixels of (H, W) maps of class ids."""
    row, column = (axis.ravel() for axis in np.indices(true.shape))
    return Pixels(row, column, true.ravel(), a.ravel(), b.ravel(), classes)


def wrong_where(wrong: np.ndarray) -> np.ndarray:
    """Predictions of a scene of class 1 only."""
    return np.where(wrong, 2, 1)


def patchy(rng: np.random.Generator, side: int = 96, width: float = 2) -> np.ndarray:
    """Standard normal at every pixel, and alike at neighbours over a few times ``width`` pixels."""
    field = gaussian_filter(rng.standard_normal((side, side)), width, mode="wrap")
    return field * (2 * width * math.sqrt(math.pi))


def test_blocks_cover_a_known_difference_of_patchy_errors_and_single_pixels_do_not() -> None:
    # A is wrong at 30 % of the pixels of the world, B at 25 %: B − A is 5 points, whatever a scene of it shows.
    rng = np.random.default_rng(0)
    truth, times = 0.05, 60
    covered = {"blocks": 0, "pixels": 0}
    for _ in range(times):
        common = patchy(rng)
        a, b = (wrong_where((common + patchy(rng)) / math.sqrt(2) > norm.isf(rate)) for rate in (0.30, 0.25))
        together = pixels_of(np.ones_like(a), a, b)
        # The same pixels, each at a place of its own: blocks of what does not belong together.
        order = rng.permutation(a.size)
        apart = replace(together, row=together.row[order], column=together.column[order])
        for name, pixels in (("blocks", together), ("pixels", apart)):
            found = block_bootstrap(pixels, OA, side=16, seed=1, resamples=200)
            covered[name] += found.low <= truth <= found.high
    assert covered["blocks"] / times > 0.8
    assert covered["pixels"] / times < 0.5


def test_where_whole_blocks_are_alike_as_many_pixels_count_as_one_as_a_block_has() -> None:
    rng = np.random.default_rng(1)
    wrong_a, wrong_b = (np.kron(rng.random((25, 25)) < p, np.ones((4, 4))) > 0 for p in (0.4, 0.3))
    found = block_bootstrap(
        pixels_of(np.ones((100, 100), int), wrong_where(wrong_a), wrong_where(wrong_b)), OA, side=4, seed=0
    )
    assert found.inflation == pytest.approx(16, rel=0.15)
    # In closed form: the standard error of a mean over 625 independent blocks.
    d = wrong_a[::4, ::4].astype(float) - wrong_b[::4, ::4]
    half = 1.96 * d.std() / 25
    assert (found.low, found.high) == pytest.approx((d.mean() - half, d.mean() + half), abs=0.1 * half)
    assert found.blocks == 625 and found.pixels == 10_000


def test_where_pixels_are_independent_blocks_cost_nothing() -> None:
    rng = np.random.default_rng(2)
    wrong_a, wrong_b = (rng.random((120, 120)) < p for p in (0.4, 0.3))
    found = block_bootstrap(
        pixels_of(np.ones((120, 120), int), wrong_where(wrong_a), wrong_where(wrong_b)), OA, side=4, seed=0
    )
    assert found.inflation == pytest.approx(1, rel=0.2)


def scattered(seed: int = 3, classes: int = 4) -> Pixels:
    rng = np.random.default_rng(seed)
    true = rng.integers(1, classes + 1, (60, 60))
    a, b = (np.where(rng.random((60, 60)) < p, true, rng.integers(1, classes + 1, (60, 60))) for p in (0.3, 0.5))
    return pixels_of(true, a, b, classes)


def test_equal_seeds_give_equal_intervals() -> None:
    first, again, other = (block_bootstrap(scattered(), AA, side=6, seed=s, resamples=200) for s in (5, 5, 6))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    assert first.difference == other.difference


def test_the_global_stream_is_left_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    block_bootstrap(scattered(), AA, side=6, seed=5, resamples=100)
    assert np.array_equal(before, np.random.get_state()[1])


def test_a_against_b_is_b_against_a_the_other_way_round() -> None:
    p = scattered()
    back = Pixels(p.row, p.column, p.true, p.b, p.a, p.classes)
    one, other = (block_bootstrap(case, AA, side=6, seed=0, resamples=400) for case in (p, back))
    assert one.difference == pytest.approx(-other.difference)
    assert one.low == pytest.approx(-other.high, abs=0.2 * (one.high - one.low))


def test_equal_predictions_differ_by_nothing_for_sure() -> None:
    p = scattered()
    same = Pixels(p.row, p.column, p.true, p.a, p.a, p.classes)
    found = block_bootstrap(same, AA, side=6, seed=0, resamples=100)
    assert (found.low, found.difference, found.high, found.inflation) == (0, 0, 0, None)


def rare() -> BlockInterval:
    """Class 1 everywhere, and 4 pixels of class 2 in one corner, which B has right and A not."""
    true = np.ones((60, 60), dtype=int)
    true[:2, :2] = 2
    return block_bootstrap(pixels_of(true, np.ones_like(true), true), AA, side=6, seed=0)


def test_a_class_in_one_block_is_named_and_never_lost_from_the_mean() -> None:
    found = rare()
    assert found.narrow == (2,)
    # A resample without that corner keeps its recall: AA does not jump to that of one class.
    assert (found.low, found.difference, found.high) == (0.5, 0.5, 0.5)


def test_a_class_in_one_block_has_at_least_the_spread_of_its_pixels() -> None:
    true = np.ones((60, 60), dtype=int)
    true[:2, :4] = 2
    b = true.copy()
    b[0, :4] = 1
    found = block_bootstrap(pixels_of(true, np.ones_like(true), b), AA, side=6, seed=0)
    # Half of 8 pixels right: in AA half of a binomial share's interval of about ± 35 points.
    assert found.low == pytest.approx(0.25 - 0.17, abs=0.05)
    assert found.high == pytest.approx(0.25 + 0.17, abs=0.05)
    assert found.inflation is not None and found.inflation < 0.1


def test_few_blocks_are_refused() -> None:
    with pytest.raises(InputError, match=f"needs {FEWEST_BLOCKS} blocks with a test pixel; found 9 of 20×20"):
        block_bootstrap(scattered(), AA, side=20, seed=0)


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"side": 0}, "side"), ({"level": 95}, "level"), ({"resamples": 10}, "resamples")],
)
def test_settings_that_cannot_be_are_refused(change: dict[str, float], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        block_bootstrap(scattered(), AA, **{"side": 6, "seed": 0, **change})  # type: ignore[arg-type]


def test_pixels_without_a_label_are_refused() -> None:
    with pytest.raises(InputError, match=r"must lie in 1\.\.2"):
        pixels_of(np.zeros((3, 3), int), np.ones((3, 3), int), np.ones((3, 3), int))


def test_arrays_of_different_lengths_are_refused() -> None:
    one, two = np.ones(1, int), np.ones(2, int)
    with pytest.raises(InputError, match="one entry for each test pixel"):
        Pixels(one, one, one, one, two, 2)


matrices = st.lists(st.integers(0, 9), min_size=16, max_size=16).map(lambda v: np.array(v).reshape(4, 4))


@settings(max_examples=60, deadline=None)
@given(matrices.filter(lambda m: m.sum() > 0))
def test_of_one_matrix_every_metric_is_that_of_a_record(matrix: np.ndarray) -> None:
    subsets = {"some": (1, 3)}
    known = score(matrix, subsets)
    known["subset:some"] = known["subsets"]["some"]["aa"]
    for key in ("oa", "aa", "kappa", "macro_f1", "worst_recall", "subset:some"):
        (value,) = many_scores(key, subsets)(matrix[None], matrix)
        assert value == pytest.approx(math.nan if known[key] is None else known[key], nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(matrices.filter(lambda m: m[1].sum() > 0))
def test_and_so_is_every_metric_of_masks(matrix: np.ndarray) -> None:
    known = dense_score(matrix, change=True)
    for key in ("miou", "macro_f1", "f1_change", "iou_change", "precision_change", "recall_change"):
        (value,) = many_scores(key)(matrix[None], matrix)
        assert value == pytest.approx(math.nan if known[key] is None else known[key], nan_ok=True)


def test_a_metric_that_is_not_there() -> None:
    with pytest.raises(InputError, match="Did you mean kappa"):
        many_scores("kapa")
