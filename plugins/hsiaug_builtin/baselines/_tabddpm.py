"""The denoiser of ``tabddpm``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsiaug.api import Progress
from hsiaug_builtin.baselines._learnt import Conditional, Size, TrainingComponents
from hsiaug_builtin.baselines._sizes import TabddpmParams
from hsiaug_builtin.diffusion.schedule import Schedule, make_schedule, sample, sinusoid
from hsiaug_builtin.diffusion.training import train

__all__ = ["Tabddpm"]


class Tabddpm(Conditional):
    """MLP over the components of a centre spectrum, with learnt vectors of step and class added at its entrance."""

    def __init__(self, size: Size, params: TabddpmParams) -> None:
        super().__init__(size, params)
        w = params.width
        self.enter = nn.Linear(size.components, w)
        self.label = nn.Embedding(size.classes, w)
        self.time = nn.Sequential(nn.Linear(128, w), nn.SiLU(), nn.Linear(w, w))
        layers = [layer for _ in range(params.depth) for layer in (nn.Linear(w, w), nn.ReLU())]
        self.body = nn.Sequential(*layers, nn.Linear(w, size.components))

    def forward(self, z: Tensor, t: Tensor, y: Tensor) -> Tensor:
        out: Tensor = self.body(self.enter(z) + self.time(sinusoid(t, 128)) + nn.functional.silu(self.label(y)))
        return out

    @property
    def schedule(self) -> Schedule:
        return make_schedule("cosine", self.params.noise_steps, 0, 0)

    def fit_network(self, data: TrainingComponents, seed: int, progress: Progress) -> Conditional:
        draw = torch.Generator().manual_seed(seed)
        params, schedule, spectra = self.params, self.schedule, data.centres()

        def loss(step: int) -> Tensor:
            z, y = spectra.batch(params.batch, draw, step)
            z = z[:, :, 0, 0]
            t = torch.randint(schedule.steps, (len(z),), generator=draw).to(z.device)
            noise = torch.randn(z.shape, generator=draw).to(z.device)
            out = self(schedule.add_noise(z, t, noise), t, y)
            return torch.as_tensor((out - schedule.velocity(z, t, noise)).square().mean())

        return train(
            self, loss, steps=params.steps, rate=params.rate, progress=progress, note="diffusion", ema=params.ema
        )

    def generate(self, y: Tensor, draw: torch.Generator) -> Tensor:
        z = torch.randn(len(y), self.size.components, generator=draw).to(y.device)
        z = sample(self.schedule, lambda z, t: self(z, t, y), z, self.params.sample_steps)
        return z[:, :, None, None]
