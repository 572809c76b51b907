"""A time limit on what plugins compute in a trial."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hsiaug.base.errors import InputError


class TrialTimeout(BaseException):
    """A trial took longer than it may. No Exception, so that a plugin which catches those does not go on."""


def check_limit(seconds: float | None) -> None:
    """Raise InputError where this system cannot keep a limit."""
    if seconds is not None and not hasattr(signal, "setitimer"):
        raise InputError(
            "`timeout` needs a system with interval timers",
            value="none here",
            hint="Leave it out, or run under Linux, macOS or WSL.",
        )


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise TrialTimeout after so many seconds in the block, which must run in a process's main thread; None = never.

    It is raised between two steps of Python: a single call into compiled code is ended by nobody.
    """
    if seconds is None:
        yield
        return
    check_limit(seconds)
    assert threading.current_thread() is threading.main_thread(), "signals reach the main thread alone"

    def ended(signum: int, frame: FrameType | None) -> None:
        raise TrialTimeout(f"the trial took longer than its time limit of {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ended)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
