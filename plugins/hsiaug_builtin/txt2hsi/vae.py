"""The universal VAE: one per scene, over labelled and unlabelled pixels, keeping the spatial grid.

"Universal", a VAE of patches with encoder, reparameterisation and decoder is what the paper states; layers, latent
size, loss and KL weight are not public and are this project's choice, as is the class-aware term: a linear head on the
latent that has to name the class of labelled and confidently pseudo-labelled pixels, so that the latent keeps what
separates classes. The class term is 0 in the paper's way (``class_weight = 0``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy

from hsiaug.api import Normaliser
from hsiaug_builtin.diffusion.training import Run, randomness, train
from hsiaug_builtin.nets.seeded import fresh, to_device
from hsiaug_builtin.txt2hsi.params import ANGLE, Params


class Pixelwise(nn.Linear):
    """A 1×1 convolution (n, in, p, p) → (n, out, p, p) as a matrix product: twice as fast on lone pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Vae(nn.Module):
    """x (n, B, p, p), z-scored → latents (n, d, p, p) → x. ``reach`` is the side of its convolutions: 1 = per pixel."""

    def __init__(self, bands: int, classes: int, params: Params) -> None:
        super().__init__()
        latent, width, reach = params.latent, params.network.vae_width, params.network.reach

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


def fit_vae(x: Tensor, target: Tensor, normaliser: Normaliser, params: Params, run: Run) -> Vae:
    """mean|x−x̂|² + 0.1·(1−cos) in scene units + kl·KL + class_weight·cross-entropy of the centre's class.

    Half of a batch has classes, unless these do not count.

    x: (n, B, p, p) float32 patches, z-scored by ``normaliser``; target: (m,) class of the centres of the first m of them,
    0-based. Both on the device.
    """
    size = params.network
    device, batch, classes = x.device, size.vae_batch, int(target.max()) + 1
    vae = fresh(lambda: Vae(x.shape[1], classes, params), run.seed).to(device)
    middle = x.shape[2] // 2
    named = batch // 2 if params.class_weight else 0
    shift, scale = (torch.tensor(a, device=device)[:, None, None] for a in (normaliser.mean, normaliser.std))

    def loss(step: int) -> Tensor:
        draw = randomness(run.seed, step)
        rows = torch.randint(len(x), (batch,), generator=draw)
        rows[:named] = torch.randint(len(target), (named,), generator=draw)
        rows = to_device(rows, device)
        shown = x[rows]
        mean, log_variance = vae.encode(shown)
        noise = to_device(torch.randn(mean.shape, generator=draw), device)
        out = vae.decoder(mean + (0.5 * log_variance).exp() * noise)
        value = (shown - out).square().mean()
        value = value + ANGLE * (1 - cosine_similarity(shown * scale + shift, out * scale + shift, dim=1)).mean()
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
        value = value + size.kl * min(1.0, 10 * step / params.vae_steps) * divergence
        if named:
            told = vae.head(mean[:named, :, middle, middle])
            value = value + params.class_weight * cross_entropy(told, target[rows[:named]])
        return torch.as_tensor(value)

    steps, rate = params.vae_steps, size.vae_rate
    return train(
        vae,
        loss,
        steps=steps,
        rate=rate,
        progress=run.progress,
        note="VAE",
        fused=True,
        checkpoint=run.file("vae"),
    )
