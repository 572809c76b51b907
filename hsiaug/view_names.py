"""Names of spectral views: what each is stands in :mod:`hsiaug.spectral_views`. Loads no numerical library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hsiaug.errors import InputError, did_you_mean

__all__ = ["AUTO", "DEFAULT_VIEW", "FEWEST", "RAW", "VIEWS", "best_view", "check_view", "with_view"]

RAW, AUTO = "raw", "auto"
VIEWS = (RAW, "unit", "derivative", "continuum", "raw+unit")
DEFAULT_VIEW = RAW
"""What classifiers of pixels are shown where the user leaves it open."""
FEWEST = 3
"""Bands that a view needs: fewer leave nothing of a derivative or a continuum."""


def check_view(name: str, known: Sequence[str], bands: int) -> None:
    """Raise InputError for a name that is none of those known to a task, and where the spectra are too short for it."""
    if name not in known:
        hint = "Views of masks are not chosen: name one." if name == AUTO else did_you_mean(name, known)
        raise InputError(f"--view must be one of {', '.join(known)}", value=repr(name), hint=hint)
    if name != RAW and bands < FEWEST:
        raise InputError(
            f"--view {name} needs spectra of {FEWEST} bands at least",
            value=f"{bands} bands",
            hint=f"Leave it at {RAW}.",
        )


def best_view(scores: Mapping[str, float]) -> str:
    """The view with the highest score; of equal ones the first, so ``raw`` where it is among them."""
    return max(scores, key=lambda name: round(scores[name], 9))


def with_view(classifier: str, view: str) -> str:
    """What tables call a classifier that was shown a view: ``svm``, ``svm (unit)``."""
    return classifier if view == RAW else f"{classifier} ({view})"
