"""Benchmarks from Python and notebooks: the same plans, trials and records as the ``hsiaug``
command's.

::

    import hsiaug

    run = hsiaug.benchmark("indian_pines", ["smote"], lambdas=[0.5], seeds=3)
    run                      # in a notebook: answers and tables
    run.frame()              # pandas: a row per trial, every metric
    run.gain()               # pandas: what each configuration gains over each control
    run.plot()               # Matplotlib: these gains, split by split
    hsiaug.read_store("hsiaug-results").save("report.html")
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from hsiaug.base.arguments import (
    AnyPath,
    Argument,
    Number,
    Switch,
    Text,
    checked,
    choice,
    mapping,
    number,
    optional,
    path,
    positive,
    renamed,
    text,
    whole,
)
from hsiaug.base.files import check_target
from hsiaug.base.terminal import log_console
from hsiaug.base.threads import one_thread_each
from hsiaug.bench import defaults
from hsiaug.bench.engines import cluster_settings
from hsiaug.bench.plans_of_runs import hashes_by_run, plan_runs
from hsiaug.bench.request import as_items, read_request
from hsiaug.bench.run import Existing, run
from hsiaug.bench.suite import Run
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import sample_request
from hsiaug.registry.card import build_params, check_preset
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import registry
from hsiaug.registry.session_plugins import as_typed, name_and_overrides
from hsiaug.report import (
    ENDINGS,
    Report,
    build_report,
    figure_of,
    render_report,
    save_report,
    trials_of_store,
)
from hsiaug.report.figures.files import show_in_cells
from hsiaug.tasks.task import task_of
from hsiaug.tasks.types import TaskSamples
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


One = str | Any
"""The name of a plugin, or the plugin itself: an object, or its class where its usual
hyper-parameters do.
"""
FIGURES = ("gain", "generator", "lambda", "times", "omega", "labels")
Columns = Annotated[Literal[1, 2], choice(1, 2)]
Whole = Annotated[int, whole()]
Side = Annotated[int, whole(1)]
SCENE = Argument(
    "a Scene, a name of the catalogue, or the path of a card",
    lambda scene: scene if isinstance(scene, Scene) else path.convert(scene),
)
AnyScene = Annotated[Scene | str | os.PathLike[str], SCENE]


@checked
def generator(name: Text, preset: Text = "cpu", **params: object) -> Any:
    """Make a generator plugin with other hyper-parameters than its defaults.

    Parameters
    ----------
    name : str
        Of the generator, as ``hsiaug plugins list`` shows it.
    preset : str, default "cpu"
        A set of defaults that the generator names, such as ``"fast"`` or ``"paper"``.
    **params
        Hyper-parameters by name, as ``hsiaug plugins info NAME`` lists them.

    Returns
    -------
    Generator or PairGenerator
        It can stand wherever :func:`hsiaug.benchmark` takes a name. Its ``card`` describes it, and
        ``params`` holds its hyper-parameters.

    Raises
    ------
    InputError
        For a name or parameter that there is not, and for a value of another type or out of range.

    Examples
    --------
    >>> import hsiaug
    >>> hsiaug.generator("noise", level=0.5).params.level
    0.5
    """
    return _plugin("generator", name, preset, params)


@checked
def classifier(name: Text, preset: Text = "cpu", **params: object) -> Any:
    """Make a classifier plugin with other hyper-parameters than its defaults.

    Parameters
    ----------
    name : str
        Of the classifier, as ``hsiaug plugins list`` shows it.
    preset : str, default "cpu"
        A set of defaults that the classifier names.
    **params
        Hyper-parameters by name, as ``hsiaug plugins info NAME`` lists them.

    Returns
    -------
    Classifier or MaskClassifier
        It can stand wherever :func:`hsiaug.benchmark` takes a name.

    Raises
    ------
    InputError
        For a name or parameter that there is not, and for a value of another type or out of range.

    Examples
    --------
    >>> import hsiaug
    >>> forest = hsiaug.classifier("rf", trees=50)
    >>> forest.params.trees
    50
    """
    return _plugin("classifier", name, preset, params)


@renamed(draw="seed")
@checked
def split(scene: AnyScene, protocol: Text = "issd", *, seed: Whole = 0, patch: Side = 9) -> Split:
    """Divide the labelled pixels of a scene into training and test pixels.

    Parameters
    ----------
    scene : Scene, str or path
        A scene, its name in the catalogue, or the path of a card.
    protocol : str, default "issd"
        How to divide, as ``"issd:0.05"`` or ``"kshot:10"``; ``hsiaug benchmark --help`` names them.
    seed : int, default 0
        Seed of the split. The same one gives the same pixels.
    patch : int, default 9
        Side in pixels of the patches that classifiers will read. The buffer between training and
        test pixels follows from it.

    Returns
    -------
    Split
        ``train`` and ``test`` are bool arrays (H, W). ``seen`` marks test pixels in fields that
        hold training pixels, and ``audit`` says how much of the test a training patch covers.

    Raises
    ------
    InputError
        For a protocol that there is not.
    SplitError
        Where the scene has too few labels for it.

    Examples
    --------
    >>> import hsiaug
    >>> drawn = hsiaug.split("toy", "kshot:5")
    >>> bool((drawn.train & drawn.test).any())
    False
    """
    loaded = scene if isinstance(scene, Scene) else load_scene(scene)
    return draw_split(loaded, parse_protocol(protocol), seed, patch)


class SceneSamples(NamedTuple):
    """The training samples of one split: those of labelled pixels, and those that were made."""

    real: TaskSamples
    synthetic: TaskSamples

    @property
    def together(self) -> TaskSamples:
        """The real ones, and the synthetic ones behind them, which ``synthetic`` marks."""
        samples: TaskSamples = concatenate([self.real, self.synthetic])
        return replace(samples, provenance=self.synthetic.provenance)


@checked
def augment_scene(
    scene: AnyScene,
    generator: One | None = None,
    lam: Number = 1.0,
    *,
    times: Annotated[float | None, optional(number)] = None,
    omega: Annotated[float | None, optional(number)] = None,
    protocol: Annotated[str | None, optional(text)] = None,
    seed: Whole = 0,
    patch: Annotated[int | None, optional(whole(1))] = None,
    params: Annotated[Mapping[str, object] | None, optional(mapping)] = None,
    preset: Text = "cpu",
    device: Text = "auto",
) -> SceneSamples:
    """Make the training samples of one split: the real ones, and synthetic ones apart from them.

    They equal those that a trial of :func:`hsiaug.benchmark` with these settings trains on.

    Parameters
    ----------
    scene : Scene, str or path
        A scene, or the name or card of a scene or of a set of image–mask pairs.
    generator : str or plugin, optional
        A name, or what :func:`hsiaug.generator` makes. Default: ``smote``, for pairs ``specdm``.
    lam : float, default 1.0
        Sample balance rate λ: 1 fills every class up to the largest.
    times : float, optional
        M, further samples for each real one. Default: the generator's own.
    omega : float, optional
        Guidance strength ω. Default: the generator's own.
    protocol : str, optional
        How training pixels are drawn. Default: ``issd``, for pairs ``places``.
    seed : int, default 0
        Seed of the split.
    patch : int, optional
        Side of a patch in pixels. Default: 9, for pairs the side of a tile.
    params : mapping, optional
        Hyper-parameters of the generator by name.
    preset : str, default "cpu"
        A set of defaults that the generator names.
    device : str, default "auto"
        ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.

    Returns
    -------
    SceneSamples
        ``real`` and ``synthetic``, each PatchSamples or DenseSamples: ``x`` holds patches
        (n, B, p, p) and ``y`` class ids (n,); of pairs ``x`` holds images and ``masks`` their
        masks. ``weight`` is what a sample counts in training, and ``provenance`` of the synthetic
        ones says how to make them again. ``together`` has both, ``to_torch()`` gives a torch
        Dataset.

    Raises
    ------
    InputError
        For names and numbers that are not valid.
    SplitError
        Where the scene has too few labels for the protocol.

    Examples
    --------
    >>> import hsiaug
    >>> real, synthetic = hsiaug.augment_scene("toy", "smote", protocol="kshot:5", patch=5)
    >>> real.x.shape[1:] == synthetic.x.shape[1:]
    True
    """
    kit = sample_kit(task_of(scene))
    loaded = scene if isinstance(scene, Scene) else kit.task.data.load(scene)
    request = sample_request(
        generator=kit.task.settings.generators[0] if generator is None else generator,
        preset=preset,
        params=params,
        protocol=None if protocol is None else parse_protocol(protocol),
        lam=lam,
        times=times,
        omega=omega,
        seed=seed,
        patch=patch,
        device=device,
    )
    synthesis = synthesise(kit, loaded, request, registry())
    made = replace(synthesis.synthetic, provenance=synthesis.provenance())
    return SceneSamples(synthesis.real, made)


@renamed(draws="seeds")
@checked
def benchmark(
    scene: AnyPath,
    generators: One | Sequence[One] | None = None,
    classifiers: One | Sequence[One] | None = None,
    *,
    lambdas: float | str | Sequence[float] = defaults.LAMBDAS,
    omegas: float | str | Sequence[float] = (),
    times: float | str | Sequence[float] = (),
    train: str | Sequence[str] = defaults.TRAIN,
    seeds: int | str | Sequence[int] = defaults.DRAWS,
    protocol: str | None = None,
    buffer: str | None = None,
    views: str | Sequence[str] = (),
    patch: int | None = None,
    task: Annotated[str | None, optional(text)] = None,
    preset: Text = defaults.PRESET,
    store: AnyPath = defaults.STORE,
    existing: Annotated[Existing, choice("only-missing", "all", "none")] = "only-missing",
    device: Text = "auto",
    jobs: Annotated[int | None, optional(whole(1))] = None,
    on: Text = "local",
    timeout: Annotated[float | None, optional(positive)] = None,
    progress: Switch = True,
) -> Results:
    """Say whether generators help on a scene: train classifiers with and without their samples.

    Every generator runs with each λ, M and ω, under each classifier, on the same splits, and the
    controls run beside them. It is ``hsiaug benchmark`` from Python: the same trials, in the same
    store.

    Parameters
    ----------
    scene : str or path
        A name of the catalogue, or the path of a card of a scene or of image–mask pairs.
    generators : str, plugin or sequence of them, optional
        Names, what :func:`hsiaug.generator` makes, or objects of a class of your own. Default: the
        usual ones of the task.
    classifiers : str, plugin or sequence of them, optional
        The same of classifiers.
    lambdas, omegas, times : float, str or sequence of float, optional
        Values of λ, ω and M to run: numbers, or ranges such as ``"0:1:0.25"``.
    train : str or sequence of str, default "both"
        What classifiers train on: ``"both"``, ``"synthetic"`` or ``"real"``.
    seeds : int, str or sequence of int, optional
        How many splits, or their seeds: ``7``, ``"100-109"``, ``[3, 5]``. A verdict needs six.
    protocol : str, optional
        How labelled pixels are divided. Default: ``issd``, for pairs ``places``.
    buffer : str, optional
        What lies between training and test pixels. Default: the protocol's own.
    views : str or sequence of str, optional
        Spectra that classifiers are shown. Default: each classifier's own.
    patch : int, optional
        Side of a patch in pixels. Default: 9, for pairs the side of a tile.
    task : str, optional
        ``"pixels"``, ``"segmentation"``, ``"change"``, or one of another package. Default: what the
        card says.
    preset : str, default "cpu"
        A set of defaults that plugins name.
    store : str or path, default "hsiaug-results"
        Folder of the records. Trials that it holds are not run again.
    existing : {"only-missing", "all", "none"}, default "only-missing"
        Which trials to run: those without a record, all again, or none.
    device : str, default "auto"
        ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.
    jobs : int, optional
        Processes. Default: as many as there are cores and memory for.
    on : str, default "local"
        The engine: ``"local"``, ``"dask"`` or ``"slurm"``.
    timeout : float, optional
        Seconds that a trial may take.
    progress : bool, default True
        Whether lines of progress are printed to standard error.

    Returns
    -------
    Results
        Tables, frames and figures of these trials. A trial that failed is a record too, and the
        tables name it.

    Raises
    ------
    InputError
        For names and values that are not valid.
    SplitError
        Where the scene has too few labels for the protocol.
    PluginError
        Where a plugin cannot be loaded.

    Examples
    --------
    >>> import hsiaug
    >>> run = hsiaug.benchmark(
    ...     "toy", "smote", "svm", protocol="kshot:5", seeds=2, progress=False
    ... )
    >>> sorted(run.frame().generator.unique())
    ['duplicate', 'none', 'smote']
    """
    ref = os.fspath(scene)
    generator_names, generator_params = _name_plugins("generator", generators, preset)
    classifier_names, classifier_params = _name_plugins("classifier", classifiers, preset)
    names = {"generators": generator_names, "classifiers": classifier_names}
    request = read_request(
        **{kind: chosen for kind, chosen in names.items() if chosen is not None},
        task=task_of(ref, task),
        protocol=protocol,
        buffer=buffer,
        views=views,
        lambdas=lambdas,
        omegas=omegas,
        times=times,
        train=train,
        seeds=seeds,
        patch=patch,
        preset=preset,
    )
    requests = tuple(
        (ref, request.model_copy(update={"overrides": overrides}))
        for overrides in _combine(generator_params, classifier_params)
    )
    plans = plan_runs([Run("", requests)], registry())
    console = log_console(quiet=not progress)

    def say(line: str) -> None:
        console.print(line, soft_wrap=True)

    with one_thread_each():
        run(
            plans,
            Path(store),
            existing=existing,
            device=device,
            jobs=jobs,
            settings=cluster_settings(on, ()),
            limit=timeout,
            console=console,
            say=say,
            warn=say,
        )
    return _results(Store(Path(store)), hashes_by_run(plans))


@checked
def read_store(store: AnyPath = defaults.STORE) -> Results:
    """Read the records that benchmarks have left in a folder.

    Parameters
    ----------
    store : str or path, default "hsiaug-results"
        Folder of the records.

    Returns
    -------
    Results

    Raises
    ------
    StoreError
        Where the folder holds no store.

    Examples
    --------
    >>> import hsiaug
    >>> run = hsiaug.benchmark(
    ...     "toy", "smote", "svm", protocol="kshot:5", seeds=2, progress=False
    ... )
    >>> hsiaug.read_store().hashes == run.hashes
    True
    """
    return _results(Store(Path(store)))


@dataclass(frozen=True, eq=False)
class Table:
    """Tables of results, which :meth:`Results.table` makes.

    ``print(table)`` gives Markdown; a notebook shows them as HTML.

    Attributes
    ----------
    report : Report
        What the tables are made from.
    by : str
        What their rows are.
    """

    report: Report
    by: str

    def __str__(self) -> str:
        return render_report(self.report, "md", self.by)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from hsiaug.report.render_page import notebook_html
        from hsiaug.report.views import report_sections

        return notebook_html(report_sections(self.report, self.by))


@dataclass(frozen=True, eq=False)
class Results:
    """Trials of a benchmark or a store, and what they show.

    Printing it gives the three answers: is a generator better than no samples, is it better than
    all controls, and what to use. A notebook shows the tables too.

    Attributes
    ----------
    store : Store
        The records on disk.
    report : Report
        What tables and figures are made from.

    Examples
    --------
    >>> import hsiaug
    >>> run = hsiaug.benchmark(
    ...     "toy", "smote", "svm", protocol="kshot:5", seeds=2, progress=False
    ... )
    >>> mean = run.frame().groupby("generator").oa.mean()
    >>> bool(mean["none"] <= 1)
    True
    """

    store: Store
    report: Report

    @property
    def hashes(self) -> tuple[str, ...]:
        """Hashes of the trials that have a record, in the order of the tables; tuple of str."""
        return tuple(
            dict.fromkeys(hash for table in self.report.tables for hash in table.trials["hash"])
        )

    @checked
    def table(self, by: Text = "generator") -> Table:
        """Tables of mean ± standard deviation over splits.

        Parameters
        ----------
        by : str, default "generator"
            What the rows are: ``generator``, ``classifier``, ``class``, ``seed``, ``lambda``,
            ``omega`` or ``labels``.

        Returns
        -------
        Table
        """
        from hsiaug.report.sections import check_view

        check_view(by)
        return Table(self.report, by)

    @checked
    def frame(
        self, by: Annotated[Literal["trial", "class"], choice("trial", "class")] = "trial"
    ) -> DataFrame:
        """The trials as a tidy frame.

        Parameters
        ----------
        by : {"trial", "class"}, default "trial"
            A row per trial, or per trial and class.

        Returns
        -------
        pandas.DataFrame
            Settings and every metric; metrics are fractions of 1.
        """
        from hsiaug.report.render_data import data_frame

        return data_frame(self.report, by)

    def gain(self) -> DataFrame:
        """What each configuration gains over each of its controls.

        Returns
        -------
        pandas.DataFrame
            A row per configuration and control, in percentage points: ``gain`` is the mean paired
            difference of the main metric, ``low`` and ``high`` its simultaneous 95 % interval,
            ``p_corrected`` its p corrected for all configurations. ``draws`` says how many splits
            were paired, and ``verdict`` what follows.
        """
        from hsiaug.report.render_data import data_frame

        return data_frame(self.report, "gain")

    @checked
    def plot(self, by: Annotated[str, choice(*FIGURES)] = "gain", columns: Columns = 2) -> Figure:
        """Draw gains split by split, accuracy along λ, M or ω, or learning curves.

        Parameters
        ----------
        by : str, default "gain"
            ``gain``, ``lambda``, ``times``, ``omega`` or ``labels``.
        columns : {1, 2}, default 2
            Columns of a page with two that the figure fills: 1 is 3.5 inches, 2 is 7.2 inches.

        Returns
        -------
        matplotlib.figure.Figure
        """
        return show_in_cells(figure_of(self.report, by, columns))

    @checked
    def save(self, path: AnyPath, by: Text = "generator", columns: Columns = 2) -> Path:
        """Write a report to a file.

        Parameters
        ----------
        path : str or path
            Its ending says what is written: ``.html`` is one page of everything; ``.md``, ``.txt``
            and ``.tex`` are tables; ``.csv`` and ``.json`` are numbers; ``.png``, ``.svg`` and
            ``.pdf`` are a figure.
        by : str, default "generator"
            What the rows of tables, or the figure, show.
        columns : {1, 2}, default 2
            Of a figure: columns of a two-column page that it fills.

        Returns
        -------
        Path

        Raises
        ------
        InputError
            For another ending.
        """
        target = Path(path)
        format = ENDINGS[check_target(target, tuple(ENDINGS), "the file")]
        save_report(self.report, target, format, by, store=self.store, columns=columns)
        return target

    def __repr__(self) -> str:
        from hsiaug.report.answers import three_answers

        sentences = [
            line
            for table in self.report.compared
            for line in (
                f"{table.title}:",
                *(f"  {text}" for text in three_answers(table).as_json()["text"]),
            )
        ]
        failed = sum(len(table.failed) for table in self.report.tables)
        first = f"<Results of {len(self.hashes)} trials, {failed} failed, in {self.store.root}>"
        return "\n".join([first, *sentences])

    def _repr_html_(self) -> str:
        compared_report = replace(self.report, tables=self.report.shown)
        return Table(compared_report, "generator")._repr_html_()


def _results(store: Store, runs: Mapping[str, Collection[str]] | None = None) -> Results:
    """Results of a store, whose comparisons are those of all that it holds.

    Parameters
    ----------
    runs : mapping of str to collection of str or None
        Hashes of the trials that are shown; None: of all.
    """
    trials, damaged = trials_of_store(store)
    return Results(store, build_report(trials, store=str(store.root), runs=runs, damaged=damaged))


def _plugin(kind: Kind, name: str, preset: str, params: Mapping[str, object]) -> Any:
    plugin = registry().find(kind, name).load()
    check_preset(preset, [plugin.card])
    return plugin(
        build_params(plugin.card, preset, {key: as_typed(value) for key, value in params.items()})
    )


def _name_plugins(
    kind: Kind, plugins: object, preset: str
) -> tuple[tuple[str, ...] | None, dict[str, list[Mapping[str, str]]]]:
    """Names of plugins, and by name the hyper-parameters that each is to have, once or several
    times.

    plugins: names and plugins, one or several; None = the usual ones.
    """
    variants: dict[str, list[Mapping[str, str]]] = {}
    if plugins is None:
        return None, variants
    for plugin in as_items(plugins):
        name, params = name_and_overrides(kind, plugin, preset)
        if params not in variants.setdefault(name, []):
            variants[name].append(params)
    return tuple(variants), variants


def _combine(
    *variants: Mapping[str, Sequence[Mapping[str, str]]],
) -> Iterator[dict[str, Mapping[str, str]]]:
    """Hyper-parameters by plugin, for each combination of plugins of one name with different
    ones.
    """
    merged: dict[str, list[Mapping[str, str]]] = {}
    for by_name in variants:
        for name, params in by_name.items():
            merged.setdefault(name, []).extend(params)
    for chosen in product(*merged.values()):
        yield {name: params for name, params in zip(merged, chosen, strict=True) if params}
