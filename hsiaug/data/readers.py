"""Reading the arrays of a file, as lazily as its format allows, and refusing damaged files
clearly.
"""

import shlex
import warnings
import zipfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.data.bounds import check_array
from hsiaug.data.endings import ARRAYS, ENVI_DATA, HDF, IMAGES, PICTURES, TIFF
from hsiaug.data.products import read_product, refuse_labels
from hsiaug.data.products.enmap_desis import METADATA
from hsiaug.data.raw import RawArray, in_memory, reading
from hsiaug.data.readers_envi import find_envi, read_envi
from hsiaug.data.readers_image import read_image
from hsiaug.data.readers_mat import read_mat, read_mat_maps
from hsiaug.data.readers_tiff import read_tiff, read_tiff_band
from hsiaug.data.remedies import (
    HEIGHT,
    WIDTH,
    array_file,
    band_of_classes,
    python_command,
    saving,
)
from hsiaug.data.tables import TABLES, read_table_cube

PICKLE = b"\x80"
"""Beginning of a file of pickled Python objects, as of a masked array."""

MOST_SHOWN = 8
"""Arrays of a file that a message lists."""

CONVERSIONS = {
    **dict.fromkeys(
        (".jp2", ".vrt", ".asc", ".ers"),
        "Convert it: rio convert {path} {tif}, and name {tif}.",
    ),
    **dict.fromkeys((".xls", ".ods"), "Save the table as CSV, and name {stem}.csv."),
    **dict.fromkeys(
        (".jpg", ".jpeg", ".gif", ".webp"),
        "Such pictures do not keep numbers exactly: export the image as GeoTIFF or PNG.",
    ),
    **dict.fromkeys(
        (".pt", ".pth", ".pkl", ".pickle"),
        "Such files may run programs, and are not opened: save the array with numpy.save.",
    ),
}
"""What to do with files of these endings."""

WITHOUT_HEADER = (
    "Put its ENVI header beside it, {stem}.hdr: lines, samples, bands, data type, interleave, byte"
    " order."
)
"""What to do with a data file of ENVI alone."""

PACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
"""Modules of Python that unpack a single file, by its ending."""

ARCHIVES = {
    ".zip": "python -m zipfile -e {name} .",
    **dict.fromkeys((".tar", ".tgz"), "tar -xf {name}"),
}
"""How to unpack archives with these endings."""


def read_cube_file(path: Path, *, key: str | None = None, data: str | None = None) -> RawArray:
    """The three-dimensional numeric array in a .mat, .npy, ENVI or TIFF file.

    Parameters
    ----------
    key : str or None
        Its name in a .mat file.
    data : str or None
        Name of the data file beside an ENVI header.

    Raises
    ------
    SceneError
        Where the file is missing, of another kind, damaged, or holds no such array.
    """
    for endings, read in ((TIFF, read_tiff), (HDF, read_product), (TABLES, read_table_cube)):
        if path.suffix.lower() in endings:
            must_exist(path)
            return read(path)
    raw = _read(path, key, data, ndim=3)
    if raw.array.ndim != 3:
        raise _wrong_rank(path, "a cube has three axes", raw)
    return raw


def read_labels_array(path: Path, *, key: str | None = None, data: str | None = None) -> RawArray:
    """The two-dimensional numeric array in a .mat, .npy, ENVI or image file, in memory, and what
    the file says of it.

    Parameters
    ----------
    key : str or None
        Its name in a .mat file, or the number from 1 on or the description of a band of a TIFF
        or ENVI file.

    Raises
    ------
    SceneError
        As for cubes.
    """
    suffix = path.suffix.lower()
    if suffix in IMAGES:
        must_exist(path)
        raw = read_tiff_band(path, key) if suffix in TIFF else read_image(path)
    else:
        raw = _read(path, key if suffix == ".mat" else None, data, ndim=2)
        raw = raw if suffix in ARRAYS else _one_band(path, raw, key)
    array = raw.array
    if array.ndim == 3 and 1 in array.shape:
        array = np.squeeze(array, axis=array.shape.index(1) if array.shape[2] != 1 else 2)
    if array.ndim != 2:
        raise _wrong_rank(path, "a label map has two axes", raw)
    check_array(path, array.shape, 1, labels=True)
    return replace(raw, array=in_memory(array))


def read_label_file(path: Path) -> AnyArray:
    """The two-dimensional numeric array in a file, 0 where the file says that there is no data.

    Raises as :func:`read_labels_array`.
    """
    raw = read_labels_array(path)
    invalid = void_codes(raw)
    return np.where(invalid, raw.array.dtype.type(0), raw.array) if invalid.any() else raw.array


def void_codes(raw: RawArray, codes: Collection[int] = ()) -> NDArray[np.bool_]:
    """(H, W) cells of a label map that hold no code: no number, masked, or the file's value of no
    data.

    Parameters
    ----------
    codes : collection of int
        Codes that stand for a class whatever the file says.
    """
    invalid = np.zeros(raw.array.shape, dtype=bool) if raw.valid is None else ~raw.valid
    if raw.array.dtype.kind == "f":
        invalid |= np.isnan(raw.array)
    if raw.nodata is not None and raw.nodata not in codes:
        with np.errstate(over="ignore"):
            invalid |= raw.array == raw.nodata
    return invalid


