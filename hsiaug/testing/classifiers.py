"""A classifier under test, and the checks of classifiers."""

import contextlib
import unittest
from functools import cached_property
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import HsiaugError
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import FittedClassifier
from hsiaug.core.samples import concatenate
from hsiaug.core.tiles import IGNORE
from hsiaug.tasks.types import locate_labels
from hsiaug.testing.core import Arrays, CheckList, ProgressRecorder, Violation, require
from hsiaug.testing.shared_checks import AFTER, BEFORE
from hsiaug.testing.subject import DEVICE, CaseContext, Subject
from hsiaug.testing.task_cases import Case, Items, Samples
from hsiaug.trial.machine import counted_work

WEIGHTLESS = 0.2
"""Most mean recall on test pixels that samples of weight 0 with wrong labels may cost."""

STRAY = 0.02
"""Share of predictions that may change with how patches are batched: sums round differently at near
ties.
"""


class ClassifierFit(Protocol):
    """A fitted classifier of any task."""

    def predict(self, batch: Items, /) -> NDArray[np.int64]: ...


class ClassifierSubject(Subject[ClassifierFit]):
    """A classifier under test."""

    kind = "classifier"

    def fit_on(self, context: CaseContext) -> ClassifierFit:
        real = context.plugin_view.real
        return self.learn(concatenate([real, self.cases.repeat(real)]), context)

    def learn(self, samples: Samples, context: CaseContext | None = None) -> ClassifierFit:
        """A fit on samples of a check's choice, shown as the runner shows them.

        Parameters
        ----------
        context : CaseContext or None
            None = that of the base fit.
        """
        context = context or self.base_context
        view = context.plugin_view
        samples_shown = context.task.sampling.shown(samples, self.card)
        seed = derive_seed("classifier", self.card.name, context.spec.seed)
        plugin = self.plugin(self.params)
        fitted: ClassifierFit = plugin.fit(
            samples_shown, view, seed=seed, device=DEVICE, progress=ProgressRecorder()
        )
        return fitted

    @cached_property
    def probes(self) -> tuple[Items, NDArray[np.int64]]:
        """Test items of the easy case as the classifier is shown them, and their labels."""
        found: tuple[Items, NDArray[np.int64]] = self.cases.probes(self.easy, self.card)
        return found

    def predict(self, fitted: ClassifierFit, batch: Items) -> NDArray[np.int64]:
        """Class ids of items."""
        return np.asarray(fitted.predict(batch))

    def recall(self, fitted: ClassifierFit, batch: Items, y: NDArray[np.int64]) -> float:
        """Mean recall over the classes of y that can be judged; 1 where there is none."""
        right = self.predict(fitted, batch) == y
        return float(np.mean([right[y == c].mean() for c in self.cases.judged_ids(y)] or [1.0]))

    def use(self, case: Case) -> ClassifierFit:
        context = self.context(case)
        fitted = self.fit_on(context)
        answer = context.task.prediction.predict(
            cast(FittedClassifier, fitted), self.card, case.data, case.split
        )
        _, labels = locate_labels(case.split, answer)
        trained = context.plugin_view.counts
        strange = sorted(set(labels.tolist()) - set(trained))
        if strange:
            raise Violation(
                f"predictions of class ids {strange}, which had no sample; trained:"
                f" {sorted(trained)}",
                "Map outputs to the ids that occur in the samples; 0 in a mask is none.",
            )
        recall, least = self.own_recall(fitted, context)
        # One that learns nothing at all is for the check learns to name.
        if recall < least and self.learnt[0] >= self.learnt[1]:
            raise Violation(
                f"a mean recall of {recall:.2f} on its own training pixels, {self.learnt[0]:.2f}"
                " otherwise"
            )
        return fitted

    @cached_property
    def learnt(self) -> tuple[float, float]:
        """Mean recall of the base fit on its own training pixels, and the least that it must be."""
        return self.own_recall(self.base, self.base_context)

    @cached_property
    def plain(self) -> tuple[ClassifierFit, int]:
        """A fit on the real samples alone, and its optimiser steps."""
        with counted_work() as work:
            fitted = self.learn(self.view.real)
        return fitted, work.steps

    def own_recall(self, fitted: ClassifierFit, context: CaseContext) -> tuple[float, float]:
        """Mean recall on the real training pixels, and the least that it must be."""
        real = context.task.sampling.shown(context.plugin_view.real, self.card)
        y = real.labels
        least = self.cases.least(len(self.cases.judged_ids(y)))
        return self.recall(fitted, real.without_labels(), y), least

    def result(self, fitted: ClassifierFit) -> Arrays:
        batch, _ = self.probes
        answers: Arrays = {"labels": self.predict(fitted, batch)}
        if hasattr(fitted, "predict_proba"):
            answers["shares"] = np.asarray(fitted.predict_proba(batch))
        return answers


CHECKS = CheckList(BEFORE)


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
    whole = subject.predict(subject.base, batch)
    cuts = [slice(0, 1), slice(1, len(batch) // 3), slice(len(batch) // 3, None)]
    parts = [subject.predict(subject.base, batch.take(cut)) for cut in cuts]
    turned = subject.predict(subject.base, batch.take(slice(None, None, -1)))[::-1]
    for name, labels in (("in three parts", np.concatenate(parts)), ("in reverse", turned)):
        share = float((labels != whole).mean())
        require(share <= STRAY, f"predicted {name}, {share:.0%} of the labels are others")


@CHECKS.add("Column c - 1 belongs to class id c; give 0 to classes without samples.")
def probabilities(subject: ClassifierSubject) -> None:
    """predict_proba, where there is one, gives shares (n, C) or (n, C, H, W) that sum to 1 and are
    largest at what predict says
    """
    answers = subject.base_result
    if "shares" not in answers:
        return
    shares, labels = answers["shares"], answers["labels"]
    shape = (len(labels), len(subject.easy.data.class_names), *labels.shape[1:])
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
    weightless=WEIGHTLESS,
)
def weights(subject: ClassifierSubject) -> None:
    """samples of weight 0 count for nothing: wrong labels on them cost at most {weightless:g} of
    mean recall
    """
    real = subject.view.real
    wrong = subject.cases.mislabel(real, len(subject.easy.data.class_names))
    fitted, _ = subject.plain
    clean = subject.recall(fitted, *subject.probes)
    spoilt = subject.recall(subject.learn(concatenate([real, wrong])), *subject.probes)
    require(
        spoilt >= clean - WEIGHTLESS, f"mean recall {spoilt:.2f} with them, {clean:.2f} without"
    )


@CHECKS.add("Raise PluginError where real samples are needed.")
def synthetic_only(subject: ClassifierSubject) -> None:
    """samples that are all synthetic are learnt, or refused with one clear error"""
    batch, _ = subject.probes
    synthetic = subject.cases.repeat(subject.view.real)
    with contextlib.suppress(HsiaugError):
        labels = subject.predict(subject.learn(synthetic), batch)
        learnt = np.setdiff1d(synthetic.labels, [IGNORE])
        require(np.isin(labels, learnt).all(), f"it names {np.unique(labels).tolist()}")


@CHECKS.add("Train for a number of steps, not of epochs.")
def equal_budget(subject: ClassifierSubject) -> None:
    """it takes the same number of optimiser steps whatever samples it is given"""
    subject.base  # noqa: B018
    _, steps = subject.plain
    counted = f"{steps} steps with {len(subject.view.real)} samples, {subject.work.steps} with more"
    require(steps == subject.work.steps, counted)


CHECKS += AFTER
