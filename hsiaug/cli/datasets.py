"""``hsiaug datasets``: what scenes there are, what a card says, fetching their files, and adding one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.cli import datasets_add
from hsiaug.cli.options import Json
from hsiaug.cli.output import on_terminal, print_json, say

if TYPE_CHECKING:
    from hsiaug.data.catalogue import SceneEntry
    from hsiaug.data.pair_sets import PairEntry

app = typer.Typer(
    no_args_is_help=True, help="Public scenes and sets of pairs, and your own: list, describe, download, add."
)

MANY = 8
"""Numbers of a list that are written out; of a longer one the smallest and the largest are."""


@app.command("list", epilog="Examples: hsiaug datasets list · hsiaug datasets list --json")
def list_scenes(as_json: Json = False) -> None:
    """List the catalogue: scenes, then sets of image–mask pairs, and what of them is on this machine."""
    from hsiaug.data.catalogue import data_dir, find_entry, pair_set_names, scene_names
    from hsiaug.data.pair_sets import find_pairs

    sets = [entry for name in pair_set_names() if (entry := find_pairs(name))]
    rows = [_scene_row(find_entry(name)) for name in scene_names()] + [_pairs_row(entry) for entry in sets]
    if as_json:
        print_json(rows)
    elif not on_terminal():
        say("\t".join(rows[0]))
        for row in rows:
            say("\t".join(map(_text, row.values())))
    else:
        from rich.table import Table

        from hsiaug.base.terminal import Console

        table = Table(box=None, header_style="bold")
        for column, value in rows[0].items():
            table.add_column(column, justify="right" if isinstance(value, int | float) else "left")
        for row in rows:
            table.add_row(*map(_text, row.values()))
        Console().print(table)
        say(f"Data folder: {data_dir()} (set HSIAUG_DATA_DIR for another one)")


@app.command(
    "info",
    epilog="Examples: hsiaug datasets info salinas_a · hsiaug datasets info oscd · hsiaug datasets info my_scene.toml",
)
def info(
    scene: Annotated[
        str, typer.Argument(help="Scene or set of pairs: name from the catalogue, or path of a card (.toml).")
    ],
    as_json: Json = False,
) -> None:
    """Print everything a card says: files, mirrors, checksums, classes, sensor, citation; of pairs what is missing."""
    from hsiaug.data.catalogue import find_entry
    from hsiaug.data.pair_sets import find_pairs

    pairs = find_pairs(scene)
    facts = _scene_facts(find_entry(scene)) if pairs is None else _pairs_facts(pairs)
    if as_json:
        print_json(facts)
        return
    for name, text in _lines(facts):
        say(f"{name:<12} {text}")
    classes = [("class", "code in file", "labelled px")]
    if pairs is None:
        labels = find_entry(scene).card.labels
        counts = dict(zip(labels.names, labels.counts or (), strict=False))
        classes += [(name, str(code), _text(counts.get(name))) for name, code in labels.kept]
    else:
        masks = pairs.card.masks
        codes = masks.codes or tuple((c,) for c in range(1, len(masks.names) + 1))
        texts = ("all but 0" if masks.by_class else ", ".join(map(str, listed)) for listed in codes)
        classes += [(name, text, "–") for name, text in zip(masks.names, texts, strict=True)]
    for class_id, row in enumerate(classes):
        say("\t".join((str(class_id or "id"), *row)))


@app.command("fetch", epilog="Examples: hsiaug datasets fetch salinas_a · hsiaug datasets fetch salinas ksc oscd")
def fetch(
    scenes: Annotated[list[str], typer.Argument(help="Names from the catalogue, or paths of cards.")],
) -> None:
    """Download what is missing, verify every checksum, and print where the files are."""
    from hsiaug.data import fetch_scene, scene_card
    from hsiaug.data.pair_sets import PairEntry, fetch_pairs, find_pairs

    # All cards first: a misspelt last name must not cost a download.
    for scene, entry in [(scene, find_pairs(scene) or scene_card(scene)) for scene in scenes]:
        files: Sequence[Path | str] = ()
        if isinstance(entry, PairEntry):
            fetch_pairs(entry, whole=True, progress=True)
            name, files = entry.card.name, [entry.folder]
        else:
            name, files = entry.name, fetch_scene(scene)
        for file in files or ("made up in memory, has no files",):
            say(f"{name}\t{file}")


app.command("add")(datasets_add.add)


def _scene_row(entry: SceneEntry) -> dict[str, Any]:
    """A row of ``datasets list``."""
    from hsiaug.data.scene_files import status

    card = entry.card
    shape, counts = card.cube.shape, card.labels.counts
    return {
        "name": card.name,
        "tasks": "pixels, segmentation",
        "size": f"{shape[0]}×{shape[1]}" if shape else None,
        "bands": shape[2] if shape else None,
        "classes": len(card.labels.kept),
        "labelled px": sum(counts) if counts else None,
        "GSD": card.sensor.gsd,
        "status": status(entry),
    }


def _pairs_row(entry: PairEntry) -> dict[str, Any]:
    """A row of ``datasets list``."""
    from hsiaug.data.pair_sets import pairs_status

    card = entry.card
    return {
        "name": card.name,
        "tasks": card.task,
        "size": None,
        "bands": len(card.images.bands) or None,
        "classes": len(card.masks.names),
        "labelled px": None,
        "GSD": card.images.gsd,
        "status": pairs_status(entry),
    }


def _scene_facts(entry: SceneEntry) -> dict[str, Any]:
    """The card, and what of it is here."""
    from hsiaug.data.scene_files import status

    folders = [str(folder) for folder in entry.folders]
    return {"status": status(entry), "folders": folders, **entry.card.model_dump(mode="json")}


def _pairs_facts(entry: PairEntry) -> dict[str, Any]:
    """The card, and what of it is here."""
    from hsiaug.data.pair_sets import pairs_status

    return {
        "status": pairs_status(entry),
        "folders": [str(entry.folder)],
        **entry.card.model_dump(mode="json"),
        "places_here": entry.here(),
        "missing": entry.missing(),
    }


TOLD_BY_CLASS = {"names", "ids", "counts", "codes", "descriptions"}


def _lines(facts: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """(name, text) of everything that is told and not empty; what is told of classes stands in their table."""
    from hsiaug.data.pair_sets import shortly
    from hsiaug.report.bibtex import plain

    for key, value in facts.items():
        name = f"{within}{key}"
        if key in TOLD_BY_CLASS or value in (None, "", False):
            continue
        if isinstance(value, Mapping):
            yield from _lines(value, f"{name}.")
        elif not isinstance(value, Sequence) or isinstance(value, str):
            yield name, plain(value) if key == "citation" else " ".join(_text(value).split())
        elif value and isinstance(value[0], Mapping):
            for one in value:
                yield from _lines(one, f"{name}.")
        elif len(value) > MANY and isinstance(value[0], int | float):
            yield name, f"{min(value)}–{max(value)}, {len(value)} numbers"
        elif value:
            yield name, shortly(list(value)) if within == "missing." else ", ".join(map(_text, value))


def _text(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
