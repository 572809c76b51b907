"""What is learnt once for a scene, without a label: the VAE, codes of its patches and their
Gaussians, and the denoiser under these codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import PluginError, Progress, TrainView, derive_seed, load_state, save_state
from hsiaug_builtin.diffusion.training import TrainingRun, bf16_is_faster, randomness, train
from hsiaug_builtin.nets import state
from hsiaug_builtin.nets.seeded import fresh, normal, to_device
from hsiaug_builtin.txt2hsi.codebook import Conditioning, Gaussians, find_codes, fit_gaussians
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.field import Field, spectra_at
from hsiaug_builtin.txt2hsi.frequencies import MIRRORS, mirror, to_frequencies
from hsiaug_builtin.txt2hsi.params import (
    LEAST_CHANNEL_WEIGHT,
    LOG_SIGMA,
    NO_CODE,
    CodingParams,
    Txt2HsiParams,
)
from hsiaug_builtin.txt2hsi.vae import CodecLoss, Vae, difference_axes, fit_vae

VAE_PIXELS = 200_000
"""Pixels that the VAE learns from, at most."""


@dataclass(frozen=True, eq=False)
class CodedScene:
    """A scene as latents, codes and Gaussians: all that is there before the denoiser.

    Attributes
    ----------
    vae : Vae
        Of its pixels.
    codes : (H, W) int16
        −1 where a patch is not wholly visible.
    gaussians : Gaussians
        Of the codes.
    """

    vae: Vae
    codes: NDArray[np.int16]
    gaussians: Gaussians

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore_coded_scene` reads."""
        return {
            "codes": self.codes,
            **state.weights(vae=self.vae, gaussians=self.gaussians),
        }


@dataclass(frozen=True, eq=False)
class PreparedScene:
    """A coded scene and the denoiser that was learnt on it.

    Attributes
    ----------
    params : Txt2HsiParams
        Those that were read.
    origin : str
        "learnt", or where else the state comes from.
    notes : tuple of str
        For the trial that prepared it.
    """

    params: Txt2HsiParams
    coded: CodedScene
    denoiser: Denoiser
    origin: str = "learnt"
    notes: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        """Write everything as safetensors and JSON."""
        weights = state.weights(denoiser=self.denoiser)
        # They are those of the coded scene.
        new_weights = {key: value for key, value in weights.items() if ".gaussians." not in key}
        facts = {"params": asdict(self.params), "origin": self.origin}
        save_state(folder, {**self.coded.arrays(), **new_weights}, facts)

    @classmethod
    def restore(cls, folder: Path, device: str) -> PreparedScene:
        """Read what `save` wrote."""
        arrays, facts = load_state(folder)
        params = Txt2HsiParams(**facts["params"])
        coded = restore_coded_scene(arrays, params.network.vae_width, device)
        denoiser = restore_denoiser("denoiser", arrays, coded.gaussians, params, device)
        return cls(params, coded, denoiser, facts["origin"])


def restore_coded_scene(
    arrays: Mapping[str, NDArray[Any]], vae_width: int, device: str
) -> CodedScene:
    """A coded scene from the arrays of `CodedScene.arrays`."""
    vae = restore_vae(arrays, vae_width, device)
    return CodedScene(vae, arrays["codes"], restore_gaussians("gaussians", arrays))


def restore_vae(arrays: Mapping[str, NDArray[Any]], width: int, device: str) -> Vae:
    """The VAE among saved arrays.

    Parameters
    ----------
    width : int
        Channels inside it.
    """
    latent, bands = arrays["vae.into.weight"].shape
    return state.restore("vae", arrays, lambda: Vae(bands, latent, width), device)


def restore_gaussians(name: str, arrays: Mapping[str, NDArray[Any]]) -> Gaussians:
    """The Gaussians among saved arrays, on the CPU."""
    return Gaussians(**{key: torch.tensor(a) for key, a in state.under(name, arrays).items()})


def restore_denoiser(
    name: str,
    arrays: Mapping[str, NDArray[Any]],
    gaussians: Gaussians,
    params: Txt2HsiParams,
    device: str,
    text: int = 0,
) -> Denoiser:
    """The denoiser of that name among saved arrays, which do not hold its Gaussians."""
    all_arrays = {**arrays, **state.weights(**{f"{name}.gaussians": gaussians})}
    weight = torch.tensor(arrays[f"{name}.weight"])
    return state.restore(
        name, all_arrays, lambda: untrained_denoiser(gaussians, weight, params, text), device
    )


def untrained_denoiser(
    gaussians: Gaussians, weight: Tensor, params: Txt2HsiParams, text: int = 0
) -> Denoiser:
    """A denoiser of the size that the params name, with Gaussians of its own."""
    size = params.network
    return Denoiser(gaussians.copy(), weight.clone(), size.width, size.depth, text)


def loss_of(denoiser: Denoiser, params: Txt2HsiParams, device: str) -> Callable[..., Tensor]:
    """Its loss, compiled on a GPU where the size says so."""
    if not (params.network.compiled and device.startswith("cuda")):
        return denoiser.loss
    compiled: Callable[..., Tensor] = torch.compile(denoiser.loss)
    return compiled


