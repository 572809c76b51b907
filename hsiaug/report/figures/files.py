"""Matplotlib figures, and how they become files that a journal takes: fonts embedded as TrueType,
300 dpi.
"""

from __future__ import annotations

import base64
import io
import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hsiaug.base.colours import SERIES, hex_of
from hsiaug.base.marks import MARK

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

WIDTHS = {1: 3.5, 2: 7.2}
"""Inches of a figure by the columns of a page that it fills. Nothing in it is printed smaller than
7 pt.
"""
DPI = 300
NOTEBOOK_DPI = 110
"""Makes a figure across a page as wide as a notebook's text; what is saved has its own."""
MARKERS = "os^DvPXh"
"""Markers of series, in the order of SERIES: told apart by shape too, never by colour alone."""
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": MARK},
}
"""No dates: equal records give equal files."""
LETTER = 0.0072
"""Inches of a letter of one point, with those that are wider counted in."""
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


def wrapped(text: str, inches: float, points: float = 8) -> str:
    """Lines of a text that fit into so many inches: layouts leave no room for what matplotlib wraps
    itself.
    """
    return "\n".join(textwrap.wrap(text, max(12, int(inches / (LETTER * points)))))


def legend_columns(inches: float, names: Sequence[str]) -> int:
    """How many columns of a legend at 7 pt these names fill in so many inches."""
    return max(1, int(inches / (LETTER * 7 * max(map(len, names)) + 0.3)))


def class_legend(
    figure: Figure, colours: Iterable[Any], labels: Iterable[str], **place: Any
) -> None:
    """A legend of colours (3,) of 0 to 255 and what they stand for.

    Parameters
    ----------
    place : object
        Where it lies, as matplotlib takes it.
    """
    from matplotlib.patches import Patch

    pairs = zip(colours, labels, strict=True)
    handles = [Patch(color=hex_of(colour), label=label) for colour, label in pairs]
    look: dict[str, Any] = {"handlelength": 1.3, "handletextpad": 0.5, "columnspacing": 1.0}
    figure.legend(handles=handles, fontsize=7, frameon=False, **look, **place)


def figure_bytes(figure: Figure, format: str) -> bytes:
    """The file of a figure.

    Outlines of SVG are to 0.01 pt: matplotlib writes six decimals, which makes a larger file and no
    sharper one.

    Parameters
    ----------
    format : str
        png, svg or pdf.
    """
    import matplotlib

    # In memory first: the writer of PDF leaves a file open where the disk is full.
    file = io.BytesIO()
    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]  # keys of a dict are texts, not Literals
        figure.savefig(file, dpi=DPI, format=format, metadata=METADATA.get(format, {}))
    made = file.getvalue()
    return made if format != "svg" else re.sub(r'(?<= d=")[^"]*', _rounded, made.decode()).encode()


def image_bytes(pixels: NDArray[np.uint8], palette: Sequence[int] = (), **how: Any) -> bytes:
    """The file of an image.

    Parameters
    ----------
    pixels : (H, W, 3) or (H, W) uint8
        Its colours, or their places in the palette.
    palette : sequence of int
        Red, green and blue of one colour after the other.
    how : object
        Its format, and what Pillow's writer of that format takes.
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    if palette:
        image.putpalette([*palette])
    file = io.BytesIO()
    image.save(file, **how)
    return file.getvalue()


def page_picture(picture: bytes, shape: tuple[int, ...], **about: Any) -> dict[str, Any]:
    """A picture of a page: its ``source``, ``height`` and ``width`` in pixels, and what is said
    about it.
    """
    size = {"height": shape[0], "width": shape[1]}
    return {"source": picture_source(picture), **size, **about}


def picture_source(picture: bytes) -> str:
    """A PNG, a JPEG or an SVG as the source of an ``img``, which fetches nothing."""
    for start, kind in ((b"\x89PNG", "png"), (b"\xff\xd8", "jpeg")):
        if picture.startswith(start):
            return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
    return f"data:image/svg+xml,{quote(picture.decode(), safe='/:;,.=()!*+@-_~')}"


def _rounded(outline: re.Match[str]) -> str:
    short = re.sub(
        r"-?\d+\.\d+", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), outline[0]
    )
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", short).strip().replace(" ", ",")


def show_in_cells(figure: Figure) -> Figure:
    """A figure that a cell ends with is drawn, whether or not the notebook has imported pyplot."""
    figure.set_dpi(NOTEBOOK_DPI)
    figure.__dict__["_repr_png_"] = partial(_png, figure)
    return figure


def _png(figure: Figure) -> bytes:
    made = io.BytesIO()
    figure.savefig(made, format="png", dpi=figure.dpi, bbox_inches="tight")
    return made.getvalue()
