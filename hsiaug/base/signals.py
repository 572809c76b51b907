"""Signals that end a command: it stops as by Ctrl-C, its last line says so, and it has ended within
seconds.
"""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import NoReturn

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Ctrl-C, what ends a job of a cluster, and a terminal that is closed."""
WITHIN, AFTERWARDS = 3.5, 1.0
"""Seconds in which a command removes what it had begun; then in which that is done beside it."""
LAST_LINE = ["stopped"]
"""Of a command that does not come to its end in that time."""
HEARD: list[int] = []
"""Those that came."""
SAID: list[str] = []
"""The last lines that were written."""
AT_LAST: list[Callable[[], object]] = []
"""What is called then, in a thread beside whatever does not end."""


def stop_by_signals() -> None:
    """Let each of these signals raise KeyboardInterrupt, with its number, in this process.

    One that is ignored, as under ``nohup``, stays so. The first is followed by no other.
    """

    def stop(number: int, frame: object) -> None:
        for other in heard:
            signal.signal(other, signal.SIG_IGN)
        end_in_time(number)
        raise KeyboardInterrupt(number)

    heard = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
    sys.excepthook = _end_uncaught
    sys.unraisablehook = _say_lost
    for number in heard:
        signal.signal(number, stop)


def _end_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """What nothing caught ends a command that a signal stopped as a signal does, whatever it is:
    what strikes within a library may come out of it as another error. Of ``__set_name__`` Python
    3.11 makes a RuntimeError of it.
    """
    if HEARD:
        leave(SystemExit(128 + HEARD[0]))
    sys.__excepthook__(kind, error, trace)


def _say_lost(lost: "sys.UnraisableHookArgs") -> None:
    """Of what was raised where nothing hears of it, as where an object is deleted: a signal is no
    error, and ends the command in time all the same.
    """
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(lost)


def leave(ended: SystemExit) -> NoReturn:
    """Come to the end of a command, without what Python does then beside what it is asked for: it
    waits for threads, and takes every library down, for seconds on a busy machine. A signal that
    comes now ends it in time, and is not raised in the middle of that.
    """
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, frame: end_in_time(number))
    if HEARD and ended.code and not SAID:
        # typer ends a command without a word where it struck, and a library may have made another
        # error of it, which is why the command ends.
        say_stopped()
        ended.code = 128 + HEARD[0]
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(ended.code if isinstance(ended.code, int) else bool(ended.code))


def exit_code(stopped: KeyboardInterrupt) -> int:
    """The exit code of a command that a signal ended."""
    # Where it struck within an exec(), as in a dataclass that is made, python -m would end by
    # SIGINT, whatever the code: another one puts that right.
    exec("")
    return 128 + int(next(iter(stopped.args), signal.SIGINT))


def say_stopped(line: str = "") -> None:
    """Say so as the last line, where somebody still reads it. line: in place of that of all."""
    SAID.append(line or LAST_LINE[0])
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{SAID[-1]}\n")
        sys.stderr.flush()


def end_in_time(number: int) -> None:
    """Let this process end in a few seconds, whatever it is held up by."""
    HEARD.append(number)
    threading.Thread(target=_end_late, args=(number,), daemon=True).start()


def _end_late(number: int) -> NoReturn:
    threading.Event().wait(WITHIN)
    for end in AT_LAST:
        with suppress(OSError):
            end()
    # Whoever does not read what is said may be what holds it up.
    for clear in (say_stopped, atexit._run_exitfuncs):
        last = threading.Thread(target=clear, daemon=True)
        last.start()
        last.join(AFTERWARDS / 2)
    os._exit(128 + number)
