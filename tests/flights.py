"""A scene of one's own as a user has it: an ENVI file with a place on Earth."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from spectral.io import envi

from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene

__all__ = ["ADD_FLIGHT", "save_flight", "small_scene"]

PLACE = ("UTM", "1", "1", "500000", "5000000", "2", "2", "33", "North", "WGS-84", "units=Meters")
ADD_FLIGHT = (
    *("datasets", "add", "flight.hdr", "--labels", "labels.npy"),
    *("--set", "classes=hay,rye,track"),
)
"""The command that reads it, with labels of three classes beside it."""


def save_flight(folder: Path, cube: NDArray[Any], **metadata: Any) -> None:
    """Write flight.hdr and flight.img: pixels of 2 m from x = 500000, y = 5000000 on."""
    about = {"map info": list(PLACE), **metadata}
    envi.save_image(str(folder / "flight.hdr"), cube, ext=".img", metadata=about)


def small_scene() -> Scene:
    """40×32 pixels, 12 bands, 3 classes."""
    return toy_scene(height=40, width=32, bands=12, classes=3)
