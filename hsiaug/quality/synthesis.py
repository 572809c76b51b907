"""The samples that a trial would train on, without the trial: same splits, seeds, fits and pools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hsiaug.bench.memory_check import check_samples
from hsiaug.contracts import FittedGenerator, Generator, Progress
from hsiaug.errors import InputError
from hsiaug.plugins.card import Card, NoParams, Preset, build_params
from hsiaug.plugins.registry import Registry
from hsiaug.protocol.balance import check_lambda, check_omega, synthetic_counts
from hsiaug.protocol.protocols import Protocol
from hsiaug.protocol.split import Split
from hsiaug.protocol.view import TrainView
from hsiaug.samples import PatchSamples
from hsiaug.scene import Scene
from hsiaug.tasks.pixels import PixelClassification
from hsiaug.trial.adapter import adapted
from hsiaug.trial.cache import Workbench
from hsiaug.trial.machine import environment, resolve_device
from hsiaug.trial.run import StageTimer, augment
from hsiaug.trial.serving import check_serves
from hsiaug.trial.spec import PluginSpec, TrialSpec, plugin_spec

__all__ = [
    "NO_CLASSIFIER",
    "SampleRequest",
    "Synthesis",
    "draw_samples",
    "omega_of",
    "sample_spec",
    "silent",
    "synthesise",
]

NO_CLASSIFIER = PluginSpec("none", "0", NoParams())
"""Stands where a trial has its classifier, which nothing here reads."""


def silent(done: int, total: int, note: str = "") -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True)
class SampleRequest:
    """Which samples to make. omega: None = the generator's own default. overrides: {parameter: text}."""

    generator: str
    protocol: Protocol
    lam: float = 1.0
    omega: float | None = None
    seed: int = 0
    patch: int = 9
    preset: Preset = "cpu"
    overrides: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class Synthesis:
    """Samples, and all that they came from. samples: real training samples first, then the synthetic ones.

    fitted: the generator that made them. seconds: of ``fit_generator`` and ``sample``.
    """

    scene: Scene
    split: Split
    spec: TrialSpec
    card: Card
    samples: PatchSamples
    fitted: FittedGenerator
    seconds: Mapping[str, float]

    @property
    def synthetic(self) -> PatchSamples:
        """The synthetic samples alone."""
        return self.samples.take(self.samples.synthetic)

    @property
    def real(self) -> PatchSamples:
        """The real training samples alone."""
        return self.samples.take(~self.samples.synthetic)

    def provenance(self) -> dict[str, Any]:
        """JSON-able facts that make these samples again; keys as in a trial's record where both have them."""
        audit = self.split.audit
        spec = self.spec.as_json()
        spec.pop("classifier")
        return {
            **spec,
            "fit_hash": self.spec.fit_hash,
            "class_names": list(self.scene.class_names),
            "units": self.scene.units,
            "wavelengths_nm": None if self.scene.wavelengths is None else self.scene.wavelengths.tolist(),
            "audit": audit.as_json(),
            "scope": self.card.scope,
            "transductive": self.card.scope == "scene",
            "generator_says": dict(self.samples.provenance),
            "seconds": dict(self.seconds),
            "environment": environment(),
        }


def synthesise(
    scene: Scene,
    request: SampleRequest,
    plugins: Registry,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Synthesis:
    """Make the samples that a benchmark's trial of the same settings trains on, bit for bit.

    folder: the cache of a store of records, where slow fits are looked for and kept; None = neither.
    Raises InputError for a generator or λ that makes no sample, an unknown name, or a number out of range.
    """
    generator, spec = sample_spec(scene, request, plugins)
    bench = Workbench(scene, PixelClassification(), folder)
    samples, fitted, seconds = draw_samples(generator, spec, bench, request.device, progress)
    return Synthesis(scene, bench.split(spec), spec, generator.card, samples, fitted, seconds)


def draw_samples(
    generator: Generator,
    spec: TrialSpec,
    bench: Workbench[Split, TrainView, PatchSamples],
    device: str,
    progress: Progress,
) -> tuple[PatchSamples, FittedGenerator, Mapping[str, float]]:
    """Real and synthetic samples, the fitted generator, and the seconds of each stage.

    Raises InputError where λ asks for no sample.
    """
    card: Card = generator.card
    counts = bench.view(spec, card.scope).counts
    asked = synthetic_counts(counts, spec.lam)
    check_samples(bench.scene, sum(asked.values()), spec.patch)
    if not any(asked.values()):
        raise InputError(
            "λ must ask for at least one synthetic sample",
            value=f"λ = {spec.lam:g}, with {min(counts.values())} to {max(counts.values())} samples per class",
            hint="λ = 1 fills every class to the largest; more than 1 lets all grow.",
        )
    resolved, timer = resolve_device(device, card), StageTimer()
    samples = augment(spec, bench, generator, resolved, timer, progress)
    return samples, bench.fit(spec, generator, resolved, progress).fitted, timer.seconds


def sample_spec(scene: Scene, request: SampleRequest, plugins: Registry) -> tuple[Generator, TrialSpec]:
    """The generator, ready to fit, and the specification of a trial that trains on its samples."""
    check_lambda(request.lam)
    plugin = plugins.find("generator", request.generator).load()
    card: Card = plugin.card
    if not card.adds:
        raise InputError(
            "--generator must be one that makes samples",
            value=repr(request.generator),
            hint="Use smote, for example; 'hsiaug plugins list' shows all.",
        )
    check_serves(card, "generator", "pixels")
    spec = TrialSpec(
        task="pixels",
        scene=scene.name,
        scene_sha256=scene.sha256,
        protocol=request.protocol,
        patch=request.patch,
        seed=request.seed,
        generator=plugin_spec(card, build_params(card, request.preset, dict(request.overrides)), scene),
        classifier=NO_CLASSIFIER,
        lam=request.lam,
        omega=omega_of(card, request.omega),
        draws=scene.drawn_as,
    )
    return adapted(plugin(spec.generator.params), spec.task), spec


def omega_of(card: Card, asked: float | None) -> float | None:
    """The guidance strength to sample with. Raises InputError where the generator takes none, or it is out of range."""
    if asked is None:
        return card.guidance
    if card.guidance is None:
        raise InputError(
            f"--omega is for generators with guidance, and {card.name} takes none",
            value=f"{asked:g}",
            hint="Leave it out.",
        )
    check_omega(asked)
    return asked