def code_scene(view: TrainView, params: CodingParams, run: TrainingRun) -> tuple[CodedScene, Field]:
    """The VAE of a scene, codes of its patches, and their Gaussians; and the scene as latents.

    Raises
    ------
    PluginError
        Where no pixel has a wholly visible patch.
    """
    if not len(view.unlabelled):
        raise PluginError(
            "txt2hsi needs pixels whose whole patch is visible",
            value=f"none, with patches of {view.patch} pixels",
            hint="Use smaller patches (`--patch`), or hide less of the scene.",
        )
    rng = np.random.default_rng(run.seed)
    vae = fit_vae(codec_of(view, params, rng, run.device), params, run)
    with torch.inference_mode():
        vae.rotate(difference_axes(Field.of(view, vae, run.device).latents))
        field = Field.of(view, vae, run.device)
        deviations = torch.tensor(view.normaliser.std, device=run.device)
        scale = (vae.back.weight * deviations[:, None]).norm(dim=0)
        scale = scale / scale.norm()
        pixels = view.unlabelled
        codes = find_codes(field.latents, scale, pixels, view.patch, params.codes, run.seed)
        gaussians = fit_gaussians(field.cut, codes, pixels)
    return CodedScene(vae, codes, gaussians), field


def learn_scene(
    view: TrainView,
    params: Txt2HsiParams,
    *,
    seed: int,
    device: str,
    progress: Progress,
    checkpoint: Path | None,
) -> PreparedScene:
    """Everything that needs no label.

    Parameters
    ----------
    view : TrainView
        Without labels, see `hsiaug.api.Generator`.
    """
    run = TrainingRun(seed, device, progress, checkpoint)
    coded, field = code_scene(view, params, run)
    weight = channel_weights(field.latents)
    denoiser = fresh(lambda: untrained_denoiser(coded.gaussians, weight, params), seed).to(device)
    error = loss_of(denoiser, params, device)
    size = params.network

    def loss(step: int) -> Tensor:
        torch_rng = randomness(seed, step)
        rng = np.random.default_rng(derive_seed("scene batch", seed, step))
        at = view.unlabelled[rng.integers(len(view.unlabelled), size=size.scene_batch)]
        code = coded.codes[at[:, 0], at[:, 1]].astype(np.int64)
        code[rng.random(len(code)) < NO_CODE] = coded.gaussians.no_code
        condition = condition_on(torch.from_numpy(code), device)
        x = to_frequencies(mirror_at_random(field.cut(at), rng))
        levels = noise_levels_of(len(x), torch_rng, device)
        return error(x, levels, condition, normal(x.shape, torch_rng, device))

    denoiser = train(
        denoiser,
        loss,
        steps=params.scene_steps,
        rate=size.scene_rate,
        progress=progress,
        note="denoiser of the scene",
        ema=size.scene_ema,
        half=bf16_is_faster(device),
        fused=True,
        checkpoint=run.file("scene"),
    )
    return PreparedScene(params, coded, denoiser)


def channel_weights(latents: Tensor) -> Tensor:
    """What errors count in each channel, (d,): the more, the more neighbouring pixels are alike.

    A channel of noise alone has no layout that could be learnt.
    """
    squares = latents.square()
    alike = torch.zeros(latents.shape[2], device=latents.device)
    pairs = ((latents[1:], latents[:-1]), (latents[:, 1:], latents[:, :-1]))
    for first, second in pairs:
        products = (first * second).nanmean(dim=(0, 1))
        alike += products / (2 * squares.nanmean(dim=(0, 1)).clamp(min=1e-12))
    weight = alike.nan_to_num().clamp(min=LEAST_CHANNEL_WEIGHT)
    return (weight / weight.mean()).cpu()


def codec_of(
    view: TrainView, params: CodingParams, rng: np.random.Generator, device: str
) -> CodecLoss:
    """The loss of the VAE on visible pixels of a view, the same whatever the units of the cube."""
    visible = np.argwhere(view.visible)
    pixels = visible[rng.choice(len(visible), size=min(VAE_PIXELS, len(visible)), replace=False)]
    spectra = spectra_at(view, pixels)
    # A constant band is 0 everywhere; its deviation is said to be 1, whatever the units.
    varying = spectra.any(axis=0)
    deviations = view.normaliser.std[varying].astype(np.float64)
    unit = float(np.sqrt(np.mean(deviations**2))) if varying.any() else 1.0
    scale = np.where(varying, view.normaliser.std / unit, 1.0).astype(np.float32)
    return CodecLoss(
        torch.tensor(spectra, device=device),
        torch.tensor(view.normaliser.mean / unit, device=device),
        torch.tensor(scale, device=device),
        params.network.vae_batch,
    )


def condition_on(
    code: Tensor, device: str, rows: Tensor | None = None, label: Tensor | None = None
) -> Conditioning:
    """A condition on its device; no text where there are no rows of prompts."""
    rows = torch.full_like(code, -1) if rows is None else rows
    label = torch.zeros_like(code) if label is None else label
    return Conditioning(*(to_device(tensor, device) for tensor in (code, rows, label)))


def noise_levels_of(count: int, rng: torch.Generator, device: str) -> Tensor:
    """Log-normal noise levels of training, (count,) (Karras et al. 2022, table 1)."""
    mean, std = LOG_SIGMA
    return to_device((mean + std * torch.randn(count, generator=rng)).exp(), device)


def mirror_at_random(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Patches (n, p, p, d), each mirrored along none, one or both of its axes."""
    return mirror(x, torch.from_numpy(rng.integers(MIRRORS, size=len(x))))
