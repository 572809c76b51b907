"""Figures of matplotlib that follow the light or dark style of whoever looks at them."""

from __future__ import annotations

import re

from hsiaug.base.colours import in_the_dark

__all__ = ["ON_DARK", "ON_LIGHT", "with_dark_style"]

ON_DARK, ON_LIGHT = "#fefefe", "#010101"
"""Letters on a field whose colour stays as it is, so theirs must too."""
PAPER, INK = "#0f1419", "#e6e9ed"
"""Of the page in the dark."""
COLOUR = re.compile(r"(fill|stroke): (#[0-9a-f]{6})")


def with_dark_style(svg: str) -> str:
    """The text of an SVG with a second set of colours, which a browser takes where its reader asked for the dark.

    Every colour of an inline style is turned round (``in_the_dark``), so that the ground becomes dark and letters
    light; images keep theirs. Programs that know no media query show the figure as it was drawn.
    """
    found = sorted(set(COLOUR.findall(svg)))
    rules = [
        f'[style*="{kind}: {colour}"]{{{kind}:{_dark(colour)} !important}}'
        for kind, colour in found
        if colour not in (ON_DARK, ON_LIGHT)
    ]
    ink = f"svg{{fill:{INK}}}"  # what has no colour of its own is black: most letters
    style = f"<style>@media screen and (prefers-color-scheme: dark){{{ink}{''.join(rules)}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda opening: opening[1] + style, svg, count=1)


def _dark(colour: str) -> str:
    return {"#ffffff": PAPER, "#000000": INK}.get(colour) or in_the_dark(colour)
