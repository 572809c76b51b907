"""The scores of a task in reports: its metrics, which of them is tested, and how samples are
counted.
"""

from dataclasses import dataclass, replace

from hsiaug.protocol.audit import MIN_TEST_PIXELS


@dataclass(frozen=True)
class Metric:
    """A metric: its key in a record, and its name in tables.

    Attributes
    ----------
    less_is_better : bool
        Of an error: tables mark the lowest mean of a column.
    """

    key: str
    name: str
    less_is_better: bool = False

    @property
    def short(self) -> str:
        """Its name without what stands in brackets: ``AA`` of ``AA (12 of 16)``."""
        return self.name.split(" (")[0]

    @property
    def of_each_class(self) -> str:
        """What a table of it has above it: ``Recall per class``."""
        return f"{self.name[:1].upper()}{self.name[1:]} per class"

    @property
    def classes(self) -> str:
        """What stands in the brackets: ``12 of 16``; empty without these."""
        return self.name[len(self.short) + 2 : -1]


RECALL, IOU = Metric("recall", "recall"), Metric("iou", "IoU")


@dataclass(frozen=True)
class MetricSet:
    """The metrics of a task in a report: fractions, of which more is better.

    Attributes
    ----------
    main : Metric
        What gains are tested on. Of an error e take 1 − e: a gain is then what the error falls by.
    second : Metric
        The other gain.
    shown : tuple of Metric
        In every table.
    more : tuple of Metric
        In the detailed one.
    fields : tuple of Metric
        In seen and in new fields, and visibility: in test pixels that plugins could see and in
        hidden ones; those of AA stand in every table.
    meaning : str
        The sentence below every table.
    meaning_beside : str
        The sentence on a further mean that stands beside the main one, where there is one.
    unit : str
        What a record counts of the samples.
    part : str
        What samples are parts of a scene: patches, or tiles with their masks.
    rate : str
        What λ is, in the methods paragraph.
    rate_meaning : str
        What it does, where its name does not say so.
    chooses_view : bool
        Whether each split chooses the spectral view where the user names none.
    advised : tuple of Metric
        The score that advice is told by, and the one beside it, where these are not ``main`` and
        ``second``; neither is ever undefined.
    by_class : Metric
        The list of a record with a fraction of each class.
    over_tested : tuple of Metric
        Means over the classes with test pixels in the split, few or many: reports say how many
        these are where splits differ.
    """

    main: Metric
    second: Metric
    shown: tuple[Metric, ...]
    more: tuple[Metric, ...]
    meaning: str
    unit: str = "labelled pixels"
    part: str = "patch"
    rate: str = "sample balance rate"
    rate_meaning: str = ""
    fields: tuple[Metric, ...] = ()
    visibility: tuple[Metric, ...] = ()
    chooses_view: bool = False
    advised: tuple[Metric, Metric] | None = None
    by_class: Metric = RECALL
    over_tested: tuple[Metric, ...] = ()
    meaning_beside: str = ""

    @property
    def parts(self) -> str:
        """Several of its parts."""
        return "patches" if self.part == "patch" else f"{self.part}s"

    @property
    def advice(self) -> "MetricSet":
        """The same with the scores that advice is told by as the main one and the second."""
        main, second = self.advised or (self.main, self.second)
        return replace(self, main=main, second=second)

    @property
    def leaves_out_small(self) -> bool:
        """Whether the main score leaves out classes with few test pixels: :func:`over_large`."""
        return self.main is AA


OA, AA, KAPPA = Metric("oa", "OA"), Metric("aa", "AA"), Metric("kappa", "κ")
MACRO_F1, WORST = Metric("macro_f1", "macro-F1"), Metric("worst_recall", "worst recall")
SPREAD = Metric("recall_spread", "spread of recall")
"""Standard deviation of the recalls of a split's classes; derived from these, not recorded."""
AA_LARGE = f"aa_min{MIN_TEST_PIXELS}_pixels"
"""Key of AA over the classes with at least so many test pixels in every split."""
AA_FIELDS = Metric("aa_seen", "AA seen"), Metric("aa_new", "AA new")
OA_FIELDS = Metric("oa_seen", "OA seen"), Metric("oa_new", "OA new")
VISIBILITY = tuple(
    Metric(f"{a}_{b}", f"{a.upper()} {b}") for a in ("aa", "oa") for b in ("shown", "hidden")
)
MIOU = Metric("miou", "mIoU")
RATE_OF_MASKS = "number of synthetic pairs for each real one"
F1_CHANGE, IOU_CHANGE = Metric("f1_change", "F1 change"), Metric("iou_change", "IoU change")

PIXELS = MetricSet(
    AA,
    OA,
    (OA, AA, KAPPA),
    (MACRO_F1, WORST, SPREAD),
    "AA is the mean recall over the classes that have test pixels in the split.",
    unit="samples",
    rate_meaning="λ = 1 fills every class up to the largest one",
    chooses_view=True,
    fields=AA_FIELDS + OA_FIELDS,
    visibility=VISIBILITY,
)
SEGMENTATION = MetricSet(
    MIOU,
    MACRO_F1,
    (MIOU, MACRO_F1, OA),
    (AA, KAPPA, WORST),
    "mIoU and macro-F1 are means over the classes that have test pixels in the split;"
    " ignored pixels do not count.",
    part="tile",
    rate=RATE_OF_MASKS,
    by_class=IOU,
    over_tested=(MIOU, MACRO_F1),
)
CHANGE = MetricSet(
    F1_CHANGE,
    MIOU,
    (F1_CHANGE, IOU_CHANGE, MIOU, MACRO_F1),
    (OA, KAPPA, Metric("precision_change", "precision"), Metric("recall_change", "recall")),
    "F1 and IoU change are of the class changed; mIoU and macro-F1 are means of both classes.",
    part="tile",
    rate=RATE_OF_MASKS,
    advised=(MIOU, MACRO_F1),
    by_class=IOU,
    over_tested=(MIOU, MACRO_F1),
)


def over_large(scores: MetricSet, large: int, tested: int) -> MetricSet:
    """The metrics of pixels where only some of the ``tested`` classes are ``large``:
    MIN_TEST_PIXELS test pixels in every split.

    AA over these is the main score then, and AA over all stands beside it. Below two large classes
    nothing changes.
    """
    if not scores.leaves_out_small or not 2 <= large < tested:
        return scores
    main = Metric(AA_LARGE, f"AA ({large} of {tested})")
    return replace(
        scores,
        main=main,
        shown=(OA, main, Metric("aa", "AA all"), KAPPA),
        meaning=(
            f"{main.name} is the mean recall over the {large} classes with at least"
            f" {MIN_TEST_PIXELS} test pixels in every split."
        ),
        meaning_beside="AA all is the mean over every class with test pixels in the split.",
    )
