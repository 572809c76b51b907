"""Benchmarks from Python and notebooks: the same plans, trials and records as the ``hsiaug``
command's.

::

    import hsiaug

    run = hsiaug.benchmark("indian_pines", ["smote"], lambdas=[0.5], draws=3)
    run                      # in a notebook: verdict and tables
    run.frame()              # pandas: a row per trial, every metric
    run.gain()               # pandas: what each arm gains over each control
    run.plot()               # Matplotlib: these gains, draw by draw
    hsiaug.read_store("hsiaug-results").save("report.html")
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from hsiaug.bench.engine import cluster_settings
from hsiaug.bench.missing import Existing
from hsiaug.bench.request import as_items, read_request
from hsiaug.bench.run import run
from hsiaug.bench.schedule import plan_runs, trials_of
from hsiaug.bench.suite import Run
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.data.pair_sets import task_of
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import sample_request
from hsiaug.registry.card import build_params, check_preset
from hsiaug.registry.handed import as_typed, named
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import import_here, registry
from hsiaug.report import ENDINGS, Report, build_report, figure_of, render_report, save_report
from hsiaug.report.figures.files import show_in_cells
from hsiaug.report.tables import ADDED
from hsiaug.tasks.types import TaskSamples
from hsiaug.trial.guard import check_limit
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from hsiaug.trial.store import Reading

USUAL_STORE = "hsiaug-results"
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
    """A generator plugin with these hyper-parameters: ``hsiaug.generator("txt2hsi", steps=400)``.

    It has ``card``, ``params``, ``fit`` and ``load``, and can stand where :func:`benchmark` takes a
    name. Raises InputError for an unknown name or parameter, and for a value of another type or out
    of range.
    """
    return _plugin("generator", name, preset, params)


@checked
def classifier(name: Text, preset: Text = "cpu", **params: object) -> Any:
    """A classifier plugin with these hyper-parameters, as :func:`generator`."""
    return _plugin("classifier", name, preset, params)


@checked
def split(scene: AnyScene, protocol: Text = "issd", *, draw: Whole = 0, patch: Side = 9) -> Split:
    """One draw of a protocol: ``train``, ``test`` and ``seen`` are (H, W) bool, ``audit`` says what
    leaks.

    Raises InputError for a protocol that there is not, SplitError where the scene cannot be split
    so.
    """
    loaded = scene if isinstance(scene, Scene) else load_scene(scene)
    return draw_split(loaded, parse_protocol(protocol), draw, patch)


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
) -> TaskSamples:
    """Training samples of one draw of a scene: the real ones, then the synthetic ones that λ and M
    (``times``) ask for.

    scene: a Scene, or the name or card of a scene or of image–mask pairs. generator: a name, or
    a plugin, as ``hsiaug.benchmark`` takes it; None = smote, of pairs specdm. The same as
    ``hsiaug generate --with-real`` and as a benchmark's trial of these settings; ``provenance``
    of the result holds what makes them again. ``to_torch()`` makes a Dataset of torch of the
    result. Raises InputError for names and numbers that are not valid, SplitError where the
    scene cannot be split so.
    """
    kit = sample_kit("pixels" if isinstance(scene, Scene) else task_of(scene, None))
    loaded = scene if isinstance(scene, Scene) else kit.task.data.load(scene)
    request = sample_request(
        *(
            defaults.GENERATORS[kit.task.name][0] if generator is None else generator,
            preset,
            params,
        ),
        protocol=None if protocol is None else parse_protocol(protocol),
        lam=lam,
        times=times,
        omega=omega,
        seed=seed,
        patch=patch,
        device=device,
    )
    made = synthesise(kit, loaded, request, registry())
    samples: TaskSamples = concatenate([made.real, made.synthetic])
    return replace(samples, provenance=made.provenance())


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
    draws: int | str | Sequence[int] = defaults.DRAWS,
    protocol: str | None = None,
    buffer: str | None = None,
    views: str | Sequence[str] = (),
    patch: int | None = None,
    task: Annotated[Literal["pixels", "segmentation", "change"] | None, optional(text)] = None,
    preset: Text = defaults.PRESET,
    store: AnyPath = USUAL_STORE,
    existing: Annotated[Existing, choice("only-missing", "all", "none")] = "only-missing",
    device: Text = "auto",
    jobs: Annotated[int | None, optional(whole(1))] = None,
    on: Text = "local",
    timeout: Annotated[float | None, optional(positive)] = None,
    progress: Switch = True,
) -> Results:
    """Run every generator × λ × M × ω × classifier on the same draws, with the controls, as
    ``hsiaug benchmark`` does.

    scene: a name of the catalogue, or the path of a card. generators, classifiers: names, or
    plugins: as :func:`generator` makes them, or of your own classes, installed or not; None = the
    usual ones. lambdas, omegas, times: numbers, or ranges as the command takes them. draws: a
    number of them, or their numbers. timeout: seconds that a trial may take. The rest is as the
    options of the command: a call gives trials of the same hashes, and takes from ``store`` those
    that are there. progress: False = nothing is printed.

    Raises InputError, SplitError and PluginError as the command ends with them. A trial that
    fails raises nothing: it is a record, and the tables name it.
    """
    check_limit(timeout)
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
        draws=draws,
        patch=patch,
        preset=preset,
    )
    asked = tuple(
        (ref, request.model_copy(update={"overrides": overrides}))
        for overrides in _combine(generator_params, classifier_params)
    )
    plans = plan_runs([Run("", asked)], registry())
    console = log_console(quiet=not progress)

    def say(line: str) -> None:
        console.print(line, soft_wrap=True)

    with one_thread_each():
        read = run(
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
    kept = Store(Path(store))
    return _results(
        kept, kept.read(trial.hash for trial in trials_of(plans)) if read is None else read
    )


@checked
def read_store(store: AnyPath = USUAL_STORE) -> Results:
    """All records of a store. Raises StoreError where there is none."""
    kept = Store(Path(store))
    return _results(kept, kept.read())


@dataclass(frozen=True, eq=False)
class Table:
    """Tables of results: Markdown as a text, and tables of its own in a notebook."""

    report: Report
    by: str

    def __str__(self) -> str:
        return render_report(self.report, "md", self.by)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from hsiaug.report.html.markup import notebook_html
        from hsiaug.report.matrix import pages

        return notebook_html(pages(self.report, self.by))


@dataclass(frozen=True, eq=False)
class Plots:
    """Figures of results: ``run.plot("gain")`` and ``run.plot.gain()`` are the same.

    Parameters
    ----------
    report : Report
        What is drawn.
    """

    report: Report

    @checked
    def __call__(
        self, by: Annotated[str, choice(*FIGURES)] = "gain", columns: Columns = 2
    ) -> Figure:
        """Draw gains draw by draw, the verdict as a card (generator), accuracy along λ, M or ω, or
        learning curves.

        Parameters
        ----------
        by : str
            ``gain``, ``generator``, ``lambda``, ``times``, ``omega`` or ``labels``.
        columns : int
            Columns of a page with two that the figure fills: 1 is 3.5 inches, 2 is 7.2 inches.

        Returns
        -------
        matplotlib.figure.Figure
        """
        return show_in_cells(figure_of(self.report, by, columns))

    def gain(self, columns: Columns = 2) -> Figure:
        """What each arm gains over each of its controls, draw by draw."""
        return self("gain", columns)

    def generator(self, columns: Columns = 2) -> Figure:
        """The verdict on every arm as a card."""
        return self("generator", columns)

    def lambda_(self, columns: Columns = 2) -> Figure:
        """Accuracy against λ."""
        return self("lambda", columns)

    def times(self, columns: Columns = 2) -> Figure:
        """Accuracy against M."""
        return self("times", columns)

    def omega(self, columns: Columns = 2) -> Figure:
        """Accuracy against ω."""
        return self("omega", columns)

    def labels(self, columns: Columns = 2) -> Figure:
        """Learning curves, and the arms on them."""
        return self("labels", columns)


@dataclass(frozen=True, eq=False)
class Results:
    """Trials of a benchmark or a store, and what can be said of them; the records are on disk in
    ``store``.
    """

    store: Store
    report: Report

    @property
    def hashes(self) -> tuple[str, ...]:
        """Hashes of the trials that have a record, in the order of the tables."""
        return tuple(
            dict.fromkeys(trial.hash for table in self.report.tables for trial in table.trials)
        )

    @checked
    def table(self, by: Text = "generator") -> Table:
        """Mean ± std over draws. by: generator, classifier, class, seed, lambda, omega or
        labels.
        """
        from hsiaug.report.views import check_view

        check_view(by)
        return Table(self.report, by)

    @checked
    def frame(
        self, by: Annotated[Literal["trial", "class"], choice("trial", "class")] = "trial"
    ) -> DataFrame:
        """pandas, tidy: a row per trial with every metric (fractions), or per trial and class."""
        from pandas import DataFrame

        from hsiaug.report.render_data import data_rows

        return DataFrame(data_rows(self.report, "" if by == "trial" else by))

    def gain(self) -> DataFrame:
        """pandas: a row per arm, classifier and control, in points: mean paired difference of the
        main metric with its simultaneous 95 % interval, that of the second metric, p corrected for
        all arms, draws, and the arm's verdict.
        """
        from pandas import DataFrame

        from hsiaug.report.render_data import gain_rows

        return DataFrame(gain_rows(self.report))

    @property
    def plot(self) -> Plots:
        """Matplotlib figures: ``run.plot()``, ``run.plot("lambda")`` or ``run.plot.gain()``."""
        return Plots(self.report)

    @checked
    def save(self, path: AnyPath, by: Text = "generator", columns: Columns = 2) -> Path:
        """Write what the ending says: .html (one page of everything), .md or .txt, .tex, .csv,
        .json; .png, .svg or .pdf of :meth:`plot`. Raises InputError for another ending.
        """
        target = Path(path)
        format = ENDINGS[check_target(target, tuple(ENDINGS), "the file")]
        save_report(self.report, target, format, by, store=self.store, columns=columns)
        return target

    def __repr__(self) -> str:
        from hsiaug.report.answer_text import answer_texts
        from hsiaug.report.answers import three_answers

        said = [
            line
            for table in self.report.tables
            if table.condition.protocol != ADDED
            for line in (
                f"{table.title}:",
                *(f"  {text.line}" for text in answer_texts(three_answers(table))),
            )
        ]
        failed = sum(len(table.failed) for table in self.report.tables)
        first = f"<Results of {len(self.hashes)} trials, {failed} failed, in {self.store.root}>"
        return "\n".join([first, *said])

    def _repr_html_(self) -> str:
        # Points of learning curves are steps to an answer, and stand in their curves alone.
        compared = tuple(t for t in self.report.tables if t.condition.protocol != ADDED)
        shown = replace(self.report, tables=compared or self.report.tables)
        return Table(shown, "generator")._repr_html_()


def _results(store: Store, read: Reading) -> Results:
    return Results(store, build_report(read.records, store=str(store.root), damaged=read.damaged))


def _plugin(kind: Kind, name: str, preset: str, params: Mapping[str, object]) -> Any:
    import_here()
    made = registry().find(kind, name).load()
    check_preset(preset, [made.card])
    return made(
        build_params(made.card, preset, {key: as_typed(value) for key, value in params.items()})
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
        name, params = named(kind, plugin, preset)
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
