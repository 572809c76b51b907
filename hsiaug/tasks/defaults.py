"""Defaults of a benchmark of a task."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.core.view_names import RAW

__all__ = ["TaskDefaults"]


@dataclass(frozen=True)
class TaskDefaults:
    """protocol: as typed. patch: side of patches or tiles in pixels. generators, classifiers, views: names."""

    protocol: str
    patch: int
    generators: tuple[str, ...]
    classifiers: tuple[str, ...]
    views: tuple[str, ...] = (RAW,)
