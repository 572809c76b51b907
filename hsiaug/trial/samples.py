"""The samples of a trial: drawn from its generator, checked for the scene's units, joined to the
real ones, and a few of them for a report.

Samples that other trials take too wait in temporary files: in memory they would lie beside the copy
that a classifier is given, for as long as it learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from hsiaug.base.arrays import class_counts, give_back_files, mapped
from hsiaug.base.errors import PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import FittedGenerator
from hsiaug.core.read_only import arrays_of, seal
from hsiaug.core.samples import concatenate
from hsiaug.tasks.types import TaskSamples
from hsiaug.trial.arm import SYNTHETIC
from hsiaug.trial.normalised import RealSpread
from hsiaug.trial.sheet import MeanSpectra, SampleSheet, SheetMaker, mean_spectra, some_samples
from hsiaug.trial.trial_run import Fit, TrialRun


@dataclass
class DrawnBlock:
    """What was drawn of a block of a pool, for the trials of one fit and ω.

    Attributes
    ----------
    shown : PatchSamples or DenseSamples
        Those that a sheet may show.
    whole : PatchSamples or DenseSamples or None
        All of them, in a file; None where no trial so far reads whole patches.
    parts : dict of PatchSamples
        What classifiers read of them that read less than whole patches, by the input that their
        cards declare.
    """

    shown: TaskSamples
    whole: TaskSamples | None = None
    parts: dict[str, TaskSamples] = field(default_factory=dict)


Drawn = dict[tuple[int | str, int], DrawnBlock]
"""Blocks by the label of their seed, and by how many blocks a generator that goes on had drawn."""


def draw_pool(run: TrialRun, fit: Fit[FittedGenerator], drawn: Drawn) -> list[TaskSamples]:
    """The checked samples that a trial takes of each block of its pool.

    Of patches that are drawn for a classifier that reads less of them, no more is held: trials of
    those that read whole patches come first.

    Parameters
    ----------
    run : TrialRun
        Whose λ and M say how many.
    fit : Fit
        Its fitted generator.
    drawn : dict
        What trials of the same fit and ω drew before; takes what is drawn now.

    Raises
    ------
    PluginError
        Where the generator gives other samples than it was asked for; and whatever it raises.
    """
    pool: list[TaskSamples] = []
    for j, block in enumerate(run.blocks):
        if block.total:
            samples = _block_for(run, fit, drawn, j)
            whole = block.used == block.counts
            pool.append(samples if whole else run.task.sampling.first(samples, block.used))
    return pool


def _block_for(run: TrialRun, fit: Fit[FittedGenerator], drawn: Drawn, j: int) -> TaskSamples:
    """Block j as the trial's classifier reads it, drawn now or before."""
    card = run.classifier.card if run.classifier else None
    reads_part = card is not None and run.task.sampling.reads_part(card)
    key = _key(run, fit, j)
    block = drawn.get(key)
    if block and block.whole is not None:
        return block.whole
    if not (reads_part and card):
        samples = _draw_block(run, fit, j)
        parts = block.parts if block else {}
        whole = in_file(samples)
        drawn[key] = DrawnBlock(in_file(some_samples(samples)), whole, parts)
        return whole
    if block is None or card.input not in block.parts:
        samples = _draw_block(run, fit, j)
        block = drawn.setdefault(key, DrawnBlock(in_file(some_samples(samples))))
        part: Any = run.task.sampling.shown(samples, card)
        block.parts[card.input] = in_file(replace(part, x=part.x.copy()))
    return block.parts[card.input]


def _key(run: TrialRun, fit: Fit[FittedGenerator], j: int) -> tuple[int | str, int]:
    # What a generator goes on from is part of what it draws.
    goes_on = callable(getattr(fit.fitted, "continued", None))
    return run.blocks[j].label, j if goes_on else 0


def _draw_block(run: TrialRun, fit: Fit[FittedGenerator], j: int) -> TaskSamples:
    """Let the fitted generator sample a block of the pool, and check what it gives."""
    spec = run.spec
    block = run.blocks[j]
    fitted: Any = fit.fitted
    label = block.label
    if callable(continued := getattr(fitted, "continued", None)):
        fitted = continued([earlier.counts for earlier in run.blocks[:j]])
        label = 0
    seed = derive_seed("sample", spec.generator.name, spec.seed, label)
    samples: TaskSamples = fitted.sample(block.counts, guidance=spec.omega, seed=seed)
    run.views.check()
    run.task.sampling.check(samples, block.counts, run.view)
    if run.views.real_spread is None:
        run.views.real_spread = RealSpread.of(run.view.real)
    run.context.note(*run.views.real_spread.notes_on(samples, spec.generator.name))
    return samples


