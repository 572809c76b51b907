"""Pictures inside the page; what is embedded as PNG or SVG keeps every colour and every pixel."""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from hsiaug.report.html.markup import escape

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "PALETTE",
    "embedded_image",
    "embedded_picture",
    "embedded_svg",
    "jpeg",
    "palette_png",
    "smallest_png",
]

PALETTE = 256
"""Colours that a PNG with a palette can hold."""


def embedded_picture(path: Path, alt: str, widest: int) -> str:
    """The picture of a PNG or SVG file as an ``img``; a sentence where the file is none.

    widest: pixels across at most as it is shown; the picture itself keeps all that it has.
    """
    made = _svg(path, alt) if path.suffix == ".svg" else _png(path, alt, widest)
    return made or f'<p class="note">{escape(path.name)} cannot be read as a picture.</p>'


def embedded_image(picture: bytes, alt: str, width: int, height: int) -> str:
    """A PNG or JPEG as an ``img`` of that size."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    data = base64.b64encode(picture).decode()
    return f'<img src="data:image/{kind};base64,{data}" alt="{escape(alt)}" width="{width}" height="{height}">'


def _svg(path: Path, alt: str) -> str:
    """Escaped, which is shorter than base64."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    return embedded_svg(text, alt) if "<svg" in text else ""


def embedded_svg(svg: str, alt: str) -> str:
    """The text of an SVG as an ``img``, in which a browser runs no script and fetches nothing."""
    data = quote(svg, safe="/:;,.=()!*+@-_~")
    return f'<img src="data:image/svg+xml,{data}" alt="{escape(alt)}">'


def _png(path: Path, alt: str, widest: int) -> str:
    from PIL import Image

    try:
        whole = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            smallest, (width, height) = smallest_png(whole)
    except (
        OSError,
        EOFError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        return ""
    shown = min(width, widest)
    return embedded_image(smallest, alt, shown, round(height * shown / width))


def smallest_png(png: bytes) -> tuple[bytes, tuple[int, int]]:
    """The same pixels in as few bytes as there are at hand; and width and height."""
    from PIL import Image

    with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
        return min([png, *_smaller(opened)], key=len), opened.size


def _smaller(image: Image) -> list[bytes]:
    """The same pixels without an alpha that says nothing, and with a palette where it holds every colour."""
    if image.mode not in ("RGB", "RGBA"):
        return []
    values = np.asarray(image)
    if image.mode == "RGBA" and not (values[..., 3] == 255).all():
        return [_encoded(image)]
    codes = values[..., :3].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    colours, places = np.unique(codes, return_inverse=True)
    if len(colours) > PALETTE:
        return [_encoded(image.convert("RGB"))]
    table = [(int(code) >> 16, int(code) >> 8 & 255, int(code) & 255) for code in colours]
    return [palette_png(places.reshape(codes.shape).astype(np.uint8), table)]


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
