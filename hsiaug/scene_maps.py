"""The class of every pixel of a scene, by the classifier of a record: what ``hsiaug map`` writes, as an object."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arguments import checked, path, switch, text
from hsiaug.base.notebooks import frame_of, show_in_cells
from hsiaug.base.targets import TABLES
from hsiaug.base.terminal import log_console
from hsiaug.base.threads import one_thread_here
from hsiaug.data.georeference import Georeference
from hsiaug.quality.maps import check_map_targets, class_map_figure, save_map, with_endings, write_maps
from hsiaug.registry.lookup import registry
from hsiaug.registry.progress import show_progress
from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.labels import percent
from hsiaug.report.output_files import TableFiles, table_writers, write_files
from hsiaug.report.scores import metric_set
from hsiaug.tasks.task import get_task
from hsiaug.trial.mapping import Agreement, Refitted, agreement, refit, spec_of
from hsiaug.trial.store import Record, Store

if TYPE_CHECKING:
    import rich.console
    from matplotlib.figure import Figure
    from pandas import DataFrame

HEADER = ("class", "name", "pixels", "share %", "training pixels")
"""Columns of :meth:`SceneMap.rows` as texts."""


@dataclass(frozen=True, eq=False)
class SceneMap:
    """The map of a scene, or of every place of a set of pairs.

    maps: by place, (H, W) int16 class ids, 0 = no data. record: that of the trial whose classifier maps.
    agreement: how far the test pixels come out as in the record. grounds: by place, where it lies on Earth, or None.
    """

    record: Record
    maps: Mapping[str, NDArray[np.int16]]
    class_names: tuple[str, ...]
    made: Refitted
    agreement: Agreement
    grounds: Mapping[str, Georeference | None]

    @property
    def ids(self) -> NDArray[np.int16]:
        """(H, W) class ids, 0 = no data; of the first place where there are several."""
        return next(iter(self.maps.values()))

    @property
    def title(self) -> str:
        """Classifier, generator and record."""
        spec = self.made.spec
        return f"{spec.classifier_label} with {spec.generator.name}, record {self.record['hash'][:8]}"

    @property
    def _note(self) -> str:
        return f"{self.made.split.audit.n_train:,} of the pixels are training pixels"

    def rows(self) -> list[dict[str, Any]]:
        """Pixels by class, their share of those that are mapped, and training pixels; last what holds no data."""
        counts = np.bincount(np.concatenate([ids.ravel() for ids in self.maps.values()]))
        counts = np.pad(counts, (0, len(self.class_names) + 1 - len(counts)))
        mapped = max(1, int(counts[1:].sum()))
        train = self.made.split.audit.train_counts
        rows: list[dict[str, Any]] = [
            {
                "class": c,
                "name": name,
                "pixels": int(counts[c]),
                "share": float(counts[c] / mapped),
                "train": int(train[c - 1]),
            }
            for c, name in enumerate(self.class_names, start=1)
        ]
        empty = {"class": 0, "name": "no data", "pixels": int(counts[0]), "share": None, "train": None}
        return [*rows, empty] if counts[0] else rows

    def frame(self) -> DataFrame:
        """:meth:`rows` as a pandas frame; shares are fractions."""
        return frame_of(self.rows())

    def remarks(self, paths: Sequence[Path] = ()) -> list[str]:
        """Sentences on how far the map is to be trusted; of GeoTIFFs among ``paths`` also whether they lie nowhere."""
        audit, metrics = self.made.split.audit, self.record["metrics"]
        leaky = " [LEAKY]" if audit.leaky else ""
        headline = metric_set(self.made.spec.task)
        scores = ", ".join(f"{one.name} {percent(metrics[one.key])}" for one in (headline.second, headline.main))
        said = [
            _repeats(self.agreement, audit.n_test, self.record),
            f"warning: the map holds the {audit.n_train:,} training pixels, so its agreement with the labels is no "
            f"accuracy; that of the record is {scores} on its test pixels{leaky}",
        ]
        if with_endings(paths, (".tif", ".tiff")) and None in self.grounds.values():
            said.append("note: the cube's file names no place on Earth, so the map lies nowhere")
        return said

    def plot(self) -> Figure:
        """Matplotlib: the map with a legend of classes and their shares; of the first place where there are several."""
        return show_in_cells(self._figure(next(iter(self.maps))))

    @checked(path=path)
    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write what the ending says: class ids as GeoTIFF (.tif) or .npy, a PNG beside them; the map with its legend
        (.png, .svg, .pdf); the table of :meth:`rows` (.md, .tex, .csv, .json).

        Returns the files; of several places each has its own.
        Raises InputError for another ending.
        """
        return self.save_all([Path(path)])

    def save_all(self, paths: Sequence[Path]) -> list[Path]:
        """:meth:`save` of several files; beside class ids goes a PNG only where no picture is named."""
        check_map_targets(paths)
        files = write_maps(paths, self.maps, self._figure, self._save_raster)
        return files + write_files(
            with_endings(paths, TABLES), table_writers(lambda: self._tables(self.remarks(paths)))
        )

    def _figure(self, name: str) -> Figure:
        return class_map_figure(self.maps[name], self.class_names, f"{name}: {self.title}", self._note)

    def _save_raster(self, path: Path, name: str) -> None:
        save_map(path, self.maps[name], self.class_names, self.grounds[name], self._facts())

    def _tables(self, remarks: list[str]) -> TableFiles:
        """Return the tables of the map; in CSV and JSON shares are fractions."""
        rows = self.rows()
        grid = text_grid("Mapped pixels by class", HEADER, list(map(share_texts, rows)), 2)
        page = ReportPage(self.title, grids=(grid,), notes=tuple(remarks))
        return TableFiles("map", [page], rows, {"classes": rows, "remarks": remarks})

    def _facts(self) -> dict[str, str]:
        """Tags of the file."""
        spec = self.made.spec
        return {
            "SCENE": spec.scene,
            "RECORD": self.record["hash"],
            "GENERATOR": spec.generator.name,
            "CLASSIFIER": spec.classifier_label,
            "REMARK": "holds training pixels: its agreement with the labels is no accuracy",
        }


