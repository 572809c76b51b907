"""The classifier of a record made again, and its answer for every pixel of the scene, in stripes."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError, PluginError
from hsiaug.plugins.card import Card
from hsiaug.plugins.contracts import Classifier, FittedClassifier, Generator, Progress
from hsiaug.plugins.hookspecs import Kind
from hsiaug.plugins.registry import Registry
from hsiaug.protocol.protocols import Protocol, parse_protocol
from hsiaug.protocol.split import Split
from hsiaug.protocol.view import patches_at
from hsiaug.samples import Patches, PatchSamples
from hsiaug.scene import Scene
from hsiaug.tasks.pixels import BATCH_BYTES, PixelClassification
from hsiaug.trial.adapter import adapted
from hsiaug.trial.cache import Workbench
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.run import StageTimer, augment, fit_classifier
from hsiaug.trial.spec import PluginSpec, TrialSpec, plugin_spec
from hsiaug.trial.store import Record

__all__ = ["Agreement", "Refitted", "agreement", "map_scene", "refit", "spec_of"]


@dataclass(frozen=True, eq=False)
class Refitted:
    """A trial's classifier, fitted again, with the split of the trial."""

    spec: TrialSpec
    fitted: FittedClassifier
    card: Card
    split: Split


@dataclass(frozen=True)
class Agreement:
    """of_map: the map calls every test pixel as the record does. of_classifier: so does the classifier, asked in the
    trial's own batches: sums over other batches may be rounded otherwise.
    """

    of_map: bool
    of_classifier: bool


def spec_of(record: Record, scene: Scene, plugins: Registry) -> TrialSpec:
    """The trial of a record, to be run again here.

    Raises InputError where the record is of masks or of a failed trial, the scene is another one, a plugin is missing
    or of another version, or the masks of a ``fixed`` protocol have gone.
    """
    said = record["spec"]
    _refuse(
        said["task"] != "pixels", "--record must be of single pixels", f"task {said['task']}", "Name another one."
    )
    _refuse(
        record["status"] != "ok",
        "--record must be of a trial that went well",
        record["status"],
        "Name another one.",
    )
    _refuse(
        said["scene"]["sha256"] != scene.sha256,
        f"SCENE must be the scene of the record, {said['scene']['name']}, with the same values and labels",
        f"{scene.name}, sha256 {scene.sha256[:12]}… in place of {said['scene']['sha256'][:12]}…",
        f"Name {record.get('scene_ref') or said['scene']['name']}; if its files or card changed, benchmark it anew.",
    )
    spec = TrialSpec(
        task="pixels",
        scene=said["scene"]["name"],
        scene_sha256=scene.sha256,
        protocol=_protocol(record),
        patch=said["patch"],
        seed=said["seed"],
        generator=_plugin("generator", said["generator"], plugins, scene),
        classifier=_plugin("classifier", said["classifier"], plugins, scene),
        lam=said["lambda"],
        omega=said["omega"],
        draws=scene.drawn_as,
    )
    _refuse(
        spec.hash != record["hash"],
        "--record must be of a trial that this hsiaug runs alike",
        f"record {record['hash']}, which would be {spec.hash} here",
        "Descriptions or draws of the card, or the format, have changed: benchmark the scene anew.",
    )
    return spec


def _refuse(wrong: bool, rule: str, value: str, hint: str) -> None:
    if wrong:
        raise InputError(rule, value=value, hint=hint)


def _protocol(record: Record) -> Protocol:
    said = record["spec"]["protocol"]
    text = f"{said['name']}:{said['argument']}".removesuffix(":")
    if "fixed" in (said["name"], said["argument"].partition(":")[0]):
        # The identity holds names and a checksum; where the files lie, only the command says.
        words = shlex.split(record["command"])
        text = words[words.index("--protocol") + 1] if "--protocol" in words else text
    return parse_protocol(text, said["buffer"])


def _plugin(kind: Kind, said: dict[str, Any], plugins: Registry, scene: Scene) -> PluginSpec:
    card: Card = plugins.find(kind, said["name"]).load().card
    _refuse(
        card.version != said["version"],
        f"{kind} {card.name} must have the version of the record, {said['version']}",
        card.version,
        "Benchmark the scene anew, or install the hsiaug of that time.",
    )
    try:
        params = card.params(**said["params"])
    except TypeError as error:
        raise InputError(
            f"{kind} {card.name} must take the parameters of the record",
            value=error,
            hint="Benchmark the scene anew.",
        ) from error
    return plugin_spec(card, params, scene)


