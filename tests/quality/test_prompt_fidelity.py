"""Prompt fidelity: what a generator that reads prompts is asked for, and what is seen of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hsiaug.api import PatchSamples, PromptReading
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

STRIPS: dict[str, Any] = {
    "north": np.s_[:2],
    "south": np.s_[-2:],
    "west": np.s_[:, :2],
    "east": np.s_[:, -2:],
}
FEW = Amounts(alone=2, triples=6, layout=2, look=2)


class Reader:
    """Reads "NAME" and "NAME with NAME to the SIDE", before or after "even" and the like.

    Parameters
    ----------
    heeds : bool
        Whether samples show more than the class of the centre.
    """

    def __init__(self, names: Sequence[str], *, heeds: bool = True) -> None:
        self.names, self.heeds = names, heeds
        self.asked: list[tuple[float | None, int]] = []

    def classes_of(self, prompt: str) -> list[int]:
        """Ids of the classes of a prompt, that of the centre first."""
        found = [c for c, name in enumerate(self.names, start=1) if name in prompt]
        return sorted(found, key=lambda c: prompt.index(self.names[c - 1]))

    def read_prompts(self, prompts: Sequence[str]) -> tuple[PromptReading, ...]:
        """What lies to the south was never said."""
        return tuple(
            PromptReading(
                prompt,
                self.classes_of(prompt)[0],
                looks=("even",) if "even" in prompt or "mixed" in prompt else (),
                never_said=prompt.endswith("south"),
            )
            for prompt in prompts
        )

    def sample_prompts(self, prompts: Sequence[str], *, guidance: Any, seed: int) -> PatchSamples:
        self.asked.append((guidance, seed))
        x = np.zeros((len(prompts), len(self.names), 5, 5), dtype=np.float32)
        rng = np.random.default_rng(seed)
        for patch, prompt in zip(x, prompts, strict=True):
            centre, *others = self.classes_of(prompt)
            patch[centre - 1] = 1
            if others and self.heeds:
                strip = STRIPS[prompt.split()[-1]]
                patch[(centre - 1, *np.atleast_1d(strip))] = 0
                patch[(others[0] - 1, *np.atleast_1d(strip))] = 1
            if "mixed" in prompt and self.heeds:
                patch += rng.normal(0, 0.1, patch.shape)
        return PatchSamples.made(x, np.array([self.classes_of(p)[0] for p in prompts]), {})


@pytest.fixture(scope="module")
def coded(toy: Scene) -> Scene:
    """The toy scene with a band per class that is bright just there."""
    cube = np.stack([toy.labels == c for c in toy.class_ids], axis=2).astype(np.float32)
    return replace(toy, cube=cube + 0.01 * toy.cube[..., :5], wavelengths=None)


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
