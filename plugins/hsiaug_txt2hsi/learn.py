"""Training from end to end: pseudo-labels, VAE, latents of the whole scene, denoiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import InputError, PluginError, Progress, TrainView, did_you_mean
from hsiaug_diffusion.latents import LatentNorm
from hsiaug_diffusion.training import fresh, train
from hsiaug_txt2hsi.denoiser import Denoiser
from hsiaug_txt2hsi.fitted import FittedTxt2Hsi, schedule_of
from hsiaug_txt2hsi.lfue import Scope as Uncertainty
from hsiaug_txt2hsi.lfue import perturbed
from hsiaug_txt2hsi.params import Params
from hsiaug_txt2hsi.pseudo import confident, fit_probe, spread_votes
from hsiaug_txt2hsi.rpsc import Mode as Clipping
from hsiaug_txt2hsi.rpsc import clip
from hsiaug_txt2hsi.texts import Texts, encoded_prompts
from hsiaug_txt2hsi.vae import Vae, VaeData, fit_vae, spectral_angle

__all__ = ["learn"]

TEMPERATURE = 4.0
SPREAD, ROUNDS = 0.95, 60
VAE_PATCHES = 4096


def learn(view: TrainView, params: Params, seed: int, device: str, progress: Progress) -> FittedTxt2Hsi:
    """Everything that ``txt2hsi`` learns from a view."""
    check_words(params)
    texts = encoded_prompts(view, params.text, params.encoder)
    probe, votes = fit_probe(view, TEMPERATURE)
    named = {c: view.coords[view.y == c] for c in view.counts}
    believed: Mapping[int, NDArray[np.int32]] = {}
    if params.pseudo and len(view.unlabelled):
        votes = spread_votes(votes, view, probe, SPREAD, ROUNDS)
        believed = confident(votes, view, probe.classes, params.pseudo_most, params.pseudo_share)
        named = {c: np.concatenate([own, believed[c]]) for c, own in named.items()}
    vae = _vae(view, params, named, seed, device, progress)
    angle = _reconstruction(vae, view, device)
    if angle > params.gate:
        raise PluginError(
            f"the VAE must reconstruct training patches to {params.gate:g}° of spectral angle on average",
            value=f"{angle:g}°",
            mend="Raise --set txt2hsi.vae_steps or txt2hsi.latent, or the gate itself with txt2hsi.gate.",
        )
    with torch.inference_mode():
        norm = LatentNorm.fitted(_latents(vae, view, np.concatenate(list(named.values())), device))
    denoiser = _denoiser(view, params, named, texts, vae, norm, seed, device, progress)
    facts: dict[str, Any] = {
        "reconstruction_sam_degrees": angle,
        "pseudo_labelled": {str(c): len(pixels) for c, pixels in believed.items()},
        "text": params.text,
        "encoder": params.encoder,
        "text_sources": list(texts.sources),
    }
    return FittedTxt2Hsi.built(view, params, vae, denoiser, norm, texts, probe, named, facts, device)


def check_words(params: Params) -> None:
    """Raise InputError for a mode that does not exist."""
    for name, known in (("rpsc", get_args(Clipping)), ("lfue", get_args(Uncertainty))):
        value = getattr(params, name)
        if value not in known:
            raise InputError(
                f"--set txt2hsi.{name} must be one of {', '.join(known)}",
                value=repr(value),
                mend=did_you_mean(value, known),
            )


def _vae(
    view: TrainView,
    params: Params,
    named: Mapping[int, NDArray[np.int32]],
    seed: int,
    device: str,
    progress: Progress,
) -> Vae:
    """The VAE of the scene: pixels where it works pixel by pixel, whole patches else."""
    ids = sorted(named)
    labelled = np.concatenate([named[c] for c in ids])
    target = np.concatenate([np.full(len(named[c]), i) for i, c in enumerate(ids)])
    rng = np.random.default_rng(seed)
    if params.reach == 1:
        # Every visible pixel, and once more those with a class, so that they can be found by row.
        pixels = np.concatenate([view.cube[labelled[:, 0], labelled[:, 1]], view.cube[view.visible]])
        x = view.normaliser.spectra(pixels)[:, :, None, None]
    else:
        others = view.unlabelled[rng.permutation(len(view.unlabelled))[:VAE_PATCHES]]
        x = view.normaliser.patches(view.patches(np.concatenate([labelled, others])))
    data = VaeData(
        x=torch.tensor(x, device=device),
        named=torch.arange(len(labelled), device=device),
        target=torch.tensor(target, device=device),
        classes=len(ids),
        mean=torch.tensor(view.normaliser.mean, device=device),
        std=torch.tensor(view.normaliser.std, device=device),
    )
    return fit_vae(
        data,
        latent=params.latent,
        width=params.vae_width,
        reach=params.reach,
        kl=params.kl,
        angle=params.angle,
        class_weight=params.class_weight,
        steps=params.vae_steps,
        batch=params.vae_batch,
        rate=params.vae_rate,
        seed=seed,
        progress=progress,
    )


@torch.inference_mode()
def _latents(vae: Vae, view: TrainView, coords: NDArray[np.int32], device: str) -> Tensor:
    """(n, d, p, p) latent means of patches."""
    parts = []
    for start in range(0, len(coords), 256):
        x = view.normaliser.patches(view.patches(coords[start : start + 256]))
        parts.append(vae.encode(torch.from_numpy(x).to(device))[0])
    return torch.cat(parts)


def _reconstruction(vae: Vae, view: TrainView, device: str) -> float:
    """Mean spectral angle in degrees between training patches and their reconstructions."""
    x = view.real.x
    with torch.inference_mode():
        out = vae(torch.from_numpy(view.normaliser.patches(x)).to(device)).cpu().numpy()
    return round(spectral_angle(torch.from_numpy(x), torch.from_numpy(view.normaliser.patches_back(out))), 3)


@dataclass(frozen=True, eq=False)
class _Batches:
    """Draws training batches: patches of random classes, then unlabelled ones, all clipped and turned."""

    view: TrainView
    params: Params
    named: Mapping[int, NDArray[np.int32]]
    rng: np.random.Generator

    def draw(self) -> tuple[NDArray[np.float32], Tensor]:
        """x (n, B, p, p), z-scored, and the class id of each, −1 where it has none."""
        ids = sorted(self.named)
        classes = [ids[i] for i in self.rng.integers(len(ids), size=self.params.labelled)]
        coords = [self.named[c][self.rng.integers(len(self.named[c]))] for c in classes]
        free = self.params.unlabelled if len(self.view.unlabelled) else 0
        if free:
            coords += list(self.view.unlabelled[self.rng.integers(len(self.view.unlabelled), size=free)])
        x = self.view.normaliser.patches(self.view.patches(np.stack(coords)))
        donors = x[self.rng.permutation(len(x))]
        mode: Clipping = self.params.rpsc  # type: ignore[assignment]
        x = turned(clip(x, donors, mode, self.params.rpsc_share, self.rng), self.rng)
        return x, torch.tensor([*classes, *[-1] * free])


def _denoiser(
    view: TrainView,
    params: Params,
    named: Mapping[int, NDArray[np.int32]],
    texts: Texts,
    vae: Vae,
    norm: LatentNorm,
    seed: int,
    device: str,
    progress: Progress,
) -> Denoiser:
    """Semi-supervised training: patches with their class's text (dropped at times), patches with none."""
    schedule = schedule_of(params)
    size = (params.latent, view.patch, texts.tokens.shape[2], params.width, params.depth, params.heads)
    model = fresh(lambda: Denoiser(*size), seed).to(device)
    tokens, mask = texts.tokens.to(device), texts.mask.to(device)
    draw = torch.Generator().manual_seed(seed)
    batches = _Batches(view, params, named, np.random.default_rng(seed))
    # Sampling starts at this noise level, so more noise than that need not be learnt.
    most = max(1, round(params.strength * params.noise_steps))
    scope: Uncertainty = params.lfue  # type: ignore[assignment]

    def loss(step: int) -> Tensor:
        x, label = batches.draw()
        with torch.no_grad():
            z = norm.forward(vae.encode(torch.from_numpy(x).to(device))[0])
            if batches.rng.random() < params.lfue_share:
                z = perturbed(z, label.to(device), scope, 1.0, draw)
        t = torch.randint(most, (len(z),), generator=draw).to(device)
        noise = torch.randn(z.shape, generator=draw).to(device)
        rows = texts.choose(label[: params.labelled], draw).to(device)
        blank = torch.rand(len(z), generator=draw) < params.drop
        blank[params.labelled :] = True
        text, seen = with_null(model, tokens[rows], mask[rows], blank.to(device))
        out: Tensor = model(schedule.noised(z, t, noise), t, text, seen)
        return (out - schedule.velocity(z, t, noise)).square().mean()

    return train(
        model, loss, steps=params.steps, rate=params.rate, progress=progress, note="denoiser", ema=params.ema
    )


def with_null(model: Denoiser, text: Tensor, mask: Tensor, blank: Tensor) -> tuple[Tensor, Tensor]:
    """Texts (m, L, E) for the first m of n patches, the null text where ``blank`` (n,) says so or no text is left."""
    n, (m, length, width) = len(blank), text.shape
    null, _ = model.null_text(n)
    length = max(length, null.shape[1])
    out = text.new_zeros(n, length, width)
    seen = torch.zeros(n, length, dtype=torch.bool, device=text.device)
    out[:m, : text.shape[1]], seen[:m, : text.shape[1]] = text, mask
    keep = (~blank)[:, None, None].float()
    padded = torch.nn.functional.pad(null, (0, 0, 0, length - null.shape[1]))
    null_seen = torch.arange(length, device=text.device)[None] < null.shape[1]
    return out * keep + padded * (1 - keep), torch.where(blank[:, None], null_seen, seen)


def turned(x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Each patch under one of the eight symmetries of the square."""
    out = np.empty_like(x)
    for i, k in enumerate(rng.integers(8, size=len(x))):
        patch = np.rot90(x[i], k % 4, (1, 2))
        out[i] = patch[:, :, ::-1] if k >= 4 else patch
    return out
