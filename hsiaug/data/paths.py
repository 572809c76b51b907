"""Endings of files by format, paths as people and cards write them, and what lies there."""

import hashlib
import re
from pathlib import Path

from hsiaug.base.errors import SceneError
from hsiaug.base.files import file_errors

# Endings of the files that cubes and labels are read from, in lower case; their readers are in
# hsiaug.data.readers.
ENVI = (".hdr", ".img", ".dat", ".raw", ".bsq", ".bil", ".bip")
"""A header, or the data file beside it."""
ENVI_DATA = (*ENVI[1:], ".pix", ".bin", ".sli", ".hyspex")
"""The data file beside a header; the last four are found by their header alone."""
TIFF = (".tif", ".tiff")
ARRAYS = (".mat", ".npy")
"""Arrays without a place on Earth, whose axes may come in any order."""
PICTURES = (".png", ".bmp")
"""Codes of classes as a picture."""
HDF = (".he5", ".h5", ".hdf5", ".nc", ".nc4")
"""HDF5 and netCDF: products of instruments, as EMIT and PRISMA."""
CUBES = (*ENVI, *TIFF, *ARRAYS, *HDF)
"""Files that are taken for a cube."""
IMAGES = (*TIFF, *PICTURES)
"""Files of labels with one band."""
LAYERS = (
    *(".gpkg", ".shp", ".kml", ".kmz", ".gml", ".fgb", ".gpx", ".dxf", ".tab", ".mif", ".sqlite"),
    *(".geoparquet", ".topojson"),
)
"""Layers of a GIS: those of :mod:`hsiaug.data.layers` are read, others must be exported first."""

MAX_FILE_BYTES = 2**30
"""Bytes (1 GiB) of masks or picks, at most."""


def is_file(path: Path) -> bool:
    """True where there is such a file; False also for a name that the system refuses, as one that
    is too long.
    """
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def user_path(text: str) -> Path:
    """The path, with ``~`` as the home of the user.

    Parameters
    ----------
    text : str
        What was typed.

    Returns
    -------
    Path
        Unchanged if there is no such user.

    See Also
    --------
    user_file : checks that the file exists.

    Examples
    --------
    >>> from hsiaug.api import user_path
    >>> user_path("masks.npz").name
    'masks.npz'
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def check_filled(path: Path) -> None:
    """Raise SceneError for an empty file, before it is opened: /proc/kmsg says that it is empty,
    and never ends.
    """
    if is_file(path) and not path.stat().st_size:
        raise SceneError(f"{path} must not be empty", hint="Copy or export it again.")


def checksum_of(path: Path) -> str:
    """SHA-256 of what a file holds. Raises SceneError where it cannot be read."""
    hint = "Check its permissions and the disk."
    with file_errors(f"{path} must be readable", hint, SceneError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def user_file(text: str, folder: Path) -> Path | None:
    """The absolute path of a file that a user names.

    Parameters
    ----------
    text : str
        What was typed, possibly relative to the folder.
    folder : Path
        Folder of relative paths.

    Returns
    -------
    Path or None
        None if there is no such file.

    Raises
    ------
    SceneError
        If the file is empty or larger than 1 GiB.

    See Also
    --------
    read_maps : reads such a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from hsiaug.api import user_file
    >>> user_file("no-such-file.npz", Path(".")) is None
    True
    """
    path = folder / user_path(text)
    if not text or not is_file(path):
        return None
    check_filled(path)
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        raise SceneError(
            f"{path} must be of 1 GiB at most",
            value=f"{size:,} bytes",
            hint="Keep its masks or picks only.",
        )
    return path.resolve()


def fill_pattern(pattern: str, place: str, band: str = "") -> str:
    """A pattern of a card for one place, and one band where it names bands."""
    group, _, name = place.rpartition("/")
    values = {"place": place, "group": group, "name": name, "band": band}
    # Not str.format, whose fields reach attributes and widths: the card is somebody else's.
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], pattern)


def find_files(folder: Path, pattern: str) -> list[Path]:
    """The paths that fit a filled pattern, in order."""
    try:
        if not set(pattern) & set("*?["):
            # Without a look into folders that may hold tens of thousands of files.
            return [path] if (path := folder / pattern).exists() else []
        return sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError, OSError) as cause:
        raise SceneError(
            f"a pattern of a card must be one of files in {folder}",
            value=f"{pattern!r} ({cause})",
            hint="Correct images.files, masks and places in the card.",
        ) from cause
