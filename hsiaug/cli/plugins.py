"""``hsiaug plugins``: what is installed and what is broken; writing a plugin of one's own, and checking it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.cli.options import Json, TaskName
from hsiaug.cli.output import print_facts, print_json, print_lines, print_table, say
from hsiaug.registry.hookspecs import Kind

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.registry.card import Card
    from hsiaug.registry.lookup import Found

app = typer.Typer(
    no_args_is_help=True, help="List the generators, classifiers and protocols, write your own, check them."
)

PARAM_FACTS = ("unit", "low", "high", "choices", "help")


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
        listed = [_row(kind, name, plugin) for (kind, name), plugin in sorted(found.plugins.items())]
    if json:
        # The plugins of a package that is broken are not known.
        unknown: dict[str, Any] = {"kind": None, "name": None, "tasks": [], "summary": None}
        for one in found.broken:
            listed.append(
                {**unknown, "from": one.distribution, "error": f"entry point {one.entry_point}: {one.error}"}
            )
        print_json([{key: row[key] for key in ROW} for row in listed])
        return
    out = Console()
    rows = (
        [*map(row.get, ROW[:3]), ", ".join(row["tasks"]), row["summary"] or f"broken: {row['error']}"]
        for row in listed
    )
    print_table(out, ROW[:5], rows)
    for broken in found.broken:
        print_lines(out, [f"broken: {broken.distribution} (entry point {broken.entry_point})"])
        print_lines(out, broken.trace.splitlines())


ROW = ("kind", "name", "from", "tasks", "summary", "error")


def _row(kind: str, name: str, plugin: Found) -> dict[str, Any]:
    """A row of the list. error: why it cannot be loaded; its card then tells nothing."""
    from hsiaug.base.errors import PluginError

    row = {"kind": kind, "name": name, "from": f"{plugin.distribution} {plugin.version}"}
    try:
        card: Card = plugin.load().card
    except PluginError as error:
        return {**row, "tasks": [], "summary": None, "error": str(error)}
    return {**row, "tasks": list(card.tasks), "summary": card.summary, "error": None}


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
        cards = [_card(kind, registry().find(kind, name).load()) for kind in kinds_of(name)]
    if json:
        print_json(cards)
        return
    for card in cards:
        _print_card(card, Console())


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the plugin, as users will type it.")],
    kind: Annotated[Kind, typer.Option(help="What it is to be.")],
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

    folder = write_package(kind, name, out, task)
    print_lines(Console(), map(str, sorted(path for path in folder.rglob("*") if path.is_file())))
    say(f"Next: pip install -e {folder}, then hsiaug plugins check {name}", err=True)


@app.command()
def check(
    name: Annotated[
        str, typer.Argument(help="Name of a plugin, or module:Class of one that is not registered (with --kind).")
    ],
    kind: Annotated[Kind | None, typer.Option(help="Needed where the name does not tell.")] = None,
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

    if not run_checks(kind, name, as_json=json):
        raise typer.Exit(1)


def _card(kind: str, plugin: Any) -> dict[str, Any]:
    """A card as JSON: its fields, and of each parameter what is told of it; of a protocol how it is typed, and whether it
    leaks."""
    card: Card = plugin.card
    facts = {item.name: getattr(card, item.name) for item in dataclasses.fields(card)}
    if kind == "protocol":
        own = {name: getattr(plugin, name, None) for name in ("usage", "usual_buffer", "leaky")}
        facts = {name: facts[name] for name in ("name", "version", "summary", "paper", "tasks")} | own

    def told(item: Any, key: str) -> Any:
        value = item.metadata.get(key)
        # JSON cannot say that a bound is infinite.
        return None if isinstance(value, float) and not math.isfinite(value) else value

    params = [
        {"name": item.name, "default": item.default, **{key: told(item, key) for key in PARAM_FACTS}}
        for item in dataclasses.fields(card.params)
    ]
    presets = {name: dict(values) for name, values in card.presets.items()}
    return {"kind": kind, **facts, "params": params, "presets": presets}


def _print_card(card: dict[str, Any], out: Console) -> None:
    from hsiaug.report.bibtex import plain

    print_lines(out, [f"{card['kind']} {card['name']}"])
    facts = {**card, "paper": plain(card["paper"]) if card["paper"] else None}
    shown = [
        (n, None if facts[n] in ("", ()) else facts[n])
        for n in facts
        if n not in ("kind", "name", "params", "presets")
    ]
    print_facts(out, shown)
    usual, rows = card["presets"].get("cpu", {}), []
    for one in card["params"]:
        low, high = "-∞" if one["low"] is None else one["low"], "∞" if one["high"] is None else one["high"]
        bounds = ", ".join(map(str, one["choices"] or ())) or f"{low} … {high}"
        rows.append(
            (
                one["name"],
                str(usual.get(one["name"], one["default"])),
                one["unit"] or "",
                bounds,
                one["help"] or "",
            )
        )
    if rows:
        print_table(out, ("parameter", "default", "unit", "range", "meaning"), rows)
    print_lines(out, (f"preset {preset}: {values}" for preset, values in card["presets"].items()))
