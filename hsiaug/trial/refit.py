"""The classifier of a record made again, and whether the maps that it makes repeat the record."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import give_back_files
from hsiaug.base.errors import InputError
from hsiaug.contracts import FittedClassifier, Progress
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import RAW
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import Registry
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskData, TaskSplit, locate_labels, predicted_mask
from hsiaug.trial.arm import BOTH
from hsiaug.trial.plugin_calls import StageClock
from hsiaug.trial.predictions import checksum
from hsiaug.trial.record_json import Record
from hsiaug.trial.run import draw_samples, fit_classifier, learn, load_plugins
from hsiaug.trial.spec import PluginSpec, TrialSpec, plugin_spec
from hsiaug.trial.trial_run import SceneContext, TrialRun


@dataclass(frozen=True, eq=False)
class Refitted:
    """A trial's classifier, fitted again, with the split of the trial.

    Attributes
    ----------
    spectra : SpectralView
        What it is shown of each spectrum.
    """

    spec: TrialSpec
    fitted: FittedClassifier
    card: Card
    split: TaskSplit
    spectra: SpectralView


def spec_of(record: Record, data: TaskData, plugins: Registry) -> TrialSpec:
    """The trial of a record, to be run again here.

    Raises InputError where the record is of a failed trial, the scene is another one, a plugin is
    missing or of another version, or the masks of a ``fixed`` protocol have gone.
    """
    stated = record["spec"]
    if record["status"] != "ok":
        raise InputError(
            "the record must be of a trial that went well",
            value=record["status"],
            hint="Name another one.",
        )
    scene = stated["scene"]
    if scene["sha256"] != data.sha256:
        raise InputError(
            f"SCENE must be the scene of the record, {scene['name']}, with the same values and"
            " labels",
            value=f"{data.name}, sha256 {data.sha256[:12]}… in place of {scene['sha256'][:12]}…",
            hint=(
                f"Name {record.get('scene_ref') or scene['name']}; if its files or card changed,"
                " benchmark it anew."
            ),
        )
    differs = ""
    try:
        spec = TrialSpec(
            task=stated["task"],
            scene=stated["scene"]["name"],
            scene_sha256=data.sha256,
            protocol=_protocol(record),
            patch=stated["patch"],
            seed=stated["seed"],
            generator=_plugin("generator", stated["generator"], plugins, data),
            classifier=_plugin("classifier", stated["classifier"], plugins, data),
            rate=Rate.of(stated),
            omega=stated["omega"],
            draws=data.drawn_as,
            view=stated.get("view", RAW),
            train=stated.get("train", BOTH),
        )
        for kind, plugin in spec.plugins:
            if plugin.version != stated[kind]["version"]:
                differs = (
                    f"{kind} {plugin.name} has version {plugin.version}, in the record"
                    f" {stated[kind]['version']}"
                )
    except TypeError as error:
        differs = f"a plugin takes other parameters ({error})"
    if differs or spec.hash != record["hash"]:
        raise InputError(
            "the record must be of a trial that this hsiaug would run in the same way",
            value=differs or "descriptions or split seeds of the card, or the format, are others",
            hint="Benchmark the scene anew, or install the hsiaug of that time.",
        )
    return spec


def _protocol(record: Record) -> SplitProtocol:
    stated = record["spec"]["protocol"]
    try:
        return parse_protocol(
            f"{stated['name']}:{stated['argument']}".removesuffix(":"), stated["buffer"]
        )
    except InputError:
        # Where files of masks lie, only the command says: the identity holds their names and a
        # checksum.
        words = shlex.split(record["command"])
        if "--protocol" not in words[:-1]:
            raise
        return parse_protocol(words[words.index("--protocol") + 1], stated["buffer"])


def _plugin(kind: Kind, stated: Record, plugins: Registry, data: TaskData) -> PluginSpec:
    card: Card = plugins.find(kind, stated["name"]).card
    return plugin_spec(card, card.params(**stated["params"]), data)


def refit(
    spec: TrialSpec,
    data: TaskData,
    plugins: Registry,
    folder: Path | None,
    *,
    device: str,
    progress: Progress,
) -> Refitted:
    """Fit a trial's generator, where its λ asks for samples, and its classifier, just as the trial
    did.

    Parameters
    ----------
    folder : Path or None
        The cache of the store, where slow fits of generators are looked for and kept.

    Raises
    ------
    InputError
        Where the device is not there, and whatever the plugins raise.
    """
    # What fits share is not needed afterwards: with the context go the views, each as large as the
    # data.
    context = SceneContext(data, get_task(spec.task), folder)
    clock, facts = StageClock(), dict[str, object]()
    loaded = load_plugins(spec, plugins, device, facts)
    run = TrialRun(spec, context, *loaded, progress)
    give_back_files()
    fit = learn(run, None, clock, facts) if run.asks_samples else None
    samples, _ = draw_samples(run, fit, {}, clock, facts)
    return Refitted(
        spec=spec,
        fitted=fit_classifier(run, samples, clock, facts),
        card=run.classifier.card,
        split=run.views.split,
        spectra=run.spectra,
    )


def repeats(refitted: Refitted, maps: Mapping[str, NDArray[np.int16]], record: Record) -> bool:
    """Whether the maps (H, W) of all places repeat the record's predictions exactly."""
    flat = np.concatenate([ids.ravel() for ids in maps.values()])
    predicted = locate_labels(refitted.split, flat[predicted_mask(refitted.split)])
    return checksum(predicted) == str(record["predictions_sha256"])
