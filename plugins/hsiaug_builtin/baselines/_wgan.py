"""The networks of ``wgan`` and their game."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsiaug.api import Progress
from hsiaug_builtin.baselines._learnt import Conditional, PatchShape, TrainingComponents
from hsiaug_builtin.baselines._params import WganParams
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.nets.training import check_finite


class Critic(nn.Module):
    """Score (n,) of z (n, k, p, p) as a sample of class y (n,); the class enters by projection."""

    def __init__(self, size: PatchShape, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(size.components, width, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(width * (size.patch // 2 + 1) ** 2, 2 * width),
            nn.LeakyReLU(0.2),
        )
        self.score = nn.Linear(2 * width, 1)
        self.label = nn.Embedding(size.classes, 2 * width)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = self.body(z)
        out: Tensor = self.score(h)[:, 0] + (self.label(y) * h).sum(dim=1)
        return out


class WganNetwork(Conditional):
    """The generator: noise (n, d) and a class vector → components (n, k, p, p).

    The noise also enters the components directly, all pixels alike, so that training starts from
    samples as spread as the classes are; from the point that an untrained network makes of a class,
    a short training hardly leads away.
    """

    def __init__(self, size: PatchShape, params: WganParams) -> None:
        super().__init__(size, params)
        w = params.width
        self.label = nn.Embedding(size.classes, w)
        self.straight = nn.Linear(params.latent, size.components, bias=False)
        nn.init.orthogonal_(self.straight.weight)
        self.spread = nn.Linear(params.latent + w, w * size.patch**2)
        self.hands = nn.Sequential(
            nn.SiLU(), nn.Conv2d(w, w, 3, padding=1), nn.SiLU(), nn.Conv2d(w, size.components, 1)
        )

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        x = self.spread(torch.cat([h, self.label(y)], dim=1))
        x = self.hands(x.reshape(len(h), -1, self.size.patch, self.size.patch))
        out: Tensor = x + self.straight(h)[:, :, None, None]
        return out

    def fit_network(self, data: TrainingComponents, seed: int, progress: Progress) -> Conditional:
        params = self.params
        device = data.z.device
        critic = fresh(lambda: Critic(self.size, params.width), seed + 1).to(device)
        rng = torch.Generator().manual_seed(seed)
        maker, judge = (
            torch.optim.Adam(net.parameters(), lr=params.rate, betas=(0.0, 0.9))
            for net in (self, critic)
        )
        for step in range(params.steps):
            for turn in range(params.critic_steps):
                z, y = data.batch(params.batch, rng, step + turn)
                with torch.no_grad():
                    synthetic = self.generate(y, rng)
                value = (critic(synthetic, y) - critic(z, y)).mean()
                value = value + params.penalty * steepness(critic, z, synthetic, y, rng)
                descend(judge, value, step)
            _, y = data.batch(params.batch, rng, step)
            descend(maker, -critic(self.generate(y, rng), y).mean(), step)
            progress(step + 1, params.steps, "WGAN-GP")
        return self.eval().requires_grad_(False)

    def generate(self, y: Tensor, rng: torch.Generator) -> Tensor:
        out: Tensor = self(torch.randn(len(y), self.params.latent, generator=rng).to(y.device), y)
        return out


def steepness(
    critic: Critic, real: Tensor, synthetic: Tensor, y: Tensor, rng: torch.Generator
) -> Tensor:
    """Mean of (‖∇critic‖ − 1)² at random points between real and made samples (n, k, p, p) of the
    same class.
    """
    share = torch.rand(len(y), 1, 1, 1, generator=rng).to(y.device)
    between = (share * real + (1 - share) * synthetic).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between, y).sum(), between, create_graph=True)
    return torch.as_tensor((slope.flatten(1).norm(dim=1) - 1).square().mean())


def descend(optimiser: torch.optim.Optimizer, loss: Tensor, step: int) -> None:
    """One step down. Raises PluginError for a loss that is not finite."""
    check_finite(loss, step, "WGAN")
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimiser.step()
