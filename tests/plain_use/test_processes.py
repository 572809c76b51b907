"""Every process that is started ends with the run, however plugins started it and however the run
ends.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hsiaug.trial.store import Store
from tests.processes import Process
from tests.third_party import DUMMY, environment, hsiaug, hsiaug_anew, install, patient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
STARTS = """
import os, subprocess, sys, time
from multiprocessing import get_context

WAIT = [sys.executable, "-c", "import time; time.sleep(600)  # MARK"]


def popen():
    subprocess.Popen(WAIT)


def fork():
    if os.fork() == 0:
        os.execv(WAIT[0], WAIT)


def pool():
    from concurrent.futures import ProcessPoolExecutor
    executor = ProcessPoolExecutor(1, mp_context=get_context("fork"))
    executor.submit(os.execv, WAIT[0], WAIT)
    time.sleep(1)
    import atexit, concurrent.futures.process as process
    atexit.unregister(process._python_exit)


def joblib():
    from joblib import Parallel, delayed
    Parallel(n_jobs=2)(delayed(popen)() for _ in range(2))


def every():
    for start in (popen, fork, pool, joblib):
        start()


HOW()
"""
QUICK = ("--classifier", "nearest", "--seeds", "1", "--patch", "3", "--view", "raw", "--jobs", "1")


def package(folder: Path, start: str, mark: str, then: str = "pass") -> Path:
    """A package whose generator starts processes, and then does more."""
    code = STARTS.replace("MARK", mark).replace("HOW()", "") + DUMMY
    return install(folder, "dummy_plugin", code.replace("progress(1, 1)", f"{start}(); {then}"))


def running(mark: str) -> list[int]:
    """Processes whose command holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            # Words of other programs may be in any encoding.
            if os.fsencode(mark) in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


