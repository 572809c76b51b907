"""A generator under test, and the checks of generators."""

import contextlib
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from scipy.optimize import linear_sum_assignment

from hsiaug.base.errors import HsiaugError
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import Prepared
from hsiaug.core.read_only import arrays_of
from hsiaug.registry.card import preparing_params
from hsiaug.testing.core import (
    Arrays,
    Cancelled,
    CheckList,
    ProgressRecorder,
    Violation,
    require,
    require_equal,
)
from hsiaug.testing.shared_checks import AFTER, BEFORE
from hsiaug.testing.subject import DEVICE, CaseContext, Subject
from hsiaug.testing.task_cases import (
    OVER_CHANCE,
    Case,
    Counts,
    Samples,
    View,
    inspect_samples,
    nearest_shares,
)
from hsiaug.trial.fits import fit_generator, prepared_state

PLAUSIBLE = 0.9
"""Least share of values that must lie within the visible pixels' range, widened by that range on
either side.
"""


EXCHANGED = 0.2
"""Least share of labels by which an exchange of classes may fit better."""


class GeneratorFit(Protocol):
    """A fitted generator of any task."""

    def sample(self, counts: Counts, *, guidance: float | None, seed: int) -> Samples: ...
    def save(self, folder: Path) -> None: ...


class GeneratorSubject(Subject[GeneratorFit]):
    """A generator under test."""

    kind = "generator"

    def fit_on(self, context: CaseContext) -> GeneratorFit:
        run = context.generator_run(self.plugin(self.params))
        return cast(GeneratorFit, fit_generator(run).fitted)

    def counts(self, view: View) -> Counts:
        """The counts that a check asks for."""
        counts: Counts = self.cases.request(sorted(view.counts))
        return counts

    def draw(
        self,
        fitted: GeneratorFit,
        counts: Counts | None = None,
        *,
        seed: int = 0,
        guidance: float | None = None,
    ) -> Samples:
        """Samples as a trial draws them; default counts are those of the easy case.

        Parameters
        ----------
        guidance : float or None
            None = default.
        """
        omega = self.card.guidance if guidance is None else guidance
        requested = self.counts(self.view) if counts is None else counts
        return fitted.sample(requested, guidance=omega, seed=seed)

    def expected(self, counts: Counts) -> Counts:
        """The expected counts: none from a generator whose card says that it adds nothing."""
        return counts if self.card.adds else self.cases.of_classes({})

    def use(self, case: Case) -> GeneratorFit:
        context = self.context(case)
        view = context.plugin_view
        fitted = self.fit_on(context)
        counts = self.counts(view)
        context.task.sampling.check(self.draw(fitted, counts), self.expected(counts), view)
        return fitted

    def result(self, fitted: GeneratorFit) -> Arrays:
        return sample_arrays(self.draw(fitted))


def sample_arrays(samples: Samples) -> Arrays:
    """Samples as arrays that can be compared."""
    contents: Arrays = {
        "spectra": samples.values,
        "class ids": samples.labels,
        "weight": samples.weight,
    }
    stated = arrays_of(samples)
    return contents | {name: stated[name] for name in ("confidence",) if name in stated}


CHECKS = CheckList(BEFORE)


@CHECKS.add(
    "Build them with PatchSamples.made(x, y, provenance=…) or DenseSamples.made(images, masks, …)."
)
def samples(subject: GeneratorSubject) -> None:
    """samples are float32 patches (n, B, p, p) with int64 ids and without location, or float32
    tiles (n, T, B, H, W) with int64 masks of 0..C and, if any, a confidence in 0..1; all marked
    synthetic, with finite weights ≥ 0
    """
    drawn = subject.draw(subject.base)
    inspect_samples(subject.cases, drawn, subject.view)
    require(np.asarray(drawn.synthetic).all(), "samples that are not marked synthetic")
    require(
        np.isfinite(drawn.weight).all() and (drawn.weight >= 0).all(),
        "weights that are negative or not finite",
    )


@CHECKS.add(
    "Loop over counts.items() and skip zeros, of pairs over counts.parts(); return arrays of length"
    " 0 where nothing is asked for."
)
def counts(subject: GeneratorSubject) -> None:
    """sample gives exactly counts[c] samples of each class c; zeros give none, and no count at all
    is no error; of pairs, counts.total in all and counts.by_class[c] that show class c
    """
    for task_subject in (subject, *subject.elsewhere):
        present = sorted(task_subject.view.counts)
        by_class: tuple[dict[int, int], ...] = (
            dict.fromkeys(present, 0),
            {},
            {present[-1]: 21},
            {present[0]: 1},
        )
        for requested in (
            task_subject.counts(task_subject.view),
            *map(task_subject.cases.of_classes, by_class),
        ):
            wrong = task_subject.cases.count_errors(
                task_subject.draw(task_subject.base, requested), task_subject.expected(requested)
            )
            require(not wrong, wrong)


