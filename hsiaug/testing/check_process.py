"""The checks of a plugin in a process of their own: a plugin that ends it fails a check."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from hsiaug.base.errors import HsiaugError, InputError, PluginError
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.isolation.packages import (
    Message,
    NoAnswer,
    answers,
    read_answer,
)
from hsiaug.registry.isolation.processes import join_run
from hsiaug.registry.lookup import Found, import_here, registry, third_party
from hsiaug.testing import CHECKS, kit
from hsiaug.testing.core import Outcome

LIMIT = 600.0
"""Seconds that a check may take."""

TOO_SLOW = (
    "Give the preset tiny fewer steps, look for a loop without end, or give more time: --limit"
    " SECONDS."
)

HINT = (
    "Let fit, sample, predict, save and load return, or raise an exception; end no process, and"
    " look at native code."
)


def check_outcomes(kind: Kind, name: str, limit: float = LIMIT) -> Iterator[Outcome]:
    """The outcome of each check of a plugin, as it comes.

    Parameters
    ----------
    kind : {"generator", "classifier", "protocol"}
        What the plugin is.
    name : str
        Of a registered plugin, or ``module:Class``.
    limit : float
        Seconds that each check may take, and the import.

    Raises
    ------
    HsiaugError
        Where there is no such plugin, or it cannot be loaded.
    """
    said = answers(_begin, _run_checks, name, kind, third_party(), within=limit)
    with closing(said):
        try:
            read_answer(Message, next(said), name)
        except NoAnswer as reason:
            hint = "Repair or uninstall its package, or give more time: --limit SECONDS."
            raise PluginError(f"{kind} {name} must load", value=reason, hint=hint) from None
        checks = CHECKS[kind]
        for number, check in enumerate(checks, start=1):
            try:
                outcome = read_answer(Outcome, next(said), name)
            except NoAnswer as reason:
                hint = TOO_SLOW if "no answer within" in str(reason) else HINT
                yield Outcome(check.name, "failed", check.rule, str(reason), hint, 0.0)
                for left in checks[number:]:
                    yield Outcome(
                        left.name, "skipped", left.rule, "its process has ended", HINT, 0.0
                    )
                return
            yield outcome


def _begin() -> None:
    # Ctrl-C reaches parent and child; the parent then ends this process.
    join_run()
    with suppress(OSError):
        # Linux ends this process first where memory runs out.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")


def _run_checks(name: str, kind: Kind, known: tuple[Found, ...]) -> Iterator[object]:
    """That the plugin is loaded, and then the outcome of each check."""
    import_here(known)
    checked = kit(kind, _load(kind, name))
    _ = checked.subject
    yield Message()
    for check in CHECKS[kind]:
        yield checked.outcome(check.name)


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
