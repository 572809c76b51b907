"""Stages that show the data: split, spectral view, the train views of generator and classifier, and
how many samples are asked for.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import AUTO
from hsiaug.registry.card import Scope
from hsiaug.tasks.types import AnyBlock, TaskSplit, TaskView
from hsiaug.tasks.view_choice import named_view
from hsiaug.trial.arm import SYNTHETIC
from hsiaug.trial.memo import MemoKey
from hsiaug.trial.pipeline import Stage, TrialRun
from hsiaug.trial.scene_context import split_key

SPLIT = Stage[TaskSplit](
    "split",
    make=lambda run: run.context.draw(run.spec),
    key=lambda run: split_key(run.spec),
)


def view_of(run: TrialRun, scope: Scope) -> TaskView:
    """The train view of a trial for a plugin of a scope.

    Parameters
    ----------
    run : TrialRun
        That has its split.
    scope : {"none", "scene"}
        The unlabelled pixels that the plugin's card declares.

    Returns
    -------
    TrainView or DenseView
        Made now or before: all trials of the draw share it.
    """
    key = MemoKey("draw", run.spec.draw_hash, scope)
    return run.context.memo.once(key, lambda: run.task.draws.view(run.data, run[SPLIT], scope))


def _transform(run: TrialRun) -> SpectralView:
    """The spectral view that the trial names, or the one that suits its training pixels."""

    def view() -> Any:
        return view_of(run, "none")

    return named_view(run.spec.view, run.data.wavelengths, view)


def _transform_key(run: TrialRun) -> MemoKey | None:
    return MemoKey("draw", run.spec.draw_hash, "spectra") if run.spec.view == AUTO else None


def _transform_facts(run: TrialRun, spectra: SpectralView) -> Iterator[tuple[str, object]]:
    yield "spectral_view", {"name": spectra.name, "scores": spectra.scores}


TRANSFORM = Stage("transform", make=_transform, key=_transform_key, facts=_transform_facts)


VIEW = Stage[TaskView]("view", make=lambda run: view_of(run, run.card("generator").scope))


def classifier_view_of(run: TrialRun, scope: Scope) -> TaskView:
    """The train view of a classifier of a scope, in its spectral view.

    Parameters
    ----------
    run : TrialRun
        That has its split and its spectral view.
    scope : {"none", "scene"}
        The unlabelled pixels that its card declares.

    Returns
    -------
    TrainView or DenseView
        Made now or before. It holds labels only where the classifier learns from real samples.
    """
    spectra = run[TRANSFORM]
    key = MemoKey("draw", run.spec.draw_hash, (scope, spectra.name))
    view = run.context.memo.once(key, lambda: run.task.draws.seen(view_of(run, scope), spectra))
    if run.spec.train != SYNTHETIC:
        return view
    nameless = replace(key, name=(scope, spectra.name, SYNTHETIC))
    return run.context.memo.once(nameless, lambda: view.nameless())


CLASSIFIER_VIEW = Stage[TaskView](
    "classifier_view",
    make=lambda run: classifier_view_of(run, run.card("classifier").scope),
    # Where samples alone are wanted, there is none.
    needed=lambda run: run.classifier is not None,
)


def _blocks(run: TrialRun) -> list[AnyBlock]:
    """The blocks of the pool of samples that the trial takes samples from."""
    if not run.card("generator").adds:
        return []
    return run.task.sampling.blocks(run[VIEW], run.spec.made)


BLOCKS = Stage[list[AnyBlock]]("blocks", make=_blocks)


def asks_samples(run: TrialRun) -> bool:
    """Whether the trial's λ and M ask for a sample. If not, nothing is fitted."""
    return any(block.total for block in run[BLOCKS])
