"""``hsiaug split``: a draw of train and test pixels, its audit, and its map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from hsiaug.cli import options
from hsiaug.cli.output import print_json, print_lines, print_table, say

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.protocol.split import Split
    from hsiaug.protocol.tiling import TileSplit
    from hsiaug.report.output_files import TableFiles, Writers

__all__ = ["split"]


def split(
    scene: options.SceneRef,
    task: options.Task = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    patch: options.AnyPatch = None,
    seed: options.Seed = 0,
    png: Annotated[bool, typer.Option("--png", help="Draw a map of train, test and buffer pixels.")] = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            help="File to write: .png, .svg or .pdf (the map), .md, .tex, .csv or .json (the table), of pixels also .npz "
            "or .mat (masks train and test, which fixed:FILE reads); repeat for more. With --png alone "
            "SCENE-PROTOCOL-SEED.png.",
            show_default=False,
        ),
    ] = None,
    columns: options.Columns = 2,
    json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
) -> None:
    """Draw train and test pixels, or the tiles of masks, and audit what the draw costs and leaks.

    Examples:

      hsiaug split indian_pines --protocol issd --png

      hsiaug split indian_pines --protocol random:0.1 --seed 3

      hsiaug split indian_pines --out split.pdf --out split.tex --out masks.npz

      hsiaug split indian_pines --task segmentation --protocol blocks:48 --png

      hsiaug split oscd --protocol places:100 --png
    """
    from hsiaug.base.targets import PICTURES, TABLES, check_targets
    from hsiaug.base.terminal import Console
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.report.output_files import ARRAYS, write_files
    from hsiaug.report.split_tables import split_tables
    from hsiaug.tasks.task import get_task

    asked = options.task_of(scene, task)
    pixels = asked is options.TaskName.pixels
    check_targets(out or [], (*PICTURES, *TABLES, *(ARRAYS if pixels else ())))
    loaded = _load(scene, asked)
    usual = get_task(asked.value).defaults(loaded)
    side = usual.patch if patch is None else patch
    rule = parse_protocol(protocol or usual.protocol, buffer)
    drawn = cast("Split | TileSplit", get_task(asked.value).split(loaded, rule, seed, side))
    tables = split_tables(loaded, drawn)
    if json:
        print_json(drawn.audit.as_json())
    else:
        _print(tables, Console())
    pictured = any(path.suffix.lower() in PICTURES for path in out or [])
    name = f"{loaded.name}-{drawn.protocol.label}-{seed}.png".replace(":", "_").replace(" ", "_")
    files = [*(out or []), *([Path(name)] if png and not pictured else [])]
    if files:
        write_files(files, _writers(loaded, drawn, tables, columns))
        say(f"written: {', '.join(map(str, files))}", err=True)


def _load(ref: str, task: options.TaskName) -> Any:
    """The scene; of pairs the masks alone, for no draw reads an image."""
    from hsiaug.data import load_pairs, load_scene

    return load_scene(ref) if task is options.TaskName.pixels else load_pairs(ref, task.value, masks_only=True)


def _writers(loaded: Any, drawn: Split | TileSplit, tables: TableFiles, columns: int) -> Writers:
    from hsiaug.protocol.split import Split
    from hsiaug.report.figures.split import split_figure
    from hsiaug.report.output_files import array_writers, figure_writers, table_writers
    from hsiaug.report.split_tables import split_masks

    writers = {
        **figure_writers(lambda: split_figure(loaded, drawn, columns)),
        **table_writers(lambda: tables),
    }
    return {**writers, **array_writers(lambda: split_masks(drawn))} if isinstance(drawn, Split) else writers


def _print(tables: TableFiles, out: Console) -> None:
    for page in tables.pages:
        for place, grid in enumerate(page.grids):
            rows = [tuple(entry.text for entry in row) for row in grid.rows]
            print_table(out, [c.header for c in grid.columns], rows, "" if place else page.title)
        print_lines(out, page.notes)
