"""The network of ``cvae``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsiaug.api import Progress
from hsiaug_builtin.baselines._learnt import Conditional, PatchShape, TrainingComponents
from hsiaug_builtin.baselines._params import CvaeParams
from hsiaug_builtin.diffusion.training import train

LEAST = -3.0
"""Log of the least standard deviation of the decoder, so that no component can be learnt by heart
for ever.
"""


class CvaeNetwork(Conditional):
    """Encoder q(h | z, y), prior p(h | y) and decoder p(z | h, y), Gaussian with a diagonal
    covariance all three.

    Two shared 3×3 convolutions on either side of the latent h (n, d); the class enters as a learnt
    vector.
    """

    def __init__(self, size: PatchShape, params: CvaeParams) -> None:
        super().__init__(size, params)
        k = size.components
        p = size.patch
        w = params.width
        flat = w * (p // 2 + 1) ** 2
        self.eyes = nn.Sequential(
            nn.Conv2d(k, w, 1),
            nn.SiLU(),
            nn.Conv2d(w, w, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
        )
        self.label = nn.Embedding(size.classes, w)
        self.encoder = nn.Sequential(
            nn.Linear(flat + w, 2 * w), nn.SiLU(), nn.Linear(2 * w, 2 * params.latent)
        )
        self.prior = nn.Embedding(size.classes, 2 * params.latent)
        nn.init.zeros_(self.prior.weight)
        self.spread = nn.Linear(params.latent + w, w * p * p)
        self.hands = nn.Sequential(
            nn.SiLU(), nn.Conv2d(w, w, 3, padding=1), nn.SiLU(), nn.Conv2d(w, k, 1)
        )
        self.log_noise = nn.Parameter(torch.zeros(k, 1, 1))

    def decoder(self, h: Tensor, y: Tensor) -> Tensor:
        """Mean (n, k, p, p) of the components."""
        x = self.spread(torch.cat([h, self.label(y)], dim=1))
        out: Tensor = self.hands(x.reshape(len(h), -1, self.size.patch, self.size.patch))
        return out

    def fit_network(self, data: TrainingComponents, seed: int, progress: Progress) -> Conditional:
        rng = torch.Generator().manual_seed(seed)
        params = self.params

        def loss(step: int) -> Tensor:
            z, y = data.batch(params.batch, rng, step)
            mean, log_variance = self.encoder(
                torch.cat([self.eyes(z), self.label(y)], dim=1)
            ).chunk(2, dim=1)
            log_variance = log_variance.clamp(-10, 10)
            prior, log_prior = self.prior(y).chunk(2, dim=1)
            noise = torch.randn(mean.shape, generator=rng).to(mean.device)
            out = self.decoder(mean + (0.5 * log_variance).exp() * noise, y)
            log_noise = self.log_noise.clamp(min=LEAST)
            error = 0.5 * ((z - out) / log_noise.exp()).square() + log_noise
            away = (mean - prior).square() + log_variance.exp()
            divergence = 0.5 * (log_prior - log_variance + away / log_prior.exp() - 1)
            return torch.as_tensor((error.flatten(1).sum(dim=1) + divergence.sum(dim=1)).mean())

        return train(
            self,
            loss,
            steps=params.steps,
            rate=params.rate,
            progress=progress,
            note="conditional VAE",
        )

    def generate(self, y: Tensor, rng: torch.Generator) -> Tensor:
        prior, log_prior = self.prior(y).chunk(2, dim=1)
        h = prior + (0.5 * log_prior).exp() * torch.randn(prior.shape, generator=rng).to(y.device)
        out = self.decoder(h, y)
        return out + self.log_noise.clamp(min=LEAST).exp() * torch.randn(
            out.shape, generator=rng
        ).to(y.device)
