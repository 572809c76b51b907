"""Training from end to end: the codec, its check, latents of every tile in every turn, the
denoiser.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from hsiaug.api import DenseView, Progress, derive_seed
from hsiaug_builtin.diffusion.latents import LatentNorm
from hsiaug_builtin.diffusion.training import bf16_is_faster, randomness, replayed, train
from hsiaug_builtin.nets.seeded import fresh, to_device
from hsiaug_builtin.nets.views import SYMMETRIES
from hsiaug_builtin.specdm.codec import IMAGE_VAE, Codec, TwoStream, fit_codec
from hsiaug_builtin.specdm.codec_losses import losses_of
from hsiaug_builtin.specdm.losses import Losses
from hsiaug_builtin.specdm.params import (
    DROP,
    NOISE_STEPS,
    LatentParams,
    PaperParams,
    QuiltParams,
    knows_shares,
    predicts_noise,
)
from hsiaug_builtin.specdm.prepare import PreparedImages
from hsiaug_builtin.specdm.sampler import SCHEDULE
from hsiaug_builtin.specdm.training_pairs import PairRun, turned
from hsiaug_builtin.specdm.unet import UNet
from hsiaug_builtin.specdm.vae import StreamVae

BATCH = 64
DENOISER = "denoiser"
"""Its name in the progress."""
CACHE = 2**31
"""Bytes of latents that are kept; more tiles are kept in fewer turns each."""
WEIGHTS_PER_TILE = 10_000
"""Weights of the denoiser per tile above which samples are likely to repeat training tiles."""


def fit_pairs(
    view: DenseView,
    params: PaperParams | QuiltParams,
    codec_class: type[Codec],
    losses: Losses,
    *,
    prepared: PreparedImages | None,
    seed: int,
    device: str,
    progress: Progress,
    checkpoint: Path | None,
) -> dict[str, object]:
    """All fields of :class:`hsiaug_builtin.specdm.fitted_pairs.FittedLatentPairs`."""
    run = PairRun.of(
        view,
        params,
        losses,
        seed=seed,
        device=device,
        progress=progress,
        checkpoint=checkpoint,
        images=None if prepared is None else prepared.format,
    )
    images = None if prepared is None else prepared.stream
    assert images is None or isinstance(images, StreamVae)
    steps = {codec_class.trained: params.vae_steps, DENOISER: params.steps}
    if isinstance(params, PaperParams) and issubclass(codec_class, TwoStream) and images is None:
        steps = {IMAGE_VAE: params.image_steps, **steps}
    run = run.of_stages(steps)
    codec = fit_codec(codec_class, run, images=images)
    latents = _latents(codec, run)
    norm = LatentNorm.fit(latents.flatten(0, 1))
    latents = torch.stack([norm.forward(z) for z in latents])
    denoiser = _denoiser(run, latents, codec.weights())
    weights = sum(p.numel() for p in denoiser.parameters())
    facts = {
        **losses_of(codec, run),
        "scale": run.format.scale,
        "shift": run.format.shift,
        "tiles": len(run.pairs),
        "unlabelled_tiles": 0 if prepared is None else prepared.tiles,
        "denoiser_weights": weights,
        "denoiser_weights_per_tile": round(weights / len(run.pairs)),
        "may_memorise": weights / len(run.pairs) > WEIGHTS_PER_TILE or len(run.pairs) < 500,
    }
    return {
        "params": params,
        "format": run.format,
        "codec": codec,
        "denoiser": denoiser,
        "norm": norm,
        "shares": run.pairs.shares.numpy(),
        # Tile i was kept in turn i where there was no room for all turns: as good a start as any
        # other.
        "latents": latents[0].contiguous().cpu().numpy(),
        "facts": facts,
        "device": device,
    }


@torch.inference_mode()
def _latents(codec: Codec, run: PairRun) -> Tensor:
    """(v, n, d, h, w) latent means of every tile in v turns: all of them where they fit; tile i in
    turn i + v else.
    """
    pairs = run.pairs
    form = run.format

    def encoded(view: int) -> Tensor:
        parts = []
        for rows in torch.split(torch.arange(len(pairs)), BATCH):
            turns = [(int(row) + view) % SYMMETRIES if turned(run.params) else 0 for row in rows]
            parts.append(
                codec.encode(
                    run.cut(pairs.x, rows, turns), form.one_hot(run.cut(pairs.y, rows, turns))
                )
            )
        return torch.cat(parts)

    first = encoded(0)
    most = SYMMETRIES if turned(run.params) else 1
    views = min(most, max(1, CACHE // (first.numel() * first.element_size())))
    return torch.stack([first, *(encoded(view) for view in range(1, views))])


def _denoiser(run: PairRun, latents: Tensor, weights: Tensor | None) -> UNet:
    """The velocity v of noised latents is learnt, which learns faster than the noise where there is
    much of it, or the noise ε. A share of tiles is not told its classes.
    """
    params = run.params
    assert isinstance(params, LatentParams)
    pairs = run.pairs
    views, _, channels, side, _ = latents.shape
    schedule = SCHEDULE.to(run.device)
    model = fresh(lambda: UNet(params.network, channels, side, pairs.shares.shape[1]), run.seed).to(
        run.device
    )
    conditions = torch.cat([pairs.shares, torch.ones(len(pairs), 1)], dim=1)
    seed = derive_seed("denoiser", run.seed)
    velocity = replayed(model, run.device)

    def loss(step: int) -> Tensor:
        rng = randomness(seed, step)
        rows, turns = run.rows(rng)
        view = torch.tensor(turns) % views
        z = latents[to_device(view, run.device), to_device(rows, run.device)]
        t = torch.randint(NOISE_STEPS, (len(rows),), generator=rng)
        noise = run.noise(z, rng)
        drop = DROP if knows_shares(params) else 1.0
        shares = conditions[rows] * (torch.rand(len(rows), 1, generator=rng) >= drop)
        t = to_device(t, run.device)
        out = velocity(schedule.add_noise(z, t, noise), t, to_device(shares, run.device))
        aim = noise if predicts_noise(params) else schedule.velocity(z, t, noise)
        return run.losses.denoiser(out.float(), aim, weights)

    return train(
        model,
        loss,
        steps=params.steps,
        rate=params.rate,
        progress=run.progress,
        note=DENOISER,
        ema=params.network.ema,
        half=bf16_is_faster(run.device),
        fused=True,
        checkpoint=run.file("denoiser"),
    )
