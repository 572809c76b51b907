"""The checks of a plugin in a process of their own: a plugin that ends it fails a check."""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hsiaug.base.errors import HsiaugError, InputError, PluginError
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.isolation.processes import Child, ending, join_run
from hsiaug.registry.lookup import registry
from hsiaug.testing import CHECKS, subject_of
from hsiaug.testing.checks import Outcome, run_checks

LIMIT = 600.0
"""Seconds that a check may take, and the import."""

HINT = (
    "Let fit, sample, predict, save and load return, or raise an exception; give the preset tiny"
    " few steps; end no process, and look at native code."
)


def check_outcomes(kind: Kind, name: str) -> Iterator[Outcome]:
    """The outcome of each check of a plugin, as it comes.

    Parameters
    ----------
    kind : {"generator", "classifier", "protocol"}
        What the plugin is.
    name : str
        Of a registered plugin, or ``module:Class``.

    Raises
    ------
    HsiaugError
        Where there is no such plugin, or it cannot be loaded.
    """
    child = Child(_run_checks, name, kind)
    try:
        answer = _next(child)
        if isinstance(answer, HsiaugError):
            raise answer
        if isinstance(answer, str):
            hint = "Repair or uninstall its package."
            raise PluginError(f"{kind} {name} must load", value=answer, hint=hint)
        for number, check in enumerate(CHECKS[kind], start=1):
            outcome = _next(child)
            if isinstance(outcome, str):
                yield Outcome(check.name, "failed", check.rule, outcome, HINT)
                for left in CHECKS[kind][number:]:
                    yield Outcome(left.name, "skipped", left.rule, "its process has ended", HINT)
                return
            yield outcome
    finally:
        child.end()


def _next(child: Child) -> Any:
    """What the process says next; in words why it says nothing."""
    try:
        if child.connection.poll(LIMIT):
            return child.connection.recv()
        return f"no answer within {LIMIT:g} s"
    except (EOFError, OSError):
        child.process.join(5)
        return f"its process ended with {ending(child.process.exitcode)}"


def _run_checks(connection: Connection, name: str, kind: Kind) -> None:
    """Send that the plugin is loaded, or the error, and then the outcome of each check."""
    join_run()
    with suppress(OSError):
        # Linux ends this process first where memory runs out.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")
    try:
        subject = subject_of(kind, _load(kind, name))
    except HsiaugError as error:
        connection.send(error)
        return
    connection.send(None)
    own = os.getpid()
    for outcome in run_checks(CHECKS[kind], subject):
        if os.getpid() != own:
            # A copy that the plugin made of this process, which goes on itself.
            os._exit(0)
        connection.send(outcome)


def _load(kind: Kind, name: str) -> str | type:
    """A name that the registry knows, or the class of ``module:Class``, imported as ``python -m``
    would.

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
        rule = "NAME must be a plugin, or module:Class of a module that can be imported"
        hint = "Run this in the folder of the module, and without .py."
        raise InputError(
            rule, value=f"{name!r} ({type(error).__name__}: {error})", hint=hint
        ) from error
