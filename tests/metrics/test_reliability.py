"""Label reliability: known shares of wrong labels must be found again."""

import json

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.metrics.calibration import LEVELS, read_curve, stand_ins, why_silent, wrong_contents
from hsiaug.metrics.reliability import fit_lda, fit_svm, reliability
from hsiaug.metrics.spectra import Spectra
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.report.formatting import wrong_labels

Sets = tuple[Spectra, Spectra, Spectra]


def halves(scene: Scene, protocol: str, patch: int) -> Sets:
    """Training samples, and two random halves of the held-out ones."""
    split = draw_split(scene, parse_protocol(protocol), 0, patch)
    train, held = (
        Spectra(scene.cube[mask].astype(np.float64), scene.labels[mask].astype(np.int64))
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


@pytest.fixture(scope="module")
def toy_halves(toy: Scene) -> Sets:
    return halves(toy, "random:0.1", 5)


@pytest.mark.parametrize("percent", [5, 10, 20, 40])
def test_a_known_share_of_wrong_labels_is_found_on_the_toy_scene(
    toy_halves: Sets, percent: int
) -> None:
    train, held, rest = toy_halves
    report = reliability(train, held, relabelled(rest, percent, 5))

    for name in ("agreement", "oracle"):
        assert report[name].wrong == pytest.approx(percent, abs=5)
        assert report[name].spearman == pytest.approx(-1)
        low, high = report[name].wrong_interval or (0, 0)
        assert low - 1 <= percent <= high + 1


@pytest.fixture(scope="module")
def pines_halves(indian_pines: Scene) -> Sets:
    return halves(indian_pines, "issd", 9)


@pytest.mark.indian_pines
@pytest.mark.parametrize("percent", [10, 40])
def test_a_known_share_of_wrong_labels_is_found_on_indian_pines(pines_halves, percent, monkeypatch):
    # Rounds make intervals, which are looked at on the toy scene; a value needs few.
    monkeypatch.setattr("hsiaug.metrics.reliability.ROUNDS", 15)
    train, held, rest = pines_halves
    report = reliability(train, held, relabelled(rest, percent, 16))

    for name in ("agreement", "oracle"):
        assert report[name].wrong == pytest.approx(percent, abs=5)


def test_real_samples_reach_the_ceiling_and_permuted_labels_the_floor(toy_halves: Sets) -> None:
    train, held, rest = toy_halves
    real = reliability(train, held, rest)
    shuffled = Spectra(rest.x, np.random.default_rng(0).permutation(rest.y))
    wrong = reliability(train, held, shuffled)

    json.dumps(real.as_json(), allow_nan=False)
    assert real["agreement"].r == pytest.approx(1, abs=0.1)
    assert real["agreement"].wrong == pytest.approx(0, abs=4)
    for name in ("agreement", "oracle"):
        assert wrong[name].r == pytest.approx(0, abs=0.1)


def test_the_same_seed_gives_the_same_report(toy_halves: Sets) -> None:
    assert reliability(*toy_halves) == reliability(*toy_halves)


def test_what_cannot_be_judged_is_said(toy_halves: Sets) -> None:
    train, held, rest = toy_halves
    alone = reliability(train, held, rest.only([1]))
    lost = reliability(train, held.only([1, 2, 3]), rest)

    assert alone.scores == () and "two classes" in alone.notes[-1]
    json.dumps(alone.as_json(), allow_nan=False)
    assert lost.notes == ("not judged, for want of real samples: class 4, 5",)


def test_probes_of_one_training_sample_per_class_still_work() -> None:
    x = np.array([[0.0, 0.1, 1.0], [1.0, 0.9, 0.0], [5.0, 5.1, 5.2]])
    train = Spectra(x, np.array([1, 2, 4]))

    for fit in (fit_lda, fit_svm):
        assert fit(train)(x + 0.01).tolist() == [1, 2, 4]


def test_stand_ins_have_the_labels_asked_for_and_wrong_ones_never(rng: np.random.Generator) -> None:
    held = Spectra(rng.normal(size=(12, 2)), np.repeat([1, 2, 3], [8, 3, 1]))
    labels = rng.permutation(np.repeat([1, 2, 3], [5, 40, 9]))
    rows = stand_ins(held, labels, rng)
    order, donors = wrong_contents(labels, rng)

    assert (held.y[rows] == labels).all()
    assert sorted(order) == list(range(len(labels)))
    assert (labels[donors] != labels).all()


def test_curves_are_read_between_levels_and_kept_in_range() -> None:
    curve = np.array([1.0, 0.9, 0.8, 0.6, 0.4, 0.2, 0.1])

    assert [read_curve(curve, score) for score in (2.0, 1.0, 0.95, 0.5, 0.1, 0.0)] == pytest.approx(
        [0, 0, 2.5, 30, 80, LEVELS[-1]]
    )
    assert read_curve(np.ones(7), 0.5) == 0


def test_samples_that_are_more_typical_than_real_ones_leave_their_wrong_labels_untold(
    toy_halves: Sets,
) -> None:
    train, held, rest = toy_halves
    means = {c: train.x[train.y == c].mean(axis=0) for c in train.counts}
    rng = np.random.default_rng(0)
    noisy = Spectra(held.x + rng.normal(0, 0.5 * held.x.std(axis=0), held.x.shape), held.y)
    score = reliability(train, noisy, Spectra(np.stack([means[c] for c in rest.y]), rest.y))[
        "agreement"
    ]

    assert score.value > score.ceiling
    assert score.wrong is score.wrong_interval is None
    assert score.why == "they score above real held-out samples"
    assert wrong_labels(score) == "cannot tell"


@pytest.mark.parametrize(
    ("value", "ceiling", "floor", "why"),
    [
        (70.0, 90.0, 20.0, ""),
        (91.0, 90.0, 20.0, ""),
        (19.0, 90.0, 20.0, ""),
        (96.0, 90.0, 20.0, "they score above real held-out samples"),
        (14.0, 90.0, 20.0, "they score below shuffled labels"),
        (75.5, 33.2, 74.5, "real held-out samples score hardly better than shuffled labels"),
        (22.0, 24.0, 20.0, "real held-out samples score hardly better than shuffled labels"),
    ],
)
def test_a_share_is_read_only_between_floor_and_ceiling(
    value: float, ceiling: float, floor: float, why: str
) -> None:
    rounds = np.array([-1.0, 0.0, 1.0])

    assert why_silent(value, ceiling, floor, value + rounds, ceiling + rounds) == why


def test_a_ceiling_that_chance_may_bring_to_the_floor_tells_nothing() -> None:
    rounds = np.array([-20.0, 0.0, 20.0])

    assert why_silent(50.0, 60.0, 20.0, 50 + rounds, 60 + rounds).startswith(
        "real held-out samples score hardly better"
    )
