"""The card of a scene of one's own from Python: what ``hsiaug datasets add`` does, with files or arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.adding import Added, ImportOptions
from hsiaug.data.adding import add_scene as add_files
from hsiaug.errors import InputError
from hsiaug.files import write_whole
from hsiaug.quality.maps import save_quick_look

__all__ = ["Added", "add_scene"]


def add_scene(
    cube: str | os.PathLike[str] | NDArray[Any],
    labels: str | os.PathLike[str] | NDArray[Any],
    name: str | None = None,
    *,
    classes: Sequence[str] = (),
    wavelengths: Sequence[float] | NDArray[Any] | None = None,
    folder: str | os.PathLike[str] = ".",
    overwrite: bool = False,
    **options: Any,
) -> Added:
    """Look at a scene, write its card ``folder``/``name``.toml and its picture, and give back what was found.

    cube: a file, or (H, W, B) numbers. labels: a file, or (H, W) integers with 0 = unlabelled. Arrays are written beside
    the card first. classes: names in ascending order of their codes. wavelengths: (B,) band centres in nm, for a cube
    that is an array. overwrite: files of these names may be replaced. options: further ones of
    :class:`hsiaug.data.adding.ImportOptions`, as ``units="radiance"`` or ``field="crop"``.

    ``scene`` of what it gives is the scene, ``files`` begin with the card, which every function takes in place of a name.
    Raises InputError, SceneError or DataUnavailableError where something is wrong; then nothing is left behind.
    """
    array = isinstance(cube, np.ndarray)
    if (array and name is None) or (wavelengths is not None and not array):
        raise InputError(
            "an array needs a name, and wavelengths are for arrays: files tell theirs",
            value=f"name={name!r}, wavelengths {'given' if wavelengths is not None else 'not given'}",
            hint='For example add_scene(cube, labels, "farm", wavelengths=centres).',
        )
    centres = None if wavelengths is None else tuple(float(nm) for nm in wavelengths)
    asked = ImportOptions(name=name, classes=tuple(classes), wavelengths=centres, overwrite=overwrite, **options)
    with ExitStack() as undo:
        cube_file = _file(cube, Path(folder) / f"{name}_cube.npy", overwrite, undo)
        label_file = _file(labels, Path(folder) / f"{name}_classes.npy", overwrite, undo)
        out = Path(folder) / f"{name or cube_file.stem}.toml"
        added = add_files(cube_file, label_file, out, asked, save_quick_look)
        undo.pop_all()
    return added


def _file(given: str | os.PathLike[str] | NDArray[Any], target: Path, overwrite: bool, undo: ExitStack) -> Path:
    """A file as it is, or the one that an array is written to."""
    if not isinstance(given, np.ndarray):
        return Path(given)
    if target.exists() and not overwrite:
        raise InputError(
            f"{target}, which is to be written, must not exist yet", value="a file", hint="Add overwrite=True."
        )
    if not target.exists():
        undo.callback(target.unlink, missing_ok=True)
    write_whole(target, lambda fresh: np.save(fresh, given))
    return target
