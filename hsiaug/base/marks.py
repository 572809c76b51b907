"""The mark in files that commands write, by which ``hsiaug start`` tells them from a user's own."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARK = "written by hsiaug"

SAMPLE_COLUMNS = ("class", "name", "synthetic", "row", "column", "weight")
"""First columns of a CSV of samples, which has no other place for a mark."""

LOOKED_AT = 2**16
"""Bytes at either end of a file in which the mark lies: GDAL writes tags where it has room."""

MATLAB_TEXT = 116
"""Bytes of text that a MATLAB file of version 5 begins with."""


def is_marked(path: Path) -> bool:
    """Whether a command wrote a file; False of one that cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
            file.seek(max(0, path.stat().st_size - LOOKED_AT))
            end = file.read(LOOKED_AT)
    except OSError:
        return False
    mark = MARK.encode()
    return mark in start or mark in end or start.startswith(",".join(SAMPLE_COLUMNS).encode())


def save_marked_array(path: Path, array: NDArray[np.generic]) -> None:
    """Write an .npy file with the mark as a comment behind the fields of its header."""
    import numpy as np

    fields = np.lib.format.header_data_from_array_1_0(array)
    prefix = np.lib.format.MAGIC_LEN + 2
    text = f"{fields!r}  # {MARK}"
    text += " " * (-(prefix + len(text) + 1) % np.lib.format.ARRAY_ALIGN) + "\n"
    with path.open("wb") as file:
        file.write(np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text.encode())
        file.write(array.tobytes("F" if fields["fortran_order"] else "C"))


def mark_matlab(path: Path) -> None:
    """Put the mark into the text that a MATLAB file of version 5 begins with."""
    with path.open("r+b") as file:
        file.write(f"MATLAB 5.0 MAT-file, {MARK}".ljust(MATLAB_TEXT).encode())


def mark_archive(path: Path) -> None:
    """Put the mark into the comment of an .npz file."""
    with zipfile.ZipFile(path, "a") as file:
        file.comment = MARK.encode()
