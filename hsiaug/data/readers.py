"""Reading the arrays of a file, as lazily as its format allows, and refusing damaged files
clearly.
"""

import warnings
import zipfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools
from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.data.auxiliary import METADATA
from hsiaug.data.bounds import check_array
from hsiaug.data.paths import ARRAYS, HDF, IMAGES, PICTURES, TIFF
from hsiaug.data.products import read_product
from hsiaug.data.raw import RawArray, in_memory, only, reading
from hsiaug.data.readers_envi import find_envi, read_envi
from hsiaug.data.readers_mat import read_mat, read_mat_maps
from hsiaug.data.readers_tiff import read_tiff
from hsiaug.data.tables import TABLES, read_table_cube

PACKED = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")
"""Endings of archives and of packed files."""

CONVERSIONS = {
    **dict.fromkeys(PACKED, "Unpack it, and name a file that was in it."),
    **dict.fromkeys(
        (".jp2", ".vrt", ".asc", ".ers", *PICTURES),
        "Convert it to a GeoTIFF, as rio convert does, and name the result.",
    ),
    **dict.fromkeys((".parquet", ".xlsx"), "Save the cube as CSV, or with numpy.save."),
    **dict.fromkeys((".xls", ".ods"), "Save the table as CSV, and name the result."),
    **dict.fromkeys(
        (".jpg", ".jpeg", ".gif", ".webp"),
        "Such pictures do not keep numbers exactly: export the image as GeoTIFF or PNG.",
    ),
    **dict.fromkeys(
        (".pt", ".pth", ".pkl", ".pickle"),
        "Such files may run programs, and are not opened: save the array with numpy.save.",
    ),
    ".npz": "Save one of its arrays with numpy.save, and name the result.",
}
"""What to do with files of these endings."""

TRANSPARENT = "pixels that are wholly transparent hold no data"


