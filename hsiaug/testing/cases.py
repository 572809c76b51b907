"""The cases of each task in which plugins can be checked."""

from collections.abc import Mapping
from typing import Any

from hsiaug.testing.pixel_cases import PixelCases
from hsiaug.testing.tile_cases import TileCases

CASES: Mapping[str, Any] = {
    "pixels": PixelCases(),
    "segmentation": TileCases("segmentation", 1, hardest_sizes=({2: 0, 4: 1},)),
    # Of two classes, one must be whole for a recall to tell anything.
    "change": TileCases(
        "change", 2, hardest_sizes=({}, {2: 2}, {2: 0}), classes_have_spectra=False
    ),
}
"""By the name of the task."""