def in_file(samples: TaskSamples) -> TaskSamples:
    """Samples whose large arrays are mapped, read-only, from temporary files.

    Parameters
    ----------
    samples : PatchSamples or DenseSamples
        As they were drawn.
    """
    large: dict[str, Any] = {
        name: seal(file)
        for name, array in arrays_of(samples).items()
        if (file := mapped(array)) is not array
    }
    any_samples: Any = samples
    return cast("TaskSamples", replace(any_samples, **large))


def spectra_of_pool(run: TrialRun, pool: Sequence[TaskSamples]) -> MeanSpectra | None:
    """Mean spectra of the classes, of the samples that the trial takes; None where it takes none,
    and for tiles.
    """
    sampling = run.task.sampling
    real = sampling.labelled_spectra(run.view.real)
    parts = [part for samples in pool if (part := sampling.labelled_spectra(samples)) is not None]
    if real is None or not parts:
        return None
    synthetic = np.concatenate([spectra for spectra, _ in parts])
    classes = np.concatenate([ids for _, ids in parts])
    give_back_files()
    # Of samples for a classifier that reads locations alone no spectrum is held.
    if not len(synthetic) or synthetic.shape[1] != real[0].shape[1]:
        return None
    return mean_spectra(real, (synthetic, classes), run.data.wavelengths)


def join_samples(run: TrialRun, pool: Sequence[TaskSamples]) -> TaskSamples:
    """Real samples, then the synthetic ones, copied as the trial's classifier reads them; without a
    classifier whole, in scene units.

    Parameters
    ----------
    run : TrialRun
        Whose they are.
    pool : sequence of samples
        Those that it takes; empty where its λ asks for none.
    """
    sampling = run.task.sampling
    card = run.classifier.card if run.classifier else None
    samples: TaskSamples = sampling.join(run.view, pool, card, run.spectra)
    if not pool:
        return samples
    measured = run.views.measured
    if (key := run.spec.samples_hash) not in measured:
        measured[key] = sampling.measured(run.view, pool, run.data, run.views.split)
    if measured[key]:
        # What a generator measures itself counts before what is measured of every one.
        samples = replace(samples, provenance={**measured[key], **samples.provenance})
    return synthetic_alone(samples) if run.spec.train == SYNTHETIC else samples


def synthetic_alone(samples: TaskSamples) -> TaskSamples:
    """The synthetic ones of the samples, weighted as real ones would be: 1 in the mean.

    Parameters
    ----------
    samples : PatchSamples or DenseSamples
        Real and synthetic ones.

    Raises
    ------
    PluginError
        Where all weigh nothing.
    """
    synthetic = samples.take(samples.synthetic)
    mean = synthetic.weight.mean(dtype=np.float64)
    if not mean:
        raise PluginError(
            "synthetic samples that are learnt from alone must have some weight",
            value=f"{len(synthetic)} of weight 0",
            hint="Give them weights above 0.",
        )
    return replace(synthetic, weight=(synthetic.weight / mean).astype(np.float32))


def count_by_class(samples: TaskSamples, classes: int) -> dict[str, list[int]]:
    """How many samples there are of each class; of masks, how many labelled pixels.

    Parameters
    ----------
    samples : PatchSamples or DenseSamples
        Real and synthetic ones.
    classes : int
        C.

    Returns
    -------
    dict of list of int
        "real" and "synthetic", the numbers of class ids 1..C each.
    """
    ids = {
        "real": samples.labels[~samples.synthetic],
        "synthetic": samples.labels[samples.synthetic],
    }
    return {side: list(class_counts(labels, classes)) for side, labels in ids.items()}


def sheet_of_pool(
    run: TrialRun, fit: Fit[FittedGenerator], drawn: Drawn, spectra: MeanSpectra | None
) -> SampleSheet | None:
    """A few of the samples that the trial took of its pool, beside real ones; None where it took
    none.

    Parameters
    ----------
    run : TrialRun
        Whose they are.
    fit : Fit
        Its fitted generator.
    drawn : dict
        What :func:`draw_pool` drew.
    spectra : MeanSpectra or None
        Of all samples.
    """
    batches = []
    for j, block in enumerate(run.blocks):
        if block.total:
            some = run.task.sampling.first(drawn[_key(run, fit, j)].shown, block.used)
            batches += [some] if len(some) else []
    give_back_files()
    if not batches:
        return None
    if run.views.sheet_maker is None:
        run.views.sheet_maker = SheetMaker.of(run.view.real, run.data.wavelengths)
    return run.views.sheet_maker.sheet(some_samples(concatenate(batches)), spectra)
