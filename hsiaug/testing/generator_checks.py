"""The checks of generators, each a function of a generator on a small scene."""

import contextlib
import json
import tempfile
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hsiaug.base.errors import HsiaugError
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import Prepared
from hsiaug.core.read_only import arrays_of
from hsiaug.core.samples import NOWHERE, PatchSamples
from hsiaug.core.tiles import IGNORE, DenseSamples, DenseView, PairCounts
from hsiaug.registry.card import preparing_params
from hsiaug.tasks.types import TaskSamples, TaskView
from hsiaug.testing.checks import (
    Arrays,
    Cancelled,
    CheckList,
    ProgressRecorder,
    Violation,
    require,
    require_equal,
)
from hsiaug.testing.shared_checks import SHARED
from hsiaug.testing.subject import DEVICE, Subject
from hsiaug.trial.fits import fit_generator, prepared_state
from hsiaug.trial.trial_run import TrialRun

Counts = Mapping[int, int] | PairCounts

PLAUSIBLE = 0.9
"""Least share of values that must lie within the visible pixels' range, widened by that range on
either side.
"""
OF_EACH = 40
"""Samples of each class, or pairs, that show whether labels belong to them."""
OVER_CHANCE = 0.15
"""Share of the way from chance to perfection that labels must lie above chance."""
EXCHANGED = 0.2
"""Least share of labels by which an exchange of classes may fit better."""
SHOWN, MANY = 0.6, 20
"""Least share of so many pairs of a class that must show it; 0.3 of the training tiles show class
4.
"""


class GeneratorSubject(Subject):
    """A generator on a case."""

    kind = "generator"

    @property
    def run(self) -> TrialRun:
        """The trial, up to what its generator is shown."""
        devices = {"generator": DEVICE}
        generator = self.plugin(self.params)
        return TrialRun(
            self.spec, self.context, generator=generator, devices=devices, progress=self.progress
        )

    def fit(self) -> Any:
        return fit_generator(self.run).fitted

    @property
    def counts(self) -> Counts:
        """The counts that most checks ask for: unequal, and none of one class."""
        trained = sorted(self.view.counts)
        if isinstance(self.view, DenseView):
            return PairCounts(8, {trained[0]: 0, trained[-1]: 3})
        return {c: (6, 0, 9, 4)[(c - 1) % 4] for c in trained}

    def of_classes(self, counts: Mapping[int, int]) -> Counts:
        """A request for that many samples of each class id and nothing else."""
        return (
            PairCounts(sum(counts.values()), counts) if isinstance(self.view, DenseView) else counts
        )

    def draw(
        self,
        counts: Counts | None = None,
        *,
        fitted: Any = None,
        seed: int = 0,
        guidance: float | None = None,
    ) -> TaskSamples:
        """Samples as a trial draws them.

        Parameters
        ----------
        counts : mapping of int to int, or PairCounts, or None
            None = those of most checks.
        fitted : FittedGenerator or None
            None = the subject's own fit.
        guidance : float or None
            None = the card's default.
        """
        samples: TaskSamples = (self.fitted if fitted is None else fitted).sample(
            self.counts if counts is None else counts,
            guidance=self.card.guidance if guidance is None else guidance,
            seed=seed,
        )
        return samples

    def expected(self, counts: Counts) -> Counts:
        """The expected counts: none from a generator whose card says that it adds nothing."""
        return counts if self.card.adds else self.of_classes({})

    def miscount(self, counts: Counts) -> str:
        """How samples differ from the counts that were asked for; "" where they do not."""
        samples = self.draw(counts)
        expected = self.expected(counts)
        if not isinstance(expected, PairCounts):
            ids, numbers = np.unique(samples.labels, return_counts=True)
            drawn = dict(zip(ids.tolist(), numbers.tolist(), strict=True))
            fits = drawn == {c: n for c, n in expected.items() if n}
            return "" if fits else f"{drawn} in place of {dict(expected)}"
        # Pairs are counted whatever they show; of one class alone, most of them must show it.
        if len(samples) != expected.total:
            return f"{len(samples)} pairs in place of {expected.total}"
        parts = [c for c, _ in expected.parts()]
        if len(parts) != 1 or parts[0] is None or len(samples) < MANY:
            return ""
        share = float((samples.labels == parts[0]).any(axis=(1, 2)).mean())
        few = f"{share:.0%} of {len(samples)} pairs show class {parts[0]}, asked for"
        return "" if share >= SHOWN else few

    def use(self, easy: "GeneratorSubject") -> None:
        task = self.context.task
        task.sampling.check(self.draw(), self.expected(self.counts), self.view)

    def result_of(self, fitted: Any) -> Arrays:
        samples = self.draw(fitted=fitted)
        contents: Arrays = {
            "spectra": samples.values,
            "class ids": samples.labels,
            "weight": samples.weight,
        }
        stated = arrays_of(samples)
        return contents | {name: stated[name] for name in ("confidence",) if name in stated}


