"""The keys of a suite, and what is said of those that are wrong; see docs/suites.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from hsiaug.bench.ranges import DIGITS, LONGEST, numbers, seeds
from hsiaug.data.cards import FileName
from hsiaug.errors import InputError, did_you_mean
from hsiaug.plugins.card import Preset

__all__ = ["Keys", "Profile", "RunKeys", "SuiteFile", "explain"]


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
    """A parameter's value as the text that ``--set`` takes."""
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
    """What a run may say; every key may stand in [defaults] and in a profile too, and replaces theirs whole.

    task: pixels, segmentation or change.
    scenes, protocols, set: every combination is a plan of its own. scenes: catalogue names, or cards (.toml)
        relative to the suite; the masks of a protocol ``fixed:FILE`` are relative to it too.
    set: {plugin: {parameter: value}}, or a list of such tables, whose arms then stand in one table of results.
    """

    task: str | None = None
    scenes: Names | None = None
    generators: Names | None = None
    classifiers: Names | None = None
    protocols: Names | None = None
    lambdas: Annotated[Numbers, Field(min_length=1)] | None = None
    omegas: Numbers | None = None
    seeds: Draws | None = None
    buffer: str | None = None
    patch: int | None = None
    preset: Preset | None = None
    set: Variants | None = None


class RunKeys(Keys):
    """A run. name: what ``--only`` and the tables call it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Profile(Keys):
    """What beats the keys of every run. store: a folder for its records."""

    store: FileName | None = None


class SuiteFile(_Table):
    """A whole suite. Made by :func:`read_suite`, which turns what is wrong into an InputError."""

    title: str = ""
    store: FileName | None = None
    cluster: dict[str, str | int] = {}
    defaults: Keys = Keys()
    run: Annotated[tuple[RunKeys, ...], Field(min_length=1)]
    profiles: dict[str, Profile] = {}


def explain(path: Path, table: dict[str, Any], cause: ValidationError) -> InputError:
    """One error for a suite that breaks the schema. table: what the file holds."""
    # A misspelt key first: it explains why another one is missing.
    errors = sorted(cause.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    first = errors[0]
    rest = f" The suite has {len(errors) - 1} more such errors." if len(errors) > 1 else ""
    key, value = _look_up(table, first["loc"])
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        return InputError(
            f"suite {path} must use known keys only",
            value=f"'{key}'",
            hint=did_you_mean(name, _known_keys(first["loc"])) + rest,
        )
    if first["type"] == "missing":
        return InputError(f"suite {path} must give '{key}'", hint=f"Add '{key}' to the suite.{rest}")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    if first["type"] == "value_error":
        return InputError(f"suite {path}, '{key}': {message}", hint=f"Correct '{key}' in the suite.{rest}")
    return InputError(
        f"suite {path}: '{key}' is not valid ({message[:1].lower()}{message[1:]})",
        value=repr(value),
        hint=f"Correct '{key}' in the suite.{rest}",
    )


def _look_up(table: dict[str, Any], loc: tuple[int | str, ...]) -> tuple[str, object]:
    """The dotted key of an error and the value there; runs go by their name where they have one."""
    key = ""
    value: Any = table
    for part in loc:
        if isinstance(value, dict) and isinstance(part, str):
            key, value = f"{key}.{part}" if key else part, value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
            name = value.get("name") if isinstance(value, dict) else None
            key = f"{key}[{name if isinstance(name, str) else part}]"
    return key, value


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand where the unknown one stands."""
    tables: dict[str, type[BaseModel]] = {"run": RunKeys, "defaults": Keys, "profiles": Profile}
    return list((SuiteFile if len(loc) == 1 else tables[str(loc[0])]).model_fields)
