"""What the machine lacks when it refuses: such an error is not about the file that it was met
with.
"""

import errno
import re
from typing import NamedTuple

from hsiaug.base.errors import HsiaugError

MEMORY = re.compile(
    "(cannot|can't|unable to|failed to|could not) allocate|memory allocation failed|out of memory"
    "|not enough memory|bad_alloc|failed to map segment",
    re.IGNORECASE,
)
"""Texts of libraries that raise other errors than MemoryError; the last stands for a limit of
addresses.
"""
THREAD = "can't start new thread"
"""What Python says where the system lets it start none, which wants memory too."""


class Shortage(NamedTuple):
    """What must be there, and what helps."""

    rule: str
    hint: str


NO_MEMORY = Shortage(
    "what was asked for must fit into the memory of this machine, or its limit (ulimit -v)",
    "Ask for less (a crop of the scene, smaller patches, fewer samples), or allow more memory.",
)
NO_FILES = Shortage(
    "a process must be able to open more files",
    "Raise the limit of open files (ulimit -n), or use fewer `jobs`.",
)
NO_PROCESSES = Shortage(
    "a process must be able to start another, or a thread",
    "Raise the limits of processes (ulimit -u, that of a container) and memory (ulimit -v),"
    " or use fewer `jobs`.",
)
NO_SIZE = Shortage(
    "files must be allowed to be as large as what is written into them, temporary ones too",
    "Raise the limit of the size of files (ulimit -f).",
)
SHORT = {
    errno.EFBIG: NO_SIZE,
    errno.ENOMEM: NO_MEMORY,
    errno.EMFILE: NO_FILES,
    errno.ENFILE: NO_FILES,
    errno.EAGAIN: NO_PROCESSES,
}
"""By the numbers of the system."""


def shortage_of(error: BaseException) -> Shortage | None:
    """What the machine lacks, where that is why an error was raised, or its cause; None for any
    other.
    """
    # Causes of a plugin's making may be thousands, or go in a circle.
    visited: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in visited:
        visited.add(id(cause))
        if isinstance(cause, MemoryError):
            return NO_MEMORY
        if isinstance(cause, OSError) and cause.errno is not None:
            return SHORT.get(cause.errno)
        text = _text(cause)
        if MEMORY.search(text):
            return NO_MEMORY
        if THREAD in text:
            return NO_PROCESSES
        cause = cause.__cause__
    return None


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        # Of a plugin's own making, which may raise anything.
        return ""


def blame_shortage(cause: BaseException, kind: type[HsiaugError], what: str) -> None:
    """Raise an error of this kind where the machine lacks something.

    Parameters
    ----------
    what : str
        The file that could not be read.
    """
    if (short := shortage_of(cause)) is not None:
        reason = str(cause) or type(cause).__name__
        raise kind(f"{what} cannot be read: {short.rule}", value=reason, hint=short.hint) from cause
