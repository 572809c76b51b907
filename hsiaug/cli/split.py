"""``hsiaug split``: a draw of train and test pixels, its audit, and its map."""

from pathlib import Path
from typing import Annotated

from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import say_written, show_tables


def split(
    scene: options.SceneRef,
    task: options.Task = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    patch: options.Patch = None,
    seed: options.Seed = 0,
    out: Annotated[
        list[Path] | None,
        option(
            "File to write: .png, .svg or .pdf (the map), .md, .tex, .csv or .json (the table), of"
            " pixels also .npz or .mat (masks train and test, which fixed:FILE reads); repeat for"
            " more.",
        ),
    ] = None,
) -> None:
    """Draw train and test pixels, or the tiles of masks, and audit what the draw costs and leaks.

    Examples:
      hsiaug split indian_pines --protocol issd --out split.png --out masks.npz
      hsiaug split indian_pines --protocol random:0.1 --seed 3
      hsiaug split oscd --protocol places:100 --out tiles.png
    """
    from hsiaug.base.files import PICTURES, TABLES, check_targets
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.report.output_files import (
        ARRAYS,
        array_writers,
        figure_writers,
        table_writers,
        write_files,
    )
    from hsiaug.report.splits import split_figure, split_masks, split_tables
    from hsiaug.tasks.task import get_task, task_of

    kind = get_task(task_of(scene, task))
    check_targets(out or [], (*PICTURES, *TABLES, *ARRAYS))
    loaded = kind.data.load_labels(scene)
    usual = kind.settings.on(loaded)
    side = usual.patch if patch is None else patch
    drawn = kind.draws.split(loaded, parse_protocol(protocol or usual.protocol, buffer), seed, side)
    tables = split_tables(loaded, drawn)
    show_tables(tables, ())
    if out:
        writers = {
            **figure_writers(lambda: split_figure(loaded, drawn)),
            **table_writers(lambda: tables),
            **array_writers(lambda: split_masks(drawn)),
        }
        write_files(out, writers)
        say_written(out)
