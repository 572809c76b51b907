"""The class of every pixel of a scene, by the classifier of a record: what ``hsiaug map`` writes, as an object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.bench.cluster_settings import ClusterSettings, cluster_settings
from hsiaug.bench.engine import Job, Say, engine
from hsiaug.bench.mapping import Later, map_stripes, stripes_of
from hsiaug.contracts import Progress
from hsiaug.data.georeference import Georeference
from hsiaug.frames import frame_of
from hsiaug.notebook_figures import shown
from hsiaug.plugins.progress import watched
from hsiaug.plugins.registry import registry
from hsiaug.quality.maps import RASTERS, check_map_target, map_picture, save_map, save_map_picture
from hsiaug.report.labels import percent
from hsiaug.report.scores import metric_set
from hsiaug.spectral_views import SpectralView
from hsiaug.tasks.task import TaskData, get_task
from hsiaug.terminal import log_console
from hsiaug.threads import one_thread_here
from hsiaug.trial.mapping import Agreement, Refitted, agreement, refit, spec_of
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record, Store
from hsiaug.view_names import RAW

if TYPE_CHECKING:
    import rich.console
    from matplotlib.figure import Figure
    from pandas import DataFrame

__all__ = ["SceneMap", "make_map", "map_scene", "map_targets"]

NOTEBOOK_INCHES = 7.0
"""Width of a figure."""


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
        """By class: its pixels, their share of those that are mapped, and training pixels; last what holds no data."""
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

    def remarks(self) -> list[str]:
        """Sentences on how far the map is to be trusted."""
        audit, metrics = self.made.split.audit, self.record["metrics"]
        leaky = " [LEAKY]" if audit.leaky else ""
        headline = metric_set(self.made.spec.task)
        scores = ", ".join(f"{one.name} {percent(metrics[one.key])}" for one in (headline.second, headline.main))
        return [
            _repeats(self.agreement, audit.n_test, self.record),
            f"warning: the map holds the {audit.n_train:,} training pixels, so its agreement with the labels is no "
            f"accuracy; that of the record is {scores} on its test pixels{leaky}",
        ]

    def plot(self) -> Figure:
        """Matplotlib: the map with a legend of classes and their shares; of the first place where there are several."""
        name = next(iter(self.maps))
        figure = map_picture(self.ids, self.class_names, f"{name}: {self.title}", self._note)
        # A notebook shows figures at their size, which would fill its window.
        across, down = figure.get_size_inches()
        figure.set_size_inches(NOTEBOOK_INCHES, down * NOTEBOOK_INCHES / across)
        return shown(figure)

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write class ids, as GeoTIFF (.tif) or .npy, and beside them a PNG with a legend; or that alone (.png).

        Returns the files; of several places each has its own. Raises InputError for another ending.
        """
        out = Path(path)
        check_map_target(out)
        targets, files = map_targets(out, self.maps), []
        for name, ids in self.maps.items():
            if out.suffix.lower() in RASTERS:
                save_map(targets[name], ids, self.class_names, self.grounds[name], self._facts())
                files.append(targets[name])
            files.append(targets[name].with_suffix(".png"))
            save_map_picture(files[-1], ids, self.class_names, f"{name}: {self.title}", self._note)
        return files

    def _facts(self) -> dict[str, str]:
        """What the file says of itself."""
        spec = self.made.spec
        return {
            "SCENE": spec.scene,
            "RECORD": self.record["hash"],
            "GENERATOR": spec.generator.name,
            "CLASSIFIER": spec.classifier_label,
            "REMARK": "holds training pixels: its agreement with the labels is no accuracy",
        }


def map_scene(
    scene: str | os.PathLike[str],
    record: str,
    *,
    store: str | os.PathLike[str] = "hsiaug-results",
    device: str = "auto",
    jobs: int = 1,
    progress: bool = True,
) -> SceneMap:
    """What ``hsiaug map`` does: fit the classifier of a record again, and let it name every pixel of the scene.

    scene: a name of the catalogue, or the path of a card. record: the hash of a record in ``store``, or its beginning.
    jobs: processes that predict stripes. progress: False = nothing is printed.

    Raises InputError for a record of a failed trial or of another scene, StoreError where there is no such record.
    """
    console = log_console(quiet=not progress)
    with one_thread_here():
        return make_map(
            os.fspath(scene), Store(Path(store)), record, device, jobs, cluster_settings(None, ()), console
        )


def make_map(
    scene: str,
    store: Store,
    record: str,
    device: str,
    jobs: int,
    settings: ClusterSettings,
    console: rich.console.Console,
) -> SceneMap:
    """The map, made here or stripe by stripe on the engine that the settings name; its progress goes to the console."""
    source = store.find(record)
    task = get_task(source["spec"]["task"])
    data = task.load(scene)
    spec = spec_of(source, data, registry())
    job = Job(task.name, scene, store.root, device)
    with watched(console, f"{spec.generator.name}, {spec.classifier_label}") as progress:
        made, maps = _made(spec, data, source, job, settings, jobs, console.print, progress)
    same = agreement(made, data, maps, source)
    return SceneMap(source, maps, tuple(data.class_names), made, same, task.georeferences(scene, data))


def _made(
    spec: TrialSpec,
    data: TaskData,
    record: Record,
    job: Job,
    settings: ClusterSettings,
    jobs: int,
    say: Say,
    progress: Progress,
) -> tuple[Refitted, dict[str, NDArray[np.int16]]]:
    """The classifier, and the maps that it makes: here, or stripe by stripe on an engine."""
    task = get_task(spec.task)

    def here() -> Refitted:
        return refit(spec, data, registry(), job.store / "cache", device=job.device, progress=progress)

    rows = task.stripes(data)
    jobs = min(jobs, len(rows))
    if not rows or (settings.on == "local" and jobs == 1):
        made = here()
        return made, task.mapped(made.fitted, made.card, data, made.split, progress, made.spectra)
    split = task.split(data, spec.protocol, spec.seed, spec.patch)
    stripes = stripes_of(spec, task.truth(data)[data.name], rows)
    with engine(settings, jobs, say) as where:
        ids = map_stripes(stripes, split, record, job, where, progress)
    card = registry().find("classifier", spec.classifier.name).load().card
    spectra = SpectralView((record.get("spectral_view") or {}).get("name", RAW), data.wavelengths)
    return Refitted(spec, Later(here), card, split, spectra), {data.name: ids}


def map_targets(out: Path, maps: Mapping[str, object]) -> dict[str, Path]:
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
