"""A Gaussian prior of class spectra over scenes, in which classes are alike as far as their words are.

A relative curve (:mod:`hsiaug_builtin.spectra.curves`) of class c in field f of scene s is modelled as

    curve(s, c, f) = t(c) + a(s) + r(s, c) + b(f) + w,

each term a Gaussian process over wavelength: what a class shows everywhere (t), what a scene does to all of its classes
(a), to one of them (r), a field (b), a pixel (w). t of two classes has the correlation exp(−(1 − cos)/τ), with the cosine
of the embeddings of their words: the language-informed part. A class whose name says nothing has a t of its own.

Scales and τ are those that make the source scenes likeliest. On a target scene nothing is trained: its training pixels
and the means of all source classes determine the means of its classes exactly (Rasmussen and Williams, Gaussian Processes
for Machine Learning, MIT Press 2006, equations 2.25 and 2.26). A network would have some thirty classes to learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import InputError, Progress, Scene, load_state, save_state
from hsiaug_builtin.spectra.covariance import START, STEPS, covariance, likelihood, maximise, scales_of
from hsiaug_builtin.spectra.curves import GRID
from hsiaug_builtin.spectra.sources import Source, scene_source
from hsiaug_builtin.text import encode

__all__ = ["USUAL", "Expected", "Prior", "Scales", "learn_prior"]

ENCODER = "minilm"
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scales:
    """Logarithms (4,) of the standard deviations of each term, see :func:`covariance`; tau: of the words."""

    word: Floats
    scene: Floats
    own: Floats
    field: Floats
    pixel: Floats
    tau: float


USUAL = Scales(
    word=np.log([0.35, 0.4, 0.4, 0.1]),
    scene=np.log([0.09, 0.08, 0.05, 0.01]),
    own=np.log([0.12, 0.08, 0.05, 0.03]),
    field=np.log([0.3, 0.26, 0.12, 0.08]),
    pixel=np.log([0.19, 0.18, 0.1, 0.14]),
    tau=0.42,
)
"""Scales as fitted on Indian Pines, Jasper Ridge, Samson, and crops of Houston 2018 and Pavia University,
and rounded: for sources that are too few to fit scales to."""


@dataclass(frozen=True, eq=False)
class Expected:
    """Expected curve of one class of the target: mean (G,) and covariance (G, G) given all that is known.

    shown: (G,) mean curve of its training pixels, NaN where the sensor has no band.
    """

    mean: Floats
    covariance: Floats
    shown: Floats


@dataclass(frozen=True, eq=False)
class Prior:
    """n source classes. words: of each, "" = none. source: (n,) int64, which scene; names: of these.

    embedded: (n, D) float64 unit vectors of the words, 0 where there are none. means: (n, G); fields: (n,) how many each
    is the mean of. pixels: (p,) uint64 fingerprints of all source pixels. looks: (q, ``LOOK``) of some, see
    :mod:`hsiaug_builtin.spectra.likeness`; looks_of: (q,) int64, of which scene.
    """

    words: tuple[str, ...]
    embedded: Floats
    source: NDArray[np.int64]
    names: tuple[str, ...]
    means: Floats
    fields: Floats
    pixels: NDArray[np.uint64]
    looks: NDArray[np.float32]
    looks_of: NDArray[np.int64]
    scales: Scales

    @classmethod
    def of(cls, sources: Sequence[Source], scales: Scales = USUAL) -> Prior:
        """Make a prior of sources with scales that are known already."""
        words = tuple(word for source in sources for word in source.words)
        return cls(
            words=words,
            embedded=_embed(words),
            source=np.repeat(np.arange(len(sources)), [len(source.words) for source in sources]),
            names=tuple(source.name for source in sources),
            means=np.concatenate([source.means for source in sources]),
            fields=np.concatenate([source.fields for source in sources]),
            pixels=np.unique(np.concatenate([source.pixels for source in sources])),
            looks=np.concatenate([source.looks for source in sources]),
            looks_of=np.repeat(np.arange(len(sources)), [len(source.looks) for source in sources]),
            scales=scales,
        )

    @classmethod
    def learn(cls, sources: Sequence[Source], done: Callable[[], None]) -> Prior:
        """Make a prior with the scales that make the sources likeliest. done: called after every step.

        Raises InputError where none of the sources has a class with two fields, or a field of pixels.
        """
        between, within = (
            torch.from_numpy(np.concatenate([getattr(source, name) for source in sources]))
            for name in ("between", "within")
        )
        if not len(between) or not len(within):
            raise InputError(
                "expected a source scene with several fields of a class",
                value=f"{len(between)} fields",
                hint="Add a scene: how much fields differ cannot be learnt from single ones.",
            )
        fields, pixels = scales_of(between, done), scales_of(within, done)
        known = cls.of(sources, replace(USUAL, field=fields.numpy(), pixel=pixels.numpy()))
        free = [torch.tensor(START, dtype=torch.float64) for _ in range(3)]
        tau = torch.tensor(np.log(0.2), dtype=torch.float64)
        alike = _alike(known.embedded)
        values = torch.from_numpy(known.means.ravel())
        seen = ~torch.isnan(values)
        noise = torch.kron(torch.diag(1 / torch.from_numpy(known.fields)), covariance(fields))

        def loss() -> Tensor:
            matrix = noise + _joint(free, tau, alike, torch.from_numpy(known.source))
            # A weak Gaussian prior of all logarithms keeps scales finite that the sources say nothing of.
            weak = torch.stack([((log + 1.5) ** 2).sum() / 8 for log in free]).sum() + (tau - np.log(0.2)) ** 2 / 2
            fit: Tensor = likelihood(matrix[seen][:, seen], values[seen][None]) + weak
            return fit

        maximise([*free, tau], loss, done)
        word, scene, own = (log.numpy() for log in free)
        return cls.of(sources, Scales(word, scene, own, fields.numpy(), pixels.numpy(), float(tau.exp())))

    def expected(
        self, words: Sequence[str], shown: Floats, pixels: Sequence[int], fields: Sequence[int]
    ) -> list[Expected]:
        """The expected curves of k classes of a target scene. shown: (k, G) mean curves of their training pixels; pixels,
        fields: of each, how many pixels in how many places these are."""
        joint, noisy, values = self._system(words, shown, pixels, fields)
        seen = ~torch.isnan(values)
        root = torch.linalg.cholesky(noisy[seen][:, seen])
        solved = torch.cholesky_solve(values[seen][:, None], root)
        found = []
        for i in range(len(words)):
            own = slice((len(self.words) + i) * len(GRID), (len(self.words) + i + 1) * len(GRID))
            to = joint[own][:, seen]
            rest = joint[own, own] - to @ torch.cholesky_solve(to.T, root)
            found.append(Expected((to @ solved)[:, 0].numpy(), rest.numpy(), shown[i]))
        return found

    def evidence(self, words: Sequence[str], shown: Floats, pixels: Sequence[int], fields: Sequence[int]) -> float:
        """How much likelier the curves of the training pixels are with the words of their classes than without any: the
        natural logarithm of the ratio. Arguments as of :meth:`expected`."""

        def unlikely(told: Sequence[str]) -> float:
            _, noisy, values = self._system(told, shown, pixels, fields)
            seen = ~torch.isnan(values)
            return float(likelihood(noisy[seen][:, seen], values[seen][None]))

        # Both are joint with the source classes, whose own likelihood is the same and cancels.
        return unlikely([""] * len(words)) - unlikely(words)

    def _system(
        self, words: Sequence[str], shown: Floats, pixels: Sequence[int], fields: Sequence[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the covariance of the curves of all source classes and then those of the target, that of what is
        known of them, and what is known, NaN where nothing is."""
        scales, n = self.scales, len(self.words)
        source = np.concatenate([self.source, np.full(len(words), self.source.max(initial=-1) + 1)])
        terms = [torch.from_numpy(log) for log in (scales.word, scales.scene, scales.own)]
        alike = _alike(np.concatenate([self.embedded, _embed(words)]))
        joint = _joint(terms, torch.tensor(np.log(scales.tau)), alike, torch.from_numpy(source))
        per_field = torch.from_numpy(1 / np.concatenate([self.fields, np.asarray(fields, dtype=np.float64)]))
        per_pixel = torch.from_numpy(np.concatenate([np.zeros(n), 1 / np.asarray(pixels, dtype=np.float64)]))
        noisy = joint + torch.kron(torch.diag(per_field), covariance(torch.from_numpy(scales.field)))
        noisy += torch.kron(torch.diag(per_pixel), covariance(torch.from_numpy(scales.pixel)))
        return joint, noisy, torch.from_numpy(np.concatenate([self.means, shown]).ravel())

    def save(self, folder: Path) -> None:
        """Everything, as safetensors and JSON."""
        terms = {f"scales.{name}": value for name, value in vars(self.scales).items() if name != "tau"}
        stored = ("embedded", "source", "means", "fields", "pixels", "looks", "looks_of")
        arrays = {name: getattr(self, name) for name in stored}
        facts = {"words": self.words, "names": self.names, "tau": self.scales.tau}
        save_state(folder, {**arrays, **terms}, facts)

    @classmethod
    def load(cls, folder: Path) -> Prior:
        """Read a saved prior. Raises InputError where it is missing, damaged, or something else."""
        try:
            arrays, facts = load_state(folder)
            terms = {name: arrays.pop(f"scales.{name}") for name in ("word", "scene", "own", "field", "pixel")}
            state: Mapping[str, Any] = {**arrays, **{name: tuple(facts[name]) for name in ("words", "names")}}
            return cls(scales=Scales(**terms, tau=facts["tau"]), **state)
        except Exception as cause:  # StoreError, the state of something else, or a prior without looks
            raise InputError(
                f"{folder} must be a folder that hsiaug pretrain wrote",
                value=f"{type(cause).__name__}: {getattr(cause, 'value', cause)}",
                hint="Give the folder itself, or make it, again where it is of an older hsiaug: "
                "hsiaug pretrain SCENE… --out FOLDER.",
            ) from cause


