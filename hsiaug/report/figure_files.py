"""Matplotlib figures, and how they become files that a journal takes: fonts embedded as TrueType, 300 dpi."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from hsiaug.colours import SERIES
from hsiaug.report.dark_svg import with_dark_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MARKERS", "figure_bytes", "new_figure", "series_style"]

DPI = 300
MARKERS = "os^DvPXh"
"""Of series, in the order of SERIES: told apart by shape too, never by colour alone."""
METADATA: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""No dates: equal records give equal files."""
STYLE = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.hashsalt": "hsiaug"}


def series_style(place: int) -> dict[str, Any]:
    """Colour and marker of the ``place``-th series, the same in every figure and on the page."""
    return {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place % len(MARKERS)]}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, which no window shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def figure_bytes(figure: Figure, format: str) -> bytes:
    """The file of a figure. format: png, svg, which follows the light or dark style of its reader, or pdf."""
    import matplotlib

    # In memory first: the writer of PDF leaves a file open where the disk is full.
    file = io.BytesIO()
    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]  # keys of a dict are texts, not Literals
        figure.savefig(file, dpi=DPI, format=format, metadata=METADATA.get(format, {}))
    made = file.getvalue()
    return with_dark_style(made.decode()).encode() if format == "svg" else made
