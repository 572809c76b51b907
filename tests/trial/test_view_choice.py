"""The spectral view that a draw chooses: inside its training pixels, by the same rule for every
arm.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.core.scene import Scene
from hsiaug.core.view_names import AUTO, RAW, VIEWS, best_view
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.tasks.task import get_task
from hsiaug.tasks.view_choice import spatial_folds, view_scores
from hsiaug.trial.spec import TrialSpec

TASK = get_task("pixels")


def lit(light: np.ndarray) -> Scene:
    """Two classes of a spectral shape each, side by side, under light (24, 24)."""
    rng = np.random.default_rng(0)
    shapes = np.array([[1.0, 2, 3, 2, 1, 2], [1.0, 2.2, 2.8, 2.2, 1.2, 2.0]])
    labels = np.repeat([[1] * 12 + [2] * 12], 24, axis=0).astype(np.int16)
    cube = shapes[labels - 1] * light[:, :, None] + rng.normal(0, 0.02, (24, 24, 6))
    return Scene("lit", cube.astype(np.float32), labels, ("one", "two"))


def scores_of(scene: Scene, seed: int = 0) -> dict[str, float]:
    split = TASK.draws.split(scene, parse_protocol("issd:0.2", "none"), seed, 3)
    return view_scores(TASK.draws.view(scene, split, "none"))


def test_where_light_differs_over_the_ground_a_view_without_it_is_chosen() -> None:
    rows = np.linspace(0.3, 3, 24)[:, None] * np.linspace(1, 2, 24)
    scores = scores_of(lit(rows))
    assert list(scores) == list(VIEWS)
    assert best_view(scores) != RAW and scores["unit"] > scores[RAW]


def test_where_all_do_equally_well_raw_is_chosen() -> None:
    scores = scores_of(lit(np.ones((24, 24))))
    assert scores[RAW] == 1 and best_view(scores) == RAW


def test_labels_and_spectra_of_test_pixels_change_no_score() -> None:
    scene = lit(np.linspace(0.3, 3, 24)[:, None] * np.ones((1, 24)))
    split = TASK.draws.split(scene, parse_protocol("issd:0.2", "none"), 0, 3)
    other = replace(
        scene,
        cube=np.where(split.train[:, :, None], scene.cube, 7),
        labels=np.where(split.train, scene.labels, 1),
    )
    assert view_scores(TASK.draws.view(scene, split, "none")) == view_scores(
        TASK.draws.view(other, split, "none")
    )


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=40, unique=True
    ),
    st.randoms(),
)
def test_neighbours_stay_together_where_a_class_has_several_clumps(
    places: list[Any], random: Any
) -> None:
    coords = np.array(places)
    y = np.array([random.choice((1, 2)) for _ in places])
    fold = spatial_folds(coords, y, 5)
    for c in np.unique(y):
        mine = fold[y == c]
        if len(mine) == 1:
            assert mine[0] == -1
            continue
        # Both folds hold some of each class, so that every held-out pixel's class is trained on.
        assert set(mine) == {0, 1}
        near = np.abs(coords[y == c][:, None] - coords[y == c]).max(axis=2) < 5
        reached = np.linalg.matrix_power(near.astype(float), len(mine)) > 0
        if not reached.all():
            assert (mine[:, None] == mine)[reached].all()


def test_one_clump_is_cut_across_its_longer_side() -> None:
    coords = np.argwhere(np.ones((2, 10), dtype=bool))
    fold = spatial_folds(coords, np.ones(20, dtype=int), 9)
    assert len({*fold[coords[:, 1] < 5]}) == len({*fold[coords[:, 1] >= 5]}) == 1


def test_a_record_holds_the_choice_and_its_scores_and_arms_share_it(spec, run, context):
    records = [run(spec(generator, view=AUTO))[0] for generator in ("none", "dummy")]
    found = [record["spectral_view"] for record in records]
    assert found[0] == found[1] and found[0]["name"] == best_view(found[0]["scores"])
    assert [record["spec"]["view"] for record in records] == [AUTO, AUTO]
    named = run(spec("none", view=found[0]["name"]))[0]
    assert named["predictions_sha256"] == records[0]["predictions_sha256"]


def test_raw_trials_keep_their_hashes(spec: Callable[..., TrialSpec]) -> None:
    assert "view" not in spec().as_json() and spec(view=RAW).hash == spec().hash
    assert len({spec(view=view).hash for view in (*VIEWS, AUTO)}) == len(VIEWS) + 1
    assert spec(view="unit").fit_hash == spec().fit_hash


@pytest.mark.parametrize("view", VIEWS)
def test_all_that_a_classifier_is_given_is_in_one_view(spec, context, view):
    trial = spec("none", view=view)
    views = context.views(trial)
    spectra = views.spectra(view)
    seen = views.of_classifier("scene", spectra, trial.train)
    raw = views.of("scene")
    assert seen.bands == spectra.bands(raw.bands)
    assert np.array_equal(seen.real.x, spectra(raw.real.x, axis=1))
    assert np.array_equal(
        seen.patches(seen.unlabelled[:9]), spectra(raw.patches(raw.unlabelled[:9]), axis=1)
    )
    assert len(seen.normaliser.mean) == seen.bands
    assert np.array_equal(np.isnan(seen.cube).any(axis=2), ~seen.visible)
