"""What other systems and other surroundings have or lack, as far as Linux can show it: the records
of a run are those of a plain one, or the error says what does not work.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hsiaug.base import files
from hsiaug.base.errors import InputError, StoreError
from hsiaug.base.files import check_target, write_text_whole
from hsiaug.trial.store import Store
from tests.processes import Process, descendants
from tests.report.report_records import believable, record
from tests.third_party import DUMMY, environment, hsiaug, install, results

QUICK = (
    *("benchmark", "toy", "--generator", "dummy", "--classifier", "nearest,svm", "--seeds", "2"),
    *("--patch", "3", "--view", "raw", "--jobs", "2"),
)
FEWER = ("--classifier", "nearest", "--seeds", "1", "--jobs", "1", "--store", "store")
SPAWNED = (*QUICK[:4], *FEWER, *QUICK[8:12])
"""A part of it, as each process loads its libraries."""
BARE = """
import ctypes, os

for name in ("fork", "forkpty", "sched_getaffinity", "pread", "posix_fallocate", "waitid"):
    if hasattr(os, name):
        delattr(os, name)


class WithoutSystemCalls(ctypes.CDLL):
    def __getattr__(self, name):
        return (lambda *_: -1) if name in ("syscall", "prctl") else super().__getattr__(name)


ctypes.CDLL = WithoutSystemCalls
"""
"""Of a sitecustomize: what neither macOS nor Windows has. Without system calls Landlock is gone."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("systems") / "site", "dummy_plugin", DUMMY)


