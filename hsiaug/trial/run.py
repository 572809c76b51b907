"""Run the trials of one generator's fit. :func:`run_group` has the loops: one fit, for each ω its
samples, and of each ω one trial after the other, of every λ and classifier; below it are the steps
of a trial, in their order.

Reads no test label: a benchmark runs this in a worker process, and scores what it gives in its own
(:mod:`hsiaug.trial.outcome`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from hsiaug.base.arrays import AnyArray, give_back_files
from hsiaug.base.errors import PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.base.threads import threads
from hsiaug.contracts import FittedClassifier, FittedGenerator, Progress
from hsiaug.core.read_only import seal_all
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.types import TaskSamples
from hsiaug.trial.fits import fit_generator, prepared_state
from hsiaug.trial.machine import give_back_memory, resolve_device
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.plugin_calls import StageClock, call_failure, kept_state, plain_json
from hsiaug.trial.record import partial_record
from hsiaug.trial.record_json import Record
from hsiaug.trial.samples import (
    Drawn,
    count_by_class,
    draw_pool,
    join_samples,
    sheet_of_pool,
    spectra_of_pool,
)
from hsiaug.trial.saved_fits import has_fit
from hsiaug.trial.sheet import MeanSpectra, SampleSheet
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import Fit, SceneContext, TrialRun

GeneratorFit = Fit[FittedGenerator]


def run_group(
    trials: Iterable[TrialSpec],
    context: SceneContext,
    plugins: Registry,
    *,
    device: str,
    progress: Progress,
    tell: Callable[[str], object] = lambda stage: None,
) -> Iterator[tuple[TrialSpec, TrialOutcome]]:
    """Run trials that share a generator's fit.

    What several of them need is made by the first that needs it: its seconds, and its failure,
    count to that trial.

    Parameters
    ----------
    trials : iterable of TrialSpec
        Of one split and one generator. Those of one ω follow each other, and of these those that
        read whole patches come first.
    context : SceneContext
        May hold a scene without labels and a blind split.
    plugins : Registry
        Where their plugins are found.
    device : str
        "auto", "cpu", "cuda" ...
    progress : callable
        Is told how far a fit is.
    tell : callable
        Is called with the name of each stage that begins, "split" being the first.

    Yields
    ------
    TrialSpec and TrialOutcome
        As each trial ends; failed where a plugin raised, whatever it was. Where the generator could
        not learn, that trial is the last: the others would fail alike.
    """
    fit: GeneratorFit | None = None
    drawn_at: dict[float | None, Drawn] = {}
    for omega, of_omega in groupby(trials, lambda spec: spec.omega):
        for spec in of_omega:
            # Third-party classifiers come after all others, and take the same samples.
            drawn = drawn_at.setdefault(omega, {})
            clock = StageClock(tell=tell)
            clock.start()
            facts: dict[str, object] = {}
            error: Record | None = None
            labels: AnyArray | None = None
            sheet: SampleSheet | None = None
            loaded = run = samples = fitted = None
            try:
                loaded = load_plugins(spec, plugins, device, facts)
                clock.begin("split")
                run = TrialRun(spec, context, *loaded, progress)
                facts["spectral_view"] = {"name": run.spectra.name, "scores": run.spectra.scores}
                give_back_files()
                if run.asks_samples:
                    fit = learn(run, fit, clock, facts)
                samples, spectra = draw_samples(run, fit, drawn, clock, facts)
                if fit is not None and run.asks_samples:
                    sheet = sheet_of_pool(run, fit, drawn, spectra)
                # What was joined is a copy: nothing else is in memory while the classifier learns.
                give_back_memory()
                fitted = fit_classifier(run, samples, clock, facts)
                labels = predict(run, fitted, clock)
            except BaseException as failure:
                # SystemExit and KeyboardInterrupt too: in a worker nobody but a plugin raises them.
                error = {"stage": clock.stage, **call_failure(failure)}
                labels = sheet = None
                if context.renew_views():
                    # What was made of the views that a plugin wrote into is made anew.
                    fit = None
                    drawn_at.clear()
            # The classifier may hold all that it learnt from.
            loaded = run = samples = fitted = None
            notes = context.take_notes()
            record = partial_record(error, **facts, notes=notes, **clock.as_json())
            outcome = TrialOutcome(record, labels, sheet)
            yield spec, outcome
            if outcome.failed_learning:
                return


def load_plugins(
    spec: TrialSpec, plugins: Registry, device: str, facts: dict[str, object]
) -> tuple[Any, Any, dict[str, str]]:
    """Load both plugins of a trial, and the libraries that they compute with.

    Parameters
    ----------
    spec : TrialSpec
        What is run.
    plugins : Registry
        Where they are found.
    device : str
        "auto", "cpu", "cuda" ...
    facts : dict
        Takes what the record says of the plugins.

    Returns
    -------
    generator : Generator
        With its hyper-parameters.
    classifier : Classifier
        With its own.
    devices : dict of str
        Device of each, by kind.

    Raises
    ------
    InputError
        For a device that is not there.
    Exception
        Whatever the import of a plugin raises.
    """
    with kept_state():
        loaded: dict[str, Any] = {
            kind: plugins.find(kind, plugin.name).load()(plugin.params)
            for kind, plugin in spec.plugins
        }
        cards = {kind: plugin.card for kind, plugin in loaded.items()}
        if any(card.uses_device for card in cards.values()):
            # Before the time of the trial begins to count.
            import torch  # noqa: F401
    facts["code"] = spec.code
    devices = {kind: resolve_device(device, card) for kind, card in cards.items()}
    scopes = {kind: card.scope for kind, card in cards.items()}
    controls = {kind: card for kind, card in cards.items() if card.control_of}
    facts["device"] = {"requested": device, **devices, "threads": threads()}
    facts["scope"] = scopes
    facts["transductive"] = "scene" in scopes.values()
    if cards["generator"].baseline:
        facts["baseline"] = cards["generator"].baseline
    if controls:
        facts["control_of"] = {kind: card.control_of for kind, card in controls.items()}
        facts["control_text"] = {kind: str(card.control_text) for kind, card in controls.items()}
    return loaded["generator"], loaded["classifier"], devices


def learn(
    run: TrialRun, fit: GeneratorFit | None, clock: StageClock, facts: dict[str, object]
) -> GeneratorFit:
    """The fitted generator of a trial, with its stages.

    Parameters
    ----------
    run : TrialRun
        Whose λ asks for samples.
    fit : Fit or None
        That of another trial with the same fit.
    clock : StageClock
        Measures what is learnt.
    facts : dict
        Takes what the record says of it.
    """
    card = run.generator.card
    prepared = None
    if card.prepares:
        folder = run.context.folder
        is_fitted = fit is not None or (folder is not None and has_fit(folder, run.spec))
        with clock.plugin("prepare", card):
            prepared = None if is_fitted else prepared_state(run)
    with clock.plugin("fit_generator", card, frees=fit is None):
        fit = fit or fit_generator(run, prepared)
    clock.seconds["fit_generator"] = fit.seconds
    for stage in ("prepare", "fit_generator"):
        if stage in clock.steps:
            # No step at all: another trial, or another run, taught the generator.
            clock.steps[stage] = clock.steps[stage] or None
    if prepared is not None:
        facts["prepared"] = {"key": prepared.key, "seconds": prepared.seconds}
    return fit


def draw_samples(
    run: TrialRun,
    fit: GeneratorFit | None,
    drawn: Drawn,
    clock: StageClock,
    facts: dict[str, object],
) -> tuple[TaskSamples, MeanSpectra | None]:
    """The samples that the classifier of a trial learns from, and the mean spectra of the synthetic
    ones.

    Parameters
    ----------
    run : TrialRun
        Without a classifier they are whole, in scene units.
    fit : Fit or None
        Of its generator, where its λ asks for samples.
    drawn : dict
        What trials of the same fit and ω drew before; takes what is drawn now.
    clock : StageClock
        Measures what is drawn.
    facts : dict
        Takes what the record says of the samples.
    """
    pool: list[TaskSamples] = []
    if fit is not None and run.asks_samples:
        with clock.plugin("sample"):
            pool = draw_pool(run, fit, drawn)
    spectra = spectra_of_pool(run, pool)
    samples = join_samples(run, pool)
    # Of what was prepared the record speaks after the samples.
    prepared = facts.pop("prepared", None)
    facts["samples"] = count_by_class(samples, len(run.data.class_names))
    facts["provenance"] = plain_json(samples.provenance)
    if prepared is not None:
        facts["prepared"] = prepared
    return samples, spectra


def fit_classifier(
    run: TrialRun, samples: TaskSamples, clock: StageClock, facts: dict[str, object]
) -> FittedClassifier:
    """The fitted classifier of a trial. Its seed is the same for every configuration of a split.

    Parameters
    ----------
    run : TrialRun
        With the classifier and its device.
    samples : PatchSamples or DenseSamples
        What it learns from.
    clock : StageClock
        Measures the fit.
    facts : dict
        Takes what the record says of it.

    Raises
    ------
    PluginError
        Where no object with ``predict`` comes back; and whatever the plugin raises.
    """
    with clock.plugin("fit_classifier", run.classifier.card):
        fitted: FittedClassifier = run.classifier.fit(
            seal_all(samples),
            run.classifier_view,
            seed=derive_seed("classifier", run.spec.classifier.name, run.spec.seed),
            device=run.devices["classifier"],
            progress=run.progress,
        )
        if not callable(getattr(fitted, "predict", None)):
            raise PluginError(
                "a classifier's fit must return an object with predict",
                value=type(fitted).__name__,
                hint="Return self, or the fitted object.",
            )
    told = getattr(fitted, "facts", None)
    if isinstance(told, Mapping) and told:
        facts["classifier_facts"] = plain_json(told, "the facts of a fit")
    return fitted


def predict(run: TrialRun, fitted: FittedClassifier, clock: StageClock) -> AnyArray:
    """Predictions of the test pixels of a trial: of most tasks class ids (n,) int16.

    Parameters
    ----------
    run : TrialRun
        With the classifier.
    fitted : FittedClassifier
        What it learnt.
    clock : StageClock
        Measures the prediction.
    """
    with clock.plugin("predict"):
        labels: AnyArray = run.task.prediction.predict(
            fitted, run.classifier.card, run.data, run.views.split, run.spectra
        )
        # What the fit wrote into a view is found here too.
        run.views.check()
    return labels
