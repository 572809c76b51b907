"""What a process can no longer read, change or open: files by Landlock (Linux 5.19 on), sockets
by seccomp.

Landlock knows what is allowed, not what is forbidden: beside a file that is to be hidden
(:func:`beside`) all is allowed one by one. Through a socket with a path another program of the user
could be asked for hidden files (D-Bus, docker, the server that forks workers).

Sources: kernel documentation, "Landlock" and "Seccomp BPF (SECure COMPuting with filters)".
"""

import ctypes
import errno
import functools
import os
import platform
import re
import socket
import stat
import struct
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

CREATE, ADD, RESTRICT = 444, 445, 446
"""Numbers of Landlock's system calls, which are the same on all machines."""
VERSION, PATH_BENEATH = 1, 1
"""A flag of CREATE, that asks for the version; and the kind of a rule."""
WRITE_FILE, READ_FILE, TRUNCATE = 1 << 1, 1 << 2, 1 << 14
"""Rights to a file; the last from version 3 on."""
ALL_RIGHTS = WRITE_FILE | READ_FILE | 0b11_1111_1111 << 4
"""Also to remove and make files and folders of any kind, and to rename from one folder to another.
"""
MAKE_DEVICES = 1 << 6 | 1 << 11
"""Rights that nobody has: through a device of their own, processes of root could read a disk."""
SIGNALS = 1 << 1
"""To processes that are not confined alike."""
SET_DUMPABLE, SET_FILTER, NO_NEW_PRIVILEGES, BY_FILTER = 4, 22, 38, 2
"""Of prctl."""
MACHINES = {"x86_64": (0xC000003E, 41, 53, 76), "aarch64": (0xC00000B7, 198, 199, 45)}
"""Of the machines that are known: the name that the kernel has for it, and its numbers of the
system calls socket, socketpair and truncate.
"""
IO_URING, OTHER_CALLS = 425, 0x4000_0000
"""Number of the system call by which sockets are opened past the others, the same everywhere; and
the bit of the numbers of a second set of system calls (x32).
"""
NUMBER, MACHINE, DOMAIN, KIND = 0, 4, 16, 24
"""Places in struct seccomp_data: the call, the machine, and the first two arguments."""
LOAD, AND, EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06
"""Instructions of the filter."""
ALLOW, REFUSE = 0x7FFF_0000, 0x0005_0000 | errno.EACCES
WHOLE, DATAGRAMS = 0xFFFF_FFFF, (0xE, socket.SOCK_DGRAM)
STREAMS_AND_DATAGRAMS = 0xC, 0
"""Bits of a value that are looked at: all; those of the kind of a socket, and what they are of
datagrams, and of streams and datagrams.
"""
Sockets = Literal["none", "with a path", "all"]


@functools.cache
def _system() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def _call(*arguments: object) -> int:
    return int(_system().syscall(*arguments))


def _landlock_version() -> int:
    return _call(CREATE, None, ctypes.c_size_t(0), VERSION) if sys.platform == "linux" else 0


def why_open() -> str:
    """Why this system cannot keep a process from files and sockets; "" where it can."""
    if sys.platform != "linux":
        return f"{platform.system()} has no Landlock and no seccomp"
    if _landlock_version() < 2:
        return "this system has no Landlock (Linux 5.19), or forbids it"
    if platform.machine() not in MACHINES:
        return f"the system calls of {platform.machine()} are not known"
    # A filter that is nowhere is refused by that name where filters are known.
    _system().prctl(SET_FILTER, BY_FILTER, None, 0, 0)
    known = ctypes.get_errno() == errno.EFAULT
    return "" if known else "this system has no filters of seccomp, or forbids them"


def broken_promises() -> list[str]:
    """What this system cannot keep of what SECURITY.md promises of plugins."""
    lines = []
    if why := why_open():
        lines.append(
            f"{why}: a plugin can read test labels, and change records, caches and hsiaug"
            " (SECURITY.md, sentences 2 and 3)"
        )
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        lines.append(
            "this system does not list what a process has started (/proc): what a plugin starts"
            " may outlive the command (SECURITY.md, sentence 6)"
        )
    return lines


def close_memory() -> None:
    """Let no process of this user look into the memory of this one, or open its files, with or
    without Landlock.
    """
    if sys.platform == "linux":
        _system().prctl(SET_DUMPABLE, 0, 0, 0, 0)


