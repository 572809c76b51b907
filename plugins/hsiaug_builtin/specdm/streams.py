"""The codecs of the cascade: latents of single pixels, by two streams or by one.

A stream starts as principal components, which need no training, and its decoder learns what these
lack of a pixel from the pixels round it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsiaug.api import derive_seed
from hsiaug_builtin.diffusion.training import randomness, train
from hsiaug_builtin.nets.blocks import zero_weights
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.specdm.losses import Compare
from hsiaug_builtin.specdm.params import LdmParams
from hsiaug_builtin.specdm.patch_components import PatchComponents, components
from hsiaug_builtin.specdm.pixel_components import EMPHASIS, SpectralComponents
from hsiaug_builtin.specdm.training_pairs import PairRun

DECODER, DECODER_RATE = "decoder", 3e-3
"""The decoder's name in the progress, and the rate that it is trained with."""
CROP = 32
"""Pixels along a side of what a decoder is trained on, at most."""
BATCH = 16
NOISE = 0.02
"""Noise on latents that a decoder is trained on: what sampling leaves."""
MASK_UNIT = 1.2
"""Spread of a class that half of all pixels have, beside the first component's of 1."""
EXPLAINED = 0.9995
"""Share of the variance of pixels that the components of images explain, if six are enough."""
MASK_SHARE, MASK_SHARE_OF_CHANGE = 0.5, 0.2
"""Share of the mask's channels in the loss of the denoiser, of one date and of several: where half
of it is the mask's, images of two dates are hardly learnt.
"""


class PixelStream(nn.Module):
    """x (n, C, P, P) → latents of each pixel (n, d, P, P) → x.

    The encoder is linear, and the decoder its inverse and a small network, which begins at 0.

    Attributes
    ----------
    rest : (C,) float32 Tensor
        Deviation of what the linear part loses.
    """

    rest: Tensor

    def __init__(self, channels: int, latent: int, width: int) -> None:
        super().__init__()
        self.linear = PatchComponents(channels, latent, 1)
        self.finish = nn.Sequential(
            nn.Conv2d(latent, width, 3, padding=1),
            nn.GELU(),
            zero_weights(nn.Conv2d(width, channels, 1)),
        )
        self.register_buffer("rest", torch.zeros(channels))

    @property
    def latent(self) -> int:
        """Latent channels d."""
        return len(self.linear.inward)

    def encode(self, x: Tensor) -> Tensor:
        """(n, d, P, P)."""
        return self.linear.encode(x)

    def decode(self, z: Tensor) -> Tensor:
        """(n, C, P, P)."""
        out: Tensor = self.linear.decode(z) + self.rest[:, None, None] * self.finish(z)
        return out

    def fit_rest(self, x: Tensor) -> None:
        """Take the deviation of what is lost of x (n, C, P, P)."""
        lost = x - self.linear.decode(self.linear.encode(x))
        self.rest.copy_(lost.square().mean(dim=(0, 2, 3)).sqrt())


def image_stream(run: PairRun) -> PixelStream:
    """A stream of the images of a run's pairs, from their leading components; of two dates, the
    second as its difference from the first. Its decoder is trained by ``losses.image`` (eq. 1).
    """
    form = run.format
    x = run.pairs.x
    spectra = _spectra(run)
    stream = fresh(
        lambda: PixelStream(form.channels, len(spectra.unit), run.params.network.decoder_width),
        run.seed,
    )
    eye = torch.eye(form.dates, dtype=torch.float64)
    first = torch.zeros_like(eye)
    first[1:, 0] = 1
    unit = torch.tensor(spectra.unit)
    basis = torch.tensor(spectra.basis).contiguous()
    stream.linear.mean.copy_(torch.tensor(spectra.mean).repeat(form.dates))
    stream.linear.inward.copy_(torch.kron(eye - first, basis.T.contiguous()) / unit[:, None])
    stream.linear.outward.copy_(torch.kron(eye + first, basis) * unit)
    stream.fit_rest(x.cpu())

    def loss(out: Tensor, aim: Tensor) -> Tensor:
        return run.losses.image(form.apart(out), form.apart(aim))

    return _train_decoder(run, stream.to(run.device), x, loss)


def _spectra(run: PairRun) -> SpectralComponents:
    return SpectralComponents.of(run.format.apart(run.pairs.x).cpu().numpy(), EXPLAINED)


def joint_stream(run: PairRun, latent: int) -> PixelStream:
    """A stream of image and one-hot mask together, from their leading components. Its decoder is
    trained by ``losses.pair``.
    """
    form = run.format
    x = torch.cat([run.pairs.x, form.one_hot(run.pairs.y)], dim=1)
    stream = fresh(
        lambda: PixelStream(x.shape[1], latent, run.params.network.decoder_width), run.seed
    )
    mean = x.mean(dim=(0, 2, 3))
    spread, parts = components((x - mean[:, None, None]).cpu(), latent)
    unit = spread.max() * (spread / spread.max()) ** (1 - EMPHASIS)
    stream.linear.mean.copy_(mean)
    stream.linear.inward[: len(parts)] = parts / unit[:, None]
    stream.linear.outward[:, : len(parts)] = (parts * unit[:, None]).T
    stream.fit_rest(x.cpu())
    return _train_decoder(run, stream.to(run.device), x, run.losses.pair)


