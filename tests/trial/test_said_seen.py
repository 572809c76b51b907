"""Said and seen in trials: what a generator that reads prompts is asked for, and what records
state.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

import hsiaug.trial.run as run_module
from hsiaug.api import PatchSamples, PromptReading
from hsiaug.bench.blind_data import BlindData
from hsiaug.core.scene import Scene
from hsiaug.registry.isolation.processes import await_fork_server
from hsiaug.tasks.draws import PixelDraws
from hsiaug.tasks.task import get_task
from hsiaug.trial.oracle import Oracle, PixelTrees, searched_places
from hsiaug.trial.prompts import (
    ALONE,
    NEVER,
    SAID,
    Amounts,
    choose_prompts,
    find_layouts,
    prompt_names,
    read_prompted,
    sample_prompts,
)
from hsiaug.trial.record import COLUMNS, SAID_AND_SEEN, fault_of
from hsiaug.trial.said_seen import (
    PromptJudge,
    asked_counts,
    judged_elsewhere,
    real_rates,
    seen_rates,
)
from hsiaug.trial.trial_run import SceneContext

STRIPS: dict[str, Any] = {
    "north": np.s_[:2],
    "south": np.s_[-2:],
    "west": np.s_[:, :2],
    "east": np.s_[:, -2:],
}
FEW = Amounts(alone=2, triples=6, layout=2, look=2, looks=("evenness", "share"))


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


@pytest.fixture
def coded_context(coded: Scene) -> SceneContext:
    return SceneContext(coded, get_task("pixels"))


@pytest.fixture
def reader(plugins: Any, coded: Scene, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """What the generator ``dummy`` answers prompts with."""
    monkeypatch.setattr("hsiaug.trial.prompts.AMOUNTS", FEW)
    reader = Reader(coded.class_names)
    module: Any = sys.modules[plugins.find("generator", "dummy").load().__module__]
    for name in ("read_prompts", "sample_prompts"):
        method = getattr(reader, name)
        monkeypatch.setattr(
            module.Fitted, name, lambda _, *a, m=method, **k: m(*a, **k), raising=False
        )
    return reader


@pytest.mark.parametrize("heeds", [True, False])
def test_what_is_said_is_seen_and_by_chance_alone_where_texts_are_permuted(
    coded: Scene, spec: Callable[..., Any], heeds: bool
) -> None:
    split = SceneContext(coded, get_task("pixels")).views(spec()).split
    reader = Reader(coded.class_names, heeds=heeds)
    oracle = Oracle.of(coded.cube, PixelDraws().test_classes(split), split.hidden)
    assert oracle.right > 0.9
    names = prompt_names(reader, coded.class_ids, coded.class_names)
    layouts = find_layouts(names, oracle.scene_map, split.patch)
    _, samples = sample_prompts(reader, choose_prompts(reader, layouts, FEW), 1.0, 0)
    seen, real = seen_rates(samples, oracle), real_rates(samples, layouts, oracle, coded.cube)

    assert seen["centre"] > 0.9 and seen["not_said"] < 0.1 and seen["never_said_not"] < 0.1
    assert real["centre"] > 0.9 and min(real["side"], real["never_said"]) > 0.5
    assert real["permuted"] < real["side"] / 2
    if heeds:
        assert min(seen["side"], seen["never_said"]) > 0.9
        assert seen["other_side"] < 0.1 and seen["permuted"] < 0.6 and seen["evenness"] == 1
    else:
        rates = ("side", "never_said", "other_side", "permuted")
        assert max(seen[name] for name in rates) < 0.1 and seen["evenness"] == 0.5
    # No wording of the share was understood.
    assert asked_counts(samples)["share"] == 0 and "share" not in seen


def test_a_record_states_what_is_seen_of_what_is_said(run, spec, coded_context, reader) -> None:
    record, _ = run(spec(), coded_context)
    said = record["said_and_seen"]
    assert fault_of(record, record["hash"]) is None
    assert said.keys() <= set(SAID_AND_SEEN)
    assert said["centre"] > 0.9 and said["oracle"] > 0.9 and said["samples"] > 20
    assert record["timings"]["said_and_seen"] > 0
    stated = {c.name: c.value(said) for c, name in COLUMNS.items() if name == "said_and_seen"}
    assert stated["text_centre"] == said["centre"]

    again, _ = run(spec(), coded_context)
    assert again["said_and_seen"] == said


def test_predictions_are_those_of_a_generator_that_is_asked_for_nothing(
    run, spec, coded_context, reader, monkeypatch
) -> None:
    _, (_, asked) = run(spec(), coded_context)
    monkeypatch.setattr("hsiaug.trial.run.ask_prompts", lambda *_: None)
    record, (_, silent) = run(spec(), coded_context)
    assert "said_and_seen" not in record
    np.testing.assert_array_equal(asked, silent)


def test_a_fit_is_asked_once_for_each_omega(run_all, spec, coded_context, reader, plugins) -> None:
    trials = [spec(lam=lam, omega=omega) for omega in (None, 2.0) for lam in (1.0, 0.5)]
    outcomes = run_all(trials, coded_context)
    assert [omega for omega, _ in reader.asked] == [None, 2.0]
    assert [outcome.prompted is not None for outcome in outcomes] == [True, False, True, False]


def test_what_is_sent_once_stands_in_the_records_of_all_trials_of_the_fit(
    run_all, spec, coded, coded_context, reader, plugins
) -> None:
    trials = [spec(lam=lam, omega=omega) for omega in (None, 2.0) for lam in (1.0, 0.5)]
    judge = PromptJudge(coded)
    said = [
        judge.said_and_seen(trial, coded_context.views(trial).split, outcome.prompted)
        for trial, outcome in zip(trials, run_all(trials, coded_context), strict=True)
    ]
    assert said[0] and said[0] == said[1] and said[2] and said[2] == said[3]


def test_a_process_without_the_labels_of_the_scene_judges_alike(
    run_all, spec, coded, coded_context, reader, plugins
) -> None:
    (outcome,) = run_all([spec()], coded_context)
    split = coded_context.views(spec()).split
    await_fork_server()
    judge = partial(judged_elsewhere, threading.Event(), BlindData(coded))

    said = [
        one.said_and_seen(spec(), split, outcome.prompted)
        for one in (PromptJudge(coded, judge), PromptJudge(coded))
    ]
    assert said[0] and said[0] == said[1]


def test_samples_of_a_trial_that_fails_are_sent_by_the_next(
    run_all, spec, coded_context, reader, plugins, monkeypatch
) -> None:
    predict, failing = run_module.predict, iter([True])

    def fail_once(*words: Any) -> Any:
        if next(failing, False):
            raise ValueError("as planned")
        return predict(*words)

    monkeypatch.setattr(run_module, "predict", fail_once)
    outcomes = run_all([spec(lam=lam) for lam in (1.0, 0.5)], coded_context)
    assert outcomes[0].failed and outcomes[0].prompted is None
    assert outcomes[1].prompted is not None and len(reader.asked) == 1


def test_a_generator_that_takes_no_prompts_has_none(run, spec, coded_context) -> None:
    record, _ = run(spec(), coded_context)
    assert "said_and_seen" not in record and "said_and_seen" not in record["timings"]


def test_prompts_that_fail_cost_a_note_and_no_trial(run, spec, coded_context, reader) -> None:
    reader.names = ()
    record, _ = run(spec(), coded_context)
    assert record["status"] == "ok" and "said_and_seen" not in record
    assert "not measured" in record["notes"][-1] and "dummy raised" in record["notes"][-1]


def test_samples_pass_between_processes_and_what_does_not_fit_is_refused(coded: Scene) -> None:
    reader = Reader(coded.class_names)
    names = prompt_names(reader, coded.class_ids, coded.class_names)
    layouts = find_layouts(names, coded.labels.astype(np.int64), 5)
    _, samples = sample_prompts(reader, choose_prompts(reader, layouts, FEW), 1.0, 0)
    sent = read_prompted(samples.to_bytes())
    assert np.array_equal(sent.x, samples.x)
    assert [sent.triples(kind) for kind in (SAID, NEVER)] == [
        samples.triples(kind) for kind in (SAID, NEVER)
    ]
    assert len(sent.rows(ALONE)) == 2 * len(names)

    for changes in (
        {"x": samples.x[1:]},
        {"x": samples.x.astype(np.float64)},
        {"x": samples.x * np.float32(np.nan)},
        {"side": samples.side + np.int16(4)},
        {"kind": samples.kind.astype(np.int64)},
    ):
        with pytest.raises(ValueError):
            replace(samples, **changes)
    with pytest.raises(ValueError, match="no samples of prompts"):
        read_prompted(b"nothing")


def test_samples_of_another_shape_than_the_draw_are_not_judged(coded, spec, toy) -> None:
    reader = Reader(coded.class_names)
    layouts = find_layouts({1: coded.class_names[0]}, coded.labels.astype(np.int64), 5)
    _, samples = sample_prompts(reader, choose_prompts(reader, layouts, FEW), 1.0, 0)
    split = SceneContext(toy, get_task("pixels")).views(spec()).split
    assert PromptJudge(toy).said_and_seen(spec(), split, samples) == {}


def test_of_a_large_scene_some_squares_are_searched_and_hidden_pixels_never() -> None:
    assert searched_places((48, 48)).all()
    places = searched_places((600, 700))
    assert 20_000 < places.sum() <= 40_000
    hidden = np.zeros((48, 48), dtype=bool)
    hidden[3] = True
    assert (searched_places((48, 48), hidden) == ~hidden).all()


def test_a_map_has_no_name_where_the_scene_was_not_looked_at(coded: Scene) -> None:
    from hsiaug.metrics.spectra import fit_space
    from hsiaug.trial.oracle import window_means

    at = np.argwhere(coded.labels > 0)
    x, y = window_means(coded.cube, at), coded.labels[at[:, 0], at[:, 1]].astype(np.int64)
    places = np.zeros(coded.labels.shape, dtype=bool)
    places[:10] = True
    trees = PixelTrees.learn(fit_space(x), x, y, trees=5)
    named = trees.map_scene(coded.cube, places)
    assert (named[10:] == -1).all() and (named[:10] > 0).all()
