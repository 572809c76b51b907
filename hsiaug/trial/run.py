"""Run one trial: split, view, generator, λ, classifier, score; the result is a record, also where it fails."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hsiaug.plugins.card import Card
from hsiaug.plugins.contracts import Classifier, FittedClassifier, Generator, Progress
from hsiaug.plugins.registry import Registry
from hsiaug.seeds import derive_seed
from hsiaug.trial.adapter import adapted
from hsiaug.trial.cache import Workbench
from hsiaug.trial.empty import EMPTY
from hsiaug.trial.limit import TrialTimeout, time_limit
from hsiaug.trial.machine import PeakMemory, counted_steps, environment, resolve_device, threads
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record
from hsiaug.trial.task import Prediction

__all__ = ["Course", "augment", "died", "empty", "fit_classifier", "run_trial"]


@dataclass
class Course:
    """How far a trial has come: the stage it is in, seconds per stage, and optimiser steps per fit.

    seconds: by the clock. cpu: by the cores of this process, which another program's load does not lengthen.
    steps: counted here, not told by the plugins; None where a fit was reused, or its plugin computes without torch.
    """

    stage: str = "split"
    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int | None] = field(default_factory=lambda: {"fit_generator": None, "fit_classifier": None})

    @contextmanager
    def at(self, stage: str) -> Iterator[None]:
        self.stage = stage
        start, busy = time.perf_counter(), time.process_time()
        yield
        self.seconds[stage] = time.perf_counter() - start
        self.cpu[stage] = time.process_time() - busy

    @contextmanager
    def fitting(self, stage: str, card: Card) -> Iterator[None]:
        """A stage whose optimiser steps are counted."""
        with counted_steps(card) as count, self.at(stage):
            yield
            self.steps[stage] = count()


def run_trial(
    spec: TrialSpec,
    bench: Workbench,
    plugins: Registry,
    *,
    device: str = "auto",
    progress: Progress,
    scene_ref: str = "",
    command: str = "",
    limit: float | None = None,
) -> tuple[Record, Prediction | None]:
    """The record of a trial, and its predictions. An exception of a plugin gives a record of status "failed".

    device: "auto", "cpu", "cuda", ... limit: seconds after which the trial is ended and failed; None = never.
    Raises InputError where the device is not there.
    """
    generator: Generator = plugins.find("generator", spec.generator.name).load()(spec.generator.params)
    generator = adapted(generator, spec.task)
    classifier: Classifier = plugins.find("classifier", spec.classifier.name).load()(spec.classifier.params)
    devices: dict[str, Any] = {
        "requested": device,
        "generator": resolve_device(device, generator.card),
        "classifier": resolve_device(device, classifier.card),
        "threads": threads(),
    }
    memory, course, start, busy = PeakMemory(), Course(), time.perf_counter(), time.process_time()
    memory.restart()
    result: dict[str, Any] = {"status": "ok", "error": None}
    prediction = None
    try:
        with time_limit(limit):
            result["audit"] = bench.split(spec).audit.as_json()
            samples = augment(spec, bench, generator, devices["generator"], course, progress)
            result["samples"] = bench.task.counts(samples, bench.scene)
            result["provenance"] = dict(samples.provenance)
            fitted = fit_classifier(spec, bench, classifier, samples, devices["classifier"], course, progress)
            with course.at("predict"):
                prediction = bench.task.predict(fitted, classifier.card, bench.scene, bench.split(spec))
        result["metrics"] = bench.task.score(bench.scene, prediction)
        result["predictions_sha256"] = hashlib.sha256(prediction[1].tobytes()).hexdigest()
    except (Exception, TrialTimeout) as error:
        prediction = None
        result |= {"status": "failed", "error": _failure(course.stage, error), "metrics": None}
    result["timings"] = {**course.seconds, "total": time.perf_counter() - start}
    result["cpu_seconds"] = {**course.cpu, "total": time.process_time() - busy}
    result["optimiser_steps"] = course.steps
    result["peak_memory_mb"] = memory.read()
    result["device"] = devices
    result |= _declared(generator.card, classifier.card)
    return _record(spec, bench.scene.class_names, scene_ref, command, result), prediction


def augment(
    spec: TrialSpec, bench: Workbench, generator: Generator, device: str, course: Course, progress: Progress
) -> Any:
    """Real samples and then the synthetic ones that λ asks for. Where it asks for none, nothing is fitted.

    Reads nothing of the spec's classifier. ``course`` receives the seconds of ``fit_generator`` and ``sample``.
    """
    view = bench.view(spec, generator.card.scope)
    wanted = bench.task.wanted(view, spec.lam if generator.card.adds else 0.0)
    if not any(wanted.values()):
        return bench.task.join(view, [], wanted)
    with course.fitting("fit_generator", generator.card):
        fit = bench.fit(spec, generator, device, progress)
    # No step at all: the fit was made before, by another trial or another run.
    course.steps["fit_generator"] = course.steps["fit_generator"] or None
    course.seconds["fit_generator"] = fit.seconds
    with course.at("sample"):
        pool = bench.pool(spec, fit, view)
    return bench.task.join(view, pool, wanted)


def fit_classifier(
    spec: TrialSpec,
    bench: Workbench,
    classifier: Classifier,
    samples: Any,
    device: str,
    course: Course,
    progress: Progress,
) -> FittedClassifier:
    """Fit on what ``augment`` gave. The seed is the same for every arm of a draw."""
    card: Card = classifier.card
    view = bench.view(spec, card.scope)
    seed = derive_seed("classifier", spec.classifier.name, spec.seed)
    with course.fitting("fit_classifier", card):
        shown = bench.task.shown(samples, card)
        return classifier.fit(shown, view, seed=seed, device=device, progress=progress)


def _failure(stage: str, error: BaseException) -> dict[str, str]:
    """What a record keeps of an exception."""
    return {
        "stage": stage,
        "type": type(error).__name__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error)),
    }


def _declared(generator: Card, classifier: Card) -> dict[str, Any]:
    scope = {"generator": generator.scope, "classifier": classifier.scope}
    return {"scope": scope, "transductive": "scene" in scope.values()}


def _record(spec: TrialSpec, class_names: Sequence[str], scene_ref: str, command: str, result: Record) -> Record:
    return {
        "format": 1,
        "hash": spec.hash,
        "spec": spec.as_json(),
        "scene_ref": scene_ref,
        "class_names": list(class_names),
        "audit": None,
        "samples": None,
        "provenance": {},
        "scope": None,
        "transductive": None,
        "device": None,
        "optimiser_steps": None,
        "predictions_sha256": None,
        **result,
        "environment": environment(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
    }


def died(spec: TrialSpec, scene_ref: str, command: str) -> Record:
    """The record of a trial whose process died before it could write one."""
    error = {
        "stage": "unknown",
        "type": "WorkerDied",
        "message": "the process of this trial was killed, twice: often for want of memory",
        "traceback": "",
    }
    result = {
        "status": "failed",
        "error": error,
        "metrics": None,
        "timings": {},
        "cpu_seconds": {},
        "peak_memory_mb": None,
    }
    return _record(spec, [], scene_ref, command, result)


def empty(spec: TrialSpec, bench: Workbench, scene_ref: str, command: str) -> Record:
    """The record of a trial whose λ asks for no sample in its draw: nothing is fitted, and no plugin is loaded."""
    real = bench.task.join(bench.view(spec, "none"), [], {})
    result = {
        "status": EMPTY,
        "error": None,
        "metrics": None,
        "audit": bench.split(spec).audit.as_json(),
        "samples": bench.task.counts(real, bench.scene),
        "timings": {},
        "cpu_seconds": {},
        "peak_memory_mb": None,
    }
    return _record(spec, bench.scene.class_names, scene_ref, command, result)