@CHECKS.add(
    "Raise PluginError naming the class; never skip it, and let no KeyError or IndexError through.",
    needs=("runs", "hard-data"),
)
def untrained_class(subject: GeneratorSubject) -> None:
    """asked for a class without training pixels, it raises one clear error or makes what was asked
    for
    """
    case = subject.cases.hardest()[-1]
    trained = subject.context(case).plugin_view.counts
    missing = next(c for c in range(1, len(case.data.class_names) + 1) if c not in trained)
    requested = subject.cases.of_classes({min(trained): 2, missing: 3})
    try:
        drawn = subject.draw(subject.hardest, requested)
    except HsiaugError:
        return
    wrong = subject.cases.count_errors(drawn, subject.expected(requested))
    require(not wrong, f"{wrong}, and no error")


@CHECKS.add(
    "Bring samples back, as with view.normaliser.patches_back; look for training that diverged."
)
def scene_units(subject: GeneratorSubject) -> None:
    """samples are finite and in the scene's units, not normalised"""
    drawn = subject.draw(subject.base)
    if not len(drawn):
        raise unittest.SkipTest("it adds no sample")
    require(np.isfinite(drawn.values).all(), "NaN or infinity")
    visible = subject.cases.visible(subject.view)
    low, high = visible.min(), visible.max()
    for c in np.unique(drawn.labels):
        x = subject.cases.of_class(drawn, c)
        inside = float(((x >= low - (high - low)) & (x <= high + (high - low))).mean())
        observation = (
            f"class {c}: {inside:.0%} of the values near the visible pixels' range"
            f" {low:.0f}..{high:.0f}"
        )
        require(inside >= PLAUSIBLE, f"{observation}; median {np.median(x):.3g}")


@CHECKS.add(
    "Give each sample the class that it was made for; let the preset tiny learn enough to tell"
    " plain classes apart.",
    needs=("runs", "scene-units"),
)
def labels(subject: GeneratorSubject) -> None:
    """samples of a class are nearer to the mean spectrum of its training pixels than to those of
    other classes more often than if their labels were dealt out at random, and labels that are
    exchanged between classes fit no better; of two dates, spectra are their difference
    """
    for task_subject in (subject, *subject.elsewhere):
        request = task_subject.cases.many(sorted(task_subject.view.counts))
        drawn = task_subject.draw(task_subject.base, request)
        if not len(drawn):
            raise unittest.SkipTest("it adds no sample")
        found = nearest_shares(drawn, task_subject.view)
        if task_subject.cases.classes_have_spectra:
            share, chance = float(np.diag(found).mean()), 1 / len(found)
            least = chance + OVER_CHANCE * (1 - chance)
            require(
                share >= least,
                f"{share:.0%} of the samples of a class are nearest to it, on average over"
                f" classes; {least:.0%} at least are asked for",
            )
        rows, columns = linear_sum_assignment(found, maximize=True)
        better = found[rows, columns].mean() - np.diag(found).mean()
        exchanged = ", ".join(
            f"{r + 1} as {c + 1}" for r, c in zip(rows, columns, strict=True) if r != c
        )
        require(better < EXCHANGED, f"labels fit better when classes are exchanged: {exchanged}")


@CHECKS.add("Draw every random number of sample from its seed.", needs=("runs", "determinism"))
def seed(subject: GeneratorSubject) -> None:
    """another seed gives other samples, so that the blocks of a pool do not repeat each other"""
    if not subject.card.adds:
        raise unittest.SkipTest("it adds no sample")
    first, second = (subject.draw(subject.base, seed=seed).values for seed in (0, 1))
    require(not np.array_equal(first, second), "the same samples for seeds 0 and 1")


@CHECKS.add(
    "Use guidance in sample, or leave guidance out of the card.", needs=("runs", "determinism")
)
def guidance(subject: GeneratorSubject) -> None:
    """a card with a default ω means that ω can be set, and that it changes the samples; 0 is
    allowed
    """
    default = subject.card.guidance
    if default is None:
        raise unittest.SkipTest("its card declares no guidance")
    drawn = (subject.draw(subject.base, guidance=omega) for omega in (0.0, default + 1))
    plain, strong = (batch.values for batch in drawn)
    require(np.isfinite(plain).all() and np.isfinite(strong).all(), "NaN or infinity")
    require(
        not np.array_equal(plain, strong), f"the same samples for ω = 0 and ω = {default + 1:g}"
    )


