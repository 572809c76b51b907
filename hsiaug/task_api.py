"""What a package with a task of its own may import, beside :mod:`hsiaug.api`.

A task is a :class:`Task`, which says who does each of its jobs. Where a job is done as for single
pixels or for tiles, the classes of these serve as they are, or as a base. The package names its
task in an entry point of the group ``hsiaug.tasks``::

    [project.entry-points."hsiaug.tasks"]
    abundance = "abundance_task:TASK"

A task sees test labels, for it scores: its package is imported by the process that holds them,
unlike packages of plugins.
"""

from hsiaug.base.errors import SceneError as SceneError
from hsiaug.core.scene import UnlabelledScene as UnlabelledScene
from hsiaug.protocol.split import Blind as Blind
from hsiaug.protocol.split import Split as Split
from hsiaug.protocol.split import draw_split as draw_split
from hsiaug.protocol.tiling import TileSplit as TileSplit
from hsiaug.protocol.view import train_view as train_view
from hsiaug.tasks.class_metrics import RecordPart as RecordPart
from hsiaug.tasks.data import PairSource as PairSource
from hsiaug.tasks.data import SceneSource as SceneSource
from hsiaug.tasks.draws import PixelDraws as PixelDraws
from hsiaug.tasks.draws import TileDraws as TileDraws
from hsiaug.tasks.prediction import PixelPredictor as PixelPredictor
from hsiaug.tasks.prediction import TilePredictor as TilePredictor
from hsiaug.tasks.sampling import PairSampling as PairSampling
from hsiaug.tasks.sampling import PatchSampling as PatchSampling
from hsiaug.tasks.scores import Metric as Metric
from hsiaug.tasks.scores import MetricSet as MetricSet
from hsiaug.tasks.scoring import ClassScorer as ClassScorer
from hsiaug.tasks.settings import AdviceSettings as AdviceSettings
from hsiaug.tasks.settings import Defaults as Defaults
from hsiaug.tasks.settings import PixelSettings as PixelSettings
from hsiaug.tasks.settings import TileSettings as TileSettings
from hsiaug.tasks.task import Task as Task
