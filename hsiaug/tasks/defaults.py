"""What a benchmark of a task runs where the user leaves it open."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TaskDefaults"]


@dataclass(frozen=True)
class TaskDefaults:
    """protocol: as typed. patch: side of patches or tiles in pixels. generators, classifiers: names."""

    protocol: str
    patch: int
    generators: tuple[str, ...]
    classifiers: tuple[str, ...]
