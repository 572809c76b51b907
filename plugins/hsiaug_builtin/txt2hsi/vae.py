"""The universal VAE: one per scene, over all visible pixels, without labels.

"Universal" and a VAE with encoder, reparameterisation and decoder are what the paper states;
layers, latent size and loss are not public and are this project's choice. It begins as
probabilistic PCA, which is the optimum of a linear VAE (Lucas et al., Don't Blame the ELBO!,
NeurIPS 2019, section 4), and learns beside that what a linear map cannot do. It works pixel by
pixel, so that latents keep the spatial grid, as pixel-level attention needs. What it leaves out,
:class:`Remainder` models as noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from hsiaug_builtin.diffusion.training import TrainingRun, randomness, train
from hsiaug_builtin.nets.blocks import zero_weights
from hsiaug_builtin.nets.seeded import fresh, normal, to_device
from hsiaug_builtin.txt2hsi.frequencies import MIRRORS, mirror
from hsiaug_builtin.txt2hsi.params import ANGLE, KL, CodecParams

MIN_REMAINDER_PATCHES = 8
"""Patches of a class that :class:`Remainder` draws from, at least."""
MAX_REMAINDER_PATCHES = 16
"""Patches of a class that it draws from, at most."""


class Vae(nn.Module):
    """Spectra x (n, B), z-scored → latents (n, d) of about mean 0 and variance 1 → x.

    Attributes
    ----------
    varying : (B,) Tensor
        1 for bands that differ between pixels, 0 for constant ones, which decode to their mean.
    """

    varying: Tensor

    def __init__(self, bands: int, latent: int, width: int) -> None:
        super().__init__()
        self.register_buffer("varying", torch.ones(bands))
        self.into = nn.Linear(bands, latent)
        self.back = nn.Linear(latent, bands)
        self.log_variance = nn.Parameter(torch.zeros(latent))
        self.encoder = nn.Sequential(
            nn.Linear(bands, width), nn.SiLU(), zero_weights(nn.Linear(width, latent))
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, width), nn.SiLU(), zero_weights(nn.Linear(width, bands))
        )

    def encode(self, x: Tensor) -> Tensor:
        """Mean of the latents; their variance is that of ``log_variance`` everywhere."""
        return torch.as_tensor(self.into(x) + self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        """Return z-scored spectra."""
        return torch.as_tensor((self.back(z) + self.decoder(z)) * self.varying)

    @torch.inference_mode()
    def left_out(self, x: Tensor) -> NDArray[np.float32]:
        """(n, B) what is lost of spectra x, z-scored."""
        lost: NDArray[np.float32] = (x - self.decode(self.encode(x))).cpu().numpy()
        return lost

    @torch.no_grad()
    def begin_as_pca(self, x: Tensor, scale: Tensor) -> None:
        """Probabilistic PCA of x (n, B), whose bands are weighted by ``scale`` (B,), their
        deviations in scene units.
        """
        latent = len(self.log_variance)
        weighted = (x * scale).double()
        values, axes = torch.linalg.eigh(weighted.T @ weighted / len(x))
        order = torch.argsort(values, descending=True)
        noise_variance = (
            values[order[latent:]].mean() if latent < len(values) else values[order[-1]] * 0.1
        )
        values = values[order[:latent]].clamp(min=1e-12)
        axes = axes[:, order[:latent]]
        # The sign of an eigenvector is arbitrary: its largest entry is made positive.
        axes = axes * axes.gather(0, axes.abs().argmax(dim=0)[None]).sign()
        self.into.weight.copy_((axes / values.sqrt()).T * scale)
        self.back.weight.copy_(axes * values.sqrt() / scale[:, None])
        self.into.bias.zero_()
        self.back.bias.zero_()
        self.log_variance.copy_((noise_variance / values).clamp(1e-6, 1).log())

    @torch.no_grad()
    def rotate(self, axes: Tensor) -> None:
        """Turn the latents: what was z is z @ axes from now on, and decodes to the same spectra.

        Parameters
        ----------
        axes : Tensor (d, d)
            Orthogonal.
        """
        last = self.encoder[2]
        first = self.decoder[0]
        assert isinstance(last, nn.Linear) and isinstance(first, nn.Linear)
        for layer in (self.into, last):
            layer.weight.copy_(axes.T @ layer.weight)
            layer.bias.copy_(axes.T @ layer.bias)
        for layer in (self.back, first):
            layer.weight.copy_(layer.weight @ axes)
        self.log_variance.copy_((axes.square().T @ self.log_variance.exp()).log())


def difference_axes(latents: Tensor) -> Tensor:
    """The axes along which neighbouring pixels differ independently, those that differ least first.

    Noise of a sensor is correlated between principal components, and a generator that draws the
    fine structure of each component by itself loses that. Along these axes it is not correlated:
    they are the maximum autocorrelation factors (Switzer and Green, 1984) of latents of variance 1.

    Parameters
    ----------
    latents : Tensor (H, W, d)
        Of a scene; NaN where a pixel is hidden.

    Returns
    -------
    Tensor (d, d)
        Orthogonal; a column is an axis.
    """
    down = (latents[1:] - latents[:-1]).flatten(0, 1)
    across = (latents[:, 1:] - latents[:, :-1]).flatten(0, 1)
    total = torch.zeros(latents.shape[2], latents.shape[2], dtype=torch.float64)
    for difference in (down, across):
        complete = difference[~difference.isnan().any(dim=1)].double()
        total += (complete.T @ complete).cpu() / max(1, len(complete))
    axes = torch.linalg.eigh(total)[1]
    # The sign of an eigenvector is arbitrary: its largest entry is made positive.
    axes = axes * axes.gather(0, axes.abs().argmax(dim=0)[None]).sign()
    return torch.as_tensor(axes, dtype=torch.float32, device=latents.device)


@dataclass(frozen=True, eq=False)
class CodecLoss:
    """The loss of a VAE on pixels x (n, B) float32, z-scored by ``shift`` and ``scale`` (B,):
    mean|x−x̂|² + 0.1·(1−cos) in scene units + 0.001·KL.
    """

    x: Tensor
    shift: Tensor
    scale: Tensor
    batch: int

    def loss(self, vae: Vae, rng: torch.Generator) -> Tensor:
        """Of pixels drawn by ``rng``."""
        device = self.x.device
        shift = self.shift
        scale = self.scale
        spectra = self.x[
            to_device(torch.randint(len(self.x), (self.batch,), generator=rng), device)
        ]
        mean = vae.encode(spectra)
        noise = normal(mean.shape, rng, device)
        out = vae.decode(mean + (0.5 * vae.log_variance).exp() * noise)
        angle = 1 - cosine_similarity(spectra * scale + shift, out * scale + shift, dim=1).mean()
        divergence = -0.5 * (1 + vae.log_variance - mean.square() - vae.log_variance.exp()).mean()
        return torch.as_tensor((spectra - out).square().mean() + ANGLE * angle + KL * divergence)


def fit_vae(codec: CodecLoss, params: CodecParams, run: TrainingRun) -> Vae:
    """The VAE of a scene, learnt from its pixels alone."""
    x = codec.x
    size = params.network
    vae = fresh(
        lambda: Vae(x.shape[1], min(params.latent, x.shape[1]), size.vae_width), run.seed
    ).to(x.device)
    vae.varying.copy_(x.any(dim=0))
    vae.begin_as_pca(x, codec.scale)

    def loss(step: int) -> Tensor:
        return codec.loss(vae, randomness(run.seed, step))

    return train(
        vae,
        loss,
        steps=params.vae_steps,
        rate=1e-3,
        progress=run.progress,
        note="VAE",
        fused=True,
        checkpoint=run.file("vae"),
    )


@dataclass(frozen=True, eq=False)
class Remainder:
    """What the VAE leaves out of patches of each class, to be drawn from as noise.

    Its spread, correlations and tails are those of the sensor and of the class, where a Gaussian
    would have neither. Whole patches are drawn, since this noise is correlated between neighbours.

    Attributes
    ----------
    patches : (R, q, q, B) float16
        z-scored, class by class.
    start : (C + 1,) int64
        The first of each class, and R.
    """

    patches: NDArray[np.float16]
    start: NDArray[np.int64]

    @classmethod
    def of_classes(
        cls, losses: Sequence[NDArray[np.float32]], seed: int, most: int = MAX_REMAINDER_PATCHES
    ) -> Remainder:
        """Of what is left out of the patches (n, q, q, B) of each class, at most so many of each.

        A class with fewer than MIN_REMAINDER_PATCHES takes others' too, up to as many.
        """
        rng = np.random.default_rng(seed)
        everything = np.concatenate(losses)
        chosen = []
        for of_class in losses:
            lacking = max(0, MIN_REMAINDER_PATCHES - len(of_class))
            others = everything[rng.integers(len(everything), size=lacking)]
            some = of_class[rng.permutation(len(of_class))[:most]]
            chosen.append(np.concatenate([some, others]).astype(np.float16))
        return cls(np.concatenate(chosen), np.cumsum([0, *map(len, chosen)]))

    def sample(self, rows: NDArray[np.int64], rng: torch.Generator) -> Tensor:
        """Noise (n, q, q, B) of classes ``rows`` (n,): a patch of the class, mirrored; on the
        CPU.
        """
        return self.noise(*self.draw(rows, rng))

    def draw(
        self, rows: NDArray[np.int64], rng: torch.Generator
    ) -> tuple[NDArray[np.int64], Tensor]:
        """For each of the classes ``rows`` (n,), a patch of the class and how it is mirrored.

        Returns
        -------
        (n,) int64 and Tensor (n,) of int64
            Rows of ``patches``, and symmetries as :func:`mirror` numbers them.
        """
        pick = torch.rand(len(rows), generator=rng).numpy()
        number = torch.randint(MIRRORS, (len(rows),), generator=rng)
        first = self.start[:-1][rows]
        count = np.diff(self.start)[rows]
        return first + (pick * count).astype(np.int64), number

    def noise(self, chosen: NDArray[np.int64], mirrors: Tensor) -> Tensor:
        """Noise (n, q, q, B) of what :meth:`draw` gave, or of some of it; on the CPU."""
        return mirror(torch.from_numpy(self.patches[chosen].astype(np.float32)), mirrors)
