"""Sections about one table of a report, a module for each: a new section is one more module here.

A module has ``SECTIONS``, which say where its sections are shown: in which views of ``--by``, and
where on the page (:mod:`hsiaug.report.views`).
"""

from __future__ import annotations

import pkgutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from hsiaug.base.errors import check_known
from hsiaug.report.section import Section
from hsiaug.report.tables import Report, ReportTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hsiaug.report.ground_truth import GroundTruth
    from hsiaug.report.label_curves import LabelCurve
    from hsiaug.trial.store import Store

SUMMARY, LABELS = "summary", "labels"
"""Views of several tables at once; the second reads predictions too."""
NOTES = "notes"
"""The view of what ``--notes`` adds to the summary."""
MAIN = "tables"
"""The part of the page that has, folded, the tables of configurations."""


@dataclass
class Sources:
    """What a section may read beside its table.

    Attributes
    ----------
    store : Store or None
        Predictions, samples and confusion matrices; None where the records alone are known.
    truths : dict of str to GroundTruth
        Scenes that were read for maps.
    drawn : Counter
        Bytes of the pictures of a section in all tables so far, by its id.
    """

    report: Report
    store: Store | None = None
    truths: dict[str, GroundTruth] = field(default_factory=dict)
    drawn: Counter[str] = field(default_factory=Counter)

    @cached_property
    def curves(self) -> Sequence[LabelCurve]:
        """Learning curves over added labels."""
        from hsiaug.report.label_curves import label_curves

        return [] if self.store is None else label_curves(self.report, self.store)


@dataclass(frozen=True)
class SectionKind:
    """A section, and where it stands.

    Attributes
    ----------
    id : str
        Its name on the page.
    make : callable
        The section of a table; None where it has nothing to show.
    place : int
        The lowest comes first.
    views : tuple of str
        The values of ``--by`` that show it.
    within : str
        The part of the page in which it folds; "" where it is a part itself.
    pictures : mapping of str to callable
        A view, and the figure of a report in it, so many columns of a page wide.
    on_page : callable
        Whether the page has the section that was made.

    Raises
    ------
    ValueError
        For a view of several tables at once, which no section of one table stands in.
    """

    id: str
    make: Callable[[ReportTable, Sources], Section | None]
    place: int
    views: tuple[str, ...] = ()
    within: str = MAIN
    pictures: Mapping[str, Callable[[Report, int], Figure]] = field(default_factory=dict)
    on_page: Callable[[Section], bool] = lambda _: True

    def __post_init__(self) -> None:
        if joint := {SUMMARY, LABELS}.intersection(self.views):
            raise ValueError(f"{self.id} stands in {joint.pop()}, a view of several tables at once")


@cache
def section_kinds() -> tuple[SectionKind, ...]:
    """The sections of all modules of this package, in their order."""
    modules = (import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__))
    found = [kind for module in modules for kind in module.SECTIONS]
    return tuple(sorted(found, key=lambda kind: kind.place))


@cache
def table_views() -> tuple[str, ...]:
    """The views that show each table by itself."""
    views = dict.fromkeys(view for kind in section_kinds() for view in kind.views)
    return tuple(view for view in views if view != NOTES)


def check_view(by: str) -> None:
    """Raise InputError for a view that does not exist."""
    known = (SUMMARY, *table_views(), LABELS)
    check_known(f"`by` must be one of {', '.join(known)}", by, known)


def pictures() -> dict[str, Callable[[Report, int], Figure]]:
    """The figures that may be saved, by their views."""
    return {view: draw for kind in section_kinds() for view, draw in kind.pictures.items()}
