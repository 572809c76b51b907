"""Everything that ``hsiaug inspect`` says about the samples of one generator on one draw."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.fidelity import DenseFidelity
from hsiaug.metrics.dense.reliability import DenseReliability
from hsiaug.metrics.fidelity import Fidelity
from hsiaug.metrics.measures import FidelityMeasure
from hsiaug.metrics.reliability import Reliability
from hsiaug.metrics.spectra import Spectra
from hsiaug.quality.synthesis import MaskSynthesis, PixelSynthesis, Synthesis

__all__ = ["AnyInspection", "Inspection", "MaskInspection", "PixelInspection"]

FORMAT = 1

Made = TypeVar("Made", bound=Synthesis[Any, Any, Any])
Compared = TypeVar("Compared", bound=Sized)
AnyFidelity = TypeVar("AnyFidelity", bound=Fidelity | DenseFidelity)
AnyReliability = TypeVar("AnyReliability", bound=Reliability | DenseReliability)


@dataclass(frozen=True, eq=False)
class Inspection(Generic[Made, Compared, AnyFidelity, AnyReliability]):
    """The reports, and what they compare: training, held-out and synthetic samples, or their spectra.

    measures: of fidelity, as they are shown. remarks: lines on what the numbers leave out. verdict: all of it in a few
    sentences.
    """

    made: Made
    train: Compared
    held: Compared
    synthetic: Compared
    fidelity: AnyFidelity
    reliability: AnyReliability
    measures: tuple[FidelityMeasure, ...]
    remarks: tuple[str, ...]
    verdict: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The content of quality.json."""
        return {
            "format": FORMAT,
            "provenance": self.made.provenance(),
            "n": {"train": len(self.train), "held_out": len(self.held), "synthetic": len(self.synthetic)},
            "verdict": list(self.verdict),
            "fidelity": self.fidelity.as_json(),
            "reliability": self.reliability.as_json(),
        }


MaskInspection = Inspection[MaskSynthesis, DenseSamples, DenseFidelity, DenseReliability]


PixelInspection = Inspection[PixelSynthesis, Spectra, Fidelity, Reliability]

AnyInspection = Inspection[Any, Any, Any, Any]
"""The report of a task of which only the name is known."""
