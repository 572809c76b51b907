"""The command ``hsiaug``, and ``python -m hsiaug``."""

import hsiaug_command  # noqa: F401, I001, first: of signals
import os
import sys

from hsiaug.base import signals
from hsiaug.base.errors import HsiaugError, shortage_of


def main() -> None:
    """Run the command line. Signals and a shortage while its libraries are loaded end it as quietly
    as later.
    """
    try:
        open_standard_streams()
        signals.stop_by_signals()
        import hsiaug.base.library_plugins  # noqa: F401, before any other library
        from hsiaug.cli.main import main as run_command

        try:
            run_command()
        except SystemExit as ended:
            signals.leave(ended)
    except KeyboardInterrupt as stopped:
        signals.say_stopped()
        signals.leave(SystemExit(signals.exit_code(stopped)))
    except Exception as error:
        if (short := shortage_of(error)) is None:
            raise
        signals.say_stopped(f"error: {HsiaugError(short.rule, value=error, hint=short.hint)}")
        signals.leave(SystemExit(2))


def open_standard_streams() -> None:
    """Let those that are closed lead nowhere: else the next files that are opened would take their
    numbers, and what processes print would be written into these.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # It has the lowest number that is free.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    main()
