"""``hsiaug_builtin.teacher``: features, the weighted discriminant, votes for what a view shows,
which are trusted.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from hsiaug.core.samples import Patches
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug_builtin.nets.grid import grid_graph, spread
from hsiaug_builtin.nets.svm import fit_machine
from hsiaug_builtin.semisup.discriminant import fit_discriminant
from hsiaug_builtin.teacher.choice import LEAST, choose_trusted, margins
from hsiaug_builtin.teacher.classifier import TeacherClassifier
from hsiaug_builtin.teacher.features import plane_of
from hsiaug_builtin.teacher.noise import WITHIN, fit_noise_projection
from hsiaug_builtin.teacher.teacher import fit_teacher, teach
from hsiaug_builtin.teacher.voters import average_alike


def view_of(toy: Scene, scope: str, patch: int = 5) -> TrainView:
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, patch), scope)


def test_votes_are_for_every_unlabelled_pixel_and_beat_chance_by_far(
    toy: Scene, seen: TrainView
) -> None:
    votes = teach(seen)
    assert np.array_equal(votes.pixels, seen.unlabelled) and votes.classes.tolist() == sorted(
        seen.counts
    )
    assert votes.shares.sum(axis=1) == pytest.approx(np.ones(len(seen.unlabelled)))
    rows = choose_trusted(votes.shares, 0.5, 30)
    right = [toy.labels[tuple(votes.pixels[own].T)] for own in rows]
    share = [
        (true[true > 0] == c).mean()
        for c, true in zip(votes.classes, right, strict=True)
        if (true > 0).any()
    ]
    assert np.mean(share) > 0.7


def test_the_classifier_names_shown_pixels_by_their_votes_and_others_by_their_patches(
    toy: Scene,
) -> None:
    view = view_of(toy, "scene", 9)
    shown = replace(view, unlabelled=view.unlabelled[::2])  # the other half is hidden
    fitted = TeacherClassifier(None).fit(
        shown.real, shown, seed=0, device="cpu", progress=lambda *_: None
    )
    votes = teach(shown)
    named = fitted.predict(Patches(shown.patches(votes.pixels), votes.pixels))
    assert np.array_equal(named, votes.classes[votes.shares.argmax(axis=1)])

    hidden = view.unlabelled[1::2]
    there = Patches(view.patches(hidden), hidden)
    columns = [c - 1 for c in votes.classes]
    assert np.allclose(
        fitted.predict_proba(there)[:, columns], fitted.shares_alone(there), atol=1e-6
    )
    true = toy.labels[tuple(hidden.T)]
    assert ((fitted.predict(there) == true)[true > 0]).mean() > 0.6


def test_all_who_ask_for_the_teacher_of_a_draw_get_the_same_one_fitted_once(
    seen: TrainView,
) -> None:
    first, again = fit_teacher(seen), fit_teacher(seen, seen.real)
    other = fit_teacher(replace(seen))
    assert first is again and other is not first and np.array_equal(other.shares, first.shares)
    fewer = fit_teacher(seen, seen.real.take(np.arange(len(seen.y)) % 2 == 0))
    assert not np.array_equal(fewer.shares, first.shares) and fit_teacher(seen) is first


@pytest.mark.parametrize("sure", [0.0, 1.1])
def test_shares_are_averaged_only_where_left_out_pixels_are_not_told_surely(
    seen, monkeypatch, sure
):
    monkeypatch.setattr("hsiaug_builtin.teacher.teacher.SURE", sure)
    seen = replace(seen)  # a view that has no teacher yet
    pool, pixels = fit_teacher(seen), seen.unlabelled
    alone = pool.shares_alone(Patches(seen.patches(pixels), pixels))
    assert np.allclose(pool.shares[tuple(pixels.T)], alone, atol=1e-3) == (
        not pool.facts["averaged"]
    )
    assert pool.facts["averaged"] == (sure > 1) and 0 < pool.facts["left_out_share"] <= 1


def test_where_nothing_can_be_left_out_the_voters_alone_are_asked_and_shares_are_averaged(
    toy: Scene,
) -> None:
    view = train_view(toy, draw_split(toy, parse_protocol("kshot:1"), 0, 5), "scene")
    facts = teach(view).facts
    assert facts["averaged"] is True and facts["left_out_share"] is None
    assert facts["weights"][-1] == 0 < min(facts["weights"][:-1]), (
        "nothing says how far svm can be trusted"
    )


def test_of_many_labels_it_learns_one_of_each_class_in_turn(seen, monkeypatch):
    monkeypatch.setattr("hsiaug_builtin.teacher.teacher.MAX_TRAINING_PIXELS", 20)
    learnt = []
    monkeypatch.setattr(
        "hsiaug_builtin.teacher.teacher.fit_pool",
        lambda _, samples, *__, **___: learnt.append(samples),
    )
    fit_teacher(replace(seen))
    assert len(seen.y) > len(learnt[0]) == 20
    counts, there = np.bincount(learnt[0].y)[1:], np.bincount(seen.y)[1:]
    assert (counts >= np.minimum(there, counts.max() - 1)).all()


def test_attached_pixels_touch_a_training_pixel_of_their_name_through_pixels_of_that_name(seen):
    votes = teach(seen)
    named = dict(
        zip(
            map(tuple, votes.pixels.tolist()),
            votes.classes[votes.shares.argmax(axis=1)].tolist(),
            strict=True,
        )
    )
    reached = dict(zip(map(tuple, seen.coords.tolist()), seen.y.tolist(), strict=True))
    queue = list(reached)
    while queue:
        row, column = queue.pop()
        for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if near not in reached and named.get(near) == reached[row, column]:
                reached[near] = reached[row, column]
                queue.append(near)
    assert votes.attached.any() and not votes.attached.all()
    assert votes.attached.tolist() == [
        pixel in reached for pixel in map(tuple, votes.pixels.tolist())
    ]


@pytest.mark.parametrize(("protocol", "scope"), [("hidden:0.5:issd", "scene"), ("issd", "none")])
def test_a_teacher_reads_what_the_view_shows_and_names_nothing_else(
    toy: Scene, protocol: str, scope: str
) -> None:
    view = train_view(toy, draw_split(toy, parse_protocol(protocol), 0, 5), scope)
    votes = teach(view)
    assert np.array_equal(votes.pixels, view.unlabelled) and np.isfinite(votes.shares).all()
    assert view.visible[tuple(votes.pixels.T)].all() and len(votes.pixels) == len(view.unlabelled)


@given(
    st.integers(1, 5),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
    st.floats(0, 1),
    st.none() | st.integers(1, 20),
)
def test_pixels_are_believed_once_at_most_the_widest_margins_of_each_class_first(
    k, n, seed, share, most
):
    shares = np.random.default_rng(seed).dirichlet(np.ones(k), n)
    rows, margin = choose_trusted(shares, share, most), margins(shares)
    assert len(rows) == k and len(np.unique(np.concatenate(rows))) == sum(map(len, rows))
    for column, own in enumerate(rows):
        named = np.flatnonzero(shares.argmax(axis=1) == column)
        asked = max(LEAST, round(share * len(named)))
        assert len(own) == min(len(named), asked, most or asked) and np.isin(own, named).all()
        left = np.setdiff1d(named, own)
        assert not len(left) or not len(own) or margin[own].min() >= margin[left].max() - 1e-12
    drawn = choose_trusted(shares, share, most, np.random.default_rng(0))
    assert [len(own) for own in drawn] == [len(own) for own in rows]


def test_a_vote_that_another_processor_rounds_otherwise_exchanges_no_other_pixels():
    shares = np.random.default_rng(3).dirichlet(np.ones(4), 400)
    moved = shares + np.random.default_rng(4).normal(scale=1e-9, size=shares.shape)
    moved[7] = np.roll(shares[7], 1)  # now of another class
    for one, other in zip(
        *(choose_trusted(x, 0.9, 30, np.random.default_rng(0)) for x in (shares, moved)),
        strict=True,
    ):
        assert len(np.setdiff1d(one, other)) <= 2


def noisy(seen: TrainView, noise: np.ndarray, apart: float = 0.0) -> TrainView:
    """Spectra that are noise of the given standard deviations (B,), with a border down the
    middle.
    """
    height, width, _ = seen.cube.shape
    cube = 1 + np.random.default_rng(0).normal(size=(height, width, len(noise))) * noise
    cube[:, width // 2 :] += apart
    return replace(seen, cube=cube.astype(np.float32), wavelengths=None)


def test_components_are_in_units_of_how_much_neighbours_differ_whatever_the_noise_of_a_band(seen):
    view = noisy(seen, np.array([0.01, 0.1, 0.001, 0.05]), apart=0.2)
    plane = plane_of(view, fit_noise_projection(view, 4))
    side = np.abs(
        plane[:, plane.shape[1] // 2 :, 0].mean() - plane[:, : plane.shape[1] // 2, 0].mean()
    )
    rest = np.diff(plane[:, : plane.shape[1] // 2], axis=0).std(axis=(0, 1)) / np.sqrt(2)
    # The pairs that differ most are not read, so the noise of the noisiest band is taken for less
    # than it is.
    assert ((rest > 0.9 / np.sqrt(WITHIN)) & (rest < 3 / np.sqrt(WITHIN))).all()
    assert side > 20 * rest[0]


def test_votes_are_averaged_with_neighbours_that_look_alike_and_not_across_a_border(
    seen: TrainView,
) -> None:
    pixels = np.argwhere(np.ones((9, 8), dtype=bool)).astype(np.int32)
    plane = np.zeros((9, 8, 2), dtype=np.float32)
    plane[:, 4:] = 50
    shares = np.random.default_rng(0).dirichlet([1, 1], len(pixels))
    found = average_alike(shares, pixels, plane)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(pixels)))
    left = (abs(pixels[:, 0] - 4) <= 2) & (pixels[:, 1] >= 1) & (pixels[:, 1] < 4)
    assert found[(pixels == [4, 3]).all(axis=1)][0] == pytest.approx(shares[left].mean(axis=0))


def test_one_label_a_class_is_enough_to_name_most_of_a_scene(toy: Scene) -> None:
    view = train_view(toy, draw_split(toy, parse_protocol("kshot:1"), 0, 5), "scene")
    votes = teach(view)
    true = toy.labels[tuple(votes.pixels.T)]
    named = votes.classes[votes.shares.argmax(axis=1)]
    assert (named == true)[true > 0].mean() > 0.7


def test_the_discriminant_weighs_a_sample_of_weight_two_like_two_samples():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)).astype(np.float32), np.repeat([1, 3, 4], 20)
    weight = np.where(np.arange(60) % 3, 1, 2).astype(np.float32)
    twice = np.repeat(np.arange(60), weight.astype(int))
    weighed, repeated = (
        fit_discriminant(x, y, weight),
        fit_discriminant(x[twice], y[twice], np.ones(80, np.float32)),
    )
    assert np.allclose(
        weighed.centres @ weighed.centres.T,
        repeated.centres @ repeated.centres.T,
        rtol=0.15,
        atol=0.05,
    )
    inner = weighed.coordinates(x)
    assert inner.shape == (60, 2)


def test_the_grid_joins_neighbours_that_are_there_weakly_across_a_border():
    coords = np.array([[0, 0], [0, 1], [0, 2], [2, 2]], dtype=np.int32)
    graph = grid_graph(coords, np.array([[0.0], [0.1], [5.0], [5.0]], dtype=np.float32)).toarray()
    assert np.array_equal(graph > 0, graph.T > 0) and (graph[3] == 0).all() and graph[0, 2] == 0
    assert graph[0, 1] > 0.9 > 0.5 > graph[1, 2] > 0
    votes = np.array([[1.0, 0], [0.5, 0.5], [0, 1], [0.3, 0.7]])
    found = spread(votes, grid_graph(coords, np.zeros((4, 1), dtype=np.float32)), 0.9, 50)
    assert np.allclose(found.sum(axis=1), 1) and found[0, 0] < 1 and np.allclose(found[3], votes[3])


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_scores_of_the_machine_are_those_of_sklearn(rng: np.random.Generator, classes: int) -> None:
    y = np.arange(60) % classes + 1
    x = (rng.normal(size=(60, 4)) + y[:, None]).astype(np.float32)
    machine = fit_machine(x, y, np.ones(60, dtype=np.float32), cost=10.0, reach=0.1)
    kernel = rbf_kernel(x.astype(np.float64), gamma=machine.gamma)
    theirs = (
        SVC(C=10.0, kernel="precomputed", random_state=0).fit(kernel, y).decision_function(kernel)
    )

    scores = machine.scores(x)
    assert len(machine.support) < len(x)
    assert scores == pytest.approx(
        theirs if classes > 2 else np.stack([-theirs, theirs], axis=1), abs=1e-12
    )
