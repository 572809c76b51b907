"""What quality.json holds, as far as the page shows it. The file is read from a folder that anybody may have edited."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

__all__ = ["QualityFile"]


def _text(value: object) -> object:
    """A number where a text belongs is one, as n = 12; nothing else is."""
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[float, Field(strict=True)]


class Named(BaseModel):
    name: Text | None = None
    argument: Text | None = None


class Provenance(BaseModel):
    generator: Named | None = None
    scene: Named | None = None
    protocol: Named | None = None
    seed: Text | None = None
    lam: Number | None = Field(default=None, alias="lambda")
    omega: Number | None = None


class Measure(BaseModel):
    label: Text | None = None
    name: Text | None = None
    value: Number | None = None
    floor: Number | None = None
    unit: Text | None = None
    better: Text | None = None
    n: Text | None = None
    note: Text | None = None


class Score(BaseModel):
    label: Text | None = None
    name: Text | None = None
    value: Number | None = None
    ceiling: Number | None = None
    floor: Number | None = None
    unit: Text | None = None
    r: Number | None = None
    wrong: Number | None = None
    wrong_interval: tuple[Number, Number] | None = None


class Part(BaseModel):
    measures: tuple[Measure, ...] | None = None
    scores: tuple[Score, ...] | None = None
    notes: tuple[Text, ...] | None = None


class QualityFile(BaseModel):
    """The whole file. format: that of this version."""

    format: Literal[1]
    provenance: Provenance | None = None
    verdict: tuple[Text, ...] | None = None
    fidelity: Part | None = None
    reliability: Part | None = None
