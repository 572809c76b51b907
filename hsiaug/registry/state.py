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
    """Write the state of a fitted plugin: ``state.safetensors`` and ``state.json``.

    Parameters
    ----------
    folder : Path
        Is made where it is not there.
    arrays : mapping of str to array
        Arrays of any shape and numeric dtype, by name.
    facts : mapping of str to object or None
        What else there is, as JSON can hold it.
    """
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
    """Load the state that :func:`save_state` wrote.

    Parameters
    ----------
    folder : Path
        The folder that was written.

    Returns
    -------
    arrays : dict of str to array
        The arrays by name.
    facts : dict of str to object
        What else was saved.

    Raises
    ------
    StoreError
        Where the state is missing or damaged.
    """
    from safetensors.numpy import load

    try:
        # By load_file it would be mapped: one that is cut meanwhile would end the process.
        arrays = load((folder / "state.safetensors").read_bytes())
        facts = json.loads((folder / "state.json").read_text("utf-8"))
        return arrays, facts
    except Exception as error:
        blame_shortage(error, StoreError, str(folder))
        raise StoreError(
            f"{folder}: expected the saved state of a fitted plugin",
            value=f"{type(error).__name__}: {error}",
            hint="Delete this folder; it is made again.",
        ) from error
