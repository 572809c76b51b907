"""The command ``hsiaug`` from its first line on: while what it runs with is still to be loaded, a
signal ends it with its last line, and without a traceback.

It imports nothing that Python has not loaded by then. What comes before it cannot be had: Python's
own start, and the script that pip writes.
"""

import _signal  # type: ignore[import-not-found]
import os


def end(number: int, frame: object) -> None:
    """Say so, and end at once: nothing has begun that could be left behind."""
    try:
        os.write(2, b"stopped\n")
    finally:
        os._exit(128 + number)


for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    number = getattr(_signal, name, None)
    if number is not None and _signal.getsignal(number) != _signal.SIG_IGN:
        _signal.signal(number, end)


def main() -> None:
    """Run the command line."""
    from hsiaug.__main__ import main

    main()
