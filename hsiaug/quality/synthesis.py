"""Samples outside a trial: what is asked for, and what was made, with all that it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Float32, Int64
from hsiaug.base.errors import InputError
from hsiaug.contracts import FittedGenerator, Generator, Reconstruction
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.measures import Measure, Measures, MeasureTable
from hsiaug.metrics.spectra import spectral_angle
from hsiaug.protocol.balance import Rate, check_lambda, check_omega, check_times
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split
from hsiaug.protocol.tiling import TileSplit
from hsiaug.registry.card import Card, NoParams, build_params, check_preset, check_serves
from hsiaug.registry.lookup import Registry
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.registry.session_plugins import name_and_overrides
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskData, TaskSamples, TaskSplit
from hsiaug.trial.machine import environment
from hsiaug.trial.spec import PluginSpec, TrialSpec, plugin_spec
from hsiaug.trial.trial_run import Fit, TrialRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GUIDED = ("agreement", "density", "coverage", "nearer_training", "nearer_pool")
"""Measures that a curve over ω is drawn of."""
LEAST_PROBABILITY = 1e-6
"""Probabilities below are taken as this, so that one pixel cannot make a mean infinite."""

MEASURES: MeasureTable = {
    "codec_rmse": ("encoded and decoded: RMSE, in units of the data", "", "lower"),
    "codec_angle": ("encoded and decoded: mean angle of pixels", "°", "lower"),
    "codec_cross_entropy": ("encoded and decoded: cross-entropy of masks", "nats", "lower"),
}
NO_CLASSIFIER = PluginSpec("none", "0", NoParams())
"""Stands where a trial has its classifier, which nothing here reads."""


def fit_once(run: TrialRun, fit: Callable[[], Fit[FittedGenerator]]) -> Fit[FittedGenerator]:
    """A fitted generator that requests on one context share where they differ in ω alone.

    Parameters
    ----------
    run : TrialRun
        Of the request.
    fit : callable
        Fits its generator.
    """
    key = run.spec.fit_hash, run.spec.generator.hash
    held = run.context.fitted
    if key not in held:
        held.clear()
        held[key] = fit()
    return held[key]


@dataclass(frozen=True)
class SampleRequest:
    """Samples to make.

    Attributes
    ----------
    protocol, patch, omega, times : SplitProtocol or int or float or None
        None = the usual of the task, or the generator's own.
    overrides : mapping of str to str
        {parameter: text}.
    count : int or None
        Pairs, in place of ``lam`` for each real one.
    show : tuple of str
        Names of classes that the pairs shall show, an equal part of the pairs each; none =
        whatever classes.
    prompts : tuple of str
        Typed texts, of whose classes alone samples are made.
    masks : tuple of Path
        Files of masks that images are made for.
    source : str
        Name, or path, of the scene, for whoever reads the samples.
    """

    generator: str
    protocol: SplitProtocol | None = None
    lam: float = 1.0
    times: float | None = None
    omega: float | None = None
    seed: int = 0
    patch: int | None = None
    preset: str = "cpu"
    overrides: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"
    count: int | None = None
    show: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    masks: tuple[Path, ...] = ()
    source: str = ""


def sample_request(
    generator: str | Any, preset: str, params: Mapping[str, object] | None, **fields: Any
) -> SampleRequest:
    """A request as Python users state it.

    Their own process is to fit it, and so imports the packages of plugins.

    Parameters
    ----------
    generator : str or object
        A name, or a plugin.
    params : mapping of str to object or None
        Its hyper-parameters by name.
    """
    name, own = name_and_overrides("generator", generator, preset)
    overrides = {**own, **{key: str(value) for key, value in (params or {}).items()}}
    return SampleRequest(name, preset=preset, overrides=overrides, **fields)


Data = TypeVar("Data", bound=TaskData)
AnySplit = TypeVar("AnySplit", bound=TaskSplit)
Samples = TypeVar("Samples", bound=TaskSamples)


@dataclass(frozen=True, eq=False)
class Synthesis(Generic[Data, AnySplit, Samples]):
    """Real training samples and synthetic ones, and all that they came from.

    Attributes
    ----------
    fitted : FittedGenerator or None
        The generator that made them; None of samples of a file.
    seconds : mapping of str to float
        Of ``fit_generator`` and, for pixels, ``sample``.
    facts : mapping of str to object
        What the task adds to their provenance.
    stated : mapping of str to object or None
        Of samples of a file, its provenance.
    """

    data: Data
    split: AnySplit
    spec: TrialSpec
    card: Card
    fitted: FittedGenerator | None
    real: Samples
    synthetic: Samples
    seconds: Mapping[str, float]
    facts: Mapping[str, object]
    stated: Mapping[str, object] | None = None

    def provenance(self) -> dict[str, object]:
        """JSON-able facts that make these samples again; keys as in a trial's record where both
        have them.
        """
        if self.stated is not None:
            return dict(self.stated)
        spec, data = self.spec.as_json(), self.data
        return {
            **{
                key: value
                for key, value in spec.items()
                if key not in ("classifier", "lambda", "times")
            },
            "fit_hash": self.spec.fit_hash,
            **self.facts,
            "class_names": list(data.class_names),
            "units": data.units,
            "wavelengths_nm": None if data.wavelengths is None else data.wavelengths.tolist(),
            "audit": self.split.audit.as_json(),
            "scope": self.card.scope,
            "generator_says": dict(self.synthetic.provenance),
            "seconds": dict(self.seconds),
            "environment": environment(),
        }


ToEncode = tuple[Any, Float32, Int64 | None]
"""Real samples as ``reconstruct`` of a generator takes them, and their images and masks."""


class ClassRow(NamedTuple):
    """A class and its numbers, or shares, of real and of synthetic samples."""

    class_id: int
    name: str
    real: float
    synthetic: float


Drawn = tuple[Samples, FittedGenerator, Mapping[str, float]]
"""Synthetic samples, the fitted generator, and the seconds of each stage."""

PixelSynthesis = Synthesis[Scene, Split, PatchSamples]
MaskSynthesis = Synthesis[PairSet, TileSplit, DenseSamples]
AnySynthesis = Synthesis[Any, Any, Any]


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was measured of the samples of one generator on one split.

    Attributes
    ----------
    sizes : mapping of str to int
        Number of "train", "held_out" and "synthetic" samples.
    reconstruction : Measures
        What an encoder and decoder lose; none of a generator without them.
    verdict : tuple of str
        A few lines.
    pictures : callable
        Draws the figures, by name.
    """

    made: AnySynthesis
    sizes: Mapping[str, int]
    structure: Measures
    fidelity: Measures
    labels: Measures
    reconstruction: Measures
    verdict: tuple[str, ...]
    pictures: Callable[[], dict[str, Figure]]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All measures, spatial structure first."""
        parts = (self.structure, self.labels, self.fidelity, self.reconstruction)
        return tuple(measure for part in parts for measure in part.measures)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Lines on what the numbers leave out."""
        parts = (self.structure, self.labels, self.fidelity)
        return tuple(f"note: {note}" for part in parts for note in part.notes)

    @property
    def guided(self) -> list[dict[str, Any]]:
        """Points of curves over ω, a row a measure: its value, that of held-out real samples as
        ``reference``, its unit, and how many samples were compared. None of a generator without ω.
        """
        omega = self.made.spec.omega
        if omega is None:
            return []
        return [
            {
                "omega": omega,
                "measure": one.name,
                "value": one.value,
                "reference": one.held_out,
                "unit": one.unit,
                "n": one.n,
            }
            for one in self.measures
            if one.name in GUIDED
        ]

    def as_json(self) -> dict[str, object]:
        """The content of quality.json."""
        return {
            "format": 1,
            "provenance": self.made.provenance(),
            "n": dict(self.sizes),
            "verdict": list(self.verdict),
            "structure": self.structure.as_json(),
            "labels": self.labels.as_json(),
            "fidelity": self.fidelity.as_json(),
            "reconstruction": self.reconstruction.as_json(),
        }


