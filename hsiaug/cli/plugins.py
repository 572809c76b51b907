"""``hsiaug plugins``: what is installed and what is broken; writing a plugin of one's own, and
checking it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hsiaug.base.errors import InputError, PluginError
from hsiaug.cli.options import option
from hsiaug.cli.output import (
    console,
    print_facts,
    print_lines,
    print_table,
    say,
)
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import Found, registry

if TYPE_CHECKING:
    from hsiaug.registry.card import Card
    from hsiaug.testing.checks import Outcome

app = typer.Typer(
    no_args_is_help=True,
    help="List the generators, classifiers and protocols, write your own, check them.",
)


@app.command("list")
def list_() -> None:
    """List all plugins, and packages that failed to load, with their errors.

    Example:
      hsiaug plugins list
    """
    rows: list[tuple[object, ...]] = []
    # What a plugin prints when it is loaded is no part of the list.
    with contextlib.redirect_stdout(sys.stderr):
        plugin_registry = registry()
        for (kind, name), plugin in sorted(plugin_registry.plugins.items()):
            source = f"{plugin.distribution} {plugin.version}"
            try:
                card: Card = plugin.card
                rows.append((kind, name, source, ", ".join(card.tasks), card.summary))
            except PluginError as error:
                rows.append((kind, name, source, None, f"broken: {error}"))
    # The plugins of a package that is broken are not known.
    for package in plugin_registry.broken:
        why = f"broken: entry point {package.entry_point}: {package.error}"
        rows.append((None, None, package.distribution, None, why))
    print_table(console(), ("kind", "name", "from", "tasks", "summary"), rows)


@app.command()
def info(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of a plugin; NAME:VALUE for one that takes variants."
        ),
    ],
) -> None:
    """Show what a plugin declares: source, capabilities, parameters with ranges, presets.

    Examples:
      hsiaug plugins info smote
      hsiaug plugins info timm:resnet10t
    """
    with contextlib.redirect_stdout(sys.stderr):
        facts = [(kind, *_facts(kind, registry().find(kind, name))) for kind in kinds_of(name)]
    out = console()
    for kind, card, fields in facts:
        print_lines(out, [f"{kind} {card.name}"])
        print_facts(
            out, ((key, None if value in ("", ()) else value) for key, value in fields.items())
        )
        if rows := [_parameter(card, item) for item in dataclasses.fields(card.params)]:
            print_table(out, ("parameter", "default", "unit", "range", "meaning"), rows)
        presets = card.presets.items()
        print_lines(out, (f"preset {preset}: {dict(values)}" for preset, values in presets))


def _facts(kind: Kind, found: Found) -> tuple[Card, dict[str, Any]]:
    """A card, and what is shown of it; of a protocol also its usage, and whether it leaks."""
    from hsiaug.report.bibtex import plain

    card = found.card
    names = [item.name for item in dataclasses.fields(card)]
    own: dict[str, Any] = {}
    if kind == "protocol":
        names = ["version", "summary", "paper", "tasks"]
        plugin = found.load()
        own = {key: getattr(plugin, key, None) for key in ("usage", "usual_buffer", "leaky")}
    shown = {key: getattr(card, key) for key in names if key not in ("name", "params", "presets")}
    return card, {**shown, "paper": plain(card.paper or ""), **own}


def _parameter(card: Card, item: dataclasses.Field[Any]) -> tuple[str, ...]:
    """A parameter's name, default, unit, range and meaning."""
    about = item.metadata
    low, high = (
        infinite if (value := about.get(key)) is None or math.isinf(value) else value
        for key, infinite in (("low", "-∞"), ("high", "∞"))
    )
    default = card.presets.get("cpu", {}).get(item.name, item.default)
    bounds = ", ".join(map(str, about.get("choices") or ())) or f"{low} … {high}"
    return item.name, str(default), about.get("unit") or "", bounds, about.get("help") or ""


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the plugin, as users will type it.")
    ],
    kind: Annotated[Kind, option("generator, classifier or protocol.", metavar="KIND")],
    task: Annotated[
        Literal["pixels", "segmentation", "change"] | None,
        option(
            "Task of a generator or classifier: pixels, segmentation or change.",
            metavar="TASK",
            default="pixels",
        ),
    ] = None,
) -> None:
    """Write a small working plugin as a package that passes 'hsiaug plugins check'.

    Examples:
      hsiaug plugins new my-generator --kind generator
      hsiaug plugins new my-segmenter --kind classifier --task segmentation
    """
    from hsiaug.registry.scaffold import write_package

    folder = write_package(kind, name, Path(), task)
    print_lines(console(), map(str, sorted(path for path in folder.rglob("*") if path.is_file())))
    plugin = folder.name.removeprefix("hsiaug-")
    say(f"Next: pip install -e {folder}, then hsiaug plugins check {plugin}", err=True)


