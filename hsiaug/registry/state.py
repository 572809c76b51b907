"""Saving the state of a fitted plugin: arrays as safetensors, the rest as JSON. Never pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import StoreError
from hsiaug.base.shortages import blame_shortage


def save_state(
    folder: Path, arrays: Mapping[str, AnyArray], facts: Mapping[str, object] | None = None
) -> None:
    """Write named arrays and JSON-able facts into ``folder``."""
    from safetensors.numpy import save_file

    folder.mkdir(exist_ok=True)
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        folder / "state.safetensors",
    )
    (folder / "state.json").write_text(
        json.dumps(dict(facts or {}), ensure_ascii=False), encoding="utf-8"
    )


def load_state(folder: Path) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Load the state that :func:`save_state` wrote. Raises StoreError where it is missing or
    damaged.
    """
    from safetensors.numpy import load

    try:
        # By load_file it would be mapped: one that is cut meanwhile would end the process.
        return load((folder / "state.safetensors").read_bytes()), json.loads(
            (folder / "state.json").read_text("utf-8")
        )
    except Exception as error:
        blame_shortage(error, StoreError, str(folder))
        rule, hint = (
            f"{folder}: expected the saved state of a fitted plugin",
            "Delete this folder; it is made again.",
        )
        raise StoreError(rule, value=f"{type(error).__name__}: {error}", hint=hint) from error