def refit(
    spec: TrialSpec, scene: Scene, plugins: Registry, folder: Path | None, *, device: str, progress: Progress
) -> Refitted:
    """Fit a trial's generator, where its λ asks for samples, and its classifier, just as the trial did.

    folder: the cache of the store, where slow fits of generators are looked for and kept.
    Raises InputError where the device is not there, and whatever the plugins raise.
    """
    # What fits share is not needed afterwards: with the bench go the views, each as large as the cube.
    bench = Workbench(scene, PixelClassification(), folder)
    plugin: Generator = plugins.find("generator", spec.generator.name).load()(spec.generator.params)
    generator = adapted(plugin, spec.task)
    classifier: Classifier = plugins.find("classifier", spec.classifier.name).load()(spec.classifier.params)
    samples = augment(spec, bench, generator, resolve_device(device, generator.card), StageTimer(), progress)
    where = resolve_device(device, classifier.card)
    fitted = fit_classifier(spec, bench, classifier, samples, where, StageTimer(), progress)
    return Refitted(spec, fitted, classifier.card, bench.split(spec))


def map_scene(made: Refitted, scene: Scene, progress: Progress) -> NDArray[np.int16]:
    """(H, W) int16 class ids of every pixel; 0 where an unlabelled pixel holds 0 in every band: no data.

    Patches are cut as for the test pixels, in batches of about ``BATCH_BYTES``; beyond the cube itself, memory does
    not grow with the scene.
    """
    height, width = scene.shape
    side = made.spec.patch if made.card.input == "patch" else 1
    ids = np.zeros((height, width), dtype=np.int16)
    for rows, stripe in _stripes(scene.cube, side):
        here = stripe[side // 2 : side // 2 + len(rows), side // 2 : side // 2 + width]
        local = np.argwhere(here.any(axis=2) | (scene.labels[rows] > 0)).astype(np.int32)
        step = max(1, BATCH_BYTES // (4 * scene.bands * side * side))
        for start in range(0, len(local), step):
            part = local[start : start + step]
            coords = part + np.array([rows[0], 0], dtype=np.int32)
            found = np.asarray(made.fitted.predict(_patches(patches_at(stripe, part, side), coords, made.card)))
            if found.shape != (len(part),):
                raise PluginError(
                    f"predict must give one class id per patch, {len(part)} here",
                    value=f"shape {found.shape}",
                    hint="Return an integer array of shape (n,).",
                )
            ids[coords[:, 0], coords[:, 1]] = found
        progress(int(rows[-1]) + 1, height, "rows")
    return ids


def _stripes(cube: NDArray[np.float32], side: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Rows (n,) and the stripe (n + side − 1, W + side − 1, B) of their patches, mirrored at the scene's edges."""
    height, width, bands = cube.shape
    radius = side // 2
    # The rows and columns that ``pad`` would show, without a padded copy of the whole cube.
    down, across = (
        np.pad(np.arange(n), radius, mode="reflect") if radius else np.arange(n) for n in (height, width)
    )
    rows = max(1, 2 * BATCH_BYTES // (4 * bands * width))
    for top in range(0, height, rows):
        mine = np.arange(top, min(top + rows, height))
        yield mine, cube[down[top : top + len(mine) + 2 * radius]][:, across]


def _patches(x: NDArray[np.float32], coords: NDArray[np.int32], card: Card) -> Patches:
    """What the card reads of these patches, as in a trial."""
    n = len(x)
    none = np.zeros(n, dtype=np.int64)
    samples = PatchSamples(x, coords, none, none.astype(bool), np.ones(n, dtype=np.float32))
    seen = PixelClassification().shown(samples, card)
    return Patches(seen.x, seen.coords)


def agreement(made: Refitted, scene: Scene, ids: NDArray[np.int16], record: Record) -> Agreement:
    """Whether a map (H, W), and the classifier that made it, repeat the predictions of the record."""
    said = record["predictions_sha256"]
    if hashlib.sha256(ids[made.split.test].tobytes()).hexdigest() == said:
        return Agreement(True, True)
    label = PixelClassification().predict(made.fitted, made.card, scene, made.split)
    return Agreement(False, hashlib.sha256(label.tobytes()).hexdigest() == said)
