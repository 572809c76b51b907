"""``hsiaug plugins``: what is installed, and what is broken."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
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
    from rich.table import Table

    from hsiaug.errors import PluginError
    from hsiaug.plugins.registry import registry

    out = Console()
    found = registry()
    table = Table("kind", "name", "from", "summary")
    for (kind, name), plugin in sorted(found.plugins.items()):
        try:
            summary = plugin.load().card.summary
        except PluginError as error:
            summary = f"broken: {error}"
        table.add_row(kind, name, f"{plugin.distribution} {plugin.version}", summary)
    out.print(table)
    for broken in found.broken:
        out.print(
            f"broken: {broken.distribution} (entry point {broken.entry_point})", style="red", highlight=False
        )
        out.print(broken.trace, markup=False, highlight=False)


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


def _print_card(kind: str, card: Card, out: Any) -> None:
    from rich.table import Table

    facts = Table.grid(padding=(0, 2))
    for item in dataclasses.fields(card):
        if item.name not in ("params", "presets"):
            value = getattr(card, item.name)
            facts.add_row(item.name, "–" if value in ("", (), None) else str(value))
    out.print(f"{kind} {card.name}", style="bold")
    out.print(facts, highlight=False)
    table = Table("parameter", "default", "unit", "range", "meaning")
    for item in dataclasses.fields(card.params):
        low, high = item.metadata.get("low"), item.metadata.get("high")
        bounds = (
            ""
            if low is None and high is None
            else f"{low if low is not None else '-∞'} … {high if high is not None else '∞'}"
        )
        table.add_row(
            item.name, str(item.default), item.metadata.get("unit", ""), bounds, item.metadata.get("help", "")
        )
    if table.row_count:
        out.print(table)
    for preset, values in card.presets.items():
        out.print(f"preset {preset}: {dict(values)}", highlight=False)
