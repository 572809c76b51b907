"""A fitted ``txt2hsi``: sampling and saving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import (
    Attention,
    InputError,
    Normaliser,
    PatchSamples,
    PluginError,
    Reconstruction,
    save_state,
)
from hsiaug_builtin.diffusion.edm import Denoise, guided, noise_levels, sample, sample_with_noise
from hsiaug_builtin.diffusion.training import bf16_is_faster
from hsiaug_builtin.nets import state
from hsiaug_builtin.txt2hsi.codebook import Conditioning
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.frequencies import to_frequencies, to_pixels
from hsiaug_builtin.txt2hsi.measured import Measure
from hsiaug_builtin.txt2hsi.naming import Prior
from hsiaug_builtin.txt2hsi.params import SIGMA_LEAST, SIGMA_MOST, Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import (
    condition_on,
    restore_denoiser,
    restore_gaussians,
    restore_vae,
)
from hsiaug_builtin.txt2hsi.texts import Texts, with_prompts
from hsiaug_builtin.txt2hsi.vae import Remainder, Vae

BATCH = 256
"""Patches whose randomness is drawn together: another number would give other samples."""
AT_ONCE_ON_CPU = 64
"""Patches that a CPU denoises and decodes at a time: what lies between two layers is then small
enough for memory that was freed to be used again. The samples do not depend on it.
"""
ATTENTION_LEVELS = (0.3, 1.0, 3.0)
"""Noise levels at which attention is read: the median of training, and about a deviation off it."""
MARKS = "[marks]"
"""Stands for the tokens of a prompt that belong to no word."""
TEXT_ARRAYS = ("tokens", "mask", "pooled", "word")


@dataclass(frozen=True, eq=False)
class FittedTxt2Hsi:
    """What sampling needs.

    Attributes
    ----------
    scene_denoiser : Denoiser
        The one before texts.
    remainder : Remainder
        Remainder of the classes of the prior, in its order.
    starts : mapping of int to array of float32
        {class id: (m, B, p, p) patches} that editing begins at; empty where sampling begins at
        pure noise.
    """

    params: Txt2HsiParams
    vae: Vae
    scene_denoiser: Denoiser
    denoiser: Denoiser
    remainder: Remainder
    texts: Texts
    prior: Prior
    normaliser: Normaliser
    measure: Measure
    facts: Mapping[str, Any]
    device: str
    starts: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def side(self) -> int:
        """Side of a patch in pixels."""
        return self.denoiser.gaussians.mean.shape[1]

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Text → code → latent diffusion → VAE decoder.

        Raises
        ------
        PluginError
            For a class that was not learnt.
        """
        omega = 0.0 if guidance is None else guidance
        y = np.repeat(np.array(list(counts), dtype=np.int64), list(counts.values()))
        check_classes("txt2hsi", y, self.prior)
        rng = np.random.default_rng(seed)
        torch_rng = torch.Generator().manual_seed(seed)
        # Each batch goes to its place: samples take much memory, and are there once.
        x = np.empty((len(y), len(self.normaliser.mean), self.side, self.side), dtype=np.float32)
        for start in range(0, len(y), BATCH):
            batch = slice(start, start + BATCH)
            x[batch] = self._sample(y[batch], omega, rng, torch_rng)
        facts = {**self.facts, "omega": omega, **self.measure(x, y)}
        samples = PatchSamples.made(x, y, facts)
        return replace(samples, weight=np.full(len(y), self.params.weight, dtype=np.float32))

    def with_prompts(self, prompts: Mapping[int, Sequence[str]]) -> FittedTxt2Hsi:
        """The same generator under other prompts of some classes.

        Parameters
        ----------
        prompts : mapping of int to sequence of str
            {class id: prompts}.

        Raises
        ------
        InputError
            For texts without words.
        """
        self._check_words("reads typed prompts")
        texts = with_prompts(self.texts, prompts, self.params.encoder)
        return replace(self, texts=texts)

    def _check_words(self, ability: str) -> None:
        """Raise InputError where prompts are numbers of classes, which lack what needs words."""
        if self.params.text == "number":
            raise InputError(
                f"txt2hsi {ability} where its prompts have words",
                value="text = number",
                hint="Use another value of text, such as both.",
            )

    @torch.inference_mode()
    def reconstruct(self, x: NDArray[np.float32]) -> Reconstruction:
        """Patches x (n, B, p, p) in scene units, encoded by the VAE and decoded."""
        decoded = np.empty_like(x)
        for start in range(0, len(x), BATCH):
            batch = slice(start, start + BATCH)
            spectra = self.vae.decode(to_pixels(self._encode(x[batch]))).movedim(3, 1)
            decoded[batch] = self.normaliser.patches_back(spectra.cpu().numpy())
        return Reconstruction(decoded)

    @torch.inference_mode()
    def attention(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> Attention:
        """Where the pixels of patches look, mean over noise levels and heads.

        Parameters
        ----------
        x : array (n, B, p, p) of float32
            Patches in scene units.
        y : array (n,) of int64
            Class ids, whose texts and codes they are read under.

        Raises
        ------
        InputError
            For texts without words.
        """
        self._check_words("has attention to words")
        check_classes("txt2hsi", y, self.prior)
        texts = self.texts.to(self.device)
        rng = np.random.default_rng(0)
        torch_rng = torch.Generator().manual_seed(0)
        words: list[tuple[str, ...]] = []
        maps: list[NDArray[np.float32]] = []
        for start in range(0, len(y), BATCH):
            batch = slice(start, start + BATCH)
            label = torch.tensor(y[batch])
            rows = texts.choose(label, torch_rng)
            condition = condition_on(self.prior.sample(y[batch], rng), self.device, rows, label)
            z = self._encode(x[batch])
            noise = torch.randn(z.shape, generator=torch_rng).to(self.device)
            attention = []
            for level in ATTENTION_LEVELS:
                sigma = torch.full((len(z),), level, device=z.device)
                _, share = self.denoiser(z + level * noise, sigma, condition, texts, shares=True)
                attention.append(share)
            shares = torch.stack(attention).mean(dim=(0, 2)).cpu()  # (n, p², L)
            of_pixels = shares.reshape(len(z), self.side, self.side, -1).movedim(3, 1)
            for row, share in zip(rows.tolist(), of_pixels, strict=True):
                words.append((*texts.words[row], MARKS))
                # What is no piece of a word has the number −1: it goes to the last place.
                place = texts.word[row].long() % len(words[-1])
                of_words = torch.zeros(len(words[-1]), self.side, self.side)
                maps.append(of_words.index_add_(0, place, share).numpy())
        return Attention(tuple(words), tuple(maps))

    @torch.inference_mode()
    def _sample(
        self,
        y: NDArray[np.int64],
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> NDArray[np.float32]:
        """(n, B, p, p) patches in scene units of the classes y (n,)."""
        code = self.prior.sample(y, rng)
        label = torch.from_numpy(y)
        condition = condition_on(code, self.device, self.texts.choose(label, torch_rng), label)
        levels = noise_levels(self.params.sample_steps, SIGMA_MOST, SIGMA_LEAST)
        shape = (len(y), *self.denoiser.gaussians.mean.shape[1:])

        def noise() -> Tensor:
            return torch.randn(shape, generator=torch_rng).to(self.device)

        denoise = self._guided(condition, omega)
        if self.params.strength < 1:
            x = np.stack([self.starts[c][rng.integers(len(self.starts[c]))] for c in y.tolist()])
            return x + self._edited(x, levels, noise(), denoise)
        start = self.denoiser.gaussians.sample(noise(), condition, levels[0])
        z = sample_with_noise(denoise, start, levels, noise)
        return decode_patches(
            self.vae, z, self.remainder, self.prior.row(y), self.normaliser, torch_rng
        )

    def _edited(
        self, x: NDArray[np.float32], levels: list[float], noise: Tensor, denoise: Denoise
    ) -> NDArray[np.float32]:
        """By what patches x (n, B, p, p) change when they are noised and denoised again.

        The noise goes up to ``strength`` (SDEdit, Meng et al., ICLR 2022).
        """
        first = min(len(levels) - 1, round((1 - self.params.strength) * (len(levels) - 1)))
        z = self._encode(x)
        edited = sample(denoise, z + levels[first] * noise, levels[first:])
        change = self.vae.decode(to_pixels(edited)) - self.vae.decode(to_pixels(z))
        scaled = change.movedim(3, 1).cpu().numpy() * self.normaliser.std[:, None, None]
        return np.asarray(scaled, dtype=np.float32)

    def _encode(self, x: NDArray[np.float32]) -> Tensor:
        """(n, p, p, d) coefficients of patches x (n, B, p, p)."""
        spectra = torch.tensor(self.normaliser.patches(x), device=self.device).movedim(1, 3)
        return to_frequencies(self.vae.encode(spectra))

    def _guided(self, condition: Conditioning, omega: float) -> Denoise:
        """The denoiser under texts and codes, led away from itself without, or from the scene's."""
        texts = self.texts.to(self.device)
        params = self.params

        def under(model: Denoiser, conditioning: Conditioning, words: Texts | None) -> Denoise:
            def denoise(x: Tensor, level: float) -> Tensor:
                clean = torch.empty_like(x)
                for some in computed_together(x):
                    sigma = torch.full((len(x[some]),), level, device=x.device)
                    half = bf16_is_faster(self.device)
                    with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
                        clean[some] = model(x[some], sigma, conditioning.take(some), words)[0]
                return clean

            return denoise

        if params.guide == "scene":
            away = under(self.scene_denoiser, condition.without_text(), None)
        else:
            no_code = torch.full_like(condition.code, self.denoiser.gaussians.no_code)
            away = under(self.denoiser, replace(condition.without_text(), code=no_code), texts)
        return guided(
            under(self.denoiser, condition, texts),
            away,
            omega,
            params.guide_from,
            params.guide_to,
        )

    def save(self, folder: Path) -> None:
        """All state, texts included, as safetensors and JSON."""
        texts = self.texts
        nets = state.weights(vae=self.vae, scene=self.scene_denoiser, denoiser=self.denoiser)
        # Codes have the same Gaussians before and after texts.
        repeated = ("denoiser.gaussians.mean", "denoiser.gaussians.variance")
        arrays: dict[str, NDArray[Any]] = {
            **{f"text.{name}": getattr(texts, name).numpy() for name in TEXT_ARRAYS},
            **state.fields(normaliser=self.normaliser, remainder=self.remainder, prior=self.prior),
            **self.measure.arrays(),
            **{f"starts.{c}": patches for c, patches in self.starts.items()},
            **{name: array for name, array in nets.items() if name not in repeated},
        }
        facts = {
            "params": asdict(self.params),
            "facts": dict(self.facts),
            "rows": dict(texts.rows),
            "prompts": texts.prompts,
            "words": texts.words,
        }
        save_state(folder, arrays, facts)

    @classmethod
    def restore(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        facts: Mapping[str, Any],
        params: Txt2HsiParams,
        device: str,
    ) -> FittedTxt2Hsi:
        """Read a saved fit."""
        rows = {int(c): tuple(rows) for c, rows in facts["rows"].items()}
        table = {name: torch.tensor(arrays[f"text.{name}"]) for name in TEXT_ARRAYS}
        words = tuple(map(tuple, facts["words"]))
        texts = Texts(rows=rows, prompts=tuple(facts["prompts"]), words=words, **table)
        of_codes = restore_gaussians("scene.gaussians", arrays)
        with_classes = {
            **arrays,
            "denoiser.gaussians.mean": of_codes.mean.numpy(),
            "denoiser.gaussians.variance": of_codes.variance.numpy(),
        }
        of_classes = restore_gaussians("denoiser.gaussians", with_classes)
        size = texts.tokens.shape[2]
        return cls(
            params=params,
            vae=restore_vae(arrays, params.network.vae_width, device),
            scene_denoiser=restore_denoiser("scene", arrays, of_codes, params, device),
            denoiser=restore_denoiser("denoiser", arrays, of_classes, params, device, size),
            remainder=Remainder(**state.under("remainder", arrays)),
            texts=texts,
            prior=Prior(**state.under("prior", arrays)),
            normaliser=Normaliser(**state.under("normaliser", arrays)),
            measure=Measure.restore(arrays),
            facts=facts["facts"],
            device=device,
            starts={int(c): patches for c, patches in state.under("starts", arrays).items()},
        )


def check_classes(name: str, y: NDArray[np.int64], prior: Prior) -> None:
    """Raise PluginError for class ids y (n,) that the generator of that name was not fitted on."""
    unknown = y[~np.isin(y, prior.ids)]
    if len(unknown):
        raise PluginError(
            f"{name} can only make samples of classes that it was fitted on",
            value=f"class {unknown[0]}; it knows {', '.join(map(str, prior.ids))}",
            hint="Give the class training pixels, or do not ask for it.",
        )


def computed_together(x: Tensor) -> Iterator[slice]:
    """Patches of x (n, …) that its device computes at a time, one part after the other."""
    at_once = AT_ONCE_ON_CPU if x.device.type == "cpu" else max(1, len(x))
    for start in range(0, len(x), at_once):
        yield slice(start, start + at_once)


def decode_patches(
    vae: Vae,
    coefficients: Tensor,
    remainder: Remainder,
    rows: NDArray[np.int64],
    normaliser: Normaliser,
    rng: torch.Generator,
) -> NDArray[np.float32]:
    """Patches (n, B, p, p) in scene units of coefficients (n, p, p, d), with what the VAE leaves
    out.

    Parameters
    ----------
    rows : (n,) int64
        Of the remainder.
    """
    chosen, mirrors = remainder.draw(rows, rng)
    side, bands = coefficients.shape[1], len(normaliser.mean)
    patches = np.empty((len(rows), bands, side, side), dtype=np.float32)
    for some in computed_together(coefficients):
        spectra = vae.decode(to_pixels(coefficients[some])).cpu()
        spectra += remainder.noise(chosen[some], mirrors[some])
        patches[some] = normaliser.patches_back(spectra.movedim(3, 1).numpy())
    return patches
