"""``hsiaug split``: a draw of train and test pixels, its audit, and its map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.output import print_json, print_lines, print_table, say

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.protocol.split import Split
    from hsiaug.scene import Scene

__all__ = ["split"]


def split(
    scene: options.SceneRef,
    protocol: options.Protocol = "issd",
    buffer: options.Buffer = None,
    patch: options.Patch = 9,
    seed: Annotated[int, typer.Option(help="Number of the draw.", min=0)] = 0,
    png: Annotated[bool, typer.Option("--png", help="Draw a map of train, test and buffer pixels.")] = False,
    out: Annotated[Path | None, typer.Option(help="File of the map. Default: SCENE-PROTOCOL-SEED.png.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
) -> None:
    """Draw train and test pixels, and audit what the draw costs and leaks.

    Examples:

      hsiaug split indian_pines --protocol issd --png

      hsiaug split indian_pines --protocol random:0.1 --seed 3
    """
    from hsiaug.data import load_scene
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.protocol.split import draw_split
    from hsiaug.terminal import Console

    loaded = load_scene(scene)
    drawn = draw_split(loaded, parse_protocol(protocol, buffer), seed, patch)
    if json:
        print_json(drawn.audit.as_json())
    else:
        _print(drawn, loaded, Console())
    if png or out:
        from hsiaug.report.figures import save_split_map

        name = f"{loaded.name}-{drawn.protocol.label}-{seed}.png".replace(":", "_").replace(" ", "_")
        path = out or Path(name)
        save_split_map(loaded, drawn, path)
        say(f"map in {path}", err=True)


def _print(drawn: Split, scene: Scene, out: Console) -> None:
    audit = drawn.audit
    counts = zip(
        scene.class_ids, scene.class_names, scene.class_counts, audit.train_counts, audit.test_counts, strict=True
    )
    rows = [tuple(map(str, row)) for row in counts]
    title = f"{scene.name}, {audit.protocol}, draw {drawn.seed}"
    print_table(out, ("class", "name", "labelled", "train", "test"), rows, title)
    names = {c: scene.class_names[c - 1] for c in scene.class_ids}
    lines = [
        f"{'LEAKY: ' if audit.leaky else ''}{audit.centre_overlap_percent} % of test pixels lie in a training "
        f"patch, {audit.patch_overlap_percent} % have a patch that meets one (patches of {drawn.patch} px)",
        f"{audit.n_train} train, {audit.n_test} test, {audit.n_buffered} labelled pixels left out "
        f"(buffer {audit.buffer})",
        *(f"no test pixel: {names[c]}" for c in audit.lost_classes),
        *(f"fewer than 10 test pixels: {names[c]}" for c in audit.thin_classes),
        *(f"no training pixel: {names[c]}" for c in audit.untrained_classes),
        *audit.notes,
    ]
    print_lines(out, lines)
