"""What is learnt once for a scene, without a label: the VAE, codes of its patches, and the denoiser under these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import PluginError, Progress, TrainView, derive_seed, load_state, save_state
from hsiaug_builtin.diffusion.training import Run, bf16_is_faster, randomness, train
from hsiaug_builtin.nets import state, views
from hsiaug_builtin.nets.seeded import fresh, normal, to_device
from hsiaug_builtin.txt2hsi.codebook import Moments, find_codes
from hsiaug_builtin.txt2hsi.denoiser import Condition, Denoiser
from hsiaug_builtin.txt2hsi.field import Field, spectra_at
from hsiaug_builtin.txt2hsi.params import LOG_SIGMA, NO_CODE, Params
from hsiaug_builtin.txt2hsi.tokens import Tokens, sample_rows
from hsiaug_builtin.txt2hsi.vae import Codec, Vae, fit_vae

VAE_PIXELS, STATISTICS = 200_000, 4096
"""Pixels that the VAE learns from at most, and patches that statistics of tokens are taken of."""


@dataclass(frozen=True, eq=False)
class PreparedScene:
    """codes: (H, W) int16, −1 where a patch is not wholly visible.

    params: those that were read. patch: side in pixels.
    """

    params: Params
    patch: int
    vae: Vae
    tokens: Tokens
    moments: Moments
    codes: NDArray[np.int16]
    denoiser: Denoiser

    def save(self, folder: Path) -> None:
        """Write everything as safetensors and JSON."""
        arrays = {
            "codes": self.codes,
            "tokens": self.tokens.mean.cpu().numpy(),
            **state.weights(vae=self.vae, denoiser=self.denoiser),
        }
        save_state(folder, arrays, {"params": asdict(self.params), "patch": self.patch})

    @classmethod
    def restore(cls, folder: Path, device: str) -> PreparedScene:
        """Read what :meth:`save` wrote."""
        arrays, facts = load_state(folder)
        params, patch = Params(**facts["params"]), int(facts["patch"])
        vae, moments = restore_vae(arrays, params, device), restore_moments("denoiser", arrays)
        tokens = Tokens(patch, len(vae.log_variance), torch.tensor(arrays["tokens"], device=device))
        return cls(
            params,
            patch,
            vae,
            tokens,
            moments,
            arrays["codes"],
            state.restore("denoiser", arrays, lambda: denoiser_of(params, tokens, moments), device),
        )


def restore_moments(name: str, arrays: Mapping[str, NDArray[np.generic]]) -> Moments:
    """The moments of a saved denoiser."""
    return Moments(*(torch.tensor(arrays[f"{name}.{part}"]) for part in ("mean", "variance", "index")))


def restore_vae(arrays: Mapping[str, NDArray[np.generic]], params: Params, device: str) -> Vae:
    """The VAE among saved arrays."""
    latent, bands = arrays["vae.into.weight"].shape
    return state.restore("vae", arrays, lambda: Vae(bands, latent, params.network.vae_width), device)


def denoiser_of(params: Params, tokens: Tokens, moments: Moments, text: int = 0) -> Denoiser:
    """An untrained denoiser."""
    size = params.network
    return Denoiser(tokens, moments, size.width, size.depth, size.heads, text)


def loss_of(denoiser: Denoiser, params: Params, device: str) -> Callable[..., Tensor]:
    """Its loss, compiled on a GPU where the size says so."""
    if not (params.network.compiled and device.startswith("cuda")):
        return denoiser.loss
    compiled: Callable[..., Tensor] = torch.compile(denoiser.loss)
    return compiled


def learn_scene(
    view: TrainView, params: Params, seed: int, device: str, progress: Progress, checkpoint: Path | None
) -> PreparedScene:
    """Everything that needs no label. view: without labels, see :class:`hsiaug.api.Generator`."""
    if not len(view.unlabelled):
        raise PluginError(
            "txt2hsi needs pixels whose whole patch is visible",
            value=f"none, with patches of {view.patch} pixels",
            hint="Use smaller patches (`--patch`), or hide less of the scene.",
        )
    run, rng = Run(seed, device, progress, checkpoint), np.random.default_rng(seed)
    vae = fit_vae(codec_of(view, params, rng, device), params, run)
    with torch.inference_mode():
        scale = (vae.back.weight * torch.tensor(view.normaliser.std, device=device)[:, None]).norm(dim=0)
        field = Field.of(view, vae, device)
        codes = find_codes(field.latents, scale, view.unlabelled, view.patch, params.codes, seed)
        patches = field.cut(sample_rows(view.unlabelled, STATISTICS, rng))
        tokens = Tokens.fit(patches)
        moments = Moments.fit(tokens, field.cut, codes, view.unlabelled)
    denoiser = fresh(lambda: denoiser_of(params, tokens, moments), seed).to(device)
    error = loss_of(denoiser, params, device)

    def loss(step: int) -> Tensor:
        draw = randomness(seed, step)
        rng = np.random.default_rng(derive_seed("scene batch", seed, step))
        at = view.unlabelled[rng.integers(len(view.unlabelled), size=params.network.scene_batch)]
        code = codes[at[:, 0], at[:, 1]].astype(np.int64)
        code[rng.random(len(code)) < NO_CODE] = moments.no_code
        told = condition(torch.from_numpy(code), device)
        z = tokens.take(turn_patches(field.cut(at), rng))
        return error(z, draw_levels(len(z), draw, device), told, normal(z.shape, draw, device))

    size = params.network
    denoiser = train(
        denoiser, loss, steps=params.scene_steps, rate=size.scene_rate, progress=progress,
        note="denoiser of the scene", ema=size.scene_ema,
        half=bf16_is_faster(device), fused=True, checkpoint=run.file("scene"),
    )  # fmt: skip
    return PreparedScene(params, view.patch, vae, tokens, moments, codes, denoiser)


def codec_of(view: TrainView, params: Params, rng: np.random.Generator, device: str) -> Codec:
    """The loss of the VAE on visible pixels of a view."""
    pixels = sample_rows(np.argwhere(view.visible), VAE_PIXELS, rng)
    shift, scale = (torch.tensor(a, device=device) for a in (view.normaliser.mean, view.normaliser.std))
    return Codec(torch.tensor(spectra_at(view, pixels), device=device), shift, scale, params.network.vae_batch)


def condition(code: Tensor, device: str, rows: Tensor | None = None, label: Tensor | None = None) -> Condition:
    """What a denoiser is told, on its device; no text where there are no rows of prompts."""
    rows = torch.full_like(code, -1) if rows is None else rows
    label = torch.zeros_like(code) if label is None else label
    return Condition(*(to_device(each, device) for each in (code, rows, label)))


def draw_levels(count: int, draw: torch.Generator, device: str) -> Tensor:
    """(n,) log-normal noise levels of training (Karras et al. 2022, table 1)."""
    mean, std = LOG_SIGMA
    return to_device((mean + std * torch.randn(count, generator=draw)).exp(), device)


def turn_patches(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Patches (n, p, p, d), each under a random one of the eight symmetries of the square."""
    number = torch.from_numpy(rng.integers(views.SYMMETRIES, size=len(x)))
    square = torch.arange(x.shape[1] * x.shape[2]).reshape(x.shape[1:3])
    table = torch.stack([views.symmetry(square, each) for each in range(views.SYMMETRIES)]).flatten(1)
    rows = torch.arange(len(x), device=x.device)[:, None]
    return x.flatten(1, 2)[rows, to_device(table[number], x.device)].reshape(x.shape)