def _one_band(path: Path, raw: RawArray, key: str | None) -> RawArray:
    """The band of an ENVI file that holds codes of classes, which have no scale; of several, a key
    names one.
    """
    bands = raw.array.shape[2]
    if key is None and bands > 1:
        return raw
    if key is not None and key not in map(str, range(1, bands + 1)):
        raise SceneError(
            f"{path}: `labels_key` must number a band",
            value=repr(key),
            hint=f"Say one of 1 to {bands}.",
        )
    if (raw.scale, raw.offset) not in ((None, 0.0), (1.0, 0.0)):
        hint = "Delete its gains, offsets or scale factor from the header."
        raise SceneError(
            f"{path}: codes of classes must have no scale", value=f"{raw.scale}"[:80], hint=hint
        )
    band = int(key or 1)
    return replace(raw, array=np.asarray(raw.array)[..., band - 1], band=band)


def read_picture_file(path: Path) -> AnyArray:
    """(H, W, B) of a .png or .bmp image of one or more channels. Raises SceneError where it is
    missing or damaged.
    """
    must_exist(path)
    array = read_image(path).array
    return array[:, :, None] if array.ndim == 2 else array


def read_maps(path: Path) -> dict[str, AnyArray]:
    """Every numeric array with two axes of a .mat, .npz or .npy file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to (H, W) array
        The arrays by name; that of an .npy is named "mask".

    Raises
    ------
    SceneError
        Where the file is damaged, holds Python objects, or is of another kind.
    """
    suffix = path.suffix.lower()
    with reading(path, suffix):
        if suffix == ".npy":
            arrays = {"mask": in_memory(_read_npy(path))}
        else:
            arrays = _read_npz(path) if suffix == ".npz" else read_mat_maps(path)
    return {
        name: array
        for name, array in arrays.items()
        if array.ndim == 2 and array.dtype.kind in "biuf"
    }


def _read_npz(path: Path) -> dict[str, AnyArray]:
    with zipfile.ZipFile(path) as file:
        for member in file.infolist():
            check_array(path, (member.file_size,), 1, labels=False, stored=member.compress_size)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}


def _read(path: Path, key: str | None, data: str | None, *, ndim: int) -> RawArray:
    suffix = path.suffix.lower()
    if suffix in ARRAYS:
        must_exist(path)
        raw = RawArray(read_mat(path, key, ndim=ndim) if suffix == ".mat" else _read_npy(path))
    elif pair := find_envi(path, data):
        raw = read_envi(*pair, labels=ndim == 2)
    else:
        must_exist(path)
        if command := _unpacking(path):
            hint = f"Unpack it, and name a file that was in it: {command}"
            raise SceneError(
                f"{path} must be unpacked first", value=f"a file ending in {suffix}", hint=hint
            )
        if METADATA.fullmatch(path.name):
            hint = "Name the GeoTIFF beside it, …-SPECTRAL_IMAGE.TIF: this file is read with it."
            raise SceneError(f"{path} must be an image", value="its metadata", hint=hint)
        if suffix == ".npz":
            raise _archive(path, ndim)
        if suffix in HDF:
            refuse_labels(path)
        kinds = ".mat, .npy or ENVI (.hdr), or " + (
            f"an image ({', '.join(IMAGES)})" if ndim == 2 else f"a GeoTIFF ({', '.join(TIFF)})"
        )
        rule = f"{path} must be {kinds}"
        if ndim == 3 and suffix in PICTURES:
            suffix = ".jp2"
        hint = CONVERSIONS.get(suffix, "Convert the file, or give it the extension of its format.")
        hint = WITHOUT_HEADER if suffix in ENVI_DATA else hint
        tif = shlex.quote(f"{path.stem}.tif")
        hint = hint.format(path=shlex.quote(str(path)), tif=tif, stem=path.stem)
        raise SceneError(
            rule, value=f"extension '{path.suffix}' and no ENVI header beside it", hint=hint
        )
    if raw.array.dtype.kind not in "iufb":
        words = raw.array.dtype.kind in "US" and suffix == ".npy"
        raise SceneError(
            f"{path} must hold plain numbers",
            value=f"dtype {raw.array.dtype}",
            hint=f"Number the words: {_numbered(path, '')}."
            if words
            else "Save the array as integers or floats.",
        )
    return raw


def _unpacking(path: Path) -> str:
    """The command that unpacks a file; "" where its ending is of none that is packed."""
    suffix = path.suffix.lower()
    if suffix in PACKED and Path(path.stem).suffix.lower() == ".tar":
        suffix = ".tar"
    if suffix in ARCHIVES:
        return ARCHIVES[suffix].format(name=shlex.quote(str(path)))
    if suffix not in PACKED:
        return ""
    module = PACKED[suffix]
    return python_command(
        f"import {module}, pathlib; packed = pathlib.Path({str(path)!r}).read_bytes();"
        f" pathlib.Path({path.stem!r}).write_bytes({module}.decompress(packed))"
    )


