"""The universal VAE: one per scene, over labelled and unlabelled pixels, keeping the spatial grid.

"Universal", a VAE of patches with encoder, reparameterisation and decoder is what the paper states; layers, latent
size, loss and KL weight are not public and are this project's choice, as is the class-aware term: a linear head on the
latent that has to name the class of labelled and confidently pseudo-labelled pixels, so that the latent keeps what
separates classes. The class term is 0 in the paper's way (``class_weight = 0``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy

from hsiaug.api import Progress
from hsiaug_diffusion.devices import sent
from hsiaug_diffusion.training import fresh, randomness, train

__all__ = ["Vae", "VaeData", "fit_vae"]


class Pixelwise(nn.Linear):
    """A 1×1 convolution (n, in, p, p) → (n, out, p, p) as a matrix product: twice as fast on lone pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Vae(nn.Module):
    """x (n, B, p, p), z-scored → latents (n, d, p, p) → x. ``reach`` is the side of its convolutions: 1 = per pixel."""

    def __init__(self, bands: int, latent: int, width: int, reach: int, classes: int) -> None:
        super().__init__()

        def spatial() -> nn.Module:
            if reach == 1:
                return Pixelwise(width, width)
            return nn.Conv2d(width, width, reach, padding=reach // 2, padding_mode="replicate")

        self.encoder = nn.Sequential(
            Pixelwise(bands, width), nn.SiLU(), spatial(), nn.SiLU(), Pixelwise(width, 2 * latent)
        )
        self.decoder = nn.Sequential(
            Pixelwise(latent, width), nn.SiLU(), spatial(), nn.SiLU(), Pixelwise(width, bands)
        )
        self.head = nn.Linear(latent, classes)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents, (n, d, p, p) each."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 10)

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction from the latent mean."""
        out: Tensor = self.decoder(self.encode(x)[0])
        return out


@dataclass(frozen=True, eq=False)
class VaeData:
    """x: (n, B, p, p) float32 z-scored patches; named: (m,) rows whose centre has a class, 0-based in ``target`` (m,)."""

    x: Tensor
    named: Tensor
    target: Tensor
    classes: int
    mean: Tensor
    std: Tensor


def fit_vae(
    data: VaeData,
    *,
    latent: int,
    width: int,
    reach: int,
    kl: float,
    angle: float,
    class_weight: float,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    progress: Progress,
    checkpoint: Path | None = None,
) -> Vae:
    """mean|x−x̂|² + angle·(1−cos) in scene units + kl·KL + class_weight·cross-entropy of the centre's class."""
    vae = fresh(lambda: Vae(data.x.shape[1], latent, width, reach, data.classes), seed).to(data.x.device)
    device = data.x.device
    middle = data.x.shape[2] // 2
    scale, shift = data.std[:, None, None], data.mean[:, None, None]

    def loss(step: int) -> Tensor:
        draw = randomness(seed, step)
        x = data.x[sent(torch.randint(len(data.x), (batch,), generator=draw), device)]
        mean, log_variance = vae.encode(x)
        noise = sent(torch.randn(mean.shape, generator=draw), device)
        out = vae.decoder(mean + (0.5 * log_variance).exp() * noise)
        value = (x - out).square().mean()
        value = value + angle * (1 - cosine_similarity(x * scale + shift, out * scale + shift, dim=1)).mean()
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
        value = value + kl * min(1.0, 10 * step / steps) * divergence
        if class_weight:
            rows = sent(torch.randint(len(data.named), (batch,), generator=draw), device)
            centre = data.x[data.named[rows]][:, :, middle - reach // 2 : middle + reach // 2 + 1]
            centre = centre[:, :, :, middle - reach // 2 : middle + reach // 2 + 1]
            named = vae.encode(centre)[0][:, :, reach // 2, reach // 2]
            value = value + class_weight * cross_entropy(vae.head(named), data.target[rows])
        return torch.as_tensor(value)

    return train(vae, loss, steps=steps, rate=rate, progress=progress, note="VAE", checkpoint=checkpoint)
