"""``hsiaug plugins``: what is installed and what is broken; writing a plugin of one's own, and checking it."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.cli.output import print_lines, print_table, say

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.plugins.card import Card
    from hsiaug.plugins.hookspecs import Kind

__all__ = ["app", "kinds_of"]

app = typer.Typer(
    no_args_is_help=True, help="List the generator and classifier plugins, write your own, check them."
)


class KindName(StrEnum):
    """What a plugin is."""

    generator = "generator"
    classifier = "classifier"


@app.command("list")
def list_() -> None:
    """List all plugins, and the packages that failed to load with their errors.

    Example:

      hsiaug plugins list
    """
    from hsiaug.errors import PluginError
    from hsiaug.plugins.registry import registry
    from hsiaug.terminal import Console

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
        print_lines(out, [f"broken: {broken.distribution} (entry point {broken.entry_point})"])
        print_lines(out, broken.trace.splitlines())


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="Name of a plugin; NAME:VALUE for one that takes variants.")],
) -> None:
    """Show what a plugin declares: source, capabilities, parameters with ranges, presets.

    Examples:

      hsiaug plugins info smote

      hsiaug plugins info timm:resnet10t
    """
    from hsiaug.plugins.registry import registry
    from hsiaug.terminal import Console

    for kind in kinds_of(name):
        _print_card(kind, registry().find(kind, name).load().card, Console())


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the plugin, as users will type it.")],
    kind: Annotated[KindName, typer.Option(help="What it is to be.")],
    out: Annotated[Path, typer.Option(help="Folder in which the package's own is made.")] = Path(),
) -> None:
    """Write a package with a small working plugin, which passes 'hsiaug plugins check' as it is.

    Example:

      hsiaug plugins new my-generator --kind generator
    """
    from hsiaug.plugins.scaffold import write_package
    from hsiaug.terminal import Console

    folder = write_package(kind.value, name, out)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    print_lines(Console(), map(str, files))
    say(f"Next: pip install -e {folder}, then hsiaug plugins check {name}", err=True)


@app.command()
def check(
    name: Annotated[
        str, typer.Argument(help="Name of a plugin, or module:Class of one that is not registered (with --kind).")
    ],
    kind: Annotated[KindName | None, typer.Option(help="Needed where the name does not tell.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON on stdout.")] = False,
) -> None:
    """Run the conformance kit on a plugin: one line per check; exit code 1 where a rule is broken.

    The plugin is fitted a dozen times on tiny scenes, with its preset tiny. docs/conformance.md says what each rule
    asks.

    Examples:

      hsiaug plugins check smote

      hsiaug plugins check my_module:MyClass --kind generator --json
    """
    from hsiaug.cli.plugins_check import run_checks

    if not run_checks(kind.value if kind else None, name, as_json=json):
        raise typer.Exit(1)


def kinds_of(name: str) -> list[Kind]:
    """The kinds of which there is a plugin of that name, ``NAME:VALUE`` included. Raises InputError for none."""
    from hsiaug.errors import InputError, did_you_mean
    from hsiaug.plugins.registry import registry

    known = registry().plugins
    kinds = sorted(kind for kind, one in known if one in (name, name.partition(":")[0]))
    if not kinds:
        mend = did_you_mean(name, {one for _, one in known})
        raise InputError("NAME must be a plugin", value=repr(name), mend=mend)
    return kinds


def _print_card(kind: str, card: Card, out: Console) -> None:
    print_lines(out, [f"{kind} {card.name}"])
    for item in dataclasses.fields(card):
        if item.name not in ("name", "params", "presets"):
            value = getattr(card, item.name)
            print_lines(out, [f"{item.name}\t{'–' if value in ('', (), None) else value}".expandtabs(16)])
    usual, rows = card.presets.get("cpu", {}), []
    for item in dataclasses.fields(card.params):
        low, high = item.metadata.get("low"), item.metadata.get("high")
        bounds = f"{'-∞' if low is None else low} … {'∞' if high is None else high}"
        facts = (item.metadata.get("unit", ""), bounds, item.metadata.get("help", ""))
        rows.append((item.name, str(usual.get(item.name, item.default)), *facts))
    if rows:
        print_table(out, ("parameter", "default", "unit", "range", "meaning"), rows)
    print_lines(out, (f"preset {preset}: {dict(values)}" for preset, values in card.presets.items()))
