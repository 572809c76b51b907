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
    """Make a generator with other hyper-parameters than its defaults.

    Parameters
    ----------
    name : str
        Name of the generator; ``hsiaug plugins list`` prints all.
    preset : str, default "cpu"
        A set of defaults that the generator defines, such as ``"fast"`` or ``"paper"``.
    **params
        Hyper-parameters by name; ``hsiaug plugins info NAME`` prints them.

    Returns
    -------
    Generator or PairGenerator
        Use it instead of a name in :func:`benchmark` and :func:`augment_scene`. ``params`` has its
        hyper-parameters, ``card`` its description.

    Raises
    ------
    InputError
        If the name or a parameter is unknown, or a value has the wrong type or is out of range.

    See Also
    --------
    classifier : the same for classifiers.
    benchmark : compare generators.

    Examples
    --------
    >>> import hsiaug
    >>> hsiaug.generator("noise", level=0.5).params.level
    0.5
    """
    return _plugin("generator", name, preset, params)


@checked
def classifier(name: Text, preset: Text = "cpu", **params: object) -> Any:
    """Make a classifier with other hyper-parameters than its defaults.

    Parameters
    ----------
    name : str
        Name of the classifier; ``hsiaug plugins list`` prints all.
    preset : str, default "cpu"
        A set of defaults that the classifier defines.
    **params
        Hyper-parameters by name; ``hsiaug plugins info NAME`` prints them.

    Returns
    -------
    Classifier or MaskClassifier
        Use it instead of a name in :func:`benchmark`.

    Raises
    ------
    InputError
        If the name or a parameter is unknown, or a value has the wrong type or is out of range.

    See Also
    --------
    generator : the same for generators.
    benchmark : train and test classifiers.

    Examples
    --------
    >>> import hsiaug
    >>> forest = hsiaug.classifier("rf", trees=50)
    >>> forest.params.trees
    50
    """
    return _plugin("classifier", name, preset, params)


@checked
def split(scene: AnyScene, protocol: Text = "issd", *, seed: Whole = 0, patch: Side = 9) -> Split:
    """Divide the labelled pixels of a scene into training and test pixels.

    Parameters
    ----------
    scene : Scene, str or path
        A scene, its name in the catalogue, or the path of a card.
    protocol : str, default "issd"
        The rule, such as ``"issd:0.05"`` or ``"kshot:10"``; ``hsiaug plugins list`` prints all.
    seed : int, default 0
        Number of the split. The same number gives the same pixels.
    patch : int, default 9
        Side in pixels of the patches that classifiers will read. It determines the buffer between
        training and test pixels.

    Returns
    -------
    Split
        ``train`` and ``test`` are bool arrays (H, W). ``seen`` marks test pixels in fields with
        training pixels, and ``audit`` reports how many test pixels are inside training patches.

    Raises
    ------
    InputError
        If the protocol is unknown.
    SplitError
        If the scene has too few labels for it.

    See Also
    --------
    augment_scene : synthetic samples of a split.
    benchmark : trains and tests on several splits.

    Examples
    --------
    >>> import hsiaug
    >>> parts = hsiaug.split("toy", "kshot:5")
    >>> bool((parts.train & parts.test).any())
    False
    """
    loaded = scene if isinstance(scene, Scene) else load_scene(scene)
    return draw_split(loaded, parse_protocol(protocol), seed, patch)


