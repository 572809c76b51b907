"""A cube and its labels in each other's place."""

from pathlib import Path

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.data.label_source import read_labels
from hsiaug.data.readers import read_cube_file


def check_swapped(cube: Path, labels: Path) -> None:
    """Raise InputError where the file of the labels holds a cube, and that of the cube labels.

    It is asked where the two could not be read in their places: it reads both again.

    Parameters
    ----------
    cube, labels : Path
        The files as they were named.
    """
    try:
        read_labels(cube, None, None, None)
        shape = read_cube_file(labels).array.shape
    except HsiaugError:
        return
    if len(shape) != 3 or min(shape) < 2:
        return
    raise InputError(
        "the cube comes first, and its labels behind --labels",
        value=f"labels in {cube} and a cube in {labels}",
        hint=f"Swap them: {labels} --labels {cube}.",
    )
