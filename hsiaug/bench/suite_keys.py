"""The keys of a suite; see docs/suites.md."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from hsiaug.base.errors import InputError
from hsiaug.bench.ranges import DIGITS, LONGEST, numbers, seeds
from hsiaug.data.cards import FileName
from hsiaug.trial.arm import BOTH

__all__ = ["Keys", "Profile", "RunKeys", "SuiteFile"]


def _listed(value: Any) -> Any:
    """A single entry is a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _numbers(value: Any, info: ValidationInfo) -> Any:
    """Numbers, and texts such as "0:1.5:0.25", as numbers."""
    try:
        parts = [numbers(str(info.field_name), v) if isinstance(v, str) else [v] for v in _listed(value)]
    except InputError as error:
        raise ValueError(str(error)) from error
    return tuple(number for part in parts for number in part)


def _draws(value: Any) -> Any:
    """5 or "5" for draws 0 to 4, "100-109", or a list of draws."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return _listed(value)
    try:
        return tuple(seeds(str(value), "seeds"))
    except InputError as error:
        raise ValueError(str(error)) from error


def _text(value: Any) -> Any:
    """A parameter's value as the text that ``set`` takes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str):
        raise ValueError(f"the value of a parameter must be a number, a text, true or false; found {value!r}")
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
Numbers = Annotated[tuple[float, ...], BeforeValidator(_numbers), Field(max_length=LONGEST)]
Draw = Annotated[int, Field(ge=0, lt=10**DIGITS)]
Draws = Annotated[tuple[Draw, ...], BeforeValidator(_draws), Field(min_length=1, max_length=LONGEST)]
Settings = dict[str, dict[str, Annotated[str, BeforeValidator(_text)]]]
Variants = Annotated[tuple[Settings, ...], BeforeValidator(_listed), Field(min_length=1)]


class _Table(BaseModel):
    """A table of a suite: unknown keys and silent conversions are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Keys(_Table):
    """Keys of a run, with the values that hold if neither it nor [defaults] gives any.

    Every key may stand in [defaults] and in a profile too, and replaces theirs whole.

    task: pixels, segmentation or change. view: spectral views, each of which every classifier is shown.
    scenes, protocols, set: every combination is a plan of its own. scenes: catalogue names, or cards (.toml)
        relative to the suite; the masks of a protocol ``fixed:FILE`` are relative to it too.
    set: {plugin: {parameter: value}}, or a list of such tables, whose arms then stand in one table of results.
    """

    task: str | None = None
    scenes: Names = ()
    generators: Names = ()
    classifiers: Names = ()
    view: Names = ()
    protocols: Annotated[tuple[str | None, ...], BeforeValidator(_listed), Field(min_length=1)] = (None,)
    lambdas: Annotated[Numbers, Field(min_length=1)] = (1.0,)
    omegas: Numbers = ()
    times: Numbers = ()
    train: Names = (BOTH,)
    seeds: Draws = tuple(range(5))
    buffer: str | None = None
    patch: int | None = None
    preset: str = "cpu"
    set: Variants = ({},)


class RunKeys(Keys):
    """A run. name: what ``only`` and the tables call it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Profile(Keys):
    """Keys that override those of every run. store: a folder for its records."""

    store: FileName | None = None


class SuiteFile(_Table):
    """A whole suite. Made by :func:`read_suite`, which turns what is wrong into an InputError."""

    title: str = ""
    store: FileName | None = None
    cluster: dict[str, str | int] = {}
    defaults: Keys = Keys()
    run: Annotated[tuple[RunKeys, ...], Field(min_length=1)]
    profiles: dict[str, Profile] = {}
