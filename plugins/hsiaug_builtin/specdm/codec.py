"""The codecs of pairs: two streams that share nothing (SpecDM), the mask's alone, or one of everything (its baseline)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hsiaug.api import derive_seed
from hsiaug_builtin.diffusion.angles import mean_angle
from hsiaug_builtin.diffusion.training import randomness, train
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.specdm.components import PatchComponents
from hsiaug_builtin.specdm.params import SAD, Params, SpecDmParams
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.training_pairs import PairRun
from hsiaug_builtin.specdm.vae import STEM, StreamVae

__all__ = ["Codec", "MaskStream", "OneStream", "TwoStream", "fit_mask_stream", "fit_one_stream", "fit_two_stream"]


class Codec(nn.Module):
    """Between pairs and their joint latents. split: the first latent channels that are the images' alone."""

    split: int

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        """Latent means (n, d, h, w) of images (n, T·B, P, P) and masks (n, K, P, P)."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, T·B, P, P), of no channel where there is no stream of them, and shares of classes (n, K, P, P),
        which sum to 1."""
        raise NotImplementedError


class TwoStream(Codec):
    """A stream of the images and a VAE of the mask, whose latents are only laid side by side."""

    def __init__(self, form: TileFormat, params: SpecDmParams) -> None:
        super().__init__()
        self.split = params.latent_image
        self.image = _stream(form, params, form.channels, self.split)
        self.mask = _mask_stream(form, params)

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return torch.cat([self.image.encode(x), self.mask.encode(one_hot)], dim=1)

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.image.decode(z[:, : self.split]), self.mask.decode(z[:, self.split :]).softmax(dim=1)


class MaskStream(Codec):
    """A VAE of the mask alone: images are made for the masks that it gives."""

    split = 0

    def __init__(self, form: TileFormat, params: SpecDmParams) -> None:
        super().__init__()
        self.mask = _mask_stream(form, params)

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return self.mask.encode(one_hot)

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        shares = self.mask.decode(z).softmax(dim=1)
        return shares[:, :0], shares


class OneStream(Codec):
    """One stream of image and one-hot mask; its latents cannot be told apart, and are as many as the two streams'."""

    split = 0

    def __init__(self, form: TileFormat, params: Params) -> None:
        super().__init__()
        self.bands, classes = form.channels, len(form.ids)
        latent = params.latent_image + params.latent_mask
        self.both = _stream(form, params, form.channels + classes, latent, stem=STEM + classes)

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return self.both.encode(torch.cat([x, one_hot], dim=1))

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        out = self.both.decode(z)
        # One-hot values, not scores: the largest is the class, its part of what is above 0 the confidence.
        shares = out[:, self.bands :].clamp(min=1e-6)
        return out[:, : self.bands], shares / shares.sum(dim=1, keepdim=True)


def _stream(
    form: TileFormat, params: Params, channels: int, latent: int, stem: int = STEM
) -> StreamVae | PatchComponents:
    """A stream of images, or of images and masks, as ``codec`` says."""
    factor = params.factor_of(form.side)
    if params.codec == "components":
        return PatchComponents(channels, latent, factor)
    return StreamVae(
        channels,
        latent,
        width=params.network.vae_width,
        factor=factor,
        unshuffle=params.network.unshuffle,
        blocks=params.network.vae_blocks,
        stem=stem,
    )


def _mask_stream(form: TileFormat, params: SpecDmParams) -> StreamVae:
    classes = len(form.ids)
    return StreamVae(
        classes,
        params.latent_mask,
        width=params.network.mask_width,
        factor=params.factor_of(form.side),
        unshuffle=params.network.unshuffle,
        blocks=params.network.vae_blocks,
        stem=classes,
    )


def fit_two_stream(run: PairRun) -> TwoStream:
    """L1 + 0.1·angle + KL for the images, cross-entropy + KL for the mask (eqs. 1, 2), one after the other: the sum of
    losses that share no weight is trained the same apart."""
    params, form, pairs = run.params, run.format, run.pairs
    assert isinstance(params, SpecDmParams)
    codec = fresh(lambda: TwoStream(form, params), run.seed)
    codec.image.fit_input(pairs.x.cpu())
    codec = codec.to(run.device)

    def image_loss(out: Tensor, x: Tensor) -> Tensor:
        return (out - x).abs().mean() + SAD * mean_angle(form.apart(x), form.apart(out), dim=2)

    _fit_stream(run, codec.image, lambda rows, turns: run.cut(pairs.x, rows, turns), image_loss, "image VAE")
    _fit_masks(run, codec.mask)
    return codec


def fit_mask_stream(run: PairRun) -> MaskStream:
    """Cross-entropy + KL for the mask (eq. 2)."""
    params, form = run.params, run.format
    assert isinstance(params, SpecDmParams)
    codec = fresh(lambda: MaskStream(form, params), run.seed).to(run.device)
    _fit_masks(run, codec.mask)
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


def _fit_masks(run: PairRun, vae: StreamVae) -> None:
    def masks(rows: Tensor, turns: list[int]) -> Tensor:
        return run.format.one_hot(run.cut(run.pairs.y, rows, turns))

    _fit_stream(run, vae, masks, lambda out, y: cross_entropy(out, y), "mask VAE")


def _divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence from a standard normal, the mean per latent number."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def _fit_stream(
    run: PairRun,
    stream: StreamVae | PatchComponents,
    read: Callable[[Tensor, list[int]], Tensor],
    loss: Callable[[Tensor, Tensor], Tensor],
    note: str,
) -> None:
    """Train a stream where it is, unless nothing of it is to be trained. read(rows, turns): a batch. loss(out, batch):
    without the Kullback-Leibler term."""
    params = run.params
    if isinstance(stream, PatchComponents):
        return
    seed = derive_seed(note, run.seed)

    def value(step: int) -> Tensor:
        draw = randomness(seed, step)
        x = read(*run.rows(draw))
        mean, log_variance = stream.posterior(x)
        out = stream.decode(mean + (0.5 * log_variance).exp() * run.noise(mean, draw))
        return loss(out, x) + params.network.kl * _divergence(mean, log_variance)

    train(
        stream,
        value,
        steps=params.vae_steps,
        rate=params.network.vae_rate,
        progress=run.progress,
        note=note,
        checkpoint=run.file(note.replace(" ", "-")),
    )
