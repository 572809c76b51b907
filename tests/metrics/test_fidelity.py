"""The fidelity report: floors, identical sets, wrong labels, copies, and sets that are too
small.
"""

import json

import numpy as np
import pytest

from hsiaug.metrics.fidelity import MEASURES, fidelity
from hsiaug.metrics.spectra import Spectra, fit_space, match_sizes

CLASSES, BANDS = 3, 8


def drawn(rng: np.random.Generator, counts: tuple[int, ...] = (60, 60, 60)) -> Spectra:
    """Spectra of three classes, each a Gaussian of its own about a shape of its own."""
    bands = np.arange(BANDS)
    shapes = np.stack([2 + np.sin(bands * (c + 1) / 3) for c in range(CLASSES)])
    y = np.repeat(np.arange(1, CLASSES + 1), counts)
    return Spectra(shapes[y - 1] + 0.15 * rng.normal(size=(len(y), BANDS)), y)


def test_matched_sets_have_the_same_number_of_each_class(rng: np.random.Generator) -> None:
    parts = match_sizes([drawn(rng, (9, 2, 5)), drawn(rng, (3, 8, 5)), drawn(rng, (9, 9, 0))], rng)

    assert [part.counts for part in parts] == [{1: 3, 2: 2}] * 3


def test_the_space_is_of_the_training_set_and_measures_what_it_leaves_out(
    rng: np.random.Generator,
) -> None:
    train = drawn(rng).x
    train[:, 3] = 7
    space = fit_space(train)
    z = space.z(train)

    assert z.mean(axis=0) == pytest.approx(np.zeros(BANDS), abs=1e-9)
    assert space.std[3] == 1
    assert space.axes.T @ space.axes == pytest.approx(np.eye(space.axes.shape[1]), abs=1e-9)
    whole = (space.project(train) ** 2).sum(axis=1) + space.residual(train) ** 2
    assert whole == pytest.approx((z**2).sum(axis=1))


def test_fresh_real_samples_reach_the_floor_and_wrong_labels_do_not(
    rng: np.random.Generator,
) -> None:
    train, held, fresh = (drawn(rng) for _ in range(3))
    good = fidelity(train, held, fresh)
    bad = fidelity(train, held, Spectra(fresh.x, rng.permutation(fresh.y)))

    for name in ("sad", "frechet"):
        floor, like, worse = good[name].held_out, good[name].value, bad[name].value
        assert floor is not None and like is not None and worse is not None
        assert like < 2 * floor + 0.1 and worse > 4 * floor
    for name in ("coverage", "c2st", "diversity"):
        value, floor = good[name].value, good[name].held_out
        assert value == pytest.approx(floor, rel=0.2)


def test_copies_and_noise_are_each_seen_by_their_measure(rng: np.random.Generator) -> None:
    train, held = drawn(rng), drawn(rng)
    copies = fidelity(train, held, train)
    loud = fidelity(train, held, Spectra(held.x + rng.normal(size=held.x.shape), held.y))

    assert copies["sad"].value == pytest.approx(0, abs=1e-5)
    assert (loud["sad"].value or 0) > (loud["sad"].held_out or 0)
    assert (loud["c2st"].value or 0) > 80
    assert (loud["diversity"].value or 0) > 2
    assert (loud["coverage"].value or 0) < 0.5 * (loud["coverage"].held_out or 0)


def test_sets_too_small_give_none_with_a_reason_and_never_nan(rng: np.random.Generator) -> None:
    train, held = drawn(rng), drawn(rng)
    for few in ((1, 0, 0), (1, 1, 0), (2, 0, 0), (0, 0, 0)):
        report = fidelity(train, held, drawn(rng, few))
        json.dumps(report.as_json(), allow_nan=False)
        assert report["c2st"].value is None and report["c2st"].note == "too few samples"
    assert [m.name for m in report.measures] == list(MEASURES)
    assert "nothing can be compared" in report.notes[-1]


def test_classes_without_held_out_samples_are_named(rng: np.random.Generator) -> None:
    report = fidelity(drawn(rng), drawn(rng, (30, 0, 30)), drawn(rng))

    assert report.classes == (1, 3)
    assert report.notes == ("left out, for want of training or held-out samples: class 2",)
