"""Files that a process can no longer read or change: by Landlock, as Linux has it since 5.19.

Source: kernel documentation, "Landlock".

What is allowed is told, not what is forbidden; so everything beside the forbidden files, and
beside the folders above them, is allowed one by one. Such a process cannot look into the memory
of others either.
"""

import ctypes
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
FOLDERS = WRITE_FILE | READ_FILE | 0b11_1111_1111 << 4
"""Also to remove and make files and folders of any kind, and to rename from one folder to another.
"""
MAKE_SOCKET = 1 << 9
ABSTRACT_SOCKETS, SIGNALS = 1 << 0, 1 << 1
"""Of processes that are not confined alike."""
TCP = 0b11
"""To bind and to connect."""
NO_NEW_PRIVILEGES, SET_DUMPABLE = 38, 4
"""Of prctl."""


def _call(*arguments: object) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(*arguments))


def landlock_version() -> int:
    """Version of Landlock of this system; 0 where it has none."""
    return (
        max(0, _call(CREATE, None, ctypes.c_size_t(0), VERSION)) if sys.platform == "linux" else 0
    )


def close_memory() -> None:
    """Let no process of this user look into the memory of this one, or open its files, with or
    without Landlock.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)


def hide_files(
    hidden: Collection[Path], allowed: Collection[Path] = (), *, readable: bool = False
) -> bool:
    """Let this process, and those that it starts, never read or change these files, nor what lies
    in these folders.

    Beside hidden ones no new file can be made. Holds for this thread and those that it starts.

    Parameters
    ----------
    allowed : collection of Path
        Folders in hidden ones to which that does not apply.
    readable : bool
        They may be read, and not changed.

    Returns
    -------
    bool
        Whether the system can do that: version 2 is the first that lets a file be renamed from
        one folder to another.
    """
    rights = FOLDERS & ~READ_FILE if readable else FOLDERS
    paths = (*_beside({path.resolve() for path in hidden}), *allowed)
    return _restrict(rights, ((path, rights) for path in paths))


def confine(
    readable: Iterable[Path], writable: Collection[Path], hidden: Collection[Path] = ()
) -> bool:
    """Let this process, and those that it starts, read and change nothing but what is named.

    It opens no TCP port and no socket of other processes either, where the system can forbid that
    (6.12).

    Parameters
    ----------
    readable : iterable of Path
        Files, and folders whose content may be read.
    writable : collection of Path
        Folders whose content may be read and changed; no socket can be made there.
    hidden : collection of Path
        Files in readable folders that are not to be read.

    Returns
    -------
    bool
        Whether the system can do that; else nothing is restricted.
    """
    hidden = {path.resolve() for path in hidden}
    read = [one for path in readable for one in _without(path.resolve(), hidden)]
    rules = [
        *((path, READ_FILE) for path in read),
        *((path, FOLDERS & ~MAKE_SOCKET) for path in writable),
    ]
    return _restrict(FOLDERS, rules, network=True)


def _without(path: Path, hidden: Collection[Path]) -> Iterator[Path]:
    """A path, or all that lies in it beside hidden files."""
    inner = [one for one in hidden if one.is_relative_to(path)]
    if not inner:
        yield path
    elif path not in inner:
        yield from (one for one in _beside(inner) if one.is_relative_to(path))


def _restrict(rights: int, allowed: Iterable[tuple[Path, int]], *, network: bool = False) -> bool:
    """Have each of these rights only to what it is allowed for, and to what lies in that."""
    version = landlock_version()
    if version < 2:
        return False
    truncates = TRUNCATE if version >= 3 else 0
    # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped.
    attributes = (ctypes.c_uint64 * 3)(
        rights | truncates,
        TCP if network else 0,
        SIGNALS | ABSTRACT_SOCKETS if network else SIGNALS,
    )
    ruleset = _call(CREATE, attributes, ctypes.c_size_t(_attributes_size(version)), 0)
    if ruleset < 0:
        return False
    try:
        for path, granted in allowed:
            _allow(ruleset, path, granted | (truncates if granted & WRITE_FILE else 0))
        prctl = ctypes.CDLL(None).prctl
        return prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and _call(RESTRICT, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _attributes_size(version: int) -> int:
    """Bytes of landlock_ruleset_attr that a version of Landlock knows: it has grown twice."""
    if version >= 6:
        return 24
    if version >= 4:
        return 16
    return 8


def _beside(hidden: Collection[Path]) -> Iterator[Path]:
    """All that lies beside hidden files and the folders above them."""
    above = {folder for path in hidden for folder in path.parents}
    for folder in above:
        with suppress(OSError):
            # Through a link that is followed, a hidden file could be reached.
            found = (entry for entry in os.scandir(folder) if not entry.is_symlink())
            yield from (
                path
                for entry in found
                if (path := folder / entry.name) not in above and path not in hidden
            )


def _allow(ruleset: int, path: Path, rights: int) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            access = rights if folder else rights & (WRITE_FILE | READ_FILE | TRUNCATE)
            # struct landlock_path_beneath_attr, packed: allowed_access, parent_fd.
            beneath = access.to_bytes(8, sys.byteorder) + descriptor.to_bytes(
                4, sys.byteorder, signed=True
            )
            _call(ADD, ruleset, PATH_BENEATH, ctypes.c_char_p(beneath), 0)
        finally:
            os.close(descriptor)
