"""``hsiaug split``: a draw of train and test pixels, its audit, and its map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from hsiaug.cli import options
from hsiaug.cli.output import print_json, print_lines, print_table, say

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.protocol.split import Audit, Split
    from hsiaug.protocol.tiling import TileSplit
    from hsiaug.scene import Scene

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
        Path | None, typer.Option(help="File of the map, a .png. Default: SCENE-PROTOCOL-SEED.png.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
) -> None:
    """Draw train and test pixels, or the tiles of masks, and audit what the draw costs and leaks.

    Examples:

      hsiaug split indian_pines --protocol issd --png

      hsiaug split indian_pines --protocol random:0.1 --seed 3

      hsiaug split indian_pines --task segmentation --protocol blocks:48 --png

      hsiaug split oscd --protocol places:100 --png
    """
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.protocol.split import Split
    from hsiaug.targets import check_target
    from hsiaug.tasks.task import get_task
    from hsiaug.terminal import Console

    if out is not None:
        check_target(out, (".png",))
    asked = options.task_of(scene, task)
    loaded = _load(scene, asked)
    usual = get_task(asked.value).defaults(loaded)
    side = usual.patch if patch is None else patch
    rule = parse_protocol(protocol or usual.protocol, buffer)
    drawn = cast("Split | TileSplit", get_task(asked.value).split(loaded, rule, seed, side))
    if json:
        print_json(drawn.audit.as_json())
    elif isinstance(drawn, Split):
        _print(drawn, loaded, Console())
    else:
        _print_tiles(drawn, Console())
    if png or out:
        from hsiaug.report.figures import save_split_map

        name = f"{loaded.name}-{drawn.protocol.label}-{seed}.png".replace(":", "_").replace(" ", "_")
        path = out or Path(name)
        save_split_map(loaded, drawn, path)
        say(f"map in {path}", err=True)


def _load(ref: str, task: options.TaskName) -> Any:
    """The scene; of pairs the masks alone, for no draw reads an image."""
    from hsiaug.data import load_pairs, load_scene

    return load_scene(ref) if task is options.TaskName.pixels else load_pairs(ref, task.value, masks_only=True)


def _print(drawn: Split, scene: Scene, out: Console) -> None:
    audit = drawn.audit
    counts = zip(
        scene.class_ids,
        scene.class_names,
        scene.class_counts,
        audit.train_counts,
        audit.test_counts,
        audit.new_counts,
        strict=True,
    )
    rows = [tuple(map(str, row)) for row in counts]
    title = f"{scene.name}, {audit.protocol}, draw {drawn.seed}"
    print_table(out, ("class", "name", "labelled", "train", "test", "in new fields"), rows, title)
    names = {c: scene.class_names[c - 1] for c in scene.class_ids}
    lines = [
        f"{'LEAKY: ' if audit.leaky else ''}{audit.centre_overlap_percent} % of test pixels lie in a training "
        f"patch, {audit.patch_overlap_percent} % have a patch that meets one (patches of {drawn.patch} px)",
        *_remarks(audit, names),
    ]
    print_lines(out, lines)


def _print_tiles(drawn: TileSplit, out: Console) -> None:
    """Of a set of pairs: labelled pixels by class, and tiles by place."""
    audit, pairs = drawn.audit, drawn.pairs
    names = dict(enumerate(pairs.class_names, start=1))
    counts = zip(names.items(), audit.train_counts, audit.test_counts, strict=True)
    rows = [(str(c), name, str(train), str(test)) for (c, name), train, test in counts]
    title = f"{pairs.name}, {audit.protocol}, draw {drawn.seed}"
    print_table(out, ("class", "name", "train", "test"), rows, title)
    tiles = [Counter(where for where, _, _ in side) for side in (drawn.train, drawn.test)]
    places = [(p.name, p.part, str(tiles[0][i]), str(tiles[1][i])) for i, p in enumerate(pairs.places)]
    print_table(out, ("place", "part", "training tiles", "test tiles"), places)
    shared = f"{'LEAKY: ' if audit.leaky else ''}{drawn.shared} pixels lie in a training and in a test tile"
    print_lines(out, [shared, *_remarks(audit, names)])


def _remarks(audit: Audit, names: dict[int, str]) -> Iterator[str]:
    from hsiaug.report.labels import left_out

    buffer = "" if audit.buffer == "none" else f" ({audit.buffer})"
    why = left_out(audit.protocol, audit.buffer)
    yield f"{audit.n_train} train, {audit.n_test} test, {audit.n_buffered} labelled pixels {why}{buffer}"
    yield _fields(audit)
    yield from (f"no test pixel: {names[c]}" for c in audit.lost_classes)
    yield from (f"fewer than 10 test pixels: {names[c]}" for c in audit.thin_classes)
    yield from (f"no training pixel: {names[c]}" for c in audit.untrained_classes)
    what = "places" if audit.fields == "places" else "fields"
    if sum(audit.seen_counts) and sum(audit.new_counts):
        for where, missing in (("new", audit.no_new_classes), ("seen", audit.no_seen_classes)):
            yield from (
                [f"no test pixel in {where} {what}: {', '.join(names[c] for c in missing)}"] if missing else []
            )
    yield from audit.notes


def _fields(audit: Audit) -> str:
    """How many test pixels lie where training pixels do."""
    seen = sum(audit.seen_counts)
    share = f"{seen} of {audit.n_test} test pixels ({100 * seen / audit.n_test:.1f} %)"
    if audit.fields == "places":
        return f"{share} lie in a place that holds training tiles"
    return f"{share} lie in a field that holds training pixels, the others in new fields ({audit.fields})"