@CHECKS.add(
    "Use save_state and load_state of hsiaug.api for all that sample needs; never pickle.",
    needs=("runs", "determinism"),
)
def save_and_load(subject: GeneratorSubject) -> None:
    """what is saved samples the same after loading, bit for bit, and lies in .safetensors and .json
    files only
    """
    from safetensors.numpy import load_file

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subject.base.save(folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        strange = [path.name for path in files if path.suffix not in (".safetensors", ".json")]
        require(files and not strange, f"files {', '.join(strange) or 'none'}")
        for path in files:
            # A pickle may have any name.
            try:
                _ = (
                    load_file(path)
                    if path.suffix == ".safetensors"
                    else json.loads(path.read_text("utf-8"))
                )
            except Exception as error:
                raise Violation(
                    f"{path.name} cannot be read: {type(error).__name__}: {error}"
                ) from error
        plugin = subject.plugin(subject.params)
        loaded = plugin.load(folder, device=DEVICE)
    # The folder is gone by now: nothing may be read later.
    saved, restored = subject.base_result, subject.result(loaded)
    require_equal(saved, restored, "after loading other")


@CHECKS.add(
    "Make the randomness of a step depend on the seed and the step only; save weights, optimiser"
    " and step.",
    needs=("runs", "determinism"),
)
def resumes(subject: GeneratorSubject) -> None:
    """a fit that was stopped goes on from its checkpoint, where its card says that it can, and ends
    the same
    """
    if not subject.card.resumes:
        raise unittest.SkipTest("its card says that it does not")
    context = subject.base_context
    view = subject.view
    seed = derive_seed("fit", subject.card.name, context.spec.seed)
    learn: dict[str, Any] = {}
    if subject.card.prepares:
        run = context.generator_run(subject.plugin(subject.params))
        run.progress = ProgressRecorder()
        learn["prepared"] = prepared_state(run).fitted
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "checkpoint"

        def fit(progress: ProgressRecorder) -> GeneratorFit:
            plugin: Any = subject.plugin(subject.params)
            fitted: GeneratorFit = plugin.fit(
                view, seed=seed, device=DEVICE, progress=progress, checkpoint=folder, **learn
            )
            return fitted

        # Late, so that something is likely to have been saved; what was prepared told its progress
        # first.
        late = max(1, context.progress.calls * (1 if subject.card.prepares else 3) // 4)
        with contextlib.suppress(Cancelled):
            fit(ProgressRecorder(cancel_at=late))
        resumed = fit(ProgressRecorder())
    unbroken, continued = subject.base_result, subject.result(resumed)
    require_equal(
        unbroken, continued, f"stopped at call {late} of progress and resumed, it gives other"
    )


@CHECKS.add(
    "Take all randomness from the seed, and leave what was prepared as it is: all splits of a scene"
    " share it.",
    needs=("runs", "determinism"),
)
def preparation(subject: GeneratorSubject) -> None:
    """what is prepared of a scene, where its card says so, depends on the seed and the visible
    pixels alone, serves fits as well when it is loaded, stays as it is, and goes on from a
    checkpoint where its card says that it can
    """
    if not subject.card.prepares:
        raise unittest.SkipTest("its card says that nothing is")
    context = subject.base_context
    view = context.task.draws.unlabelled(context.scene, context.case.split, context.plugin_view)
    plugin = subject.plugin(preparing_params(subject.params))

    def prepare(progress: ProgressRecorder, **options: Any) -> Any:
        return plugin.prepare(view, seed=0, device=DEVICE, progress=progress, **options)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        watched = ProgressRecorder()
        options = {"checkpoint": folder / "checkpoint"} if subject.card.resumes else {}
        first = prepare(watched, **dict.fromkeys(options))
        first_files = saved_files(first, folder / "first")
        require(not view.changed, "it writes into the view")
        late = max(1, watched.calls * 3 // 4)
        if options:
            with contextlib.suppress(Cancelled):
                prepare(ProgressRecorder(cancel_at=late), **options)
        repeated = saved_files(prepare(ProgressRecorder(), **options), folder / "again")
        require(repeated == first_files, "made again, or stopped and resumed, it is other")

        def fit(state: Prepared) -> Arrays:
            options = {"checkpoint": None} if subject.card.resumes else {}
            learner: Any = subject.plugin(subject.params)
            return subject.result(
                learner.fit(
                    context.plugin_view,
                    seed=0,
                    device=DEVICE,
                    progress=ProgressRecorder(),
                    prepared=state,
                    **options,
                )
            )

        before = fit(first)
        require(saved_files(first, folder / "after") == first_files, "a fit changes it")
        require_equal(
            before,
            fit(plugin.load_prepared(folder / "first", device=DEVICE)),
            "loaded, it gives other",
        )


def saved_files(state: Prepared, folder: Path) -> dict[str, bytes]:
    """The files that a state saves into a new folder."""
    folder.mkdir()
    state.save(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


CHECKS += AFTER