def confine(readable: Iterable[Path], writable: Iterable[Path], closed: Sockets = "none") -> bool:
    """Let this process, and those that it starts, read and change nothing but what is named, nor
    look into the memory of others, and open no more of some sockets.

    Holds for this thread and those that it starts.

    Parameters
    ----------
    readable : iterable of Path
        Files, and folders whose content may be read.
    writable : iterable of Path
        The same, which may be changed too.
    closed : {"none", "with a path", "all"}
        Sockets that are not opened any more. Pairs of connected ones remain, and with a path those
        of packets (SEQPACKET): CUDA opens one in every process, and hardly anyone else listens so.

    Returns
    -------
    bool
        Whether the system can do that. Without Landlock nothing is restricted; version 2 is the
        first that lets a file be renamed from one folder to another. Where sockets alone cannot be
        closed, files are restricted all the same.
    """
    version = _landlock_version()
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
            _allow(ruleset, path, rights & ~MAKE_DEVICES)
        no_more = _system().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        if not (no_more and _call(RESTRICT, ruleset, 0) == 0):
            return False
    finally:
        os.close(ruleset)
    return closed == "none" or _close_sockets(all_=closed == "all")


def beside(hidden: Collection[Path], below: Path = Path("/")) -> Iterator[Path]:
    """All that a folder holds beside hidden files, and beside the folders above them.

    Nothing can be made or renamed in the latter by a process that is confined to it. Hidden are
    they under every name, and disks, of which root could read all files.
    """
    hidden = {*_under_every_name({path.resolve() for path in hidden}), *_disks()}
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


def _under_every_name(paths: Iterable[Path]) -> Iterator[Path]:
    """Paths, and those of the same files where a file system, or a part of it, is mounted a second
    time.
    """
    # Of several at one place the last is seen.
    seen = {mount.seen: mount for mount in _mounts()}
    for path in paths:
        yield path
        mount = next((seen[above] for above in (path, *path.parents) if above in seen), None)
        for other in _mounts():
            if mount is None or other is mount or other.device != mount.device:
                continue
            place = mount.inside / path.relative_to(mount.seen)
            if place.is_relative_to(other.inside):
                yield other.seen / place.relative_to(other.inside)
            elif other.inside.is_relative_to(place):
                yield other.seen


class _Mount(NamedTuple):
    """A part of a file system, and where it is seen."""

    device: str
    inside: Path
    seen: Path


@functools.cache
def _mounts() -> list[_Mount]:
    """Those of Linux, as proc_pid_mountinfo(5) has them."""
    mounts = []
    with suppress(OSError):
        for line in os.fsdecode(Path("/proc/self/mountinfo").read_bytes()).splitlines():
            device, *names = line.split(" ")[2:5]
            mounts.append(_Mount(device, *(Path(_unescaped(name)) for name in names)))
    return mounts


def _unescaped(name: str) -> str:
    """Spaces, tabs, ends of lines and backslashes are octal numbers there."""
    return re.sub(r"\\(\d{3})", lambda escaped: chr(int(escaped[1], 8)), name)


@functools.cache
def _disks() -> list[Path]:
    """Devices through which root could read all files."""
    return [path for path in Path("/dev").rglob("*") if path.is_block_device()]


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


def _close_sockets(*, all_: bool) -> bool:
    if platform.machine() not in MACHINES:
        return False
    machine, single, pair, truncate = MACHINES[platform.machine()]
    opened = [(NUMBER, WHOLE, single)]
    of_paths = [(DOMAIN, WHOLE, socket.AF_UNIX), (KIND, *STREAMS_AND_DATAGRAMS)]
    # Each a place, the bits that are looked at, and what is found there.
    refused = [
        [(NUMBER, OTHER_CALLS, OTHER_CALLS)],
        [(NUMBER, WHOLE, IO_URING)],
        opened if all_ else [*opened, *of_paths],
        # One of a pair of these can be connected anew.
        [(NUMBER, WHOLE, pair), (KIND, *DATAGRAMS)],
        # Before version 3 (Linux 6.2) Landlock lets a file be emptied by its name.
        *([[(NUMBER, WHOLE, truncate)]] if _landlock_version() < 3 else []),
    ]
    steps = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, machine), (RETURN, 0, 0, REFUSE)]
    for tests in refused:
        for number, (place, mask, value) in enumerate(tests, start=1):
            past = 3 * (len(tests) - number) + 1
            steps += [(LOAD, 0, 0, place), (AND, 0, 0, mask), (EQUAL, 0, past, value)]
        steps.append((RETURN, 0, 0, REFUSE))
    steps.append((RETURN, 0, 0, ALLOW))
    # struct sock_fprog: the number of instructions, and where they are.
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    return int(_system().prctl(SET_FILTER, BY_FILTER, ctypes.c_char_p(program), 0, 0)) == 0
