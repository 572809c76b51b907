"""Training from end to end: pseudo-labels, VAE, latents of the whole scene, denoiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import Progress, TrainView, derive_seed
from hsiaug_builtin.diffusion.latents import LatentNorm
from hsiaug_builtin.diffusion.training import Run, bf16_is_faster, train
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.teacher.choice import choose_trusted
from hsiaug_builtin.teacher.teacher import teach
from hsiaug_builtin.txt2hsi.denoiser import Denoiser, denoiser_of
from hsiaug_builtin.txt2hsi.field import Field
from hsiaug_builtin.txt2hsi.fitted import SCHEDULE, FittedTxt2Hsi
from hsiaug_builtin.txt2hsi.objective import Batches, DenoiserLoss, Encode
from hsiaug_builtin.txt2hsi.params import PSEUDO_MOST, PSEUDO_SHARE, Params
from hsiaug_builtin.txt2hsi.texts import Texts, encode_prompts
from hsiaug_builtin.txt2hsi.vae import Vae, fit_vae

VAE_PATCHES = 4096
BATCH = 256


@dataclass(frozen=True, eq=False)
class SceneRun(Run):
    """Shared by all stages of a training on a scene."""

    view: TrainView
    params: Params
    field: Field


def learn(
    view: TrainView, params: Params, seed: int, device: str, progress: Progress, checkpoint: Path | None = None
) -> FittedTxt2Hsi:
    """Everything that ``txt2hsi`` learns from a view."""
    run = SceneRun(seed, device, progress, checkpoint, view, params, Field.of(view, device))
    texts = encode_prompts(view, params.text, params.encoder)
    named = {c: view.coords[view.y == c] for c in view.counts}
    starts: Mapping[int, NDArray[np.int32]] = named
    pseudo: Mapping[int, NDArray[np.int32]] = {}
    if params.pseudo and len(view.unlabelled):
        votes = teach(view)
        rows = choose_trusted(votes.shares, PSEUDO_SHARE, PSEUDO_MOST, among=votes.attached)
        pseudo = {c: votes.pixels[own] for c, own in zip(votes.classes.tolist(), rows, strict=True)}
        # A classifier has the labelled pixels anyway: what starts from others shows it something else.
        starts = {c: pseudo[c] if len(pseudo[c]) else own for c, own in named.items()}
        named = {c: np.concatenate([own, pseudo[c]]) for c, own in named.items()}
    vae = _vae(run, named)
    field = run.field

    def encode(x: Tensor) -> Tensor:
        return x if params.network.reach == 1 else vae.encode(x)[0]

    if params.network.reach == 1:
        # A latent is of one pixel: all are computed once, and patches of latents are cut from them.
        field = field.mapped(lambda x: vae.encode(x)[0])
    norm = LatentNorm.fit(_latents(field, encode, np.concatenate(list(named.values()))))
    denoiser = _denoiser(run, named, texts, field, lambda x: norm.forward(encode(x)))
    facts = {"pseudo_labelled": {str(c): len(pixels) for c, pixels in pseudo.items()}}
    return FittedTxt2Hsi(params, vae, denoiser, norm, texts, run.field, starts, facts, device)


def _vae(run: SceneRun, named: Mapping[int, NDArray[np.int32]]) -> Vae:
    """The VAE of the scene: pixels where it works pixel by pixel, whole patches else."""
    view, params, device = run.view, run.params, run.device
    labelled = np.concatenate([named[c] for c in sorted(named)])
    target = np.concatenate([np.full(len(named[c]), i) for i, c in enumerate(sorted(named))])
    if params.network.reach == 1:
        # Every visible pixel, and once more those with a class, in front.
        pixels = np.concatenate([view.cube[labelled[:, 0], labelled[:, 1]], view.cube[view.visible]])
        x = torch.tensor(view.normaliser.spectra(pixels)[:, :, None, None], device=device)
    else:
        order = np.random.default_rng(derive_seed("vae", run.seed)).permutation(len(view.unlabelled))
        x = run.field.cut(np.concatenate([labelled, view.unlabelled[order[:VAE_PATCHES]]]))
    return fit_vae(x, torch.tensor(target, device=device), view.normaliser, params, run)


@torch.inference_mode()
def _latents(field: Field, encode: Encode, coords: NDArray[np.int32]) -> Tensor:
    """(n, d, p, p) latent means of patches."""
    return torch.cat([encode(field.cut(coords[start : start + BATCH])) for start in range(0, len(coords), BATCH)])


def _denoiser(
    run: SceneRun, named: Mapping[int, NDArray[np.int32]], texts: Texts, field: Field, encode: Encode
) -> Denoiser:
    """Semi-supervised training: patches with their class's text (dropped at times), patches with none."""
    params, device = run.params, run.device
    model = fresh(lambda: denoiser_of(params, run.view.patch, texts), run.seed).to(device)
    batches = Batches(field, named, run.view.unlabelled, params)
    loss = DenoiserLoss(model, encode, SCHEDULE.to(device), texts.to(device), batches, params, run.seed)
    steps, rate, ema, half = params.steps, params.rate, params.network.ema, bf16_is_faster(device)
    return train(
        model, loss, steps=steps, rate=rate, progress=run.progress, note="denoiser", ema=ema, half=half, fused=True,
        checkpoint=run.file("denoiser"),
    )  # fmt: skip
