"""The process that imports the plugins of one other package, and answers questions in JSON."""

import dataclasses
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Collection, Iterator
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hsiaug.base.errors import HsiaugError
from hsiaug.base.landlock import confine
from hsiaug.base.processes import end_with_parent, lead_session
from hsiaug.data.embedded import embedded_files
from hsiaug.registry.lookup import ask_entries, import_here

SYSTEM = (
    *(
        "/usr",
        "/lib",
        "/lib32",
        "/lib64",
        "/bin",
        "/sbin",
        "/etc",
        "/sys",
        "/nix/store",
        "/gnu/store",
        "/proc/self",
    ),
    *(
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/filesystems",
        "/proc/version",
        "/proc/sys",
    ),
)
"""What a package may read of the system: of processes its own alone."""
CODE = frozenset({".py", ".pyc", ".so", ".zip", ".egg", ".dist-info", ".egg-info", ".libs"})
"""Endings of what Python imports, and of what stands beside it."""
DEVICES = "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"
"""Files, to which others write too."""
ANSWERS = "hsiaug.protocol.third_party_process"
"""The module of all answers but the first. Its room is above this one."""


def serve(pipe: Connection, temporary: str, readable: Collection[str]) -> None:
    """Answer questions until the other end of the pipe is closed.

    temporary: the folder of temporary files, which stands for the user's home too. Nothing else
    can be changed, on Linux with Landlock, and nothing be read but Python, its packages, the
    system's, and the files of readable.
    """
    lead_session()
    tempfile.tempdir = os.environ["TMPDIR"] = os.environ["HOME"] = temporary
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    confine(
        [*_python(), *map(Path, (*SYSTEM, *readable))],
        [Path(temporary), *map(Path, DEVICES)],
        embedded_files(),
    )
    # Ctrl-C reaches both; the other process then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    # What a package prints is no answer.
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    # Of other packages none, until this process is asked for one's plugins.
    import_here(())
    me = os.getpid()
    while True:
        try:
            question, values = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        answer = _answer(question, values)
        if os.getpid() != me:
            # A copy of this process, which a plugin forked.
            os._exit(0)
        with suppress(OSError):
            pipe.send_bytes(answer)


def _python() -> Iterator[Path]:
    """Where Python, its packages and the sources of packages that are installed as links to them
    lie.
    """
    prefixes = {
        Path(one) for one in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    }
    yield from prefixes
    yield from map(Path, filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)))
    for folder in {Path(one) for one in sys.path if one}:
        # Others may hold scenes, too: folders of a project.
        inside = any(folder.is_relative_to(prefix) for prefix in prefixes)
        yield from (folder,) if inside else _code_in(folder)
        for told in folder.glob("*.dist-info/direct_url.json"):
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                source = urlsplit(json.loads(told.read_text(encoding="utf-8"))["url"])
                if source.scheme == "file":
                    yield from _code_in(Path(url2pathname(source.path)))


def _code_in(folder: Path) -> Iterator[Path]:
    """What Python imports from a folder: its modules, packages, and what is said of them; of an
    archive, all.
    """
    if folder.is_file():
        yield folder
    with suppress(OSError):
        for path in folder.iterdir():
            packages = path.is_dir() and (any(path.glob("*.py")) or any(path.glob("*/*.py")))
            if packages or path.suffix in CODE:
                yield path


def _answer(question: str, values: tuple[Any, ...]) -> bytes:
    try:
        # The first question needs no numerical library, whose import would take longer than
        # everything else.
        compute = _entries if question == "entries" else import_module(ANSWERS).ANSWERS[question]
        return json.dumps({"said": compute(*values)}).encode()
    except HsiaugError as error:
        failure = (
            type(error).__name__,
            error.rule,
            None if error.value is None else str(error.value),
            error.hint,
        )
    except BaseException as error:
        rule = "a package must say what its plugins are, without an exception"
        hint = "Repair or uninstall it; all other plugins still work."
        failure = ("PluginError", rule, _text(error), hint)
    return json.dumps(
        {"failure": dict(zip(("kind", "rule", "value", "hint"), failure, strict=True))}
    ).encode()


def _text(error: BaseException) -> str:
    with suppress(Exception):
        return traceback.format_exception_only(error)[-1].strip()
    return type(error).__name__


def _entries(name: str, value: str) -> Any:
    entries, error = ask_entries(name, value)
    return {"entries": [dataclasses.asdict(entry) for entry in entries], "error": error}