def confirmed_text(measure: Measure) -> str:
    """``classifiers of real pixels confirm 78 % of them (held-out: 85 %)``."""
    held_out = "–" if measure.held_out is None else f"{measure.held_out:.0f} %"
    return f"classifiers of real pixels confirm {measure.value:.0f} % (held-out: {held_out})"


def measure_reconstruction(
    made: AnySynthesis, held_out: Callable[[], ToEncode], training: Callable[[], ToEncode]
) -> Measures:
    """What the generator's encoder and decoder lose of held-out and of training samples, which are
    then asked for; nothing of a generator without them.
    """
    reconstruct = getattr(made.fitted, "reconstruct", None)
    if not callable(reconstruct):
        return Measures()

    def losses(given: Any, images: Float32, masks: Int64 | None) -> dict[str, float | None]:
        decoded: Reconstruction = reconstruct(given)
        decoded.check(images)
        return reconstruction_losses(images, decoded.images, decoded.probability, masks)

    real = held_out()
    return Measures(reconstruction_measures(losses(*real), losses(*training()), len(real[1])))


def sample_spec(
    task_name: str, data: TaskData, request: SampleRequest, plugins: Registry
) -> tuple[Generator, TrialSpec]:
    """The generator, ready to fit, and the specification of a trial that trains on its samples.

    Raises InputError for a generator that makes no sample, an unknown name, or a number out of
    range.
    """
    check_lambda(request.lam)
    check_times(request.times or 0.0)
    task = get_task(task_name)
    plugin = plugins.find("generator", request.generator).load()
    card: Card = plugin.card
    if not card.adds:
        hint = f"Use {task.settings.generators[0]}, for example; 'hsiaug plugins list' shows all."
        raise InputError(
            "`generators` must be one that makes samples", value=repr(request.generator), hint=hint
        )
    if request.prompts and not card.text:
        raise no_prompts(card.name)
    if request.omega is not None and card.guidance is None:
        raise InputError(
            f"`omegas` is for generators with guidance, and {card.name} takes none",
            value=f"{request.omega:g}",
            hint="Leave it out.",
        )
    check_omega(request.omega or 0.0)
    check_serves(card, "generator", task.name)
    check_preset(request.preset, [card])
    params = build_params(card, request.preset, dict(request.overrides))
    usual = task.settings.on(data)
    protocol = request.protocol or parse_protocol(usual.protocol)
    spec = TrialSpec(
        task=task.name,
        scene=data.name,
        scene_sha256=data.sha256,
        protocol=protocol,
        patch=usual.patch if request.patch is None else request.patch,
        seed=request.seed,
        generator=plugin_spec(card, params, data),
        classifier=NO_CLASSIFIER,
        rate=Rate(request.lam, usual.times[0] if request.times is None else request.times),
        omega=card.guidance if request.omega is None else request.omega,
        draws=data.drawn_as,
    )
    return plugin(spec.generator.params), spec


