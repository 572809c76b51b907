"""Tasks: pixels, segmentation, change detection. What differs between them, job by job.

The runner knows none of them by name. Another package brings a task by an entry point of the group
``hsiaug.tasks``, with whatever of the jobs it does in its own way.
"""

import os
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hsiaug.base.errors import InputError, PluginError, check_known
from hsiaug.core.scene import Scene
from hsiaug.core.view_names import AUTO, VIEWS
from hsiaug.data.pair_sets import find_pairs
from hsiaug.registry.card import ControlOf
from hsiaug.tasks import scores, settings
from hsiaug.tasks.data import PairSource, SceneSource
from hsiaug.tasks.draws import PixelDraws, TileDraws
from hsiaug.tasks.prediction import PixelPredictor, TilePredictor
from hsiaug.tasks.sampling import PairSampling, PatchSampling
from hsiaug.tasks.scores import MetricSet
from hsiaug.tasks.scoring import ClassScorer, MaskScorer, PixelScorer


@dataclass(frozen=True, eq=False)
class Task:
    """A task, and who does each of its jobs.

    Attributes
    ----------
    name : str
        As ``--task`` and records name it.
    single_pixels : bool
        Whether single pixels are classified: λ then evens out the classes, and a train view may
        show pixels without a label.
    of_scenes : bool
        Whether a single scene has the task.
    metrics : MetricSet
        The scores that a report shows and tests.
    settings : PixelSettings or TileSettings
        What is run where the user leaves it open.
    views : tuple of str
        Spectral views that classifiers may be shown.
    data : SceneSource or PairSource
        Loads the data.
    draws : PixelDraws or TileDraws
        Draws splits, and shows them to plugins.
    sampling : PatchSampling or PairSampling
        Asks for samples, checks and joins them.
    prediction : PixelPredictor or TilePredictor
        Asks a fitted classifier for class ids.
    scoring : ClassScorer
        Compares these with test labels.
    classifier_controls : {"transductive", "masks"}
        Which classifiers, as their cards say, are without a sample further controls of the
        configurations that have controls of that kind (:meth:`control_kinds`).
    """

    name: str
    single_pixels: bool
    of_scenes: bool
    metrics: MetricSet
    settings: Any
    views: tuple[str, ...]
    data: Any
    draws: Any
    sampling: Any
    prediction: Any
    scoring: ClassScorer
    classifier_controls: ControlOf = "transductive"

    def control_kinds(self, scope: str | None) -> tuple[ControlOf, ...]:
        """The kinds of controls that a generator must be above.

        For masks, λ counts pairs and evens out no class, so every generator has those of masks;
        views of masks show no unlabelled pixel, so none has those of transductive ones.

        Parameters
        ----------
        scope : str or None
            The unlabelled pixels that it reads; None = not known.
        """
        if not self.single_pixels:
            return ("all", "masks")
        return ("all",) if scope in (None, "none") else ("all", "transductive")


_PIXELS = Task(
    name="pixels",
    single_pixels=True,
    of_scenes=True,
    metrics=scores.PIXELS,
    settings=settings.PIXELS,
    views=(*VIEWS, AUTO),
    data=SceneSource(),
    draws=PixelDraws(),
    sampling=PatchSampling(),
    prediction=PixelPredictor(),
    scoring=PixelScorer(),
)
_SEGMENTATION = Task(
    name="segmentation",
    single_pixels=False,
    of_scenes=True,
    metrics=scores.SEGMENTATION,
    settings=settings.SEGMENTATION,
    views=VIEWS,
    data=PairSource("segmentation"),
    draws=TileDraws(),
    sampling=PairSampling(),
    prediction=TilePredictor(),
    scoring=MaskScorer(change=False),
    # Single pixels, against networks that learn shapes.
    classifier_controls="masks",
)
_CHANGE = replace(
    _SEGMENTATION,
    name="change",
    of_scenes=False,
    metrics=scores.CHANGE,
    settings=settings.CHANGE,
    data=PairSource("change"),
    scoring=MaskScorer(change=True),
    # A network that compares two dates has no such rival: one of single pixels is no control of it.
    classifier_controls="transductive",
)
_TASKS = {task.name: task for task in (_PIXELS, _SEGMENTATION, _CHANGE)}
_IMPORTED: dict[str, Task] = {}
"""Tasks of other packages that this process has asked for."""
USUAL = _PIXELS.name
"""The task where none is named."""
GROUP = "hsiaug.tasks"
"""The group of entry points by which other packages bring tasks: ``NAME = "module:TASK"``."""


def task_names(*, of_scenes: bool = False) -> tuple[str, ...]:
    """Names of the tasks, those of other packages last; no package is imported.

    Parameters
    ----------
    of_scenes : bool
        Only of those that a single scene may have.
    """
    own = (name for name, task in _TASKS.items() if task.of_scenes or not of_scenes)
    return tuple(dict.fromkeys((*own, *_entry_points())))


def task_words(name: str) -> list[str]:
    """The words of a command line that name a task: none of the usual one."""
    return [] if name == USUAL else ["--task", name]


def task_of(data: str | os.PathLike[str] | Scene, asked: str | None = None) -> str:
    """The task of a set of pairs, as its card says; of a scene, also in memory, the one that is
    asked for, or the usual one.

    Raises InputError where another task is asked for than the card's.
    """
    entry = None if isinstance(data, Scene) else find_pairs(data)
    if entry is None:
        return asked or USUAL
    if asked not in (None, entry.card.task):
        raise InputError(
            f"{data} is a set of pairs for the task {entry.card.task}, as its card says",
            value=f"task {asked}",
            hint=f"Leave the task out, or say {entry.card.task}.",
        )
    return entry.card.task


def get_task(name: str) -> Task:
    """The task of that name; one of another package is imported now.

    Parameters
    ----------
    name : str
        One of :func:`task_names`.

    Raises
    ------
    InputError
        Where there is none.
    PluginError
        Where its package cannot be imported, or gives no such task.
    """
    if name in _TASKS:
        return _TASKS[name]
    check_known("the task must be known", name, task_names())
    return _imported(name)


def _entry_points() -> dict[str, EntryPoint]:
    """Those of other packages, by the name of the task; none of hsiaug's own tasks is replaced."""
    found = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return {point.name: point for point in found if point.name not in _TASKS}


def _imported(name: str) -> Task:
    if name in _IMPORTED:
        return _IMPORTED[name]
    point = _entry_points()[name]
    package = point.dist.name if point.dist else point.value
    try:
        task = point.load()
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the task {name} of {package} could not be loaded from {point.value!r}",
            value=f"{type(error).__name__}: {error}",
            hint="Repair or uninstall that package; all other tasks still work.",
        ) from error
    if not isinstance(task, Task) or task.name != name:
        raise PluginError(
            f"the task {name} of {package} must be a Task of that name",
            value=repr(task.name if isinstance(task, Task) else task),
            hint=f"Let {point.value} be Task(name={name!r}, …).",
        )
    _IMPORTED[name] = task
    return task
