"""``statistics``: what samples are made of, which spread is chosen, and odd classes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug_builtin.light import statistics
from hsiaug_builtin.light.statistics import (
    FittedStatistics,
    PatchesOfClass,
    Statistics,
    StatisticsOfLabels,
    StatisticsParams,
    confusability,
    moments_of,
    spread_shares,
)


def fit(view: TrainView, plugin: type[Statistics] = Statistics, **params) -> FittedStatistics:
    return plugin(StatisticsParams(**params)).fit(
        view, seed=0, device="cpu", progress=lambda *_: None
    )


@pytest.fixture(scope="module")
def views(toy: Scene) -> dict[str, TrainView]:
    split = draw_split(toy, parse_protocol("issd"), 0, 5)
    return {scope: train_view(toy, split, scope) for scope in ("none", "scene")}


@pytest.fixture(scope="module")
def fitted(views) -> FittedStatistics:
    return fit(views["scene"], spread="all")


def every(x: np.ndarray) -> np.ndarray:
    """All pixels of patches (m, p, p, B)."""
    return np.ones(x.shape[:3], dtype=bool)


def test_samples_have_the_moments_of_patches_and_pixels():
    rng = np.random.default_rng(0)
    means = rng.normal(5, 2, size=(400, 1, 1, 4))
    x = (means + rng.normal(0, 0.5, size=(400, 3, 3, 4))).astype(np.float32)
    learnt = moments_of(x, every(x), "gaussian", rng)
    made = learnt.sample(4000, 3, 1.0, rng)
    assert np.allclose(made.mean(axis=(0, 2, 3)), 5, atol=0.3)
    assert np.allclose(made.mean(axis=(2, 3)).std(axis=0), 2, rtol=0.1)
    # A mean over 9 pixels takes a ninth of the variance, of the real patches and of the samples.
    assert made.std(axis=(2, 3)).mean() == pytest.approx(0.5 * 8 / 9, rel=0.1)


@pytest.mark.parametrize("means", ["gaussian", "constant"])
def test_single_spectra_deviate_by_what_the_components_leave_out(means):
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(300, 1, 1, 20)) * np.geomspace(3, 0.1, 20)).astype(np.float32)
    made = moments_of(x, every(x), means, rng).sample(3000, 1, 1.0, rng)
    assert np.allclose(made[:, :, 0, 0].std(axis=0), np.geomspace(3, 0.1, 20), rtol=0.2)


def test_without_deviations_a_patch_is_flat_and_without_means_its_mean_is_that_of_the_class(
    views, fitted
):
    counts = {1: 50}
    flat = replace(fitted, params=StatisticsParams(deviations="none"))
    x = flat.sample(counts, guidance=None, seed=0).x
    assert np.ptp(x, axis=(2, 3)).max() == 0 and x.std(axis=0).max() > 0
    still = fit(views["scene"], spread="all", means="constant", deviations="none")
    assert np.ptp(still.sample(counts, guidance=None, seed=0).x, axis=0).max() == 0


def test_deviations_of_another_class_are_those_of_the_next(fitted):
    other = replace(fitted, params=StatisticsParams(deviations="other"))
    lengths = {
        name: one.sample({1: 200}, guidance=None, seed=0).x.std(axis=(2, 3)).mean()
        for name, one in (("own", fitted), ("other", other))
    }
    expected = {
        "own": fitted.classes[1].every.deviations.std(axis=0).mean(),
        "other": fitted.classes[2].every.deviations.std(axis=0).mean(),
    }
    for name, length in lengths.items():
        assert length == pytest.approx(expected[name], rel=0.15)


def test_without_a_teacher_no_pixel_beyond_the_training_patches_is_read(views):
    view = views["none"]
    assert len(view.unlabelled) == 0 and np.isnan(view.cube).any()
    samples = fit(view, StatisticsOfLabels).sample(dict(view.counts), guidance=None, seed=0)
    assert np.isfinite(samples.x).all()
    assert samples.provenance["patches"] == {str(c): n for c, n in view.counts.items()}


def test_the_choice_stands_in_the_record_and_a_saved_fit_gives_the_same_samples(views, tmp_path):
    fitted = fit(views["scene"])
    fitted.save(tmp_path)
    again = Statistics(StatisticsParams(weight=0.5)).load(tmp_path, device="cpu")
    counts = dict.fromkeys(views["scene"].counts, 3)
    one, other = (each.sample(counts, guidance=None, seed=1) for each in (fitted, again))
    assert np.array_equal(one.x, other.x)
    assert (one.weight == np.float32(0.05)).all() and (other.weight == np.float32(0.5)).all()
    assert one.provenance["spread"] in ("own", "confusable", "all")
    assert "held_out_recall" in one.provenance


def of_class(mean: float, spread: float) -> PatchesOfClass:
    """30 patches of one pixel and two bands, whose unit-norm spectra lie at an angle."""
    angle = mean + spread * np.linspace(-1, 1, 30)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)[:, None, None]
    return PatchesOfClass(np.zeros((30, 2), dtype=np.int32), x, every(x))


def test_a_class_takes_as_many_samples_of_all_pixels_as_it_is_confusable():
    apart = confusability({1: of_class(0.2, 0.01), 2: of_class(1.2, 0.01)})
    alike = confusability({1: of_class(0.2, 0.3), 2: of_class(0.3, 0.3), 3: of_class(1.2, 0.01)})
    assert apart == pytest.approx({1: 0.006, 2: 0.006}, abs=0.001)
    assert alike[1] > 1 and alike[2] > 1 and alike[3] < 0.05
    assert confusability({1: of_class(0.2, 0.3)}) == {1: 0}
    assert spread_shares("confusable", {1: 2.0, 2: 0.5}) == {1: 1, 2: 1 / 16}
    assert spread_shares("own", {1: 2.0}) == {1: 0} and spread_shares("all", {1: 0.1}) == {1: 1}


@pytest.mark.parametrize(
    ("own", "chosen", "judge"),
    [
        ([0.9, 0.8, 0.9, 0.8], "own", "left-out regions"),
        ([0.9, 0.3, 0.9, 0.4], "confusable", "confusability; left-out regions"),
    ],
)
def test_left_out_regions_decide_where_they_tell_spreads_apart(
    views, monkeypatch, own, chosen, judge
):
    recalls = {"own": own, "confusable": [0.6, 0.5, 0.5, 0.5], "all": [0.1] * 4}
    monkeypatch.setattr(statistics, "held_out_recalls", lambda *_: recalls)
    spread, facts = statistics.choose_spread(views["scene"], {}, "gaussian")
    assert spread == chosen and facts["chosen_by"].startswith(judge)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 5),
    st.sampled_from([1, 3]),
    st.integers(1, 30),
    st.sampled_from(["gaussian", "constant"]),
    st.sampled_from([0.0, 1e-6, 1.0, 1e4]),
    st.integers(0, 9),
)
def test_samples_are_finite_and_as_many_as_asked_for(patches, side, bands, means, size, seed):
    rng = np.random.default_rng(seed)
    x = (size * rng.standard_normal((patches, side, side, bands))).astype(np.float32)
    learnt = moments_of(x, every(x), means, rng)
    made = learnt.sample(7, side, 1.0, rng)
    assert made.shape == (7, bands, side, side) and np.isfinite(made).all()
