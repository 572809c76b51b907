"""Label reliability: wrong labels lower the share that is confirmed, as many as there are."""

import json

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.metrics.reliability import fit_lda, fit_svm, mean_interval, reliability
from hsiaug.metrics.spectra import Spectra
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split

Sets = tuple[Spectra, Spectra, Spectra]


@pytest.fixture(scope="module")
def toy_halves(toy: Scene) -> Sets:
    """Training samples, and two random halves of the held-out ones."""
    split = draw_split(toy, parse_protocol("random:0.1"), 0, 5)
    train, held = (
        Spectra(toy.cube[mask].astype(np.float64), toy.labels[mask].astype(np.int64))
        for mask in (split.train, split.test)
    )
    order = np.random.default_rng(0).permutation(len(held))
    return train, held.take(order[::2]), held.take(order[1::2])


def relabelled(real: Spectra, percent: int, classes: int) -> Spectra:
    """Real samples, ``percent`` of them with a wrong label, any other one as likely."""
    rng = np.random.default_rng(percent)
    wrong = rng.permutation(len(real))[: round(len(real) * percent / 100)]
    y = real.y.copy()
    y[wrong] = (y[wrong] - 1 + rng.integers(1, classes, size=len(wrong))) % classes + 1
    return Spectra(real.x, y)


@pytest.mark.parametrize("percent", [5, 10, 20, 40])
def test_a_known_share_of_wrong_labels_is_not_confirmed(toy_halves: Sets, percent: int) -> None:
    train, held, rest = toy_halves
    found = reliability(train, held, relabelled(rest, percent, 5))["agreement"]

    assert found.value == pytest.approx((found.held_out or 0) * (1 - percent / 100), abs=4)


def test_real_samples_reach_held_out_ones_and_permuted_labels_what_chance_does(
    toy_halves: Sets,
) -> None:
    train, held, rest = toy_halves
    real = reliability(train, held, rest)
    shuffled = Spectra(rest.x, np.random.default_rng(0).permutation(rest.y))
    wrong = reliability(train, held, shuffled)["agreement"]

    json.dumps(real.as_json(), allow_nan=False)
    assert real["agreement"].value == pytest.approx(real["agreement"].held_out, abs=3)
    assert wrong.value == pytest.approx(wrong.permuted, abs=6)


def test_the_same_seed_gives_the_same_report(toy_halves: Sets) -> None:
    assert reliability(*toy_halves) == reliability(*toy_halves)


def test_what_cannot_be_judged_is_said(toy_halves: Sets) -> None:
    train, held, rest = toy_halves
    alone = reliability(train, held, rest.only([1]))
    lost = reliability(train, held.only([1, 2, 3]), rest)

    assert alone.measures == () and "two classes" in alone.notes[-1]
    json.dumps(alone.as_json(), allow_nan=False)
    assert lost.notes == ("not judged, for want of real samples: class 4, 5",)


def test_probes_of_one_training_sample_per_class_still_work() -> None:
    x = np.array([[0.0, 0.1, 1.0], [1.0, 0.9, 0.0], [5.0, 5.1, 5.2]])
    train = Spectra(x, np.array([1, 2, 4]))

    for fit in (fit_lda, fit_svm):
        assert fit(train)(x + 0.01).tolist() == [1, 2, 4]


def test_an_interval_of_whole_groups_is_wider(rng: np.random.Generator) -> None:
    values = np.repeat(rng.normal(size=10), 50)
    narrow = mean_interval(values, None, rng)
    wide = mean_interval(values, np.repeat(np.arange(10), 50), rng)

    assert narrow[0] < values.mean() < narrow[1]
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])
