"""The checks of classifiers, each a function of a classifier on a small scene."""

import contextlib
import unittest
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import HsiaugError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import Patches, PatchSamples, concatenate
from hsiaug.core.tiles import IGNORE, Tiles
from hsiaug.protocol.tiling import real_samples
from hsiaug.protocol.view import patches_at
from hsiaug.tasks.types import TaskSamples, locate_labels
from hsiaug.testing.checks import Arrays, CheckList, ProgressRecorder, require
from hsiaug.testing.shared_checks import SHARED
from hsiaug.testing.subject import DEVICE, Subject, repeated
from hsiaug.trial.machine import counted_work

Items = Patches | Tiles
"""What is predicted."""

WEIGHTLESS = 0.2
"""Most mean recall on test pixels that samples of weight 0 with wrong labels may cost."""
STRAY = 0.02
"""Share of predictions that may change with how patches are batched: sums round differently at near
ties.
"""
FEW = 2
"""Labels of a class in masks that a classifier may lose, as nothing was asked of it but to go on.
"""


class ClassifierSubject(Subject):
    """A classifier on a case."""

    kind = "classifier"

    def fit(self) -> Any:
        real = self.view.real
        return self.learn(concatenate([real, repeated(real)]))

    def learn(self, samples: TaskSamples) -> Any:
        """A fit on samples of a check's choice, shown as the runner shows them."""
        context = self.context
        shown = context.task.sampling.shown(samples, self.card)
        seed = derive_seed("classifier", self.card.name, self.spec.seed)
        return self.plugin(self.params).fit(
            shown, self.view, seed=seed, device=DEVICE, progress=ProgressRecorder()
        )

    @cached_property
    def probes(self) -> tuple[Items, NDArray[np.int64]]:
        """Test items as the classifier is shown them, and their labels: test tiles, or every second
        test pixel.
        """
        data, split = self.case.data, self.case.split
        if self.case.task != "pixels":
            test = real_samples(split, split.test)
            return test.without_labels(), test.masks
        coords = np.argwhere(split.test)[::2].astype(np.int32)
        y = data.labels[coords[:, 0], coords[:, 1]].astype(np.int64)
        x = patches_at(data.cube, coords, split.patch)
        whole = PatchSamples(x, coords, y, np.zeros(len(y), bool), np.ones(len(y), np.float32))
        return self.context.task.sampling.shown(whole, self.card).without_labels(), y

    @cached_property
    def learnt(self) -> tuple[float, float]:
        """Mean recall on the real training pixels, and the least that it must be."""
        real = self.context.task.sampling.shown(self.view.real, self.card)
        judged = len(judged_ids(real.labels))
        # A quarter above what naming one class everywhere gives, unless there is one only.
        least = 0.5 if real.labels.ndim == 1 else 1 / judged + 0.25 if judged > 1 else 0.0
        return recall(self.fitted, real.without_labels(), real.labels), least

    @cached_property
    def plain(self) -> tuple[Any, int]:
        """A fit on the real samples alone, and its optimiser steps."""
        with counted_work() as work:
            fitted = self.learn(self.view.real)
        return fitted, work.steps

    def use(self, easy: "ClassifierSubject") -> None:
        data, split = self.case.data, self.case.split
        answer = self.context.task.prediction.predict(self.fitted, self.card, data, split)
        _, labels = locate_labels(split, answer)
        trained = sorted(self.view.counts)
        odd = sorted(set(labels.tolist()) - set(trained))
        require(
            not odd,
            f"predictions of class ids {odd}, which had no sample; trained: {trained}",
            "Map outputs to the ids that occur in the samples; 0 in a mask is none.",
        )
        recall, least = self.learnt
        usual, usual_least = easy.learnt
        # One that learns nothing at all is for the check learns to name.
        require(
            recall >= least or usual < usual_least,
            f"a mean recall of {recall:.2f} on its own training pixels, {usual:.2f} otherwise",
        )

    def result_of(self, fitted: Any) -> Arrays:
        batch, _ = self.probes
        answers: Arrays = {"labels": np.asarray(fitted.predict(batch))}
        if hasattr(fitted, "predict_proba"):
            answers["shares"] = np.asarray(fitted.predict_proba(batch))
        return answers


def judged_ids(y: NDArray[np.int64]) -> list[int]:
    """Class ids that have enough labels for a recall to tell."""
    ids, numbers = np.unique(y, return_counts=True)
    judged: list[int] = ids[(ids != IGNORE) & (numbers > (FEW if y.ndim > 1 else 0))].tolist()
    return judged


def recall(fitted: Any, batch: Items, y: NDArray[np.int64]) -> float:
    """Mean recall over the classes of y that can be judged; 1 where there is none."""
    right = np.asarray(fitted.predict(batch)) == y
    return float(np.mean([right[y == c].mean() for c in judged_ids(y)] or [1.0]))


