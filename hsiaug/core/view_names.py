"""Names of spectral views: what each is stands in :mod:`hsiaug.core.spectral_views`. Loads no
numerical library.
"""

from collections.abc import Mapping, Sequence

from hsiaug.base.errors import InputError, did_you_mean

RAW, UNIT, AUTO = "raw", "unit", "auto"
VIEWS = (RAW, UNIT, "derivative", "continuum", "raw+unit")
DEFAULT_VIEW = AUTO
"""Default spectral view of classifiers of pixels."""
MARGIN = 0.1
"""Score by which a view must beat ``unit`` to be chosen in its place: training pixels that lie
close together cannot show how brightness differs from field to field, and ``unit`` leaves out
brightness alone. Chosen on splits 100–107 and 200–207 of four scenes; anything from 0.05 to 0.15
does about as well.
"""
MIN_BANDS = 3
"""Bands that a view needs: fewer leave nothing of a derivative or a continuum."""


def check_view(name: str, views: Sequence[str], bands: int) -> None:
    """Raise InputError for a name that is none of a task's, and where the spectra are
    too short for it.
    """
    if name not in views:
        raise InputError(
            f"`views` must be one of {', '.join(views)}",
            value=repr(name),
            hint=(
                "Views of masks are not chosen: name one."
                if name == AUTO
                else did_you_mean(name, views)
            ),
        )
    if name != RAW and bands < MIN_BANDS:
        raise InputError(
            f"`views` {name} needs spectra of {MIN_BANDS} bands at least",
            value=f"{bands} bands",
            hint=f"Leave it at {RAW}.",
        )


def view_or_raw(view: str, bands: int) -> str:
    """The view of that name, or ``raw`` for spectra that are too short for any other."""
    return view if bands >= MIN_BANDS else RAW


def best_view(scores: Mapping[str, float]) -> str:
    """The view with the highest score; ``unit`` where it lies within ``MARGIN`` of that; ``raw``
    where none is higher.

    Parameters
    ----------
    scores : mapping of str to float
        0..1 by name, in the order of ``VIEWS``.
    """
    # Of equal ones, but for rounding, the first: so ``raw`` where it is among them.
    highest = max(scores, key=lambda name: round(scores[name], 9))
    return UNIT if highest != RAW and scores[UNIT] >= scores[highest] - MARGIN else highest


def with_view(classifier: str, view: str) -> str:
    """Return the name of a classifier with its view, for places that have to tell it: ``svm
    (unit)``.
    """
    return f"{classifier} ({view})"
