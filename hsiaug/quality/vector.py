"""Charts as SVG, small enough for a page."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.files import write_text_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save_svg"]


def save_svg(figure: Figure, path: Path) -> Path:
    """Write a figure as SVG, the same bytes for the same figure: letters as text, outlines to 0.1 pt.

    matplotlib writes six decimals, which makes a file of many points twice as large and no sharper. The curves of
    small markers would suffer: for lines and areas only.
    """
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hsiaug"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return write_text_whole(path, re.sub(r'(?<= d=")[^"]*', _rounded, out.getvalue()))


def _rounded(outline: re.Match[str]) -> str:
    short = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), outline[0])
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", short).strip().replace(" ", ",")