@checked(scene=path, record=text, store=path, device=text, progress=switch)
def map_scene(
    scene: str | os.PathLike[str],
    record: str,
    *,
    store: str | os.PathLike[str] = "hsiaug-results",
    device: str = "auto",
    progress: bool = True,
) -> SceneMap:
    """Do as ``hsiaug map``: fit the classifier of a record again, and let it name every pixel of the scene.

    scene: a name of the catalogue, or the path of a card. record: the hash of a record in ``store``, or its beginning.
    progress: False = nothing is printed.

    Raises InputError for a record of a failed trial or of another scene, StoreError where there is no such record.
    """
    console = log_console(quiet=not progress)
    with one_thread_here():
        return make_map(os.fspath(scene), Store(Path(store)), record, device, console)


def make_map(scene: str, store: Store, record: str, device: str, console: rich.console.Console) -> SceneMap:
    """The map, made in this process; its progress goes to the console."""
    source = store.find(record, "`record`")
    task = get_task(source["spec"]["task"])
    data = task.load(scene)
    spec = spec_of(source, data, registry())
    with show_progress(console, f"{spec.generator.name}, {spec.classifier_label}") as progress:
        made = refit(spec, data, registry(), store.cache, device=device, progress=progress)
        maps = task.mapped(made.fitted, made.card, data, made.split, progress, made.spectra)
    same = agreement(made, data, maps, source)
    return SceneMap(source, maps, tuple(data.class_names), made, same, task.georeferences(scene, data))


def share_texts(row: Mapping[str, Any]) -> tuple[str, ...]:
    """A row of :meth:`SceneMap.rows` below HEADER."""
    share = "–" if row["share"] is None else f"{100 * row['share']:.2f}"
    train = "–" if row["train"] is None else str(row["train"])
    return str(row["class"]), row["name"], str(row["pixels"]), share, train


def _repeats(same: Agreement, tested: int, record: Record) -> str:
    """Whether the test pixels come out as in the record."""
    if same == "map":
        return f"the {tested:,} test pixels come out exactly as in the record"
    if same == "classifier":
        return (
            "the classifier repeats the record's predictions exactly; in the map some test pixels differ, because "
            "its batches are rounded otherwise"
        )
    versions = ", ".join(f"{name} {v}" for name, v in record["environment"]["versions"].items())
    return (
        "warning: the classifier does NOT repeat the record's predictions, so the record's accuracy is not that "
        f"of this map; the record was made on {record['device']['classifier']} with {versions}"
    )
