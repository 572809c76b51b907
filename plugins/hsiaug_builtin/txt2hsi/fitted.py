"""A fitted ``txt2hsi``: reading of texts, sampling and saving."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    PromptReading,
    Reconstruction,
    mapped_rows,
    save_state,
)
from hsiaug_builtin.diffusion.edm import Denoise, guided, noise_levels, sample, sample_with_noise
from hsiaug_builtin.diffusion.training import bf16_is_faster
from hsiaug_builtin.nets import state
from hsiaug_builtin.text.layout import (
    PHRASES,
    RELATIONS,
    SIDES,
    read_sentence,
)
from hsiaug_builtin.txt2hsi.denoiser import Denoiser, Said, Vocabulary
from hsiaug_builtin.txt2hsi.facts import (
    COLUMN,
    LOOKS,
    Ids,
    choose_seen,
    drop_implied,
    facts_of_mentions,
    mirror_facts,
    take_rows,
)
from hsiaug_builtin.txt2hsi.frequencies import MIRRORS, to_frequencies, to_pixels
from hsiaug_builtin.txt2hsi.lessons import columns_said, mentions_of
from hsiaug_builtin.txt2hsi.lfue import Statistics, with_means
from hsiaug_builtin.txt2hsi.measured import Measure
from hsiaug_builtin.txt2hsi.params import SIGMA_LEAST, SIGMA_MOST, Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import restore_denoiser, restore_vae
from hsiaug_builtin.txt2hsi.reader import Reader
from hsiaug_builtin.txt2hsi.reading import read_prompt
from hsiaug_builtin.txt2hsi.vae import Remainder, Vae
from hsiaug_builtin.txt2hsi.words import ClassWords, embed_relations

BATCH = 256
"""Patches whose randomness is drawn together: another number would give other samples."""
AT_ONCE_ON_CPU = 32
"""Patches that a CPU denoises and decodes at a time: what lies between two layers is then small
enough for memory that was freed to be used again. The samples do not depend on it.
"""
ATTENTION_LEVELS = (0.3, 1.0, 3.0)
"""Noise levels at which attention is read: low ones, where the patch is still seen."""
NOTHING = "[nothing]"
"""Stands for the place that pixels look at of which nothing is said."""


@dataclass(eq=False)
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
    kinds_of : mapping of int to array of int16
        {class id: (m,) the kinds of these patches}, rows of ``kinds``.
    kinds : (K + 1, NOUN) float32
        As of :class:`hsiaug_builtin.txt2hsi.kinds.Kinds`.
    rivals : (C + 1, C + 1) float32
        What the teacher takes each class for, as of
        :class:`hsiaug_builtin.txt2hsi.naming.NamedPixels`.
    reader : Reader
        Chooses among the samples of a prompt.
    starts : mapping of int to array of float32
        {class id: (m, B, p, p) patches} that editing begins at; empty where sampling begins at
        pure noise.
    """

    params: Txt2HsiParams
    vae: Vae
    denoiser: Denoiser
    remainder: Remainder
    words: ClassWords
    facts_of: Mapping[int, Ids]
    kinds_of: Mapping[int, NDArray[np.int16]]
    kinds: NDArray[np.float32]
    statistics: Statistics
    means_of: Any
    rivals: NDArray[np.float32]
    reader: Reader
    normaliser: Normaliser
    measure: Measure
    facts: Mapping[str, Any]
    device: str
    starts: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)

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
        return self._sample_all(y, None, guidance, seed, tries=1)

    def read_prompts(self, prompts: Sequence[str]) -> tuple[PromptReading, ...]:
        """What is understood of prompts as somebody typed them."""
        return tuple(
            read_prompt(prompt, self.words.names, self.facts_of.keys(), self.side)
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
        return self._sample_all(y, facts, guidance, seed, tries=self.params.tries)

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
        tries: int,
    ) -> PatchSamples:
        """Samples of classes y (n,) under facts (n, R), by default some that the class has; each is
        chosen among ``tries``.
        """
        omega = 0.0 if guidance is None else guidance

        def batches() -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
            rng = np.random.default_rng(seed)
            torch_rng = torch.Generator().manual_seed(seed)
            for start in range(0, len(y), BATCH):
                at = np.arange(start, min(start + BATCH, len(y)))
                typed = None if facts is None else facts[at]
                seen = choose_seen(self.facts_of, y[at], typed, rng)
                kind = take_rows(self.kinds_of, y[at], seen)
                if typed is None:
                    said = self._draw_facts(y[at], seen, rng)
                else:
                    said = typed
                    # Without a kind, more is seen of the layout that somebody types.
                    kind[(said[:, LOOKS] < 0).all(axis=1)] = 0
                self._seen = seen
                yield at, self._sample(y[at], said, kind, omega, rng, torch_rng, tries)

        # Samples take much memory: they lie in a file.
        x = mapped_rows((len(y), len(self.normaliser.mean), self.side, self.side), batches)
        facts_of_samples = {**self.facts, "omega": omega, **self.measure(x, y)}
        samples = PatchSamples.made(x, y, facts_of_samples)
        return replace(samples, weight=np.full(len(y), self.params.weight, dtype=np.float32))

    def _draw_facts(
        self, y: NDArray[np.int64], seen: NDArray[np.int64], rng: np.random.Generator
    ) -> Ids:
        """(n, R) facts of the rows ``seen`` (n,) of the classes y (n,), mirrored at random."""
        rows = take_rows(self.facts_of, y, seen)
        rows = mirror_facts(rows, rng.integers(MIRRORS, size=len(y)))
        if self.params.ask == "confused":
            rows = self._beside_rivals(y, rng)
        if not self.params.layout:
            rows[:, 1:] = -1
        return drop_implied(rows)

    def _beside_rivals(self, y: NDArray[np.int64], rng: np.random.Generator) -> Ids:
        """(n, R) facts: the class, and on a random side one that the teacher takes for it; a class
        that it takes for no other stands alone.
        """
        facts = np.full((len(y), len(COLUMN)), -1, dtype=np.int16)
        facts[:, 0] = y
        shares = self.rivals[y].astype(np.float64)
        shares[:, ~np.isin(np.arange(shares.shape[1]), self.ids)] = 0
        edges = shares.cumsum(axis=1)
        rival = (edges <= rng.random((len(y), 1)) * edges[:, -1:]).sum(axis=1)
        side = rng.integers(len(SIDES), size=len(y))
        column = np.array([COLUMN[relation] for relation in SIDES])[side]
        known = edges[:, -1] > 0
        facts[known, column[known]] = rival[known]
        return facts

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
        vocabulary = self._vocabulary()
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
                _, share = self.denoiser(z + level * noise, sigma, said, vocabulary)
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
                words += PHRASES[relation][0].split()
            answer += [(word, of_mention / len(words)) for word in words]
        return [*answer, (NOTHING, maps[-1])]

    @torch.inference_mode()
    def _vocabulary(self) -> Vocabulary:
        """The nouns of all phrases of classes, and the relations."""
        phrases = embed_relations(self.params.encoder)
        return Vocabulary(
            self.denoiser.noun(torch.tensor(self.words.embedded, device=self.device)),
            self.denoiser.relation(torch.tensor(phrases, device=self.device)),
            torch.tensor(self.kinds, device=self.device),
        )

    @torch.inference_mode()
    def _sample(
        self,
        y: NDArray[np.int64],
        facts: Ids,
        kind: NDArray[np.int16],
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
        tries: int,
    ) -> NDArray[np.float32]:
        """(n, B, p, p) patches in scene units of the classes y (n,), of which facts are said and
        which are of a kind (n,).
        """
        mentions = mentions_of(facts, self.words.choose, rng)
        said = replace(mentions, kind=torch.from_numpy(kind.astype(np.int64))).to(self.device)
        levels = noise_levels(self.params.sample_steps, SIGMA_MOST, SIGMA_LEAST)
        shape = (len(y), *self.denoiser.mean.shape)

        def noise() -> Tensor:
            return torch.randn(shape, generator=torch_rng).to(self.device)

        denoise = self._guided(said, omega)
        import os
        mode = os.environ.get("TXT_MODE", "gauss")
        if self.params.lfue:
            drawn = self.statistics.draw(y, rng)
            own = torch.from_numpy(np.stack([self.means_of[c][s] for c, s in zip(y.tolist(), self._seen.tolist())]))
            base = torch.from_numpy(self.statistics.mean[np.searchsorted(self.statistics.ids, y)])
            if mode == "tied":
                drawn = own
            elif mode.startswith("h"):
                h = float(mode[1:])
                drawn = own + h * (drawn - base)
            elif mode.startswith("s"):
                h = float(mode[1:])
                drawn = base + (1 - h * h) ** .5 * (own - base) + h * (drawn - base)
            denoise = with_means(denoise, drawn, self.side)
        if self.params.strength < 1:
            x = np.stack([self.starts[c][rng.integers(len(self.starts[c]))] for c in y.tolist()])
            z = self._encode(x)
            first = min(len(levels) - 1, round((1 - self.params.strength) * (len(levels) - 1)))
            edited = self._keep_what_is_said(
                facts, tries, lambda: sample(denoise, z + levels[first] * noise(), levels[first:])
            )
            return x + self._change(z, edited)
        spread = (self.denoiser.variance + levels[0] ** 2).sqrt()
        made = self._keep_what_is_said(
            facts,
            tries,
            lambda: sample_with_noise(
                denoise, self.denoiser.mean + spread * noise(), levels, noise
            ),
        )
        rows = np.searchsorted(self.ids, y)
        parts = decode_in_parts(self.vae, made, self.remainder, rows, self.normaliser, torch_rng)
        return np.concatenate([patches for _, patches in parts])

    def _keep_what_is_said(self, facts: Ids, tries: int, make: Callable[[], Tensor]) -> Tensor:
        """Of ``tries`` coefficients (n, p, p, d) for facts (n, R), those that show most of them."""
        kept = make()
        if tries == 1:
            return kept
        found = self.reader.find_said(to_pixels(kept), facts)
        for _ in range(tries - 1):
            made = make()
            of_made = self.reader.find_said(to_pixels(made), facts)
            better = torch.from_numpy(of_made > found).to(kept.device)
            kept[better] = made[better]
            found = np.maximum(found, of_made)
        return kept

    def _change(self, z: Tensor, edited: Tensor) -> NDArray[np.float32]:
        """By what patches of coefficients z (n, p, p, d) change that are edited, in scene units.

        Noise goes up to ``strength`` and is taken away again (SDEdit, Meng et al., ICLR 2022).
        """
        change = self.vae.decode(to_pixels(edited)) - self.vae.decode(to_pixels(z))
        scaled = change.movedim(3, 1).cpu().numpy() * self.normaliser.std[:, None, None]
        return np.asarray(scaled, dtype=np.float32)

    def _encode(self, x: NDArray[np.float32]) -> Tensor:
        """(n, p, p, d) coefficients of patches x (n, B, p, p)."""
        spectra = torch.tensor(self.normaliser.patches(x), device=self.device).movedim(1, 3)
        return to_frequencies(self.vae.encode(spectra))

    def _guided(self, said: Said, omega: float) -> Denoise:
        """The denoiser under texts, led away from itself without."""
        vocabulary = self._vocabulary()

        def under(of_patches: Said) -> Denoise:
            def denoise(x: Tensor, level: float) -> Tensor:
                clean = torch.empty_like(x)
                for some in computed_together(x):
                    sigma = torch.full((len(x[some]),), level, device=x.device)
                    half = bf16_is_faster(self.device)
                    with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
                        clean[some] = self.denoiser(
                            x[some], sigma, of_patches.take(some), vocabulary
                        )[0]
                return clean

            return denoise

        return guided(under(said), under(said.silent()), omega, 0.0, np.inf)

    def save(self, folder: Path) -> None:
        """All state, as safetensors and JSON."""
        words = self.words
        arrays = {
            **state.weights(vae=self.vae, denoiser=self.denoiser),
            **state.fields(normaliser=self.normaliser, remainder=self.remainder, words=words),
            **self.measure.arrays(),
            **self.reader.arrays(),
            "rivals": self.rivals,
            "kinds": self.kinds,
            **{f"facts_of.{c}": facts for c, facts in self.facts_of.items()},
            **{f"kinds_of.{c}": kinds for c, kinds in self.kinds_of.items()},
            **{f"starts.{c}": patches for c, patches in self.starts.items()},
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
            kinds_of={int(c): arrays[f"kinds_of.{c}"] for c in facts["ids"]},
            kinds=arrays["kinds"],
            rivals=arrays["rivals"],
            reader=Reader.restore(arrays),
            normaliser=Normaliser(**state.under("normaliser", arrays)),
            measure=Measure.restore(arrays),
            facts=facts["facts"],
            device=device,
            starts={int(c): patches for c, patches in state.under("starts", arrays).items()},
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
