"""What a plugin runs in asks no other program of the user through a socket."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hsiaug.registry.isolation.confinement import why_open
from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install

pytestmark = pytest.mark.skipif(
    bool(why_open()),
    reason="sockets cannot be closed here",
)
ASKS = '''
import ctypes, os, socket, struct

STREAM, DATAGRAM, ABSTRACT = ADDRESSES


def ask(address, kind):
    with socket.socket(socket.AF_UNIX, kind) as client:
        client.settimeout(2)
        client.connect(address)


def ask_from_a_pair(kind):
    for end in socket.socketpair(socket.AF_UNIX, kind):
        end.connect(DATAGRAM)


def ask_in_a_fork():
    pid = os.fork()
    if not pid:
        try:
            ask(STREAM, socket.SOCK_STREAM)
            os._exit(0)
        except OSError:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise PermissionError


def by_number(number, *arguments):
    """A socket that the C library does not open."""
    if ctypes.CDLL(None).syscall(number, *arguments) < 0:
        raise PermissionError


def answered():
    """What could be asked."""
    ways = {
        "a stream": lambda: ask(STREAM, socket.SOCK_STREAM),
        "datagrams": lambda: ask(DATAGRAM, socket.SOCK_DGRAM),
        "no path": lambda: ask(ABSTRACT, socket.SOCK_STREAM),
        "a pair": lambda: ask_from_a_pair(socket.SOCK_DGRAM),
        "a raw pair": lambda: ask_from_a_pair(socket.SOCK_RAW),
        "a fork": ask_in_a_fork,
        "io_uring": lambda: by_number(425, 2, ctypes.create_string_buffer(120)),
        "other calls": lambda: by_number(0x40000000 + 41, 1, 1, 0),
    }
    found = []
    for name, way in ways.items():
        try:
            way()
            found.append(name)
        except OSError:
            pass
    ours, theirs = socket.socketpair()
    ours.send(b"?")
    if theirs.recv(1) != b"?":
        found.append("not even a pair")
    return found

'''


@pytest.fixture
def asks() -> Iterator[str]:
    """Code that asks servers of this process; they are there for as long as the test."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))
        addresses = [f"{folder}/stream", f"{folder}/datagrams", f"\0hsiaug-test-{os.getpid()}"]
        kinds = [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM]
        for address, kind in zip(addresses, kinds, strict=True):
            server = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
            server.bind(address)
            if kind == socket.SOCK_STREAM:
                server.listen(64)
        yield ASKS.replace("ADDRESSES", repr(addresses))


def test_a_worker_reaches_no_program_through_a_socket(asks: str, tmp_path: Path) -> None:
    code = DUMMY.replace('{"note": "dummy"}', '{"note": "dummy", "answered": answered()}')
    env = environment(install(tmp_path / "site", "dummy_plugin", asks + code))
    words = ("benchmark", "toy", "--generator", "dummy", "--classifier", "nearest", "--patch", "3")
    quick = ("--seeds", "1", "--view", "raw", "--lambda", "0.5", "--jobs", "1", "--store", "store")

    def reached(isolate: str) -> set[tuple[str, ...]]:
        named = (*words, *quick, "--isolate", isolate, "--set", f"dummy.gain={len(isolate) / 3}")
        done = hsiaug(*named, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        records = [one["provenance"] for one in Store(tmp_path / "store").records()]
        return {tuple(one["answered"]) for one in records if "answered" in one}

    assert reached("on") == {()}
    # The servers answer where nothing is closed.
    assert {"a stream", "datagrams", "no path", "a pair", "a fork"} <= set().union(
        *map(set, reached("off"))
    )


def test_a_package_that_is_imported_reaches_no_program_through_a_socket(
    asks: str, tmp_path: Path
) -> None:
    code = f"{asks}\nif found := answered():\n    raise ValueError(found)\n"
    env = environment(install(tmp_path / "site", "dummy_plugin", code + DUMMY))
    done = hsiaug("plugins", "info", "dummy", env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
