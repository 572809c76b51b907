"""Reading the arrays of a file, as lazily as its format allows, and refusing damaged files clearly."""

import warnings
import zipfile
from pathlib import Path

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError, did_you_mean, need
from hsiaug.core.scene import row_parts
from hsiaug.data.bounds import check_array, empty_cube
from hsiaug.data.georeference import geo_installed, open_geotiff, quiet
from hsiaug.data.raw import RawArray, in_memory, reading
from hsiaug.data.readers_envi import find_envi, read_envi
from hsiaug.data.readers_mat import read_mat, read_mat_maps

GEOTIFF = (".tif", ".tiff")
GEOTIFF_VALUES = 2**25
"""Read at a time: many rows, as each of a tiled file is unpacked with its neighbours."""
IMAGES = {".tif": ("TIFF",), ".tiff": ("TIFF",), ".png": ("PNG",), ".bmp": ("BMP",)}
"""The one format that is read under each ending."""


def read_cube_file(path: Path, *, key: str | None = None, data: str | None = None) -> RawArray:
    """The three-dimensional numeric array in a .mat, .npy, ENVI or GeoTIFF file.

    key: its name in a .mat file; data: name of the data file beside an ENVI header. A GeoTIFF needs the extra ``geo``.

    Raises SceneError where the file is missing, of another kind, damaged, or holds no such array.
    """
    if path.suffix.lower() in GEOTIFF:
        must_exist(path)
        return _read_geotiff(path)
    raw = _read(path, key, data, ndim=3)
    if raw.array.ndim != 3:
        raise _wrong_rank(path, "a cube has three axes", raw)
    return raw


def read_label_file(path: Path, *, key: str | None = None, data: str | None = None) -> AnyArray:
    """The two-dimensional numeric array in a .mat, .npy, ENVI or image file. Raises as for cubes."""
    if path.suffix.lower() in IMAGES:
        must_exist(path)
        try:
            raw = RawArray(_read_image(path))
        except SceneError:
            if path.suffix.lower() not in GEOTIFF or not geo_installed():
                raise
            # A TIFF of numbers that no picture has.
            raw = _read_geotiff(path)
            check_array(path, raw.array.shape, 1, labels=True)
    else:
        raw = _read(path, key, data, ndim=2)
    array = raw.array
    if array.ndim == 3 and 1 in array.shape:
        array = np.squeeze(array, axis=array.shape.index(1) if array.shape[2] != 1 else 2)
    if array.ndim != 2:
        raise _wrong_rank(path, "a label map has two axes", raw)
    check_array(path, array.shape, 1, labels=True)
    return in_memory(array)


def read_picture_file(path: Path) -> AnyArray:
    """(H, W, B) of a .png or .bmp image of one or more channels. Raises SceneError where it is missing or damaged."""
    must_exist(path)
    array = _read_image(path)
    return array[:, :, None] if array.ndim == 2 else array


def read_maps(path: Path) -> dict[str, AnyArray]:
    """Every numeric array with two axes of a .mat, .npz or .npy file; that of an .npy is named "mask".

    Raises SceneError where the file is damaged, holds Python objects, or is of another kind.
    """
    suffix = path.suffix.lower()
    with reading(path, suffix):
        if suffix == ".npy":
            arrays = {"mask": in_memory(_read_npy(path))}
        else:
            arrays = _read_npz(path) if suffix == ".npz" else read_mat_maps(path)
    return {name: array for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "biuf"}


def _read_npz(path: Path) -> dict[str, AnyArray]:
    with zipfile.ZipFile(path) as file:
        for member in file.infolist():
            check_array(path, (member.file_size,), 1, labels=False, stored=member.compress_size)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}


def _read(path: Path, key: str | None, data: str | None, *, ndim: int) -> RawArray:
    suffix = path.suffix.lower()
    if suffix in (".mat", ".npy"):
        must_exist(path)
        raw = RawArray(read_mat(path, key, ndim=ndim) if suffix == ".mat" else _read_npy(path))
    elif pair := find_envi(path, data):
        raw = read_envi(*pair)
    else:
        must_exist(path)
        kinds = ".mat, .npy or ENVI (.hdr), or " + (
            f"an image ({', '.join(IMAGES)})" if ndim == 2 else f"a GeoTIFF ({', '.join(GEOTIFF)})"
        )
        rule, hint = f"{path} must be {kinds}", "Convert the file, or give it the extension of its format."
        raise SceneError(rule, value=f"extension '{path.suffix}' and no ENVI header beside it", hint=hint)
    if raw.array.dtype.kind not in "iufb":
        rule, hint = f"{path} must hold plain numbers", "Save the array as integers or floats."
        raise SceneError(rule, value=f"dtype {raw.array.dtype}", hint=hint)
    return raw


def must_exist(path: Path) -> None:
    """Raises SceneError, with near matches among its neighbours, where there is no such file."""
    try:
        if path.is_file():
            return
        neighbours = [other.name for other in path.parent.glob("*") if other.is_file()]
    except (OSError, ValueError) as cause:  # a name that no file can have
        rule, hint = f"{str(path)[:80]!r} must be the path of a file", "Correct it."
        raise SceneError(rule, value=str(cause), hint=hint) from cause
    near = did_you_mean(path.name, neighbours)
    near = f" {near}" if near.startswith("Did you mean") else ""
    hint = f"Put the file there, or correct 'file' in the card; paths are relative to the card.{near}"
    raise SceneError(f"{path} must exist", hint=hint)


def _wrong_rank(path: Path, rule: str, raw: RawArray) -> SceneError:
    hint = "Name the right file, or the right array of it: `cube_key` or `labels_key`, key in a card."
    if raw.array.shape[2:] in ((3,), (4,)):
        hint = "A picture in colours tells no classes: save their codes as one channel, with 0 for unlabelled."
    return SceneError(f"{path}: {rule}", value=f"shape {raw.array.shape}", hint=hint)


def _read_npy(path: Path) -> AnyArray:
    with reading(path, ".npy"), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a header that Python 2 wrote, which does not matter here
        # Pickled objects could run code, and are never loaded.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _read_image(path: Path) -> AnyArray:
    from PIL import Image

    suffix = path.suffix.lower()
    with reading(path, suffix), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata, which does not matter here
        # Whatever the name says, the content could be of any other format, some of which start other programs.
        # By its name it would be mapped.
        with path.open("rb") as file, Image.open(file, formats=IMAGES[suffix]) as image:
            check_array(path, (image.height, image.width), len(image.getbands()), labels=True)
            return np.asarray(image)


def _read_geotiff(path: Path) -> RawArray:
    """(height, width, band).

    Raises DataUnavailableError where rasterio is not installed, SceneError for a damaged file.
    """
    need(f"{path}, a GeoTIFF,", "geo", "rasterio", instead="convert the file to ENVI, .npy or .mat")
    with reading(path, "GeoTIFF"), quiet() as rasterio, open_geotiff(rasterio, path) as file:
        dtype = np.result_type(*map(np.dtype, set(file.dtypes)))
        check_array(path, (*file.shape, file.count), dtype.itemsize, labels=False)
        made = empty_cube((*file.shape, file.count), f"{path}: a copy", dtype)
        for rows in row_parts(made.shape, GEOTIFF_VALUES):
            bounds = (rows.start, min(rows.stop, file.height)), (0, file.width)
            made[rows] = file.read(window=bounds).transpose(1, 2, 0)
        return RawArray(made)
