"""The processes of a run: each leads a session of its own, and ends with the run, as does what it
started in that session.
"""

import gc
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, parent_process, resource_tracker, util
from multiprocessing.connection import wait
from typing import Any

from hsiaug.base.errors import HsiaugError
from hsiaug.base.signals import AT_LAST, ENDING

START_METHOD = "HSIAUG_START_METHOD"
"""The environment's variable that lets all processes be started as on Windows and macOS: ``spawn``.
"""
LONGEST_SOCKET = 70
"""Bytes of the name of the folder of temporary files at most, so that the name of a socket in it
fits into the 104 that some systems have.
"""
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""What ends a process at once; on Windows any signal does."""


def _forks() -> bool:
    """Whether workers are forked, without a library loaded again for each: not on macOS, whose
    libraries do not survive a fork.
    """
    return (
        sys.platform != "darwin"
        and "forkserver" in multiprocessing.get_all_start_methods()
        and os.environ.get(START_METHOD) != "spawn"
        and len(os.fsencode(tempfile.gettempdir())) <= LONGEST_SOCKET
    )


FORKS = _forks()
CONTEXT: Any = multiprocessing.get_context("forkserver" if FORKS else "spawn")
"""How processes are started."""

_lock = threading.RLock()
"""Held while a process is started or ended: threads of a Dask worker do so at the same time."""
_children: set["Child"] = set()
"""The processes that this one started and that run."""


class Child:
    """A process that this one starts, and this end of the connection to it.

    Parameters
    ----------
    work : callable
        What it does, given the other end of the connection and the arguments. It begins by
        :func:`join_run`.
    """

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=work, args=(theirs, *arguments))
        try:
            with starting(), hold_back():
                self.process.start()
                _children.add(self)
        finally:
            theirs.close()

    def kill(self) -> None:
        """Kill the process, and what it started in its session; another thread finds that it has
        ended.
        """
        with _lock:
            if self in _children:
                for end in (getattr(os, "killpg", os.kill), os.kill):
                    with suppress(OSError):
                        end(self.process.pid, KILL)

    def end(self) -> None:
        """Kill the process, and wait until it has ended."""
        with _lock:
            self.kill()
            # Its number may since be that of another process.
            _children.discard(self)
        self.process.join()
        self.connection.close()


def ending(code: int | None) -> str:
    """The exit code of a process in words; None where it has closed its connection alone."""
    if code is None:
        return "a closed connection"
    if code >= 0:
        return f"exit code {code}"
    known = -code in set(signal.Signals)
    return f"signal {signal.Signals(-code).name if known else -code}"


def join_run() -> None:
    """Begin as a process of a run: it leads a session, which Ctrl-C does not reach, and ends with
    the process that started it. What plugins print goes to standard error.
    """
    if hasattr(os, "setsid"):
        # It leads one already where it was started so.
        with suppress(OSError):
            os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in set(ENDING) - {signal.SIGINT}:
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    # Garbage collection would write into the memory that forked processes share, and so copy it.
    gc.freeze()
    # hsiaug.registry.isolation.fork_server does without both.
    gc.enable()
    if sys.modules.get("pandas", True) is None:
        del sys.modules["pandas"]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        if hasattr(os, "killpg"):
            os.killpg(os.getpid(), KILL)
        os._exit(1)


def load_before_fork(*modules: str) -> None:
    """Let processes that are started from now on share modules, where forks are in use.

    No effect once the server that forks them is there: each then loads its own.
    """
    if FORKS:
        CONTEXT.set_forkserver_preload(["hsiaug.registry.isolation.fork_server", *modules])


def await_fork_server() -> None:
    """Start the server that forks workers, and wait until it has loaded what they share: in the
    main thread, which signals interrupt.

    Raises HsiaugError where the server ends before that.
    """
    server: Any = forkserver._forkserver
    if not FORKS or server._forkserver_pid is not None:
        return
    first = CONTEXT.Process(target=_do_nothing)
    try:
        with starting():
            with hold_back():
                server.ensure_running()
            first.start()
        first.join()
    except (EOFError, ConnectionError) as error:
        raise HsiaugError(
            "the process that starts workers must stay",
            value="it ended while it was loaded",
            hint="Look at limits of memory and time (ulimit -v, -t), and run the same command"
            " again.",
        ) from error


def _do_nothing() -> None:
    pass


@contextmanager
def starting() -> Iterator[None]:
    """Start processes that run this program's script no second time, and begin without modules of
    the current folder (Python 3.11 on), where a numpy.py may be beside a scene.
    """
    main = sys.modules["__main__"]
    with _lock:
        safe = os.environ.get("PYTHONSAFEPATH")
        hidden = {
            name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)
        }
        try:
            os.environ["PYTHONSAFEPATH"] = "1"
            vars(main).pop("__file__", None)
            main.__spec__ = None
            yield
        finally:
            del os.environ["PYTHONSAFEPATH"]
            if safe is not None:
                os.environ["PYTHONSAFEPATH"] = safe
            vars(main).update(hidden)


@contextmanager
def hold_back() -> Iterator[None]:
    """Signals that end a command come after what is within; a process that is started within begins
    with them held back, until it has joined the run.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Python starts it with the first process, and lets these signals through as it does so.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_all() -> None:
    """Kill the processes that are left: Python would wait for them as it ends. Also the server that
    forks workers: it would first load its libraries, and hold the command's output open meanwhile.
    """
    for child in list(_children):
        child.kill()
    server: Any = forkserver._forkserver
    if server._forkserver_pid is not None:
        with suppress(OSError):
            os.kill(server._forkserver_pid, KILL)


AT_LAST.append(end_all)
util.Finalize(None, end_all, exitpriority=0)
