"""Claims and tables that a suite declares, as its paper states them: values of arms by name.

A suite names its arms once, and claims and tables speak of them by these names. A value is a metric
of a record, as ``oa``, or a measure of samples behind ``quality.``, as ``quality.sad``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

QUALITY = "quality."
"""What the name of a measure of samples begins with."""


def is_measure(value: str) -> bool:
    """Whether a value is a measure of samples, and no metric of records."""
    return value.startswith(QUALITY)


Listed = BeforeValidator(
    lambda value: tuple(value) if isinstance(value, list | tuple) else (value,)
)
"""A single entry is a list of one."""
Texts = Annotated[tuple[str, ...], Listed]
Axis = Literal["lambda", "omega"]


class _Declared(BaseModel):
    """A frozen table of a suite's file, of known keys alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ClaimedDifference(_Declared):
    """Differences that a claim says are there, over the draws that all their arms have.

    Attributes
    ----------
    arm : str
        The arm that gains.
    over : tuple of str
        Arms that it is compared with, a row each; without any, every measure is compared with the
        value that held-out real samples have, or chance.
    rises, falls : tuple of str
        Values that are larger, or smaller, than those of ``over``.
    matches : tuple of str
        Values that are not larger.
    sweep : {"lambda", "omega"} or None
        The arm stands for several values of this; the claim is that one between the smallest and
        the largest is best. Without ``over`` the smallest is what the best is compared with.
    more_than : tuple of str
        Two arms, whose difference the one of ``arm`` and ``over`` exceeds.
    """

    arm: str
    over: Texts = ()
    rises: Texts = ()
    falls: Texts = ()
    matches: Texts = ()
    sweep: Axis | None = None
    more_than: tuple[str, str] | None = None

    @model_validator(mode="after")
    def _check(self) -> "ClaimedDifference":
        values = self.values
        if not values:
            raise ValueError("a difference must name values under rises, falls or matches")
        if self.sweep and (len(values) > 1 or not self.rises or len(self.over) > 1):
            raise ValueError("a sweep must name one value under rises, and one arm under over")
        if not self.over and not self.sweep:
            recorded = [name for name in values if not is_measure(name)]
            if recorded:
                raise ValueError(f"a difference of {recorded[0]} must name arms under over")
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """All values that are compared."""
        return (*self.rises, *self.falls, *self.matches)

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms."""
        return (self.arm, *self.over, *(self.more_than or ()))


class Claim(_Declared):
    """A claim of a paper.

    Attributes
    ----------
    says : str
        The claim in a sentence, without its full stop.
    """

    name: str
    says: str
    differences: Annotated[tuple[ClaimedDifference, ...], Field(min_length=1)]


class TableColumn(_Declared):
    """A column of a table.

    Attributes
    ----------
    value : str
        What it shows.
    """

    title: str
    value: str


class TableRow(_Declared):
    """A row of a table, for each scene and protocol that its arm was run on."""

    title: str
    arm: str


class DeclaredTable(_Declared):
    """A table of a paper."""

    name: str
    title: str
    columns: Annotated[tuple[TableColumn, ...], Field(min_length=1)]
    rows: Annotated[tuple[TableRow, ...], Field(min_length=1)]


class TableSetting(NamedTuple):
    """Data and protocol that arms are compared on."""

    scene: str
    protocol: str


class ArmTrial(NamedTuple):
    """A planned trial of an arm.

    Attributes
    ----------
    hash : str
        Of its record.
    samples : str
        Of the synthetic samples that its classifier learns from; empty where there are none.
    """

    hash: str
    samples: str
    lam: float
    omega: float | None

    def place(self, axis: Axis) -> float | None:
        """Its λ or ω."""
        return self.lam if axis == "lambda" else self.omega


ArmTrials = Mapping[TableSetting, Mapping[int, tuple[ArmTrial, ...]]]
"""The trials of an arm by setting and draw; several of a draw where the arm is swept."""


@dataclass(frozen=True)
class DeclaredTables:
    """All that a suite declares, with the trials of its arms.

    Attributes
    ----------
    options : str
        What to type for the suite: ``--suite NAME``, with its profile and its data.
    """

    options: str
    title: str
    claims: tuple[Claim, ...] = ()
    tables: tuple[DeclaredTable, ...] = ()
    arms: Mapping[str, ArmTrials] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.claims or self.tables)

    @property
    def measured_arms(self) -> dict[str, tuple[str, ...]]:
        """The measures of samples that are asked of arms, by the arm's name."""
        return asked_values(self.claims, self.tables, measures=True)

    @property
    def scored_arms(self) -> dict[str, tuple[str, ...]]:
        """The metrics of records that are asked of arms, by the arm's name."""
        return asked_values(self.claims, self.tables, measures=False)

    def trials(self, arm: str) -> Iterator[ArmTrial]:
        """The trials of an arm on all settings and draws."""
        for draws in self.arms.get(arm, {}).values():
            for trials in draws.values():
                yield from trials


def asked_values(
    claims: tuple[Claim, ...], tables: tuple[DeclaredTable, ...], *, measures: bool
) -> dict[str, tuple[str, ...]]:
    """What is asked of each arm, by its name: measures of samples, or metrics of records."""
    values_of_arm: dict[str, dict[str, None]] = {}
    pairs = [
        (arm, value)
        for claim in claims
        for difference in claim.differences
        for arm in difference.arms
        for value in difference.values
    ]
    pairs += [
        (row.arm, column.value)
        for table in tables
        for row in table.rows
        for column in table.columns
    ]
    for arm, value in pairs:
        if is_measure(value) == measures:
            values_of_arm.setdefault(arm, {})[value.removeprefix(QUALITY)] = None
    return {arm: tuple(values) for arm, values in values_of_arm.items()}
