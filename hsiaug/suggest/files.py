"""Files of suggestions: tables that a field team fills in and gives back as labels, and a map."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hsiaug.data.geopackage_writing import write_points
from hsiaug.data.georeference import Georeference, need_geo
from hsiaug.errors import InputError
from hsiaug.files import write_whole
from hsiaug.scene import UnlabelledScene
from hsiaug.suggest.picks import Suggestions
from hsiaug.suggest.pictures import save_suggestions_map
from hsiaug.targets import check_target

__all__ = ["ENDINGS", "check_files", "rows_of", "save_suggestions"]

PICTURES = (".png", ".pdf")
ENDINGS = (".csv", ".gpkg", *PICTURES)


def check_files(paths: Sequence[Path], ground: Georeference | None) -> None:
    """Raise, before any work, InputError for a file that cannot be written, or for points on Earth of a cube that names
    no place there.
    """
    for path in paths:
        if check_target(path, ENDINGS) == ".gpkg" and ground is None:
            need_geo("a GeoPackage of points", "use --out picks.csv.")
            raise InputError(
                f"--out {path} needs a cube whose file says where on Earth it lies",
                value="no georeference",
                hint="Use --out picks.csv: it holds rows and columns.",
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
    path: Path, found: Suggestions, scene: UnlabelledScene, title: str, ground: Georeference | None
) -> None:
    """Write one file, by its ending. Raises InputError where it cannot be written."""
    ending = path.suffix.lower()
    if ending in PICTURES:
        save_suggestions_map(path, found, scene, title)
        return
    rows = rows_of(found, scene.class_names, ground)
    if ending == ".csv":
        write_whole(path, lambda fresh: _write_csv(fresh, rows))
        return
    assert ground is not None
    points = [(row.pop("x"), row.pop("y")) for row in rows]
    write_whole(path, lambda fresh: write_points(fresh, "suggestions", points, rows, ground))


def _write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
