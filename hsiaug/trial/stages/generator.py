"""Stages of the generator: what it learns without labels, and its fit."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import FittedGenerator, Prepared
from hsiaug.registry.card import preparing_params
from hsiaug.trial.content_hash import short_hash
from hsiaug.trial.fits import Learning, fits_folder, has_fit, load_or_learn
from hsiaug.trial.memo import MemoKey
from hsiaug.trial.pipeline import Stage, TrialRun, make_once
from hsiaug.trial.scene_context import Fit
from hsiaug.trial.stages.views import SPLIT, VIEW, asks_samples


def _fit_key(run: TrialRun) -> MemoKey:
    """By what a fit is used again: trials with one fit may differ in what sampling reads."""
    name = "fit", run.spec.generator.hash, run.devices["generator"]
    return MemoKey("fit", run.spec.fit_hash, name)


def _prepare(run: TrialRun) -> Fit[Prepared] | None:
    """What the generator learns without labels; None where its fit is there already."""
    folder = run.context.folder
    fitted = run.context.memo.holds(_fit_key(run))
    if fitted or (folder is not None and has_fit(folder, run.spec)):
        return None
    return prepared_state(run)


def prepared_state(run: TrialRun) -> Fit[Prepared]:
    """What the trial's generator learns without labels: from memory, from disk, or learnt now.

    Parameters
    ----------
    run : TrialRun
        A trial of a generator whose card says ``prepares``; it has its split and its train view.

    Returns
    -------
    Fit
        The state; its key is a hash of all that determined it.
    """
    spec = run.spec
    card = run.card("generator")
    inputs = run.data, run[SPLIT], run[VIEW]
    pixels = run.context.memo.once(
        MemoKey("draw", spec.draw_hash, ("pixels", card.scope)),
        lambda: run.task.draws.checksum(*inputs),
    )
    identity = spec.generator.of_preparation(pixels, spec.patch)
    key = short_hash(identity)
    generator: Any = type(run.generator)
    preparing = generator(preparing_params(spec.generator.params))
    device = run.devices["generator"]

    def learn() -> Callable[..., Prepared]:
        # A cube is that of the view, whose changes are looked for afterwards.
        return partial(
            preparing.prepare,
            run.task.draws.unlabelled(*inputs),
            seed=derive_seed("prepare", spec.generator.name),
            device=device,
            progress=run.progress,
        )

    learning = Learning(
        stage="prepare",
        card=card,
        folder=_folder(run, key),
        load=partial(preparing.load_prepared, device=device),
        learn=learn,
        identity={"scene": spec.scene, **identity["prepares"], **identity},
        key=key,
    )
    make = partial(load_or_learn, learning, run.context, run.progress)
    return run.context.memo.once(MemoKey("pixels", key, device), make)


PREPARE = Stage(
    "prepare",
    make=_prepare,
    plugin="generator",
    fits=True,
    needed=lambda run: asks_samples(run) and run.card("generator").prepares,
)


def _folder(run: TrialRun, name: str) -> Path | None:
    """Where a state of the trial's generator is saved."""
    folder = run.context.folder
    return None if folder is None else fits_folder(folder, run.spec) / name


def fitted_generator(run: TrialRun) -> Fit[FittedGenerator]:
    """The trial's fitted generator, outside of a trial: without its guard and its times.

    Parameters
    ----------
    run : TrialRun
        With the generator and its device, its split and its train view.

    Returns
    -------
    Fit
        Fitted now or before, or loaded.

    Raises
    ------
    Exception
        Whatever the plugin raises.
    """
    return make_once(FIT_GENERATOR, run)


def _fit_generator(run: TrialRun) -> Fit[FittedGenerator]:
    """The trial's fitted generator: from disk, or fitted now."""
    generator: Any = run.generator
    spec = run.spec
    device = run.devices["generator"]

    def learn() -> Callable[..., FittedGenerator]:
        fit = partial(
            generator.fit,
            run[VIEW],
            seed=derive_seed("fit", spec.generator.name, spec.seed),
            device=device,
            progress=run.progress,
        )
        if not generator.card.prepares:
            return fit
        # A fit that was there, and so needed nothing prepared, may have been damaged.
        prepared = run.get(PREPARE) or prepared_state(run)
        return partial(fit, prepared=prepared.fitted)

    learning = Learning(
        stage="fit",
        card=generator.card,
        folder=_folder(run, spec.fit_hash),
        load=lambda path: generator.load(path, device=device),
        learn=learn,
    )
    return load_or_learn(learning, run.context, run.progress)


FIT_GENERATOR = Stage[Fit[FittedGenerator]](
    "fit_generator",
    make=_fit_generator,
    plugin="generator",
    fits=True,
    key=_fit_key,
    needed=asks_samples,
    seconds=lambda fit: fit.seconds,
)
