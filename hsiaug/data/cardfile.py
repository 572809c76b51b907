"""Reading a card from its TOML file; whatever is wrong with it becomes one SceneError."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hsiaug.data.tomlfile import read_toml
from hsiaug.errors import SceneError, did_you_mean

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from hsiaug.data.cards import CardTable, SceneCard
    from hsiaug.data.pair_cards import PairCard

__all__ = ["read_card", "read_pair_card", "validated"]

Model = TypeVar("Model", bound="CardTable")


def read_card(path: Path) -> SceneCard:
    """The card in a TOML file.

    Raises SceneError, naming the file, the key and the hint, where the file is missing, is not TOML,
    or breaks the schema.
    """
    from hsiaug.data.cards import SceneCard

    return validated(path, _read_toml(path), SceneCard)


def read_pair_card(path: Path) -> PairCard:
    """The card of a set of image–mask pairs in a TOML file. Raises as :func:`read_card` does."""
    from hsiaug.data.pair_cards import PairCard

    return validated(path, _read_toml(path), PairCard)


def validated(path: Path, table: dict[str, Any], schema: type[Model]) -> Model:
    """The card of a table of TOML; path: how errors name it. Raises SceneError where it breaks the schema."""
    from pydantic import ValidationError

    try:
        # Validated as JSON because strict mode takes a list for a tuple only there.
        return schema.model_validate_json(json.dumps(table, default=str))
    except ValidationError as cause:
        raise _explain(path, table, cause, schema) from cause


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path, "card", SceneError)
    except FileNotFoundError:
        raise SceneError(
            f"card {path} must exist", hint="Check the path, or see docs/scenes.md for how to write a card."
        ) from None


def _explain(path: Path, table: dict[str, Any], cause: ValidationError, schema: type[CardTable]) -> SceneError:
    errors = cause.errors(include_url=False)
    first = errors[0]
    rest = f" The card has {len(errors) - 1} more such errors." if len(errors) > 1 else ""
    key, value = _look_up(table, first["loc"])
    if first["type"] == "extra_forbidden":
        hint = did_you_mean(key.rpartition(".")[2], _known_keys(first["loc"], schema))
        return SceneError(f"card {path} must use known keys only", value=f"'{key}'", hint=hint + rest)
    if first["type"] == "missing":
        return SceneError(f"card {path} must give '{key}'", hint=f"Add '{key}' to the card.{rest}")
    if first["type"] == "value_error":
        where = f"[{key}] " if key else ""
        return SceneError(f"card {path}: {where}{_sentence(first)}", hint=f"Correct the card.{rest}")
    return SceneError(
        f"card {path}: '{key}' is not valid ({_sentence(first)})",
        value=_short(value),
        hint=f"Correct '{key}' in the card.{rest}",
    )


def _look_up(table: dict[str, Any], loc: tuple[int | str, ...]) -> tuple[str, object]:
    """The dotted key of an error, and the value there; pydantic appends type names to some locations."""
    key, value = "", table
    for part in loc:
        if isinstance(value, dict) and isinstance(part, str):
            key, value = f"{key}.{part}" if key else part, value.get(part, {})
        elif isinstance(value, list) and isinstance(part, int):
            key, value = f"{key}[{part}]", value[part]
    return key, value


def _known_keys(loc: tuple[int | str, ...], schema: type[CardTable]) -> list[str]:
    fields = schema.model_fields
    for part in loc[:-1]:
        fields = getattr(fields[str(part)].annotation, "model_fields", fields)
    return list(fields)


def _sentence(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