def learn_prior(scenes: Sequence[Scene], progress: Progress) -> Prior:
    """Learn from scenes. Raises InputError for a scene named twice, and for unusable sources."""
    seen: dict[str, str] = {}
    for scene in scenes:
        if scene.sha256 in seen:
            raise InputError(
                "expected different scenes to learn from",
                value=f"{scene.name}, the same as {seen[scene.sha256]}",
                hint="Name each scene once.",
            )
        seen[scene.sha256] = scene.name
    sources = [scene_source(scene) for scene in scenes]
    steps = 0

    def done() -> None:
        nonlocal steps
        steps = min(steps + 1, 3 * STEPS)
        progress(steps, 3 * STEPS, "likelihood")

    prior = Prior.learn(sources, done)
    progress(3 * STEPS, 3 * STEPS, "likelihood")
    return prior


def _embed(words: Sequence[str]) -> Floats:
    """(n, D) unit vectors of words; 0 for a class whose name says nothing."""
    pooled = encode([word or "nothing" for word in words], ENCODER).pooled
    told = np.array([bool(word) for word in words])
    return np.where(told[:, None], pooled, 0).astype(np.float64)


def _alike(embedded: Floats) -> Tensor:
    """(n, n) cosines of embedded words; 1 on the diagonal, and −∞ elsewhere for classes without any."""
    told = np.linalg.norm(embedded, axis=1) > 0
    cosine = np.where(told[:, None] & told, embedded @ embedded.T, -np.inf)
    np.fill_diagonal(cosine, 1.0)
    return torch.from_numpy(cosine)


def _joint(terms: Sequence[Tensor], tau: Tensor, alike: Tensor, source: Tensor) -> Tensor:
    """(n·G, n·G) covariance of the curves of n classes, fields and pixels averaged out.

    terms: logarithms (4,) of the scales of words, scenes, and classes of a scene. tau: its logarithm.
    """
    # exp(-inf) has no gradient in tau; 0 has.
    near = torch.where(torch.isinf(alike), 0.0, torch.exp(-(1 - alike.clamp(min=-1)) / tau.exp()))
    same = (source[:, None] == source).double()
    alone = torch.eye(len(source), dtype=torch.float64)
    parts = [
        torch.kron(pattern, covariance(logs)) for pattern, logs in zip((near, same, alone), terms, strict=True)
    ]
    return parts[0] + parts[1] + parts[2]
