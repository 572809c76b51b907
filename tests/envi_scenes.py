"""A georeferenced scene of one's own in ENVI files, and commands typed in its folder."""

import contextlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spectral.io import envi
from typer.testing import CliRunner

from hsiaug.cli.main import app

PLACE = ["UTM", "1", "1", "500000", "5000000", "2", "2", "33", "North", "WGS-84", "units=Meters"]
"""Its map info: pixels of 2 m in UTM zone 33 north."""
ADD = ["datasets", "add", "flight.hdr", "--labels", "labels.npy", "--set", "classes=hay,rye,track"]
"""The command that makes its card."""


def typed(folder: Path, *words: str) -> str:
    """What a command prints on stdout, typed in a folder; in this process, which has the libraries
    loaded.
    """
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, words, catch_exceptions=False).stdout


def save_flight(folder: Path, cube: NDArray[np.float32], **header: object) -> None:
    """Write ``flight.hdr`` and its data, with further keys of the header."""
    metadata = {"map info": PLACE, **header}
    envi.save_image(str(folder / "flight.hdr"), cube, ext=".img", metadata=metadata)
