"""Which metrics a table shows, by its task: what is tested, what stands beside it, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONTROL_CLASSIFIERS", "Score", "ScoreSet", "score_set"]

CONTROL_CLASSIFIERS = {
    "coords": "reads row and column and no band",
    "majority": "calls every pixel by the most frequent class of training",
}
"""Control classifiers, and what they do in place of looking at spectra: what they score stands in the audit."""


@dataclass(frozen=True)
class Score:
    """A metric: its key in a record, and its name in tables."""

    key: str
    name: str


@dataclass(frozen=True)
class ScoreSet:
    """main: what gains are tested on; second: the other gain. shown: in every table; more: in the detailed one.

    meaning: the sentence below every table.
    """

    main: Score
    second: Score
    shown: tuple[Score, ...]
    more: tuple[Score, ...]
    meaning: str

    @property
    def all(self) -> tuple[Score, ...]:
        """Every metric."""
        return self.shown + self.more


OA, AA, KAPPA = Score("oa", "OA"), Score("aa", "AA"), Score("kappa", "κ")
MACRO_F1, WORST = Score("macro_f1", "macro-F1"), Score("worst_recall", "worst recall")
MIOU = Score("miou", "mIoU")
F1_CHANGE, IOU_CHANGE = Score("f1_change", "F1 change"), Score("iou_change", "IoU change")

PIXELS = ScoreSet(
    AA,
    OA,
    (OA, AA, KAPPA),
    (MACRO_F1, WORST),
    "AA is the mean recall over the classes that have test pixels in the draw.",
)
SEGMENTATION = ScoreSet(
    MIOU,
    MACRO_F1,
    (MIOU, MACRO_F1, OA),
    (AA, KAPPA, WORST),
    "mIoU and macro-F1 are means over the classes that have test pixels in the draw; ignored pixels count nowhere.",
)
CHANGE = ScoreSet(
    F1_CHANGE,
    MIOU,
    (F1_CHANGE, IOU_CHANGE, MIOU, MACRO_F1),
    (OA, KAPPA, Score("precision_change", "precision"), Score("recall_change", "recall")),
    "F1 and IoU change are of the class changed; mIoU and macro-F1 are means of both classes.",
)


def score_set(task: str) -> ScoreSet:
    """The metrics of a task; those of pixels for a task that is not known here."""
    return {"segmentation": SEGMENTATION, "change": CHANGE}.get(task, PIXELS)
