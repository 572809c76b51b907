"""Reading a card from its TOML file; whatever is wrong with it becomes one SceneError."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import SceneError
from hsiaug.data.tomlfile import read_toml, validated

if TYPE_CHECKING:
    from hsiaug.data.cards import SceneCard
    from hsiaug.data.pair_cards import PairCard

__all__ = ["card_of", "pair_card_of", "read_card", "read_pair_card"]


def read_card(path: Path) -> SceneCard:
    """The card in a TOML file.

    Raises SceneError, naming the file, the key and the hint, where the file is missing, is not TOML,
    or breaks the schema.
    """
    return card_of(_read_toml(path), path)


def card_of(table: dict[str, Any], path: Path) -> SceneCard:
    """The card of a table of TOML; path: how errors name it. Raises SceneError where it breaks the schema."""
    from hsiaug.data.cards import SceneCard

    return validated(table, SceneCard, path, "card", SceneError)


def read_pair_card(path: Path) -> PairCard:
    """The card of a set of image–mask pairs in a TOML file. Raises as :func:`read_card` does."""
    return pair_card_of(_read_toml(path), path)


def pair_card_of(table: dict[str, Any], path: Path) -> PairCard:
    """The card of pairs of a table of TOML; path: how errors name it. Raises SceneError where it breaks the schema."""
    from hsiaug.data.pair_cards import PairCard

    return validated(table, PairCard, path, "card", SceneError)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path, "card", SceneError)
    except FileNotFoundError:
        raise SceneError(
            f"card {path} must exist", hint="Check the path, or see docs/scenes.md for how to write a card."
        ) from None
