"""Files of suggestions: tables that a field team fills in and gives back as labels, and a map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hsiaug.base.errors import InputError
from hsiaug.base.targets import PICTURES, TABLES, check_targets
from hsiaug.base.text import json_of
from hsiaug.core.scene import UnlabelledScene
from hsiaug.data.georeference import Georeference, need_geo, quiet
from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.output_files import TableFiles, figure_writers, table_writers, write_files
from hsiaug.suggest.picks import Suggestions
from hsiaug.suggest.pictures import suggestions_figure

__all__ = ["ENDINGS", "check_files", "rows_of", "save_suggestions"]

FORMS = (".csv", ".geojson")
"""Endings of files into which people write classes."""
ENDINGS = (*TABLES, ".geojson", *PICTURES)


def check_files(paths: Sequence[Path], ground: Georeference | None) -> None:
    """Raise, before any work, InputError for a file that cannot be written or that may hold classes, or for points on
    Earth of a cube that names no place there.
    """
    check_targets(paths, ENDINGS)
    for path in paths:
        if path.suffix.lower() in FORMS and path.exists():
            raise InputError(
                f"--out {path} must not exist yet: classes may have been written into it",
                value="a file",
                hint="Name another file, or move this one.",
            )
        if path.suffix.lower() == ".geojson" and (ground is None or not ground.crs):
            need_geo("GeoJSON", "use `out` picks.csv.")
            raise InputError(
                f"`out` {path} needs a cube whose file says where on Earth it lies",
                value="no georeference",
                hint="Use `out` picks.csv: it holds rows and columns.",
            )


def rows_of(found: Suggestions, names: Sequence[str], ground: Georeference | None) -> list[dict[str, Any]]:
    """A row for each pick, the best first. ``class`` is empty: it is what is asked for."""
    rows = []
    for pick in found.picks:
        place = {} if ground is None else dict(zip("xy", ground.centre(pick.row, pick.column), strict=True))
        rows.append(
            {
                "rank": pick.rank,
                "row": pick.row,
                "column": pick.column,
                **place,
                "class": "",
                "committee": ", ".join(f"{names[c - 1]} {n}" for c, n in pick.votes.items()),
                "uncertainty": round(pick.uncertainty, 4),
                "segment_pixels": pick.pixels,
                "share": round(pick.share, 5),
            }
        )
    return rows


def save_suggestions(
    paths: Sequence[Path],
    found: Suggestions,
    scene: UnlabelledScene,
    ground: Georeference | None,
    name: str,
    notes: Sequence[str],
    columns: int = 2,
) -> None:
    """Write each file, by its ending. name: of the scene. columns: of a page with two, which the map fills.

    Raises InputError where a file cannot be written.
    """
    rows, title = rows_of(found, scene.class_names, ground), f"{name}: label these"
    header = tuple(name.replace("_", " ") for name in rows[0])
    grid = text_grid("Pixels to label next", header, [tuple(map(str, row.values())) for row in rows])
    page = ReportPage(name, grids=(grid,), notes=tuple(notes))
    value = {"picks": rows, "notes": list(notes)}
    write_files(
        paths,
        {
            **table_writers(lambda: TableFiles("suggest", [page], rows, value)),
            **figure_writers(lambda: suggestions_figure(found, scene, title, columns)),
            ".geojson": lambda path: _write_points(path, rows, ground),
        },
    )


def _write_points(path: Path, rows: Sequence[dict[str, Any]], ground: Georeference | None) -> None:
    """GeoJSON (RFC 7946): points in WGS 84 with the other columns as attributes."""
    assert ground is not None
    with quiet() as rasterio:
        from rasterio.warp import transform

        places = ([row[axis] for row in rows] for axis in "xy")
        degrees = transform(rasterio.CRS.from_wkt(ground.crs), rasterio.CRS.from_epsg(4326), *places)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {key: value for key, value in row.items() if key not in ("x", "y")},
        }
        for row, *place in zip(rows, *degrees, strict=True)
    ]
    path.write_text(json_of({"type": "FeatureCollection", "features": features}, indent=1), encoding="utf-8")
