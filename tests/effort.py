"""What code costs, in numbers that are the same on a busy machine and on an idle one."""

import cProfile
import json
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

__all__ = ["Waited", "calls", "instructions", "loaded"]


def calls(run: Callable[..., Any], *given: Any, **named: Any) -> int:
    """The function calls that ``run`` makes, Python's and those of compiled modules."""
    profile = cProfile.Profile()
    profile.runcall(run, *given, **named)
    return sum(entry.callcount for entry in profile.getstats())


def instructions(run: Callable[..., Any], *given: Any) -> int:
    """The instructions of Python code that ``run`` carries out: loops count that call nothing."""
    number = 0

    def count(frame: FrameType, event: str, _: object) -> Any:
        nonlocal number
        frame.f_trace_opcodes = True
        number += event == "opcode"
        return count

    before = sys.gettrace()
    # Python 3.12 looks once, as tracing begins, whether any frame asks for instructions.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(count)
    try:
        run(*given)
    finally:
        sys.settrace(before)
    return number


def loaded(code: str, *words: str) -> set[str]:
    """The modules that a process has loaded at the end of ``code``, whose arguments are
    ``words``.
    """
    tell = (
        "import atexit, json, sys; atexit.register(lambda: print(chr(10) +"
        " json.dumps([*sys.modules])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", tell + code, *words], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


class Waited:
    """Replaces ``time.sleep``, and remembers how long was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        monkeypatch.setattr(time, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
