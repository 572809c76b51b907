"""The report of ``hsiaug inspect`` on the samples of one generator on one draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.metrics.calibration import Reliability
from hsiaug.metrics.measures import Fidelity
from hsiaug.quality.synthesis import AnySynthesis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Inspection:
    """sizes: number of "train", "held_out" and "synthetic" samples. verdict: the report in a few sentences.

    pictures: draws the figures, by name. save_table: writes the numbers of the figures to a folder, None where there
    are none.
    """

    made: AnySynthesis
    sizes: Mapping[str, int]
    fidelity: Fidelity
    reliability: Reliability
    verdict: tuple[str, ...]
    pictures: Callable[[], dict[str, Figure]]
    save_table: Callable[[Path], Path] | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """Lines on what the numbers leave out."""
        return tuple(f"note: {note}" for note in (*self.fidelity.notes, *self.reliability.notes))

    def as_json(self) -> dict[str, object]:
        """The content of quality.json."""
        return {
            "format": 1,
            "provenance": self.made.provenance(),
            "n": dict(self.sizes),
            "verdict": list(self.verdict),
            "fidelity": self.fidelity.as_json(),
            "reliability": self.reliability.as_json(),
        }
