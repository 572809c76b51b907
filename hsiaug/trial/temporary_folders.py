"""Temporary folders: what a process is still writing, under names that tell later processes whose they are.

Nothing here is needed for a store to be right. It tells what a killed process left behind, without waiting.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

__all__ = ["ABANDONED", "abandoned", "gone", "owner", "sweep", "taken", "temporary_folder"]

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


def gone(name: str) -> bool:
    """True where an :func:`owner` is demonstrably no more: a process of this machine, and none such is running.

    The process of another machine, or of another container, cannot be looked up: False.
    """
    machine, _, process = name.partition("-")
    pid, _, began = process.partition("-")
    if os.name != "posix" or machine != _machine() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        # Another user's process may not be signalled, but it is there.
        pass
    return _began(int(pid)) not in (began, UNKNOWN)


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


@contextmanager
def temporary_folder(folder: Path, name: str) -> Iterator[Path]:
    """A new folder in ``folder``, which is made where it is not there. What is left of it at the end is removed."""
    fresh = folder / f".{name}.{owner()}.{uuid.uuid4().hex[:12]}"
    fresh.mkdir(parents=True)
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def abandoned(folder: Path) -> list[Path]:
    """The temporary folders of processes that are no more, and very old ones. Others may be in use."""
    others = [path for path in folder.iterdir() if path.name.startswith(".")]
    if not others:
        return []
    now = _now(folder)
    return [path for path in others if gone(path.name.split(".")[-2]) or _old(path, now)]


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
            shutil.rmtree(path, ignore_errors=True)


def _old(path: Path, now: float) -> bool:
    try:
        return now - path.stat().st_mtime > ABANDONED
    except FileNotFoundError:
        return False


def taken(error: OSError) -> bool:
    """Whether a folder could not be renamed because there is one of that name, even where it cannot be seen yet.

    A folder that another machine made on a shared disk may be invisible here for a minute.
    """
    return error.errno in (errno.ENOTEMPTY, errno.EEXIST)
