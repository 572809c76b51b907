"""Stages that show the data: split, spectral view, train view, and how many samples are asked
for.
"""

from collections.abc import Iterator
from typing import Any

from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import AUTO
from hsiaug.registry.card import Scope
from hsiaug.tasks.types import AnyBlock, TaskSplit, TaskView
from hsiaug.tasks.view_choice import named_view
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


def _blocks(run: TrialRun) -> list[AnyBlock]:
    """The blocks of the pool of samples that the trial takes samples from."""
    if not run.card("generator").adds:
        return []
    return run.task.sampling.blocks(run[VIEW], run.spec.made)


BLOCKS = Stage[list[AnyBlock]]("blocks", make=_blocks)


def asks_samples(run: TrialRun) -> bool:
    """Whether the trial's λ and M ask for a sample. If not, nothing is fitted."""
    return any(block.total for block in run[BLOCKS])
