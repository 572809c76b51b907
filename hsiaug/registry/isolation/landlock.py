"""Files that a process can no longer read or change: by Landlock, as Linux has it since 5.19.

Source: kernel documentation, "Landlock".

Landlock knows what is allowed, not what is forbidden: beside a file that is to be hidden
(:func:`beside`) all is allowed one by one.
"""

import ctypes
import functools
import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446
"""Numbers of the system calls, which are the same on all machines."""
VERSION = 1
"""Flag of CREATE that asks for the version."""
PATH_BENEATH = 1
WRITE_FILE, READ_FILE, TRUNCATE = 1 << 1, 1 << 2, 1 << 14
"""Rights to a file; the last from version 3 on."""
ALL_RIGHTS = WRITE_FILE | READ_FILE | 0b11_1111_1111 << 4
"""Also to remove and make files and folders of any kind, and to rename from one folder to another.
"""
SIGNALS = 1 << 1
"""To processes that are not confined alike."""
NO_NEW_PRIVILEGES, SET_DUMPABLE = 38, 4
"""Of prctl."""


@functools.cache
def _system() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL(None)


def _call(*arguments: object) -> int:
    return int(_system().syscall(*arguments))


def landlock_version() -> int:
    """Version of Landlock of this system; 0 where it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(CREATE, None, ctypes.c_size_t(0), VERSION))


def close_memory() -> None:
    """Let no process of this user look into the memory of this one, or open its files, with or
    without Landlock.
    """
    if sys.platform == "linux":
        _system().prctl(SET_DUMPABLE, 0, 0, 0, 0)


def confine(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """Let this process, and those that it starts, read and change nothing but what is named, nor
    look into the memory of others.

    Holds for this thread and those that it starts.

    Parameters
    ----------
    readable : iterable of Path
        Files, and folders whose content may be read.
    writable : iterable of Path
        The same, which may be changed too.

    Returns
    -------
    bool
        Whether the system can do that; else nothing is restricted. Version 2 is the first that
        lets a file be renamed from one folder to another.
    """
    version = landlock_version()
    if version < 2:
        return False
    rights = ALL_RIGHTS | (TRUNCATE if version >= 3 else 0)
    # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped.
    attributes = (ctypes.c_uint64 * 3)(rights, 0, SIGNALS)
    # Which versions know: it has grown.
    ruleset = _call(CREATE, attributes, ctypes.c_size_t(24 if version >= 6 else 8), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(ruleset, path, READ_FILE)
        for path in writable:
            _allow(ruleset, path, rights)
        no_more = _system().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        return no_more and _call(RESTRICT, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def beside(hidden: Collection[Path], below: Path = Path("/")) -> Iterator[Path]:
    """All that a folder holds beside hidden files, and beside the folders above them.

    Nothing can be made or renamed in the latter by a process that is confined to it.
    """
    hidden = {path.resolve() for path in hidden}
    above = {folder for path in hidden for folder in path.parents if folder.is_relative_to(below)}
    if not above and below not in hidden:
        yield below
    for folder in above:
        left_out = {path.name for path in (*above, *hidden) if path.parent == folder}
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                # Through a link that is followed, a hidden file could be reached.
                if entry.name not in left_out and not entry.is_symlink():
                    yield Path(entry.path)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                rights &= WRITE_FILE | READ_FILE | TRUNCATE
            # struct landlock_path_beneath_attr, packed: allowed_access, parent_fd.
            beneath = rights.to_bytes(8, sys.byteorder) + descriptor.to_bytes(
                4, sys.byteorder, signed=True
            )
            _call(ADD, ruleset, PATH_BENEATH, ctypes.c_char_p(beneath), 0)
        finally:
            os.close(descriptor)
