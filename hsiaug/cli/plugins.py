"""``hsiaug plugins``: what is installed, and what is broken."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.cli.output import print_lines, print_table

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.plugins.card import Card

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List the generator and classifier plugins of this environment.")


@app.command("list")
def list_() -> None:
    """List all plugins, and the packages that failed to load with their errors.

    Example:

      hsiaug plugins list
    """
    from rich.console import Console

    from hsiaug.errors import PluginError
    from hsiaug.plugins.registry import registry

    out = Console()
    found = registry()
    rows = []
    for (kind, name), plugin in sorted(found.plugins.items()):
        try:
            card: Card = plugin.load().card
            facts = (", ".join(card.tasks), card.summary)
        except PluginError as error:
            facts = ("", f"broken: {error}")
        rows.append((kind, name, f"{plugin.distribution} {plugin.version}", *facts))
    print_table(out, ("kind", "name", "from", "tasks", "summary"), rows)
    for broken in found.broken:
        print_lines(out, [f"broken: {broken.distribution} (entry point {broken.entry_point})", broken.trace])


@app.command()
def info(name: Annotated[str, typer.Argument(help="Name of a plugin.")]) -> None:
    """Show what a plugin declares: source, capabilities, parameters with ranges, presets.

    Example:

      hsiaug plugins info smote
    """
    from rich.console import Console

    from hsiaug.errors import InputError, did_you_mean
    from hsiaug.plugins.registry import registry

    found = [plugin for (_, known), plugin in registry().plugins.items() if known == name]
    if not found:
        names = {known for _, known in registry().plugins}
        raise InputError("NAME must be a plugin", value=repr(name), mend=did_you_mean(name, names))
    for plugin in found:
        _print_card(plugin.entry.kind, plugin.load().card, Console())


def _print_card(kind: str, card: Card, out: Console) -> None:
    print_lines(out, [f"{kind} {card.name}"])
    for item in dataclasses.fields(card):
        if item.name not in ("name", "params", "presets"):
            value = getattr(card, item.name)
            print_lines(out, [f"{item.name}\t{'–' if value in ('', (), None) else value}".expandtabs(16)])
    rows = []
    for item in dataclasses.fields(card.params):
        low, high = item.metadata.get("low"), item.metadata.get("high")
        bounds = f"{'-∞' if low is None else low} … {'∞' if high is None else high}"
        facts = (item.metadata.get("unit", ""), bounds, item.metadata.get("help", ""))
        rows.append((item.name, str(item.default), *facts))
    if rows:
        print_table(out, ("parameter", "default", "unit", "range", "meaning"), rows)
    print_lines(out, (f"preset {preset}: {dict(values)}" for preset, values in card.presets.items()))
