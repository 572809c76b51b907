"""What advice takes from beside its inner splits: the labels of the scene, the time that was given,
and the records of a benchmark.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from hsiaug.core.scene import Scene
from hsiaug.data.catalogue import own_card
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report import build_report, trials_of_store
from hsiaug.report.answers import three_answers
from hsiaug.report.formatting import count
from hsiaug.report.gains import ArmCell
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData
from hsiaug.trial.store import Store

ENOUGH_FIELDS = 2.0
"""Fields of a class, in the mean of all classes, from which on all labels are divided: then both
halves of most classes can lie in fields of their own.
"""
WHOLE = "all"
"""The protocol that divides every labelled pixel."""


def advised_protocol(task: Task, data: TaskData, ref: str, usual: str) -> tuple[str, str]:
    """Whose training pixels are divided where the user names no protocol, and why.

    Parameters
    ----------
    task : Task
        Of the scene.
    data : TaskData
        The scene.
    ref : str
        How the user named it. A scene of the catalogue keeps its usual protocol, so that its test
        pixels stay clean.
    usual : str
        The protocol of benchmarks of the task.

    Returns
    -------
    (str, str)
        The protocol, and a sentence for the user; empty where it is the usual one.
    """
    if not task.settings.advice.divides_labels or own_card(ref) is None:
        return usual, ""
    scene = cast(Scene, data)
    classes = int(np.count_nonzero(scene.class_counts))
    fields = int(scene.fields.max())
    if fields < ENOUGH_FIELDS * classes:
        return usual, ""
    return WHOLE, (
        f"all labelled pixels are divided, since they lie in {fields} fields of {classes} classes;"
        f" --protocol {usual} keeps most of them for a clean test"
    )


@dataclass(frozen=True)
class ShownByBenchmark:
    """What a benchmark of the scene has shown.

    Attributes
    ----------
    sentence : str
        What to use, by its table with the most splits.
    cell : ArmCell
        The trials of that configuration.
    """

    sentence: str
    cell: ArmCell

    @property
    def hash(self) -> str:
        """Of a record of that configuration."""
        return str(self.cell.ok["hash"].iloc[0])


def shown_by_benchmark(folder: Path, data: TaskData, task: Task) -> ShownByBenchmark | None:
    """What the records of a benchmark of this scene and task show, which is more than inner splits
    do.

    Parameters
    ----------
    folder : Path
        The store of benchmarks, where there is one.
    data : TaskData
        The scene.
    task : Task
        That is advised on.

    Returns
    -------
    ShownByBenchmark or None
        None where no clean table has splits enough for a verdict.
    """
    if not (folder / "records").is_dir():
        return None
    trials, _ = trials_of_store(Store(folder))
    report = build_report(trials)
    decided = []
    for table in report.tables:
        about = table.condition.scene_sha256, table.condition.task
        if not table.leaky and about == (data.sha256, task.name):
            answers = three_answers(table)
            if answers.best and len(table.draws) >= MIN_PAIRS:
                decided.append((table, answers.best))
    if not decided:
        return None
    table, best = max(decided, key=lambda one: len(one[0].draws))
    splits = count(len(table.draws), "split")
    chance = "" if best.sure else "; its lead may be chance"
    sentence = f"{best.words}    (best of {splits} in {folder}, {table.title}{chance})"
    return ShownByBenchmark(sentence, best.cell)