def _train_decoder(run: PairRun, stream: PixelStream, x: Tensor, loss: Compare) -> PixelStream:
    """Train the decoder on latents of pieces of x (n, C, P, P), with a little noise on them."""
    params = run.params
    assert isinstance(params, LdmParams)
    side = min(CROP, x.shape[-1])
    most = x.shape[-1] - side + 1
    seed = derive_seed("decoder", run.seed)

    def value(step: int) -> Tensor:
        rng = randomness(seed, step)
        rows = torch.randint(len(x), (BATCH,), generator=rng).tolist()
        corners = torch.randint(most, (BATCH, 2), generator=rng).tolist()
        some = torch.stack(
            [x[i, :, r : r + side, c : c + side] for i, (r, c) in zip(rows, corners, strict=True)]
        )
        z = stream.encode(some)
        z = z + NOISE * run.noise(z, rng)
        return loss(stream.decode(z), some)

    return train(
        stream,
        value,
        steps=params.decoder_steps,
        rate=DECODER_RATE,
        progress=run.progress,
        note=DECODER,
        fused=True,
        checkpoint=run.file("decoder"),
    )


class PixelCodec(nn.Module):
    """Between pairs and their joint latents."""

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        """(n, d, P, P) of images (n, T·B, P, P) and masks (n, K, P, P)."""
        raise NotImplementedError

    def encode_masks(self, one_hot: Tensor) -> Tensor:
        """(n, K, P, P) latents of masks (n, K, P, P), where these have some of their own."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, T·B, P, P), and shares of classes (n, K, P, P), which sum to 1."""
        raise NotImplementedError

    @property
    def masks(self) -> int:
        """How many of the last latents are those of the mask alone."""
        raise NotImplementedError

    def weights(self, joint: Tensor, dates: int) -> Tensor:
        """(d,) weights of the channels of ``joint`` (n, d, P, P) in the loss of the denoiser, whose
        sum is 1: channels count by their spread.

        Parameters
        ----------
        dates : int
            Of a pair.
        """
        raise NotImplementedError


class TwoPixelStreams(PixelCodec):
    """A stream of the images and one of the mask, which share nothing. The mask's latents are its
    one-hot channels, of which rare ones have less spread, but not as much less as they are rarer.

    Attributes
    ----------
    shares, unit : (K,) float32 Tensor
        Mean of each channel of masks, and its factor.
    """

    shares: Tensor
    unit: Tensor

    def __init__(self, image: PixelStream, classes: int) -> None:
        super().__init__()
        self.image = image
        self.register_buffer("shares", torch.zeros(classes))
        self.register_buffer("unit", torch.ones(classes))

    def fit_input(self, shares: Tensor) -> None:
        """Take the share (K,) of each class in all pixels."""
        self.shares.copy_(shares)
        spread = (shares * (1 - shares)).sqrt().clamp(min=1e-4)
        self.unit.copy_(MASK_UNIT * (2 * spread) ** (1 - EMPHASIS) / (2 * spread))

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return torch.cat([self.image.encode(x), self.encode_masks(one_hot)], dim=1)

    def encode_masks(self, one_hot: Tensor) -> Tensor:
        return (one_hot - self.shares[:, None, None]) * self.unit[:, None, None]

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        image, masks = z[:, : self.image.latent], z[:, self.image.latent :]
        values = masks / self.unit[:, None, None] + self.shares[:, None, None]
        return self.image.decode(image), _shares(values)

    @property
    def masks(self) -> int:
        return len(self.unit)

    def weights(self, joint: Tensor, dates: int) -> Tensor:
        """The mask's channels have a share of their own, whatever they are as many as."""
        share = MASK_SHARE if dates == 1 else MASK_SHARE_OF_CHANGE
        spread = _spread(joint)
        image, masks = spread[: self.image.latent], spread[self.image.latent :]
        return torch.cat([(1 - share) * image / image.sum(), share * masks / masks.sum()])


class OnePixelStream(PixelCodec):
    """One stream of image and one-hot mask, whose latents cannot be told apart."""

    def __init__(self, both: PixelStream, bands: int) -> None:
        super().__init__()
        self.both = both
        self.bands = bands

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor:
        return self.both.encode(torch.cat([x, one_hot], dim=1))

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        out = self.both.decode(z)
        return out[:, : self.bands], _shares(out[:, self.bands :])

    @property
    def masks(self) -> int:
        return 0

    def weights(self, joint: Tensor, dates: int) -> Tensor:
        spread = _spread(joint)
        return spread / spread.sum()


def _spread(joint: Tensor) -> Tensor:
    return joint.transpose(0, 1).flatten(1).std(dim=1).clamp(min=1e-6)


def _shares(values: Tensor) -> Tensor:
    """Values of one-hot channels as shares: the largest is the class, its part of what is above 0
    the confidence.
    """
    values = values.clamp(min=1e-6)
    return values / values.sum(dim=1, keepdim=True)


def fit_codec(run: PairRun, images: PixelStream | None, *, single: bool) -> PixelCodec:
    """A codec of the training pairs.

    Parameters
    ----------
    images : PixelStream or None
        The stream of images, where it was learnt before; None = it is learnt of these pairs.
    single : bool
        Whether one stream has both, of as many latents as two would have.
    """
    classes = len(run.format.ids)
    if single:
        latent = len(_spectra(run).unit) + classes
        return OnePixelStream(joint_stream(run, latent), run.format.channels).to(run.device)
    images = image_stream(run) if images is None else images
    codec = TwoPixelStreams(images, classes)
    codec.fit_input(run.format.one_hot(run.pairs.y).mean(dim=(0, 2, 3)).cpu())
    return codec.to(run.device)


def built(
    arrays: Mapping[str, NDArray[Any]], channels: int, classes: int, width: int
) -> PixelCodec:
    """A codec of the kind and sizes of saved ``arrays``, with weights of its own."""
    stream = "codec.image" if "codec.shares" in arrays else "codec.both"
    latent = len(arrays[f"{stream}.linear.inward"])
    if stream == "codec.image":
        return TwoPixelStreams(PixelStream(channels, latent, width), classes)
    return OnePixelStream(PixelStream(channels + classes, latent, width), channels)