CHECKS = CheckList(SHARED)


@CHECKS.add(
    "Build them with PatchSamples.made(x, y, provenance=…) or DenseSamples.made(images, masks, …)."
)
def samples(subject: GeneratorSubject) -> None:
    """samples are float32 patches (n, B, p, p) with int64 ids and without location, or float32
    tiles (n, T, B, H, W) with int64 masks of 0..C and, if any, a confidence in 0..1; all marked
    synthetic, with finite weights ≥ 0
    """
    # Shapes, marks, ids and weights are looked at in every trial.
    drawn = subject.draw()
    require(drawn.values.dtype == np.float32, f"spectra {drawn.values.dtype}")
    require(drawn.labels.dtype == np.int64, f"class ids {drawn.labels.dtype}")
    if isinstance(drawn, PatchSamples):
        require((drawn.coords == NOWHERE).all(), "samples with a location")
    elif drawn.confidence is not None:
        sure = drawn.confidence
        require(sure.dtype == np.float32, f"confidence {sure.dtype}")
        require(
            ((sure >= 0) & (sure <= 1)).all(), f"a confidence of {sure.min():.3g}..{sure.max():.3g}"
        )


@CHECKS.add(
    "Loop over counts.items() and skip zeros, of pairs over counts.parts(); return arrays of length"
    " 0 where nothing is asked for."
)
def counts(subject: GeneratorSubject) -> None:
    """sample gives exactly counts[c] samples of each class c; zeros give none, and no count at all
    is no error; of pairs, counts.total in all and counts.by_class[c] that show class c
    """
    for one in (subject, *subject.elsewhere):
        present = sorted(one.view.counts)
        by_class: list[dict[int, int]] = [
            dict.fromkeys(present, 0),
            {},
            {present[-1]: 21},
            {present[0]: 1},
        ]
        for asked in (one.counts, *map(one.of_classes, by_class)):
            wrong = one.miscount(asked)
            require(not wrong, wrong)


@CHECKS.add(
    "Raise PluginError naming the class; never skip it, and let no KeyError or IndexError through.",
    needs=("runs", "hard-data"),
)
def untrained_class(subject: GeneratorSubject) -> None:
    """asked for a class without training pixels, it raises one clear error or makes what was asked
    for
    """
    hardest = subject.hardest
    trained = hardest.view.counts
    missing = next(c for c in range(1, len(hardest.view.class_names) + 1) if c not in trained)
    asked = hardest.of_classes({min(trained): 2, missing: 3})
    with contextlib.suppress(HsiaugError):
        wrong = hardest.miscount(asked)
        require(not wrong, f"{wrong}, and no error")


@CHECKS.add(
    "Bring samples back, as with view.normaliser.patches_back; look for training that diverged."
)
def scene_units(subject: GeneratorSubject) -> None:
    """samples are finite and in the scene's units, not normalised"""
    drawn = some_samples(subject)
    require(np.isfinite(drawn.values).all(), "NaN or infinity")
    view = subject.view
    visible = view.real.images if isinstance(view, DenseView) else view.cube[view.visible]
    low, high = visible.min(), visible.max()
    for c in np.unique(drawn.labels):
        of_class = drawn.labels == c
        x = drawn.spectra[of_class] if isinstance(drawn, DenseSamples) else drawn.x[of_class]
        inside = float(((x >= low - (high - low)) & (x <= high + (high - low))).mean())
        observation = (
            f"class {c}: {inside:.0%} of the values near the visible pixels' range"
            f" {low:.0f}..{high:.0f}"
        )
        require(inside >= PLAUSIBLE, f"{observation}; median {np.median(x):.3g}")


def some_samples(subject: GeneratorSubject, asked: Counts | None = None) -> TaskSamples:
    """Samples. Raises SkipTest for a generator that adds none."""
    drawn = subject.draw(asked)
    if not len(drawn):
        raise unittest.SkipTest("it adds no sample")
    return drawn


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
    for one in (subject, *subject.elsewhere):
        dense = isinstance(one.view, DenseView)
        asked = PairCounts(OF_EACH) if dense else dict.fromkeys(one.view.counts, OF_EACH)
        found = nearest_shares(some_samples(one, asked), one.view)
        # Pixels that did not change are of any class.
        if one.case.task != "change":
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


