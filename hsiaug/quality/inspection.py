"""Everything that ``hsiaug inspect`` says about the samples of one generator on one draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hsiaug.metrics.calibration import LabelScore
from hsiaug.metrics.fidelity import Fidelity, fidelity
from hsiaug.metrics.reliability import Reliability, reliability
from hsiaug.metrics.spectra import Spectra
from hsiaug.quality.attention import AttentionReport, attention_report
from hsiaug.quality.synthesis import Synthesis
from hsiaug.report.labels import wrong_share
from hsiaug.samples import PatchSamples

__all__ = ["Inspection", "held_out_spectra", "inspect_samples", "sample_spectra", "verdict"]

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Inspection:
    """The reports, and the three sets of centre spectra that they compare."""

    synthesis: Synthesis
    train: Spectra
    held: Spectra
    synthetic: Spectra
    fidelity: Fidelity
    reliability: Reliability
    attention: AttentionReport | None

    def as_json(self) -> dict[str, Any]:
        """What quality.json holds."""
        return {
            "format": FORMAT,
            "provenance": self.synthesis.provenance(),
            "n": {"train": len(self.train), "held_out": len(self.held), "synthetic": len(self.synthetic)},
            "verdict": list(verdict(self)),
            "fidelity": self.fidelity.as_json(),
            "reliability": self.reliability.as_json(),
            "attention": self.attention and self.attention.as_json(),
        }


def sample_spectra(samples: PatchSamples) -> Spectra:
    """The centre spectra of samples, in scene units."""
    return Spectra(samples.centres.astype(np.float64), samples.y)


def held_out_spectra(synthesis: Synthesis) -> Spectra:
    """Spectra and labels of the split's test pixels. For diagnosis after the fit only, never for a component."""
    scene, test = synthesis.scene, synthesis.split.test
    return Spectra(scene.cube[test].astype(np.float64), scene.labels[test].astype(np.int64))


def inspect_samples(synthesis: Synthesis, seed: int = 0) -> Inspection:
    """Measure fidelity, label reliability and, where the generator offers it, attention."""
    train, made = sample_spectra(synthesis.real), sample_spectra(synthesis.synthetic)
    held = held_out_spectra(synthesis)
    return Inspection(
        synthesis,
        train,
        held,
        made,
        fidelity(train, held, made, seed=seed),
        reliability(train, held, made, seed=seed),
        attention_report(synthesis, seed),
    )


def verdict(inspection: Inspection) -> Iterator[str]:
    """The report in a few sentences."""
    scores = {score.name: score for score in inspection.reliability.scores}
    if scores:
        yield _labels(scores["agreement"], "probes of training pixels")
        yield _labels(scores["oracle"], "oracle probes, which know half of the held-out pixels too,")
    copies, nearer = inspection.fidelity["copies"].value, inspection.fidelity["nearer"].value
    if copies is not None and copies > 1:
        yield f"memorisation: {copies:.0f} % of the synthetic samples are copies of training samples"
    elif nearer is not None:
        yield (
            f"memorisation: no copies; {nearer:.0f} % of the time a synthetic sample lies nearer to a training "
            "sample than a held-out one of its class does (50 % for fresh real samples)"
        )
    attention = inspection.attention
    if attention is not None and (score := attention.class_words["held-out"]) is not None:
        floor = attention.shuffled["held-out"]
        beside = "" if floor is None else f" (floor {floor.auc:.2f})"
        yield f"attention: AUC {score.auc:.2f}{beside} of the class's words against its region, {score.n} patches"


def _labels(score: LabelScore, judge: str) -> str:
    value, ceiling = score.value or 0, score.ceiling or 0  # both are defined for every score of samples
    agree = f"{judge} agree with {value:.0f} % (real held-out: {ceiling:.0f} %)"
    if score.r is not None and score.r > 1:
        return f"labels: {agree}; samples more typical than real ones hide what wrong labels there are"
    if score.wrong is None or score.wrong_interval is None:
        return f"labels: {agree}; too little difference between these classes to judge labels by it"
    low, high = score.wrong_interval
    return f"labels: {agree}, as if {wrong_share(score.wrong)} % of them were wrong [{low:.0f} to {high:.0f} %]"
