"""What ``hsiaug plugins check`` runs and prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.base.text import json_of
from hsiaug.cli.output import print_lines
from hsiaug.cli.plugins_child import checked_apart
from hsiaug.registry.lookup import registry

if TYPE_CHECKING:
    from hsiaug.registry.hookspecs import Kind

__all__ = ["kinds_of", "run_checks"]


def run_checks(kind: Kind | None, name: str, *, as_json: bool) -> bool:
    """Run every check on a plugin and print what came of each as soon as it is known; whether none failed.

    name: registered, ``NAME:VALUE`` included, or ``module:Class``. kind: None = as the name tells. The plugin runs in a
    process of its own; what it prints goes to standard error. Raises InputError for a name that is neither or does not
    tell the kind, and PluginError for a plugin that cannot be loaded.
    """
    from hsiaug.base.terminal import Console

    out, err = Console(), Console(stderr=True)
    kind = _kind_of(kind, name)
    outcomes: list[dict[str, Any]] = []
    # torch alone takes seconds to import.
    with err.status("loading the conformance kit") as status:

        def start(check: str, number: int, total: int) -> None:
            status.update(f"{number} of {total}: {check}")

        def tell(found: dict[str, Any]) -> None:
            outcomes.append(_outcome(found))
            if not as_json:
                # On a terminal, the lines would land in the one that says what is being checked.
                status.stop()
                print_lines(out, _lines(outcomes[-1], out.is_terminal))
                out.file.flush()
                status.start()

        checked_apart(kind, name, start, tell)
    failed = sum(outcome["status"] == "FAILED" for outcome in outcomes)
    if as_json:
        text = json_of({"kind": kind, "name": name, "passed": not failed, "checks": outcomes}, indent=2)
        out.file.write(f"{text}\n")
    skipped = sum(outcome["status"] == "skipped" for outcome in outcomes)
    seconds = sum(outcome["seconds"] for outcome in outcomes)
    summary = f"{kind} {name}: {len(outcomes) - failed - skipped} ok, {failed} failed, {skipped} skipped"
    print_lines(err, [f"{summary}, in {seconds:.1f} s"])
    return not failed


def kinds_of(name: str) -> list[Kind]:
    """The kinds of which there is a plugin of that name, ``NAME:VALUE`` included. Raises InputError for none."""
    kinds = registry().kinds(name)
    if not kinds:
        hint = did_you_mean(name, {one for _, one in registry().plugins})
        raise InputError("NAME must be a plugin", value=repr(name), hint=hint)
    return kinds


def _kind_of(kind: Kind | None, name: str) -> Kind:
    """The kind as typed, or as the name of a registered plugin tells it; nothing is imported for that."""
    if ":" not in name or registry().kinds(name):
        kinds = [kind] if kind else kinds_of(name)
        if len(kinds) > 1:
            raise InputError(
                "--kind must say which plugin is meant", value=f"{name!r}, {' and '.join(kinds)}", hint="Add it."
            )
        registry().find(kinds[0], name)
        return kinds[0]
    if kind is None:
        raise InputError(
            "--kind must say what a class is",
            value=repr(name),
            hint="Add --kind generator, classifier or protocol.",
        )
    return kind


def _outcome(found: dict[str, Any]) -> dict[str, Any]:
    """Name, status and seconds of one check; of a failed one also its rule, what was seen and the hint."""
    status = {"passed": "ok", "failed": "FAILED"}.get(found["status"], found["status"])
    shown = {"FAILED": ("rule", "seen", "hint"), "skipped": ("seen",)}.get(status, ())
    facts = {key: found[key] for key in shown}
    return {"check": found["name"], "status": status, **facts, "seconds": round(found["seconds"], 3)}


def _lines(outcome: dict[str, Any], terminal: bool) -> list[str]:
    """An outcome as one line of fields, or for a person."""
    notes = [f"{key}: {outcome[key]}" for key in ("rule", "seen", "hint") if outcome.get(key)]
    if terminal:
        head = f"{outcome['status']:<8}{outcome['check']}"
        if outcome["status"] == "skipped":
            return [f"{head} ({outcome['seen']})"]
        return [head, *(f"        {note}" for note in notes)]
    if outcome["status"] == "skipped":
        notes = [outcome["seen"]]
    return ["\t".join(" ".join(field.split()) for field in (outcome["status"], outcome["check"], *notes))]
