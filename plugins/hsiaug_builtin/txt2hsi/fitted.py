"""A fitted ``txt2hsi``: sampling and saving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import Attention, InputError, Normaliser, PatchSamples, PluginError, save_state
from hsiaug_builtin.diffusion.edm import Denoise, guided, noise_levels, sample
from hsiaug_builtin.diffusion.training import bf16_is_faster
from hsiaug_builtin.nets import state
from hsiaug_builtin.txt2hsi.denoiser import Condition, Denoiser
from hsiaug_builtin.txt2hsi.measured import Measure
from hsiaug_builtin.txt2hsi.params import SIGMA_LEAST, SIGMA_MOST, Params
from hsiaug_builtin.txt2hsi.prepare import PreparedScene, condition, denoiser_of, restore_moments, restore_vae
from hsiaug_builtin.txt2hsi.texts import Texts
from hsiaug_builtin.txt2hsi.tokens import Tokens
from hsiaug_builtin.txt2hsi.vae import Remainder

BATCH = 256
LOOKED_AT = (0.3, 1.0, 3.0)
"""Noise levels at which attention is read: the median of training, and about a deviation below and above."""
MARKS = "[marks]"
"""Stands for the tokens of a prompt that belong to no word."""


@dataclass(frozen=True, eq=False)
class Prior:
    """Which codes the text of a class names: ids: (C,) classes. share: (C, K) of the class's pixels, rows sum to 1."""

    ids: NDArray[np.int64]
    share: NDArray[np.float64]

    @classmethod
    def fit(cls, codes: Mapping[int, NDArray[np.int16]]) -> Prior:
        """Of the codes of each class's pixels."""
        number = max(int(own.max()) for own in codes.values()) + 1
        counts = np.stack([np.bincount(own, minlength=number) for own in codes.values()])
        return cls(np.array(list(codes)), counts / counts.sum(axis=1, keepdims=True))

    def row(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each class id."""
        return np.searchsorted(self.ids, y)

    def draw(self, y: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """(n,) a code for each class id of y (n,)."""
        edges = self.share.cumsum(axis=1)
        point = rng.random(len(y)) * edges[self.row(y), -1]
        return torch.from_numpy((edges[self.row(y)] <= point[:, None]).sum(axis=1).clip(max=self.share.shape[1] - 1))


@dataclass(frozen=True, eq=False)
class FittedTxt2Hsi:
    """remainder: of the classes of the prior, in its order. starts: {class id: (m, B, p, p) patches} that editing begins
    at; empty where sampling begins at pure noise.
    """

    params: Params
    scene: PreparedScene
    denoiser: Denoiser
    remainder: Remainder
    texts: Texts
    prior: Prior
    normaliser: Normaliser
    measure: Measure
    facts: Mapping[str, Any]
    device: str
    starts: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)

    def sample(self, counts: Mapping[int, int], *, guidance: float | None, seed: int) -> PatchSamples:
        """Text → code → latent diffusion → VAE decoder. Raises PluginError for a class that was not learnt."""
        omega = 0.0 if guidance is None else guidance
        y = np.repeat(np.array(list(counts), dtype=np.int64), list(counts.values()))
        self._check_known(y)
        rng, draw = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        side = self.scene.patch
        # Each batch goes to its place: samples take much memory, and are there once.
        x = np.empty((len(y), len(self.normaliser.mean), side, side), dtype=np.float32)
        for start in range(0, len(y), BATCH):
            part = slice(start, start + BATCH)
            x[part] = self._draw(y[part], omega, rng, draw)
        made = PatchSamples.made(x, y, {**self.facts, "omega": omega, **self.measure(x, y)})
        return replace(made, weight=np.full(len(made), self.params.weight, dtype=np.float32))

    def _check_known(self, y: NDArray[np.int64]) -> None:
        unknown = y[~np.isin(y, self.prior.ids)]
        if len(unknown):
            raise PluginError(
                "txt2hsi can only make samples of classes that it was fitted on",
                value=f"class {unknown[0]}; it knows {', '.join(map(str, self.prior.ids))}",
                hint="Give the class training pixels, or do not ask for it.",
            )

    @torch.inference_mode()
    def attention(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> Attention:
        """Where patches x (n, B, p, p) look under texts and codes of class ids y (n,), as :class:`hsiaug.api.Attention`.

        Mean over noise levels, heads and the queries of a token: a token has one for each of its pixels, but nothing ties
        these to places inside it, so that maps are as fine as tokens. Raises InputError for texts without words.
        """
        if self.params.text == "number":
            raise InputError(
                "txt2hsi has attention to words where its prompts have words",
                value="text = number",
                hint="Use text = coarse, fine, both or auto.",
            )
        self._check_known(y)
        texts, (side, grid) = self.texts.to(self.device), (self.scene.tokens.side, self.scene.tokens.grid)
        rng, draw = np.random.default_rng(0), torch.Generator().manual_seed(0)
        words, maps = [], []
        for start in range(0, len(y), BATCH):
            part = slice(start, start + BATCH)
            label = torch.tensor(y[part])
            rows = texts.choose(label, draw)
            told = condition(self.prior.draw(y[part], rng), self.device, rows, label)
            z = self._encode(x[part])
            noise = torch.randn(z.shape, generator=draw).to(self.device)
            seen = [
                self.denoiser(
                    z + level * noise, torch.full((len(z),), level, device=z.device), told, texts, shares=True
                )[1]
                for level in LOOKED_AT
            ]
            shares = torch.stack(seen).mean(dim=(0, 2)).cpu()  # (n, N·q², L)
            of_tokens = shares.reshape(len(z), grid, grid, side**2, -1).mean(dim=3).movedim(3, 1)
            of_pixels = of_tokens.repeat_interleave(side, dim=2).repeat_interleave(side, dim=3)
            for row, share in zip(rows.tolist(), of_pixels, strict=True):
                words.append((*texts.words[row], MARKS))
                # What is no piece of a word has the number −1: it goes to the last place.
                place = texts.word[row].long() % len(words[-1])
                maps.append(torch.zeros(len(words[-1]), *share.shape[1:]).index_add_(0, place, share).numpy())
        return Attention(tuple(words), tuple(maps))

    @torch.inference_mode()
    def _draw(
        self, y: NDArray[np.int64], omega: float, rng: np.random.Generator, draw: torch.Generator
    ) -> NDArray[np.float32]:
        """(n, B, p, p) patches in scene units of the classes y (n,)."""
        scene, params = self.scene, self.params
        code = self.prior.draw(y, rng)
        label = torch.from_numpy(y)
        told = condition(code, self.device, self.texts.choose(label, draw), label)
        levels = noise_levels(params.sample_steps, SIGMA_MOST, SIGMA_LEAST)
        noise = torch.randn((len(y), scene.tokens.grid**2, scene.tokens.size), generator=draw).to(self.device)
        denoise = self._guided(told, omega)
        if params.strength < 1:
            x = np.stack([self.starts[c][rng.integers(len(self.starts[c]))] for c in y.tolist()])
            return x + self._edited(x, levels, noise, denoise)
        z = sample(denoise, self.denoiser.begin(noise, levels[0], told), levels)
        spectra = scene.vae.decode(scene.tokens.patches(z)).cpu()
        spectra += self.remainder.draw(self.prior.row(y), scene.patch, draw)
        return self.normaliser.patches_back(spectra.movedim(3, 1).numpy())

    def _edited(
        self, x: NDArray[np.float32], levels: list[float], noise: Tensor, denoise: Denoise
    ) -> NDArray[np.float32]:
        """By what patches x (n, B, p, p) change when they are noised up to ``strength`` and denoised again (SDEdit, Meng
        et al., ICLR 2022)."""
        scene = self.scene
        first = min(len(levels) - 1, round((1 - self.params.strength) * (len(levels) - 1)))
        z = self._encode(x)
        new = sample(denoise, z + levels[first] * noise, levels[first:])
        change = scene.vae.decode(scene.tokens.patches(new)) - scene.vae.decode(scene.tokens.patches(z))
        scaled = change.movedim(3, 1).cpu().numpy() * self.normaliser.std[:, None, None]
        return np.asarray(scaled, dtype=np.float32)

    def _encode(self, x: NDArray[np.float32]) -> Tensor:
        """(n, N, k) tokens of patches x (n, B, p, p)."""
        spectra = torch.tensor(self.normaliser.patches(x), device=self.device).movedim(1, 3)
        return self.scene.tokens.take(self.scene.vae.encode(spectra))

    def _guided(self, told: Condition, omega: float) -> Denoise:
        """The denoiser under texts and codes, led away from itself without them, or from the scene's own."""
        texts, params = self.texts.to(self.device), self.params

        def under(model: Denoiser, told: Condition, texts: Texts | None) -> Denoise:
            def denoise(x: Tensor, level: float) -> Tensor:
                sigma = torch.full((len(x),), level, device=x.device)
                with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16_is_faster(self.device)):
                    clean: Tensor = model(x, sigma, told, texts)[0]
                return clean.float()

            return denoise

        if params.guide == "scene":
            away = under(self.scene.denoiser, told.without_text(), None)
        else:
            nothing = replace(told.without_text(), code=torch.full_like(told.code, self.scene.moments.no_code))
            away = under(self.denoiser, nothing, texts)
        return guided(under(self.denoiser, told, texts), away, omega, params.guide_from, params.guide_to)

    def save(self, folder: Path) -> None:
        """All state, texts included, as safetensors and JSON."""
        texts, scene = self.texts, self.scene
        arrays: dict[str, NDArray[Any]] = {
            **{f"text.{name}": getattr(texts, name).numpy() for name in ("tokens", "mask", "pooled", "word")},
            **state.fields(normaliser=self.normaliser, remainder=self.remainder, prior=self.prior),
            "tokens": scene.tokens.mean.cpu().numpy(),
            **self.measure.arrays(),
            **{f"starts.{c}": patches for c, patches in self.starts.items()},
            **state.weights(vae=scene.vae, scene=scene.denoiser, denoiser=self.denoiser),
        }
        facts = {
            "params": asdict(self.params),
            "patch": scene.patch,
            "facts": dict(self.facts),
            "rows": dict(texts.rows),
            "prompts": texts.prompts,
            "words": texts.words,
        }
        save_state(folder, arrays, facts)

    @classmethod
    def restore(
        cls, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], params: Params, device: str
    ) -> FittedTxt2Hsi:
        """Read a saved fit."""
        rows = {int(c): tuple(rows) for c, rows in facts["rows"].items()}
        table = {name: torch.tensor(arrays[f"text.{name}"]) for name in ("tokens", "mask", "pooled", "word")}
        words = tuple(map(tuple, facts["words"]))
        texts = Texts(rows=rows, prompts=tuple(facts["prompts"]), words=words, **table)
        vae, moments = restore_vae(arrays, params, device), restore_moments("scene", arrays)
        tokens = Tokens(int(facts["patch"]), len(vae.log_variance), torch.tensor(arrays["tokens"], device=device))
        told, size = restore_moments("denoiser", arrays), texts.tokens.shape[2]
        scene = PreparedScene(
            params,
            int(facts["patch"]),
            vae,
            tokens,
            moments,
            # No longer needed: the prior knows which codes the classes have.
            np.empty((0, 0), dtype=np.int16),
            state.restore("scene", arrays, lambda: denoiser_of(params, tokens, moments), device),
        )
        return cls(
            params=params,
            scene=scene,
            denoiser=state.restore("denoiser", arrays, lambda: denoiser_of(params, tokens, told, size), device),
            remainder=Remainder(**state.under("remainder", arrays)),
            texts=texts,
            prior=Prior(**state.under("prior", arrays)),
            normaliser=Normaliser(**state.under("normaliser", arrays)),
            measure=Measure.restore(arrays),
            facts=facts["facts"],
            device=device,
            starts={int(c): patches for c, patches in state.under("starts", arrays).items()},
        )
