"""Samples as one file: .npz or MATLAB 5, with their provenance inside, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError
from hsiaug.files import file_errors, write_whole
from hsiaug.quality.synthesis import Synthesis
from hsiaug.samples import PatchSamples
from hsiaug.targets import check_folder_name, check_target

__all__ = ["ENDINGS", "check_folder", "made_folder", "sample_arrays", "save_samples"]

ENDINGS = (".npz", ".mat")
"""Of the files that samples are written to."""

MAT_LIMIT = 2**31 - 1
"""Bytes that one variable of a MATLAB 5 file can have."""


def check_folder(path: Path) -> None:
    """Raise InputError, before any work, unless ``path`` is a folder or can be made in one that exists."""
    check_folder_name(path)
    if (path.exists() and not path.is_dir()) or not path.parent.is_dir():
        raise InputError(
            f"--out {path} must be a folder, or a new name in a folder that exists",
            value="a file" if path.exists() else f"no folder {path.parent}",
            hint="Make the folder first, or name another one.",
        )


def made_folder(path: Path) -> Path:
    """Make a folder where there is none yet. Raises InputError where that is refused."""
    with file_errors(
        f"--out {path} must be a folder that can be written to", "Free some space, or name another folder."
    ):
        path.mkdir(exist_ok=True)
    return path


def sample_arrays(samples: PatchSamples, facts: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """What a file of samples holds, by name.

    x (n, B, p, p) float32 in scene units; y (n,) int64 class ids; synthetic (n,) bool; coords (n, 2) int32 row and
    column of the centre, -1 for synthetic samples; weight (n,) float32; class_names (C,) text; provenance: JSON
    text. The centre spectra are ``x[:, :, p // 2, p // 2]``.
    """
    return {
        "x": samples.x,
        "y": samples.y,
        "synthetic": samples.synthetic,
        "coords": samples.coords,
        "weight": samples.weight,
        "class_names": np.array(facts["class_names"]),
        "provenance": np.array(json.dumps(dict(facts), ensure_ascii=False, allow_nan=False)),
    }


def save_samples(path: Path, synthesis: Synthesis, *, with_real: bool) -> PatchSamples:
    """Write the synthetic samples, after the real training ones where asked for; returns what was written.

    ``numpy.load`` reads the .npz without pickle; the .mat has the same names, ``class_names`` a cell of text.
    Raises InputError for another ending, a folder that is not there, or samples too large for MATLAB 5.
    """
    check_target(path, ENDINGS)
    samples = synthesis.samples if with_real else synthesis.synthetic
    arrays = sample_arrays(samples, synthesis.provenance())
    if path.suffix.lower() == ".npz":
        write_whole(path, lambda fresh: np.savez_compressed(fresh, **arrays))  # type: ignore[arg-type]
        return samples
    if samples.x.nbytes > MAT_LIMIT:
        raise InputError(
            "a MATLAB 5 file holds arrays of less than 2 GB",
            value=f"{samples.x.nbytes / 2**30:.1f} GB of patches",
            hint="Use --out FILE.npz, a smaller --lambda or a smaller --patch.",
        )
    from scipy.io import savemat

    cells = np.array([str(name) for name in arrays["class_names"]], dtype=object)
    content = {**arrays, "class_names": cells, "provenance": str(arrays["provenance"])}
    write_whole(path, lambda fresh: savemat(fresh, content, do_compression=True))
    return samples
