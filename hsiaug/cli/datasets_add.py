"""``hsiaug datasets add``: the card of a scene of one's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.bench.ranges import words
from hsiaug.cli.options import option
from hsiaug.cli.output import CARD_SETTINGS, name_options, print_lines, print_table, say_written

if TYPE_CHECKING:
    from hsiaug.data.adding import ImportOptions


def add(
    cube: Annotated[Path, typer.Argument(help="The cube: ENVI (.hdr or its data file), GeoTIFF, .mat or .npy.")],
    labels: Annotated[
        Path,
        option(
            "Its labels: a raster (ENVI, .tif, .png, .mat, .npy), points or polygons (GeoPackage, GeoJSON, shapefile), "
            "or a CSV with the header row,col,class (counted from 0), x,y,class or lon,lat,class."
        ),
    ],
    classes: Annotated[str, option("Class names, between commas, in ascending order of their codes.")] = "",
    field: Annotated[
        str | None, option("Attribute or column that holds the class. Default: class, label, …")
    ] = None,
    settings: Annotated[
        list[str] | None,
        option(
            f"What else the card is to say; repeat for more. Keys: {', '.join(CARD_SETTINGS)} (docs/scenes.md).",
            "--set",
            metavar="KEY=VALUE",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        option("The card to write, NAME.toml, which names the scene. Default: that of the cube's file."),
    ] = None,
    force: Annotated[bool, option("Replace files that are there already.", "--force")] = False,
) -> None:
    """Look at a scene of your own, write its card, and draw it.

    Finds shape, order of axes, band centres, scale, missing data, useless bands, label codes and georeference, and says
    what is a guess. Writes NAME.toml, the picture NAME_look.png and, where labels were no raster of the cube's pixels,
    NAME_labels.npy. Where something is wrong, nothing is written.

    Examples:

      hsiaug datasets add flight.hdr --labels plots.gpkg --field crop

      hsiaug datasets add flight.hdr --labels plots.gpkg --field crop --set plots=plot_id

      hsiaug datasets add cube.tif --labels classes.tif --classes wheat,rye,track

      hsiaug datasets add cube.mat --labels points.csv --out farm.toml
    """
    from hsiaug.base.terminal import Console
    from hsiaug.data.adding import add_scene
    from hsiaug.quality.maps import save_quick_look

    asked = _import_options(
        settings or [],
        name=out.stem if out else None,
        classes=tuple(words(classes)),
        field=field,
        overwrite=force,
    )
    added = add_scene(cube, labels, out, asked, save_quick_look)
    screen, scene = Console(), added.scene
    print_table(screen, ("found", "value"), added.facts, f"{scene.name}: {cube}")
    counts = zip(scene.class_ids, scene.class_names, scene.class_counts, strict=True)
    print_table(screen, ("class", "name", "labelled"), [tuple(map(str, row)) for row in counts])
    print_lines(screen, (f"warning: {name_options(sentence)}" for sentence in added.warnings))
    print_lines(screen, [f"next: hsiaug benchmark {added.files[0]}"])
    say_written(added.files)


def _import_options(settings: list[str], **typed: object) -> ImportOptions:
    """The options with ``--set KEY=VALUE``; Raises InputError for a key or value that is none."""
    from pydantic import TypeAdapter, ValidationError

    from hsiaug.data.adding import ImportOptions

    found: dict[str, object] = dict(typed)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if key not in CARD_SETTINGS or not equals:
            raise InputError("--set must be KEY=VALUE", value=repr(setting), hint=did_you_mean(key, CARD_SETTINGS))
        if key == "bad_bands":
            found[key] = _bands(text)
        else:
            found[key] = tuple(words(text)) if key == "ignore" else text
    try:
        return TypeAdapter(ImportOptions).validate_python(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(
            f"--set {first['loc'][0]} is not valid ({first['msg'][:1].lower()}{first['msg'][1:]})",
            value=repr(first["input"]),
            hint="For example --set scale=0.0001 or --set nodata=-9999.",
        ) from error


def _bands(text: str) -> tuple[int, ...]:
    bands: set[int] = set()
    for word in words(text):
        match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", word)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise InputError(
                "--set bad_bands must be numbers and rising ranges, of 5 digits at most",
                value=repr(word),
                hint="For example 0,103-107.",
            )
        bands |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(bands))
