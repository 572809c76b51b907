"""Reading TOML that somebody else wrote: whatever is wrong with the file, or with its keys, becomes one clear error.

A card or a suite is a page or two of text. What is larger, deeper or longer than any of them is refused before it
takes memory and time, which TOML itself does not bound.
"""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from hsiaug.base.errors import HsiaugError, did_you_mean
from hsiaug.base.text import shortened

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    Model = TypeVar("Model", bound=BaseModel)

__all__ = ["read_toml", "validated"]

LARGEST = 4_000_000
"""Bytes of a file at most."""
DEEPEST = 16
"""Tables and lists inside each other at most."""
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
DEEP_KEY = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_PART}[ \t]*+\.[ \t]*+){{{DEEPEST},}}{_PART}[ \t]*+[=\]]")
"""A dotted key of so many parts, for which the parser takes memory by the square of their number."""
INTEGERS = range(-(2**63), 2**63)
"""Whole numbers that TOML has."""


def read_toml(path: Path, what: str, kind: type[HsiaugError]) -> dict[str, Any]:
    """The top table of a TOML file. what: what it is called in messages, as "card" or "suite".

    Raises FileNotFoundError where there is no such file, and otherwise ``kind``, naming the file and what is wrong.
    """
    text = _text(path, what, kind)
    if deep := DEEP_KEY.search(text):
        raise _too_deep(path, what, kind, shortened(deep[0], 60))
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise _too_deep(path, what, kind, None) from None
    except ValueError as cause:  # also a whole number of more digits than Python reads
        raise kind(
            f"{what} {path} must be a TOML file", value=cause, hint=f"Correct that line of the {what}."
        ) from cause
    _check(table, path, what, kind)
    return table


def _text(path: Path, what: str, kind: type[HsiaugError]) -> str:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            odd = "a folder" if stat.S_ISDIR(about.st_mode) else "a device or a pipe"
            raise kind(f"{what} {path} must be a file", value=odd, hint="Check the path.")
        if about.st_size > LARGEST:
            raise kind(
                f"{what} {path} must have at most {LARGEST // 1_000_000} MB",
                value=f"{about.st_size / 1e6:,.1f} MB",
                hint="Check that it is the right file.",
            )
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as cause:
        raise kind(f"{what} {path} must be a TOML file", value=cause, hint="Save it in UTF-8.") from cause
    except (OSError, ValueError) as cause:  # ValueError: a path with a zero byte
        found = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise kind(f"{what} {path} must be readable", value=found, hint="Check the path.") from cause


def _check(table: dict[str, Any], path: Path, what: str, kind: type[HsiaugError]) -> None:
    """Raise ``kind`` for content that the parser accepts although it is not TOML, or that is nested too deeply."""
    waiting: list[tuple[Any, int]] = [(table, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise _too_deep(path, what, kind, None)
        if isinstance(value, dict):
            waiting += ((entry, depth + 1) for entry in value.values())
        elif isinstance(value, list):
            waiting += ((entry, depth + 1) for entry in value)
        elif isinstance(value, int) and value not in INTEGERS:
            raise kind(
                f"{what} {path}: whole numbers lie between -2^63 and 2^63",
                value=f"one of about {value.bit_length() * 0.30103:.0f} digits",
                hint=f"Correct it in the {what}.",
            )


def _too_deep(path: Path, what: str, kind: type[HsiaugError], found: str | None) -> HsiaugError:
    return kind(
        f"{what} {path} must not have more than {DEEPEST} tables or lists inside each other",
        value=found,
        hint=f"Correct the {what}.",
    )


def validated(table: dict[str, Any], schema: type[Model], path: Path, what: str, kind: type[HsiaugError]) -> Model:
    """The model of a table of TOML. path, what: how errors name the file. Raises ``kind`` where it breaks the schema."""
    from pydantic import ValidationError

    try:
        # Validated as JSON because strict mode takes a list for a tuple only there.
        return schema.model_validate_json(json.dumps(table, default=str))
    except ValidationError as cause:
        raise _broken(table, schema, f"{what} {path}", what, kind, cause) from cause


def _broken(
    table: dict[str, Any],
    schema: type[BaseModel],
    file: str,
    what: str,
    kind: type[HsiaugError],
    cause: ValidationError,
) -> HsiaugError:
    """One error for all that is wrong: a misspelt key first, for it explains why another one is missing."""
    errors = sorted(cause.errors(include_url=False), key=lambda error: error["type"] != "extra_forbidden")
    first = errors[0]
    rest = f" The {what} has {len(errors) - 1} more such errors." if len(errors) > 1 else ""
    key, value = _look_up(table, first["loc"])
    if first["type"] == "extra_forbidden":
        hint = did_you_mean(str(first["loc"][-1]), _known_keys(first["loc"], schema))
        return kind(f"{file} must use known keys only", value=f"'{key}'", hint=hint + rest)
    if first["type"] == "missing":
        return kind(f"{file} must give '{key}'", hint=f"Add '{key}' to the {what}.{rest}")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    hint = f"Correct '{key}' in the {what}.{rest}" if key else f"Correct the {what}.{rest}"
    if first["type"] == "value_error":
        return kind(f"{file}: {f'[{key}] ' if key else ''}{message}", hint=hint)
    return kind(f"{file}: '{key}' is not valid ({message[:1].lower()}{message[1:]})", value=repr(value), hint=hint)


def _look_up(table: dict[str, Any], loc: tuple[int | str, ...]) -> tuple[str, object]:
    """The dotted key of an error, and the value there; tables of a list go by their name where they have one.

    pydantic appends type names to some locations.
    """
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


def _known_keys(loc: tuple[int | str, ...], schema: type[BaseModel]) -> list[str]:
    """The keys that may stand where the unknown one stands."""
    fields = schema.model_fields
    for part in loc[:-1]:
        if part in fields:
            fields = next(_models(fields[str(part)].annotation), schema).model_fields
    return list(fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models among the parts of a type, as of ``tuple[Model, ...]``."""
    if hasattr(annotation, "model_fields"):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
