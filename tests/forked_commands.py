"""Commands in processes of their own, which begin with their libraries loaded.

A command that is started anew loads libraries for seconds, and so do the processes that it starts.
Here a server loads them once and forks a process for each command. What that process starts by
``python -c``, as multiprocessing does, is forked too, from a copy of the server in which nothing
has run. All else is a process as any other: environment, folder, output, exit code and signals.

A command is started anew where that could make a difference: where variables are set that Python or
a library reads as it starts, and where a folder that comes first on the path holds a module of the
name of one that is loaded.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import pickle
import re
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import util
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["AVAILABLE", "hides_a_module", "run_module", "starts_otherwise"]

AVAILABLE = sys.platform == "linux"
"""Whether commands can be forked here."""
MODULES = (
    "hsiaug.cli.main",
    "hsiaug.cli.benchmark_run",
    "hsiaug.bench.engines.local",
    "hsiaug.report.answers",
    "hsiaug.report.views",
    "hsiaug.report.views",
    "imblearn.over_sampling",
    "matplotlib.figure",
    "pandas",
    "scipy.ndimage",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.svm",
    "torch",
)
"""What the server loads. Not ``hsiaug.registry.isolation.fork_server``, which changes the process
that loads it."""
READ_AT_START = re.compile(
    r"PYTHON(?!PATH$)|HSIAUG_START_METHOD$|MPL|LD_|LANG|LC_|TERM|NO_COLOR$|FORCE_COLOR$|PY_COLORS$"
    r"|GITHUB_ACTIONS$|MALLOC_"
)
"""Names of variables that are read once, as Python starts or a library is loaded."""
CUSTOM = {"sitecustomize", "usercustomize"}
"""Modules that Python imports as it starts."""
STANDBYS = {"forkserver": 1}
"""Copies of the server for the processes that a command starts, by the module of multiprocessing
that they run: the server that forks workers, and processes of packages."""
LARGEST = 2**20
"""Bytes of a request."""
LARGE_PAGE, COLLAPSE = 2**21, 25
"""Bytes; and, of madvise, to make such pages of small ones."""
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Request:
    """A command: module that is run, words behind it, environment, and folder."""

    module: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str


@dataclass(frozen=True)
class Start:
    """A process that a command starts: the words behind ``python``, the numbers of the files that
    it inherits, and what else a process hands down."""

    words: tuple[str, ...]
    files: tuple[int, ...]
    environment: Mapping[str, str]
    folder: str
    blocked: frozenset[int]


def run_module(
    module: str, *words: str, env: Mapping[str, str], cwd: Path | None
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m MODULE WORDS`` in a forked process, and wait for its end and that of all that
    could write to its output.
    """
    request = Request(module, words, dict(env), str(cwd or Path.cwd()))
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    connection = _server()
    try:
        socket.send_fds(connection, [pickle.dumps(request)], [out_end, err_end])
    finally:
        os.close(out_end)
        os.close(err_end)
    pid = json.loads(connection.recv(LARGEST))
    texts: dict[int, str] = {}

    def read(file: int) -> None:
        with open(file) as stream:
            texts[file] = stream.read()

    reader = threading.Thread(target=read, args=(err,))
    reader.start()
    try:
        read(out)
        reader.join()
    except BaseException:
        # The limit of the test, or Ctrl-C.
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        code = json.loads(connection.recv(LARGEST))
    return subprocess.CompletedProcess(words, code, texts[out], texts[err])


