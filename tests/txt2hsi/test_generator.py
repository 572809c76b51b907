"""The generator as a whole, at its tiny size."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hsiaug.api import InputError
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view, view_without_labels
from hsiaug.registry.card import build_params, preparing_params
from hsiaug.registry.lookup import registry
from hsiaug.trial.machine import counted_work
from hsiaug_builtin.text import prompts_of as prompts_of_view
from hsiaug_builtin.txt2hsi.facts import COLUMN
from hsiaug_builtin.txt2hsi.frequencies import to_pixels
from hsiaug_builtin.txt2hsi.params import SIZES

COUNTS = {1: 3, 2: 0, 4: 7}
FEW = {"vae_steps": 5, "scene_steps": 3, "steps": 3}
"""Of what is trained, where a test is not about how well."""


@pytest.fixture(scope="module")
def view(toy: Scene) -> TrainView:
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "scene")


def silent(*_: object) -> None:
    """Nobody watches."""


def plugin_of(preset: Any = "tiny", **settings: Any) -> Any:
    plugin = registry().find("generator", "txt2hsi").load()
    return plugin(
        build_params(plugin.card, preset, {name: str(value) for name, value in settings.items()})
    )


def prepare(
    view: TrainView, plugin: Any, progress: Any = silent, checkpoint: Path | None = None
) -> Any:
    shown = view_without_labels(view)
    return plugin.prepare(shown, seed=0, device="cpu", progress=progress, checkpoint=checkpoint)


def fit(
    view: TrainView, seed: int = 0, device: str = "cpu", preset: Any = "tiny", **settings: Any
) -> Any:
    plugin = plugin_of(preset, **settings)
    return plugin.fit(
        view, seed=seed, device=device, progress=silent, prepared=prepared_once(view, plugin)
    )


PREPARED: list[tuple[TrainView, Any, Any]] = []
"""Views, parameters that are read where a scene is prepared, and what was prepared with them."""


def prepared_once(view: TrainView, plugin: Any) -> Any:
    """Fits share what is prepared of a scene, as those of a run do."""
    read = preparing_params(plugin.params)
    for other, params, prepared in PREPARED:
        if other is view and params == read:
            return prepared
    PREPARED.append((view, read, prepare(view, plugin)))
    return PREPARED[-1][-1]


@pytest.fixture(scope="module", autouse=True)
def _forget_what_is_prepared() -> Iterator[None]:
    """It is large, and the process runs other tests after these."""
    yield
    PREPARED.clear()


@pytest.fixture(scope="module")
def fitted_and_work(view: TrainView) -> tuple[Any, Any]:
    """A fit at the tiny size, and what it computed."""
    PREPARED.clear()  # What it takes to prepare counts.
    with counted_work() as work:
        return fit(view), work


@pytest.fixture(scope="module")
def fitted(fitted_and_work: tuple[Any, Any]) -> Any:
    return fitted_and_work[0]


@pytest.fixture(scope="module")
def begun(view: TrainView) -> Any:
    """After a few steps."""
    return fit(view, **FEW)


def test_patches_are_encoded_and_decoded_in_scene_units(fitted: Any, view: TrainView) -> None:
    x = view.real.x
    back = fitted.reconstruct(x)
    back.check(x)

    assert back.probability is None
    assert (
        np.abs(back.images - x).mean()
        < 0.5 * np.abs(x - x.mean(axis=(0, 2, 3), keepdims=True)).mean()
    )


@pytest.mark.parametrize(
    "part",
    [
        {"rpsc": False},
        {"lfue": False},
        {"layout": False},
        {"pseudo": False},
        {"text": "number"},
        {"text": "fine"},
        {"text": "auto"},
        {"weight": 0.5},
    ],
)
def test_each_part_of_the_method_changes_what_is_made(
    view: TrainView, begun: Any, part: dict[str, Any]
) -> None:
    made = fit(view, **{**FEW, **part}).sample(COUNTS, guidance=0.0, seed=0)
    before = begun.sample(COUNTS, guidance=0.0, seed=0)

    assert len(made) == 10 and np.isfinite(made.x).all()
    assert (made.weight == np.float32(part.get("weight", 0.05))).all()
    assert (made.x != before.x).any() != ("weight" in part)


def prompts_of(view: TrainView, fitted: Any) -> list[str]:
    first, second = (fitted.words.names[c] for c in list(view.counts)[:2])
    return [first, f"{first} with {second} to the north", f"bright {second}"]


def test_words_share_the_attention_of_every_pixel(
    view: TrainView, fitted: Any, tmp_path: Path
) -> None:
    prompts = prompts_of(view, fitted)
    x = view.real.x[: len(prompts)]
    seen = fitted.attention(x, prompts)
    seen.check(x)

    assert [words[-1] for words in seen.words] == ["[nothing]"] * 3
    assert seen.words[1][:-1] == (*prompts[0].split(), *prompts[1].split()[-4:])
    for maps in seen.maps:
        assert (maps > 0).all()
        assert (maps != maps[:, :1, :1]).any(), "a pixel is a token, and has attention of its own"
    fitted.save(tmp_path)
    again = plugin_of().load(tmp_path, device="cpu").attention(x, prompts)
    assert again.words == seen.words and all(map(np.array_equal, again.maps, seen.maps))


def test_prompts_are_read_and_sampled_as_they_are_typed(view: TrainView, fitted: Any) -> None:
    prompts = prompts_of(view, fitted)
    readings = fitted.read_prompts([*prompts, f"please {prompts[0]}", f"not {prompts[0]}"])
    first, second = list(view.counts)[:2]

    assert [reading.centre for reading in readings] == [first, first, second, first, None]
    assert readings[1].places == (("north", second),) and readings[1].text == prompts[1]
    assert readings[2].looks == ("bright",)
    assert readings[3].ignored == ("please",) and not readings[3].faults
    assert readings[4].faults == ("“not” is not understood",)
    samples = fitted.sample_prompts(prompts, guidance=1.0, seed=0)
    assert samples.y.tolist() == [first, first, second] and np.isfinite(samples.x).all()
    with pytest.raises(InputError, match="a prompt must say what a patch shows"):
        fitted.sample_prompts(["snow"], guidance=1.0, seed=0)


def test_what_is_said_changes_what_is_made(view: TrainView, fitted: Any) -> None:
    alone, with_north, _ = prompts_of(view, fitted)
    made = [fitted.sample_prompts([p] * 4, guidance=1.0, seed=0).x for p in (alone, with_north)]

    assert (made[0] != made[1]).any()


def test_the_statistics_of_a_sample_are_drawn_before_its_structure(view, fitted) -> None:
    """LF-UE: channel means are as spread as those of the class, and known before denoising."""
    class_id = int(view.y[0])
    drawn = fitted.statistics.draw(np.full((50, 1 + 16), -1, np.int16), np.random.default_rng(0))
    assert drawn.shape == (50, 2, fitted.statistics.mean.shape[2] // 2)
    facts = np.full((400, len(COLUMN)), -1, dtype=np.int16)
    facts[:, COLUMN["centre"]] = class_id
    means = fitted.statistics.draw(facts, np.random.default_rng(0)).numpy().reshape(400, -1)
    row = int(np.flatnonzero(fitted.statistics.ids == class_id)[0])
    root = fitted.statistics.root[row, 0]
    np.testing.assert_allclose(
        means.std(axis=0), np.sqrt((root**2).sum(axis=0)), rtol=0.2, atol=1e-3
    )
    made = fitted.sample({class_id: 30}, guidance=0.0, seed=0).x
    without = replace(fitted, params=replace(fitted.params, lfue=False))
    assert (made != without.sample({class_id: 30}, guidance=0.0, seed=0).x).any()


def test_it_states_what_its_samples_are_like_and_draws_nothing_for_it(view, fitted, tmp_path):
    counts = {1: 8, 2: 20, 4: 12}
    made = fitted.sample(counts, guidance=0.0, seed=0)
    unmeasured = replace(fitted, measure=lambda x, y: {}).sample(counts, guidance=0.0, seed=0)
    fitted.save(tmp_path)
    again = plugin_of().load(tmp_path, device="cpu").sample(counts, guidance=0.0, seed=0)

    assert (made.x == unmeasured.x).all() and "measured" not in unmeasured.provenance
    stated, real = (made.provenance[key] for key in ("measured", "measured_real"))
    assert (
        set(stated)
        == set(real)
        >= {"density", "coverage", "purity", "nearer_training", "nearer_pool", "n"}
    )
    assert 2 <= stated["n"] <= 40 and stated["copies_pool"] == 0 and real["purity"] > 0.8
    assert again.provenance == made.provenance


def test_the_layout_of_its_samples_differs_from_that_of_shuffled_ones(view, fitted, rng) -> None:
    at = view.unlabelled[:: len(view.unlabelled) // 60][:60]
    real = view.patches(at)
    side = real.shape[2]
    order = rng.permutation(side * side)
    shuffled = real.reshape(*real.shape[:2], -1)[:, :, order].reshape(real.shape)
    y = np.resize(fitted.measure.patches.y, 60)
    of_real, of_shuffled = (fitted.measure(x, y) for x in (real, shuffled))

    for name in ("within_1", "within_2", "within_3", "edges"):
        assert name in of_real["measured_real"]
    assert of_real["measured"]["within_1"] > of_shuffled["measured"]["within_1"] + 0.2
    assert of_real["measured"]["edges"] < of_shuffled["measured"]["edges"]


def test_a_saved_fit_serves_other_weights_and_numbers_of_steps(
    view: TrainView, tmp_path: Path
) -> None:
    fit(view, **FEW).save(tmp_path)
    plugin = registry().find("generator", "txt2hsi").load()
    other = fit(view, **FEW, weight=0.5, sample_steps=3)
    again = plugin(other.params).load(tmp_path, device="cpu").sample(COUNTS, guidance=1.0, seed=3)

    made = other.sample(COUNTS, guidance=1.0, seed=3)
    assert (again.x == made.x).all() and (again.weight == np.float32(0.5)).all()


@pytest.mark.parametrize(("protocol", "scope"), [("issd", "none"), ("hidden:0.5:issd", "scene")])
def test_it_works_with_less_to_see(toy: Scene, protocol: str, scope: Any) -> None:
    view = train_view(toy, draw_split(toy, parse_protocol(protocol), 0, 5), scope)

    assert len(fit(view, **FEW).sample(COUNTS, guidance=1.0, seed=0)) == 10


def test_what_is_prepared_depends_on_no_label(toy: Scene, view: TrainView, tmp_path: Path) -> None:
    names = tuple(reversed(view.class_names))
    permuted = replace(
        view, y=view.y[::-1].copy(), class_names=names, coords=view.coords[::-1].copy()
    )
    other = train_view(toy, draw_split(toy, parse_protocol("issd"), 1, 5), "scene")
    for number, one in enumerate((view, permuted, other)):
        prepare(one, plugin_of(**FEW)).save(tmp_path / str(number))

    first, *others = ((tmp_path / str(n) / "state.safetensors").read_bytes() for n in range(3))
    assert others == [first, first]


@pytest.fixture
def bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """The denoiser computes as on a GPU that has bfloat16."""
    for module in ("prepare", "fit", "fitted"):
        monkeypatch.setattr(f"hsiaug_builtin.txt2hsi.{module}.bf16_is_faster", lambda device: True)


@pytest.mark.usefixtures("bfloat16")
def test_the_paper_preset_learns_and_samples_in_bfloat16_when_shrunk(view, monkeypatch):
    small = {"vae_width": 16, "width": 16, "depth": 2, "scene_batch": 8, "batch": 8, "vae_batch": 8}
    shrunk = replace(SIZES["paper"], **small)
    monkeypatch.setitem(SIZES, "paper", shrunk)
    short = {"latent": 4, "vae_steps": 2, "scene_steps": 2, "steps": 2, "sample_steps": 2}
    fitted = fit(view, preset="paper", **short)
    made = fitted.sample(COUNTS, guidance=1.5, seed=0)

    assert {weights.dtype for weights in fitted.denoiser.parameters()} == {torch.float32}
    assert made.x.dtype == np.float32 and len(made) == 10 and np.isfinite(made.x).all()
    assert (fitted.sample(COUNTS, guidance=0.0, seed=0).x != made.x).any()


def test_the_automatic_sentences_are_a_file_that_is_read_again(
    view: TrainView, tmp_path: Path
) -> None:
    (tmp_path / "prompts.toml").write_text(plugin_of().write_sentences(view))

    assert prompts_of_view(view, f"file:{tmp_path / 'prompts.toml'}") == prompts_of_view(
        view, "auto"
    )


def test_of_several_samples_the_one_is_kept_that_shows_what_is_said(
    view: TrainView, fitted: Any
) -> None:
    """The reader learnt spectra of named pixels: patches that hold what is said are found."""
    named = np.unique(view.y)[:2]
    pure = np.stack([view.patches(view.coords[view.y == c][:1])[0, :, 2, 2] for c in named])
    patches = np.tile(pure[:, :, None, None], (1, 1, 5, 5))
    patches[0, :, :1] = pure[1][:, None, None]  # the other class to the north
    facts = np.full((2, len(COLUMN)), -1, dtype=np.int16)
    facts[:, COLUMN["centre"]] = named[0]
    facts[:, COLUMN["north"]] = named[1]
    latents = to_pixels(fitted._encode(patches))
    found = fitted.reader.find_said(latents, facts)
    assert found[0] > found[1]
    facts[:, COLUMN["north"]] = -1
    facts[:, COLUMN["south"]] = named[1]
    assert found[0] > fitted.reader.find_said(latents, facts)[0]


def test_more_tries_show_more_of_what_is_said(fitted: Any) -> None:
    y = np.repeat(fitted.ids, 20)
    prompts = [fitted.words.names[c] for c in y.tolist()]
    facts = np.full((len(y), len(COLUMN)), -1, dtype=np.int16)
    facts[:, COLUMN["centre"]] = y
    found = []
    for tries in (1, 4):
        several = replace(fitted, params=replace(fitted.params, best_of=tries))
        samples = several.sample_prompts(prompts, guidance=0.0, seed=0)
        found.append(fitted.reader.find_said(to_pixels(fitted._encode(samples.x)), facts).mean())
    assert found[1] > found[0]


def test_samples_of_a_benchmark_are_not_chosen(fitted: Any) -> None:
    """On some scenes a classifier learns less from chosen ones."""
    several = replace(fitted, params=replace(fitted.params, best_of=4))
    first = replace(fitted, params=replace(fitted.params, best_of=1))
    counts = {int(c): 3 for c in fitted.ids}
    x, y = (one.sample(counts, guidance=0.0, seed=0).x for one in (several, first))
    assert np.array_equal(x, y)