def read_cube_file(path: Path, *, key: str | None = None, data: str | None = None) -> RawArray:
    """The three-dimensional numeric array in a .mat, .npy, ENVI, TIFF, HDF5 or netCDF file.

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
        raise SceneError(
            f"{path}: a cube has three axes",
            value=f"shape {raw.array.shape}",
            hint="Name the file of the cube, or save it with height, width and bands as axes.",
        )
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
        raw = read_tiff(path, labels=True, key=key) if suffix in TIFF else read_picture(path)
    elif suffix in ARRAYS:
        raw = _read(path, key if suffix == ".mat" else None, data, ndim=2)
    else:
        raw = _one_band(path, _read(path, None, data, ndim=2), key)
    array = raw.array
    if array.ndim == 3 and 1 in array.shape:
        array = np.squeeze(array, axis=array.shape.index(1) if array.shape[2] != 1 else 2)
    if array.ndim != 2:
        hint = "Save codes of classes as an array of height and width, with 0 for unlabelled."
        if suffix in PICTURES:
            hint = f"A picture in colours tells no classes. {hint}"
        raise SceneError(
            f"{path}: a label map has two axes", value=f"shape {array.shape}", hint=hint
        )
    check_array(path, array.shape, 1, labels=True)
    return replace(raw, array=in_memory(array))


def _one_band(path: Path, raw: RawArray, key: str | None) -> RawArray:
    """The band of an ENVI file that holds codes of classes, which have no scale; of several, a key
    numbers one.
    """
    names = [*map(str, range(1, raw.array.shape[2] + 1))]
    band = int(only(path, names, key, "band of classes"))
    if (raw.scale, raw.offset) not in ((None, 0.0), (1.0, 0.0)):
        raise SceneError(
            f"{path}: codes of classes must have no scale",
            value=f"{raw.scale}"[:80],
            hint="Delete its gains, offsets or scale factor from the header.",
        )
    return replace(raw, array=np.asarray(raw.array)[..., band - 1], band=band)


def read_picture(path: Path) -> RawArray:
    """(H, W), or (H, W, channels), of a .png or .bmp image: indices of a palette, or levels of grey
    as they are stored.

    Pixels that an alpha channel, or the transparent colour of a PNG, makes wholly transparent hold
    no data. Raises SceneError where the file is damaged or of another format.
    """
    from PIL import Image

    suffix = path.suffix.lower()
    with reading(path, suffix), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata, which does not matter here
        # Whatever the name says, the content could be of any other format, some of which start
        # other programs. By its name it would be mapped.
        with path.open("rb") as file:
            head = file.read(26)
            file.seek(0)
            with Image.open(file, formats=[suffix[1:].upper()]) as image:
                check_array(path, (image.height, image.width), len(image.getbands()), labels=True)
                array = np.asarray(image)
                clear = image.info.get("transparency")
                mode = image.mode
    if mode == "LA":
        return RawArray(array[:, :, 0], valid=array[:, :, 1] != 0, notes=(TRANSPARENT,))
    if suffix == ".png" and array.dtype == np.uint8 and head[24] in (2, 4) and head[25] == 0:
        # Pillow spreads grey of 2 and 4 bits over 0 to 255.
        array = array // (255 // (2 ** head[24] - 1))
    if clear is None or array.ndim != 2:
        return RawArray(array)
    if isinstance(clear, bytes):
        clear = np.flatnonzero(np.frombuffer(clear, np.uint8) == 0)
    valid = ~np.isin(array, clear)
    return RawArray(array, valid=valid, notes=() if valid.all() else (TRANSPARENT,))


def read_label_file(path: Path) -> AnyArray:
    """The two-dimensional numeric array in a file, 0 where the file says that there is no data.

    Raises as :func:`read_labels_array`.
    """
    raw = read_labels_array(path)
    invalid = void_codes(raw)
    return np.where(invalid, raw.array.dtype.type(0), raw.array) if invalid.any() else raw.array


def void_codes(raw: RawArray, codes: Collection[int] = ()) -> Bools:
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


def read_maps(path: Path) -> dict[str, AnyArray]:
    """Read every numeric array with two axes of a .mat, .npz or .npy file.

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
        If the file is damaged, contains Python objects, or is of another kind.

    See Also
    --------
    user_file : finds a file that a user names.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from hsiaug.api import read_maps
    >>> np.savez("masks.npz", train=np.ones((4, 5)), test=np.zeros((4, 5)))
    >>> sorted(read_maps(Path("masks.npz")))
    ['test', 'train']
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
    elif suffix not in CONVERSIONS and (pair := find_envi(path, data)):
        raw = read_envi(*pair, labels=ndim == 2)
    else:
        must_exist(path)
        if METADATA.fullmatch(path.name):
            raise SceneError(
                f"{path} must be an image",
                value="its metadata",
                hint="Name the GeoTIFF beside it, …-SPECTRAL_IMAGE.TIF: this file is read with it.",
            )
        hint = "Convert the file, or put its ENVI header beside it: the same name with .hdr."
        raise SceneError(
            f"{path} must be .mat, .npy, ENVI (.hdr) or"
            f" {', '.join(IMAGES if ndim == 2 else (*TIFF, *HDF))}",
            value=f"extension '{path.suffix}' and no ENVI header beside it",
            hint=CONVERSIONS.get(suffix, hint),
        )
    if raw.array.dtype.kind not in "iufb":
        raise SceneError(
            f"{path} must hold plain numbers",
            value=f"dtype {raw.array.dtype}",
            hint="Save the array as integers or floats.",
        )
    return raw


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


def _read_npy(path: Path) -> AnyArray:
    """The array of an .npy file, mapped. Pickled objects could run code, and are never loaded."""
    with reading(path, ".npy"), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a header that Python 2 wrote, which does not matter here
        try:
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        except ValueError as cause:
            with path.open("rb") as file:
                start = file.read(128)
            if start.startswith(b"\x80") or b"'|O'" in start:
                raise SceneError(
                    f"{path} must hold plain numbers",
                    value="Python objects, which may run programs and are not opened",
                    hint="If you wrote that file, load it with allow_pickle=True and save numbers.",
                ) from cause
            raise
