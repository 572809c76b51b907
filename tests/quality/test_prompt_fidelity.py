"""Prompt fidelity: what a generator that reads prompts is asked for, and what is seen of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.metrics.spectra import fit_space
from hsiaug.quality.prompt_fidelity import (
    Amounts,
    Oracle,
    PixelTrees,
    choose_prompts,
    find_layouts,
    prompt_names,
    real_rates,
    searched_places,
    seen_rates,
    window_means,
)
from hsiaug.tasks.task import get_task
from hsiaug.trial.trial_run import SceneContext
from tests.quality.prompts import Reader

FEW = Amounts(alone=2, triples=6, layout=2, look=2)


@pytest.mark.parametrize("heeds", [True, False])
def test_what_is_said_is_seen_where_samples_heed_it(
    coded: Scene, spec: Callable[..., Any], heeds: bool
) -> None:
    split = SceneContext(coded, get_task("pixels")).views(spec()).split
    reader = Reader(coded.class_names, heeds=heeds)
    held_out = np.where(split.test, split.labels, np.int16(0))
    oracle = Oracle.of(coded.cube, held_out, split.hidden)
    assert oracle.right > 0.9
    names = prompt_names(reader, coded.class_ids, coded.class_names)
    layouts = find_layouts(names, oracle.scene_map, split.patch)
    prompts = choose_prompts(reader, layouts, FEW)
    texts = [prompt.text for prompt in prompts]
    x = reader.sample_prompts(texts, guidance=1.0, seed=0).x
    seen = seen_rates(x, prompts, oracle)
    real = real_rates(prompts, layouts, oracle, coded.cube)

    assert seen["centre"] > 0.9 and seen["not_said"] < 0.1
    assert real["centre"] > 0.9 and min(real["side"], real["never_said"]) > 0.5
    if heeds:
        assert min(seen["side"], seen["never_said"]) > 0.9
        assert seen["evenness"] == 1
    else:
        rates = ("side", "never_said")
        assert max(seen[name] for name in rates) < 0.1 and seen["evenness"] == 0.5
    # No wording of the share was understood.
    assert "share" not in {prompt.kind for prompt in prompts} and "share" not in seen


def test_of_a_large_scene_some_squares_are_searched_and_hidden_pixels_never() -> None:
    assert searched_places((48, 48)).all()
    places = searched_places((600, 700))
    assert 20_000 < places.sum() <= 40_000
    hidden = np.zeros((48, 48), dtype=bool)
    hidden[3] = True
    assert (searched_places((48, 48), hidden) == ~hidden).all()


def test_a_map_has_no_name_where_the_scene_was_not_looked_at(
    coded: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsiaug.quality.prompt_fidelity.TREES", 5)
    at = np.argwhere(coded.labels > 0)
    x, y = window_means(coded.cube, at), coded.labels[at[:, 0], at[:, 1]].astype(np.int64)
    places = np.zeros(coded.labels.shape, dtype=bool)
    places[:10] = True
    trees = PixelTrees.learn(fit_space(x), x, y, 0)
    named = trees.map_scene(coded.cube, places)
    assert (named[10:] == -1).all() and (named[:10] > 0).all()
