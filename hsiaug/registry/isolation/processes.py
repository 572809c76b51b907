"""How the processes of a run are started, and that they end with it."""

import ctypes
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, parent_process, resource_tracker, util
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

from hsiaug.base.errors import HsiaugError, InputError

START_METHOD = "HSIAUG_START_METHOD"
"""The environment's variable that lets all processes be started as on Windows and macOS: ``spawn``.
"""
# Without a library loaded again for each: not on macOS, whose libraries do not survive a fork.
FORKS = (
    sys.platform != "darwin"
    and "forkserver" in multiprocessing.get_all_start_methods()
    and os.environ.get(START_METHOD) != "spawn"
)
CONTEXT: Any = multiprocessing.get_context("forkserver" if FORKS else "spawn")


def load_before_fork(*modules: str) -> None:
    """Let processes that are started from now on share modules, where forks are in use.

    No effect once the server that forks them is there: each then loads its own.
    """
    if FORKS:
        CONTEXT.set_forkserver_preload([*modules, "hsiaug.registry.isolation.frozen"])


DYING = 2.0
"""Seconds in which a server that hung up may end."""
_hiding = threading.RLock()
_leaders: set[int] = set()
"""Numbers of the processes that lead sessions and run."""


@contextmanager
def without_main() -> Iterator[None]:
    """Hide where the program came from: a new process would run that script again, and with it the
    benchmark.

    Nor does it begin with modules of the current folder (Python 3.11 on), where a numpy.py may lie
    beside a scene.
    """
    main = sys.modules["__main__"]
    safe = os.environ.get("PYTHONSAFEPATH", "")
    # Threads of a Dask worker start processes at the same time.
    with _hiding:
        hidden = {
            name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)
        }
        try:
            main.__spec__ = None
            if "__file__" in hidden:
                del main.__file__
            os.environ["PYTHONSAFEPATH"] = "1"
            yield
        finally:
            os.environ["PYTHONSAFEPATH"] = safe
            for name, value in hidden.items():
                setattr(main, name, value)


SET_CHILD_SUBREAPER = 36
"""Of prctl."""
LONGEST_SOCKET = 70
"""Bytes of a folder's name at most, so that the name of a socket in it fits into the 104 that some
systems have.
"""
SHORT_FOLDERS = "/tmp", "/var/tmp", "/dev/shm"


def shorten_sockets() -> None:
    """Let sockets of multiprocessing lie in a folder with a short name, wherever TMPDIR leads.

    As Python does from 3.14 on. Raises InputError where no such folder can be written to.
    """
    usual = tempfile.gettempdir()
    if len(os.fsencode(usual)) <= LONGEST_SOCKET or os.name != "posix":
        return
    with _hiding:
        for folder in SHORT_FOLDERS:
            try:
                tempfile.TemporaryFile(dir=folder).close()
            except OSError:
                continue
            tempfile.tempdir = folder
            try:
                # Made once for this process, which removes it as it ends.
                util.get_temp_dir()
            finally:
                tempfile.tempdir = usual
            return
    rule = (
        f"TMPDIR must have at most {LONGEST_SOCKET} bytes where {' and '.join(SHORT_FOLDERS)} are"
        " not to be had"
    )
    raise InputError(rule, value=usual, hint="Let TMPDIR name another folder.")


