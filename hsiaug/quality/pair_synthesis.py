"""Synthetic image–mask pairs outside a trial: made as a trial makes them, to be written out or looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from hsiaug.bench.memory_check import check_samples
from hsiaug.contracts import FittedGenerator, FittedPairGenerator, Progress
from hsiaug.errors import InputError, did_you_mean
from hsiaug.metrics.dense.probes import fit_probes
from hsiaug.metrics.dense.quality import filter_samples
from hsiaug.pairs import PairSet
from hsiaug.plugins.card import Card, Preset, build_params
from hsiaug.plugins.registry import Registry
from hsiaug.protocol.balance import check_lambda
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import TileSplit
from hsiaug.quality.synthesis import NO_CLASSIFIER, omega_of, silent
from hsiaug.samples import concatenate
from hsiaug.seeds import derive_seed
from hsiaug.tasks.masks import Segmentation
from hsiaug.tasks.task import get_task
from hsiaug.tiles import DenseSamples, DenseView, PairCounts
from hsiaug.trial.cache import Workbench
from hsiaug.trial.machine import environment, resolve_device
from hsiaug.trial.serving import check_serves
from hsiaug.trial.spec import TrialSpec, plugin_spec

__all__ = ["MadePairs", "PairRequest", "make_pairs"]


@dataclass(frozen=True)
class PairRequest:
    """Which pairs to make. count: None = ``lam`` times as many as there are real ones. protocol, patch, omega: None = the
    usual.

    keep: share of the pairs drawn that are kept, those whose masks probes of real training pixels believe most.
    show: names of classes that the pairs shall show, an equal part of the pairs each; none = whatever classes.
    """

    task: str
    generator: str
    count: int | None = None
    lam: float = 1.0
    keep: float = 1.0
    show: tuple[str, ...] = ()
    protocol: str | None = None
    buffer: str | None = None
    omega: float | None = None
    seed: int = 0
    patch: int | None = None
    preset: Preset = "cpu"
    overrides: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class MadePairs:
    """Synthetic pairs, and all that they came from. view: the real training tiles."""

    data: PairSet
    split: TileSplit
    view: DenseView
    spec: TrialSpec
    card: Card
    fitted: FittedGenerator
    samples: DenseSamples
    keep: float
    show: tuple[str, ...]
    fit_seconds: float

    def provenance(self) -> dict[str, Any]:
        """JSON-able facts that make these pairs again; keys as in a trial's record where both have them."""
        spec = self.spec.as_json()
        spec.pop("classifier")
        spec.pop("lambda")
        return {
            **spec,
            "fit_hash": self.spec.fit_hash,
            "pairs": len(self.samples),
            "kept_share": self.keep,
            "show": list(self.show),
            "class_names": list(self.data.class_names),
            "units": self.data.units,
            "wavelengths_nm": None if self.data.wavelengths is None else self.data.wavelengths.tolist(),
            "audit": self.split.audit.as_json(),
            "scope": self.card.scope,
            "generator_says": dict(self.samples.provenance),
            "seconds": {"fit_generator": self.fit_seconds},
            "environment": environment(),
        }


def make_pairs(
    data: PairSet,
    request: PairRequest,
    plugins: Registry,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
) -> MadePairs:
    """Fit a generator of pairs on the training tiles of a draw, and sample it.

    folder: the cache of a store of records, where slow fits are looked for and kept; None = neither.
    Raises InputError for a generator that makes no pairs, an unknown name, or a number out of range.
    """
    plugin = plugins.find("generator", request.generator).load()
    card: Card = plugin.card
    check_serves(card, "generator", request.task)
    if not card.adds:
        raise InputError(
            "--generator must be one that makes samples",
            value=repr(request.generator),
            hint="Use specdm, for example.",
        )
    task = cast(Segmentation, get_task(request.task))
    usual = task.defaults(data)
    params = build_params(card, request.preset, dict(request.overrides))
    spec = TrialSpec(
        task=task.name,
        scene=data.name,
        scene_sha256=data.sha256,
        protocol=parse_protocol(request.protocol or usual.protocol, request.buffer),
        patch=usual.patch if request.patch is None else request.patch,
        seed=request.seed,
        generator=plugin_spec(card, params, data),
        classifier=NO_CLASSIFIER,
        lam=1.0,
        omega=omega_of(card, request.omega),
        draws=data.drawn_as,
    )
    bench = Workbench(data, task, folder)
    view = bench.view(spec, card.scope)
    check_lambda(request.lam)
    count = round(request.lam * len(view.real)) if request.count is None else request.count
    check_samples(data, count, spec.patch)
    if count < 1:
        raise InputError(
            "-n, or λ times the real pairs, must be at least one pair", value=str(count), hint="Ask for more."
        )
    if not 0 < request.keep <= 1:
        raise InputError(
            "--keep must be a share above 0, 1 at most",
            value=f"{request.keep:g}",
            hint="0.8 keeps 80 % of the pairs.",
        )
    asked = _asked(request.show, count, view)
    fit = bench.fit(spec, plugin(params), resolve_device(request.device, card), progress)
    probes = fit_probes(view.real, len(view.class_names)) if request.keep < 1 else None
    parts: list[DenseSamples] = []
    sample = cast(FittedPairGenerator, fit.fitted).sample
    for c, wanted in asked.parts():
        drawn = math.ceil(wanted / request.keep)
        seed = derive_seed("sample", card.name, request.seed, c or 0)
        counts = PairCounts(drawn, {} if c is None else {c: drawn})
        samples = sample(counts, guidance=spec.omega, seed=seed)
        task.check(samples, counts, view)
        parts.append(samples if probes is None else filter_samples(samples, probes, wanted / drawn))
    return MadePairs(
        data,
        bench.split(spec),
        view,
        spec,
        card,
        fit.fitted,
        concatenate(parts),
        request.keep,
        request.show,
        fit.seconds,
    )


def _asked(show: tuple[str, ...], count: int, view: DenseView) -> PairCounts:
    """Pairs to ask for. Raises InputError for a name without training pixels."""
    if not show:
        return PairCounts(count)
    known = {view.class_names[c - 1]: c for c in sorted(view.counts)}
    for name in show:
        if name not in known:
            raise InputError(
                "--show must name classes with training pixels, with commas between",
                value=repr(name),
                hint=did_you_mean(name, known),
            )
    if count < len(set(show)):
        raise InputError(
            f"-n, or λ times the real pairs, must be at least the {len(set(show))} classes of --show",
            value=str(count),
            hint="Ask for more.",
        )
    # The first classes get what does not go round.
    parts = np.array_split(np.arange(count), len(set(show)))
    by_class = {known[name]: len(part) for name, part in zip(dict.fromkeys(show), parts, strict=True)}
    return PairCounts(count, by_class)
