"""Stages of the samples: drawn from the generator, joined to the real ones, and a few of them for a
report.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from hsiaug.base.arrays import give_back_pages
from hsiaug.base.errors import PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import PatchSamples, concatenate
from hsiaug.core.spectral_views import RAW_VIEW
from hsiaug.registry.card import Card
from hsiaug.tasks.types import TaskSamples
from hsiaug.trial.arm import SYNTHETIC
from hsiaug.trial.kept_samples import KeptSamples
from hsiaug.trial.mean_spectra import MeanSpectra, mean_spectra
from hsiaug.trial.memo import MemoKey
from hsiaug.trial.normalised_samples import normalised_note
from hsiaug.trial.pipeline import Stage, TrialRun
from hsiaug.trial.plugin_calls import plain_json
from hsiaug.trial.sheet import SampleSheet, SheetMaker, some_samples
from hsiaug.trial.stages.generator import FIT_GENERATOR, PREPARE
from hsiaug.trial.stages.views import BLOCKS, TRANSFORM, VIEW, asks_samples


def _sample(run: TrialRun) -> list[TaskSamples]:
    """The checked samples that the trial takes of each block of its pool.

    Of patches that are drawn for a classifier that reads less of them, no more is held: trials of
    those that read whole patches come first.
    """
    card = run.classifier_card
    part_reader = card if card and not card.reads_patches and run.task.single_pixels else None
    memo = run.context.memo
    blocks = run[BLOCKS]
    pool: list[TaskSamples] = []
    for j, block in enumerate(blocks):
        if not block.total:
            continue
        key = _block_key(run, j)
        draw = partial(_draw_block, run, j)
        if part_reader and not memo.holds(key):
            key = replace(key, name=(key.name, part_reader.input))
            draw = partial(_draw_part, run, j, part_reader)
        samples = memo.once(key, partial(_keep, draw)).open()
        whole = block.used == block.counts
        pool.append(samples if whole else run.task.sampling.first(samples, block.used))
    return pool


def _keep(draw: Callable[[], TaskSamples]) -> KeptSamples:
    """Draw samples, of which nothing large stays in memory."""
    return KeptSamples(draw())


def _block_key(run: TrialRun, j: int) -> MemoKey:
    """By what the samples of a block are used again."""
    # What a generator goes on from is part of what it draws.
    after = j if callable(getattr(run[FIT_GENERATOR].fitted, "continued", None)) else 0
    spec = run.spec
    name = spec.generator.hash, spec.omega, run[BLOCKS][j].label, after
    return MemoKey("fit", spec.fit_hash, name)


def _draw_block(run: TrialRun, j: int) -> TaskSamples:
    """Let the fitted generator sample a block of the pool, and check what it gives."""
    spec = run.spec
    block = run[BLOCKS][j]
    fitted: Any = run[FIT_GENERATOR].fitted
    label = block.label
    if callable(continued := getattr(fitted, "continued", None)):
        fitted = continued([earlier.counts for earlier in run[BLOCKS][:j]])
        label = 0
    seed = derive_seed("sample", spec.generator.name, spec.seed, label)
    samples: TaskSamples = fitted.sample(block.counts, guidance=spec.omega, seed=seed)
    run.context.check_views()
    run.task.sampling.check(samples, block.counts, run[VIEW])
    run.context.note(*normalised_note(spec.generator.name, samples, run[VIEW].real))
    some = some_samples(samples)
    run.context.memo.once(_shown_key(run, j), lambda: some)
    return samples


def _draw_part(run: TrialRun, j: int, card: Card) -> TaskSamples:
    """What a classifier's card says that it reads of the samples of a block, without the rest."""
    samples: Any = run.task.sampling.shown(_draw_block(run, j), card)
    copied: TaskSamples = replace(samples, x=samples.x.copy())
    return copied


def _shown_key(run: TrialRun, j: int) -> MemoKey:
    """By what those samples of a block that a sheet may show are found."""
    key = _block_key(run, j)
    return replace(key, name=("shown", key.name))


SAMPLE = Stage("sample", make=_sample, plugin="generator", needed=asks_samples)


def _spectra(run: TrialRun) -> MeanSpectra | None:
    """Mean spectra of the classes, of the samples that the trial takes; None where it takes none,
    and for tiles.
    """
    pool = [samples for samples in run[SAMPLE] if isinstance(samples, PatchSamples)]
    real = run[VIEW].real
    if not pool or not isinstance(real, PatchSamples):
        return None
    synthetic = np.concatenate([samples.centres for samples in pool])
    classes = np.concatenate([samples.y for samples in pool])
    for samples in pool:
        give_back_pages(samples.x)
    # Of samples for a classifier that reads locations alone no spectrum is held.
    if not len(synthetic) or synthetic.shape[1] != real.x.shape[1]:
        return None
    return mean_spectra((real.centres, real.y), (synthetic, classes), run.data.wavelengths)


SPECTRA = Stage("spectra", make=_spectra, needed=asks_samples)


def _join(run: TrialRun) -> TaskSamples:
    """Real samples, then the synthetic ones, as the trial's classifier reads them; without a
    classifier whole, in scene units.
    """
    sampling = run.task.sampling
    card = run.classifier_card
    spectra = run[TRANSFORM] if run.classifier else RAW_VIEW
    if not asks_samples(run):
        return sampling.join(run[VIEW], [], card, spectra)
    pool = run[SAMPLE]
    samples = sampling.join(run[VIEW], pool, card, spectra)
    if measured := sampling.measured(run[VIEW], pool):
        # What a generator measures itself counts before what is measured of every one.
        samples = replace(samples, provenance={**measured, **samples.provenance})
    # They are copied: nothing of theirs is in memory while the classifier learns.
    run[SAMPLE] = []
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


def _join_facts(run: TrialRun, samples: TaskSamples) -> Iterator[tuple[str, object]]:
    yield "samples", count_by_class(samples, len(run.data.class_names))
    yield "provenance", plain_json(samples.provenance)
    prepared = run.get(PREPARE)
    if prepared is not None:
        yield "prepared", {"key": prepared.key, "seconds": prepared.seconds}


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
    return {
        side: np.bincount(labels.ravel(), minlength=classes + 1)[1:].tolist()
        for side, labels in ids.items()
    }


JOIN = Stage("join", make=_join, facts=_join_facts)


def _sheet(run: TrialRun) -> SampleSheet | None:
    """A few of the samples that the trial took of its pool, beside real ones; None where it took
    none.
    """
    memo = run.context.memo
    blocks = run[BLOCKS]
    batches = []
    # A trial that asks for no sample has no fit, and blocks that are empty.
    for j, block in enumerate(blocks):
        some = memo.get(_shown_key(run, j)) if block.total else None
        if some is not None:
            batches.append(run.task.sampling.first(some, block.used))
    batches = [some for some in batches if len(some)]
    if not batches:
        return None
    maker = memo.once(
        MemoKey("draw", run.spec.draw_hash, "sheets"),
        lambda: SheetMaker.of(run[VIEW].real, run.data.wavelengths),
    )
    return maker.sheet(some_samples(concatenate(batches)), run.get(SPECTRA))


SHEET = Stage("sheet", make=_sheet)
