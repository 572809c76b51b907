"""The form of the metrics of a record of a task whose pixels have classes."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from hsiaug.protocol.audit import RECORD_FORM, ClassId, Count

CLOSE = 1e-9
"""How far a stated number may lie from the one that its counts give: libraries round sums in
different orders.
"""
BY_CLASS = ("recall", "n_test", "iou", "f1")
"""Lists of the metrics."""


class RecordPart(BaseModel):
    """A part of the metrics of a record."""

    model_config = RECORD_FORM


Counts = list[Count]
Ids = list[ClassId]
Matrix = Annotated[list[Counts], Field(min_length=1)]
Score = Annotated[float, Field(ge=-1 - CLOSE, le=1 + CLOSE)]
Scores = list[Score | None]


class _Subset(RecordPart):
    """Scores of the test pixels of some classes, which are 1..C."""

    classes: Ids
    n_classes: Count
    oa: Score | None
    aa: Score | None


class _SideScores(RecordPart):
    """Scores of one side of the test pixels."""

    oa: Score | None
    aa: Score | None
    n_classes: Count
    recall: Scores
    n_test: Counts


class _Fields(RecordPart):
    """Scores in seen and in new fields, and the counts that they are computed from."""

    new_confusion: Matrix
    seen: _SideScores
    new: _SideScores


class _Visibility(RecordPart):
    """Scores of test pixels that plugins could see, and of those in hidden blocks."""

    hidden_confusion: Matrix
    shown: _SideScores
    hidden: _SideScores


PARTS = {"fields": "new_confusion", "visibility": "hidden_confusion"}
"""Parts of the test pixels, and the counts from which both of its sides follow."""


class ClassMetrics(RecordPart):
    """The counts that everything else is computed from, and the scores. Those of masks, and of
    change, are at the end.

    Attributes
    ----------
    confusion : list of list of int
        C×C counts of test pixels, rows true.
    aa : float
        The mean recall over all classes with test pixels in this split. Reports leave out classes
        with fewer than MIN_TEST_PIXELS test pixels in some split, so their AA may differ.
    recall : list of float or None
        C, null of a class without test pixels.
    n_test : list of int
        C counts of test pixels.
    subsets : dict of _Subset
        Test pixels of some classes, by name.
    fields : _Fields or None
        For single pixels only; absent in older records.
    visibility : _Visibility or None
        Only where a protocol hides blocks.
    miou, iou, f1 : float or list of float
        Of masks.
    f1_change, iou_change, recall_change, precision_change : float or None
        Of the class changed.
    """

    confusion: Matrix
    oa: Score
    aa: Score
    kappa: Score | None
    macro_f1: Score
    worst_recall: Score
    worst_class: Annotated[int, Field(ge=1)]
    recall: Scores
    n_test: Counts
    subsets: dict[str, _Subset]
    fields: _Fields | None = None
    visibility: _Visibility | None = None
    miou: Score | None = None
    iou: Scores | None = None
    f1: Scores | None = None
    f1_change: Score | None = None
    iou_change: Score | None = None
    recall_change: Score | None = None
    precision_change: Score | None = None


Metrics = Mapping[str, Any]
"""The metrics of a record, as JSON."""


def fault_of_lists(metrics: Metrics, classes: int, added: Iterable[str]) -> str | None:
    """What of metrics of the form of :class:`ClassMetrics` does not fit so many classes, in words.

    Parameters
    ----------
    added : iterable of str
        Metrics that the task has beside those of every one.
    """
    if missing := [name for name in added if name not in metrics]:
        return f"metrics.{missing[0]} is missing"
    parts = {part: metrics[part] for part in PARTS if metrics.get(part) is not None}
    matrices = {"confusion": metrics["confusion"]}
    matrices |= {f"{part}.{PARTS[part]}": scores[PARTS[part]] for part, scores in parts.items()}
    for key, rows in matrices.items():
        if any(len(row) != classes for row in (rows, *rows)):
            return f"metrics.{key} must be {classes}×{classes}, as there are {classes} class_names"
    if not any(map(any, metrics["confusion"])):
        return "metrics.confusion counts no pixel"
    sides = {"metrics": metrics}
    for part, scores in parts.items():
        sides |= {f"metrics.{part}.{s}": scores[s] for s in scores if s != PARTS[part]}
    for name, scores in sides.items():
        for key in BY_CLASS:
            if isinstance(scores, dict) and len(scores.get(key) or range(classes)) != classes:
                return (
                    f"{name}.{key} must have {classes} entries, as there are {classes} class_names"
                )
    named = [c for subset in metrics["subsets"].values() for c in subset["classes"]]
    if max([metrics["worst_class"], *named]) > classes:
        return f"metrics.worst_class and metrics.subsets must name classes 1 to {classes}"
    return None


def short_value(value: object) -> str:
    """A value as a fault names it."""
    text = repr(round(value, 12) if isinstance(value, float) else value)
    return text if len(text) <= 60 else f"{text[:60]}…"