def _archive(path: Path, ndim: int) -> SceneError:
    """The error for an .npz, with how to save one of its arrays."""
    with reading(path, ".npz"), zipfile.ZipFile(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist()]
        shapes = {}
        for name in names[:MOST_SHOWN]:
            with file.open(f"{name}.npy") as member:
                shapes[name] = _npy_header(member)[0]
    fitting = [name for name, shape in shapes.items() if len(shape) == ndim]
    name = next(iter((*fitting, *shapes)), "")
    command = saving("", "", f"numpy.load({str(path)!r})[{name!r}]", array_file(path, name))
    listed = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes.items())
    return SceneError(
        f"{path} must be one array",
        value=f"an archive of the arrays {listed or 'none'}",
        hint=f"Save one of them: {command}" if name else "Name another file.",
    )


def must_exist(path: Path) -> None:
    """Raises SceneError, with near matches among its neighbours, where there is no such file."""
    try:
        if path.is_file():
            return
        neighbours = [neighbour.name for neighbour in path.parent.glob("*") if neighbour.is_file()]
    except (OSError, ValueError) as cause:  # a name that no file can have
        raise SceneError(
            f"{str(path)[:80]!r} must be the path of a file",
            value=str(cause),
            hint="Correct it.",
        ) from cause
    near = did_you_mean(path.name, neighbours)
    near = f" {near}" if near.startswith("Did you mean") else ""
    hint = (
        f"Put the file there, or correct 'file' in the card; paths are relative to the card.{near}"
    )
    raise SceneError(f"{path} must exist", hint=hint)


def _wrong_rank(path: Path, rule: str, raw: RawArray) -> SceneError:
    hint = (
        "Name the right file, or the right array of it: `cube_key` or `labels_key`, key in a card."
    )
    shape = raw.array.shape
    if path.suffix.lower() == ".npy":
        return SceneError(
            f"{path}: {rule}", value=f"shape {shape}", hint=_npy_remedy(path, rule, raw)
        )
    if shape[2:] and path.suffix.lower() not in (*ARRAYS, *PICTURES):
        hint = band_of_classes(raw.array)
    elif shape[2:] in ((3,), (4,)):
        hint = (
            "A picture in colours tells no classes: save their codes as one channel, with 0 for"
            " unlabelled."
        )
    return SceneError(f"{path}: {rule}", value=f"shape {shape}", hint=hint)


def _npy_remedy(path: Path, rule: str, raw: RawArray) -> str:
    """What to type for an array of another number of axes than are read."""
    shape = raw.array.shape
    axes = 3 if "three" in rule else 2
    code, text = (
        f"a.reshape({HEIGHT}, {WIDTH}, -1)",
        "If it holds a row for each pixel of each line",
    )
    if sum(length > 1 for length in shape) <= axes < len(shape):
        code, text = "a.squeeze()", "Leave out the axes of length 1"
    elif axes == 2 and len(shape) == 3:
        code = "(a.argmax(2) + 1) * a.any(2)"
        text = "If it has a layer for each class"
        if shape[0] < shape[2]:
            code = "(a.argmax(0) + 1) * a.any(0)"
    elif axes == 2 and len(shape) == 1:
        code, text = f"a.reshape({HEIGHT}, {WIDTH})", "If it holds the pixels of each line in turn"
    elif axes < len(shape):
        code, text = "a[0]", "Take one of the arrays in it"
    load = f"a = numpy.load({str(path)!r})"
    return f"{text}: {saving('', load, code, array_file(path, 'fit'))}"


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first axis changes fastest, and type of the array that begins here."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)


def _refuse_objects(path: Path) -> None:
    """Raise SceneError for an .npy file of Python objects, with the way to one of numbers."""
    with path.open("rb") as file:
        pickled = file.read(len(PICKLE)) == PICKLE
        if not pickled:
            file.seek(0)
            pickled = _npy_header(file)[2].hasobject
    if pickled:
        raise SceneError(
            f"{path} must hold plain numbers",
            value="Python objects, which may run programs and are not opened",
            hint=f"If you wrote that file: {_numbered(path, ', allow_pickle=True')}.",
        )


def _numbered(path: Path, how: str) -> str:
    """What to type for an array of objects or words: its numbers, or a code for each word."""
    load = (
        f"a = numpy.array(numpy.load({str(path)!r}{how}).tolist(), dtype=object);"
        " w = any(isinstance(v, str) for v in a.flat);"
        " n, c = numpy.unique(a.astype(str) if w else '', return_inverse=True);"
        " k = ~numpy.isin(n, ['', 'None', 'nan']); print(','.join(n[k]))"
    )
    code = "(k * k.cumsum())[c].reshape(a.shape) if w else a.astype(float)"
    return (
        f"{saving('', load, code, array_file(path, 'numbers'))}; names that it prints are those of"
        " `classes`"
    )


def _read_npy(path: Path) -> AnyArray:
    with reading(path, ".npy"), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a header that Python 2 wrote, which does not matter here
        _refuse_objects(path)
        # Pickled objects could run code, and are never loaded.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
