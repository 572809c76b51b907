"""From scenes and libraries to a prior."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hsiaug.api import InputError, Progress, Scene
from hsiaug_builtin.spectra.covariance import STEPS
from hsiaug_builtin.spectra.prior import Prior
from hsiaug_builtin.spectra.sources import library_source, scene_source, thinned

__all__ = ["learnt"]

MOST = 60
"""Classes of a library at most: those with the most spectra."""


def learnt(scenes: Sequence[Scene], libraries: Sequence[Path], progress: Progress) -> Prior:
    """Raises InputError for a scene that is named twice, and what :mod:`hsiaug_builtin.spectra.sources` raises."""
    seen: dict[str, str] = {}
    for scene in scenes:
        if scene.sha256 in seen:
            raise InputError(
                "expected different scenes to learn from",
                value=f"{scene.name}, the same as {seen[scene.sha256]}",
                hint="Name each scene once.",
            )
        seen[scene.sha256] = scene.name
    sources = [*map(scene_source, scenes), *(thinned(library_source(path), MOST) for path in libraries)]
    steps = 0

    def done() -> None:
        nonlocal steps
        steps = min(steps + 1, 3 * STEPS)
        progress(steps, 3 * STEPS, "likelihood")

    prior = Prior.learnt(sources, done)
    progress(3 * STEPS, 3 * STEPS, "likelihood")
    return prior
