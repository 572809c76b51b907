"""Places of training that show ground of a place of test: known by their names, or by what they
show.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError

CONTENT = "content"
"""What a card says where near-duplicates are known by what images show."""
FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
MIX = np.uint64(0xD6E8FEB86659FD93)
"""Odd constants of xxHash and of SplitMix64, which spread bits over a word of 64."""

Quarters = tuple[int, ...]
"""A key for each quarter of a place: so places that overlap by half are known too."""


def quarter_keys(image: NDArray[np.float32]) -> Quarters:
    """A number for each quarter of an image that does not depend on the order of its pixels.

    So it is the same for the eight turns and reflections of a square. 0 stands for a quarter whose
    pixels are all alike, which tells nothing.

    Parameters
    ----------
    image : (B, H, W) float32
    """
    bands, height, width = image.shape
    words = np.zeros((height, width), dtype=np.uint64)
    term = np.empty_like(words)
    for band, factor in zip(compared_bands(bands), FACTORS, strict=False):
        bits = np.ascontiguousarray(image[band], dtype=np.float32).view(np.uint32)
        words += np.multiply(bits, factor, out=term)
    words ^= np.right_shift(words, np.uint64(29), out=term)
    words *= MIX
    words ^= np.right_shift(words, np.uint64(32), out=term)
    halves_down = slice(None, height // 2), slice(height - height // 2, None)
    halves_across = slice(None, width // 2), slice(width - width // 2, None)
    quarters = [words[rows, columns] for rows in halves_down for columns in halves_across]
    return tuple(
        int(quarter.sum()) if quarter.size and quarter.min() < quarter.max() else 0
        for quarter in quarters
    )


def compared_bands(bands: int) -> list[int]:
    """Numbers of the bands that are compared: the first, the middle and the last."""
    return sorted({0, bands // 2, bands - 1})


def alike_by_content(
    keys: Mapping[str, Quarters], train: Collection[str], test: Collection[str]
) -> set[str]:
    """The places of training that share a quarter with one of test, turned or reflected perhaps.

    Parameters
    ----------
    keys : mapping of str to Quarters
        Of every place, by :func:`quarter_keys`.
    """
    keys_of_test = {key for name in test for key in keys[name]} - {0}
    return {name for name in train if not keys_of_test.isdisjoint(keys[name])}


def alike_by_position(
    pattern: str,
    step: int,
    shapes: Mapping[str, tuple[int, ...]],
    train: Collection[str],
    test: Collection[str],
) -> set[str]:
    """The places of training that overlap one of test, by the positions that names tell.

    Parameters
    ----------
    pattern : str
        Of the last part of a name, with {row} and {column}.
    step : int
        Pixels that a row or a column of 1 stands for.
    shapes : mapping of str to tuple of int
        Height and width of every place in pixels.

    Raises
    ------
    SceneError
        Where a name does not fit the pattern.
    """
    import shapely

    places = {name: _position(pattern, name, step) for name in (*train, *test)}
    images = {image: number for number, (image, _, _) in enumerate(places.values())}
    ends = (column + shapes[name][1] for name, (_, _, column) in places.items())
    wide = max(ends, default=0)

    def boxes(names: Collection[str]) -> NDArray[np.object_]:
        """The ground of places in whole pixels, less a margin: neighbours do not overlap."""
        ground = [(images[places[name][0]], *places[name][1:], *shapes[name]) for name in names]
        image, top, left, height, width = np.array(ground).reshape(-1, 5).T
        left = left + image * wide  # images lie beside each other
        return np.asarray(
            shapely.box(left + 0.25, top + 0.25, left + width - 0.25, top + height - 0.25)
        )

    overlapping, _ = shapely.STRtree(boxes(test)).query(boxes(train), predicate="intersects")
    names = list(train)
    return {names[row] for row in overlapping.tolist()}


def _position(pattern: str, name: str, step: int) -> tuple[str, int, int]:
    """What stands before both numbers in a name, and row and column in pixels."""
    last = name.rpartition("/")[2]
    match = _expression(pattern).fullmatch(last)
    if match is None:
        rule = f"every place must have a name like places.near_duplicates, {pattern}"
        hint = 'Correct that pattern in the card, or write near_duplicates = "content".'
        raise SceneError(rule, value=repr(last), hint=hint)
    before = last[: min(match.start("row"), match.start("column"))]
    return before, int(match["row"]) * step, int(match["column"]) * step


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern of names, with groups ``row`` and ``column``."""
    parts = [
        {"{row}": r"(?P<row>\d{1,9})", "{column}": r"(?P<column>\d{1,9})", "*": ".*?"}.get(
            part, re.escape(part)
        )
        for part in re.split(r"(\{row\}|\{column\}|\*)", pattern)
    ]
    return re.compile("".join(parts))