@functools.cache
def _server() -> socket.socket:
    """The connection to the server of this process, which is started with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        number = theirs.fileno()
        code = f"from tests.forked_commands import serve; serve({number})"
        server = subprocess.Popen([sys.executable, "-c", code], pass_fds=[number], cwd=ROOT)

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


def serve(number: int) -> None:
    """Fork a process for each command that is asked for, and answer its number and its exit code,
    until the other end of the socket ``number`` is closed.
    """
    connection = socket.socket(fileno=number)
    connection.set_inheritable(False)
    # Of what is loaded nothing is garbage.
    gc.disable()
    for module in MODULES:
        importlib.import_module(module)
    # As in tests/conftest.py.
    os.fsync = os.fstat
    gc.freeze()
    gc.enable()
    path = sys.path[1:]
    for folder in filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        path.remove(folder)
    while True:
        data, files, _, _ = socket.recv_fds(connection, LARGEST, 2)
        if not data:
            return
        pid = os.fork()
        if pid == 0:
            connection.close()
            _become_command(pickle.loads(data), files, path)
            return
        for file in files:
            os.close(file)
        connection.send(json.dumps(pid).encode())
        _, status = os.waitpid(pid, 0)
        connection.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())


def _become_command(request: Request, files: Sequence[int], path: Sequence[str]) -> None:
    """Run a command in this process, to its end. path: what follows the folders of the request."""
    for file, number in zip(files, (1, 2), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request.folder)
    given = request.environment
    other_start = starts_otherwise(given, os.environ)
    first = [request.folder]
    first += filter(None, given.get("PYTHONPATH", "").split(os.pathsep))
    os.environ.clear()
    os.environ.update(given)
    if other_start or any(map(hides_a_module, first)):
        words = [sys.executable, "-m", request.module, *request.words]
        os.execve(sys.executable, words, dict(given))
    sys.path[:] = [*first, *path]
    tempfile.tempdir = None
    # They belong to the terminal or the file that the server began with.
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    _fork_what_is_started()
    sys.argv = [request.module, *request.words]
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


def starts_otherwise(given: Mapping[str, str], here: Mapping[str, str]) -> bool:
    """Whether Python and libraries start otherwise in the environment ``given`` than in that of the
    server, which computes with one thread."""
    changed = {name for name in {*given, *here} if given.get(name) != here.get(name)}
    # Commands that ran in the process of the tests leave the variables of one thread behind.
    return any(
        READ_AT_START.match(name) or (name.endswith("_THREADS") and given.get(name, "1") != "1")
        for name in changed
    )


def hides_a_module(folder: str) -> bool:
    """Whether a folder that comes first on the path holds a module in place of which another one is
    loaded, or which Python would import as it starts."""
    for file in Path(folder).iterdir() if Path(folder).is_dir() else ():
        if file.suffix not in (".py", ".so", ".pyc") and not (file / "__init__.py").exists():
            continue
        name = file.name.split(".")[0]
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if name in CUSTOM or (name in sys.modules and not (loaded or "").startswith(str(file))):
            return True
    return False


def _fork_what_is_started() -> None:
    """Let the first processes that multiprocessing starts in this one be copies of what it is
    now."""
    standbys = {module: [_standby() for _ in range(n)] for module, n in STANDBYS.items()}
    started_anew = util.spawnv_passfds

    def start(path: Any, words: Sequence[Any], files: Sequence[int]) -> int:
        texts = tuple(map(os.fsdecode, words))
        run = re.search(r"from multiprocessing\.(\w+) import", " ".join(texts))
        waiting = standbys.get(run[1], []) if run else []
        if not waiting:
            return started_anew(path, words, files)
        pid, connection = waiting.pop()
        blocked = frozenset(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, [])))
        begun = Start(texts, tuple(files), dict(os.environ), str(Path.cwd()), blocked)
        with connection:
            socket.send_fds(connection, [pickle.dumps(begun)], files)
        return pid

    util.spawnv_passfds = start


def _standby() -> tuple[int, socket.socket]:
    """A copy of this process that waits for what it is to run: its number, and the connection to
    it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, ours
    try:
        ours.close()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        data, files, _, _ = socket.recv_fds(theirs, LARGEST, 64)
        theirs.close()
        if data:
            _become_process(pickle.loads(data), files)
    finally:
        os._exit(1)


def _become_process(start: Start, files: Sequence[int]) -> NoReturn:
    """Run ``python -c`` in this process, to its end."""
    code = 0
    try:
        _number_files(files, start.files)
        os.environ.clear()
        os.environ.update(start.environment)
        os.chdir(start.folder)
        at = start.words.index("-c")
        sys.argv = ["-c", *start.words[at + 2 :]]
        signal.pthread_sigmask(signal.SIG_SETMASK, start.blocked)
        exec(compile(start.words[at + 1], "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _number_files(files: Sequence[int], numbers: Sequence[int]) -> None:
    """Give open files the numbers that they have in the process that handed them over, and close
    all others, but standard input and output."""
    highest = max((*files, *numbers, 2)) + 1
    for shift, file in enumerate(files):
        os.dup2(file, highest + shift)
    os.closerange(3, highest)
    for shift, number in enumerate(numbers):
        os.dup2(highest + shift, number)
    os.closerange(highest, highest + len(files))
