"""Sockets that a process can no longer open: by seccomp, on Linux.

Through a socket with a path another program of the user could be asked for files that are hidden
(D-Bus, docker, the server that forks workers).

Source: kernel documentation, "Seccomp BPF (SECure COMPuting with filters)".
"""

import ctypes
import errno
import platform
import socket
import struct
import sys

MACHINES = {"x86_64": (0xC000003E, 41, 53), "aarch64": (0xC00000B7, 198, 199)}
"""Of the machines that are known: the name that the kernel has for it, and its numbers of the
system calls socket and socketpair.
"""
IO_URING = 425
"""Number of the system call by which sockets are opened past the others; the same everywhere."""
OTHER_CALLS = 0x4000_0000
"""Bit of the numbers of a second set of system calls (x32)."""
NUMBER, MACHINE, DOMAIN, KIND = 0, 4, 16, 24
"""Places in struct seccomp_data: the call, the machine, and the first two arguments."""
LOAD, AND, EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06
"""Instructions of the filter."""
ALLOW, REFUSE = 0x7FFF_0000, 0x0005_0000 | errno.EACCES
WHOLE = 0xFFFF_FFFF
"""All bits are looked at."""
DATAGRAMS = 0xE, socket.SOCK_DGRAM
STREAMS_AND_DATAGRAMS = 0xC, 0
"""Bits of the kind of a socket that are looked at, and what they are."""
SET_FILTER, BY_FILTER, NO_NEW_PRIVILEGES = 22, 2, 38
"""Of prctl."""

Test = tuple[int, int, int]
"""Place, mask, and the value that is found there."""


def closes_sockets() -> bool:
    """Whether this machine is one whose system calls are known."""
    return sys.platform == "linux" and platform.machine() in MACHINES


def close_sockets(*, all_: bool) -> bool:
    """Let this process, and those that it starts, open no socket with a path, but of packets
    (SEQPACKET).

    Pairs of connected sockets remain. Holds for this thread and those that it starts.

    Parameters
    ----------
    all_ : bool
        No other socket either.

    Returns
    -------
    bool
        Whether the system can do that; else nothing is closed.
    """
    if not closes_sockets():
        return False
    machine, single, pair = MACHINES[platform.machine()]
    opened: list[Test] = [(NUMBER, WHOLE, single)]
    # Of the third kind, SEQPACKET, CUDA opens one in every process; hardly anyone else listens so.
    of_paths: list[Test] = [(DOMAIN, WHOLE, socket.AF_UNIX), (KIND, *STREAMS_AND_DATAGRAMS)]
    refused = [
        [(NUMBER, OTHER_CALLS, OTHER_CALLS)],
        [(NUMBER, WHOLE, IO_URING)],
        opened if all_ else [*opened, *of_paths],
        # One of a pair of these can be connected anew.
        [(NUMBER, WHOLE, pair), (KIND, *DATAGRAMS)],
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
    system = ctypes.CDLL(None)
    system.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    return bool(system.prctl(SET_FILTER, BY_FILTER, ctypes.c_char_p(program), 0, 0) == 0)
