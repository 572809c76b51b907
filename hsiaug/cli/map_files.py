"""What ``hsiaug map`` writes: rasters and pictures of every place, and one table of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hsiaug.data.georeference import Georeference
    from hsiaug.report.output_files import TableFiles
    from hsiaug.trial.mapping import Refitted
    from hsiaug.trial.store import Record

__all__ = [
    "HEADER",
    "DrawnMap",
    "class_shares",
    "map_facts",
    "map_tables",
    "named",
    "place_targets",
    "share_texts",
    "write_maps",
]

HEADER = ("class", "name", "pixels", "share %", "training pixels")


@dataclass(frozen=True)
class DrawnMap:
    """The map of a place, as it is drawn."""

    ids: NDArray[np.int16]
    names: Sequence[str]
    title: str
    note: str


def named(out: Sequence[Path], endings: Sequence[str]) -> list[Path]:
    """The files with one of these endings."""
    return [path for path in out if path.suffix.lower() in endings]


def write_maps(
    out: Sequence[Path],
    maps: Mapping[str, DrawnMap],
    grounds: Mapping[str, Georeference | None],
    facts: Mapping[str, str],
    columns: int,
) -> list[Path]:
    """Write rasters and pictures of every place; returns their files."""
    from hsiaug.quality.maps import RASTERS, class_map_figure, save_map
    from hsiaug.report.output_files import figure_writers, write_files
    from hsiaug.targets import PICTURES

    files, rasters = [], named(out, RASTERS)
    pictures = named(out, PICTURES) or [path.with_suffix(".png") for path in rasters[:1]]
    targets = {path: place_targets(path, maps) for path in (*rasters, *pictures)}
    for name, one in maps.items():
        for path in (targets[raster][name] for raster in rasters):
            save_map(path, one.ids, one.names, grounds[name], facts)
            files.append(path)
        figure = partial(class_map_figure, one.ids, one.names, one.title, one.note, columns)
        files += write_files([targets[picture][name] for picture in pictures], figure_writers(figure))
    return files


def map_tables(title: str, rows: list[dict[str, Any]], remarks: Sequence[str]) -> TableFiles:
    """The table of :func:`class_shares`; in CSV and JSON shares are fractions."""
    from hsiaug.report.grid import ReportPage, text_grid
    from hsiaug.report.output_files import TableFiles

    grid = text_grid("Mapped pixels by class", HEADER, list(map(share_texts, rows)), 2)
    page = ReportPage(title, grids=(grid,), notes=tuple(remarks))
    return TableFiles("map", [page], rows, {"classes": rows, "remarks": list(remarks)})


def place_targets(out: Path, maps: Mapping[str, object]) -> dict[str, Path]:
    """The file of each place: ``out`` where there is one, else beside it under the place's name."""
    if len(maps) == 1:
        return dict.fromkeys(maps, out)
    targets: dict[str, Path] = {}
    for name in maps:
        stem = f"{out.stem}_{name.replace('/', '_')}"
        while (target := out.with_name(stem + out.suffix)) in targets.values():
            stem += "_"  # "a/b" and "a_b" are two places
        targets[name] = target
    return targets


def map_facts(record: Record, classifier: str) -> dict[str, str]:
    """What the file says of itself."""
    spec: dict[str, Any] = record["spec"]
    return {
        "SCENE": spec["scene"]["name"],
        "RECORD": record["hash"],
        "GENERATOR": spec["generator"]["name"],
        "CLASSIFIER": classifier,
        "REMARK": "holds training pixels: its agreement with the labels is no accuracy",
    }


def class_shares(maps: list[NDArray[np.int16]], made: Refitted, names: Sequence[str]) -> list[dict[str, Any]]:
    """By class: its pixels, their share of those that are mapped, and training pixels; last what holds no data."""
    import numpy as np

    counts = np.bincount(np.concatenate([ids.ravel() for ids in maps]), minlength=len(names) + 1)
    mapped = max(1, int(counts[1:].sum()))
    train = made.split.audit.train_counts
    rows: list[dict[str, Any]] = [
        {
            "class": c,
            "name": name,
            "pixels": int(counts[c]),
            "share": float(counts[c] / mapped),
            "train": int(train[c - 1]),
        }
        for c, name in enumerate(names, start=1)
    ]
    empty = {"class": 0, "name": "no data", "pixels": int(counts[0]), "share": None, "train": None}
    return [*rows, empty] if counts[0] else rows


def share_texts(row: dict[str, Any]) -> tuple[str, ...]:
    """A row of :func:`class_shares` below HEADER."""
    share = "–" if row["share"] is None else f"{100 * row['share']:.2f}"
    train = "–" if row["train"] is None else str(row["train"])
    return str(row["class"]), row["name"], str(row["pixels"]), share, train
