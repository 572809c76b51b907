"""The diverging scale of shaded fields: how far it reaches, and its legend."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hsiaug.report.html.markup import SHADES, escape

__all__ = ["diverging_legend", "round_limit"]

INSIDE = 0.95
"""Share of the fields that a scale is to tell apart: a class of three pixels must not wash out all others."""


def round_limit(sizes: Sequence[float]) -> float:
    """Where a scale ends, as a fraction: a round number of points below which most sizes lie; one point at least."""
    ordered = sorted(sizes)
    inside = ordered[math.ceil(INSIDE * len(ordered)) - 1] if ordered else 0.0
    steps = (n * 10.0**power for power in (-2, -1) for n in (1, 2, 3, 5))
    return next((step for step in steps if step >= inside - 1e-12), 1.0)


def diverging_legend(limit: float, less: str, more: str) -> str:
    """The shades from below to above 0. limit: fraction at which they end; beyond it they stay as they are."""
    fields = "".join(f'<i class="{side}{step}"></i>' for side, steps in SIDES for step in steps)
    end = f"{100 * limit:g}"
    shades = f'<span class="shades" aria-hidden="true">{fields}</span>'
    return (
        f'<p class="legend ramp"><span>{escape(less)} −{end}</span>{shades}'
        f"<span>+{end} points and beyond: {escape(more)}</span></p>"
    )


SIDES = (("l", range(SHADES, 0, -2)), ("z", range(1)), ("m", range(1, SHADES + 1, 2)))
"""The shades of a legend, every other one."""
