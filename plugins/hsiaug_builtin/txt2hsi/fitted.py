"""A fitted ``txt2hsi``: reading of texts, sampling and saving."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
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
    PromptReading,
    Reconstruction,
    mapped_rows,
    save_state,
)
from hsiaug_builtin.diffusion.edm import Denoise, guided, noise_levels, sample_with_noise
from hsiaug_builtin.diffusion.training import bf16_is_faster
from hsiaug_builtin.nets import state
from hsiaug_builtin.text.layout import NEIGHBOURS, PHRASES, RELATIONS
from hsiaug_builtin.text.sentences import read_sentence
from hsiaug_builtin.txt2hsi.denoiser import Denoiser, Said
from hsiaug_builtin.txt2hsi.facts import (
    COLUMN,
    Ids,
    drop_implied,
    facts_of_mentions,
    mirror_facts,
)
from hsiaug_builtin.txt2hsi.frequencies import MIRRORS, to_frequencies, to_pixels
from hsiaug_builtin.txt2hsi.lessons import columns_said, mentions_of
from hsiaug_builtin.txt2hsi.lfue import Statistics, with_means
from hsiaug_builtin.txt2hsi.measured import Measure
from hsiaug_builtin.txt2hsi.params import SIGMA_LEAST, SIGMA_MOST, Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import restore_denoiser, restore_vae
from hsiaug_builtin.txt2hsi.reader import Reader
from hsiaug_builtin.txt2hsi.reading import read_prompt
from hsiaug_builtin.txt2hsi.spread import Maps, Spread, apply_maps
from hsiaug_builtin.txt2hsi.vae import Remainder, Vae
from hsiaug_builtin.txt2hsi.words import ClassWords

BATCH = 256
"""Patches whose randomness is drawn together: another number would give other samples."""
AT_ONCE_ON_CPU = 32
"""Patches that a CPU denoises and decodes at a time: what lies between two layers is then small
enough for memory that was freed to be used again. The samples do not depend on it.
"""
ATTENTION_LEVELS = (0.3, 1.0, 3.0)
"""Noise levels at which attention is read: low ones, where the patch is still seen."""
MEASURED = 16
"""Samples of each class by which it is measured how samples vary."""
BESIDE = np.array([COLUMN[relation] for relation in NEIGHBOURS])
"""Columns of the facts that name another class than that of the centre."""
NOTHING = "[nothing]"
"""Stands for the place that pixels look at of which nothing is said."""


@dataclass(frozen=True, eq=False)
class FittedTxt2Hsi:
    """What sampling needs.

    Attributes
    ----------
    remainder : Remainder
        What the VAE leaves out of the classes, in the order of ``facts_of``.
    words : ClassWords
        How the classes are named.
    facts_of : mapping of int to array of int16
        {class id: (m, R) facts of patches that it was named in}, which samples are asked by.
    statistics : Statistics
        Which channel means patches of a class have (LF-UE).
    spread : Spread
        How the coefficients of patches vary, and those of samples do (LF-UE).
    reader : Reader
        Chooses among the samples of a prompt.
    """

    params: Txt2HsiParams
    vae: Vae
    denoiser: Denoiser
    remainder: Remainder
    words: ClassWords
    facts_of: Mapping[int, Ids]
    statistics: Statistics
    spread: Spread
    reader: Reader
    normaliser: Normaliser
    measure: Measure
    facts: Mapping[str, Any]
    device: str

    @property
    def side(self) -> int:
        """Side of a patch in pixels."""
        return self.denoiser.mean.shape[0]

    @property
    def ids(self) -> NDArray[np.int64]:
        """Ids of the classes that were learnt."""
        return np.array(list(self.facts_of), dtype=np.int64)

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Text → latent diffusion → VAE decoder.

        Each sample has a sentence of its own: what a patch of the class was seen to show.

        Raises
        ------
        PluginError
            For a class that was not learnt.
        """
        y = np.repeat(np.array(list(counts), dtype=np.int64), list(counts.values()))
        check_classes("txt2hsi", y, self.ids)
        return self._sample_all(y, None, guidance, seed, best_of=1)

    def read_prompts(self, prompts: Sequence[str]) -> tuple[PromptReading, ...]:
        """What is understood of prompts as somebody typed them."""
        return tuple(
            read_prompt(
                prompt,
                self.words.names,
                self.facts_of.keys(),
                self.side,
                learns=self.params.steps > 0,
            )
            for prompt in prompts
        )

    def sample_prompts(
        self, prompts: Sequence[str], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """A sample of each prompt: of several, the one that shows most of what is said.

        Raises
        ------
        InputError
            For a prompt of which no patch can be made.
        """
        facts = self._facts_of_prompts(prompts)
        y = facts[:, 0].astype(np.int64)
        return self._sample_all(y, facts, guidance, seed, best_of=self.params.best_of)

    def _facts_of_prompts(self, prompts: Sequence[str]) -> Ids:
        """(n, R) what prompts say. Raises InputError where that makes no patch."""
        for prompt, reading in zip(prompts, self.read_prompts(prompts), strict=True):
            if reading.faults:
                known = ", ".join(self.words.names[c] for c in self.facts_of)
                raise InputError(
                    f"a prompt must say what a patch shows, and {reading.faults[0]}",
                    value=repr(prompt[:100]),
                    hint=f"Write 'CLASS' or 'CLASS with CLASS to the north'; classes are {known}.",
                )
        read = [read_sentence(prompt, self.words.names).mentions for prompt in prompts]
        return facts_of_mentions(read)

    def _sample_all(
        self,
        y: NDArray[np.int64],
        facts: Ids | None,
        guidance: float | None,
        seed: int,
        *,
        best_of: int,
    ) -> PatchSamples:
        """Samples of classes y (n,) under facts (n, R), by default some that the class has; each is
        the one of ``best_of`` that shows most of them.
        """
        omega = 0.0 if guidance is None else guidance
        # A typed prompt may show what no patch of the class does.
        maps = self._maps if facts is None else None

        def batches() -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
            rng = np.random.default_rng(seed)
            torch_rng = torch.Generator().manual_seed(seed)
            for start in range(0, len(y), BATCH):
                at = np.arange(start, min(start + BATCH, len(y)))
                said = self._draw_facts(y[at], rng) if facts is None else facts[at]
                means = self.statistics.draw(said, rng)
                if not self.params.lfue:
                    means[:] = torch.nan
                elif facts is not None:
                    # Those of a class are not those of a patch that shows a typed neighbour too.
                    neighbours = torch.from_numpy(said[:, BESIDE] >= 0).any(dim=1)
                    means[neighbours] = torch.nan
                yield at, self._sample(said, means, omega, rng, torch_rng, maps, best_of)

        # Samples take much memory: they lie in a file.
        x = mapped_rows((len(y), len(self.normaliser.mean), self.side, self.side), batches)
        facts_of_samples = {**self.facts, "omega": omega, **self.measure(x, y)}
        samples = PatchSamples.made(x, y, facts_of_samples)
        return replace(samples, weight=np.full(len(y), self.params.weight, dtype=np.float32))

    def _draw_facts(self, y: NDArray[np.int64], rng: np.random.Generator) -> Ids:
        """(n, R) facts of patches that the classes y (n,) were seen in, mirrored at random."""
        rows = np.stack([rng.choice(self.facts_of[c]) for c in y.tolist()])
        rows = mirror_facts(rows, rng.integers(MIRRORS, size=len(y)))
        if not self.params.layout:
            rows[:, 1:] = -1
        return drop_implied(rows)

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
    def attention(self, x: NDArray[np.float32], prompts: Sequence[str]) -> Attention:
        """Where the pixels of patches look, mean over noise levels and heads.

        Parameters
        ----------
        x : array (n, B, p, p) of float32
            Patches in scene units.
        prompts : sequence of str
            What is said of each.

        Raises
        ------
        InputError
            For a prompt of which no patch can be made.
        """
        facts = self._facts_of_prompts(prompts)
        rng = np.random.default_rng(0)
        torch_rng = torch.Generator().manual_seed(0)
        nouns = self._nouns()
        words: list[tuple[str, ...]] = []
        maps: list[NDArray[np.float32]] = []
        for start in range(0, len(x), BATCH):
            batch = slice(start, start + BATCH)
            said = mentions_of(facts[batch], self.words.choose, rng).to(self.device)
            z = self._encode(x[batch])
            noise = torch.randn(z.shape, generator=torch_rng).to(self.device)
            shares = torch.zeros(len(z), self.side**2, said.noun.shape[1] + 1)
            for level in ATTENTION_LEVELS:
                sigma = torch.full((len(z),), level, device=z.device)
                _, share = self.denoiser(z + level * noise, sigma, said, nouns)
                shares += share.exp().cpu() / len(ATTENTION_LEVELS)
            for row, share in zip(facts[batch], shares.numpy(), strict=True):
                of_words = self._by_word(row, share)
                words.append(tuple(word for word, _ in of_words))
                maps.append(np.stack([value for _, value in of_words]))
        return Attention(tuple(words), tuple(maps))

    def _by_word(
        self, facts: NDArray[np.int16], share: NDArray[np.float32]
    ) -> list[tuple[str, NDArray[np.float32]]]:
        """The map of each word of a sentence: a mention shares its map among its words."""
        columns = columns_said(facts[None])[0]
        maps = share.T.reshape(-1, self.side, self.side)
        answer = []
        for column, of_mention in zip(columns, maps[:-1], strict=True):
            if facts[column] < 0:
                continue
            relation = RELATIONS[column]
            words = self.words.names[int(facts[column])].split()
            if relation != "centre":
                words += PHRASES[relation].split()
            answer += [(word, of_mention / len(words)) for word in words]
        return [*answer, (NOTHING, maps[-1])]

    @torch.inference_mode()
    def _nouns(self) -> Tensor:
        """The nouns of all phrases of classes."""
        embedded = torch.tensor(self.words.embedded, device=self.device)
        return torch.as_tensor(self.denoiser.noun(embedded))

    @cached_property
    def _maps(self) -> Maps | None:
        """Make samples vary as patches do (LF-UE); by some samples of each class, always the same
        ones.
        """
        if not self.params.lfue:
            return None
        rng = np.random.default_rng(0)
        torch_rng = torch.Generator().manual_seed(0)
        y = np.repeat(self.ids, MEASURED)
        said = self._draw_facts(y, rng)
        means = self.statistics.draw(said, rng)
        with torch.inference_mode():
            made = self._coefficients(said, means, 0.0, rng, torch_rng, None, 1).cpu().numpy()
        of_samples = Spread.of_patches({c: made[y == c] for c in self.ids.tolist()})
        return self.spread.maps_from(of_samples)

    @torch.inference_mode()
    def _sample(
        self,
        facts: Ids,
        means: Tensor,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
        maps: Maps | None,
        best_of: int,
    ) -> NDArray[np.float32]:
        """(n, B, p, p) patches in scene units of which facts (n, R) are said, of channel means
        (n, 2, d) of the patch and of its centre; NaN = any.
        """
        made = self._coefficients(facts, means, omega, rng, torch_rng, maps, best_of)
        rows = np.argmax(facts[:, :1] == self.ids, axis=1)
        parts = decode_in_parts(self.vae, made, self.remainder, rows, self.normaliser, torch_rng)
        return np.concatenate([patches for _, patches in parts])

    def _coefficients(
        self,
        facts: Ids,
        means: Tensor,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
        maps: Maps | None,
        best_of: int,
    ) -> Tensor:
        """(n, p, p, d) coefficients, of the same."""
        said = mentions_of(facts, self.words.choose, rng).to(self.device)
        levels = noise_levels(self.params.sample_steps, SIGMA_MOST, SIGMA_LEAST)
        shape = (len(facts), *self.denoiser.mean.shape)
        mean = self.denoiser.mean
        deviation = (self.denoiser.variance + levels[0] ** 2).sqrt()
        denoise = with_means(
            self._guided(said, omega), means.to(self.device), self.denoiser.variance
        )

        def noise() -> Tensor:
            return torch.randn(shape, generator=torch_rng).to(self.device)

        def make() -> Tensor:
            made = sample_with_noise(denoise, mean + deviation * noise(), levels, noise)
            return made if maps is None else apply_maps(made, mean, maps)

        return self._keep_what_is_said(facts, best_of, make)

    def _keep_what_is_said(self, facts: Ids, best_of: int, make: Callable[[], Tensor]) -> Tensor:
        """Coefficients (n, p, p, d) for facts (n, R): of several, those that show most of them."""
        kept = make()
        if best_of == 1:
            return kept
        found = self.reader.find_said(to_pixels(kept), facts)
        for _ in range(best_of - 1):
            made = make()
            of_made = self.reader.find_said(to_pixels(made), facts)
            better = torch.from_numpy(of_made > found).to(kept.device)
            kept[better] = made[better]
            found = np.maximum(found, of_made)
        return kept

    def _encode(self, x: NDArray[np.float32]) -> Tensor:
        """(n, p, p, d) coefficients of patches x (n, B, p, p)."""
        spectra = torch.tensor(self.normaliser.patches(x), device=self.device).movedim(1, 3)
        return to_frequencies(self.vae.encode(spectra))

    def _guided(self, said: Said, omega: float) -> Denoise:
        """The denoiser under texts, led away from itself without."""
        nouns = self._nouns()

        def under(of_patches: Said) -> Denoise:
            def denoise(x: Tensor, level: float) -> Tensor:
                clean = torch.empty_like(x)
                for some in computed_together(x):
                    sigma = torch.full((len(x[some]),), level, device=x.device)
                    half = bf16_is_faster(self.device)
                    with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
                        clean[some] = self.denoiser(x[some], sigma, of_patches.take(some), nouns)[0]
                return clean

            return denoise

        return guided(under(said), under(said.silent()), omega, 0.0, np.inf)

    def save(self, folder: Path) -> None:
        """All state, as safetensors and JSON."""
        words = self.words
        arrays = {
            **state.weights(vae=self.vae, denoiser=self.denoiser),
            **state.fields(
                normaliser=self.normaliser,
                remainder=self.remainder,
                words=words,
                statistics=self.statistics,
                spread=self.spread,
            ),
            **self.measure.arrays(),
            **self.reader.arrays(),
            **{f"facts_of.{c}": facts for c, facts in self.facts_of.items()},
        }
        facts = {
            "params": asdict(self.params),
            "facts": dict(self.facts),
            "phrases": words.phrases,
            "names": dict(words.names),
            "ids": self.ids.tolist(),
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
        names = {int(c): name for c, name in facts["names"].items()}
        return cls(
            params=params,
            vae=restore_vae(arrays, params.network.vae_width, device),
            denoiser=restore_denoiser(arrays, params, device),
            remainder=Remainder(**state.under("remainder", arrays)),
            words=ClassWords(
                phrases=tuple(facts["phrases"]), names=names, **state.under("words", arrays)
            ),
            facts_of={int(c): arrays[f"facts_of.{c}"] for c in facts["ids"]},
            statistics=Statistics(**state.under("statistics", arrays)),
            spread=Spread(**state.under("spread", arrays)),
            reader=Reader.restore(arrays),
            normaliser=Normaliser(**state.under("normaliser", arrays)),
            measure=Measure.restore(arrays),
            facts=facts["facts"],
            device=device,
        )


def check_classes(name: str, y: NDArray[np.int64], ids: NDArray[np.int64]) -> None:
    """Raise PluginError for class ids y (n,) that the generator of that name was not fitted on."""
    unknown = y[~np.isin(y, ids)]
    if len(unknown):
        raise PluginError(
            f"{name} can only make samples of classes that it was fitted on",
            value=f"class {unknown[0]}; it knows {', '.join(map(str, ids))}",
            hint="Give the class training pixels, or do not ask for it.",
        )


def computed_together(x: Tensor) -> Iterator[slice]:
    """Patches of x (n, …) that its device computes at a time, one part after the other."""
    at_once = AT_ONCE_ON_CPU if x.device.type == "cpu" else max(1, len(x))
    for start in range(0, len(x), at_once):
        yield slice(start, start + at_once)


@torch.inference_mode()
def decode_in_parts(
    vae: Vae,
    coefficients: Tensor,
    remainder: Remainder,
    rows: NDArray[np.int64],
    normaliser: Normaliser,
    rng: torch.Generator,
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Patches (n, B, p, p) in scene units of coefficients (n, p, p, d), with what the VAE leaves
    out; some at a time, after their places.

    Parameters
    ----------
    rows : (n,) int64
        Of the remainder.
    """
    chosen, mirrors = remainder.draw(rows, rng)
    for some in computed_together(coefficients):
        spectra = vae.decode(to_pixels(coefficients[some])).cpu()
        spectra += remainder.noise(chosen[some], mirrors[some])
        yield some, normaliser.patches_back(spectra.movedim(3, 1).numpy())
