"""Matplotlib figures, and how they become files that a journal takes: fonts embedded as TrueType, 300 dpi."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hsiaug.base.colours import SERIES, in_the_dark
from hsiaug.base.text import plotted

if TYPE_CHECKING:
    from matplotlib.figure import Figure, FigureBase

WIDTHS = {1: 3.5, 2: 7.2}
"""Inches of a figure by the columns of a page that it fills. Nothing in it is printed smaller than 7 pt."""

DPI = 300
LEGEND: dict[str, Any] = {
    "fontsize": 7,
    "frameon": False,
    "handlelength": 1.3,
    "handletextpad": 0.5,
    "columnspacing": 1.0,
}
"""How legends of coloured fields look."""
MARKERS = "os^DvPXh"
"""Markers of series, in the order of SERIES: told apart by shape too, never by colour alone."""
METADATA: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""No dates: equal records give equal files."""
LETTER = 0.0072
"""Inches of a letter of one point, with those that are wider counted in."""
DARK = {"#ffffff": "#0f1419", "#000000": "#e6e9ed"}
"""Paper and ink of the page in the dark."""
COLOUR = re.compile(r"(fill|stroke): (#[0-9a-f]{6})")
STYLE = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "hsiaug"}


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


def name_table(place: FigureBase, heading: str, inches: float, *, alone: bool) -> None:
    """Write the heading of a table that is leaky or one of several; that of another is for a caption."""
    if not alone or heading.startswith("LEAKY"):
        place.suptitle(wrapped(plotted(heading), inches), fontsize=8)


def across(columns: int, panels: int, widest_name: int, narrowest: float = 1.6) -> int:
    """How many panels of ``narrowest`` inches stand side by side in a figure that fills so many columns of a page.

    widest_name: letters at 7 pt of the names left of the first of them.
    """
    return max(1, min(panels, int(room_of(columns, 1, widest_name) / narrowest)))


def room_of(columns: int, panels: int, widest_name: int) -> float:
    """Inches of each of so many panels side by side; widest_name: as of ``across``."""
    return (WIDTHS[columns] - LETTER * 7 * widest_name) / panels


def wrapped(text: str, inches: float, points: float = 8) -> str:
    """Lines of a text that fit into so many inches: layouts leave no room for what matplotlib wraps itself."""
    return "\n".join(textwrap.wrap(text, max(12, int(inches / (LETTER * points)))))


def legend_columns(inches: float, names: Sequence[str]) -> int:
    """How many columns of a legend at 7 pt these names fill in so many inches."""
    return max(1, int(inches / (LETTER * 7 * max(map(len, names)) + 0.3)))


def figure_bytes(figure: Figure, format: str) -> bytes:
    """The file of a figure. format: png, svg, which follows the light or dark style of its reader, or pdf.

    Outlines of SVG are to 0.01 pt: matplotlib writes six decimals, which makes a larger file and no sharper one.
    """
    import matplotlib

    # In memory first: the writer of PDF leaves a file open where the disk is full.
    file = io.BytesIO()
    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]  # keys of a dict are texts, not Literals
        figure.savefig(file, dpi=DPI, format=format, metadata=METADATA.get(format, {}))
    made = file.getvalue()
    if format != "svg":
        return made
    return _with_dark_style(re.sub(r'(?<= d=")[^"]*', _rounded, made.decode())).encode()


def _rounded(outline: re.Match[str]) -> str:
    short = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), outline[0])
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", short).strip().replace(" ", ",")


def _with_dark_style(svg: str) -> str:
    """The text of an SVG with a second set of colours, which a browser takes where its reader asked for the dark.

    Images keep their colours. Programs that know no media query show the figure as it was drawn.
    """
    rules = [
        f'[style*="{kind}: {colour}"]{{{kind}:{DARK.get(colour) or in_the_dark(colour)} !important}}'
        for kind, colour in sorted(set(COLOUR.findall(svg)))
    ]
    ink = f"svg{{fill:{DARK['#000000']}}}"  # what has no colour of its own is black: most letters
    style = f"<style>@media screen and (prefers-color-scheme: dark){{{ink}{''.join(rules)}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda opening: opening[1] + style, svg, count=1)