def hide_fork_server() -> None:
    """Take the socket of the server that forks workers out of the file system, of Linux.

    It forks for everyone who can name its socket, and asks for no key before Python 3.14: a plugin
    could get a process that is not kept from the labels.
    """
    if FORKS and sys.platform == "linux":
        server: Any = forkserver._forkserver
        with _hiding:
            shorten_sockets()
            server.ensure_running()
            if not server._forkserver_address.startswith("/proc/"):
                held = os.open(server._forkserver_address, os.O_PATH | os.O_CLOEXEC)
                Path(server._forkserver_address).unlink()
                server._forkserver_address = f"/proc/self/fd/{held}"


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Processes that are started within begin with Ctrl-C held back."""
    if hasattr(signal, "pthread_sigmask"):
        # Else it would be started within, and takes every signal in as it starts.
        resource_tracker.ensure_running()
    with hold_back("SIGINT"):
        yield


@contextmanager
def hold_back(name: str) -> Iterator[None]:
    """A signal that comes within is delivered afterwards; a process that is started within begins
    with it held back.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, name)])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take_ctrl_c() -> None:
    """Let Ctrl-C, which was held back while this process was started, interrupt it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def lead_session() -> None:
    """Let this process lead a session of its own: all that plugins start belongs to it, and ends
    with it.
    """
    if hasattr(os, "setsid"):
        # It leads one already where it was started so.
        with suppress(OSError):
            os.setsid()


def _await_end_of_fork_server() -> None:
    """Wait until the server that hung up has ended, or a moment: until then it passes for one that
    runs.
    """
    server: Any = forkserver._forkserver
    if not hasattr(os, "waitid") or server._forkserver_pid is None:
        return
    deadline = time.monotonic() + DYING
    # It is only looked at: whoever starts it again collects it.
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with suppress(ChildProcessError):
        while (
            os.waitid(os.P_PID, server._forkserver_pid, how) is None and time.monotonic() < deadline
        ):
            time.sleep(0.01)


def start_leader(process: BaseProcess) -> None:
    """Start a process that leads a session, and hold it to be one that runs on until
    :func:`end_leader`.

    Raises HsiaugError where the server that forks it ends before it has, and does so again.
    """
    # Another process must not start that server, which would not load what workers share.
    forks = FORKS and isinstance(process, CONTEXT.Process)
    with without_main(), without_ctrl_c():
        for last in (False, True):
            if forks:
                hide_fork_server()
            try:
                process.start()
                break
            except (EOFError, ConnectionError) as error:
                if last:
                    rule = "the process that starts workers must stay"
                    hint = (
                        "Look at limits of memory and time (ulimit -v, -t), and run the same"
                        " command again."
                    )
                    found = "it ended while it was loaded, twice"
                    raise HsiaugError(rule, value=found, hint=hint) from error
                _await_end_of_fork_server()
        assert process.pid is not None
        _leaders.add(process.pid)


def end_leader(process: BaseProcess) -> None:
    """Kill a process that leads a session, and all that it started, in sessions of their own too,
    of Linux.
    """
    with _hiding:
        assert process.pid is not None
        begun = _started_by(process.pid)
        _kill_group(process.pid)
        process.kill()
        process.join()
        _leaders.discard(process.pid)
        _kill(begun)


def run_leader(process: BaseProcess) -> int:
    """Run a process that leads a session, and end with it all that it started; its exit code.

    Ctrl-C and Ctrl-Z are passed on to it.
    """
    adopt_orphans()
    start_leader(process)
    others = set(_children(os.getpid()))

    def pass_on(number: int, frame: object) -> None:
        # Where there are no sessions, it hears of Ctrl-C itself.
        if hasattr(os, "setsid") and process.pid is not None:
            os.kill(process.pid, number)

    before = signal.signal(signal.SIGINT, pass_on)
    try:
        with suspending():
            process.join()
    finally:
        signal.signal(signal.SIGINT, before)
        code = process.exitcode
        end_leader(process)
        for pid in set(_children(os.getpid())) - others:
            _kill([*_started_by(pid), pid])
    assert code is not None
    return code


@contextmanager
def suspending() -> Iterator[None]:
    """Meanwhile Ctrl-Z, of a terminal, suspends processes that lead sessions too, and they go on
    with this one.
    """
    if not hasattr(signal, "SIGTSTP") or signal.getsignal(signal.SIGTSTP) != signal.SIG_DFL:
        yield
        return

    def suspend(number: int, frame: object) -> None:
        _signal_leaders(signal.SIGSTOP)
        signal.signal(number, signal.SIG_DFL)
        # Within this call the process is stopped, until it is to go on.
        os.kill(os.getpid(), number)
        signal.signal(number, suspend)
        _signal_leaders(signal.SIGCONT)

    signal.signal(signal.SIGTSTP, suspend)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)


def adopt_orphans() -> None:
    """Let this process, of Linux, become the parent of what its descendants leave behind as they
    end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_strays() -> None:
    """Kill what processes that have ended left behind in sessions of their own, of Linux.

    The server that forks workers has inherited it (:mod:`hsiaug.registry.isolation.frozen`).
    """
    server: Any = forkserver._forkserver
    with _hiding:
        if server._forkserver_pid is not None:
            strays = [pid for pid in _children(server._forkserver_pid) if pid not in _leaders]
            for pid in strays:
                _kill([*_started_by(pid), pid])


def _signal_leaders(number: int) -> None:
    """Send a signal to all that lead a session, and to what they started there."""
    for pid in tuple(_leaders):
        with suppress(OSError):
            os.killpg(pid, number)


def _kill_group(pid: int) -> None:
    if hasattr(os, "killpg"):
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _started_by(pid: int) -> list[int]:
    """The numbers of all processes that descend from one."""
    descend = _children(pid)
    for one in descend:
        descend += _children(one)
    return descend


def _children(pid: int) -> list[int]:
    numbers: list[int] = []
    # One may end meanwhile.
    with suppress(OSError):
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            numbers += map(int, path.read_text().split())
    return numbers


def end_with_parent() -> None:
    """Let this process, and what it started, end as soon as the one that started it has."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        end_with_all()


def end_with_all() -> NoReturn:
    """End this process, which leads a session, and all that it started."""
    _kill(_started_by(os.getpid()))
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        _kill_group(os.getpid())
    os._exit(1)
