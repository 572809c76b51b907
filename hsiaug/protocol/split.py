"""A split of a scene's labelled pixels into train and test, which audits itself."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError, SplitError
from hsiaug.protocol.compact import dilate
from hsiaug.protocol.draws import draw_train
from hsiaug.protocol.protocols import Protocol
from hsiaug.scene import Scene

__all__ = ["Audit", "BlindSplit", "Split", "draw_split"]

THIN = 10
"""Classes with fewer test pixels than this are named: their recall moves in large steps."""


@dataclass(frozen=True)
class Audit:
    """What a split cost and what it leaks; counts are per class id 1..C.

    centre_overlap_percent: share of test pixels that lie in a training patch.
    patch_overlap_percent: share of test pixels whose own patch shares a pixel with a training patch.
    leaky: train and test pixels are neighbours, by construction or as measured.
    lost_classes / thin_classes / untrained_classes: ids without test pixel / with 1 to 9 / without training pixel.
    """

    sha256: str
    protocol: str
    leaky: bool
    buffer: str
    radius: int
    n_train: int
    n_test: int
    n_buffered: int
    train_counts: tuple[int, ...]
    test_counts: tuple[int, ...]
    centre_overlap_percent: float
    patch_overlap_percent: float
    lost_classes: tuple[int, ...]
    thin_classes: tuple[int, ...]
    untrained_classes: tuple[int, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class BlindSplit:
    """What a process that runs plugins is told of a split: no test label.

    train, test: (H, W) bool. y: (n,) int64 class ids of the training pixels, row by row. patch: side in pixels.
    """

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    y: NDArray[np.int64]
    patch: int


@dataclass(frozen=True, eq=False)
class Split:
    """Train and test masks (H, W) of one draw of ``protocol`` on labels (H, W) int16.

    Raises SplitError when built from masks that share a pixel, that leave a side empty, or that hold a pixel
    without a label: such a split is a mistake of whoever drew it.
    """

    labels: NDArray[np.int16]
    classes: int
    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    protocol: Protocol
    patch: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        both = int((self.train & self.test).sum())
        if both:
            raise SplitError(
                "train and test must not share a pixel", value=f"{both} shared", hint="Draw them apart."
            )
        for side, mask in (("train", self.train), ("test", self.test)):
            if not mask.any():
                raise SplitError(
                    f"protocol {self.protocol.label} leaves no {side} pixel on this scene",
                    hint="Choose a smaller buffer or block, fewer training pixels, or a scene with more labels.",
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
    def y(self) -> NDArray[np.int64]:
        """(n,) int64: class ids of the training pixels, row by row."""
        return self.labels[self.train].astype(np.int64)

    @property
    def blind(self) -> BlindSplit:
        """The split without any test label."""
        return BlindSplit(self.train, self.test, self.y, self.patch)

    @property
    def buffered(self) -> NDArray[np.bool_]:
        """(H, W) bool: labelled pixels that are neither train nor test."""
        return (self.labels > 0) & ~self.train & ~self.test

    @cached_property
    def audit(self) -> Audit:
        """Counts, overlap and lost classes."""
        radius = self.patch // 2
        train_counts = self._counts(self.train)
        test_counts = self._counts(self.test)
        ids = range(1, self.classes + 1)
        present = [c for c in ids if (self.labels == c).any()]
        centre = self._share_within(radius)
        return Audit(
            sha256=hashlib.sha256(self.train.tobytes() + self.test.tobytes()).hexdigest(),
            protocol=self.protocol.label,
            leaky=self.protocol.leaky or centre > 0,
            buffer=self.protocol.buffer,
            radius=radius,
            n_train=int(self.train.sum()),
            n_test=int(self.test.sum()),
            n_buffered=int(self.buffered.sum()),
            train_counts=train_counts,
            test_counts=test_counts,
            centre_overlap_percent=centre,
            patch_overlap_percent=self._share_within(2 * radius),
            lost_classes=tuple(c for c in present if test_counts[c - 1] == 0),
            thin_classes=tuple(c for c in present if 0 < test_counts[c - 1] < THIN),
            untrained_classes=tuple(c for c in present if train_counts[c - 1] == 0),
            notes=self.notes,
        )

    def _counts(self, mask: NDArray[np.bool_]) -> tuple[int, ...]:
        counts = np.bincount(self.labels[mask], minlength=self.classes + 1)[1:]
        return tuple(int(n) for n in counts)

    def _share_within(self, distance: int) -> float:
        """Percentage of test pixels within Chebyshev ``distance`` of a training pixel."""
        near = dilate(self.train, distance)
        return round(100.0 * float(near[self.test].mean()), 2)


def draw_split(scene: Scene, protocol: Protocol, seed: int, patch: int) -> Split:
    """Draw ``seed`` of a protocol: the same pixels for every arm of a benchmark.

    patch: odd side of the patches in pixels; the buffer is measured with it.
    Raises SplitError where the scene cannot give such a split, InputError for a patch that is not odd.
    """
    check_patch(patch, scene)
    draw = draw_train(scene, protocol, patch, seed)
    test = (scene.labels > 0) & ~draw.train & ~draw.dropped
    radius = protocol.buffer_radius(patch)
    if radius:
        test &= ~dilate(draw.train, radius)
    return Split(scene.labels, len(scene.class_names), draw.train, test, protocol, patch, seed, draw.notes)


def check_patch(patch: int, scene: Scene) -> None:
    """Raise InputError for a patch side that is even, or larger than the scene can mirror."""
    largest = 2 * min(scene.shape) - 1
    if patch < 1 or patch % 2 == 0 or patch > largest:
        raise InputError(
            f"--patch must be an odd number of pixels between 1 and {largest}",
            value=str(patch),
            hint="9 is usual.",
        )
