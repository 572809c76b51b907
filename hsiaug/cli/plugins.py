"""``hsiaug plugins``: what is installed and what is broken; writing a plugin of one's own, and checking it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.cli.options import Json, TaskName
from hsiaug.cli.output import print_json, print_lines, print_table, say

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.registry.card import Card
    from hsiaug.registry.lookup import Broken, Found

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="List the generators, classifiers and protocols, write your own, check them."
)

PARAM_FACTS = ("unit", "low", "high", "choices", "help")


class _Kind(StrEnum):
    """What a plugin is."""

    generator = "generator"
    classifier = "classifier"
    protocol = "protocol"


@app.command("list")
def list_(json: Json = False) -> None:
    """List all plugins, and the packages that failed to load with their errors.

    Examples:

      hsiaug plugins list

      hsiaug plugins list --json
    """
    from hsiaug.base.terminal import Console
    from hsiaug.registry.lookup import registry

    # What a plugin prints when it is loaded is no part of the list.
    with contextlib.redirect_stdout(sys.stderr):
        found = registry()
        listed = [_listed(kind, name, plugin) for (kind, name), plugin in sorted(found.plugins.items())]
    if json:
        print_json([*listed, *map(_unread, found.broken)])
        return
    out, header = Console(), ("kind", "name", "from", "tasks", "summary")
    rows = [
        (
            row["kind"],
            row["name"],
            row["from"],
            ", ".join(row["tasks"]),
            row["summary"] or f"broken: {row['error']}",
        )
        for row in listed
    ]
    print_table(out, header, rows)
    for broken in found.broken:
        print_lines(out, [f"broken: {broken.distribution} (entry point {broken.entry_point})"])
        print_lines(out, broken.trace.splitlines())


def _listed(kind: str, name: str, plugin: Found) -> dict[str, Any]:
    """A row of the list. error: why it cannot be loaded; its card then tells nothing."""
    from hsiaug.base.errors import PluginError

    row = {"kind": kind, "name": name, "from": f"{plugin.distribution} {plugin.version}"}
    try:
        card: Card = plugin.load().card
    except PluginError as error:
        return {**row, "tasks": [], "summary": None, "error": str(error)}
    return {**row, "tasks": list(card.tasks), "summary": card.summary, "error": None}


def _unread(broken: Broken) -> dict[str, Any]:
    """A row for a package whose plugins are not known, as it cannot be loaded."""
    return {
        "kind": None,
        "name": None,
        "from": broken.distribution,
        "tasks": [],
        "summary": None,
        "error": f"entry point {broken.entry_point}: {broken.error}",
    }


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="Name of a plugin; NAME:VALUE for one that takes variants.")],
    json: Json = False,
) -> None:
    """Show what a plugin declares: source, capabilities, parameters with ranges, presets.

    Examples:

      hsiaug plugins info smote

      hsiaug plugins info timm:resnet10t
    """
    from hsiaug.base.terminal import Console
    from hsiaug.cli.plugins_check import kinds_of
    from hsiaug.registry.lookup import registry

    with contextlib.redirect_stdout(sys.stderr):
        plugins = {kind: registry().find(kind, name).load() for kind in kinds_of(name)}
    if json:
        print_json([{"kind": kind, **_card_json(kind, plugin)} for kind, plugin in plugins.items()])
        return
    for kind, plugin in plugins.items():
        _print_card(kind, plugin, Console())


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the plugin, as users will type it.")],
    kind: Annotated[_Kind, typer.Option(help="What it is to be.")],
    task: Annotated[
        TaskName | None,
        typer.Option(help="What a generator or classifier serves; of masks segmentation or change."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder in which the package's own is made.")] = Path(),
) -> None:
    """Write a package with a small working plugin, which passes 'hsiaug plugins check' as it is.

    Example:

      hsiaug plugins new my-generator --kind generator

      hsiaug plugins new my-segmenter --kind classifier --task segmentation
    """
    from hsiaug.base.terminal import Console
    from hsiaug.registry.scaffold import write_package

    folder = write_package(kind.value, name, out, task)
    print_lines(Console(), map(str, sorted(path for path in folder.rglob("*") if path.is_file())))
    say(f"Next: pip install -e {folder}, then hsiaug plugins check {name}", err=True)


@app.command()
def check(
    name: Annotated[
        str, typer.Argument(help="Name of a plugin, or module:Class of one that is not registered (with --kind).")
    ],
    kind: Annotated[_Kind | None, typer.Option(help="Needed where the name does not tell.")] = None,
    json: Json = False,
) -> None:
    """Run the conformance kit on a plugin: one line per check; exit code 1 where a rule is broken.

    The plugin is fitted a dozen times on tiny scenes, with its preset tiny. docs/plugins.md says what each rule
    asks.

    Examples:

      hsiaug plugins check smote

      hsiaug plugins check my_module:MyClass --kind generator --json
    """
    from hsiaug.cli.plugins_check import run_checks

    if not run_checks(kind.value if kind else None, name, as_json=json):
        raise typer.Exit(1)


def _facts(kind: str, plugin: Any) -> dict[str, Any]:
    """What a plugin declares, parameters and presets apart; of a protocol also how it is typed and whether it leaks."""
    card: Card = plugin.card
    names = [item.name for item in dataclasses.fields(card) if item.name not in ("params", "presets")]
    if kind != "protocol":
        return {name: getattr(card, name) for name in names}
    own = {name: getattr(plugin, name, None) for name in ("usage", "usual_buffer", "leaky")}
    return {name: getattr(card, name) for name in ("name", "version", "summary", "paper", "tasks")} | own


def _card_json(kind: str, plugin: Any) -> dict[str, Any]:
    """A card as JSON: its fields, and of each parameter what is told of it."""
    card: Card = plugin.card
    facts = _facts(kind, plugin)
    params = [
        {
            "name": item.name,
            "default": item.default,
            **{key: _plain(item.metadata.get(key)) for key in PARAM_FACTS},
        }
        for item in dataclasses.fields(card.params)
    ]
    return {**facts, "params": params, "presets": {name: dict(values) for name, values in card.presets.items()}}


def _plain(value: Any) -> Any:
    """A bound or a text; no bound where it is infinite, which JSON cannot say."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print_card(kind: str, plugin: Any, out: Console) -> None:
    from hsiaug.report.bibtex import plain

    card: Card = plugin.card
    print_lines(out, [f"{kind} {card.name}"])
    for name, value in (_facts(kind, plugin) | {"paper": plain(card.paper)}).items():
        if name != "name":
            print_lines(out, [f"{name}\t{'–' if value in ('', (), None) else value}".expandtabs(16)])
    usual, rows = card.presets.get("cpu", {}), []
    for item in dataclasses.fields(card.params):
        low, high = item.metadata.get("low"), item.metadata.get("high")
        bounds = f"{'-∞' if low is None else low} … {'∞' if high is None else high}"
        bounds = ", ".join(map(str, item.metadata.get("choices", ()))) or bounds
        facts = (item.metadata.get("unit", ""), bounds, item.metadata.get("help", ""))
        rows.append((item.name, str(usual.get(item.name, item.default)), *facts))
    if rows:
        print_table(out, ("parameter", "default", "unit", "range", "meaning"), rows)
    print_lines(out, (f"preset {preset}: {dict(values)}" for preset, values in card.presets.items()))
