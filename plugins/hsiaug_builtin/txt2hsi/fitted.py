"""A fitted ``txt2hsi``: sampling and saving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import Normaliser, PatchSamples, PluginError, save_state
from hsiaug_builtin.diffusion.latents import LatentNorm
from hsiaug_builtin.diffusion.schedule import guide, make_schedule, sample
from hsiaug_builtin.diffusion.training import bf16_is_faster
from hsiaug_builtin.nets import state
from hsiaug_builtin.nets.patches import cycle
from hsiaug_builtin.txt2hsi.denoiser import Denoiser, denoiser_of
from hsiaug_builtin.txt2hsi.field import Field
from hsiaug_builtin.txt2hsi.params import NOISE_STEPS, Params
from hsiaug_builtin.txt2hsi.texts import Texts
from hsiaug_builtin.txt2hsi.vae import Vae

BATCH = 128


SCHEDULE = make_schedule("linear", NOISE_STEPS, 1e-4, 0.02)
"""Noise schedule of training and sampling: β linear from 1e-4 to 0.02 (Ho et al. 2020)."""


@dataclass(frozen=True, eq=False)
class FittedTxt2Hsi:
    """starts: {class id: (m, 2) centres of the patches that sampling starts from, each used equally often ±1}."""

    params: Params
    vae: Vae
    denoiser: Denoiser
    norm: LatentNorm
    texts: Texts
    field: Field
    starts: Mapping[int, NDArray[np.int32]]
    facts: Mapping[str, Any]
    device: str

    def sample(self, counts: Mapping[int, int], *, guidance: float | None, seed: int) -> PatchSamples:
        """Text → latent diffusion → VAE decoder. Raises PluginError for a class that was not learnt."""
        omega = 0.0 if guidance is None else guidance
        rng = np.random.default_rng(seed)
        draw = torch.Generator().manual_seed(seed)
        unknown = [c for c, n in counts.items() if n and c not in self.starts]
        if unknown:
            raise PluginError(
                "txt2hsi can only make samples of classes that it was fitted on",
                value=f"class {unknown[0]}; it knows {', '.join(map(str, self.starts))}",
                hint="Give the class training pixels, or do not ask for it.",
            )
        y = np.repeat(np.array(list(counts), dtype=np.int64), list(counts.values()))
        x = self._draw(y, omega, rng, draw)
        made = PatchSamples.made(x, y, {**self.facts, "omega": omega})
        return replace(made, weight=np.full(len(made), self.params.weight, dtype=np.float32))

    @torch.inference_mode()
    def _draw(
        self, y: NDArray[np.int64], omega: float, rng: np.random.Generator, draw: torch.Generator
    ) -> NDArray[np.float32]:
        """(n, B, p, p) patches in scene units of the classes y (n,)."""
        coords = np.empty((len(y), 2), dtype=np.int32)
        for c in np.unique(y).tolist():
            own = self.starts[c]
            coords[y == c] = own[cycle(np.arange(len(own)), int((y == c).sum()), rng)]
        x = np.empty((len(y), self.field.bands, self.field.patch, self.field.patch), dtype=np.float32)
        for first in range(0, len(y), BATCH):
            part = slice(first, first + BATCH)
            x[part] = self._denoise(y[part], coords[part], omega, draw)
        return x

    def _denoise(
        self, y: NDArray[np.int64], coords: NDArray[np.int32], omega: float, draw: torch.Generator
    ) -> NDArray[np.float32]:
        params = self.params
        x = self.field.cut(coords)
        start = self.vae.encode(x)[0]
        noise = torch.randn(start.shape, generator=draw).to(self.device)
        first = max(0, round(params.strength * NOISE_STEPS) - 1)
        rows = self.texts.choose(torch.from_numpy(y), draw)
        texts = self.texts.to(self.device)
        blank = torch.full_like(rows, len(texts.tokens))

        def velocity(z: Tensor, t: Tensor) -> Tensor:
            def told(rows: Tensor) -> Tensor:
                out: Tensor = self.denoiser(z, t, texts.tokens, texts.mask, rows.to(self.device)).float()
                return out

            with torch.autocast(z.device.type, torch.bfloat16, enabled=bf16_is_faster(self.device)):
                return guide(told(rows), told(blank), omega) if omega else told(rows)

        if params.strength >= 1:
            z = noise
        else:
            t = torch.full((len(coords),), first, dtype=torch.int64)
            z = SCHEDULE.add_noise(self.norm.forward(start), t, noise)
        steps = max(1, round(params.strength * params.sample_steps))
        z = self.norm.back(sample(SCHEDULE, velocity, z, steps, first=first))
        made = self.vae.decoder(z)
        if params.strength < 1:
            # What the VAE cannot encode of the start is kept: the sample is the start plus the change.
            made = x + made - self.vae.decoder(start)
        return self.field.scene_units(made)

    def save(self, folder: Path) -> None:
        """All state, texts included, as safetensors and JSON."""
        arrays: dict[str, NDArray[Any]] = {
            **self.norm.arrays(),
            "text.tokens": self.texts.tokens.numpy(),
            "text.mask": self.texts.mask.numpy(),
            **state.fields(normaliser=self.field.normaliser),
            "field": self.field.values.cpu().numpy(),
            **{f"starts.{c}": pixels for c, pixels in self.starts.items()},
            **state.weights(vae=self.vae, denoiser=self.denoiser),
        }
        facts = {
            "params": asdict(self.params),
            "patch": self.field.patch,
            "facts": dict(self.facts),
            "rows": dict(self.texts.rows),
            "prompts": self.texts.prompts,
        }
        save_state(folder, arrays, facts)

    @classmethod
    def restore(
        cls, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], params: Params, device: str
    ) -> FittedTxt2Hsi:
        """Read a saved fit."""
        bands = arrays["field"].shape[2]
        classes = len(arrays["vae.head.bias"])
        tokens, mask = (torch.tensor(arrays[f"text.{name}"]) for name in ("tokens", "mask"))
        rows = {int(c): tuple(rows) for c, rows in facts["rows"].items()}
        texts = Texts(tokens, mask, rows, tuple(facts["prompts"]))
        side = int(facts["patch"])
        vae = state.restore("vae", arrays, lambda: Vae(bands, classes, params), device)
        denoiser = state.restore("denoiser", arrays, lambda: denoiser_of(params, side, texts), device)
        normaliser = Normaliser(**state.under("normaliser", arrays))
        starts = {int(c): pixels for c, pixels in state.under("starts", arrays).items()}
        field = Field(torch.tensor(arrays["field"], device=device), side, normaliser)
        norm, facts = LatentNorm.restore(arrays, device), facts["facts"]
        return cls(params, vae, denoiser, norm, texts, field, dict(sorted(starts.items())), facts, device)
