"""The autoencoders of pairs: two streams that share nothing (SpecDM), or one of everything (its baseline)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hsiaug.api import derive_seed
from hsiaug_diffusion.angles import mean_angle
from hsiaug_diffusion.training import randomness, train
from hsiaug_nets.seeded import fresh
from hsiaug_specdm.params import Params, SpecDmParams
from hsiaug_specdm.tileformat import TileFormat
from hsiaug_specdm.training_pairs import PairRun
from hsiaug_specdm.vae import STEM, StreamVae

__all__ = ["Codec", "OneStream", "TwoStream", "fit_one_stream", "fit_two_stream"]


class Codec(nn.Module):
    """Between pairs and their joint latents. split: the first latent channels that are the images' alone."""

    split: int

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        """Latent means (n, d, h, w) of images (n, T·B, P, P) and masks (n, K, P, P)."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, T·B, P, P) and shares of classes (n, K, P, P), which sum to 1."""
        raise NotImplementedError


class TwoStream(Codec):
    """A VAE of the images and a VAE of the mask, whose latents are only laid side by side."""

    def __init__(self, form: TileFormat, params: SpecDmParams) -> None:
        super().__init__()
        self.split = params.latent_image
        how: dict[str, Any] = {
            "factor": params.factor_of(form.side),
            "unshuffle": params.unshuffle,
            "blocks": params.vae_blocks,
        }
        dates = form.dates if params.cd_encoder == "shared" else 1
        self.split -= self.split % dates
        self.image = StreamVae(
            form.channels, self.split, width=params.vae_width, dates=dates, linear=params.linear, **how
        )
        classes = len(form.ids)
        self.mask = StreamVae(classes, params.latent_mask, width=params.mask_width, stem=classes, **how)

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return torch.cat([self.image.encode(x)[0], self.mask.encode(one_hot)[0]], dim=1)

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.image.decode(z[:, : self.split]), self.mask.decode(z[:, self.split :]).softmax(dim=1)


class OneStream(Codec):
    """One VAE of image and one-hot mask; its latents cannot be told apart, and are as many as the two streams'."""

    def __init__(self, form: TileFormat, params: Params) -> None:
        super().__init__()
        self.split = 0
        self.bands, classes = form.channels, len(form.ids)
        self.both = StreamVae(
            form.channels + classes,
            params.latent_image + params.latent_mask,
            width=params.vae_width,
            factor=params.factor_of(form.side),
            unshuffle=params.unshuffle,
            blocks=params.vae_blocks,
            stem=STEM + classes,
            linear=params.linear,
        )

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return self.both.encode(torch.cat([x, one_hot], dim=1))[0]

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        out = self.both.decode(z)
        # One-hot values, not scores: the largest is the class, its part of what is above 0 the confidence.
        shares = out[:, self.bands :].clamp(min=1e-6)
        return out[:, : self.bands], shares / shares.sum(dim=1, keepdim=True)


def fit_two_stream(run: PairRun) -> TwoStream:
    """L1 + λ·angle + KL for the images, cross-entropy + KL for the mask (eqs. 1, 2), one after the other: the sum of
    losses that share no weight is trained the same apart."""
    params, form, pairs = run.params, run.format, run.pairs
    assert isinstance(params, SpecDmParams)
    codec = fresh(lambda: TwoStream(form, params), run.seed)
    codec.image.fit_input(pairs.x.cpu())
    codec = codec.to(run.device)

    def image_loss(out: Tensor, x: Tensor) -> Tensor:
        value = (out - x).abs().mean()
        if params.sad:
            value = value + params.sad * mean_angle(form.apart(x), form.apart(out), dim=2)
        return value

    def masks(rows: Tensor, turns: list[int]) -> Tensor:
        return form.one_hot(run.cut(pairs.y, rows, turns))

    _fit_stream(run, codec.image, lambda rows, turns: run.cut(pairs.x, rows, turns), image_loss, "image VAE")
    _fit_stream(run, codec.mask, masks, lambda out, y: cross_entropy(out, y), "mask VAE")
    return codec


def fit_one_stream(run: PairRun) -> OneStream:
    """Plain L1 over all channels, of bands and of the one-hot mask alike, + KL."""
    form, pairs = run.format, run.pairs
    codec = fresh(lambda: OneStream(form, run.params), run.seed)
    codec.both.fit_input(torch.cat([pairs.x.cpu(), form.one_hot(pairs.y.cpu())], dim=1))
    codec = codec.to(run.device)

    def read(rows: Tensor, turns: list[int]) -> Tensor:
        return torch.cat([run.cut(pairs.x, rows, turns), form.one_hot(run.cut(pairs.y, rows, turns))], dim=1)

    _fit_stream(run, codec.both, read, lambda out, x: (out - x).abs().mean(), "VAE")
    return codec


def _divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence from a standard normal, the mean per latent number."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def _fit_stream(
    run: PairRun,
    vae: StreamVae,
    read: Callable[[Tensor, list[int]], Tensor],
    loss: Callable[[Tensor, Tensor], Tensor],
    note: str,
) -> None:
    """Train ``vae`` where it is. read(rows, turns): a batch. loss(out, batch): without the Kullback-Leibler term."""
    params = run.params
    seed = derive_seed(note, run.seed)

    def value(step: int) -> Tensor:
        draw = randomness(seed, step)
        x = read(*run.rows(draw))
        mean, log_variance = vae.encode(x)
        out = vae.decode(mean + (0.5 * log_variance).exp() * run.noise(mean, draw))
        return loss(out, x) + params.kl * _divergence(mean, log_variance)

    train(
        vae,
        value,
        steps=params.vae_steps,
        rate=params.vae_rate,
        progress=run.progress,
        note=note,
        checkpoint=run.file(note.replace(" ", "-")),
    )
