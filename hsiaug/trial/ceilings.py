"""Ceilings: samples that no generator can make, for they are made of labels of test pixels. A diagnosis, never an arm.

Ceilings of ``labels`` are real patches under their true labels: any, or those alone that the teacher of ``pseudo`` names
rightly. Those of ``moments`` bound generators by what they would have to know: samples are drawn from one Gaussian per
class, whose mean and covariance are those of all labelled pixels of the class ("true"), or of its training pixels alone.
The process that holds the labels sends what a ceiling needs with that very trial, and the worker drops it afterwards; the
trials say so in their identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import Classifier
from hsiaug.core.samples import PatchSamples
from hsiaug.protocol.balance import synthetic_counts
from hsiaug.protocol.view import patches_at
from hsiaug.registry.card import Card, NoParams, param
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.arm import TEACHER
from hsiaug.trial.spec import TrialSpec


@dataclass(frozen=True)
class TrueLabelsParams:
    """Hyper-parameters of ``true-labels``."""

    wrong: float = param(
        0.0, "share of patches that are of another class, drawn evenly among the others", low=0, high=1
    )


@dataclass(frozen=True)
class Ceiling:
    """The card in place of a generator's. teacher: the classifier whose names it corrects, as a trial needs it."""

    card: Card
    teacher: Classifier | None = None


CEILINGS = {
    name: Ceiling(Card(name, "1", summary, params=params))
    for name, summary, params in (
        ("true-labels", "Real patches of the scene under their true labels", TrueLabelsParams),
        ("true-names", "Real test pixels that the teacher names rightly", NoParams),
        ("true-moments", "Gaussians with the true mean and covariance of each class", NoParams),
        ("true-covariance", "Gaussians with each class's training mean and true covariance", NoParams),
        ("true-mean", "Gaussians with each class's true mean and training covariance", NoParams),
        (
            "pooled-covariance",
            "Gaussians with each class's training mean and the true covariance within all",
            NoParams,
        ),
    )
}
"""Ceilings by the name that stands in place of a generator's."""

REAL = ("true-labels", "true-names")
FAMILIES = {"labels": REAL, "moments": tuple(name for name in CEILINGS if name not in REAL)}
"""{family that a benchmark asks for: the ceilings that it runs}."""


@dataclass(frozen=True, eq=False)
class _Patches:
    """coords: (n, 2) centres of the patches. y: (n,) class ids that they are given."""

    coords: NDArray[np.int32]
    y: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Truth:
    """y: (n,) true class ids of the test pixels, row by row."""

    y: NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class _Moments:
    """Moments by class id: mean (B,), and a factor (r, B) with covariance = factorᵀ · factor."""

    by_class: Mapping[int, tuple[NDArray[np.float32], NDArray[np.float32]]]


def ceiling(spec: TrialSpec, plugins: Registry) -> Ceiling:
    """The stand-in for a generator in a diagnosis. Raises InputError where it needs a teacher and none is installed."""
    found = CEILINGS[spec.generator.name]
    if found.card.name != "true-names":
        return found
    teacher = plugins.find("classifier", TEACHER).load()
    return replace(found, teacher=teacher(teacher.card.params()))


def family_of(name: str) -> str:
    """Return the family to ask a benchmark for, so that it runs a ceiling."""
    return next(family for family, names in FAMILIES.items() if name in names)


def check_ceilings(asked: Sequence[str], task: str) -> None:
    """Raise InputError for a family of ceilings that does not exist, or a task without ceilings."""
    for name in asked:
        if name not in FAMILIES:
            raise InputError(
                f"`ceilings` must be among {', '.join(FAMILIES)}", value=name, hint=did_you_mean(name, FAMILIES)
            )
    if asked and not get_task(task).single_pixels:
        raise InputError("`ceilings` are of single pixels", value=f"task {task}", hint="Leave `ceilings` out.")


def equip(spec: TrialSpec, scene: Any, split: Any) -> TrialSpec:
    """The trial with what its ceiling needs. scene, split: with all labels; called by the process that runs no plugin."""
    name = spec.generator.name
    if name == "true-names":
        return replace(spec, given=_Truth(scene.labels[split.test]))
    given = _patches(spec, scene, split) if name == "true-labels" else _moments(name, scene, split)
    return replace(spec, given=given)


