"""Rows as pandas frames; pandas is an extra."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import InputError, install

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["frame_of"]


def frame_of(rows: Iterable[Any]) -> DataFrame:
    """A frame with a line for each row. Raises InputError where pandas is not installed."""
    try:
        from pandas import DataFrame
    except ImportError as lack:
        raise InputError(
            "frames need pandas", value="not installed", hint=f"{install('notebook', 'pandas')}, or use table()."
        ) from lack
    return DataFrame(list(rows))
