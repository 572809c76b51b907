"""The little that drawings need: a linear axis with round ticks, and the frame of a picture.

Not matplotlib's SVG: a panel of it takes 12 to 17 kB in place of 2 and a page a second or more in place of 40 ms, its
ids repeat from panel to panel, and its colours do not follow the page's light and dark style.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hsiaug.report.html.markup import escape

__all__ = ["HEIGHT", "WIDTH", "Scale", "label", "marker", "picture", "ticks"]

WIDTH = 360
"""Units across a picture: about the pixels of a small screen, so that its letters stay readable there."""
HEIGHT = 230

SHAPES = (
    "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z", "M-3.5-3.5H3.5V3.5H-3.5Z", "M0-5L4.6 3.5H-4.6Z", "M0-5L5 0L0 5L-5 0Z",
    "M0 5L4.6-3.5H-4.6Z", "M-4.5-1.5H-1.5V-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5Z",
    "M-4.5-2.5L-2.5-4.5L0-2L2.5-4.5L4.5-2.5L2 0L4.5 2.5L2.5 4.5L0 2L-2.5 4.5L-4.5 2.5L-2 0Z",
    "M0-5L4.3-2.5V2.5L0 5L-4.3 2.5V-2.5Z",
)  # fmt: skip
"""Markers: lines are told apart by shape too, never by colour alone."""


@dataclass(frozen=True)
class Scale:
    """Values ``low``..``high`` on ``start``..``end`` of the picture."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> str:
        """The place of a value, as SVG text."""
        share = (value - self.low) / (self.high - self.low)
        return f"{self.start + share * (self.end - self.start):.1f}"


def ticks(values: Sequence[float], most: int = 6) -> list[float]:
    """Round numbers, in equal steps, that enclose the values; at least two."""
    low, high = min(values), max(values)
    rough = (high - low) / (most - 1) or abs(high) / 10 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((s * power for s in (1, 2, 5, 10) if s * power >= rough), 10 * power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, max(last, first + 1) + 1)]


LONGEST = 52
"""Letters that fit across a picture."""


def label(x: float | str, y: float | str, text: str, kind: str = "", anchor: str = "middle") -> str:
    """A text; anchor: start, middle or end. One that is too long is cut, and whole where the pointer rests on it."""
    whole = f"<title>{escape(text)}</title>" if len(text) > LONGEST else ""
    shown = f"{text[: LONGEST - 1]}…" if whole else text
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{whole}{escape(shown)}</text>'


def marker(place: int, x: str, y: str, *, hollow: bool = False) -> str:
    """The marker of the ``place``-th line, in its colour; hollow: its outline alone."""
    kind = f"s{place % 8} hollow" if hollow else f"f{place % 8}"
    return f'<path class="{kind}" d="{SHAPES[place % len(SHAPES)]}" transform="translate({x} {y})"/>'


def picture(height: float, alt: str, html: Sequence[str]) -> str:
    """A drawing; alt: what stands in it, for those who do not see it."""
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(alt)}">{"".join(html)}</svg>'
