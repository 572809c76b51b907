"""The command ``hsiaug``. Where other packages bring plugins, commands that fit plugins by
themselves run in a process of their own, which alone imports those packages.

That process says that it came to its end: a plugin that ends it in silence is noticed.
"""

import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from hsiaug.base.errors import HsiaugError, PluginError
from hsiaug.cli.main import fail, main

if TYPE_CHECKING:
    from hsiaug.registry.lookup import Found

FIT_HERE = frozenset({"generate", "inspect", "label", "map", "suggest"})
"""Commands that fit plugins in their own process."""


def run_command() -> None:
    """Run the command line, in whichever process."""
    try:
        arguments = sys.argv[1:]
        packages = _third_party(arguments)
        code = _run_apart(arguments, packages) if packages else None
    except HsiaugError as error:
        fail(error)
    if code is None:
        main()
    sys.exit(code)


def _third_party(arguments: Sequence[str]) -> "tuple[Found, ...]":
    """The plugins of other packages, where a command needs a process of its own for them.

    Raises PluginError where one that is named cannot be imported.
    """
    if not FIT_HERE & set(arguments[:1]) or {"-h", "--help"} & set(arguments):
        return ()
    from hsiaug.registry.lookup import registry, third_party

    others = third_party()
    typed = {word for argument in arguments for word in re.split(r"[,.:=]", argument)}
    for plugin in others:
        if plugin.entry.name in typed:
            registry().find(plugin.entry.kind, plugin.entry.name).load()
    return others


def _run_apart(arguments: Sequence[str], others: "tuple[Found, ...]") -> int:
    """The exit code of a command that was run in a process of its own.

    Raises PluginError where that process does not come to its end.
    """
    from multiprocessing import get_context

    from hsiaug.registry.isolation.processes import run_leader

    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    code = run_leader(context.Process(target=_command, args=(theirs, others, arguments)))
    if code in (128 + signal.SIGINT, -signal.SIGINT):
        return 128 + signal.SIGINT
    if not ours.poll():
        packages = " or ".join(sorted({plugin.distribution for plugin in others}))
        raise PluginError(
            f"hsiaug {arguments[0]} must come to its end; a plugin of {packages} may have ended"
            " its process",
            value=f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}",
            hint="Repair or uninstall that package.",
        )
    return code


def _command(pipe: Connection, others: "tuple[Found, ...]", arguments: Sequence[str]) -> None:
    """Be the process of a command."""
    from hsiaug.registry.isolation.processes import end_with_parent, lead_session, take_ctrl_c
    from hsiaug.registry.lookup import import_here

    lead_session()
    end_with_parent()
    take_ctrl_c()
    import_here(others)
    sys.argv = ["hsiaug", *arguments]
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(128 + signal.SIGINT)
    finally:
        with suppress(OSError):
            pipe.send_bytes(b"ended")
