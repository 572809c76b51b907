"""Training of the denoiser: batches of clipped, turned patches, and the semi-supervised loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import derive_seed
from hsiaug_builtin.diffusion.schedule import Schedule
from hsiaug_builtin.diffusion.training import randomness
from hsiaug_builtin.nets import views
from hsiaug_builtin.nets.seeded import to_device
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.field import Field
from hsiaug_builtin.txt2hsi.lfue import perturb
from hsiaug_builtin.txt2hsi.params import CLIPPED, DROP, NOISE_STEPS, PERTURBED, Params
from hsiaug_builtin.txt2hsi.rpsc import clip
from hsiaug_builtin.txt2hsi.texts import Texts

Encode = Callable[[Tensor], Tensor]
"""From patches (n, c, p, p) to latents (n, d, p, p)."""


@dataclass(frozen=True, eq=False)
class Batches:
    """Draws training batches: patches of random classes, then unlabelled ones, clipped and turned.

    field: of spectra, or of latents where these belong to single pixels. named: {class id: (m, 2) pixels}; pool: (m, 2)
    unlabelled pixels, may be empty.
    """

    field: Field
    named: Mapping[int, NDArray[np.int32]]
    pool: NDArray[np.int32]
    params: Params

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Patches (n, c, p, p) of the field, and the class id of each, −1 where it has none, on the CPU."""
        size, ids = self.params.network, sorted(self.named)
        classes = [ids[i] for i in rng.integers(len(ids), size=size.labelled)]
        coords = [self.named[c][rng.integers(len(self.named[c]))] for c in classes]
        free = size.unlabelled if len(self.pool) else 0
        if free:
            coords += list(self.pool[rng.integers(len(self.pool), size=free)])
        x = self.field.cut(np.stack(coords))
        donors = x[to_device(torch.from_numpy(rng.permutation(len(x))), x.device)]
        return turn_patches(clip(x, donors, CLIPPED, rng), rng), torch.tensor([*classes, *[-1] * free])


@dataclass(frozen=True, eq=False)
class DenoiserLoss:
    """|v − v̂|² on patches with their class's text (dropped at times) and on patches with none.

    encode: from the patches of a batch to latents of mean 0 and variance 1. texts, schedule: on the device of the model.
    """

    model: Denoiser
    encode: Encode
    schedule: Schedule
    texts: Texts
    batches: Batches
    params: Params
    seed: int

    def __call__(self, step: int) -> Tensor:
        """The loss on a batch that depends on the seed and the step alone."""
        model, params, labelled = self.model, self.params, self.params.network.labelled
        draw = randomness(self.seed, step)
        rng = np.random.default_rng(derive_seed("batch", self.seed, step))
        x, label = self.batches.draw(rng)
        device = x.device
        with torch.no_grad():
            z = self.encode(x)
            if rng.random() < PERTURBED:
                z = perturb(z, label, draw)
        # Sampling starts at this noise level, so more noise than that need not be learnt.
        most = max(1, round(params.strength * NOISE_STEPS))
        t = to_device(torch.randint(most, (len(z),), generator=draw), device)
        noise = to_device(torch.randn(z.shape, generator=draw), device)
        # No text beyond the labelled, nor where guidance learns to do without.
        rows = torch.full((len(z),), len(self.texts.tokens))
        rows[:labelled] = self.texts.choose(label[:labelled], draw)
        rows[torch.rand(len(z), generator=draw) < DROP] = len(self.texts.tokens)
        noised = self.schedule.add_noise(z, t, noise)
        out: Tensor = model(noised, t, self.texts.tokens, self.texts.mask, to_device(rows, device))
        return (out.float() - self.schedule.velocity(z, t, noise)).square().mean()


def turn_patches(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Patches (n, B, p, p), each under a random one of the eight symmetries of the square."""
    number = torch.from_numpy(rng.integers(views.SYMMETRIES, size=len(x)))
    square = torch.arange(x.shape[2] * x.shape[3]).reshape(x.shape[2:])
    table = torch.stack([views.symmetry(square, each) for each in range(views.SYMMETRIES)]).flatten(1)
    pixels = x.movedim(1, 3)  # how Field.cut lays them out
    rows = torch.arange(len(x), device=x.device)[:, None]
    out = pixels.flatten(1, 2)[rows, to_device(table[number], x.device)]
    return out.reshape(pixels.shape).movedim(3, 1)
