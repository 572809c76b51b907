"""``hsiaug datasets add``: the card of a scene of one's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.output import name_options, print_lines, print_table, say

__all__ = ["add"]


def add(
    cube: Annotated[Path, typer.Argument(help="The cube: ENVI (.hdr or its data file), GeoTIFF, .mat or .npy.")],
    labels: Annotated[
        Path,
        typer.Option(
            help="Its labels: a raster (ENVI, .tif, .png, .mat, .npy), points or polygons (GeoPackage, GeoJSON, "
            "shapefile), or a CSV with the header row,col,class (counted from 0), x,y,class or lon,lat,class."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Name of the scene. Default: that of the cube's file.")] = None,
    classes: Annotated[
        str | None, typer.Option(help="Class names, between commas, in ascending order of their codes.")
    ] = None,
    ignore: Annotated[
        str | None, typer.Option(help="Classes or codes to treat as unlabelled, between commas.")
    ] = None,
    zero: Annotated[
        bool, typer.Option("--zero-is-a-class", help="Code 0 is a class too; else it means unlabelled.")
    ] = False,
    field: Annotated[
        str | None, typer.Option(help="Attribute or column that holds the class. Default: class, label, …")
    ] = None,
    crs: Annotated[
        str | None,
        typer.Option(help="Coordinate system of the labels, as EPSG:4326. Default: what their file says."),
    ] = None,
    plots: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN|FILE",
            help="Plots in the field: a column of vector labels, or a raster of ids (0 = none). Without it, a field is a "
            "connected stretch of one class.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The card to write. Default: NAME.toml in this folder.")] = None,
    scale: Annotated[
        float | None, typer.Option(help="Value = raw × scale. Default: what the file says, else a guess.")
    ] = None,
    units: Annotated[str | None, typer.Option(help="What a value then means. Default: a guess.")] = None,
    bad_bands: Annotated[
        str | None, typer.Option(help="Bands to drop, counted from 0, as 0,103-107; others are found.")
    ] = None,
    nodata: Annotated[
        float | None, typer.Option(help="Raw value of pixels without data, which become 0, as --nodata=-9999.")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="Order of the cube's axes in a .mat or .npy, as bhw.")] = None,
    key: Annotated[str | None, typer.Option(help="Name of the cube's array in a .mat.")] = None,
    labels_key: Annotated[str | None, typer.Option(help="Name of the labels' array in a .mat.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
) -> None:
    """Look at a scene of your own, write its card, and draw it.

    Finds shape, order of axes, band centres, scale, missing data, useless bands, label codes and georeference, and says
    what is a guess. Writes NAME.toml, the picture NAME_look.png and, where labels were no raster of the cube's pixels,
    NAME_labels.npy. Where something is wrong, nothing is written.

    Examples:

      hsiaug datasets add flight.hdr --labels plots.gpkg --field crop

      hsiaug datasets add flight.hdr --labels plots.gpkg --field crop --plots plot_id

      hsiaug datasets add cube.tif --labels classes.tif --classes wheat,rye,track

      hsiaug datasets add cube.mat --labels points.csv --name farm
    """
    from hsiaug.base.terminal import Console
    from hsiaug.data.adding import ImportOptions, add_scene
    from hsiaug.quality.maps import save_quick_look

    import_options = ImportOptions(
        name=name,
        classes=tuple(options.words(classes or "")),
        ignore=tuple(options.words(ignore or "")),
        zero=zero,
        cube_key=key,
        labels_key=labels_key,
        axes=axes,
        field=field,
        crs=crs,
        plots=plots,
        scale=scale,
        units=units,
        bad_bands=_bands(bad_bands),
        nodata=nodata,
        overwrite=force,
    )
    added = add_scene(cube, labels, out, import_options, save_quick_look)
    screen, scene = Console(), added.scene
    print_table(screen, ("found", "value"), added.facts, f"{scene.name}: {cube}")
    counts = zip(scene.class_ids, scene.class_names, scene.class_counts, strict=True)
    print_table(screen, ("class", "name", "labelled"), [tuple(map(str, row)) for row in counts])
    print_lines(screen, (f"warning: {name_options(sentence)}" for sentence in added.warnings))
    print_lines(screen, [f"next: hsiaug benchmark {added.files[0]}"])
    say("written: " + ", ".join(map(str, added.files)), err=True)


def _bands(text: str | None) -> tuple[int, ...]:
    from hsiaug.base.errors import InputError

    bands: list[int] = []
    for word in options.words(text or ""):
        match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", word)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise InputError(
                "--bad-bands must be numbers and rising ranges, of 5 digits at most",
                value=repr(word),
                hint="For example 0,103-107.",
            )
        first, last = int(match[1]), int(match[2] or match[1])
        bands += range(first, last + 1)
    return tuple(sorted(set(bands)))
