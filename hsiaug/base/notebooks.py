"""Figures as notebooks show them."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTEBOOK_DPI = 110
"""Makes a figure across a page as wide as a notebook's text; what is saved has its own."""


def show_in_cells(figure: Figure) -> Figure:
    """A figure that a cell ends with is drawn, whether or not the notebook has imported pyplot."""
    figure.set_dpi(NOTEBOOK_DPI)
    figure.__dict__["_repr_png_"] = partial(_png, figure)
    return figure


def _png(figure: Figure) -> bytes:
    made = BytesIO()
    figure.savefig(made, format="png", dpi=figure.dpi, bbox_inches="tight")
    return made.getvalue()
