"""Label reliability of tiles: real ones reach the ceiling, permuted masks the floor."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest

from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.calibration import LEVELS, CalibrationCurve, label_score
from hsiaug.metrics.dense.reliability import dense_reliability, fit_judge
from hsiaug.report.labels import MOST_WRONG, wrong_share
from tests.toyworld import ToyWorld, toy_world


@pytest.fixture(scope="module")
def world() -> ToyWorld:
    return toy_world(noise=0.06, side=16)


shared_judge = cache(fit_judge)
"""Reports of the same real tiles and seed share one judge, which would come out the same; most time goes into it."""


@pytest.fixture(autouse=True)
def one_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsiaug.metrics.dense.reliability.fit_judge", shared_judge)


@pytest.fixture(scope="module")
def sets(world: ToyWorld) -> tuple[DenseSamples, DenseSamples, DenseSamples]:
    return world.draw(30, 0), world.draw(25, 1), world.draw(25, 2)


Sets = tuple[DenseSamples, DenseSamples, DenseSamples]


def test_real_tiles_reach_the_ceiling_and_permuted_masks_the_floor(sets: Sets) -> None:
    train, held, made = sets
    real = dense_reliability(train, held, made, classes=5)
    wrong = dense_reliability(train, held, replace(made, masks=np.roll(made.masks, 1, axis=0)), classes=5)

    assert real["pixels"].r == pytest.approx(1, abs=0.1)
    assert wrong["pixels"].r == pytest.approx(0, abs=0.1)
    assert real["pixels"].wrong == pytest.approx(0, abs=2)
    assert (wrong["pixels"].wrong or 0) > 50
    assert real["pixels"].n == 25
    json.dumps(wrong.as_json(), allow_nan=False)


def test_ignored_pixels_count_nowhere(sets: Sets) -> None:
    train, held, made = sets
    judge = shared_judge(train, held, 5, 0)
    guesses = judge.guess(made.images)
    masks = made.masks.copy()
    masks[:, :8] = np.roll(masks, 1, axis=0)[:, :8]
    partly = np.where(np.arange(16)[:, None] < 8, 0, masks)
    reading = judge.read(guesses, partly)

    assert judge.curve.percent(reading[0]) < 3
    assert judge.curve.percent(judge.read(guesses, masks)[0]) > 20
    assert np.isnan(judge.read(guesses, np.zeros_like(masks))[0])


def test_classes_that_no_real_tile_has_are_named_not_judged(sets: Sets) -> None:
    train, held, made = sets
    fewer = replace(held, masks=np.where(held.masks == 5, 0, held.masks))
    without = replace(made, masks=np.where(made.masks == 4, 0, made.masks))
    report = dense_reliability(train, fewer, without, classes=5)

    assert report.notes[:2] == ("not judged, for want of real pixels: class 5", "never made: class 4")


@pytest.mark.parametrize(("made", "floor"), [(np.nan, 0.5), (0.5, np.nan), (np.nan, np.nan)])
def test_a_score_that_some_tiles_have_not_is_none_and_no_nan(made: float, floor: float) -> None:
    levels = np.linspace(0.5, 0.4, len(LEVELS))
    curve = CalibrationCurve(levels, np.tile(levels, (4, 1)), -0.95)
    kind = ("agreement", "%", 1.0)
    found = label_score("pixels", kind, np.full(5, made), ceiling=0.9, floor=floor, curve=curve, n=4)

    assert (found.value is None, found.floor is None) == (np.isnan(made), np.isnan(floor))
    assert (found.r is None) == (np.isnan(made) or np.isnan(floor))
    json.dumps(asdict(found), allow_nan=False)


def test_the_end_of_the_calibration_is_a_bound() -> None:
    assert LEVELS[-1] == MOST_WRONG
    assert [wrong_share(q) for q in (0.2, 79.0, 80.0)] == ["0", "79", "≥ 80"]


def test_the_same_seed_gives_the_same_report(sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsiaug.metrics.dense.reliability.fit_judge", fit_judge)
    few = [part.take(np.arange(12)) for part in sets]
    first, second = (dense_reliability(*few, classes=5, seed=3).as_json() for _ in range(2))
    assert first == second
