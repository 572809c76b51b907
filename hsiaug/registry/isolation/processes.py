"""The processes of a run: each leads a session of its own, answers through a connection, and ends
with the run, as does all that it started.
"""

import ctypes
import gc
import multiprocessing
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, parent_process, resource_tracker, util
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from hsiaug.base.errors import HsiaugError
from hsiaug.base.signals import AT_LAST, COMMAND, ENDING

T = TypeVar("T")

START_METHOD = "HSIAUG_START_METHOD"
"""The environment's variable that lets all processes be started as on Windows and macOS: ``spawn``.
"""
LONGEST_SOCKET = 70
"""Bytes of the name of the folder of temporary files at most, so that the name of a socket in it
fits into the 104 that some systems have.
"""


def _short_names() -> bool:
    with suppress(OSError):
        return len(os.fsencode(tempfile.gettempdir())) <= LONGEST_SOCKET
    return False


# Without a library loaded again for each: not on macOS, whose libraries do not survive a fork.
FORKS = (
    sys.platform != "darwin"
    and "forkserver" in multiprocessing.get_all_start_methods()
    and os.environ.get(START_METHOD) != "spawn"
    and _short_names()
)
SPAWN: Any = multiprocessing.get_context("spawn")
CONTEXT: Any = multiprocessing.get_context("forkserver") if FORKS else SPAWN
"""How workers are started."""
WHOLE_WITHIN = 60.0
"""Seconds in which a message comes whole that has begun."""
MOST_PRINTED = 10**6
"""Bytes of what a process of plugins prints that are shown."""
MORE_PRINTED = b"\n[a plugin prints more than 1 MB: the rest is left out]\n"
LAST_PRINTED = 0.5
"""Seconds in which what a process printed last is shown, where one that it left could print more.
"""
SET_CHILD_SUBREAPER, SET_PARENT_DEATH_SIGNAL = 36, 1
"""Of prctl."""
LOOK = 0.2
"""Seconds after which a process that waits for another looks whether it is still to wait."""
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""What ends a process at once; on Windows any signal does."""

_lock = threading.RLock()
"""Held while a process is started or ended: threads of a Dask worker do so at the same time."""
_children: dict[int, "Child"] = {}
"""The processes that this one started and that run, by their numbers."""


class Child:
    """A process that this one starts, and this end of the connection to it.

    Parameters
    ----------
    work : callable
        What it does, given the other end of the connection and the arguments. It begins by
        :func:`join_run`.
    context : multiprocessing.context
        How it is started: CONTEXT after :func:`await_fork_server`.
    environment : mapping of str to str or None
        Its variables, as the system shows them too; None: those of this process. Of forked ones
        those with which their server was started.
    """

    def __init__(
        self,
        work: Callable[..., None],
        *arguments: object,
        context: Any = SPAWN,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.pid = 0
        self.connection, theirs = context.Pipe()
        printed, prints = context.Pipe(duplex=False)
        self.process = context.Process(target=_begin, args=(prints, work, theirs, *arguments))
        self._showing = threading.Thread(target=_show, args=(printed,), daemon=True)
        try:
            with starting(environment), hold_back(*ENDING):
                self.process.start()
                self.pid = self.process.pid
                _children[self.pid] = self
            self._showing.start()
        except BaseException:
            # Nobody else knows of it.
            self.end()
            raise
        finally:
            theirs.close()
            prints.close()

    def kill(self) -> None:
        """Kill the process, of which another thread finds that it has ended."""
        with _lock:
            if self.pid in _children:
                end_trees([self.pid])

    def end(self) -> None:
        """Kill the process and all that it started; on Linux, in sessions of their own too."""
        with _lock:
            # Once: its number may since be that of another process.
            if _children.pop(self.pid, None) is not None:
                end_trees([self.pid])
                self.process.join()
                self.connection.close()
                if self._showing.ident is not None:
                    self._showing.join(LAST_PRINTED)

    def await_end(self, seconds: float) -> None:
        """Wait for it to end by itself. Not by ``join``, which takes what a plugin writes into all
        open files for the end, and then waits without a limit.
        """
        until = time.monotonic() + seconds
        while self.process.exitcode is None and time.monotonic() < until:
            time.sleep(0.02)

    @property
    def ending(self) -> str:
        """How it ended: ``exit code 3`` or ``signal SIGKILL``."""
        return ending(self.process.exitcode)


def _begin(prints: Connection, work: Callable[..., None], *arguments: object) -> None:
    """What a child does first: all that it prints goes to the process that started it, whatever
    prints it.
    """
    if os.name == "posix":
        os.dup2(prints.fileno(), 2)
    prints.close()
    work(*arguments)


def _show(printed: Connection) -> None:
    """Show what a child prints, as far as it may, until nobody can print any more."""
    left = MOST_PRINTED
    with printed, suppress(OSError):
        while data := os.read(printed.fileno(), 2**16):
            # Where nobody takes it, the child prints all the same.
            with suppress(OSError):
                os.write(2, data[:left] + (MORE_PRINTED if 0 < left < len(data) else b""))
            left = max(0, left - len(data))


def receive(connection: Connection, most: int) -> bytes:
    """A message whose beginning is there. Raises OSError for more bytes than most, and EOFError
    where it does not come whole: a process may send it bit by bit, for ever.
    """
    late = threading.Timer(WHOLE_WITHIN, _shut, [connection])
    late.daemon = True
    late.start()
    try:
        return connection.recv_bytes(most)
    finally:
        late.cancel()


def _shut(connection: Connection) -> None:
    """End what is read here, where connections are sockets."""
    if os.name == "posix":
        with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as pipe:
            pipe.shutdown(socket.SHUT_RD)


def ending(code: int | None) -> str:
    """The exit code of a process in words; None where it has closed its connection alone."""
    if code is None:
        return "a closed connection"
    if code >= 0:
        return f"exit code {code}"
    known = -code in set(signal.Signals)
    return f"signal {signal.Signals(-code).name if known else -code}"


class Channel:
    """The child's end of the connection. Messages are whole, whatever plugins and threads do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def send(self, message: bytes) -> None:
        """Send a message."""
        if os.getpid() != self._pid:
            # A copy of this process, which a plugin forked and which came back from its call.
            os._exit(0)
        with self._lock:
            try:
                self._connection.send_bytes(message)
            except OSError:
                # Nobody hears this process any more: its parent has ended, or a plugin closed it.
                os._exit(1)

    def receive(self) -> Any:
        """The next request; the process ends where there is none any more."""
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            # Not by the interpreter's shutdown, which would wait for threads that plugins left, and
            # can abort.
            os._exit(0)


