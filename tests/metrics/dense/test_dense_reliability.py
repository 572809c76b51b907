"""Label reliability of tiles: real ones reach the ceiling, permuted masks the floor, moved masks a moved peak."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.calibration import LEVELS, CalibrationCurve
from hsiaug.metrics.dense.estimator import fit_estimator
from hsiaug.metrics.dense.probes import Probes, fit_probes
from hsiaug.metrics.dense.quality import filter_samples, label_quality
from hsiaug.metrics.dense.reliability import Coupling, _score, dense_reliability
from hsiaug.report.labels import MOST_WRONG, score_numbers, wrong_share
from tests.toyworld import ToyWorld, toy_world


@pytest.fixture(scope="module")
def world() -> ToyWorld:
    return toy_world(noise=0.06, side=16)


shared_judge = cache(fit_estimator)
"""Reports of the same real tiles and seed share one judge, which would come out the same; most time goes into it."""


@pytest.fixture(autouse=True)
def one_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsiaug.metrics.dense.reliability.fit_estimator", shared_judge)


@pytest.fixture(scope="module")
def sets(world: ToyWorld) -> tuple[DenseSamples, DenseSamples, DenseSamples]:
    return world.draw(30, 0), world.draw(25, 1), world.draw(25, 2)


@pytest.fixture(scope="module")
def probes(sets: tuple[DenseSamples, DenseSamples, DenseSamples]) -> Probes:
    return fit_probes(sets[0], 5)


Sets = tuple[DenseSamples, DenseSamples, DenseSamples]


def test_real_tiles_reach_the_ceiling_and_permuted_masks_the_floor(sets: Sets) -> None:
    train, held, made = sets
    real = dense_reliability(train, held, made, classes=5)
    wrong = dense_reliability(train, held, replace(made, masks=np.roll(made.masks, 1, axis=0)), classes=5)

    for name in ("agreement", "pixels", "kappa", "nearest_class", "msad", "frechet"):
        assert real[name].r == pytest.approx(1, abs=0.1), name
        assert wrong[name].r == pytest.approx(0, abs=0.3), name
    assert wrong["pixels"].r == pytest.approx(0, abs=0.1)
    assert real.wrong == pytest.approx(0, abs=2)
    assert (wrong.wrong or 0) > 50
    assert real["boundary"].value > 0.6 > wrong["boundary"].value
    low, high = real["pixels"].interval
    assert low < real["pixels"].value < high
    assert real["pixels"].n == 25
    assert real.by_class[1]["recall"] == pytest.approx(real.by_class[1]["held_recall"], abs=0.05)
    json.dumps(wrong.as_json(), allow_nan=False)


def test_masks_moved_by_two_pixels_move_the_peak(sets: Sets) -> None:
    train, held, made = sets
    moved = dense_reliability(train, held, replace(made, masks=np.roll(made.masks, 2, axis=2)), classes=5)
    peak = np.unravel_index(moved.shifts["made"].argmax(), (9, 9))
    still = np.unravel_index(moved.shifts["held"].argmax(), (9, 9))

    # Masks lie two pixels too far right, so that moving them two to the left fits best.
    assert peak == (4, 2)
    assert still == (4, 4)
    assert moved["offset"].value == pytest.approx(2, abs=0.5)
    assert moved["peak"].value < -5


def test_ignored_pixels_count_nowhere(sets: Sets) -> None:
    train, held, made = sets
    judge = shared_judge(train, held, 5, 0)
    view = judge.look(made.images)
    masks = made.masks.copy()
    masks[:, :8] = np.roll(masks, 1, axis=0)[:, :8]
    partly = np.where(np.arange(16)[:, None] < 8, 0, masks)
    reading = judge.read(view, partly)

    assert judge.percent(reading) < 3
    assert judge.percent(judge.read(view, masks)) > 20
    assert np.isnan(judge.read(view, np.zeros_like(masks))["pixels"][0])


def test_classes_that_no_real_tile_has_are_named_not_judged(sets: Sets) -> None:
    train, held, made = sets
    fewer = replace(held, masks=np.where(held.masks == 5, 0, held.masks))
    without = replace(made, masks=np.where(made.masks == 4, 0, made.masks))
    report = dense_reliability(train, fewer, without, classes=5)

    assert report.notes[:2] == ("not judged, for want of real pixels: class 5", "never made: class 4")
    assert set(report.by_class) == {1, 2, 3, 4}


def test_change_pairs_have_signs_of_change(world: ToyWorld) -> None:
    train, held, made = (world.draw_change(24, seed) for seed in range(3))
    real = dense_reliability(train, held, made, classes=2)
    still = DenseSamples.made(made.images[:, [0, 0]], made.masks)
    nothing = dense_reliability(train, held, still, classes=2)

    assert real["change_size"].value > 0.75 > 0.6 > real["change_size"].floor
    assert nothing["change_size"].value == pytest.approx(0.5, abs=0.05)
    assert {measure.name for measure in real.measures} == {"empty", "change_sizes", "still"}


@pytest.mark.parametrize(("made", "floor"), [(np.nan, 0.5), (0.5, np.nan), (np.nan, np.nan)])
def test_a_score_that_some_tiles_have_not_is_none_and_no_nan(made: float, floor: float) -> None:
    levels = np.linspace(0.5, 0.4, len(LEVELS))
    judge = SimpleNamespace(curves={"kappa": CalibrationCurve(levels, np.tile(levels, (4, 1)), -0.95)})
    readings = [{"kappa": np.full(5, v)} for v in (made, 0.9, floor)]
    found: Any = _score("kappa", judge, readings[0], readings[1], readings[2:], 4)

    assert (found.value is None, found.floor is None) == (np.isnan(made), np.isnan(floor))
    assert (found.r is None) == (np.isnan(made) or np.isnan(floor))
    json.dumps(asdict(found), allow_nan=False)


def test_shares_in_files_of_older_versions_are_read_alike() -> None:
    old = {"unit": "%", "value": -14.5, "ceiling": 1.25, "floor": None}
    assert score_numbers(old) == ("≤ 0", "1.25", "–")
    assert score_numbers({"unit": "°", "value": -14.5, "ceiling": 120.0, "floor": 0.0}) == ("-14.5", "120", "0")


def test_the_end_of_the_calibration_is_a_bound() -> None:
    assert LEVELS[-1] == MOST_WRONG
    assert [wrong_share(q) for q in (None, 0.2, 79.0, 80.0)] == ["–", "0", "79", "≥ 80"]


def test_the_coupling_gap_is_passed_through_beside_its_floor(sets: Sets) -> None:
    coupling = Coupling(np.array([0.5, 0.7]), np.array([0.0, 0.2]), np.array([1.1]))
    score = dense_reliability(*sets, classes=5, coupling=coupling)["coupling"]

    assert (score.value, score.floor, score.ceiling) == pytest.approx((0.6, 0.1, 1.1))
    assert score.r == pytest.approx(0.5)
    assert score.wrong is None


def test_the_same_seed_gives_the_same_report(sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsiaug.metrics.dense.reliability.fit_estimator", fit_estimator)
    few = [part.take(np.arange(12)) for part in sets]
    first, second = (dense_reliability(*few, classes=5, seed=3).as_json() for _ in range(2))
    assert first == second


def test_tiles_with_wrong_masks_are_filtered_out_first(sets: Sets, probes: Probes) -> None:
    made = sets[2]
    masks = made.masks.copy()
    masks[:5] = np.roll(masks[:5], 1, axis=0)
    worse = replace(made, masks=masks, weight=np.arange(25, dtype=np.float32))
    quality = label_quality(worse, probes)

    assert quality[:5].max() < np.median(quality[5:])
    assert set(filter_samples(worse, probes, 0.5).weight) <= set(range(5, 25))
    assert np.isnan(label_quality(replace(made, masks=np.zeros_like(masks)), probes)).all()
    with pytest.raises(InputError, match="keep"):
        filter_samples(worse, probes, 0)
