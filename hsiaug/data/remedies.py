"""Commands that errors print: what to type so that a file can be read.

They are typed in the folder in which hsiaug was called, and write into that folder under a name
that no other file has.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import HsiaugError
from hsiaug.base.text import in_runs
from hsiaug.data.bounds import MOST_CODES
from hsiaug.data.raw import in_memory

UNQUOTED = frozenset('"$`\\!\n')
"""Characters that mean something between double quotes."""


def array_file(path: Path, what: str = "array") -> str:
    """A name for the array of a file, which no file in this folder has.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        Which of its arrays.
    """
    stem = re.sub(r"[^\w.-]+", "_", f"{path.stem}_{what}").strip("._") or "array"
    number = 1
    target = f"{stem}.npy"
    while Path(target).exists():
        number += 1
        target = f"{stem}_{number}.npy"
    return target


def setting(key: str, value: object) -> str:
    """A parameter with its value, as Python has it; on the command line it becomes an option."""
    return f"`{key}={str(value)!r}`"


def python_command(script: str) -> str:
    """A line for a shell that runs a script of Python."""
    if UNQUOTED.isdisjoint(script):
        return f'python -c "{script}"'
    return f"python -c {shlex.quote(script)}"


def saving(imports: str, before: str, array: str, target: str, further: str = "") -> str:
    """What to type to write an array into a file, and the file to name then.

    Parameters
    ----------
    imports, before, array : str
        Python: what is imported beside numpy, a statement or "", and an expression.
    target : str
        As :func:`array_file` names it.
    further : str
        What else is to be said with the file, as "`classes='a,b'`".
    """
    modules = ", ".join(("numpy", *imports.split())) if imports else "numpy"
    statements = [f"import {modules}", *([before] if before else [])]
    script = "; ".join([*statements, f"numpy.save({target!r}, {array})"])
    return f"{python_command(script)}, and name {target}{f' with {further}' if further else ''}"


HEIGHT, WIDTH = "HEIGHT", "WIDTH"
"""What stands in a remedy for the size of the scene where it is not known."""


def with_size(error: HsiaugError, look: Callable[[], tuple[int, int] | None]) -> HsiaugError:
    """An error whose remedy has the height and width of the scene; the same one where it asks for
    none, or where they are not known.

    Parameters
    ----------
    look : callable
        Gives both.
    """
    size = look() if HEIGHT in error.hint else None
    if size is None:
        return error
    hint = error.hint.replace(HEIGHT, str(size[0])).replace(WIDTH, str(size[1]))
    return type(error)(error.rule, value=error.value, hint=hint)


def band_of_classes(bands: AnyArray, numbers: Sequence[int] = ()) -> str:
    """What to type to name the band of (H, W, N) that holds classes.

    It is the one with the fewest codes of those that hold whole numbers of two classes or more.

    Parameters
    ----------
    numbers : sequence of int
        Of the bands in their file; () = from 1 on.
    """
    codes = {}
    for place in range(bands.shape[2]):
        band = numbers[place] if numbers else place + 1
        values = np.unique(in_memory(bands[:, :, place]))
        whole = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        if (whole == np.rint(whole)).all() and 2 <= np.count_nonzero(whole > 0) <= MOST_CODES:
            codes[band] = len(whole)
    if not codes:
        return "No band holds whole numbers of two classes or more: name the file of the labels."
    first = min(codes, key=codes.__getitem__)
    others = [band for band in codes if band != first]
    further = f" Bands {in_runs(others, 2)} hold whole numbers too." if others else ""
    return f"Name the band of the classes, counted from 1: {setting('labels_key', first)}.{further}"