def join_run(ctrl_c: Any = signal.SIG_IGN) -> None:
    """Begin as a process of a run: it leads a session, and ends with the process that started it.
    What plugins print goes to standard error.

    Parameters
    ----------
    ctrl_c : handler of signals
        Of Ctrl-C, which was held back until now.
    """
    if hasattr(os, "setsid"):
        # It leads one already where it was started so.
        with suppress(OSError):
            os.setsid()
    signal.signal(signal.SIGINT, ctrl_c)
    for number in set(ENDING) - {signal.SIGINT}:
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    # What it leaves behind is found below it when it is ended.
    adopt_orphans()
    _leave_servers()
    # Garbage collection would write into the memory that forked processes share, and so copy it.
    gc.freeze()
    # hsiaug.registry.isolation.fork_server does without.
    gc.enable()
    if "pandas" in sys.modules and sys.modules["pandas"] is None:
        # hsiaug.registry.isolation.fork_server: plugins may import it.
        del sys.modules["pandas"]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(2, 1)
    sys.stdout = sys.stderr = open(  # noqa: SIM115
        2, "w", 1, "utf-8", "backslashreplace", closefd=False
    )


def _leave_servers() -> None:
    """Close the connections to two processes that serve the command: that which removes shared
    memory, for all that it has started, and that which forks workers. Through them a plugin could
    have any memory removed, or end the other. This process has its own.
    """
    tracker: Any = resource_tracker._resource_tracker
    server = _fork_server()
    for descriptor in (tracker._fd, server._forkserver_alive_fd):
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)
    tracker._fd = tracker._pid = None
    server._forkserver_alive_fd = server._forkserver_address = server._forkserver_pid = None


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        end_trees([*_children_of(os.getpid()), os.getpid()])
        os._exit(1)


# --- how they are started


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
    server = _fork_server()
    if not FORKS or server._forkserver_pid is not None:
        return
    first = CONTEXT.Process(target=_do_nothing)
    try:
        with starting(without_secrets(os.environ)):
            with hold_back(*ENDING):
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
    except BaseException:
        end_trees(filter(None, [server._forkserver_pid]))
        raise


def _do_nothing() -> None:
    pass


def _fork_server() -> Any:
    return forkserver._forkserver


SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|COOKIE|API_?KEY|(^|_)(KEY|PAT|PWD|DSN)(_|$)"
    r"|AUTH|DBUS|NETRC",
    re.IGNORECASE,
)
"""Names of variables that plugins are not shown."""
PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")
"""In an address."""


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that say nothing of what only the user may know."""
    return {
        name: value
        for name, value in environment.items()
        if (name == "PWD" or not SECRET.search(name)) and not PASSWORD.search(value)
    }


@contextmanager
def starting(environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """Start processes that run this program's script no second time, and begin without modules of
    the current folder (Python 3.11 on), where a numpy.py may lie beside a scene.

    Parameters
    ----------
    environment : mapping of str to str or None
        Their variables, None: those of this process. Of a running process the system shows those
        that it was started with, whatever it has deleted since.
    """
    own_children()
    main = sys.modules["__main__"]
    with _lock:
        before = dict(os.environ)
        hidden = {
            name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)
        }
        safe = {"PYTHONSAFEPATH": "1"}
        try:
            os.environ.update(safe)
            if os.name == "posix":
                # Else it would be started within, and takes every signal in as it starts.
                resource_tracker.ensure_running()
            if environment is not None:
                os.environ.clear()
            os.environ.update(environment or {}, **safe)
            vars(main).pop("__file__", None)
            main.__spec__ = None
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            vars(main).update(hidden)


@contextmanager
def hold_back(*numbers: int) -> Iterator[None]:
    """Signals that come within are delivered afterwards; a process that is started within begins
    with them held back.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    came: list[int] = []
    handlers: dict[int, Any] = {}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        if threading.current_thread() is threading.main_thread():
            # Another thread may take what this one holds back; Python calls its handler in this
            # one all the same.
            for number in numbers:
                if callable(signal.getsignal(number)):
                    handlers[number] = signal.signal(number, lambda one, _: came.append(one))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


# --- how they are ended


_before: set[int] | None = None
"""The children that a command had before it started any here."""
_owner = 0
"""The number of the process that ends its children as it ends: a fork of it does not, yet."""


def own_children() -> None:
    """Let this process end its children as it ends, and in a command what their descendants leave,
    which it adopts.
    """
    global _before, _owner
    if _owner != os.getpid():
        _owner = os.getpid()
        util.Finalize(None, end_all, exitpriority=0)
        if COMMAND[-1:] == [_owner]:
            _before = set(_children_of(_owner))
            adopt_orphans()


def spare_others() -> None:
    """Let what this process starts otherwise outlive it, as a browser."""
    global _before
    own_children()
    _before = None


def end_all() -> None:
    """Kill the processes that are left, such as one whose owner Ctrl-C interrupted before it knew
    of it: Python would wait for them as it ends. Also the server that forks workers, which would
    take a second to end by itself; in a command, all that these have left.

    At once, whoever holds the lock.
    """
    left = {*_children, *filter(None, [_fork_server()._forkserver_pid])}
    if _before is not None:
        tracker: Any = resource_tracker._resource_tracker
        left |= set(_children_of(os.getpid())) - {*_before, tracker._pid}
    end_trees(left)


AT_LAST.append(end_all)


def adopt_orphans() -> None:
    """Let this process, of Linux, become the parent of what its descendants leave behind as they
    end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_as_parent_ends(yes: bool) -> None:
    """Let this process, of Linux, be killed where the thread ends that started it, or not."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, KILL if yes else 0, 0, 0, 0)


def end_strays() -> None:
    """Kill what processes that have ended left behind in sessions of their own, of Linux.

    The server that forks workers has inherited it (:mod:`hsiaug.registry.isolation.fork_server`).
    """
    with _lock:
        if (server := _fork_server()._forkserver_pid) is not None:
            end_trees(set(_children_of(server)) - _children.keys())


def end_trees(pids: Iterable[int]) -> None:
    """Kill processes, what they started in sessions that they lead and, of Linux, all else that
    they started.
    """
    for number in [one for pid in pids for one in (pid, *_descendants(pid))]:
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(number, KILL)
        with suppress(OSError):
            os.kill(number, KILL)


def _descendants(pid: int) -> list[int]:
    descendants = _children_of(pid)
    for child in descendants:
        descendants += _children_of(child)
    return descendants


def _children_of(pid: int) -> list[int]:
    """The numbers of the processes that one started; of Linux."""
    numbers: list[int] = []
    # One may end meanwhile.
    with suppress(OSError):
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            numbers += map(int, path.read_text().split())
    return numbers
