"""Checks of a plugin in a process of its own, so that a plugin which ends its process ends nothing else.

The child sends ``("plan", [(name, rule), ...])``, then for each check ``("start", name)`` and ``("outcome", facts)``, at
last ``("end",)``; or ``("error", HsiaugError)`` where the plugin cannot be loaded. Where it dies, a second child repeats
the check that it was at, and tries nothing more within it; where that dies too, the check has failed, and another child
goes on behind it.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import HsiaugError, InputError, PluginError
from hsiaug.registry.lookup import registry

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from hsiaug.registry.hookspecs import Kind

__all__ = ["checked_apart"]

HINT = "Let fit, sample, predict, save and load return, or raise an exception; end no process, and look at native code."

PATIENCE = 10.0
"""Seconds that a child which has told everything may take to end by itself."""

Started = Callable[[str, int, int], None]
"""Is told the check that begins, its number from 1 on, and how many there are."""

Outcomes = list[dict[str, Any]]
"""Of each check: name, status (passed, failed or skipped), rule, seen, hint, seconds."""


def checked_apart(kind: Kind, name: str, on_start: Started, on_outcome: Callable[[dict[str, Any]], None]) -> None:
    """Run the checks of a plugin in child processes, one after the other, and hand over each outcome as it comes.

    name: registered, or ``module:Class``. Raises InputError or PluginError where the plugin cannot be loaded.
    """
    outcomes: Outcomes = []
    plan: list[tuple[str, str]] = []

    def keep(outcome: dict[str, Any]) -> None:
        outcomes.append(outcome)
        on_outcome(outcome)

    def hear(sort: str, *content: Any) -> None:
        if sort == "plan":
            plan[:] = content[0]
        elif sort == "start":
            on_start(content[0], len(outcomes) + 1, len(plan))
        elif sort == "outcome":
            keep(content[0])
        elif sort == "error":
            raise content[0]

    careful = False
    while (ended := _one_child(hear, kind, name, list(outcomes), careful)) is not None:
        if not plan:
            raise PluginError(f"{kind} {name} must load", value=ended, hint="Repair or uninstall its package.")
        if careful and len(outcomes) < len(plan):
            check, rule = plan[len(outcomes)]
            facts = {"rule": rule, "seen": ended, "hint": HINT, "seconds": 0.0}
            keep({"name": check, "status": "failed", **facts})
        if len(outcomes) == len(plan):
            return
        careful = True


def _one_child(hear: Callable[..., None], *args: Any) -> str | None:
    """Run what is left of the plan in a child; how that ended before it was through, else None.

    hear: is called with each message. args: of :func:`_serve` behind its pipe.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(theirs, *args))
    try:
        child.start()
        theirs.close()
        while True:
            try:
                message = ours.recv()
            except (EOFError, OSError):
                child.join()
                return _ending(child.exitcode)
            if message == ("end",):
                child.join(PATIENCE)
                return None
            hear(*message)
    finally:
        child.kill()
        child.join()
        ours.close()


def _ending(code: int | None) -> str:
    """The end of a process in words."""
    if code is None or code >= 0:
        return f"it ended its process with exit code {code}"
    try:
        sort = signal.Signals(-code).name
    except ValueError:
        sort = f"signal {-code}"
    why = {
        "SIGKILL": ", as a system does that runs out of memory",
        "SIGSEGV": ": a fault in native code, or recursion without end",
    }.get(sort, "")
    return f"its process was ended by {sort}{why}"


def _serve(pipe: Connection, kind: Kind, name: str, known: Outcomes, careful: bool) -> None:
    """The child: load the plugin, and run the checks that are not known yet."""
    # Ctrl-C reaches parent and child; the parent then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a plugin prints, from native code too, goes to standard error.
    sys.stdout.flush()
    os.dup2(2, 1)
    with contextlib.suppress(OSError):
        # Linux ends this process first where memory runs out.
        Path("/proc/self/oom_score_adj").write_text("1000")
    me = os.getpid()

    def send(*message: Any) -> None:
        if os.getpid() != me:
            os._exit(0)  # a copy that the plugin forked off
        try:
            pipe.send(message)
        except OSError:
            os._exit(1)  # the parent is gone

    try:
        plugin = load_plugin(kind, name)
        from hsiaug.testing import Outcome, kit

        run = kit(kind, plugin, known=[Outcome(**outcome) for outcome in known], careful=careful)
        send("plan", [(one.name, one.rule) for one in run.in_order()])
        _ = run.subject
    except HsiaugError as error:
        send("error", error)
        return
    done = {outcome["name"] for outcome in known}
    for one in run.in_order():
        if one.name not in done:
            send("start", one.name)
            send("outcome", vars(run.outcome(one.name)))
    send("end")


def load_plugin(kind: Kind, name: str) -> str | type:
    """A name that the registry knows, or the class of ``module:Class``, imported as ``python -m`` would.

    Raises InputError or PluginError where there is no such plugin, or where it cannot be imported.
    """
    module, colon, target = name.partition(":")
    try:
        if not colon or registry().kinds(name):
            registry().find(kind, name).load()
            return name
        sys.path.insert(0, str(Path.cwd()))
        plugin: type = getattr(importlib.import_module(module), target)
        return plugin
    except HsiaugError:
        raise
    except BaseException as error:
        raise InputError(
            "NAME must be a plugin, or module:Class of a module that can be imported",
            value=f"{name!r} ({type(error).__name__}: {error})",
            hint="Run this in the folder of the module, and without .py.",
        ) from error