class SceneSamples(NamedTuple):
    """The training samples of one split, real and synthetic."""

    real: TaskSamples
    synthetic: TaskSamples

    @property
    def together(self) -> TaskSamples:
        """Real samples, followed by synthetic ones; ``synthetic`` marks these."""
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
    """Make the training samples of one split: real and synthetic ones, separately.

    They are the samples on which a trial of :func:`benchmark` with these settings trains.

    Parameters
    ----------
    scene : Scene, str or path
        A scene, or the name or card of a scene or of a set of image–mask pairs.
    generator : str or plugin, optional
        A name, or the result of :func:`generator`. Default: ``smote``, for pairs ``specdm``.
    lam : float, default 1.0
        Sample balance rate λ: 1 fills every class up to the largest.
    times : float, optional
        M, synthetic samples for each real one, in addition to those of λ. Default: 3, for pairs 0.
    omega : float, optional
        Guidance strength ω. Default: the generator's.
    protocol : str, optional
        How training pixels are chosen. Default: ``issd``, for pairs ``places``.
    seed : int, default 0
        Number of the split.
    patch : int, optional
        Side of a patch in pixels. Default: 9, for pairs the side of a tile.
    params : mapping, optional
        Hyper-parameters of the generator by name.
    preset : str, default "cpu"
        A set of defaults that the generator defines.
    device : str, default "auto"
        ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if there is one.

    Returns
    -------
    SceneSamples
        ``real`` and ``synthetic``, each PatchSamples or DenseSamples. Of patches, ``x`` is
        (n, B, p, p) float32 in the units of the scene and ``y`` (n,) are class ids; of pairs, ``x``
        are images and ``masks`` their masks. ``weight`` is the weight of each sample in training,
        ``provenance`` how the synthetic ones were made. ``together`` joins both; ``to_torch()``
        makes a torch Dataset.

    Raises
    ------
    InputError
        If a name is unknown or a number out of range.
    SplitError
        If the scene has too few labels for the protocol.

    See Also
    --------
    split : the training and test pixels alone.
    hsiaug.sklearn.Augmenter : synthetic spectra without a scene, for scikit-learn.

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
    """Train classifiers with and without synthetic samples, and test both on the same pixels.

    Runs every generator with each λ, M and ω and each classifier on the same splits, together with
    the controls. It does what ``hsiaug benchmark`` does, with the same trials and the same store.

    Parameters
    ----------
    scene : str or path
        A name of the catalogue, or the path of a card of a scene or of image–mask pairs.
    generators : str, plugin or sequence of them, optional
        Names, results of :func:`generator`, or objects of a class of your own. Default: those of
        the task.
    classifiers : str, plugin or sequence of them, optional
        The same for classifiers.
    lambdas, omegas, times : float, str or sequence of float, optional
        Values of λ, ω and M: numbers, or ranges such as ``"0:1:0.25"``.
    train : str or sequence of str, default "both"
        Training samples: ``"both"``, ``"synthetic"`` or ``"real"``.
    seeds : int, str or sequence of int, optional
        How many splits, or their numbers: ``7``, ``"100-109"``, ``[3, 5]``. A verdict needs six.
    protocol : str, optional
        How training and test pixels are chosen. Default: ``issd``, for pairs ``places``.
    buffer : str, optional
        Which pixels around training pixels are left out: ``"none"``, ``"centre"`` or ``"patch"``.
        Default: the protocol's.
    views : str or sequence of str, optional
        Spectral views for classifiers, such as ``"raw"`` or ``"auto"``. Default: each classifier's.
    patch : int, optional
        Side of a patch in pixels. Default: 9, for pairs the side of a tile.
    task : str, optional
        ``"pixels"``, ``"segmentation"``, ``"change"``, or a task of another package. Default: that
        of the data.
    preset : str, default "cpu"
        A set of defaults that plugins define.
    store : str or path, default "hsiaug-results"
        Folder of the records. Trials that have a record are not run again.
    existing : {"only-missing", "all", "none"}, default "only-missing"
        Which trials to run: those without a record, all, or none.
    device : str, default "auto"
        ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if there is one.
    jobs : int, optional
        Processes. Default: as many as cores and memory allow.
    on : str, default "local"
        Where trials run: ``"local"``, ``"dask"`` or ``"slurm"``.
    timeout : float, optional
        Longest time of a trial in seconds.
    progress : bool, default True
        Whether to print progress to standard error.

    Returns
    -------
    Results
        Tables, frames and figures of these trials. A trial that failed has a record too, and the
        tables name it.

    Raises
    ------
    InputError
        If a name or value is not valid.
    SplitError
        If the scene has too few labels for the protocol.
    PluginError
        If a plugin cannot be loaded.

    See Also
    --------
    read_store : results of earlier benchmarks.
    map_scene : a map by a classifier of a benchmark.

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
    """Read the records of earlier benchmarks.

    Parameters
    ----------
    store : str or path, default "hsiaug-results"
        Folder of the records.

    Returns
    -------
    Results
        Tables, frames and figures of all its trials.

    Raises
    ------
    StoreError
        If the folder is not a store.

    See Also
    --------
    benchmark : run trials.

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
    """Tables of results, made by :meth:`Results.table`.

    ``print(table)`` gives Markdown; a notebook displays HTML.

    Attributes
    ----------
    report : Report
        The trials of the tables, with their gains and intervals.
    by : str
        What the rows are, as ``by`` of :meth:`Results.table`.

    See Also
    --------
    Results.frame : the same trials as a pandas frame.

    Examples
    --------
    >>> import hsiaug
    >>> run = hsiaug.benchmark(
    ...     "toy", "smote", "svm", protocol="kshot:5", seeds=2, progress=False
    ... )
    >>> "| svm" in str(run.table())
    True
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
    """Trials of a benchmark or of a store, with their tables and figures.

    ``print(run)`` gives the three answers: whether a generator is better than no synthetic samples,
    whether it is better than all controls, and the best configuration. In a notebook, ``run`` as
    the last line of a cell also has the tables.

    Attributes
    ----------
    store : Store
        The records on disk.
    report : Report
        What tables and figures are made from.

    See Also
    --------
    hsiaug.benchmark, hsiaug.read_store : make an object of this class.

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
            ``print`` gives Markdown, a notebook HTML.
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
            Settings, scores (as fractions: 0.01 is one point), costs and the hash of each trial.
        """
        from hsiaug.report.render_data import data_frame

        return data_frame(self.report, by)

    def gain(self) -> DataFrame:
        """Gains of every configuration over each of its controls.

        Returns
        -------
        pandas.DataFrame
            A row per configuration and control, in percentage points: ``gain`` is the mean paired
            difference of the main score, ``low`` and ``high`` its 95 % interval and
            ``p_corrected`` its p, corrected for all configurations. ``draws`` is the number of
            paired splits; ``verdict`` is ``better``, ``worse``, ``no gain`` or ``unclear``.
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

        Raises
        ------
        InputError
            Where nothing but controls was run, or nothing varies.

        See Also
        --------
        Results.save : write a figure to a file.
        """
        return show_in_cells(figure_of(self.report, by, columns))

    @checked
    def save(self, path: AnyPath, by: Text = "generator", columns: Columns = 2) -> Path:
        """Write a report to a file.

        Parameters
        ----------
        path : str or path
            The ending selects the format: ``.html`` is one page of everything; ``.md``, ``.txt``
            and ``.tex`` are tables; ``.csv`` and ``.json`` are numbers; ``.png``, ``.svg`` and
            ``.pdf`` are a figure.
        by : str, default "generator"
            The rows of tables, or the kind of figure.
        columns : {1, 2}, default 2
            Width of a figure in columns of a two-column page.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If the ending is another one.
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
