"""Ctrl-C while a plugin computes, told from a KeyboardInterrupt that the plugin raises itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["noticing_interrupts", "pass_on"]

_came = threading.Event()
"""Set when this process gets SIGINT within :func:`noticing_interrupts`."""


@contextmanager
def noticing_interrupts() -> Iterator[None]:
    """Within it, SIGINT is noticed and then handled as before.

    Only the main thread may ask for that; a KeyboardInterrupt in any other is never the user's, as Python handles
    signals in the main one.
    """
    kept = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(kept):
        yield
        return

    def notice(number: int, frame: FrameType | None) -> None:
        _came.set()
        kept(number, frame)

    _came.clear()
    signal.signal(signal.SIGINT, notice)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, kept)


def pass_on(error: BaseException) -> None:
    """Raise ``error`` again where it is the user's interrupt."""
    if isinstance(error, KeyboardInterrupt) and _came.is_set():
        raise error
