"""The checks of classifiers."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np

from hsiaug.errors import HsiaugError
from hsiaug.plugins.card import Card
from hsiaug.samples import Patches, concatenate
from hsiaug.testing.classifier_subject import LEARNT, ClassifierSubject
from hsiaug.testing.core import Check, check, require
from hsiaug.testing.partners import repeated
from hsiaug.testing.shared import AFTER, BEFORE
from hsiaug.trial.machine import counted_steps

__all__ = ["CHECKS"]

WEIGHTLESS = 0.2
"""Most mean recall on test pixels that samples of weight 0 with wrong labels may cost."""

STRAY = 0.02
"""Share of predictions that may change with how patches are batched: sums round differently at near ties."""


@check(
    "learns",
    rule=f"it names the classes of its own training pixels with a mean recall of at least {LEARNT:g}",
    mend="Map outputs back to the ids of samples.y; give the preset tiny enough steps to learn four plain classes.",
)
def learns(subject: ClassifierSubject) -> None:
    require(subject.learnt >= LEARNT, f"mean recall {subject.learnt:.2f}")


@check(
    "batches",
    rule="a patch is classed alike whatever patches it is predicted with, and in whatever order",
    mend="Put nets into evaluation mode; normalise by the training pixels, never by the batch.",
)
def batches(subject: ClassifierSubject) -> None:
    patches, _ = subject.probes(subject.easy)
    whole = subject.predict(subject.base, patches)
    cuts = [slice(0, 1), slice(1, len(patches) // 3), slice(len(patches) // 3, None)]
    parts = [subject.predict(subject.base, _at(patches, np.arange(len(patches))[cut])) for cut in cuts]
    back = np.arange(len(patches))[::-1]
    turned = subject.predict(subject.base, _at(patches, back))[back]
    for name, labels in (("in three parts", np.concatenate(parts)), ("in reverse", turned)):
        share = float((labels != whole).mean())
        require(share <= STRAY, f"predicted {name}, {share:.0%} of the labels are others")


def _at(patches: Patches, index: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Patches:
    return Patches(patches.x[index], patches.coords[index])


@check(
    "probabilities",
    rule="predict_proba, where there is one, gives (n, C) shares that sum to 1 and are largest at what predict says",
    mend="Column c - 1 belongs to class id c; give 0 to classes without samples.",
)
def probabilities(subject: ClassifierSubject) -> None:
    found = subject.result(subject.base)
    if "shares" not in found:
        return
    shares, labels, classes = found["shares"], found["labels"], len(subject.easy.scene.class_names)
    require(
        shares.shape == (len(labels), classes), f"shape {shares.shape} for {len(labels)} patches, C = {classes}"
    )
    require(shares.dtype == np.float32, f"{shares.dtype}", "Return float32.")
    require(((shares >= 0) & (shares <= 1 + 1e-5)).all(), f"values {shares.min():.3g}..{shares.max():.3g}")
    require(np.allclose(shares.sum(axis=1), 1, atol=1e-4), f"rows that sum to {shares.sum(axis=1).min():.3g}…")
    best = shares[np.arange(len(labels)), labels - 1]
    wrong = float((best < shares.max(axis=1) - 1e-5).mean())
    require(wrong <= STRAY, f"predict names another class for {wrong:.0%} of the patches")


@check(
    "location-declared",
    rule='only a classifier whose card says input="location" looks at coordinates',
    mend='Do not read patches.coords, or declare input="location".',
)
def location_declared(subject: ClassifierSubject) -> None:
    if subject.card.input == "location":
        return
    patches, _ = subject.probes(subject.easy)
    moved = Patches(patches.x, np.zeros_like(patches.coords))
    share = float((subject.predict(subject.base, patches) != subject.predict(subject.base, moved)).mean())
    require(share <= STRAY, f"other coordinates change {share:.0%} of the labels")


@check(
    "weights",
    rule=f"samples of weight 0 count for nothing: wrong labels on them cost at most {WEIGHTLESS:g} of mean recall",
    mend="Multiply each sample's loss by its weight, pass sample_weight on, or leave weight 0 out.",
    needs=("runs", "learns"),
)
def weights(subject: ClassifierSubject) -> None:
    bench, spec = subject.bench(subject.easy)
    real = bench.view(spec, subject.card.scope).real
    wrong = repeated(real)
    wrong = replace(wrong, y=wrong.y % len(subject.easy.scene.class_names) + 1, weight=np.zeros_like(wrong.weight))
    patches, y = subject.probes(subject.easy)
    clean = subject.recall(subject.learn(bench, spec, real), patches, y)
    spoilt = subject.recall(subject.learn(bench, spec, concatenate([real, wrong])), patches, y)
    require(spoilt >= clean - WEIGHTLESS, f"mean recall {spoilt:.2f} with them, {clean:.2f} without")


@check(
    "one-class",
    rule="samples of a single class are learnt, and that class is predicted; or they are refused with one clear error",
    mend="Answer the one class, or raise PluginError.",
)
def one_class(subject: ClassifierSubject) -> None:
    bench, spec = subject.bench(subject.easy)
    real = bench.view(spec, subject.card.scope).real
    patches, _ = subject.probes(subject.easy)
    with contextlib.suppress(HsiaugError):
        labels = subject.predict(subject.learn(bench, spec, real.take(real.y == 2)), patches)
        require((labels == 2).all(), f"trained on class 2, it names {np.unique(labels).tolist()}")


@check(
    "synthetic-only",
    rule="samples that are all synthetic are learnt, or refused with one clear error",
    mend="Raise PluginError where real samples are needed.",
)
def synthetic_only(subject: ClassifierSubject) -> None:
    bench, spec = subject.bench(subject.easy)
    made = repeated(bench.view(spec, subject.card.scope).real)
    patches, _ = subject.probes(subject.easy)
    with contextlib.suppress(HsiaugError):
        labels = subject.predict(subject.learn(bench, spec, made), patches)
        require(np.isin(labels, np.unique(made.y)).all(), f"it names {np.unique(labels).tolist()}")


@check(
    "equal-budget",
    rule="it takes the same number of optimiser steps whatever samples it is given",
    mend="Train for a number of steps, not of epochs.",
)
def equal_budget(subject: ClassifierSubject) -> None:
    bench, spec = subject.bench(subject.easy)
    real = bench.view(spec, subject.card.scope).real
    subject.base  # noqa: B018 - its steps are counted
    with counted_steps(Card("", "", "", uses_device=True)) as count:
        subject.learn(bench, spec, real)
    require(count() == subject.steps, f"{count()} steps with {len(real)} samples, {subject.steps} with more")


CHECKS: tuple[Check[ClassifierSubject], ...] = (
    *BEFORE,
    learns,
    batches,
    probabilities,
    location_declared,
    weights,
    one_class,
    synthetic_only,
    equal_budget,
    *AFTER,
)