@pytest.fixture(scope="module")
def plain(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a run as Linux has it."""
    store = tmp_path_factory.mktemp("systems") / "plain"
    done = hsiaug(*QUICK, "--store", str(store), env=environment(site))
    assert done.returncode == 0, done.stderr
    return store


def without_proc(command: list[str]) -> list[str]:
    """The command where there is no /proc, if that can be had."""
    hide = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
    possible = (
        shutil.which("unshare")
        and not subprocess.run([*hide, "true"], capture_output=True, check=False).returncode
    )
    return [*hide, *command] if possible else command


def test_a_run_of_spawned_processes_without_fork_proc_affinity_and_landlock_has_the_same_records(
    site: Path, plain: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BARE)
    env = environment(tmp_path, site, HSIAUG_START_METHOD="spawn")
    command = without_proc([sys.executable, "-m", "hsiaug", *SPAWNED])
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    found = results(tmp_path / "store")
    assert found and found.items() <= results(plain).items()


def test_a_run_in_odd_surroundings_has_the_same_records(
    site: Path, plain: Path, tmp_path: Path
) -> None:
    # No home that can be written to, an encoding without λ, decimal commas, a path of more than
    # 260 characters, and an output that goes through a pipe.
    odd = {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "", "HSIAUG_CACHE_DIR": "/dev/null/cache"}
    odd |= {"LC_ALL": "C", "LC_NUMERIC": "de_DE.UTF-8", "PYTHONCOERCECLOCALE": "0"}
    odd |= {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    store = tmp_path / ("long" * 40) / ("name" * 40) / "store"
    command = [sys.executable, "-m", "hsiaug", *QUICK, "--store", str(store)]
    store.parent.mkdir(parents=True)
    with Process(
        command, env=environment(site, **odd), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        copied = subprocess.run(["tee", "log"], stdin=run.stdout, cwd=tmp_path, capture_output=True)
        _, said = run.communicate()

    assert run.returncode == 0, said
    assert results(store) == results(plain)
    assert copied.stdout == (tmp_path / "log").read_bytes() and b"nearest" in copied.stdout
    assert b"Traceback" not in said


WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
"""Root, to whom permissions mean nothing else, as any other user."""


IN_TURN = """
import json, runpy, sys

for words in json.loads(sys.argv[1]):
    sys.argv = ["hsiaug", *words]
    try:
        runpy.run_module("hsiaug", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
"""
"""Commands in one process, which loads its libraries once."""


def in_a_closed_home(
    commands: Sequence[Sequence[str]], env: dict[str, str], home: Path
) -> tuple[list[str], list[Path]]:
    """The lines that commands say of folders that cannot be written to, where the home is one,
    and what is in the home after them.
    """
    home.mkdir(mode=0o500, exist_ok=True)
    rights = WITHOUT_RIGHTS if os.geteuid() == 0 else []
    if rights and not shutil.which(rights[0]):
        pytest.skip("root writes everywhere here")
    command = [*rights, sys.executable, "-c", IN_TURN, json.dumps(commands)]
    env = {**env, "HOME": str(home)}
    done = subprocess.run(command, env=env, cwd=home.parent, capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    said = [line for line in done.stderr.splitlines() if "cannot be written to" in line]
    return said, list(home.iterdir())


@pytest.fixture
def nowhere(site: Path) -> dict[str, str]:
    """An environment that names no folder for data or caches."""
    env = environment(site)
    for name in ("HSIAUG_CACHE_DIR", "HSIAUG_DATA_DIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        env.pop(name, None)
    return env


@pytest.mark.skipif(os.name != "posix", reason="of POSIX")
def test_what_writes_nothing_needs_no_home_that_can_be_written(
    nowhere: dict[str, str], plain: Path, tmp_path: Path
) -> None:
    commands = [("plugins", "list"), (*QUICK, "--dry-run"), ("report", "--store", str(plain))]
    assert in_a_closed_home(commands, nowhere, tmp_path / "home") == ([], [])


@pytest.mark.skipif(os.name != "posix", reason="of POSIX")
def test_a_home_that_cannot_be_written_is_said_in_one_line_with_a_remedy_that_works(
    nowhere: dict[str, str], tmp_path: Path
) -> None:
    commands, home = [("datasets", "list")], tmp_path / "home"
    (line,), left = in_a_closed_home(commands, nowhere, home)
    assert line.startswith("note: ") and f"{home} cannot be written to" in line
    assert "let HSIAUG_DATA_DIR name a folder that can be written to" in line and not left
    remedied = {**nowhere, "HSIAUG_DATA_DIR": str(tmp_path / "elsewhere")}
    assert in_a_closed_home(commands, remedied, home) == ([], [])


@pytest.mark.skipif(os.name != "posix", reason="of POSIX")
def test_a_run_whose_standard_streams_are_closed_has_the_same_records(
    site: Path, plain: Path, tmp_path: Path
) -> None:
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "hsiaug"]
    run = subprocess.run([*closed, *QUICK, "--store", str(tmp_path / "s")], env=environment(site))

    assert run.returncode == 0
    assert results(tmp_path / "s") == results(plain)


def test_a_reader_that_has_had_enough_ends_the_command(plain: Path) -> None:
    report = [sys.executable, "-m", "hsiaug", "report", "--store", str(plain)]
    with Process(report, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        first = subprocess.run(["head", "-n", "1"], stdin=run.stdout, capture_output=True)
        assert run.stdout is not None
        run.stdout.close()
        assert run.stderr is not None and b"Traceback" not in run.stderr.read()
    assert first.returncode == 0 and first.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="of POSIX")
def test_a_run_on_a_laptop_that_was_suspended_has_the_same_records(
    site: Path, plain: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "hsiaug", *QUICK, "--store", str(tmp_path / "store")]
    with Process(
        command,
        env=environment(site),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as run:
        # Only folders of records, which stay: others beside them come and go while they are listed.
        until(lambda: list(tmp_path.glob("store/records/[0-9a-f][0-9a-f]/*/record.json")))
        everyone = [run.pid, *descendants(run.pid)]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in everyone:
                # A child may have ended by itself since the list was made.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(0.5)
        _, said = run.communicate()

    assert run.returncode == 0, said
    assert results(tmp_path / "store") == results(plain)


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds; the time limit of the test ends a wait that is in vain."""
    while not holds():
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["con.toml", "AUX.toml", "lpt1.toml", "a:b.toml", "what?.toml"])
def test_a_name_that_windows_cannot_hold_is_refused_there(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_target(tmp_path / name, (".toml",)) == ".toml"
    monkeypatch.setattr(files, "ON_WINDOWS", True)
    with pytest.raises(InputError, match="a name that Windows can hold"):
        check_target(tmp_path / name, (".toml",))
    assert check_target(tmp_path / "console.toml", (".toml",)) == ".toml"


def refuse(*_: Any, **__: Any) -> None:
    """As Windows does where another program has a file open."""
    raise PermissionError(13, "The process cannot access the file")


def test_a_file_that_another_program_has_open_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.md").write_text("before")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(InputError, match=r"report.md must be a file that can be written") as error:
        write_text_whole(tmp_path / "report.md", "after")

    assert "close it in other programs" in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_text() == "before"


def test_a_record_whose_folder_cannot_be_renamed_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store", create=True)
    monkeypatch.setattr(Path, "rename", refuse)
    monkeypatch.setattr(os, "rename", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError, match="must be a folder that can be written to"):
        store.put(believable(record(0.5, 0.4)), None)
    assert not list(store.root.rglob("record.json"))
