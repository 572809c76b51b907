"""Commands that fit plugins by themselves: where other packages bring plugins, a process of its own
runs the command.

It alone imports those packages. It says that it came to its end: a plugin that ends it in silence
is noticed.
"""

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple

from hsiaug.base.errors import PluginError

FIT_HERE = frozenset({"generate", "inspect", "label", "map", "suggest"})
"""Commands that fit plugins in their own process."""
VARIABLE = "HSIAUG_OWN_PROCESS"
"""The environment's variable that tells such a process in JSON the file descriptor to say its end
to, one that is closed with the process that started it, and the plugins of other packages.
"""

_end: int | None = None


def run_in_own_process(arguments: Sequence[str]) -> int | None:
    """The exit code of a command that was run in a process of its own; None for one that is to be
    run here.

    Raises PluginError where that process does not come to its end.
    """
    if VARIABLE in os.environ:
        _begin()
        return None
    if not FIT_HERE & set(arguments[:1]) or {"-h", "--help"} & set(arguments):
        return None
    from hsiaug.registry.importing import IMPORTS
    from hsiaug.registry.isolation.processes import run_session
    from hsiaug.registry.lookup import registry, third_party

    others = third_party()
    if not others or IMPORTS.allowed:
        return None
    typed = {word for argument in arguments for word in re.split(r"[,.:=]", argument)}
    for one in others:
        if one.entry.name in typed:
            # A package that cannot be imported is refused in good time.
            registry().find(one.entry.kind, one.entry.name).load()
    ours, theirs = os.pipe()
    alive, held = os.pipe()
    plugins = [[astuple(one.entry), one.distribution, one.version] for one in others]
    told = {"end": theirs, "alive": alive, "plugins": plugins}
    path = os.pathsep.join(folder or "." for folder in sys.path)
    environment = {**os.environ, VARIABLE: json.dumps(told), "PYTHONPATH": path}
    command = [sys.executable, "-P", "-m", "hsiaug", *arguments]
    try:
        code = run_session(command, environment, [theirs, alive])
        os.close(theirs)
        os.close(alive)
        os.set_blocking(ours, False)
        with os.fdopen(ours, "rb") as pipe:
            # Not until its end: what a plugin left running may hold it open.
            ended = pipe.read(1)
    finally:
        os.close(held)
    if code in (128 + signal.SIGINT, -signal.SIGINT):
        return 128 + signal.SIGINT
    if not ended:
        packages = " or ".join(sorted({one.distribution for one in others}))
        rule = (
            f"hsiaug {arguments[0]} must come to its end; a plugin of {packages} may have ended its"
            " process"
        )
        found = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        raise PluginError(rule, value=found, hint="Repair or uninstall that package.")
    return code


def _begin() -> None:
    """Be the process that was started for a command."""
    global _end
    from hsiaug.registry.hookspecs import Entry
    from hsiaug.registry.lookup import Found, import_here

    # Taken out: processes that this one starts are none of these.
    told = json.loads(os.environ.pop(VARIABLE))
    _end = told["end"]
    threading.Thread(target=_end_with_parent, args=(told["alive"],), daemon=True).start()
    import_here(Found(Entry(*entry), *package) for entry, *package in told["plugins"])
    # Ctrl-C is not ignored here.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_with_parent(alive: int) -> None:
    from hsiaug.registry.isolation.processes import end_with_all

    # Nothing is ever written to it; it is closed as that process ends.
    os.read(alive, 1)
    end_with_all()


def say_ended() -> None:
    """Tell the process that started this one that the command came to its end."""
    if _end is not None:
        with suppress(OSError):
            os.write(_end, b"1")
