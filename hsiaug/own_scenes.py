"""The card of a scene of one's own from Python: what ``hsiaug datasets add`` does, with files or
arrays.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from hsiaug.base.arguments import AnyPath, Argument, Switch, checked, optional, path, text
from hsiaug.base.errors import InputError, check_known
from hsiaug.base.files import file_errors
from hsiaug.base.temporary_folders import temporary_folder
from hsiaug.bench.ranges import codes, integers, words
from hsiaug.data.adding import Added, ImportOptions, import_options
from hsiaug.data.adding import add_scene as add_files
from hsiaug.data.data_arrays import is_data_array, plain_labels, unpacked
from hsiaug.data.loading import public_files
from hsiaug.quality.map_files import save_quick_look

MAX_NAME_BYTES = 200
"""Bytes of a name: with what is appended for each file, systems take 255."""


def _sheet(value: Any) -> Any:
    if is_data_array(value):
        _sheet(value.values)
        return value
    if not isinstance(value, np.ndarray):
        return path.convert(value)
    if value.dtype.kind not in "biuf" or not value.size or np.ma.getmaskarray(value).any():
        raise TypeError
    return np.asarray(value)


def _file_name(value: object) -> str:
    name = str(text.convert(value))
    if name in ("", ".", "..") or set(name) & set("/\\\0") or len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError
    return name


SHEET = Argument(
    "a file, a numpy array or an xarray.DataArray of numbers, neither empty nor masked", _sheet
)
NAME = Argument(
    f"the name of a file, without folders, of {MAX_NAME_BYTES} bytes at most", _file_name
)


def _plain(key: str, value: object) -> object:
    """The value of an option as lists and numbers: an array, or a text as the command line has
    it.
    """
    if isinstance(value, str) and key in OF_TEXTS:
        return OF_TEXTS[key](value)
    return value.tolist() if isinstance(value, np.ndarray) else value


OF_TEXTS: dict[str, Callable[[str], object]] = {
    "classes": words,
    "ignore": words,
    "bad_bands": lambda text: sorted(integers("`bad_bands`", text)),
    "unlabelled": codes,
}
"""Readers of options that are lists, and may be texts between commas."""


@checked
def add_scene(
    cube: Annotated[Any, SHEET],
    labels: Annotated[Any, SHEET],
    name: Annotated[str | None, optional(NAME)] = None,
    *,
    folder: AnyPath = ".",
    overwrite: Switch = False,
    **options: object,
) -> Added:
    """Add a scene of your own: check it, and write its card and a picture of it.

    It does what ``hsiaug datasets add`` does.

    Parameters
    ----------
    cube : str, path, ndarray or xarray.DataArray
        A file, or an array of shape (H, W, B). The band dimension of a DataArray is that of its
        coordinate ``wavelength`` (with the attribute ``units``, nm or µm), or the one called
        ``band``. Its attributes ``scale_factor``, ``add_offset`` and ``_FillValue`` are applied.
    labels : str, path, ndarray or xarray.DataArray
        A file, or integers of shape (H, W) with 0 = unlabelled. Labels with coordinates are matched
        by them.
    name : str, optional
        Name of the scene. Required for arrays; default for a file: its name.
    folder : str or path, default "."
        Folder for the card, the picture and, if you pass arrays, these.
    overwrite : bool, default False
        Whether to replace files of these names.
    **options
        Fields of :class:`hsiaug.data.adding.ImportOptions`, such as ``classes=["wheat", "rye"]`` in
        ascending order of their codes, ``wavelengths=centres`` in nm (numbers below 100 are taken
        as µm) or ``field="crop"``. Lists may be texts as on the command line: ``"wheat,rye"``,
        ``unlabelled="none"``.

    Returns
    -------
    Added
        ``scene`` is the scene. ``files`` begins with the card, whose path every function accepts
        instead of a name. ``facts`` and ``warnings`` describe the content of the files.

    Raises
    ------
    InputError, SceneError, DataUnavailableError
        If a file or an option is not valid. Nothing is written then.

    See Also
    --------
    load_scene : load a public scene or a card.

    Examples
    --------
    >>> import hsiaug
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = np.zeros((30, 40), dtype=int)
    >>> labels[:12, :15], labels[18:, 20:] = 1, 2
    >>> cube = rng.normal(0.3, 0.02, (30, 40, 20)) + 0.1 * labels[..., None]
    >>> added = hsiaug.add_scene(cube, labels, "farm", classes=["wheat", "rye"])
    >>> added.files[0].name
    'farm.toml'
    >>> added.scene.class_names
    ('wheat', 'rye')
    """
    notes = tuple[str, ...]()
    if is_data_array(cube):
        cube, labels, options, notes = unpacked(cube, labels, options)
    elif is_data_array(labels):
        labels = plain_labels(labels, options.get("unlabelled"))
    sources = {"cube": cube, "classes": labels}
    arrays = {
        f"{name}_{role}.npy": source
        for role, source in sources.items()
        if isinstance(source, np.ndarray)
    }
    if arrays and name is None:
        raise InputError("an array needs a name", value="name=None", hint='For example "farm".')
    for option in options:
        check_known(
            "an option must be one of ImportOptions",
            option,
            [field.name for field in fields(ImportOptions)],
        )
    plain = {key: _plain(key, value) for key, value in options.items()}
    import_settings = import_options({"name": name, "overwrite": overwrite, **plain})
    where = Path(folder)
    for target in () if overwrite else [where / file for file in arrays if (where / file).exists()]:
        raise InputError(
            f"{target}, which is to be written, must not exist yet",
            value="a file",
            hint="Add overwrite=True.",
        )
    with (
        file_errors(f"{where} must be a folder that can be written to", "Name another one."),
        ExitStack() as stack,
    ):
        if arrays:
            where.mkdir(parents=True, exist_ok=True)
        fresh = stack.enter_context(temporary_folder(where, "scene")) if arrays else where
        for file, values in arrays.items():
            np.save(fresh / file, values)
        files = [
            fresh / f"{name}_{role}.npy" if isinstance(source, np.ndarray) else Path(source)
            for role, source in sources.items()
        ]
        out = where / f"{name or files[0].stem}.toml"
        if known := public_files(*files):
            scene = known.card.name
            notes += (f"{known.sentence}: as '{scene}' it comes with all that is known of it",)
        added = add_files(
            files[0],
            files[1],
            out,
            import_settings,
            save_quick_look,
            [fresh / file for file in arrays],
        )
        return replace(added, warnings=(*notes, *added.warnings))
