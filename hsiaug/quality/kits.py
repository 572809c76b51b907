"""The kit of samples of each task, by the task's name."""

from __future__ import annotations

from hsiaug.quality.mask_samples import MaskSamples
from hsiaug.quality.pixel_samples import PixelSamples
from hsiaug.quality.sample_kit import AnyKit
from hsiaug.tasks.masks import ChangeDetection, Segmentation

__all__ = ["sample_kit"]

_KITS: tuple[AnyKit, ...] = (
    PixelSamples(),
    MaskSamples(Segmentation()),
    MaskSamples(ChangeDetection()),
)


def sample_kit(task: str) -> AnyKit:
    """The kit of the task of that name."""
    return next(kit for kit in _KITS if kit.task.name == task)
