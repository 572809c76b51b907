"""The audit of a split, as it is computed, and as records state it."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from hsiaug.registry.protocol_base import SplitProtocol

RECORD_FORM = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)
"""Of all parts of a record: types are taken literally; what a later version adds is let through."""
Count = Annotated[int, Field(ge=0, lt=2**40)]
ClassId = Annotated[int, Field(ge=1, lt=2**40)]
Counts = Annotated[tuple[Count, ...], Field(strict=False)]
Ids = Annotated[tuple[ClassId, ...], Field(strict=False)]
"""Of classes; JSON has a list in place of a tuple."""
Percent = Annotated[float, Field(ge=0, le=100)]
MIN_TEST_PIXELS = 25
"""Test pixels of a class below which a split names it, and below which in any split the main score
leaves it out.
"""
IN_ROWS = "in rows of trials"
"""Marks the fields that every row of trials has a column of, in files and frames."""


class Audit(BaseModel):
    """Costs and leakage of a split; counts are per class id 1..C.

    Attributes
    ----------
    sha256 : str
        Of what tells the split from others.
    centre_overlap_percent : float
        Share of test pixels that lie in a training patch.
    patch_overlap_percent : float
        Share of test pixels whose own patch shares a pixel with a training patch.
    leaky : bool
        Train and test pixels are neighbours, by construction or as measured.
    lost_classes, thin_classes, untrained_classes : tuple of int
        Ids without test pixel / with 1 to 24 / without training pixel.
    fields : str
        What a field is: connected components of the labels, or places.
    seen_counts, new_counts : tuple of int
        Test pixels of each class in fields that hold training pixels / in fields that hold none.
        None in older records, which state neither.
    no_seen_classes, no_new_classes : tuple of int
        Ids with test pixels, none of them in a seen field / in a new field.
    """

    model_config = RECORD_FORM | {"frozen": True}

    sha256: str
    protocol: str
    leaky: Annotated[bool, IN_ROWS]
    buffer: str
    radius: Annotated[Count, IN_ROWS]
    n_train: Annotated[Count, Field(ge=1), IN_ROWS]
    n_test: Annotated[Count, IN_ROWS]
    n_buffered: Annotated[Count, IN_ROWS]
    train_counts: Counts
    test_counts: Counts
    centre_overlap_percent: Annotated[Percent, IN_ROWS]
    patch_overlap_percent: Annotated[Percent, IN_ROWS]
    lost_classes: Ids = ()
    thin_classes: Ids = ()
    untrained_classes: Ids = ()
    fields: str = ""
    seen_counts: Counts | None = None
    new_counts: Counts | None = None
    no_seen_classes: Ids = ()
    no_new_classes: Ids = ()
    notes: Annotated[tuple[str, ...], Field(strict=False)]

    def as_json(self) -> dict[str, Any]:
        """Return the audit as records keep it."""
        return self.model_dump(mode="json")


KEYS_IN_ROWS = [name for name, field in Audit.model_fields.items() if IN_ROWS in field.metadata]
"""The fields that are IN_ROWS."""


def audit_of(
    protocol: SplitProtocol,
    patch: int,
    counts: Sequence[tuple[int, ...]],
    overlap: Sequence[float],
    content: bytes,
    notes: tuple[str, ...],
    fields: str,
) -> Audit:
    """The audit of a split.

    Parameters
    ----------
    protocol : SplitProtocol
        That drew it.
    patch : int
        Side of patches or tiles in pixels.
    counts : sequence of tuple of int
        Labelled pixels of each class in all, for training, for test, and for test in seen fields.
    overlap : sequence of float
        Percentages by centre and by patch.
    content : bytes
        What tells the split from others.
    notes : tuple of str
        Of the protocol.
    fields : str
        What a field is.
    """
    labelled, train, test, seen_test = counts
    new_test = tuple(n - n_seen for n, n_seen in zip(test, seen_test, strict=True))
    present = [c for c, n in enumerate(labelled, start=1) if n]
    tested = [c for c in present if test[c - 1]]
    return Audit(
        sha256=hashlib.sha256(content).hexdigest(),
        protocol=protocol.label,
        leaky=protocol.leaky or overlap[0] > 0,
        buffer=protocol.buffer,
        radius=patch // 2,
        n_train=sum(train),
        n_test=sum(test),
        n_buffered=sum(labelled) - sum(train) - sum(test),
        train_counts=train,
        test_counts=test,
        centre_overlap_percent=overlap[0],
        patch_overlap_percent=overlap[1],
        lost_classes=tuple(c for c in present if test[c - 1] == 0),
        thin_classes=tuple(c for c in present if 0 < test[c - 1] < MIN_TEST_PIXELS),
        untrained_classes=tuple(c for c in present if train[c - 1] == 0),
        fields=fields,
        seen_counts=seen_test,
        new_counts=new_test,
        no_seen_classes=tuple(c for c in tested if seen_test[c - 1] == 0),
        no_new_classes=tuple(c for c in tested if new_test[c - 1] == 0),
        notes=notes,
    )


def large_classes(counts: Iterable[Sequence[int]]) -> tuple[tuple[int, ...], int]:
    """Ids of the classes with MIN_TEST_PIXELS test pixels in every split; and how many classes have
    test pixels in some split.

    Parameters
    ----------
    counts : iterable of sequence of int
        Counts of each split, the test pixels of the class ids 1..C.
    """
    by_class = list(zip(*counts, strict=True))
    large = tuple(
        c for c, numbers in enumerate(by_class, start=1) if min(numbers) >= MIN_TEST_PIXELS
    )
    return large, sum(max(numbers) > 0 for numbers in by_class)
