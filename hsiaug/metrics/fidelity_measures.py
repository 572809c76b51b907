"""A measure of fidelity: real training samples against made ones, beside the same against real
held-out ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np

Better = Literal["lower", "higher", "1", "50 %"]

MeasureTable = Mapping[str, tuple[str, str, Better]]
"""Label, unit, and what is good, by the name of a measure."""

Values = dict[str, float | None]
"""Values by the name of a measure; shares in 0..1, None where it is not defined."""

Round = tuple[Values, Values, int]
"""Values and floors of one draw of samples, and how many of each set were compared at once."""


class Named(Protocol):
    """A measure."""

    @property
    def name(self) -> str: ...


M = TypeVar("M", bound=Named)


class MeasuresByName(Generic[M]):
    """Measures in the order of their table."""

    measures: tuple[M, ...]

    def get(self, name: str) -> M | None:
        """The measure of that name, None where it was not taken."""
        return next((measure for measure in self.measures if measure.name == name), None)

    def __getitem__(self, name: str) -> M:
        return next(measure for measure in self.measures if measure.name == name)


@dataclass(frozen=True)
class FidelityMeasure:
    """One number beside its floor.

    Attributes
    ----------
    value : float or None
        Training against synthetic.
    floor : float or None
        Training against held-out, real both. None where it is not defined, and ``note`` says
        why.
    unit : str
        "%", "°", "σ" (training standard deviations of a band) or "".
    n : int
        Samples of each set that were compared at once.
    """

    name: str
    label: str
    value: float | None
    floor: float | None
    n: int
    unit: str
    better: Better
    note: str = ""


@dataclass(frozen=True)
class Fidelity(MeasuresByName[FidelityMeasure]):
    """Measures in the order of their table.

    Attributes
    ----------
    classes : tuple of int
        Ids compared.
    notes : tuple of str
        Sentences on what was left out.
    """

    measures: tuple[FidelityMeasure, ...]
    classes: tuple[int, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The entry in quality.json."""
        rows = [vars(measure) for measure in self.measures]
        return {"measures": rows, "classes": list(self.classes), "notes": list(self.notes)}


def note_of(why: str, classes: Iterable[int]) -> tuple[str, ...]:
    """The note on classes that were left out, where there are any."""
    ids = ", ".join(map(str, sorted(classes)))
    return (f"{why}: class {ids}",) if ids else ()


def average_rounds(
    table: MeasureTable, groups: Iterable[Sequence[Round]], few: str, *, every: bool = False
) -> tuple[FidelityMeasure, ...]:
    """The measures of a table, in its order, each the mean over the rounds of the group that has
    it.

    Parameters
    ----------
    few : str
        The note where a number is not defined.
    every : bool
        It is not where any of its rounds lacks it, else where all do.
    """
    rounds_of = {name: rounds for rounds in groups for name in rounds[0][0]}

    def mean(values: Sequence[float | None], scale: float) -> float | None:
        numbers = [v for v in values if v is not None]
        enough = len(numbers) == len(values) if every else True
        return scale * float(np.mean(numbers)) if numbers and enough else None

    measures = []
    for name, (label, unit, better) in table.items():
        rounds = rounds_of.get(name, ())
        scale = 100.0 if unit == "%" else 1.0
        value = mean([r[0][name] for r in rounds], scale)
        floor = mean([r[1][name] for r in rounds], scale)
        note = few if value is None or floor is None else ""
        n = rounds[0][2] if rounds else 0
        measures.append(FidelityMeasure(name, label, value, floor, n, unit, better, note))
    return tuple(measures)
