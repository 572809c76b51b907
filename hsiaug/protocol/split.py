"""A split of a scene's labelled pixels into train and test, which audits itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, Bools, Float32, Int16, Int32, Int64, class_counts
from hsiaug.base.errors import InputError, SplitError
from hsiaug.core.fields import COMPONENTS, dilate, label_fields, seen_fields
from hsiaug.core.scene import Scene, UnlabelledScene
from hsiaug.protocol.audit import Audit, audit_of
from hsiaug.protocol.protocols import draw_train
from hsiaug.registry.protocol_base import SplitProtocol

Positions = TypeVar("Positions")

PlaceSides = tuple[Int16, Bools, Bools]
"""Of a place, class ids (H, W), 0 = none, tested pixels and trained pixels."""
Places = Sequence[PlaceSides]
"""The same of every place."""


@dataclass(frozen=True, eq=False)
class Blind(Generic[Positions]):
    """A split without test labels, for a process that runs plugins.

    Attributes
    ----------
    train, test : Positions
        Pixels, (H, W) bool, or tiles.
    patch : int
        Side of patches or tiles in pixels.
    train_labels : (n,) int64
        Class ids of training pixels, row by row, or (n, side, side) int16 masks of training
        tiles.
    hidden : array of bool or None
        As of :class:`Split`.
    fold : Positions or None
        As of :class:`hsiaug.protocol.tiling.TileSplit`.
    """

    train: Positions
    test: Positions
    train_labels: AnyArray
    patch: int
    hidden: Bools | None = None
    fold: Positions | None = None

    @property
    def blind(self) -> Self:
        """The split itself: it has no test label to leave out."""
        return self


BlindSplit = Blind[Bools]
"""A split of single pixels without test labels."""


@dataclass(frozen=True, eq=False)
class Split:
    """One split of ``protocol``: masks of training and test pixels (H, W) on labels (H, W) int16.

    Attributes
    ----------
    fields : (H, W) int32 or None
        Field of each pixel; None: connected components of the labels.
    hidden : (H, W) bool or None
        Pixels that no plugin gets in any form before it predicts them; None = none.
    asked : (H, W) bool or None
        Training pixels that a strategy selected one by one; None = none.

    Raises
    ------
    SplitError
        If the masks share a pixel, one is empty, or one contains a pixel without a label.

    See Also
    --------
    hsiaug.split : makes a split of a scene.
    """

    labels: Int16
    classes: int
    train: Bools
    test: Bools
    protocol: SplitProtocol
    patch: int
    seed: int
    notes: tuple[str, ...] = field(default=())
    fields: Int32 | None = None
    hidden: Bools | None = None
    asked: Bools | None = None

    def __post_init__(self) -> None:
        overlap = int((self.train & self.test).sum())
        if overlap:
            raise SplitError(
                "train and test must not share a pixel",
                value=f"{overlap} shared",
                hint="Draw them apart.",
            )
        for side, mask in (("train", self.train), ("test", self.test)):
            if not mask.any():
                hint = (
                    "Choose a smaller buffer or block, fewer training pixels, or a scene with more"
                    " labels."
                )
                raise SplitError(
                    f"protocol {self.protocol.label} leaves no {side} pixel on this scene",
                    hint=hint,
                )
            unlabelled = int((self.labels[mask] == 0).sum())
            if unlabelled:
                raise SplitError(
                    f"every {side} pixel must be labelled",
                    value=f"{unlabelled} without a label",
                    hint="Take the pixels from the labelled part of the scene.",
                )
        for mask in (self.train, self.test):
            mask.flags.writeable = False

    @property
    def sides(self) -> Places:
        """Labels, test pixels and training pixels of the only place."""
        return [(self.labels, self.test, self.train)]

    @property
    def tiles_by_place(self) -> list[tuple[str, str, int, int]]:
        """None: single pixels have no tiles."""
        return []

    @property
    def overlap(self) -> str:
        """How many test pixels are inside training patches, in words."""
        audit = self.audit
        return (
            f"{audit.centre_overlap_percent} % of test pixels lie in a training patch,"
            f" {audit.patch_overlap_percent} % have a patch that meets one (patches of"
            f" {self.patch} px)"
        )

    @property
    def train_labels(self) -> Int64:
        """(n,) int64: class ids of the training pixels, row by row."""
        return self.labels[self.train].astype(np.int64)

    @property
    def blind(self) -> BlindSplit:
        """The split without any test label."""
        return Blind(self.train, self.test, self.train_labels, self.patch, self.hidden)

    @cached_property
    def seen(self) -> Bools:
        """(H, W) bool: pixels of fields that hold a training pixel, other than those that were
        asked for: so a field is seen or new whatever is asked.
        """
        train = self.train if self.asked is None else self.train & ~self.asked
        return seen_fields(label_fields(self.labels) if self.fields is None else self.fields, train)

    @cached_property
    def audit(self) -> Audit:
        """Counts, overlap, lost classes, and test pixels in seen and in new fields."""
        masks = (self.labels > 0, self.train, self.test, self.test & self.seen)
        sides = [self.labels[mask] for mask in masks]
        counts = [class_counts(labels, self.classes) for labels in sides]
        near = [dilate(self.train, times * (self.patch // 2))[self.test] for times in (1, 2)]
        overlap = [round(100.0 * float(share.mean()), 2) for share in near]
        content = self.train.tobytes() + self.test.tobytes()
        if self.hidden is not None:
            content += self.hidden.tobytes()
        return audit_of(self.protocol, self.patch, counts, overlap, content, self.notes, COMPONENTS)


def draw_split(scene: Scene, protocol: SplitProtocol, seed: int, patch: int) -> Split:
    """Split ``seed`` of a protocol: the same pixels for every configuration of a benchmark.

    Parameters
    ----------
    patch : int
        Odd side of the patches in pixels; the buffer is measured with it.

    Raises
    ------
    SplitError
        Where the scene cannot give such a split.
    InputError
        For a patch that is not odd.
    """
    check_patch(patch, scene)
    draw = draw_train(scene, protocol, patch, seed)
    labels = scene.labels if draw.labels is None else draw.labels
    test = (labels > 0) & ~draw.train & ~draw.dropped
    radius = protocol.buffer_radius(patch)
    if radius:
        test &= ~dilate(draw.train, radius)
    return Split(
        labels=labels,
        classes=len(scene.class_names),
        train=draw.train,
        test=test,
        protocol=protocol,
        patch=patch,
        seed=seed,
        notes=draw.notes,
        fields=scene.fields,
        hidden=draw.hidden,
        asked=draw.asked,
    )


def check_patch(patch: int, scene: Scene | UnlabelledScene) -> None:
    """Raise InputError for a patch side that is even, or larger than the scene can mirror."""
    largest = 2 * min(scene.shape) - 1
    if patch < 1 or patch % 2 == 0 or patch > largest:
        raise InputError(
            f"`patch` must be an odd number of pixels between 1 and {largest}",
            value=str(patch),
            hint="9 is usual.",
        )


ALIKE = 0.75
"""Share of training pixels, and of test pixels, from which two splits are alike: those that both
have, of those that either has.
"""
MOST_PLACES, MOST_PIXELS = 200, 100_000
"""Places that the shares are estimated from at most, and pixels of these, about."""


def group_alike(draws: Sequence[Places]) -> list[list[int]]:
    """Groups of splits of one scene that are alike, each with at least one other of its group.

    Parameters
    ----------
    draws : sequence of Places
        The labels, tested and trained pixels of the places of each split.

    Returns
    -------
    list of list of int
        Indices into ``draws``, every one of them once; a split like no other is a group of one.
    """
    tested, trained = (np.stack(side) for side in zip(*map(_sides_of, draws), strict=True))
    alike = (shared_shares(tested) >= ALIKE) & (shared_shares(trained) >= ALIKE)
    if not np.triu(alike, 1).any():
        return [[index] for index in range(len(draws))]
    # Most plans end above, and are made without SciPy.
    from scipy.sparse.csgraph import connected_components

    count, group = connected_components(alike, directed=False)
    return [np.flatnonzero(group == index).tolist() for index in range(count)]


def shared_shares(masks: Bools) -> Float32:
    """(n, n): of each two of some masks (n, pixels), pixels of both in those of either."""
    values = masks.astype(np.float32)
    both = values @ values.T
    size = both.diagonal()
    either = size[:, None] + size - both
    shares: Float32 = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return shares


def _sides_of(places: Places) -> tuple[AnyArray, AnyArray]:
    """Which pixels are tested and trained on, of the same ones in every split."""
    # Of a set of many files only some are opened for this.
    some = np.linspace(0, len(places) - 1, min(len(places), MOST_PLACES)).astype(int)
    chosen = [places[index] for index in some.tolist()]
    step = max(1, sum(labels.size for labels, _, _ in chosen) // MOST_PIXELS)
    sides: tuple[list[AnyArray], list[AnyArray]] = ([], [])
    for labels, *masks in chosen:
        pixels: NDArray[np.integer] = np.arange(labels.size)
        if step > 1:
            # At random, as every so many pixels might be those of one column.
            pixels = np.random.default_rng(0).choice(labels.size, labels.size // step)
        labelled = labels.ravel()[pixels] > 0
        for side, mask in zip(sides, masks, strict=True):
            side.append(mask.ravel()[pixels] & labelled)
    tested, trained = (np.concatenate(side) for side in sides)
    return tested, trained
