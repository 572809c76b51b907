"""Patterns of files, as cards of pairs have them."""

from __future__ import annotations

import re
from pathlib import Path

from hsiaug.base.errors import SceneError

__all__ = ["filled", "fitting"]


def filled(pattern: str, place: str, band: str = "") -> str:
    """A pattern of a card for one place, and one band where it names bands."""
    group, _, name = place.rpartition("/")
    values = {"place": place, "group": group, "name": name, "band": band}
    # Not str.format, whose fields reach attributes and widths: the card is somebody else's.
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], pattern)


def fitting(folder: Path, pattern: str) -> list[Path]:
    """The paths that fit a filled pattern, in order."""
    try:
        return sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError, OSError) as cause:
        raise SceneError(
            f"a pattern of a card must be one of files in {folder}",
            value=f"{pattern!r} ({cause})",
            hint="Correct images.files, masks and places in the card.",
        ) from cause