def _moments(name: str, scene: Any, split: Any) -> _Moments:
    """Moments of every class with training pixels; a class of few has a covariance of low rank."""
    learnt = {int(c): scene.cube[split.train & (scene.labels == c)] for c in np.unique(split.labels[split.train])}
    every = {c: scene.cube[scene.labels == c] for c in learnt}
    factors = {c: _factor(x) for c, x in (learnt if name == "true-mean" else every).items()}
    if name == "pooled-covariance":
        rest = np.concatenate([x - x.mean(axis=0, dtype=np.float64) for x in every.values()])
        pooled = np.asarray(np.linalg.qr(rest / np.sqrt(max(1, len(rest) - len(every))), mode="r"))
        factors = dict.fromkeys(every, pooled.astype(np.float32))
    means = learnt if name in ("true-covariance", "pooled-covariance") else every
    return _Moments({c: (means[c].mean(axis=0, dtype=np.float64).astype(np.float32), factors[c]) for c in learnt})


def _factor(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """(r, B) whose product with itself is the covariance of spectra (n, B)."""
    rest = x - x.mean(axis=0, dtype=np.float64)
    return np.asarray(np.linalg.qr(rest / np.sqrt(max(1, len(x) - 1)), mode="r")).astype(np.float32)


def _patches(spec: TrialSpec, scene: Any, split: Any) -> _Patches:
    """Take as many patches as λ asks for, each once before any is taken again.

    They come from labelled pixels that are not trained on; if a class has none, from its training pixels.
    """
    ids, real = np.unique(split.labels[split.train], return_counts=True)
    wanted = synthetic_counts(dict(zip(ids.tolist(), real.tolist(), strict=True)), spec.rate)
    mine = {c: scene.labels == c for c in wanted}
    free = {
        c: np.argwhere(mask & ~split.train if (mask & ~split.train).any() else mask) for c, mask in mine.items()
    }
    coords, y = [], []
    for c, n in wanted.items():
        of, turn = (_rng(what, spec, c) for what in ("class", "pixel"))
        # One random number after the other, so that a smaller λ takes the first of a larger one's.
        numbers = of.random((n, 2))
        others = [other for other in free if other != c]
        orders = {k: turn.permutation(len(free[k])) for k in free}
        taken = dict.fromkeys(free, 0)
        for swap, which in numbers:
            wrong = others and swap < spec.generator.params.wrong
            k = others[int(which * len(others))] if wrong else c
            coords.append(free[k][orders[k][taken[k] % len(orders[k])]])
            taken[k] += 1
        y += [c] * n
    return _Patches(np.array(coords, dtype=np.int32).reshape(-1, 2), np.array(y, dtype=np.int64))


def _rng(what: str, spec: TrialSpec, class_id: int) -> np.random.Generator:
    return np.random.default_rng(derive_seed("ceiling", spec.generator.name, what, spec.seed, class_id))


def _named(
    spec: TrialSpec, truth: NDArray[np.int16], names: NDArray[np.int16], split: Any, counts: Mapping[int, int]
) -> _Patches:
    """Test pixels whose name is true, each once before any is taken again; of a class without any, training pixels."""
    tested, trained, coords = np.argwhere(split.test), np.argwhere(split.train), []
    for c, n in counts.items():
        right = tested[(names == c) & (truth == c)]
        pool = right if len(right) else trained[split.train_labels == c]
        order = _rng("pixel", spec, c).permutation(len(pool))
        coords.append(pool[order[np.arange(n) % len(pool)]])
    return _Patches(np.concatenate(coords).astype(np.int32), np.repeat(list(counts), list(counts.values())))


def made(
    spec: TrialSpec,
    scene: Any,
    counts: Mapping[int, int],
    split: Any = None,
    names: NDArray[np.int16] | None = None,
) -> PatchSamples:
    """The samples of a trial that was equipped by :func:`equip`. scene, split: without labels of test pixels.

    counts: samples of each class. names: (n,) the teacher's of the test pixels, row by row, where the ceiling has one.
    A draw of the Gaussian is the spectrum of every pixel of its patch.
    """
    told = {"diagnosis": "reads test labels", "ceiling": spec.generator.name}
    given = spec.given
    if isinstance(given, _Truth) and names is not None:
        given = _named(spec, given.y, names, split, counts)
    if isinstance(given, _Patches):
        return PatchSamples.made(patches_at(scene.cube, given.coords, spec.patch), given.y, told)
    if not isinstance(given, _Moments):
        raise InputError(
            "a ceiling is made of test labels, which this process was not given",
            value=spec.generator.name,
            hint=f"Run it with 'hsiaug benchmark … --ceilings {family_of(spec.generator.name)}'.",
        )
    parts = []
    for c, n in counts.items():
        mean, factor = given.by_class[c]
        drawn = mean + _rng("sample", spec, c).standard_normal((n, len(factor)), dtype=np.float32) @ factor
        parts.append(drawn)
    flat = np.concatenate(parts)[:, :, None, None]
    x = np.broadcast_to(flat, (*flat.shape[:2], spec.patch, spec.patch))
    return PatchSamples.made(x, np.repeat(list(counts), list(counts.values())), told)