@contextmanager
def cleared(mark: str) -> Iterator[None]:
    """Nothing that a failing test started outlives it."""
    try:
        yield
    finally:
        for pid in running(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_what_a_generator_starts_ends_with_the_run(tmp_path: Path) -> None:
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    site = package(tmp_path / "site", "every", mark)
    with cleared(mark):
        words = ("benchmark", "toy", "--generator", "dummy", *QUICK, "--store", "store")
        # It would wait for whoever holds its output open.
        done = hsiaug(*words, env=environment(site), cwd=tmp_path)

        assert done.returncode == 0, done.stderr
        assert running(mark) == []
    assert {record["status"] for record in Store(tmp_path / "store").each()} == {"ok"}


def test_what_a_plugin_starts_ends_though_its_process_ended_first(tmp_path: Path) -> None:
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    site = package(tmp_path / "site", "popen(); fork", mark, "os._exit(3)")
    with cleared(mark):
        words = ("benchmark", "toy", "--generator", "dummy", *QUICK, "--store", "store")
        done = hsiaug(*words, env=environment(site), cwd=tmp_path)

        assert done.returncode == 1 and "left with exit code 3, 2 times" in done.stderr
        assert running(mark) == []


SIGNALS_AT = """
import atexit, os, sys

NAME, END = {name!r}, {end}


class Finder:
    @staticmethod
    def find_spec(name, *_):
        if name == NAME:
            os.kill(os.getpid(), END)
        elif name == "hsiaug" and NAME == "the end":
            atexit.register(os.kill, os.getpid(), END)


if "hsiaug" in " ".join(sys.orig_argv):
    sys.meta_path.insert(0, Finder)
"""


@pytest.mark.parametrize("name", ["hsiaug", "typer"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command_without_a_traceback_from_its_first_line(
    name: str, end: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SIGNALS_AT.format(name=name, end=end.value))
    code, said = began("--version", tmp_path)
    assert (code, said) == (128 + end, "stopped\n")


def began(word: str, folder: Path) -> tuple[int, str]:
    """Exit code and stderr of the command, as the script of its package starts it."""
    words = [sys.executable, "-c", "from hsiaug_command import main; main()", word]
    with Process(
        words,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears,
    ) as process:
        _, said = process.communicate()
    return process.returncode, said


@pytest.mark.parametrize(
    ("heard", "said", "ends"),
    [([15], [], (143, "stopped\n")), ([2], [], (130, "stopped\n")), ([15], ["done"], (130, ""))],
)
def test_a_signal_that_typer_makes_an_exit_of_has_its_code_and_a_last_line(
    heard: list[int], said: list[str], ends: tuple[int, str]
) -> None:
    code = (
        "from hsiaug.base import signals;"
        f"signals.HEARD.extend({heard}); signals.SAID.extend({said});"
        "signals.leave(SystemExit(130))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == ends


SERVER_ENDS = """
import os
from multiprocessing import forkserver
from hsiaug.registry.isolation.processes import await_fork_server, end_all
await_fork_server()
server = forkserver._forkserver._forkserver_pid
end_all()
print(os.WTERMSIG(os.waitpid(server, 0)[1]))
"""


def test_the_server_that_forks_workers_is_ended_with_the_command(short_folder: Path) -> None:
    env = environment(TMPDIR=str(short_folder))
    done = subprocess.run(
        [sys.executable, "-c", SERVER_ENDS], env=env, capture_output=True, text=True
    )
    assert done.stdout == f"{signal.SIGKILL.value}\n", done.stderr


ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Of temporary files: workers are forked where its name is short."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


SLOW_FORK_SERVER = """
import os, sys, time


class Finder:
    @staticmethod
    def find_spec(name, *_):
        if name == "sklearn":
            open({mark!r}, "w").close()
            end = time.monotonic() + 600
            while not os.path.exists({go_on!r}) and time.monotonic() < end:
                time.sleep(0.05)


if "multiprocessing.forkserver" in " ".join(sys.orig_argv):
    sys.meta_path.insert(0, Finder)
"""


# One function hears Ctrl-C and all that ends a command alike: what each of them does is seen above,
# and each is tried in one of the tests that follow.
@pytest.mark.parametrize("end", [signal.SIGHUP, signal.SIGKILL])
def test_a_signal_ends_a_command_whose_workers_still_load_libraries(
    end: signal.Signals, tmp_path: Path, short_folder: Path
) -> None:
    mark, go_on = tmp_path / "loads", tmp_path / "go-on"
    code = SLOW_FORK_SERVER.format(mark=str(mark), go_on=str(go_on))
    (tmp_path / "sitecustomize.py").write_text(code)
    words = ["benchmark", "toy", "--generator", "smote", *QUICK[2:], "--classifier", "svm"]
    env = environment(tmp_path, TMPDIR=str(short_folder))
    with begun([*words, "--store", "store"], env, tmp_path) as process:
        until(mark.exists)
        assert running(str(tmp_path))
        process.send_signal(end)
        if end == signal.SIGKILL:
            process.wait()
            # The others hold its output open.
            go_on.touch()
        _, said = process.communicate()

    assert b"Traceback" not in said
    if end == signal.SIGKILL:
        # It can end nothing: the others see that it has gone once they have loaded.
        assert process.returncode == -end
        until(lambda: not running(str(tmp_path)))
        return
    assert process.returncode == 128 + end
    assert said.splitlines()[-1].startswith(b"stopped"), said
    assert not running(str(tmp_path)) and not list(short_folder.iterdir())


def test_a_signal_ends_generate_with_a_last_line_and_nothing_left(tmp_path: Path) -> None:
    site = package(tmp_path / "site", "print", "", "open('begun', 'w'); time.sleep(600)")
    (temporary := tmp_path / "temporary").mkdir()
    words = ["generate", "toy", "--generator", "dummy", "--out", "made.npz"]
    with begun(words, environment(site, TMPDIR=str(temporary)), tmp_path) as process:
        until((tmp_path / "begun").exists)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    assert process.returncode == 128 + signal.SIGINT and b"Traceback" not in said
    assert said.splitlines()[-1] == b"stopped", said
    assert not list(temporary.iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"site", "temporary", "begun"}


def begun(words: list[str], env: dict[str, str], cwd: Path) -> Process:
    """A command as a terminal starts it."""
    return Process(patient(*words), env=env, cwd=cwd, stderr=subprocess.PIPE, preexec_fn=hears)


def hears() -> None:
    """A shell that runs the tests in the background has them ignore Ctrl-C, and nohup the
    hang-up.
    """
    for end in ENDING:
        signal.signal(end, signal.SIG_DFL)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_generator_starts_ends_with_a_command_that_is_ended(
    end: signal.Signals, tmp_path: Path
) -> None:
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    site = package(tmp_path / "site", "popen", mark, "time.sleep(600)")
    words = ["benchmark", "toy", "--generator", "dummy", *QUICK, "--store", "store"]
    with cleared(mark):
        with begun(words, environment(site), tmp_path) as process:
            until(lambda: running(mark))
            process.send_signal(end)
            _, said = process.communicate()

        assert process.returncode == (-end if end == signal.SIGKILL else 128 + end), said
        assert b"Traceback" not in said
        # One that is killed can end nothing: the others see that it has gone.
        until(lambda: not running(mark))


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds; the time limit of the test ends a wait that is in vain."""
    while not holds():
        # To look through all processes of the machine takes a processor for hundredths of a second.
        time.sleep(0.3)


ENDS_FORK_SERVER = """
import os, signal, sys

if "multiprocessing.forkserver" in " ".join(sys.orig_argv) and os.path.exists({mark!r}):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_of_workers_that_is_killed_while_it_loads_is_one_error(tmp_path: Path) -> None:
    (mark := tmp_path / "mark").touch()
    (tmp_path / "sitecustomize.py").write_text(ENDS_FORK_SERVER.format(mark=str(mark)))
    words = ["benchmark", "toy", "--generator", "none", *QUICK[2:], "--classifier", "svm"]
    words += ["--store", "store"]
    done = hsiaug_anew(*words, env=environment(tmp_path), cwd=tmp_path)

    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and "Aborted" not in done.stderr
    assert "the process that starts workers must stay" in done.stderr
    mark.unlink()
    assert hsiaug_anew(*words, env=environment(tmp_path), cwd=tmp_path).returncode == 0
