"""What the generator of a trial learns: what it prepares without labels, and its fit."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import FittedGenerator, Prepared
from hsiaug.registry.card import preparing_params
from hsiaug.trial.content_hash import short_hash
from hsiaug.trial.fits import Learning, fits_folder, load_or_learn
from hsiaug.trial.scene_context import Fit
from hsiaug.trial.trial_run import TrialRun


def prepared_state(run: TrialRun) -> Fit[Prepared]:
    """What the trial's generator learns without labels: from memory, from disk, or learnt now.

    Parameters
    ----------
    run : TrialRun
        A trial of a generator whose card says ``prepares``.

    Returns
    -------
    Fit
        The state; its key is a hash of all that determined it.

    Raises
    ------
    Exception
        Whatever the plugin raises.
    """
    spec = run.spec
    draws = run.task.draws
    pixels = run.views.checksum(run.card("generator").scope)
    identity = spec.generator.of_preparation(pixels, spec.patch)
    key = short_hash(identity)
    device = run.devices["generator"]
    held = run.context.prepared
    if (key, device) in held:
        return held[key, device]
    # One may take gigabytes.
    held.clear()
    generator: Any = type(run.generator)
    preparing = generator(preparing_params(spec.generator.params))

    def learn() -> Callable[..., Prepared]:
        # A cube is that of the view, whose changes are looked for afterwards.
        return partial(
            preparing.prepare,
            draws.unlabelled(run.data, run.views.split, run.view),
            seed=derive_seed("prepare", spec.generator.name),
            device=device,
            progress=run.progress,
        )

    learning = Learning(
        stage="prepare",
        card=run.card("generator"),
        folder=_folder(run, key),
        load=partial(preparing.load_prepared, device=device),
        learn=learn,
        identity={"scene": spec.scene, **identity["prepares"], **identity},
        key=key,
    )
    held[key, device] = load_or_learn(learning, run.context, run.views, run.progress)
    return held[key, device]


def fit_generator(run: TrialRun, prepared: Fit[Prepared] | None = None) -> Fit[FittedGenerator]:
    """The trial's fitted generator: from disk, or fitted now.

    Parameters
    ----------
    run : TrialRun
        With the generator and its device.
    prepared : Fit or None
        What the generator prepared; None = looked for where the fit needs it.

    Raises
    ------
    Exception
        Whatever the plugin raises.
    """
    generator: Any = run.generator
    spec = run.spec
    device = run.devices["generator"]

    def learn() -> Callable[..., FittedGenerator]:
        fit = partial(
            generator.fit,
            run.view,
            seed=derive_seed("fit", spec.generator.name, spec.seed),
            device=device,
            progress=run.progress,
        )
        if not generator.card.prepares:
            return fit
        # A fit that was there, and so needed nothing prepared, may have been damaged.
        state = prepared or prepared_state(run)
        return partial(fit, prepared=state.fitted)

    learning = Learning(
        stage="fit",
        card=generator.card,
        folder=_folder(run, spec.fit_hash),
        load=lambda path: generator.load(path, device=device),
        learn=learn,
    )
    return load_or_learn(learning, run.context, run.views, run.progress)


def _folder(run: TrialRun, name: str) -> Path | None:
    """Where a state of the trial's generator is saved."""
    folder = run.context.folder
    return None if folder is None else fits_folder(folder, run.spec) / name
