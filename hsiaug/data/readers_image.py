"""Pictures whose numbers are codes of classes: PNG and BMP."""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hsiaug.data.bounds import check_array
from hsiaug.data.raw import RawArray, reading

FORMATS = {".png": ("PNG",), ".bmp": ("BMP",)}
"""The one format that is read under each ending."""

NOTE = "pixels that are wholly transparent hold no data"

HEADER = 26
"""Bytes of a PNG up to its bit depth and colour type."""


def read_image(path: Path) -> RawArray:
    """(H, W), or (H, W, channels), of a .png or .bmp image: indices of a palette, or levels of grey
    as they are stored.

    Pixels that an alpha channel, or the transparent colour of a PNG, makes wholly transparent hold
    no data. Raises SceneError where the file is damaged or of another format.
    """
    from PIL import Image

    suffix = path.suffix.lower()
    with reading(path, suffix), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata, which does not matter here
        # Whatever the name says, the content could be of any other format, some of which start
        # other programs. By its name it would be mapped.
        with path.open("rb") as file:
            steps = _grey_steps(file)
            with Image.open(file, formats=FORMATS[suffix]) as image:
                check_array(path, (image.height, image.width), len(image.getbands()), labels=True)
                array = np.asarray(image)
                clear = image.info.get("transparency")
                mode = image.mode
    if mode == "LA":
        return RawArray(array[:, :, 0], valid=array[:, :, 1] != 0, notes=(NOTE,))
    # Pillow spreads 2 and 4 bits over 0 to 255.
    array = array // steps if steps > 1 and array.dtype == np.uint8 else array
    if clear is None or array.ndim != 2:
        return RawArray(array)
    indices = (
        np.flatnonzero(np.frombuffer(clear, np.uint8) == 0)
        if isinstance(clear, bytes)
        else np.array([clear])
    )
    valid = ~np.isin(array, indices)
    return RawArray(array, valid=valid, notes=() if valid.all() else (NOTE,))


def _grey_steps(file: BinaryIO) -> int:
    """By what Pillow multiplies the levels of a grey PNG of 2 or 4 bits; 1 for other files."""
    head = file.read(HEADER)
    file.seek(0)
    depth, kind = (
        (head[24], head[25]) if len(head) == HEADER and head.startswith(b"\x89PNG") else (8, 0)
    )
    return 255 // (2**depth - 1) if kind == 0 and depth in (2, 4) else 1
