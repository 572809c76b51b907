"""Tasks: pixels, segmentation, change detection. What differs between them, job by job.

The runner knows none of them by name. A new task is an entry of ``_TASKS``, with whatever of the
five jobs it does in its own way.
"""

from dataclasses import dataclass

from hsiaug.base.errors import check_known
from hsiaug.core.view_names import AUTO, VIEWS
from hsiaug.tasks.data import DataSource, PairSource, SceneSource
from hsiaug.tasks.draws import Draws, PixelDraws, TileDraws
from hsiaug.tasks.prediction import PixelPredictor, Predictor, TilePredictor
from hsiaug.tasks.sampling import PairSampling, PatchSampling, Sampling
from hsiaug.tasks.scores import CHANGE, PIXELS, SEGMENTATION, MetricSet
from hsiaug.tasks.scoring import MaskScorer, PixelScorer, Scorer


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
    views : tuple of str
        Spectral views that classifiers may be shown.
    data : DataSource
        Loads the data.
    draws : Draws
        Draws splits, and shows them to plugins.
    sampling : Sampling
        Asks for samples, checks and joins them.
    prediction : Predictor
        Asks a fitted classifier for class ids.
    scoring : Scorer
        Compares these with test labels.
    """

    name: str
    single_pixels: bool
    of_scenes: bool
    metrics: MetricSet
    views: tuple[str, ...]
    data: DataSource
    draws: Draws
    sampling: Sampling
    prediction: Predictor
    scoring: Scorer


_PIXELS = Task(
    name="pixels",
    single_pixels=True,
    of_scenes=True,
    metrics=PIXELS,
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
    metrics=SEGMENTATION,
    views=VIEWS,
    data=PairSource("segmentation"),
    draws=TileDraws(),
    sampling=PairSampling(),
    prediction=TilePredictor(),
    scoring=MaskScorer(change=False),
)
_CHANGE = Task(
    name="change",
    single_pixels=False,
    of_scenes=False,
    metrics=CHANGE,
    views=VIEWS,
    data=PairSource("change"),
    draws=TileDraws(),
    sampling=PairSampling(),
    prediction=TilePredictor(),
    scoring=MaskScorer(change=True),
)
_TASKS = {task.name: task for task in (_PIXELS, _SEGMENTATION, _CHANGE)}
USUAL = _PIXELS.name
"""The task where none is named."""


def task_names(*, of_scenes: bool = False) -> tuple[str, ...]:
    """Names of the tasks.

    Parameters
    ----------
    of_scenes : bool
        Only of those that a single scene has.
    """
    return tuple(name for name, task in _TASKS.items() if task.of_scenes or not of_scenes)


def get_task(name: str) -> Task:
    """The task of that name.

    Parameters
    ----------
    name : str
        One of :func:`task_names`.

    Raises
    ------
    InputError
        Where there is none.
    """
    check_known("the task must be known", name, _TASKS)
    return _TASKS[name]


def metric_names() -> dict[str, str]:
    """The name that tables give each metric, by its key in records."""
    sets = (task.metrics for task in _TASKS.values())
    listed = (metric for scores in sets for metric in (*scores.shown, *scores.more))
    return {metric.key: metric.name for metric in listed}
