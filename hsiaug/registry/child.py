"""The process that imports the plugins of one other package, and answers questions in JSON."""

import dataclasses
import json
import os
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from hsiaug.base.errors import HsiaugError
from hsiaug.base.landlock import write_below
from hsiaug.base.processes import end_with_parent, lead_session
from hsiaug.registry.lookup import ask_entries, import_here

ANSWERS = "hsiaug.protocol.third_party_process"
"""The module of all answers but the first. Its room is above this one."""


def serve(pipe: Connection, temporary: str) -> None:
    """Answer questions until the other end of the pipe is closed.

    temporary: the folder of temporary files. Nothing else can be changed, on Linux with Landlock, but what lies in the
    user's cache.
    """
    lead_session()
    tempfile.tempdir = os.environ["TMPDIR"] = temporary
    write_below([Path(temporary), Path("/dev"), user_cache_path()])
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


def _answer(question: str, values: tuple[Any, ...]) -> bytes:
    try:
        # The first question needs no numerical library, whose import would take longer than everything else.
        compute = _entries if question == "entries" else import_module(ANSWERS).ANSWERS[question]
        return json.dumps({"said": compute(*values)}).encode()
    except HsiaugError as error:
        failure = (type(error).__name__, error.rule, None if error.value is None else str(error.value), error.hint)
    except BaseException as error:
        rule = "a package must say what its plugins are, without an exception"
        hint = "Repair or uninstall it; all other plugins still work."
        failure = ("PluginError", rule, _text(error), hint)
    return json.dumps({"failure": dict(zip(("kind", "rule", "value", "hint"), failure, strict=True))}).encode()


def _text(error: BaseException) -> str:
    with suppress(Exception):
        return traceback.format_exception_only(error)[-1].strip()
    return type(error).__name__


def _entries(name: str, value: str) -> Any:
    entries, error = ask_entries(name, value)
    return {"entries": [dataclasses.asdict(entry) for entry in entries], "error": error}