def no_prompts(name: str) -> InputError:
    """The refusal of the generator of this name, before or after its fit."""
    return InputError(
        "`prompt` is for generators that read text, and take other texts after their fit",
        value=repr(name),
        hint="Leave it out, or use txt2hsi.",
    )


def reconstruction_losses(
    images: Float32,
    decoded: Float32,
    probability: Float32 | None,
    masks: NDArray[np.integer] | None,
) -> dict[str, float | None]:
    """Losses by the names of MEASURES.

    Parameters
    ----------
    images, decoded : (n, B, p, p) or (n, T, B, H, W) float32
        Samples in the data's units, before and after.
    probability : (n, H, W) float32 or None
        That of the class of each pixel of the masks; NaN where the decoder does not know it.
    masks : (n, H, W) int or None
        Class ids; 0 counts nowhere.
    """
    difference = images.astype(np.float64) - decoded
    spectra = [np.moveaxis(x.astype(np.float64), -3, -1) for x in (images, decoded)]
    losses: dict[str, float | None] = {
        "codec_rmse": float(np.sqrt(np.mean(difference**2))),
        "codec_angle": float(spectral_angle(*spectra).mean()),
        "codec_cross_entropy": None,
    }
    if probability is not None and masks is not None:
        labelled = probability[(masks > 0) & ~np.isnan(probability)].astype(np.float64)
        if labelled.size:
            losses["codec_cross_entropy"] = float(
                -np.log(labelled.clip(LEAST_PROBABILITY, 1.0)).mean()
            )
    return losses


def reconstruction_measures(
    held_out: Mapping[str, float | None], training: Mapping[str, float | None], n: int
) -> tuple[Measure, ...]:
    """Losses of n held-out samples and of training samples; synthetic ones have none."""
    return tuple(
        Measure.of(MEASURES, name, None, held_out[name], n, training=training[name], few="")
        for name in MEASURES
        if held_out[name] is not None or training[name] is not None
    )
