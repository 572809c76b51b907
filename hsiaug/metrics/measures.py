"""A measure of synthetic samples, and what real ones reach in their place."""

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
"""Values of synthetic samples and of held-out ones in a random subset, and how many of each set
were compared.
"""


@dataclass(frozen=True)
class Measure:
    """One number of synthetic samples; shares in %.

    Attributes
    ----------
    value : float or None
        None where it is not defined.
    held_out : float or None
        The same of real held-out samples: what a perfect generator reaches.
    n : int
        Samples that were compared; of fidelity those of each set.
    unit : str
        "%", "°" or "".
    training : float or None
        The same of real training samples, where it was taken.
    permuted : float or None
        The same with the labels, or masks, of other samples, where it was taken.
    interval : (float, float) or None
        95 %, of samples or tiles that are drawn with replacement.
    note : str
        Why it is not defined.
    """

    name: str
    label: str
    value: float | None
    held_out: float | None
    n: int
    unit: str
    better: str
    training: float | None = None
    permuted: float | None = None
    interval: tuple[float, float] | None = None
    note: str = ""

    @classmethod
    def of(
        cls,
        table: MeasureTable,
        name: str,
        value: float | None,
        held_out: float | None,
        n: int,
        *,
        training: float | None = None,
        permuted: float | None = None,
        interval: tuple[float, float] | None = None,
        few: str = "too few samples",
    ) -> "Measure":
        """The measure of that name of a table, from shares in 0..1.

        Parameters
        ----------
        few : str
            The note where the value, or that of held-out samples, is not defined.
        """
        label, unit, better = table[name]
        scale = 100.0 if unit == "%" else 1.0

        def scaled(number: float | None) -> float | None:
            return None if number is None or not np.isfinite(number) else float(scale * number)

        return cls(
            name=name,
            label=label,
            value=scaled(value),
            held_out=scaled(held_out),
            n=n,
            unit=unit,
            better=better,
            training=scaled(training),
            permuted=scaled(permuted),
            interval=interval and (scale * interval[0], scale * interval[1]),
            note=few if None in (scaled(value), scaled(held_out)) else "",
        )


@dataclass(frozen=True)
class Measures:
    """Measures in the order of their table.

    Attributes
    ----------
    notes : tuple of str
        Sentences on what was left out.
    classes : tuple of int or None
        The ids that were compared, where only some were.
    """

    measures: tuple[Measure, ...] = ()
    notes: tuple[str, ...] = ()
    classes: tuple[int, ...] | None = None

    def get(self, name: str) -> Measure | None:
        """The measure of that name, None where it was not taken."""
        return next((measure for measure in self.measures if measure.name == name), None)

    def __getitem__(self, name: str) -> Measure:
        return next(measure for measure in self.measures if measure.name == name)

    def as_json(self) -> dict[str, Any]:
        """The entry in quality.json."""
        classes = {} if self.classes is None else {"classes": list(self.classes)}
        rows = [vars(measure) for measure in self.measures]
        return {"measures": rows, **classes, "notes": list(self.notes)}


def note_of(why: str, classes: Iterable[int]) -> tuple[str, ...]:
    """The note on classes that were left out, where there are any."""
    ids = ", ".join(map(str, sorted(classes)))
    return (f"{why}: class {ids}",) if ids else ()


def average_rounds(
    table: MeasureTable, rounds: Sequence[Round], few: str = "too few samples"
) -> tuple[Measure, ...]:
    """The measures of a table that rounds have, each the mean over the rounds that define it; all
    of the table, undefined, where there is no round.

    Parameters
    ----------
    few : str
        The note where a number is not defined.
    """

    def mean(values: Iterable[float | None]) -> float | None:
        numbers = [value for value in values if value is not None]
        return float(np.mean(numbers)) if numbers else None

    names = rounds[0][0] if rounds else table
    n = rounds[0][2] if rounds else 0
    return tuple(
        Measure.of(
            table,
            name,
            mean(values.get(name) for values, _, _ in rounds),
            mean(held_out.get(name) for _, held_out, _ in rounds),
            n,
            few=few,
        )
        for name in table
        if name in names
    )