CHECKS = CheckList(SHARED)


@CHECKS.add(
    "Map outputs back to the ids of the samples; give the preset tiny enough steps to learn four"
    " plain classes."
)
def learns(subject: ClassifierSubject) -> None:
    """it names the classes of its own training pixels with a mean recall of at least 0.5, and of at
    least 0.75 where there are two
    """
    recall, least = subject.learnt
    if recall < least and subject.card.control_of == "all":
        raise unittest.SkipTest("it is a control of all generators, which may be a floor")
    require(recall >= least, f"mean recall {recall:.2f}")


@CHECKS.add("Put nets into evaluation mode; normalise by the training pixels, never by the batch.")
def batches(subject: ClassifierSubject) -> None:
    """a patch or tile is classed alike whatever it is predicted with, and in whatever order"""
    batch, _ = subject.probes

    def predicted(rows: slice) -> NDArray[np.int64]:
        return np.asarray(subject.fitted.predict(batch.take(rows)))

    whole = predicted(slice(None))
    cuts = [slice(0, 1), slice(1, len(batch) // 3), slice(len(batch) // 3, None)]
    parts = np.concatenate([predicted(cut) for cut in cuts])
    turned = predicted(slice(None, None, -1))[::-1]
    for name, labels in (("in three parts", parts), ("in reverse", turned)):
        share = float((labels != whole).mean())
        require(share <= STRAY, f"predicted {name}, {share:.0%} of the labels are others")


@CHECKS.add("Column c - 1 belongs to class id c; give 0 to classes without samples.")
def probabilities(subject: ClassifierSubject) -> None:
    """predict_proba, where there is one, gives shares (n, C) or (n, C, H, W) that sum to 1 and are
    largest at what predict says
    """
    answers = subject.result
    if "shares" not in answers:
        return
    shares, labels = answers["shares"], answers["labels"]
    shape = (len(labels), len(subject.case.data.class_names), *labels.shape[1:])
    require(shares.shape == shape, f"shape {shares.shape} in place of {shape}")
    require(shares.dtype == np.float32, f"{shares.dtype}", "Return float32.")
    require(
        ((shares >= 0) & (shares <= 1 + 1e-5)).all(),
        f"values {shares.min():.3g}..{shares.max():.3g}",
    )
    sums = shares.sum(axis=1)
    require(np.allclose(sums, 1, atol=1e-4), f"sums of {sums.min():.3g}…")
    best = np.take_along_axis(shares, labels[:, None] - 1, axis=1)[:, 0]
    wrong = float((best < shares.max(axis=1) - 1e-5).mean())
    require(wrong <= STRAY, f"predict names another class for {wrong:.0%} of the labels")


@CHECKS.add(
    "Multiply each sample's loss by its weight, pass sample_weight on, or leave weight 0 out.",
    needs=("runs", "learns"),
)
def weights(subject: ClassifierSubject) -> None:
    """samples of weight 0 count for nothing: wrong labels on them cost at most 0.2 of mean
    recall
    """
    real = subject.view.real
    clean = recall(subject.plain[0], *subject.probes)
    spoilt = recall(subject.learn(concatenate([real, *mislabelled(real)])), *subject.probes)
    require(
        spoilt >= clean - WEIGHTLESS, f"mean recall {spoilt:.2f} with them, {clean:.2f} without"
    )


def mislabelled(real: TaskSamples) -> list[TaskSamples]:
    """Synthetic samples of weight 0 with wrong labels: enough to spoil what does not heed the
    weight.
    """
    samples: Any = repeated(real)
    labels = samples.labels
    classes = len(np.setdiff1d(labels, [IGNORE]))
    wrong = np.where(labels == IGNORE, IGNORE, labels % classes + 1)
    weightless = replace(samples, weight=np.zeros_like(samples.weight))
    if isinstance(real, PatchSamples):
        return [replace(weightless, y=wrong)]
    return [replace(weightless, masks=wrong)] * 2


@CHECKS.add("Raise PluginError where real samples are needed.")
def synthetic_only(subject: ClassifierSubject) -> None:
    """samples that are all synthetic are learnt, or refused with one clear error"""
    batch, _ = subject.probes
    synthetic = repeated(subject.view.real)
    with contextlib.suppress(HsiaugError):
        labels = np.asarray(subject.learn(synthetic).predict(batch))
        learnt = np.setdiff1d(synthetic.labels, [IGNORE])
        require(np.isin(labels, learnt).all(), f"it names {np.unique(labels).tolist()}")


@CHECKS.add("Train for a number of steps, not of epochs.")
def equal_budget(subject: ClassifierSubject) -> None:
    """it takes the same number of optimiser steps whatever samples it is given"""
    subject.fitted  # noqa: B018
    _, steps = subject.plain
    counted = f"{steps} steps with {len(subject.view.real)} samples, {subject.work.steps} with more"
    require(steps == subject.work.steps, counted)
