"""What a process may still read and change: files that are allowed one by one, by Landlock (Linux
5.19 on). Elsewhere nothing is restricted.

Source: kernel documentation, "Landlock: unprivileged access control".
"""

import csv
import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

CREATE, ADD, RESTRICT = 444, 445, 446
"""Numbers of Landlock's system calls, which are the same on all machines."""
VERSION, PATH_BENEATH = 1, 1
"""A flag of CREATE, that asks for the version; and the kind of a rule."""
WRITE_FILE, READ_FILE, TRUNCATE = 1 << 1, 1 << 2, 1 << 14
"""Rights to a file; the last from version 3 on."""
ALL_RIGHTS = WRITE_FILE | READ_FILE | 0b11_1111_1111 << 4
"""Also to remove and make files and folders, and to rename from one folder to another."""
NO_NEW_PRIVILEGES = 38
"""Of prctl."""
SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/sys", "/proc"),
    *("/run", "/nix/store", "/gnu/store"),
)
"""What a process may read of the system."""
CACHES = {"XDG_CACHE_HOME": "~/.cache", "HF_HOME": "~/.cache", "TORCH_HOME": "~/.cache"}
"""Where libraries keep weights that they have downloaded: variables, and the usual folder."""

CODE = (".py", ".pyc", ".so", ".dist-info", ".egg-info")
"""Endings of modules, and of what is said of packages."""
LIBRARIES = ".libs"
"""Ending of the folder of shared libraries that a wheel puts beside its package."""


def can_confine() -> bool:
    """Whether this system has Landlock."""
    return sys.platform == "linux" and _call(CREATE, None, ctypes.c_size_t(0), VERSION) >= 2


def confine(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """Let this thread, and those and the processes that it starts, read and change nothing but what
    is named. Folders may still be listed.

    Parameters
    ----------
    readable : iterable of Path
        Files, and folders whose content may be read.
    writable : iterable of Path
        The same, which may be changed too.

    Returns
    -------
    bool
        Whether the system can do that; without Landlock nothing is restricted.
    """
    if not can_confine():
        return False
    version = _call(CREATE, None, ctypes.c_size_t(0), VERSION)
    rights = ALL_RIGHTS | (TRUNCATE if version >= 3 else 0)
    # struct landlock_ruleset_attr: handled_access_fs.
    ruleset = _call(CREATE, (ctypes.c_uint64 * 1)(rights), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(ruleset, path, READ_FILE)
        for path in writable:
            _allow(ruleset, path, rights)
        no_more = ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        return no_more and _call(RESTRICT, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _call(*arguments: object) -> int:
    return int(ctypes.CDLL(None).syscall(*arguments))


def _allow(ruleset: int, path: Path, rights: int) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                rights &= WRITE_FILE | READ_FILE | TRUNCATE
            # struct landlock_path_beneath_attr, packed: allowed_access, parent_fd.
            beneath = struct.pack("=Qi", rights, descriptor)
            _call(ADD, ruleset, PATH_BENEATH, ctypes.c_char_p(beneath), 0)
        finally:
            os.close(descriptor)


def programs() -> Iterator[Path]:
    """What Python, its packages and plugins are read from, and what libraries have downloaded."""
    prefixes = {
        Path(prefix).resolve()
        for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    }
    yield from prefixes
    yield from map(Path, SYSTEM)
    yield from map(Path, filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)))
    for variable, usual in CACHES.items():
        yield Path(os.environ.get(variable) or usual).expanduser()
    for folder in {Path(entry).resolve() for entry in sys.path if entry}:
        if any(folder.is_relative_to(prefix) for prefix in prefixes):
            continue
        # Packages may have libraries in folders that are no packages, as those of CUDA have.
        if folder.is_file() or folder.name in ("site-packages", "dist-packages"):
            yield folder
            continue
        # Such a folder may be a project, with scenes in it: its modules and packages are read.
        with suppress(OSError):
            installed = _installed(folder)
            for path in folder.iterdir():
                is_code = path.suffix in (*CODE, LIBRARIES) or path.name in installed
                if is_code or (path / "__init__.py").is_file():
                    yield path


def _installed(folder: Path) -> set[str]:
    """What pip has put into a folder (``--target``): packages without ``__init__.py``, too."""
    names = {"__pycache__"}
    for record in folder.glob("*.dist-info/RECORD"):
        with record.open(encoding="utf-8", errors="replace", newline="") as file:
            names |= {PurePosixPath(row[0]).parts[0] for row in csv.reader(file) if row and row[0]}
    return names
