"""``fill``: real unlabelled patches of segments that touch a label, named by the teacher."""

from dataclasses import replace

import numpy as np
import pytest

from hsiaug_builtin.baselines.fill import Fill, FillParams, FittedFill


@pytest.fixture(scope="module")
def fitted(fit, seen) -> FittedFill:
    return fit(Fill, seen)


def made(fitted: FittedFill, counts: dict[int, int]):
    return fitted.sample(counts, guidance=None, seed=0)


def test_believed_pixels_lie_in_a_segment_with_a_label_of_the_class_that_they_are_named_after(
    toy, seen, fitted
):
    labelled = seen.visible & False
    labelled[tuple(seen.coords.T)] = True
    assert not labelled[tuple(fitted.coords.T)][np.isin(fitted.y, list(seen.counts))].all()
    true = toy.labels[tuple(fitted.coords.T)]
    assert (true[true > 0] == fitted.y[true > 0]).mean() > 0.7


def test_a_single_labelled_pixel_is_enough_for_its_segment_to_be_believed(toy, seen, fit) -> None:
    """As a pick that was asked for: far from every other label."""
    gap = np.abs(seen.unlabelled[:, None] - seen.coords).max(axis=2).min(axis=1)
    known = toy.labels[tuple(seen.unlabelled.T)] > 0
    pick = seen.unlabelled[known][gap[known].argmax()]
    c = int(toy.labels[tuple(pick)])
    asked = replace(
        seen,
        coords=np.concatenate([seen.coords, pick[None]]),
        y=np.append(seen.y, c),
        unlabelled=seen.unlabelled[(seen.unlabelled != pick).any(axis=1)],
    )
    near = np.abs(fit(Fill, asked).coords - pick).max(axis=1) <= 7
    assert near.any() and not (np.abs(fit(Fill, seen).coords - pick).max(axis=1) <= 1).any()


def test_a_segment_gives_no_second_pixel_before_each_of_its_class_gave_one(fitted) -> None:
    for c in np.unique(fitted.y):
        own = np.flatnonzero(fitted.y == c)
        segments = len(np.unique(fitted.segment[own]))
        rows = fitted._order(own, len(own) + 3, np.random.default_rng(0))
        assert len(np.unique(fitted.segment[rows[:segments]])) == segments
        assert len(np.unique(rows[: len(own)])) == len(own), "none is repeated before all were used"


@pytest.mark.parametrize("count", [5, 400])
def test_samples_never_weigh_more_than_the_real_ones_however_many_there_are(
    seen, fitted, count: int
) -> None:
    heavy = replace(fitted, params=FillParams(1.0))
    whole = made(heavy, dict.fromkeys(seen.counts, count))
    assert whole.weight.sum() <= len(seen.y) * (1 + 1e-5) and (whole.weight >= 0).all()
    first = dict.fromkeys(seen.counts, count // 2)
    rest = dict.fromkeys(seen.counts, count - count // 2)
    parts = made(heavy, first).weight.sum() + made(heavy.continued([first]), rest).weight.sum()
    assert parts == pytest.approx(whole.weight.sum(), rel=1e-5), (
        "blocks of a trial share one budget"
    )


def test_without_an_unlabelled_pixel_training_patches_are_repeated(seen, fit) -> None:
    bare = fit(Fill, replace(seen, unlabelled=seen.unlabelled[:0]))
    samples = made(bare, dict.fromkeys(seen.counts, 2))
    assert samples.provenance["training_patches_repeated"] == sorted(seen.counts)
    assert set(map(tuple, bare.coords)) == set(map(tuple, seen.coords))
