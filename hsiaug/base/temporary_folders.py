"""Temporary folders: what a process is still writing, under names that tell later processes whose they are.

Nothing here is needed for a store to be right. It tells what a killed process left behind, without waiting. A folder is
removed only where its name and the mark inside it say that hsiaug made it; no symbolic link is followed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from hsiaug.base.files import plain_text

MARK = ".hsiaug"
"""The file that marks a folder which hsiaug made, and may remove."""
NAME = re.compile(r"\..+\.([0-9a-f]{8}-[0-9]+-[0-9]+)\.[0-9a-f]{12}")
"""Name of a temporary folder: its purpose, its owner, and a random part."""

ABANDONED = 3600.0
"""Seconds after which a temporary folder is nobody's, where its process cannot be looked up."""
UNKNOWN = "0"
"""When a process began, where the system does not tell."""


def owner() -> str:
    """This process: its machine, its number and when it began. Numbers are given again, after a reboot for instance."""
    return _owner(os.getpid())


@cache
def _owner(pid: int) -> str:
    return f"{_machine()}-{pid}-{_began(pid)}"


def in_use(name: str) -> bool | None:
    """Whether an :func:`owner` is running; None where it cannot be looked up: on another machine or in a container."""
    machine, _, process = name.partition("-")
    pid, _, began = process.partition("-")
    if os.name != "posix" or machine != _machine() or not pid.isdigit():
        return None
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        # Another user's process may not be signalled, but it is there.
        pass
    now = _began(int(pid))
    return None if UNKNOWN in (began, now) else now == began


@cache
def _machine() -> str:
    """One name per kernel and space of process numbers: containers of one machine do not see each other's."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii"))
    with contextlib.suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _began(pid: int) -> str:
    """When a process began, in ticks since the machine did; "" for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return UNKNOWN
    # A zombie has ended: its parent has not asked for its exit status yet.
    return "" if fields[0] in "ZX" else fields[19]


def mark(folder: Path, what: str) -> None:
    """Write into a folder that hsiaug made it. what: it is, with its name."""
    (folder / MARK).write_text(f"hsiaug {what}\n", encoding="utf-8")


def marked(folder: Path, what: str) -> bool:
    """Whether a folder, no link to one, has that :func:`mark`."""
    return not folder.is_symlink() and plain_text(folder / MARK) == f"hsiaug {what}\n"


@contextmanager
def temporary_folder(folder: Path, name: str) -> Iterator[Path]:
    """A new folder below ``folder``, which is made where it is not there. What is left of it at the end is removed."""
    outer = folder / f".{name}.{owner()}.{uuid.uuid4().hex[:12]}"
    outer.mkdir(parents=True)
    try:
        # The mark stays outside of what is renamed into its place, and is removed last.
        mark(outer, f"temporary folder {outer.name}")
        fresh = outer / "new"
        fresh.mkdir()
        yield fresh
    finally:
        _remove(outer)


def _remove(outer: Path) -> None:
    shutil.rmtree(outer / "new", ignore_errors=True)
    shutil.rmtree(outer, ignore_errors=True)


def abandoned(folder: Path) -> list[Path]:
    """The temporary folders of processes that are no more, and very old ones. Others may be in use."""
    if folder.is_symlink():
        return []
    owners = {path: found[1] for path in folder.iterdir() if (found := NAME.fullmatch(path.name)) and _own(path)}
    if not owners:
        return []
    running, now = {path: in_use(name) for path, name in owners.items()}, _now(folder)
    return [
        path for path, runs in running.items() if (now - newest(path) > ABANDONED if runs is None else not runs)
    ]


def _own(path: Path) -> bool:
    """Whether it has the mark of a temporary folder, or is empty: its process ended just before or after the mark."""
    if marked(path, f"temporary folder {path.name}"):
        return True
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _now(folder: Path) -> float:
    """The time as the file system has it: that of this machine may be another. This one where nothing can be written."""
    try:
        with temporary_folder(folder, "now") as fresh:
            return fresh.stat().st_mtime
    except OSError:
        return time.time()


def sweep(folder: Path) -> None:
    """Remove the temporary folders that are abandoned."""
    # What cannot be listed or removed is left: a store may be read-only, or another process sweeps it too.
    with contextlib.suppress(OSError):
        for path in abandoned(folder):
            _remove(path)


def newest(path: Path) -> float:
    """When a folder or anything in it was last changed; 0 for one that is gone."""
    found = 0.0
    for one in (path, *path.rglob("*")):
        with contextlib.suppress(OSError):
            found = max(found, one.lstat().st_mtime)
    return found


def taken(error: OSError) -> bool:
    """Whether a folder could not be renamed because there is one of that name, even where it cannot be seen yet.

    A folder that another machine made on a shared disk may be invisible here for a minute.
    """
    return error.errno in (errno.ENOTEMPTY, errno.EEXIST)
