"""Saving the state of a fitted plugin: arrays as safetensors, the rest as JSON. Never pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import StoreError, blame_shortage


def save_state(
    folder: Path, arrays: Mapping[str, AnyArray], facts: Mapping[str, object] | None = None
) -> None:
    """Write the state of a fitted plugin: ``state.safetensors`` and ``state.json``.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    arrays : mapping of str to array
        Arrays of any shape and numeric dtype, by name.
    facts : mapping of str to object or None
        Everything else, as JSON.

    See Also
    --------
    load_state : reads it.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from hsiaug.api import save_state
    >>> save_state(Path("state"), {"mean": np.zeros(20)}, {"steps": 100})
    >>> sorted(path.name for path in Path("state").iterdir())
    ['state.json', 'state.safetensors']
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
        Everything else.

    Raises
    ------
    StoreError
        If the state is missing or damaged.

    See Also
    --------
    save_state : writes a state.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from hsiaug.api import load_state, save_state
    >>> save_state(Path("state"), {"mean": np.zeros(20)}, {"steps": 100})
    >>> arrays, facts = load_state(Path("state"))
    >>> arrays["mean"].shape, facts["steps"]
    ((20,), 100)
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
