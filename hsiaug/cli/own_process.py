"""The command ``hsiaug``. Where other packages bring plugins, commands that fit plugins by
themselves run in a process of their own, which alone imports those packages.

That process says that it came to its end: a plugin that ends it in silence is noticed.
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from hsiaug.base.errors import HsiaugError, PluginError
from hsiaug.base.signals import ENDING, SAID, exit_code, leave, say_stopped, stop_by_signals
from hsiaug.cli.main import fail, main

if TYPE_CHECKING:
    from hsiaug.registry.lookup import Found

FIT_HERE = frozenset({"generate", "inspect", "label", "map", "suggest"})
"""Commands that fit plugins in their own process."""
ENDED = b"ended"
"""What that process sends as it comes to its end."""


def run_command() -> None:
    """Run the command line, in whichever process."""
    try:
        arguments = sys.argv[1:]
        packages = _third_party(arguments)
        code = _run_apart(arguments, packages) if packages else None
    except HsiaugError as error:
        fail(error)
    except KeyboardInterrupt as stopped:
        say_stopped()
        code = exit_code(stopped)
    if code is None:
        main()
    sys.exit(code)


def _third_party(arguments: Sequence[str]) -> "tuple[Found, ...]":
    """The plugins of other packages, where a command needs a process of its own for them."""
    if not FIT_HERE & set(arguments[:1]) or {"-h", "--help"} & set(arguments):
        return ()
    from hsiaug.registry.lookup import third_party

    return third_party()


def _run_apart(arguments: Sequence[str], others: "tuple[Found, ...]") -> int:
    """The exit code of a command that was run in a process of its own, with which all ends that it
    started. Signals that end it, and Ctrl-Z, are passed on to it.

    Raises PluginError where that process does not come to its end.
    """
    from hsiaug.registry.isolation.processes import Child, ending, suspending

    child = Child(_command, others, arguments)

    def pass_on(number: int) -> None:
        # Where there are no sessions, it hears of Ctrl-C itself.
        if hasattr(os, "setsid"):
            # It may have ended.
            with suppress(OSError):
                os.kill(child.pid, number)

    stop_by_signals(pass_on)
    sent = b""
    try:
        with suspending():
            child.process.join()
        with suppress(EOFError, OSError):
            sent = child.connection.recv_bytes() if child.connection.poll() else b""
    finally:
        code: int = child.process.exitcode
        child.end()
    number = code - 128 if code > 128 else -code
    if number in ENDING:
        # That process has its last line.
        SAID.append("")
        return 128 + number
    if sent != ENDED:
        packages = " or ".join(sorted({plugin.distribution for plugin in others}))
        raise PluginError(
            f"hsiaug {arguments[0]} must come to its end; a plugin of {packages} may have ended"
            " its process",
            value=ending(code),
            hint="Repair or uninstall that package.",
        )
    return code


def _command(connection: Connection, others: "tuple[Found, ...]", arguments: Sequence[str]) -> None:
    """Be the process of a command."""
    from hsiaug.registry.isolation.processes import join_run
    from hsiaug.registry.lookup import import_here

    join_run(signal.default_int_handler, prints=True)
    stop_by_signals()
    import_here(others)
    sys.argv = ["hsiaug", *arguments]
    try:
        try:
            main()
        finally:
            with suppress(OSError):
                connection.send_bytes(ENDED)
    except SystemExit as ended:
        leave(ended)
