"""``hsiaug datasets``: what scenes there are, what a card says, fetching their files, and adding
one's own.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.errors import InputError, check_known
from hsiaug.bench import defaults
from hsiaug.bench.ranges import codes, integers, words
from hsiaug.cli.options import SceneRef, option
from hsiaug.cli.output import (
    CARD_SETTINGS,
    cell,
    console,
    flat_facts,
    name_options,
    on_terminal,
    print_lines,
    print_table,
    say,
    say_written,
)

if TYPE_CHECKING:
    from hsiaug.data.adding import Added, ImportOptions

app = typer.Typer(
    no_args_is_help=True,
    help="Public scenes and sets of pairs, and your own: list, describe, download, add.",
)

LISTED = ("name", "tasks", "size", "bands", "classes", "labelled px", "GSD", "status")
"""Of each entry of the catalogue."""
TOLD_BY_CLASS = {"names", "ids", "counts", "codes", "descriptions"}
"""Keys of a card that stand in the table of its classes."""


@app.command("list")
def list_scenes() -> None:
    """List public scenes and sets of image–mask pairs, and which are on this machine.

    Example:
      hsiaug datasets list
    """
    from hsiaug.base.files import why_unwritable
    from hsiaug.data.catalogue import data_dir, find_entry, pair_set_names, scene_names, status
    from hsiaug.data.pair_sets import find_pairs, pairs_status

    rows: list[tuple[object, ...]] = []
    for entry in map(find_entry, scene_names()):
        card = entry.card
        shape = entry.card.cube.shape
        counts = entry.card.labels.counts
        size, bands = (f"{shape[0]}×{shape[1]}", shape[2]) if shape else (None, None)
        sums = len(card.labels.named_codes), sum(counts) if counts else None
        rows.append(
            (card.name, "pixels, segmentation", size, bands, *sums, card.sensor.gsd, status(entry))
        )
    for pairs in filter(None, map(find_pairs, pair_set_names())):
        images, classes = pairs.card.images, len(pairs.card.masks.names)
        facts = (pairs.card.task, None, len(images.bands) or None, classes, None, images.gsd)
        rows.append((pairs.card.name, *facts, pairs_status(pairs)))
    if why := why_unwritable(data_dir()):
        hint = "let HSIAUG_DATA_DIR name a folder that can be written to"
        say(f"note: no scene can be downloaded ({why}): {hint}", err=True)
    out = console()
    print_table(out, LISTED, rows)
    if out.is_terminal:
        say(f"Data folder: {data_dir()} (set HSIAUG_DATA_DIR for another one)")


@app.command("info")
def info(
    scene: SceneRef,
    sentences: Annotated[
        str | None,
        option(
            "Instead of the card, print the automatic sentences of this generator, to edit for its"
            " parameter text.",
            metavar="GENERATOR",
        ),
    ] = None,
) -> None:
    """Print a card: files, mirrors, checksums, classes, sensor, citation; for pairs, what is
    missing.

    Examples:
      hsiaug datasets info salinas_a
      hsiaug datasets info my_scene.toml
      hsiaug datasets info indian_pines --sentences txt2hsi
    """
    if sentences is not None:
        from hsiaug.data import load_scene
        from hsiaug.quality.kits import scene_sentences

        for line in scene_sentences(load_scene(scene), sentences, 0).split("\n"):
            say(line)
        return
    from hsiaug.data.catalogue import find_entry, status
    from hsiaug.data.pair_sets import find_pairs, pairs_status, shortly
    from hsiaug.report.bibtex import plain

    pairs = find_pairs(scene)
    if pairs is None:
        entry = find_entry(scene)
        facts: dict[str, Any] = {"status": status(entry), "folders": list(map(str, entry.folders))}
        facts |= entry.card.model_dump(mode="json")
        warnings = _label_warnings(scene) if facts["status"] in ("here", "embedded") else []
    else:
        facts = {"status": pairs_status(pairs), "folders": [str(pairs.folder)]}
        facts |= {
            **pairs.card.model_dump(mode="json"),
            "places_here": {place: len(names) for place, names in pairs.present.items()},
            "missing": {place: shortly(files) for place, files in pairs.missing().items()},
        }
    if "citation" in facts:
        facts["citation"] = plain(facts["citation"])
    for name, text in flat_facts(facts, TOLD_BY_CLASS):
        say(f"{name:<12} {text}")
    classes: list[tuple[object, ...]] = [("class", "code in file", "labelled px")]
    if pairs is None:
        labels = entry.card.labels
        counts = dict(zip(labels.names, labels.counts or (), strict=False))
        classes += [(name, code, counts.get(name)) for name, code in labels.named_codes]
    else:
        masks = pairs.card.masks
        codes = masks.codes or tuple((c,) for c in range(1, len(masks.names) + 1))
        texts = ("all but 0" if masks.by_class else ", ".join(map(str, listed)) for listed in codes)
        classes += [(name, text, None) for name, text in zip(masks.names, texts, strict=True)]
    for class_id, row in enumerate(classes):
        say("\t".join(map(cell, (class_id or "id", *row))))
    if pairs is None:
        print_lines(console(), (f"warning: {sentence}" for sentence in warnings))


def _label_warnings(scene: str) -> list[str]:
    """Sentences on the labels of a scene; none where its files do not fit its card."""
    from contextlib import suppress

    from hsiaug.base.errors import HsiaugError
    from hsiaug.data import load_scene
    from hsiaug.data.findings import label_warnings

    with suppress(HsiaugError):
        return label_warnings(load_scene(scene))
    return []


@app.command("fetch")
def fetch(
    scenes: Annotated[
        list[str],
        typer.Argument(metavar="SCENE…", help="Names from the catalogue, or paths of cards."),
    ],
) -> None:
    """Download missing files, verify all checksums, and print where the files are.

    Examples:
      hsiaug datasets fetch salinas_a
      hsiaug datasets fetch salinas ksc
    """
    from hsiaug.data import fetch_scene, scene_card
    from hsiaug.data.pair_sets import PairEntry, check_pairs, find_pairs

    # All cards first: a misspelt last name must not cost a download.
    for scene, entry in [(scene, find_pairs(scene) or scene_card(scene)) for scene in scenes]:
        files: Sequence[Path | str] = ()
        if isinstance(entry, PairEntry):
            check_pairs(entry)
            name = entry.card.name
            files = [entry.folder]
        else:
            name, files = entry.name, fetch_scene(scene)
        for file in files or ("made up in memory, has no files",):
            say(f"{name}\t{file}")


@app.command()
def add(
    cube: Annotated[
        Path,
        typer.Argument(
            metavar="CUBE",
            help=(
                "The cube: ENVI (.hdr or its data file), GeoTIFF, .mat, .npy, or a product in"
                " HDF5 or netCDF-4 (docs/scenes.md)."
            ),
        ),
    ],
    labels: Annotated[
        Path,
        option(
            "Its labels: a raster (ENVI, .tif, .png, .mat, .npy), points or polygons (GeoJSON,"
            " ENVI ROI), or a CSV with the header row,col,class (counted from 0), x,y,class or"
            " lon,lat,class.",
            metavar="FILE",
        ),
    ],
    field: Annotated[
        str | None,
        option("Column with the class.", metavar="NAME", default="class, label, …"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        option(
            "Set a key of the card; repeat for more. Keys: classes (names in ascending"
            " order of their codes), unlabelled (codes without a label, or none; default: 0,"
            f" negative codes and the no-data value), {', '.join(CARD_SETTINGS[2:])}"
            " (docs/scenes.md).",
            "--set",
            metavar="KEY=VALUE",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        option(
            "The card to write, which names the scene.",
            metavar="FILE",
            default="CUBE's name with .toml",
        ),
    ] = None,
) -> None:
    """Add a scene of your own: check its files, write its card, and plot it.

    Examples:
      hsiaug datasets add flight.hdr --labels plots.geojson --field crop
      hsiaug datasets add cube.tif --labels classes.tif --set classes=wheat,rye,track
      hsiaug datasets add cube.npy --labels marks.png --set unlabelled=255
      hsiaug datasets add cube.mat --labels points.csv --out farm.toml

    Finds shape, order of axes, band centres, scale, missing data, useless bands, label codes and
    georeference, and marks guesses. Writes NAME.toml, the picture NAME_look.png and, if the labels
    are not a raster on the grid of the cube, NAME_labels.npy. If something is wrong, it writes
    nothing.
    """
    from hsiaug.data.adding import add_scene
    from hsiaug.quality.map_files import save_quick_look

    import_options = _import_options(field, settings or (), out.stem if out else None)
    note_public(cube, labels)
    added = add_scene(cube, labels, out, import_options, save_quick_look)
    print_added(added, cube)
    proposed = ("benchmark", str(added.files[0]), "--generator", ",".join(defaults.PROPOSED))
    print_lines(console(), [f"next: {shlex.join(['hsiaug', *proposed])}"])
    say_written(added.files)


def _import_options(field: str | None, settings: Sequence[str], name: str | None) -> ImportOptions:
    """The options of an import as they are typed. Raises InputError for what is not valid."""
    from hsiaug.data.adding import import_options

    readers: dict[str, Callable[[str], object]] = {
        "bad_bands": lambda text: sorted(integers("--set bad_bands", text)),
        "classes": words,
        "ignore": words,
        "unlabelled": codes,
    }
    typed: dict[str, object] = {"field": field, "name": name}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            hint = "For example --set scale=0.0001."
            raise InputError("--set must be KEY=VALUE", value=repr(setting), hint=hint)
        check_known(
            f"--set KEY=VALUE: KEY must be one of {', '.join(CARD_SETTINGS)}", key, CARD_SETTINGS
        )
        typed[key] = readers.get(key, str)(text)
    return import_options(typed, "--set ", "For example --set scale=0.0001 or --set nodata=-9999.")


def note_public(cube: Path, labels: Path) -> None:
    """Say where files are those of a public scene, which has a card already."""
    from hsiaug.data.loading import public_files

    if public := public_files(cube, labels):
        name = public.card.name
        known = "with class names, wavelengths and scale"
        say(f"note: {public.sentence}, where it comes {known}: hsiaug start {name}", err=True)


def asks() -> bool:
    """Whether the terminal is interactive, so that questions can be asked."""
    return on_terminal() and sys.stdin.isatty()


def print_added(added: Added, cube: Path) -> None:
    """What was found in the files of a scene, its classes, and what is odd."""
    screen = console()
    print_table(screen, ("found", "value"), added.facts, f"{added.scene.name}: {cube}")
    print_table(
        screen,
        ("code", "class", "pixels"),
        [(row.code, row.meaning, row.pixels) for row in added.codes],
    )
    print_lines(screen, (f"warning: {name_options(sentence)}" for sentence in added.warnings))