@app.command()
def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Name of a plugin, or module:Class if it is not registered (with --kind).",
        ),
    ],
    kind: Annotated[
        Kind | None,
        option("generator, classifier or protocol, if the name is not unique.", metavar="KIND"),
    ] = None,
) -> None:
    """Test whether a plugin keeps the contract: one line per check; exit code 1 if one fails.

    Examples:
      hsiaug plugins check smote
      hsiaug plugins check my_module:MyClass --kind generator

    Fits the plugin a dozen times on tiny scenes, with its preset tiny.
    docs/develop/plugins-check.md explains the rules.
    """
    out, err = console(), console(err=True)
    kind = _kind_of(kind, name)
    outcomes = []
    # torch alone takes seconds to import.
    with err.status("loading the conformance kit") as status:
        from hsiaug.testing.check_process import check_outcomes

        for outcome in check_outcomes(kind, name):
            outcomes.append(outcome)
            status.update(f"{len(outcomes)} checks done")
            # On a terminal, the lines would land in the one that says what is being checked.
            status.stop()
            print_lines(out, _outcome_lines(outcome, on_terminal=out.is_terminal))
            out.file.flush()
            status.start()
    passed, failed, skipped = (
        sum(outcome.status == state for outcome in outcomes)
        for state in ("passed", "failed", "skipped")
    )
    seconds = sum(outcome.seconds for outcome in outcomes)
    counts = f"{passed} ok, {failed} failed, {skipped} skipped"
    print_lines(err, [f"{kind} {name}: {counts}, in {seconds:.1f} s"])
    if failed:
        raise typer.Exit(1)


def _outcome_lines(outcome: Outcome, *, on_terminal: bool) -> list[str]:
    """A check, with what was broken or why it was skipped: a line in a pipe, several on a
    terminal.
    """
    state, notes = "ok", []
    if outcome.status == "failed":
        state = "FAILED"
        parts = {"rule": outcome.rule, "seen": outcome.seen, "hint": outcome.hint}
        notes = [f"{name}: {text}" for name, text in parts.items() if text]
    elif outcome.status == "skipped":
        state, notes = "skipped", [outcome.seen]
    if on_terminal:
        return [f"{state:<8}{outcome.name}", *(f"        {note}" for note in notes)]
    return ["\t".join(" ".join(field.split()) for field in (state, outcome.name, *notes))]


def kinds_of(name: str) -> list[Kind]:
    """The kinds of which there is a plugin of that name, ``NAME:VALUE`` included. Raises InputError
    for none.
    """
    kinds = registry().kinds(name)
    if not kinds:
        hint = registry().near(name, {registered for _, registered in registry().plugins})
        raise InputError("NAME must be a plugin", value=repr(name), hint=hint)
    return kinds


def _kind_of(kind: Kind | None, name: str) -> Kind:
    """The kind as typed, else the kind of the registered plugin of that name. No plugin is
    imported.
    """
    if ":" in name and not registry().kinds(name):
        if kind is None:
            hint = "Add --kind generator, classifier or protocol."
            raise InputError("--kind must say what a class is", value=repr(name), hint=hint)
        return kind
    kinds = [kind] if kind else kinds_of(name)
    if len(kinds) > 1:
        conflict = f"{name!r}, {' and '.join(kinds)}"
        raise InputError("--kind must say which plugin is meant", value=conflict, hint="Add it.")
    registry().find(kinds[0], name)
    return kinds[0]
