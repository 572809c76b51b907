"""Run one trial: split, view, generator, λ, classifier, score; the result is a record, also where
it fails.

In two halves: :func:`compute` runs the plugins and needs no test label, :func:`finish` scores what
they answered. A benchmark runs the first in a worker process and the second in its own.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.base.threads import threads
from hsiaug.contracts import Classifier, FittedClassifier, Generator, Prepared, Progress
from hsiaug.core.sealed import seal_all
from hsiaug.core.spectral_views import RAW_VIEW
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.pixels import Prediction
from hsiaug.tasks.task import Task, TaskData, TaskSamples, TaskSplit, locate_labels, predicted_mask
from hsiaug.trial.arm import SYNTHETIC
from hsiaug.trial.cache import Workbench
from hsiaug.trial.fits import Fit
from hsiaug.trial.guard import call_failure, kept_state, plain_json, time_limit
from hsiaug.trial.machine import (
    counted_work,
    environment,
    peak_memory,
    resolve_device,
    restart_peak_memory,
)
from hsiaug.trial.predictions import checksum
from hsiaug.trial.record_json import EMPTY, FORMAT
from hsiaug.trial.sheet import SampleSheet
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record

NOT_TIMED: Record = {"timings": {}, "cpu_seconds": {}, "peak_memory_mb": None}
NOT_KNOWN: Record = {"audit": None, "samples": None, "provenance": {}, "notes": []} | dict.fromkeys(
    (
        "scope",
        "transductive",
        "spectral_view",
        "device",
        "optimiser_steps",
        "metrics",
        "predictions_sha256",
    )
)
"""Of a trial that failed early."""


@dataclass
class StageTimer:
    """How far a trial has come: the stage it is in, seconds per stage, and optimiser steps per fit.

    seconds: by the clock. cpu: by the cores of this process, which another program's load does
    not lengthen. steps: counted here, not told by the plugins; None where a fit was reused, or
    its plugin computes without torch. tell: is called with the name of each stage that begins.
    prepared: what the generator's fit was given.
    """

    stage: str = "load"
    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int | None] = field(
        default_factory=lambda: {"fit_generator": None, "fit_classifier": None}
    )
    tell: Callable[[str], object] = lambda stage: None
    prepared: Fit[Prepared] | None = None

    @contextmanager
    def at(self, stage: str) -> Iterator[None]:
        """A stage in which a plugin computes: the state of the process is as before afterwards."""
        self.stage = stage
        self.tell(stage)
        with kept_state():
            start, busy = time.perf_counter(), time.process_time()
            yield
            self.seconds[stage] = time.perf_counter() - start
            self.cpu[stage] = time.process_time() - busy

    @contextmanager
    def fitting(self, stage: str, card: Card) -> Iterator[None]:
        """A stage whose optimiser steps are counted; of a plugin without a device torch is not even
        loaded.
        """
        with counted_work() if card.uses_device else nullcontext() as work, self.at(stage):
            yield
            self.steps[stage] = None if work is None else work.steps


@dataclass(frozen=True, eq=False)
class Outcome:
    """Outcome of running the plugins of a trial. result: JSON-able, a part of the record.

    labels: (n,) int16 predicted class ids at the test positions; None where the trial failed.
    sheet: a few of its samples; None where none was made.
    """

    result: Record
    labels: NDArray[np.int16] | None
    sheet: SampleSheet | None = None

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return bool(self.result["status"] != "ok")

    @property
    def timed_out(self) -> bool:
        """Whether it took longer than it may."""
        return self.failed and bool(self.result["error"]["type"] == "TrialTimeout")


def run_trial(
    spec: TrialSpec,
    bench: Workbench,
    plugins: Registry,
    *,
    device: str = "auto",
    progress: Progress,
) -> tuple[Record, Prediction | None]:
    """Both halves of a trial in this process: its record, and its predictions.

    device: "auto", "cpu", "cuda", ... Whatever a plugin raises gives a record of status "failed".
    """
    outcome = compute(spec, bench, plugins, device=device, progress=progress)
    return finish(
        spec, outcome, bench.task, bench.scene, bench.split(spec), scene_ref="", command=""
    )


def compute(
    spec: TrialSpec,
    bench: Workbench,
    plugins: Registry,
    *,
    device: str,
    progress: Progress,
    limit: float | None = None,
    tell: Callable[[str], object] = lambda stage: None,
) -> Outcome:
    """Fit and predict. Reads no test label: ``bench`` may hold a scene without labels and a blind
    split.

    limit: seconds after which the trial is ended and failed; None = never. They run from the
    moment at which all libraries are loaded. tell: is called with the name of each stage that
    begins, "split" being the first.
    """
    timer = StageTimer(tell=tell)
    start, busy = time.perf_counter(), time.process_time()
    restart_peak_memory()
    result: dict[str, object] = {"status": "ok", "error": None, "samples": None, "provenance": {}}
    labels = sheet = None
    try:
        with kept_state():
            generator, classifier = load_plugins(spec, plugins)
        cards = {"generator": generator.card, "classifier": classifier.card}
        devices = {kind: resolve_device(device, card) for kind, card in cards.items()}
        scopes = {kind: card.scope for kind, card in cards.items()}
        result["device"] = {"requested": device, **devices, "threads": threads()}
        result |= {"scope": scopes, "transductive": "scene" in scopes.values()}
        with time_limit(limit):
            timer.stage = "split"
            tell("split")
            if generator.card.baseline:
                result["baseline"] = generator.card.baseline
            controls = {kind: card.control_of for kind, card in cards.items() if card.control_of}
            if controls:
                result["control_of"] = controls
            spectra = bench.spectra(spec)
            result["spectral_view"] = {"name": spectra.name, "scores": spectra.scores}
            samples = augment(
                spec,
                bench,
                generator,
                devices["generator"],
                timer,
                progress,
                classifier=classifier.card,
            )
            result["samples"] = _count_by_class(samples, len(bench.scene.class_names))
            result["provenance"] = plain_json(samples.provenance)
            if timer.prepared is not None:
                result["prepared"] = {"key": timer.prepared.key, "seconds": timer.prepared.seconds}
            fitted = fit_classifier(
                spec, bench, classifier, samples, devices["classifier"], timer, progress
            )
            facts = getattr(fitted, "facts", None)
            if isinstance(facts, Mapping) and facts:
                result["classifier_facts"] = plain_json(facts, "the facts of a fit")
            with timer.at("predict"):
                labels = bench.task.predict(
                    fitted, classifier.card, bench.scene, bench.split(spec), spectra
                )
                # What the fit wrote into a view is found here too.
                bench.check_views()
        sheet = bench.sheet(spec, generator.card)
    except BaseException as error:
        # SystemExit and KeyboardInterrupt too: in a worker nobody but a plugin raises them.
        labels = sheet = None
        result |= {"status": "failed", "error": {"stage": timer.stage, **call_failure(error)}}
        bench.renew_views()
    result["notes"] = bench.take_notes()
    result["timings"] = {**timer.seconds, "total": time.perf_counter() - start}
    result["cpu_seconds"] = {**timer.cpu, "total": time.process_time() - busy}
    result["optimiser_steps"] = timer.steps
    result["peak_memory_mb"] = peak_memory()
    return Outcome(result, labels, sheet)


def finish(
    spec: TrialSpec,
    outcome: Outcome,
    task: Task,
    data: TaskData,
    split: TaskSplit,
    *,
    scene_ref: str,
    command: str,
) -> tuple[Record, Prediction | None]:
    """The record of a trial, scored, and its predictions. data, split: with all labels."""
    if (labels := outcome.labels) is not None:
        number, classes, fault = int(predicted_mask(split).sum()), len(data.class_names), ""
        if len(labels) != number:
            fault = f"{number} class ids must come back; found {len(labels)}"
        elif len(wrong := labels[(labels < 1) | (labels > classes)]):
            fault = f"class ids must lie in 1..{classes}; found {wrong[0]}"
        outcome = lost("predict", "PluginError", fault) if fault else outcome
    result, prediction = dict(outcome.result), None
    if outcome.labels is not None:
        prediction = locate_labels(split, outcome.labels)
        result["metrics"] = task.score(data, split, prediction)
        result["predictions_sha256"] = checksum(prediction)
    result["audit"] = split.audit.as_json()
    return _record(spec, data.class_names, scene_ref, command, result), prediction


def load_plugins(spec: TrialSpec, plugins: Registry) -> tuple[Generator, Classifier]:
    """Both plugins of a trial, and the libraries that they compute with."""
    generator, classifier = (
        plugins.find(kind, one.name).load()(one.params) for kind, one in spec.plugins
    )
    if generator.card.uses_device or classifier.card.uses_device:
        # A time limit that strikes in the middle of this import leaves a torch that cannot be
        # imported again.
        import torch  # noqa: F401
    return generator, classifier


def augment(
    spec: TrialSpec,
    bench: Workbench,
    generator: Generator,
    device: str,
    timer: StageTimer,
    progress: Progress,
    *,
    classifier: Card | None = None,
) -> TaskSamples:
    """Real samples and then the synthetic ones that λ asks for. Where it asks for none, nothing is
    fitted.

    classifier: the card of the one that is to learn from them: they are what it is shown; None =
    whole, in scene units. ``timer`` receives the seconds of ``fit_generator`` and ``sample``.
    """
    view = bench.view(spec, generator.card.scope)
    blocks = bench.task.blocks(view, spec.made) if generator.card.adds else []
    spectra = RAW_VIEW if classifier is None else bench.spectra(spec)
    if not any(block.total for block in blocks):
        return bench.task.join(view, [], classifier, spectra)
    if generator.card.prepares:
        with timer.fitting("prepare", generator.card):
            timer.prepared = bench.prepare(spec, generator, device, progress)
        timer.steps["prepare"] = timer.steps["prepare"] or None
    with timer.fitting("fit_generator", generator.card):
        fit = bench.fit(spec, generator, device, progress)
    # No step at all: the fit was made before, by another trial or another run.
    timer.steps["fit_generator"] = timer.steps["fit_generator"] or None
    timer.seconds["fit_generator"] = fit.seconds
    with timer.at("sample"):
        pool = bench.pool(spec, fit, view, blocks, classifier)
    samples = bench.task.join(view, pool, classifier, spectra)
    if measured := bench.task.measured(view, pool):
        # What a generator measures itself counts before what is measured of every one.
        samples = replace(samples, provenance={**measured, **samples.provenance})
    return _alone(samples) if spec.train == SYNTHETIC else samples


def _count_by_class(samples: TaskSamples, classes: int) -> dict[str, list[int]]:
    """Real and synthetic samples of each class id 1..C; of masks their labelled pixels."""
    ids = {
        "real": samples.labels[~samples.synthetic],
        "synthetic": samples.labels[samples.synthetic],
    }
    return {
        name: np.bincount(own.ravel(), minlength=classes + 1)[1:].tolist()
        for name, own in ids.items()
    }


def _alone(samples: TaskSamples) -> TaskSamples:
    """The synthetic ones of the samples, weighted as real ones would be: 1 in the mean."""
    made = samples.take(samples.synthetic)
    mean = made.weight.mean(dtype=np.float64)
    if not mean:
        rule, hint = (
            "synthetic samples that are learnt from alone must have some weight",
            "Give them weights above 0.",
        )
        raise PluginError(rule, value=f"{len(made)} of weight 0", hint=hint)
    return replace(made, weight=(made.weight / mean).astype(np.float32))


def fit_classifier(
    spec: TrialSpec,
    bench: Workbench,
    classifier: Classifier,
    samples: TaskSamples,
    device: str,
    timer: StageTimer,
    progress: Progress,
) -> FittedClassifier:
    """Fit on what ``augment`` gave for it. The seed is the same for every arm of a draw."""
    card: Card = classifier.card
    view = bench.seen(spec, card.scope)
    seed = derive_seed("classifier", spec.classifier.name, spec.seed)
    with timer.fitting("fit_classifier", card):
        learn = cast("Callable[..., FittedClassifier]", classifier.fit)
        fitted = learn(seal_all(samples), view, seed=seed, device=device, progress=progress)
    if not callable(getattr(fitted, "predict", None)):
        rule, hint = (
            "a classifier's fit must return an object with predict",
            "Return self, or the fitted object.",
        )
        raise PluginError(rule, value=type(fitted).__name__, hint=hint)
    return fitted


def _record(
    spec: TrialSpec, class_names: Sequence[str], scene_ref: str, command: str, result: Record
) -> Record:
    return {
        "format": FORMAT,
        "hash": spec.hash,
        "spec": spec.as_json(),
        "scene_ref": scene_ref,
        "class_names": list(class_names),
        **NOT_KNOWN,
        **result,
        "environment": environment(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
    }


def lost(stage: str, kind: str, message: str) -> Outcome:
    """The failed outcome of a trial that its process could not finish. kind: what the record calls
    the error.
    """
    result = {
        "status": "failed",
        "error": {"stage": stage, "type": kind, "message": message, "traceback": ""},
        **NOT_TIMED,
    }
    return Outcome(result, None)


def empty(spec: TrialSpec, bench: Workbench, scene_ref: str, command: str) -> Record:
    """The record of a trial whose λ asks for no sample in its draw: nothing is fitted, and no
    plugin is loaded.
    """
    real = bench.task.join(bench.view(spec, "none"), [])
    result = {
        "status": EMPTY,
        "error": None,
        "metrics": None,
        "audit": bench.split(spec).audit.as_json(),
        "samples": _count_by_class(real, len(bench.scene.class_names)),
        **NOT_TIMED,
    }
    return _record(spec, bench.scene.class_names, scene_ref, command, result)
