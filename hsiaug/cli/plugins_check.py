"""What ``hsiaug plugins check`` runs and prints."""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.cli.output import print_lines
from hsiaug.cli.plugins import kinds_of
from hsiaug.errors import InputError
from hsiaug.plugins.registry import registry
from hsiaug.text import json_of

if TYPE_CHECKING:
    from hsiaug.plugins.hookspecs import Kind

__all__ = ["run_checks"]


def run_checks(kind: Kind | None, name: str, *, as_json: bool) -> bool:
    """Run every check on a plugin and print what came of each as soon as it is known; whether none failed.

    name: registered, ``NAME:VALUE`` included, or ``module:Class``. kind: None = as the name tells. What a plugin prints
    goes to standard error. Raises InputError for a name that is neither or does not tell the kind, and PluginError
    for a plugin that cannot be loaded.
    """
    from hsiaug.terminal import Console

    # A console without a file would follow the redirection below.
    out, err = Console(file=sys.stdout), Console(stderr=True)
    with contextlib.redirect_stdout(sys.stderr):
        kind, plugin = _given(kind, name)
        # torch alone takes seconds to import.
        with err.status("loading the conformance kit"):
            from hsiaug.testing import classifier_checks, generator_checks
        checks = list((generator_checks if kind == "generator" else classifier_checks)(plugin))
        outcomes: list[dict[str, Any]] = []
        with err.status("") as status:
            for number, (check, test) in enumerate(checks, 1):
                status.update(f"{number} of {len(checks)}: {check}")
                outcomes.append(_outcome(check, test))
                if not as_json:
                    # On a terminal, the lines would land in the one that says what is being checked.
                    status.stop()
                    print_lines(out, _lines(outcomes[-1], out.is_terminal))
                    out.file.flush()
                    status.start()
    failed = sum(outcome["status"] == "FAILED" for outcome in outcomes)
    if as_json:
        text = json_of({"kind": kind, "name": name, "passed": not failed, "checks": outcomes}, indent=2)
        out.file.write(f"{text}\n")
    skipped = sum(outcome["status"] == "skipped" for outcome in outcomes)
    seconds = sum(outcome["seconds"] for outcome in outcomes)
    summary = f"{kind} {name}: {len(outcomes) - failed - skipped} ok, {failed} failed, {skipped} skipped"
    print_lines(err, [f"{summary}, in {seconds:.1f} s"])
    return not failed


def _given(kind: Kind | None, name: str) -> tuple[Kind, str | type]:
    """The kind, and a name that the registry knows or the class of ``module:Class``, imported as ``python -m`` would."""
    found = registry()
    module, colon, target = name.partition(":")
    if not colon or module in {known for _, known in found.plugins}:
        kinds = [kind] if kind else kinds_of(name)
        if len(kinds) > 1:
            raise InputError(
                "--kind must say which plugin is meant", value=f"{name!r}, {' and '.join(kinds)}", mend="Add it."
            )
        found.find(kinds[0], name).load()
        return kinds[0], name
    if kind is None:
        raise InputError(
            "--kind must say what a class is", value=repr(name), mend="Add --kind generator or --kind classifier."
        )
    sys.path.insert(0, str(Path.cwd()))
    try:
        plugin: type = getattr(importlib.import_module(module), target)
    except (Exception, SystemExit) as error:
        raise InputError(
            "NAME must be a plugin, or module:Class of a module that can be imported",
            value=f"{name!r} ({type(error).__name__}: {error})",
            mend="Run this in the folder of the module, and without .py.",
        ) from error
    return kind, plugin


def _outcome(check: str, test: Any) -> dict[str, Any]:
    """Name, status and seconds of one check; of a failed one also its rule, what was seen and the mend."""
    from hsiaug.testing import ConformanceError

    start = time.perf_counter()
    facts = {"status": "ok"}
    try:
        test()
    except unittest.SkipTest as reason:
        facts = {"status": "skipped", "seen": str(reason)}
    except ConformanceError as error:
        broken = error.report.outcomes[0]
        facts = {"status": "FAILED", "rule": broken.rule, "seen": broken.seen, "mend": broken.mend}
    return {"check": check, **facts, "seconds": round(time.perf_counter() - start, 3)}


def _lines(outcome: dict[str, Any], terminal: bool) -> list[str]:
    """An outcome as one line of fields, or for a person."""
    notes = [f"{key}: {outcome[key]}" for key in ("rule", "seen", "mend") if outcome.get(key)]
    if terminal:
        head = f"{outcome['status']:<8}{outcome['check']}"
        if outcome["status"] == "skipped":
            return [f"{head} ({outcome['seen']})"]
        return [head, *(f"        {note}" for note in notes)]
    if outcome["status"] == "skipped":
        notes = [outcome["seen"]]
    return ["\t".join(" ".join(field.split()) for field in (outcome["status"], outcome["check"], *notes))]
