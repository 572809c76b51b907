"""Pictures inside the page; what is embedded as PNG or SVG keeps every colour and every pixel."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from hsiaug.report.html.markup import escape

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "PALETTE",
    "embedded_image",
    "embedded_svg",
    "jpeg",
    "palette_png",
]

PALETTE = 256
"""Colours that a PNG with a palette can hold."""


def embedded_image(picture: bytes, alt: str, width: int, height: int) -> str:
    """A PNG or JPEG as an ``img`` of that size."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    data = base64.b64encode(picture).decode()
    return f'<img src="data:image/{kind};base64,{data}" alt="{escape(alt)}" width="{width}" height="{height}">'


def embedded_svg(svg: str, alt: str) -> str:
    """The text of an SVG as an ``img``, in which a browser runs no script and fetches nothing."""
    data = quote(svg, safe="/:;,.=()!*+@-_~")
    return f'<img src="data:image/svg+xml,{data}" alt="{escape(alt)}">'


def palette_png(places: np.ndarray, colours: list[tuple[int, int, int]], transparent: int | None = None) -> bytes:
    """A PNG of ``colours[places]``; places: (H, W) uint8; transparent: the place that is not seen."""
    from PIL import Image

    image = Image.fromarray(places)
    image.putpalette([value for colour in colours for value in colour])
    return _encoded(image, **({} if transparent is None else {"transparency": transparent}))


def jpeg(colours: np.ndarray) -> bytes:
    """A photograph, (H, W, 3) uint8, in a tenth of what it weighs as PNG."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(colours).save(out, format="JPEG", quality=82, optimize=True)
    return out.getvalue()


def _encoded(image: Image, **more: int) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True, **more)
    return out.getvalue()
