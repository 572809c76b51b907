"""The card of a scene of one's own from Python: what ``hsiaug datasets add`` does, with files or arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arguments import (
    Argument,
    checked,
    converted,
    number,
    optional,
    path,
    several,
    switch,
    text,
    whole,
)
from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.base.files import file_errors
from hsiaug.base.temporary_folders import temporary_folder
from hsiaug.data.adding import Added, ImportOptions
from hsiaug.data.adding import add_scene as add_files
from hsiaug.quality.maps import save_quick_look

LONGEST = 200
"""Bytes of a name: with what is appended for each file, systems take 255."""
SHEET = Argument(
    "a file or a numpy array of numbers, neither empty nor masked",
    lambda given: (
        np.asarray(given, dtype=_numeric(given)) if isinstance(given, np.ndarray) else path.convert(given)
    ),
)
TEXTS = Argument("a list of texts", lambda given: several(text, empty=True).convert(_listed(given)))
NUMBERS = optional(several(number))
OPTIONS = {
    "ignore": TEXTS,
    "scale": optional(number),
    "bad_bands": several(whole(), empty=True),
    "nodata": optional(Argument("a number", float)),
    **{name: optional(text) for name in ("cube_key", "labels_key", "axes", "field", "crs", "plots", "units")},
}


@checked(
    cube=SHEET,
    labels=SHEET,
    name=optional(text),
    classes=TEXTS,
    wavelengths=NUMBERS,
    folder=path,
    overwrite=switch,
)
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
    if name is not None and (name in ("", ".", "..") or set(name) & set("/\\\0") or len(name.encode()) > LONGEST):
        raise InputError(
            f"name must be the name of a file, without folders, of {LONGEST} bytes at most",
            value=repr(name),
            hint="Say where with folder.",
        )
    for unknown in options.keys() - OPTIONS.keys():
        raise InputError(
            "an option must be one of ImportOptions", value=repr(unknown), hint=did_you_mean(unknown, OPTIONS)
        )
    lists = {"classes": classes, "wavelengths": wavelengths, **converted(options, OPTIONS)}
    settled: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in lists.items()
    }
    asked = ImportOptions(name=name, overwrite=overwrite, **settled)
    where = Path(folder)
    arrays = {
        f"{name}_{part}.npy": given
        for part, given in (("cube", cube), ("classes", labels))
        if isinstance(given, np.ndarray)
    }
    for target in () if overwrite else [where / file for file in arrays if (where / file).exists()]:
        raise InputError(
            f"{target}, which is to be written, must not exist yet", value="a file", hint="Add overwrite=True."
        )
    with (
        file_errors(f"{where} must be a folder that can be written to", "Name another one."),
        ExitStack() as stack,
    ):
        fresh = stack.enter_context(temporary_folder(where, "scene")) if arrays else where
        for file, values in arrays.items():
            np.save(fresh / file, values)
        cube_file = fresh / f"{name}_cube.npy" if array else Path(cube)  # type: ignore[arg-type]
        label_file = Path(labels) if not isinstance(labels, np.ndarray) else fresh / f"{name}_classes.npy"
        out = where / f"{name or cube_file.stem}.toml"
        return add_files(cube_file, label_file, out, asked, save_quick_look, [fresh / file for file in arrays])


def _numeric(given: NDArray[Any]) -> np.dtype[Any]:
    if given.dtype.kind not in "biuf" or not given.size or np.ma.getmaskarray(given).any():
        raise TypeError
    return given.dtype


def _listed(given: Any) -> Any:
    if isinstance(given, str):
        raise TypeError
    return given
