"""A classifier under test."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.plugins.contracts import FittedClassifier, Progress
from hsiaug.samples import Patches, PatchSamples, concatenate
from hsiaug.seeds import derive_seed
from hsiaug.testing.bench import Bench
from hsiaug.testing.core import Violation
from hsiaug.testing.partners import repeated
from hsiaug.testing.scenes import Case
from hsiaug.testing.subject import Subject
from hsiaug.testing.watch import Watched
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.task import get_task

__all__ = ["LEARNT", "ClassifierSubject"]

LEARNT = 0.5
"""Least mean recall of a classifier on its own training pixels; naming the largest class alone gives 0.25."""


class ClassifierSubject(Subject[FittedClassifier]):
    """A classifier under test."""

    kind = "classifier"

    def fit_on(
        self, bench: Bench, spec: TrialSpec, *, device: str = "cpu", progress: Progress | None = None
    ) -> FittedClassifier:
        real = bench.view(spec, self.card.scope).real
        return self.learn(bench, spec, concatenate([real, repeated(real)]), device=device, progress=progress)

    def learn(
        self,
        bench: Bench,
        spec: TrialSpec,
        samples: PatchSamples,
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> FittedClassifier:
        """A fit on samples of a check's choice, shown as the runner shows them."""
        view, shown = bench.view(spec, self.card.scope), bench.task.shown(samples, self.card)
        seed = derive_seed("classifier", self.card.name, spec.seed)
        plugin, told = self.plugin(self.params), progress or Watched()
        fitted: FittedClassifier = self.watched(
            "fit",
            lambda: self.timed(lambda: plugin.fit(shown, view, seed=seed, device=device, progress=told)),
            view,
            shown,
        )
        return fitted

    def probes(self, case: Case) -> tuple[Patches, NDArray[np.int64]]:
        """Test patches as the classifier is shown them, and their class ids; sorted by class."""
        coords = np.argwhere(case.split.test)[::2].astype(np.int32)
        scene, patch = case.scene, case.split.patch
        r = patch // 2
        padded = np.pad(scene.cube, ((r, r), (r, r), (0, 0)), mode="reflect") if r else scene.cube
        x = np.stack([padded[i : i + patch, j : j + patch].transpose(2, 0, 1) for i, j in coords])
        y = scene.labels[coords[:, 0], coords[:, 1]].astype(np.int64)
        whole = PatchSamples(x, coords, y, np.zeros(len(y), bool), np.ones(len(y), np.float32))
        shown = get_task("pixels").shown(whole, self.card)
        return Patches(shown.x, shown.coords), y

    def predict(self, fitted: FittedClassifier, patches: Patches) -> NDArray[np.int64]:
        """Class ids of patches."""
        labels: NDArray[np.int64] = np.asarray(self.watched("predict", lambda: fitted.predict(patches), patches))
        return labels

    def recall(self, fitted: FittedClassifier, patches: Patches, y: NDArray[np.int64]) -> float:
        """Mean recall over the classes of y."""
        right = self.predict(fitted, patches) == y
        return float(np.mean([right[y == c].mean() for c in np.unique(y)]))

    def use(self, case: Case) -> None:
        bench, spec = self.bench(case)
        fitted = self.fit_on(bench, spec)
        _, labels = bench.task.predict(fitted, self.card, case.scene, case.split)
        trained = np.unique(case.scene.labels[case.split.train])
        strange = sorted(set(labels.tolist()) - set(trained.tolist()))
        if strange:
            raise Violation(
                f"predictions of class ids {strange}, which had no sample; trained: {trained.tolist()}",
                "Map outputs to the ids that occur in samples.y.",
            )
        recall = self.own_recall(fitted, bench, spec)
        # One that learns nothing at all is for the check learns to name.
        if recall < LEARNT and self.learnt >= LEARNT:
            raise Violation(
                f"a mean recall of {recall:.2f} on its own training pixels, {self.learnt:.2f} otherwise"
            )

    @cached_property
    def learnt(self) -> float:
        """Mean recall of the base fit on its own training pixels."""
        return self.own_recall(self.base, *self.bench(self.easy))

    def own_recall(self, fitted: FittedClassifier, bench: Bench, spec: TrialSpec) -> float:
        """Mean recall on the real training pixels."""
        real = bench.task.shown(bench.view(spec, self.card.scope).real, self.card)
        return self.recall(fitted, Patches(real.x, real.coords), real.y)

    def result(self, fitted: FittedClassifier) -> dict[str, NDArray[Any]]:
        patches, _ = self.probes(self.easy)
        found: dict[str, NDArray[Any]] = {"labels": self.predict(fitted, patches)}
        if hasattr(fitted, "predict_proba"):
            found["shares"] = np.asarray(fitted.predict_proba(patches))
        return found
