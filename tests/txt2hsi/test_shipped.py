"""The network that comes with hsiaug, and the control without a network."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hsiaug.api import InputError, PluginError
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view, view_without_labels
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug_builtin.txt2hsi import shipped
from hsiaug_builtin.txt2hsi.denoiser import Denoiser, Said
from tests.in_process import run_trials_here


def silent(*_: object) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def learnt() -> Denoiser:
    return shipped.shipped_scene().denoiser


def adapted(learnt: Denoiser, side: int, channels: int) -> Denoiser:
    table = torch.rand(side, side, channels) + 0.5
    return shipped.adapt(learnt, 0 * table, table, torch.ones(channels))


def denoised(network: Denoiser) -> torch.Tensor:
    """Of two patches, and a table of two nouns."""
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(2, *network.mean.shape, generator=rng)
    said = Said(torch.tensor([[0], [1]]), torch.zeros(2, 1, dtype=torch.int64), torch.zeros(2))
    nouns = torch.randn(2, 96, generator=rng)
    with torch.inference_mode():
        return network.eval()(x, torch.full((2,), 2.0), said, nouns)[0]


def test_the_same_moments_leave_the_network_as_it_is(learnt: Denoiser) -> None:
    same = shipped.adapt(learnt, learnt.mean, learnt.variance, learnt.weight)

    assert torch.equal(denoised(same), denoised(learnt))


@pytest.mark.parametrize(("side", "channels"), [(1, 40), (5, 3), (9, 1), (15, 40)])
def test_it_serves_other_patches_and_fewer_channels(
    learnt: Denoiser, side: int, channels: int
) -> None:
    network = adapted(learnt, side, channels)
    clean = denoised(network)

    assert clean.shape == (2, side, side, channels) and clean.isfinite().all()
    assert len(network.in_proj.weight[0]) == 2 * channels


def test_a_scene_needs_no_training_but_of_the_vae(toy: Scene, tmp_path: Path) -> None:
    view = train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "scene")
    plugin: Any = registry().find("generator", "txt2hsi").load()
    generator = plugin(replace(plugin.card.params(), vae_steps=5, sample_steps=2))
    notes = []

    def watch(done: int, total: int, note: str = "") -> None:
        notes.append(note)

    prepared = generator.prepare(view_without_labels(view), seed=0, device="cpu", progress=watch)
    prepared.save(tmp_path)
    again = generator.load_prepared(tmp_path, device="cpu")
    made = [
        generator.fit(view, seed=0, device="cpu", progress=silent, prepared=one).sample(
            {1: 3, 3: 4}, guidance=None, seed=0
        )
        for one in (prepared, again)
    ]

    assert set(notes) <= {"VAE", ""} and prepared.origin == shipped.ORIGIN
    assert np.isfinite(made[0].x).all() and (made[0].x == made[1].x).all()
    assert made[0].provenance["prepared"] == shipped.ORIGIN


def test_the_scene_that_it_learnt_has_the_vae_that_it_learnt_with() -> None:
    scene = load_scene("indian_pines")
    view = train_view(scene, draw_split(scene, parse_protocol("issd"), 0, 9), "scene")
    plugin: Any = registry().find("generator", "txt2hsi").load()
    learnt = shipped.shipped_scene()

    prepared = plugin(plugin.card.params()).prepare(
        view_without_labels(view), seed=1, device="cpu", progress=silent
    )

    for name, weights in learnt.vae.state_dict().items():
        assert torch.equal(weights, prepared.vae.state_dict()[name]), name


@pytest.mark.parametrize("other", [{"rpsc": "false"}, {"layout": "false"}, {"latent": "41"}])
def test_what_it_did_not_learn_needs_a_training(other: dict[str, str]) -> None:
    card = registry().find("generator", "txt2hsi").load().card
    (name,) = other

    with pytest.raises(InputError, match=f"has another {name}") as caught:
        build_params(card, "cpu", other)
    assert "scene_steps=4000" in str(caught.value)
    build_params(card, "cpu", {**other, "scene_steps": "10"})


@pytest.mark.parametrize("name", ["state.json", "state.safetensors", shipped.CHECKSUM])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(shipped.FOLDER, tmp_path / "copy")
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])

    with pytest.raises(PluginError, match="cannot be read"):
        shipped.shipped_scene(folder)


@pytest.mark.usefixtures("few_rounds", "few_prompts")
def test_gaussian_runs_unasked_beside_txt2hsi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hsiaug

    run_trials_here(monkeypatch)

    run = hsiaug.benchmark(
        "toy",
        ["txt2hsi"],
        ["svm"],
        lambdas=[1],
        seeds=1,
        patch=5,
        preset="tiny",
        store=tmp_path / "store",
    )
    frame = run.frame()

    assert {"txt2hsi", "gaussian", "pseudo"} <= set(frame.generator)
    records = [json.loads(p.read_text()) for p in (tmp_path / "store").rglob("record.json")]
    baselines = {r["spec"]["generator"]["name"]: r.get("baseline") for r in records}
    assert baselines["txt2hsi"] == "gaussian" and baselines["gaussian"] is None