def nearest_shares(samples: TaskSamples, view: TaskView) -> NDArray[np.float64]:
    """(k, k) share of the samples, or pixels of masks, of each class of the real ones (rows) that
    lie nearest to the mean real spectrum of each of these classes (columns).
    """
    real, real_ids = _labelled_spectra(view.real)
    ids = np.unique(real_ids)
    means = np.stack([real[real_ids == c].mean(axis=0) for c in ids])
    spectra, labels = _labelled_spectra(samples)
    nearest = ((spectra[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    # Classes that were not made fit as they are.
    shares = np.eye(len(ids))
    for row, c in enumerate(ids):
        if (labels == c).any():
            shares[row] = np.bincount(nearest[labels == c], minlength=len(ids))
            shares[row] /= shares[row].sum()
    return shares


def _labelled_spectra(samples: TaskSamples) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n, B) spectra that have a class, of centres of patches or pixels of masks, and their ids; of
    two dates how much each band differs.
    """
    labelled = samples.labels > IGNORE
    spectra = samples.spectra[labelled]
    if isinstance(samples, DenseSamples) and samples.dates > 1:
        before, after = np.split(spectra, 2, axis=1)
        spectra = np.abs(after - before)
    return spectra, samples.labels[labelled]


@CHECKS.add("Draw every random number of sample from its seed.", needs=("runs", "determinism"))
def seed(subject: GeneratorSubject) -> None:
    """another seed gives other samples, so that the blocks of a pool do not repeat each other"""
    if not subject.card.adds:
        raise unittest.SkipTest("it adds no sample")
    first, second = (subject.draw(seed=seed).values for seed in (0, 1))
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
    plain, strong = (subject.draw(guidance=omega).values for omega in (0.0, default + 1))
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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subject.fitted.save(folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        other = [path.name for path in files if path.suffix not in (".safetensors", ".json")]
        require(files and not other, f"files {', '.join(other) or 'none'}")
        for path in files:
            _require_readable(path)
        loaded = subject.plugin(subject.params).load(folder, device=DEVICE)
    # The folder is gone by now: nothing may be read later.
    require_equal(subject.result, subject.result_of(loaded), "after loading other")


def _require_readable(path: Path) -> None:
    """Raise Violation unless a file is what its ending says: a pickle may have any name."""
    from safetensors.numpy import load_file

    try:
        _ = (
            load_file(path)
            if path.suffix == ".safetensors"
            else json.loads(path.read_text("utf-8"))
        )
    except Exception as error:
        seen = f"{path.name} cannot be read: {type(error).__name__}: {error}"
        raise Violation(seen) from error


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
    subject.fitted  # noqa: B018
    learn: dict[str, Any] = {}
    if subject.card.prepares:
        learn["prepared"] = prepared_state(subject.run).fitted
    # Late, so that something is likely to have been saved; what was prepared told its progress
    # first.
    late = max(1, subject.progress.calls * (1 if subject.card.prepares else 3) // 4)
    with tempfile.TemporaryDirectory() as name:

        def fit(progress: ProgressRecorder) -> Any:
            return subject.plugin(subject.params).fit(
                subject.view,
                seed=derive_seed("fit", subject.card.name, subject.spec.seed),
                device=DEVICE,
                progress=progress,
                checkpoint=Path(name) / "checkpoint",
                **learn,
            )

        with contextlib.suppress(Cancelled):
            fit(ProgressRecorder(cancel_at=late))
        resumed = fit(ProgressRecorder())
    seen = f"stopped at call {late} of progress and resumed, it gives other"
    require_equal(subject.result, subject.result_of(resumed), seen)


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
    task = subject.context.task
    view = task.draws.unlabelled(subject.case.data, subject.case.split, subject.view)
    plugin = subject.plugin(preparing_params(subject.params))

    def prepare(progress: ProgressRecorder, checkpoint: Path | None) -> Any:
        options = {"checkpoint": checkpoint} if subject.card.resumes else {}
        return plugin.prepare(view, seed=0, device=DEVICE, progress=progress, **options)

    def fit(state: Prepared) -> Arrays:
        options = {"checkpoint": None} if subject.card.resumes else {}
        fitted = subject.plugin(subject.params).fit(
            subject.view,
            seed=0,
            device=DEVICE,
            progress=ProgressRecorder(),
            prepared=state,
            **options,
        )
        return subject.result_of(fitted)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = folder / "checkpoint"
        watched = ProgressRecorder()
        first = prepare(watched, None)
        first_files = saved_files(first, folder / "first")
        require(not view.changed, "it writes into the view")
        if subject.card.resumes:
            late = max(1, watched.calls * 3 // 4)
            with contextlib.suppress(Cancelled):
                prepare(ProgressRecorder(cancel_at=late), checkpoint)
        again = saved_files(prepare(ProgressRecorder(), checkpoint), folder / "again")
        require(again == first_files, "made again, or stopped and resumed, it is other")
        before = fit(first)
        require(saved_files(first, folder / "after") == first_files, "a fit changes it")
        loaded = plugin.load_prepared(folder / "first", device=DEVICE)
        require_equal(before, fit(loaded), "loaded, it gives other")


def saved_files(state: Prepared, folder: Path) -> dict[str, bytes]:
    """The files that a state saves into a new folder."""
    folder.mkdir()
    state.save(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
