"""A measure of made samples, and what it is read against: the same number of real ones in their
place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MeasureTable = Mapping[str, tuple[str, str, str]]
"""Label, unit, and what is good ("lower", "higher", "1", "50 %" or "as held-out"), by the name of a
measure; the order of the table.
"""

Values = dict[str, float | None]
"""Values by the name of a measure; shares in 0..1, None where it is not defined."""

Round = tuple[Values, Values, int]
"""Values and floors of one draw of samples, and how many of each set were compared at once."""


@dataclass(frozen=True)
class Measure:
    """One number of made samples; shares in %.

    Attributes
    ----------
    value : float or None
        None where it is not defined; ``note`` says why.
    beside : mapping of str to float or (float, float) or None
        What it is read against. Of fidelity ``floor``: training against held-out, real both. Of
        layout the number of others in place of the made ones: ``held_out``, of a two-sample test
        one half of them; ``training``; ``shuffled``, held-out samples whose pixels, or blocks, are
        shuffled, the ceiling of a two-sample test; and of these tests ``interval`` and
        ``held_out_interval``, 95 %.
    n : int
        Samples that were compared; of fidelity those of each set, at once.
    unit : str
        "%", "°", "σ" (training standard deviations of a band) or "".
    """

    name: str
    label: str
    value: float | None
    beside: Mapping[str, Any]
    n: int
    unit: str
    better: str
    note: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        table: MeasureTable,
        value: float | None,
        beside: Mapping[str, Any],
        n: int,
        few: str,
    ) -> "Measure":
        """The measure of that name, of shares in 0..1.

        Parameters
        ----------
        few : str
            The note where the value, or its floor, is not defined.
        """
        label, unit, better = table[name]
        scale = 100.0 if unit == "%" else 1.0
        value, *others = (_scaled(one, scale) for one in (value, *beside.values()))
        beside = dict(zip(beside, others, strict=True))
        note = few if value is None or beside.get("floor", value) is None else ""
        return cls(name, label, value, beside, n, unit, better, note)

    @property
    def floor(self) -> float | None:
        """Of fidelity, training against held-out, real both."""
        floor: float | None = self.beside["floor"]
        return floor

    def as_json(self) -> dict[str, object]:
        """A row of quality.json."""
        about = {"name": self.name, "label": self.label, "value": self.value, **self.beside}
        return {**about, "n": self.n, "unit": self.unit, "better": self.better, "note": self.note}


def _scaled(value: Any, scale: float) -> Any:
    if isinstance(value, tuple):
        return tuple(scale * end for end in value)
    return None if value is None or not np.isfinite(value) else float(scale * value)


@dataclass(frozen=True)
class Measures:
    """Measures in the order of their table.

    Attributes
    ----------
    notes : tuple of str
        Sentences on what was left out.
    classes : tuple of int or None
        Of fidelity, the ids that were compared.
    """

    measures: tuple[Measure, ...] = ()
    notes: tuple[str, ...] = ()
    classes: tuple[int, ...] | None = None

    def get(self, name: str) -> Measure | None:
        """The measure of that name, None where it was not taken."""
        return next((measure for measure in self.measures if measure.name == name), None)

    def __getitem__(self, name: str) -> Measure:
        return next(measure for measure in self.measures if measure.name == name)

    def as_json(self) -> dict[str, object]:
        """The entry in quality.json."""
        classes = {} if self.classes is None else {"classes": list(self.classes)}
        rows = [measure.as_json() for measure in self.measures]
        return {"measures": rows, **classes, "notes": list(self.notes)}


def note_of(why: str, classes: Iterable[int]) -> tuple[str, ...]:
    """The note on classes that were left out, where there are any."""
    ids = ", ".join(map(str, sorted(classes)))
    return (f"{why}: class {ids}",) if ids else ()


def average_rounds(
    table: MeasureTable, groups: Iterable[Sequence[Round]], few: str, *, every: bool = False
) -> tuple[Measure, ...]:
    """The measures of a table, in its order, each the mean over the rounds of the group that has
    it, beside its floor.

    Parameters
    ----------
    few : str
        The note where a number is not defined.
    every : bool
        It is not where any of its rounds lacks it, else where all do.
    """
    rounds_of = {name: rounds for rounds in groups for name in rounds[0][0]}

    def mean(values: Sequence[float | None]) -> float | None:
        numbers = [v for v in values if v is not None]
        enough = len(numbers) == len(values) if every else True
        return float(np.mean(numbers)) if numbers and enough else None

    measures = []
    for name in table:
        rounds = rounds_of.get(name, ())
        value = mean([values[name] for values, _, _ in rounds])
        floor = mean([floors[name] for _, floors, _ in rounds])
        n = rounds[0][2] if rounds else 0
        measures.append(Measure.of(name, table, value, {"floor": floor}, n, few))
    return tuple(measures)
