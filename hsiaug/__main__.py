"""The command ``hsiaug``, and ``python -m hsiaug``."""

import os
import sys


def main() -> None:
    """Run the command line; Ctrl-C while its libraries are loaded ends it as quietly as later."""
    open_standard_streams()
    try:
        import hsiaug.base.library_plugins  # noqa: F401, before any other library
        from hsiaug.cli.own_process import run_command

        run_command()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)


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
