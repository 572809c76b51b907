"""Samples of pixel classification: those that a trial would train on, as one file, and how good
they are.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from hsiaug.base.arrays import AnyArray, Int64
from hsiaug.base.errors import InputError
from hsiaug.base.files import check_target
from hsiaug.base.seeds import derive_seed
from hsiaug.base.text import shortened
from hsiaug.bench.sample_memory import check_samples
from hsiaug.contracts import PromptReading
from hsiaug.core.samples import PatchSamples, random_rows
from hsiaug.metrics.fidelity import fidelity
from hsiaug.metrics.measures import Measure, Measures, MeasureTable, average_rounds
from hsiaug.metrics.patch_distances import PatchReference, PatchSpace, block_means
from hsiaug.metrics.reliability import reliability
from hsiaug.metrics.spectra import Spectra, at_most
from hsiaug.metrics.structure import patch_structure
from hsiaug.protocol.balance import synthetic_counts
from hsiaug.protocol.view import TrainView, patches_at
from hsiaug.quality.export import ENDINGS, save_samples
from hsiaug.quality.figures import pixel_figures
from hsiaug.quality.synthesis import (
    ClassRow,
    Drawn,
    Inspection,
    PixelSynthesis,
    SampleRequest,
    confirmed_text,
    fit_once,
    measure_reconstruction,
    no_prompts,
)
from hsiaug.registry.card import Card
from hsiaug.tasks.draws import PixelDraws
from hsiaug.tasks.task import Task
from hsiaug.trial.fits import fit_generator
from hsiaug.trial.plugin_calls import StageClock
from hsiaug.trial.run import draw_samples, learn
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import TrialRun

MAX_PATCHES_PER_CLASS = 100
"""Patches of a class, made or left out, that are compared at most."""
MAX_POOL_PATCHES = 30_000
"""Patches of the pool that are compared at most."""
ENCODED = 500
"""Patches of a set that are encoded and decoded at most."""
PIXELS = 5000
"""Pixels that the space of the comparison is fitted on."""

MEASURES: MeasureTable = {
    "nearer_training": ("patches nearer to training than held-out are", "%", "50 %"),
    "copies_training": ("patches that copy training patches", "%", "lower"),
    "nearer_pool": ("patches nearer to the pool than held-out are", "%", "50 %"),
    "copies_pool": ("patches that copy patches of the pool", "%", "lower"),
}


class PixelSamples:
    """Patches with a class each: bit for bit those that a benchmark's trial of the same settings
    trains on.
    """

    unit = ""
    compares_strengths = True

    def __init__(self, task: Task) -> None:
        self.task = task

    def check(self, request: SampleRequest, out: Path) -> None:
        """Refuse options of masks, which would do nothing, and a file of another ending or in no
        folder.
        """
        set_options = {
            "-n": request.count is not None,
            "`show`": bool(request.show),
            "`mask`": bool(request.masks),
        }
        for name in (name for name, is_set in set_options.items() if is_set):
            hint = "Name a generator of masks, or leave it out; of pixels, `lambdas` says how many."
            raise InputError(
                f"{name} is an option of masks", value=f"`task` {self.task.name}", hint=hint
            )
        check_target(out, ENDINGS)

    def draw(self, run: TrialRun, request: SampleRequest) -> Drawn[PatchSamples]:
        """The trial's own samples: the prefix of its pool that λ takes. Raises InputError where λ
        asks for none.
        """
        spec = run.spec
        view = cast(TrainView, run.view)
        count = sum(synthetic_counts(view.counts, spec.rate).values())
        if not count:
            sizes = view.counts.values()
            raise InputError(
                "λ and M must ask for at least one synthetic sample",
                value=f"{spec.rate.in_prose}, with {min(sizes)} to {max(sizes)} samples per class",
                hint="λ = 1 fills every class to the largest; more than 1 lets all grow.",
            )
        check_samples(run.data, count, spec.patch)
        if request.prompts:
            return draw_prompted(run, view, request.prompts)
        clock, facts = StageClock(), dict[str, object]()
        fit = fit_once(run, partial(learn, run, None, clock, facts))
        clock.seconds["fit_generator"] = fit.seconds
        drawn, _ = draw_samples(run, fit, {}, clock, facts)
        samples = cast(PatchSamples, drawn)
        return samples.take(samples.synthetic), fit.fitted, clock.seconds

    def facts(
        self, spec: TrialSpec, card: Card, request: SampleRequest, samples: int
    ) -> dict[str, object]:
        """λ, M, typed prompts, and whether the generator saw test pixels, without their labels."""
        return {
            **({"prompts": list(request.prompts)} if request.prompts else {}),
            "lambda": spec.rate.lam,
            "times": spec.rate.times,
            "transductive": card.scope == "scene",
        }

    def save(self, path: Path, made: PixelSynthesis, *, with_real: bool) -> list[str]:
        """One file, the real training samples first where asked for."""
        return [f"{len(save_samples(path, made, with_real=with_real))} samples in {path}"]

    def classes(self, made: PixelSynthesis, *, with_real: bool) -> list[ClassRow]:
        """Samples of each class that were written."""
        real = made.real.y if with_real else made.real.y[:0]
        synthetic = made.synthetic.y
        names = zip(made.data.class_ids, made.data.class_names, strict=True)
        return [
            ClassRow(c, name, int((real == c).sum()), int((synthetic == c).sum()))
            for c, name in names
        ]

    def inspect(self, made: PixelSynthesis) -> Inspection:
        """Fidelity and label reliability of centre spectra. Reads test labels: a diagnosis after
        the fit.
        """
        scene, test, patch = made.data, made.split.test, made.split.patch
        places = np.argwhere(test)
        train, synthetic = _centres(made.real), _centres(made.synthetic)
        held = Spectra(scene.cube[test].astype(np.float64), scene.labels[test].astype(np.int64))
        nearness, notes = measure_nearness(
            made, PixelDraws().view(scene, made.split, made.card.scope)
        )
        like = fidelity(train, held, synthetic)
        like = replace(like, measures=(*like.measures, *nearness), notes=(*like.notes, *notes))
        labels = reliability(train, held, synthetic)
        rng = np.random.default_rng(derive_seed("reconstruction", 0))
        left_out = random_rows(places, ENCODED, rng)
        return Inspection(
            made,
            {"train": len(train), "held_out": len(held), "synthetic": len(synthetic)},
            structure=_structure(made, places, held.y),
            fidelity=like,
            labels=labels,
            reconstruction=measure_reconstruction(
                made,
                lambda: ((x := patches_at(scene.cube, left_out, patch)), x, None),
                lambda: ((x := made.real.x[:ENCODED]), x, None),
            ),
            verdict=_verdict(like, labels),
            pictures=partial(pixel_figures, made, train, held, synthetic),
        )


def _structure(made: PixelSynthesis, places: AnyArray, classes: Int64) -> Measures:
    """Spatial structure of patches: of held-out and synthetic ones as many of each class.

    Parameters
    ----------
    places : (n, 2) integers
        Held-out pixels.
    classes : (n,) int64
        Their class ids.
    """
    rng = np.random.default_rng(derive_seed("patch structure", 0))
    real, synthetic = made.real, made.synthetic
    held, drawn = [], []
    for c in np.intersect1d(classes, synthetic.y):
        rows = [rng.permutation(np.flatnonzero(y == c)) for y in (classes, synthetic.y)]
        size = min(MAX_PATCHES_PER_CLASS, *map(len, rows))
        held.append(rows[0][:size])
        drawn.append(rows[1][:size])
    none = np.empty(0, dtype=np.int64)
    return patch_structure(
        real.x[at_most(real.y, MAX_PATCHES_PER_CLASS, rng)],
        patches_at(made.data.cube, places[np.concatenate([none, *held])], made.split.patch),
        synthetic.x[np.concatenate([none, *drawn])],
    )


def read_prompts(
    run: TrialRun, view: TrainView, prompts: Sequence[str]
) -> tuple[PromptReading, ...]:
    """What the generator of a trial understands of prompts, before it learns anything.

    Raises
    ------
    InputError
        For a generator that takes no prompts, and for a prompt of which no patch can be made.
    """
    read = getattr(run.generator, "read_prompts", None)
    if not callable(read):
        raise no_prompts(run.spec.generator.name)
    readings: tuple[PromptReading, ...] = read(
        prompts,
        class_names=view.class_names,
        trained=tuple(view.counts),
        patch=view.patch,
    )
    for prompt, reading in zip(prompts, readings, strict=True):
        if reading.faults:
            known = ", ".join(view.class_names[c - 1] for c in view.counts)
            raise InputError(
                f"`prompt` must say what a patch shows, and {'; '.join(reading.faults)}",
                value=repr(shortened(prompt, 100)),
                hint=f"Write 'CLASS' or 'CLASS with CLASS to the north'; the classes are {known}.",
            )
    return readings


def draw_prompted(run: TrialRun, view: TrainView, prompts: Sequence[str]) -> Drawn[PatchSamples]:
    """Samples under typed prompts, of the classes in their centres alone, as many as λ and M ask
    for; the prompts of a class take turns.

    Raises
    ------
    InputError
        As :func:`read_prompts`, and where λ and M ask for no sample of these classes.
    """
    spec = run.spec
    readings = read_prompts(run, view, prompts)
    counts = synthetic_counts(view.counts, spec.rate)
    by_class: dict[int, list[str]] = {}
    for prompt, reading in zip(prompts, readings, strict=True):
        by_class.setdefault(cast(int, reading.centre), []).append(prompt)
    asked = [own[i % len(own)] for c, own in by_class.items() for i in range(counts.get(c, 0))]
    if not asked:
        raise InputError(
            "λ and M must ask for samples of the classes that `prompt` names",
            value=spec.rate.in_prose,
            hint="Add `times=3`.",
        )
    fit = fit_once(run, partial(fit_generator, run))
    fitted = cast(Any, fit.fitted)
    seed = derive_seed("sample", spec.generator.name, spec.seed, *prompts)
    samples = fitted.sample_prompts(asked, guidance=spec.omega, seed=seed)
    return samples, fit.fitted, {"fit_generator": fit.seconds}


def _centres(samples: PatchSamples) -> Spectra:
    """The centre spectra of samples, in scene units."""
    return Spectra(samples.centres.astype(np.float64), samples.y)


def _verdict(like: Measures, labels: Measures) -> tuple[str, ...]:
    """Whether labels fit and samples are copies, a line each."""
    lines = []
    if (one := labels.get("agreement")) is not None:
        lines.append(f"labels: {confirmed_text(one)}")
    if (copies := like.get("copies_training")) is not None and copies.value is not None:
        lines.append(f"copies: {copies.value:.3g} % of the patches copy a training patch")
    return tuple(lines)


def measure_nearness(
    made: PixelSynthesis, view: TrainView
) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
    """Distances of whole patches to the nearest that the generator saw, beside those of held-out
    ones of their class; and notes on what was left out.

    Parameters
    ----------
    view : TrainView
        View of the generator. Its unlabelled pixels are the pool; without any, rows of the pool
        are left out.
    """
    rng = np.random.default_rng(derive_seed("patch nearness", 0))
    scene, held = made.data, made.split.test.copy()
    rows, columns = random_rows(np.argwhere(view.visible), PIXELS, rng).T
    space = PatchSpace.fit(scene.cube[rows, columns])
    scores = space.scores(scene.cube)
    pool = random_rows(view.unlabelled, MAX_POOL_PATCHES, rng)
    if len(pool):
        seen = np.zeros_like(held)
        seen[tuple(view.unlabelled.T)] = True
        held &= seen
    left = np.argwhere(held)
    y = scene.labels[held].astype(np.int64)
    chosen = at_most(y, MAX_PATCHES_PER_CLASS, rng)
    training, known, apart = (
        (block_means(patches_at(scores, at, view.patch)), at)
        for at in (view.coords, pool, left[chosen])
    )
    reference = PatchReference.of(training, known, apart, y[chosen], view.patch)
    some = made.synthetic.take(at_most(made.synthetic.y, MAX_PATCHES_PER_CLASS, rng))
    values, floors = reference.measure(space.reduce(some.x), some.y)
    table = {name: entry for name, entry in MEASURES.items() if name in values}
    few = "no held-out patch to compare with"
    measures = average_rounds(table, [(values, floors, len(some))], few)
    large = len(view.unlabelled) > len(pool)
    return measures, (
        (f"of {len(view.unlabelled)} patches of the pool {len(pool)} were compared",)
        if large
        else ()
    )
