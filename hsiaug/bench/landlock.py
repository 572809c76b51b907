"""Files that a process can no longer read: by Landlock, as Linux has it since 5.19 (kernel documentation, "Landlock").

What is allowed is told, not what is forbidden; so everything beside the forbidden files, and beside the folders above
them, is allowed one by one. Such a process cannot look into the memory of others either.
"""

import ctypes
import os
import stat
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446
"""Numbers of the system calls, which are the same on all machines."""
VERSION = 1
"""Flag of CREATE that asks for the version."""
PATH_BENEATH = 1
READ_FILE, REFER = 1 << 2, 1 << 13
SIGNALS = 1 << 1
NO_NEW_PRIVILEGES, SET_DUMPABLE = 38, 4
"""Of prctl."""


def _call(*arguments: object) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(*arguments))


def landlock_version() -> int:
    """Version of Landlock of this system; 0 where it has none."""
    return max(0, _call(CREATE, None, ctypes.c_size_t(0), VERSION)) if sys.platform == "linux" else 0


def close_memory() -> None:
    """Let no process of this user look into the memory of this one, or open its files, with or without Landlock."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)


def hide_files(hidden: Collection[Path], allowed: Collection[Path] = ()) -> bool:
    """Let this process, and those that it starts, never read these files, nor what lies in these folders.

    allowed: folders in hidden ones that may be read. New files beside hidden ones cannot be read either. To be called
    before a second thread is started. Returns whether the system can do that: version 2 is the first that lets a file
    be renamed from one folder to another.
    """
    version = landlock_version()
    if version < 2:
        return False
    # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped.
    rules = (ctypes.c_uint64 * 3)(READ_FILE | REFER, 0, SIGNALS)
    ruleset = _call(CREATE, rules, ctypes.c_size_t(24 if version >= 6 else 8), 0)
    if ruleset < 0:
        return False
    try:
        for path in (*_beside({path.resolve() for path in hidden}), *allowed):
            _allow(ruleset, path)
        prctl = ctypes.CDLL(None).prctl
        return prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and _call(RESTRICT, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _beside(hidden: Collection[Path]) -> Iterator[Path]:
    """All that lies beside hidden files and the folders above them."""
    above = {folder for path in hidden for folder in path.parents}
    for folder in above:
        with suppress(OSError):
            # Through a link that is followed, a hidden file could be reached.
            found = (entry for entry in os.scandir(folder) if not entry.is_symlink())
            yield from (path for entry in found if (path := folder / entry.name) not in above and path not in hidden)


def _allow(ruleset: int, path: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            access = READ_FILE | (REFER if folder else 0)
            # struct landlock_path_beneath_attr, packed: allowed_access, parent_fd.
            beneath = access.to_bytes(8, sys.byteorder) + descriptor.to_bytes(4, sys.byteorder, signed=True)
            _call(ADD, ruleset, PATH_BENEATH, ctypes.c_char_p(beneath), 0)
        finally:
            os.close(descriptor)
