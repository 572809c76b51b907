"""The class of every pixel of a scene, by a classifier: what ``hsiaug map`` writes, as an
object.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arguments import AnyPath, Switch, Text, checked, optional, text
from hsiaug.base.errors import InputError
from hsiaug.base.terminal import log_console
from hsiaug.base.threads import one_thread_here
from hsiaug.bench import defaults
from hsiaug.bench.plan import build_plan
from hsiaug.bench.request import read_request
from hsiaug.bench.run import run
from hsiaug.data.georeference import Georeference
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.map_files import (
    RASTERS,
    check_map_targets,
    class_map_figure,
    save_map,
    save_shares,
)
from hsiaug.quality.mask_samples import class_codes
from hsiaug.registry.lookup import registry
from hsiaug.registry.progress import show_progress
from hsiaug.report.figures.files import show_in_cells
from hsiaug.report.formatting import percent
from hsiaug.report.output_files import figure_writers, write_files
from hsiaug.tasks.task import Task, get_task, task_of
from hsiaug.tasks.types import TaskData
from hsiaug.trial.arm import NONE
from hsiaug.trial.record_json import Record
from hsiaug.trial.refit import Refitted, refit, repeats, spec_of
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    import rich.console
    from matplotlib.figure import Figure
    from pandas import DataFrame

MAPS = "maps"
"""Folder in a store for trials that were run for a map alone, which no report shall show."""
HEADER = ("class", "code", "name", "pixels", "share %", "training pixels")
"""Columns of :meth:`SceneMap.rows`."""


@dataclass(frozen=True, eq=False)
class SceneMap:
    """The map of a scene, or of every place of a set of pairs.

    Attributes
    ----------
    record : Record
        The record of the trial whose classifier made the map.
    maps : mapping of str to ndarray
        Class ids (H, W) int16 by place; 0 = no data.
    class_names : tuple of str
        The name of class id c is ``class_names[c - 1]``.
    codes : tuple of int
        The code of each class in the label file.
    made : Refitted
        The classifier, fitted again, and its split (``made.fitted``, ``made.split``).
    same : bool
        Whether this classifier predicts the test pixels as the record has them. False on another
        machine or with other versions of libraries.
    grounds : mapping of str to Georeference or None
        Coordinate system and position by place; None if the scene has no georeference.
    probabilities : mapping of str to ndarray
        Class probabilities (C, H, W) float32 by place; NaN = no data. Empty unless requested.

    See Also
    --------
    hsiaug.map_scene : makes an object of this class.
    """

    record: Record
    maps: Mapping[str, NDArray[np.int16]]
    class_names: tuple[str, ...]
    codes: tuple[int, ...]
    made: Refitted
    same: bool
    grounds: Mapping[str, Georeference | None]
    probabilities: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def ids(self) -> NDArray[np.int16]:
        """Class ids (H, W) of the first place, 0 = no data; ndarray of int16."""
        return next(iter(self.maps.values()))

    @property
    def title(self) -> str:
        """Classifier, generator with λ, and record."""
        spec = self.made.spec
        samples = "no synthetic samples"
        if spec.generator.name != NONE:
            samples = f"{spec.generator.name}, {spec.rate.in_prose}"
        return f"{spec.classifier_label} with {samples}, record {self.record['hash'][:8]}"

    def frame(self) -> DataFrame:
        """Pixels by class.

        Returns
        -------
        pandas.DataFrame
            A row per class: its ``code`` in the label file, ``pixels``, their ``share`` of all
            mapped pixels, and ``train``, its training pixels. The last row counts pixels without
            data.
        """
        from pandas import DataFrame

        ids = range(len(self.class_names) + 1)
        counts = np.array(
            [sum(np.count_nonzero(class_map == c) for class_map in self.maps.values()) for c in ids]
        )
        pixels = [*counts[1:], counts[0]]
        classes = range(1, len(self.class_names) + 1)
        frame = DataFrame(
            {
                "class": [*classes, 0],
                "code": [*self.codes, None],
                "name": [*self.class_names, "no data"],
                "pixels": pixels,
            }
        )
        frame["share"] = [*(counts[1:] / max(1, counts[1:].sum())), None]
        frame["train"] = [*self.made.split.audit.train_counts, None]
        return frame[(frame["class"] > 0) | (frame["pixels"] > 0)].astype(
            {"code": "Int64", "train": "Int64"}
        )

    def rows(self) -> list[tuple[str, ...]]:
        """:meth:`frame` as texts below HEADER."""
        return [
            (str(c), str(code), name, str(pixels), f"{100 * share:.2f}", str(train))
            if c
            else (str(c), "–", name, str(pixels), "–", "–")
            for c, code, name, pixels, share, train in self.frame().itertuples(index=False)
        ]

    def remarks(self) -> list[str]:
        """Sentences on how far to trust the map."""
        audit = self.made.split.audit
        metrics = self.record["metrics"]
        headline = get_task(self.made.spec.task).metrics
        scores = ", ".join(
            # Reports have AA over large classes, which one record does not know.
            f"{measure.name}{' all' if measure.key == 'aa' else ''} {percent(metrics[measure.key])}"
            for measure in (headline.second, headline.main)
        )
        versions = ", ".join(
            f"{name} {v}" for name, v in self.record["environment"]["versions"].items()
        )
        repeats = (
            f"the {audit.n_test:,} test pixels are predicted exactly as in the record"
            if self.same
            else (
                "warning: the classifier does NOT repeat the record's predictions, so the record's"
                " accuracy is not that of this map; the record was made on"
                f" {self.record['device']['classifier']} with {versions}"
            )
        )
        of_record = (
            f"nor is that of the record, {scores}: LEAKY, test pixels are next to training pixels"
            if audit.leaky
            else (
                f"the record has {scores} on the test pixels of split {self.made.spec.seed};"
                " quote the mean over new splits instead"
            )
        )
        sentences = [
            repeats,
            f"warning: the map includes the {audit.n_train:,} training pixels, so its agreement"
            f" with the labels is not an accuracy to report; {of_record}",
        ]
        if None in self.grounds.values():
            sentences.append(
                "note: the file of the cube has no coordinates, so neither has the map"
            )
        return sentences

    def plot(self) -> Figure:
        """Draw the map of the first place, with a legend of classes and their shares.

        Returns
        -------
        matplotlib.figure.Figure
        """
        return show_in_cells(self._figure(next(iter(self.maps))))

    @checked
    def save(self, path: AnyPath) -> list[Path]:
        """Write the map to a file.

        Parameters
        ----------
        path : str or path
            The ending selects the format. ``.tif`` is a cloud-optimised GeoTIFF of class ids,
            ``.hdr`` an ENVI classification, ``.npy`` an array; each comes with a PNG, and with
            NAME_probabilities, a band per class. ``.png``, ``.svg`` and ``.pdf`` are a picture
            with a legend.

        Returns
        -------
        list of Path
            The files; for several places NAME_PLACE each.

        Raises
        ------
        InputError
            If the ending is another one.
        """
        return self.save_all([Path(path)])

    def save_all(self, paths: Sequence[Path]) -> list[Path]:
        """:meth:`save` of several files; beside class ids goes a PNG only where no picture is
        named.
        """
        check_map_targets(paths)
        rasters = [path for path in paths if path.suffix.lower() in RASTERS]
        default_pictures = dict.fromkeys(path.with_suffix(".png") for path in rasters)
        pictures = [path for path in paths if path not in rasters] or [*default_pictures]
        plain = [place.replace("/", "_") for place in self.maps]
        names = plain if len(set(plain)) == len(plain) else [f"{i}" for i in range(len(plain))]
        files = []
        for place, name in zip(self.maps, names, strict=True):
            ending = f"_{name}" if len(names) > 1 else ""
            for raster in rasters:
                target = raster.with_stem(raster.stem + ending)
                files += save_map(
                    target, self.maps[place], self.class_names, self.grounds[place], self._facts()
                )
                if place in self.probabilities:
                    shares = self.probabilities[place]
                    files += save_shares(target, shares, self.class_names, self.grounds[place])
            targets = [picture.with_stem(picture.stem + ending) for picture in pictures]
            files += write_files(targets, figure_writers(partial(self._figure, place)))
        return files

    def _figure(self, place: str) -> Figure:
        note = f"{self.made.split.audit.n_train:,} of the pixels are training pixels"
        return class_map_figure(self.maps[place], self.class_names, f"{place}: {self.title}", note)

    def _facts(self) -> dict[str, str]:
        """Tags of the file; codes of classes where they are not 1, 2, …"""
        spec = self.made.spec
        codes = {f"CODE_{c}": str(code) for c, code in enumerate(self.codes, start=1)}
        return {
            **(codes if list(self.codes) != list(range(1, len(self.codes) + 1)) else {}),
            "SCENE": spec.scene,
            "RECORD": self.record["hash"],
            "GENERATOR": spec.generator.name,
            "LAMBDA": f"{spec.rate.lam:g}",
            "CLASSIFIER": spec.classifier_label,
            "REMARK": (
                "holds training pixels: its agreement with the labels is not an accuracy to report"
            ),
        }


@checked
def map_scene(
    scene: AnyPath,
    record: Annotated[str | None, optional(text)] = None,
    *,
    classifier: Annotated[str | None, optional(text)] = None,
    probabilities: Switch = False,
    store: AnyPath = defaults.STORE,
    device: Text = "auto",
    progress: Switch = True,
) -> SceneMap:
    """Predict the class of every pixel of a scene.

    It does what ``hsiaug map`` does. Pass a record of a benchmark, whose classifier is fitted
    again, or the name of a classifier, which then learns from nine tenths of all labels.

    Parameters
    ----------
    scene : str or path
        A name of the catalogue, or the path of a card.
    record : str, optional
        Hash of a record in ``store``, or its beginning.
    classifier : str, optional
        Instead of a record. Default: ``filtered:svm``, for pairs ``pixel-svm`` or ``fc-siam-diff``.
    probabilities : bool, default False
        Whether to keep the probability of each class.
    store : str or path, default "hsiaug-results"
        Folder of the records. A trial for the map alone is stored in its folder ``maps``, which
        reports do not read.
    device : str, default "auto"
        ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if there is one.
    progress : bool, default True
        Whether to print progress to standard error.

    Returns
    -------
    SceneMap
        ``ids`` are class ids (H, W) int16; ``plot()`` and ``save(path)`` draw and write the map.

    Raises
    ------
    InputError
        If the record is of a failed trial or of another scene, if both a record and a classifier
        are given, or if the classifier has no probabilities.
    StoreError
        If there is no such record.

    See Also
    --------
    benchmark : makes records.

    Examples
    --------
    >>> import hsiaug
    >>> made = hsiaug.map_scene("toy", classifier="svm", progress=False)
    >>> made.ids.shape == hsiaug.load_scene("toy").labels.shape
    True
    """
    console = log_console(quiet=not progress)
    with one_thread_here():
        return make_map(
            os.fspath(scene), Path(store), record, classifier, device, console, shares=probabilities
        )


def make_map(
    scene: str,
    folder: Path,
    record: str | None,
    classifier: str | None,
    device: str,
    console: rich.console.Console,
    *,
    shares: bool = False,
    generator: str | None = None,
    lam: float = 1.0,
    task: str | None = None,
) -> SceneMap:
    """The map, made in this process; its progress goes to the console. folder: the store. shares:
    probabilities too. task: of a classifier, None = what the data are.
    """
    named = classifier or generator or task
    if record is not None and named is not None:
        raise InputError(
            "a map is made by a record or by a classifier",
            value=f"record {record} and {named}",
            hint="Leave out one of them.",
        )
    if record is not None:
        source = Store(folder).find(record, "record")
        kind = get_task(source["spec"]["task"])
        data = kind.data.load(scene)
    else:
        kind = get_task(task_of(scene, task))
        data = kind.data.load(scene)
        folder = folder / MAPS
        names = classifier, generator or NONE
        source = _train_on_most(scene, kind, data, folder, names, lam, device, console)
    spec = spec_of(source, data, registry())
    with show_progress(console, f"{spec.generator.name}, {spec.classifier_label}") as progress:
        refitted = refit(
            spec, data, registry(), Store(folder).cache, device=device, progress=progress
        )
        fitted = _Sharing(refitted.fitted, spec.classifier.name) if shares else refitted.fitted
        maps = kind.prediction.mapped(
            fitted, refitted.card, data, refitted.split, progress, refitted.spectra
        )
    same = repeats(refitted, maps, source)
    grounds = kind.data.georeferences(scene, data)
    probabilities: Mapping[str, NDArray[np.float32]] = {}
    if isinstance(fitted, _Sharing):
        probabilities = kind.prediction.place(fitted.shares, refitted.split, maps)
    return SceneMap(
        source,
        maps,
        tuple(data.class_names),
        class_codes(scene, data),
        refitted,
        same,
        grounds,
        probabilities,
    )


class _Sharing:
    """A fitted classifier that keeps what it gives each class. Raises InputError for one that gives
    nothing.
    """

    def __init__(self, fitted: Any, name: str) -> None:
        if not hasattr(fitted, "predict_proba"):
            raise InputError(
                "`probabilities` needs a classifier that gives some",
                value=name,
                hint="Take svm or rf, or leave it out.",
            )
        self._fitted = fitted
        self._shares = list[NDArray[np.float32]]()

    def predict(self, batch: Any) -> Any:
        self._shares.append(self._fitted.predict_proba(batch))
        return self._fitted.predict(batch)

    @property
    def shares(self) -> NDArray[np.float32]:
        """(n, C) of pixels, or (n, C, H, W) of tiles, in the order in which they were asked for."""
        return np.concatenate(self._shares)


def _train_on_most(
    scene: str,
    task: Task,
    data: TaskData,
    folder: Path,
    names: tuple[str | None, str],
    lam: float,
    device: str,
    console: rich.console.Console,
) -> Record:
    """The record of a classifier that learns from nearly all labels, and of a generator's samples;
    run if it is not there. names: classifier (None: the usual one) and generator.
    """
    classifier, generator = names
    usual = task.settings.on(data)
    request = read_request(
        task=task.name,
        protocol=parse_protocol(usual.widest, "none"),
        generators=[generator],
        classifiers=[classifier or usual.classifiers[-1]],
        lambdas=[lam],
        seeds=[0],
    )
    plan = build_plan(data, request, registry(), scene_ref=scene)
    # Classifiers that are run beside the one asked for come behind it.
    own_trial = next(
        trial
        for trial in plan.trials
        if trial.generator.name == generator and trial.classifier.name == request.classifiers[0]
    )

    def say(line: str) -> None:
        console.print(line, soft_wrap=True)

    run(
        [replace(plan, trials=(own_trial,))],
        folder,
        device=device,
        jobs=1,
        console=console,
        say=say,
        warn=say,
    )
    return Store(folder).find(own_trial.hash)
