"""``hsiaug datasets``: what scenes there are, what a card says, fetching their files, and adding one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.cli import datasets_add, options
from hsiaug.cli.output import on_terminal, print_json, say

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec
    from hsiaug.data.catalogue import SceneEntry

app = typer.Typer(
    no_args_is_help=True, help="Public scenes and sets of pairs, and your own: list, describe, download, add."
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("list", epilog="Examples: hsiaug datasets list · hsiaug datasets list --json")
def list_scenes(as_json: Json = False) -> None:
    """List the catalogue: scenes, then sets of image–mask pairs, and what of them is on this machine."""
    from hsiaug.cli.datasets_pairs import pair_row
    from hsiaug.data.catalogue import data_dir, find_entry, pair_set_names, scene_names
    from hsiaug.data.pair_sets import find_pairs

    sets = [entry for name in pair_set_names() if (entry := find_pairs(name))]
    rows = [_row(find_entry(name)) for name in scene_names()] + [pair_row(entry) for entry in sets]
    if as_json:
        print_json(rows)
    elif not on_terminal():
        say("\t".join(rows[0]))
        for row in rows:
            say("\t".join(_text(value) for value in row.values()))
    else:
        from rich.table import Table

        from hsiaug.base.terminal import Console

        table = Table(box=None, header_style="bold")
        for column, value in rows[0].items():
            table.add_column(column, justify="right" if isinstance(value, int | float) else "left")
        for row in rows:
            table.add_row(*(_text(value) for value in row.values()))
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
    from hsiaug.cli.datasets_pairs import describe_pairs, pairs_json
    from hsiaug.data.catalogue import find_entry
    from hsiaug.data.pair_sets import find_pairs

    pairs = find_pairs(scene)
    if as_json:
        print_json(_json(find_entry(scene)) if pairs is None else pairs_json(pairs))
        return
    for line in _describe(find_entry(scene)) if pairs is None else describe_pairs(pairs):
        say(line)


@app.command("fetch", epilog="Examples: hsiaug datasets fetch salinas_a · hsiaug datasets fetch salinas ksc oscd")
def fetch(
    scenes: Annotated[list[str], typer.Argument(help="Names from the catalogue, or paths of cards.")],
    quiet: options.Quiet = False,
    as_json: Json = False,
) -> None:
    """Download what is missing, verify every checksum, and print where the files are."""
    from hsiaug.data import fetch_scene, scene_card
    from hsiaug.data.pair_sets import PairEntry, fetch_pairs, find_pairs

    # All cards first: a misspelt last name must not cost a download.
    fetched = []
    for scene, entry in [(scene, find_pairs(scene) or scene_card(scene)) for scene in scenes]:
        if isinstance(entry, PairEntry):
            fetch_pairs(entry, whole=True, progress=not quiet)
            name, files = entry.card.name, [str(entry.folder)]
        else:
            name, files = entry.name, [str(path) for path in fetch_scene(scene, progress=not quiet)]
        fetched.append({"name": name, "files": files})
        for file in () if as_json else files or ["made up in memory, has no files"]:
            say(f"{name}\t{file}")
    if as_json:
        print_json(fetched)


app.command("add")(datasets_add.add)


def _row(entry: SceneEntry) -> dict[str, Any]:
    from hsiaug.data.scene_files import status

    card = entry.card
    shape = card.cube.shape
    counts = card.labels.counts
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


def _json(entry: SceneEntry) -> dict[str, Any]:
    """The card, and what of it is here."""
    folders = [str(folder) for folder in entry.folders]
    return {**entry.card.model_dump(mode="json"), "status": _row(entry)["status"], "folders": folders}


def _describe(entry: SceneEntry) -> list[str]:
    from hsiaug.report.bibtex import plain

    card = entry.card
    row = _row(entry)
    lines = [
        f"{card.name}: {card.title}" if card.title else card.name,
        f"status       {row['status']}",
        f"cube         {_text(row['size'])} pixels, {_text(row['bands'])} bands, {card.cube.units}",
        f"sensor       {card.sensor.name or 'not recorded'}, GSD {_text(card.sensor.gsd)} m",
        f"wavelengths  {_wavelengths(entry)}",
    ]
    for heading, text in (
        ("home page", card.homepage),
        ("citation", plain(card.citation)),
        ("licence", card.licence),
    ):
        lines += [f"{heading:<12} {text}"] if text else []
    lines += ["", *card.notes.strip().splitlines(), ""] if card.notes else [""]
    for heading, spec in zip(("cube", "labels"), card.files, strict=False):
        lines += _describe_file(entry, heading, spec)
    lines += ["", "id\tclass\tcode in file\tlabelled px"]
    counts = dict(zip(card.labels.names, card.labels.counts or (), strict=False))
    for class_id, (name, code) in enumerate(card.labels.kept, start=1):
        lines.append(f"{class_id}\t{name}\t{code}\t{_text(counts.get(name))}")
    if card.labels.ignore:
        lines.append(f"ignored      {', '.join(map(str, card.labels.ignore))}")
    for name, ids in card.subset_ids.items():
        lines.append(f"subset {name}: classes {', '.join(map(str, ids))}")
    return lines


def _describe_file(entry: SceneEntry, heading: str, spec: FileSpec) -> list[str]:
    from hsiaug.data.bounds import in_bytes

    if spec.package:
        return [f"{heading:<12} {spec.file} in the Python package {spec.package}", f"  sha256     {spec.sha256}"]
    names = " and ".join(name for name in (spec.file, spec.data) if name)
    key = f", array '{spec.key}'" if spec.key else ""
    size = f", {in_bytes(spec.size)}" if spec.size else ""
    lines = [f"{heading:<12} {names}{key}{size}", f"  place in   {entry.folders[0]}"]
    if spec.sha256:
        lines.append(f"  sha256     {spec.sha256}")
    return lines + [f"  mirror     {url}" for url in spec.urls]


def _wavelengths(entry: SceneEntry) -> str:
    from hsiaug.data.cardtext import nanometres

    sensor = entry.card.sensor
    if sensor.range_nm:
        return f"{'–'.join(map(nanometres, sensor.range_nm))} nm, taken as evenly spaced"
    if not sensor.wavelengths:
        return "not in the card"
    known = "approximate" if sensor.approximate else "as calibrated"
    ends = min(sensor.wavelengths), max(sensor.wavelengths)
    return f"{'–'.join(map(nanometres, ends))} nm, {known}"


def _text(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
