"""TIFF and ENVI files of random makeup: does hsiaug read the numbers, the missing data, the facts
of bands and the names of classes that GDAL reads?

    python -m benchmarks.faults.foreign_files --tiff 1000 --envi 1000 --beside 1000 --seed 0

Prints a table in Markdown: files read alike, refused by one error, with other numbers, with other
missing data, with another error. Truth is rasterio for both, for ENVI cubes also the plain reader
of spectral, and for attribute tables the library of GDAL that rasterio brings.
"""

from __future__ import annotations

import argparse
import ctypes
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import ArrayLike, NDArray
from rasterio.enums import ColorInterp

from benchmarks.common import markdown, say
from hsiaug.base.errors import HsiaugError
from hsiaug.data.georeference import read_class_names
from hsiaug.data.raw import Conversion
from hsiaug.data.readers import read_cube_file, read_labels_array, void_codes

TYPES = (
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "int64",
    "uint64",
    "float32",
    "float64",
)
CODES = {
    "uint8": 1,
    "int16": 2,
    "int32": 3,
    "float32": 4,
    "float64": 5,
    "uint16": 12,
    "uint32": 13,
    "int64": 14,
    "uint64": 15,
}
"""Types of ENVI by their numbers."""
COMPRESSIONS = (None, "deflate", "lzw", "packbits", "zstd")
OUTCOMES = ("alike", "refused", "other numbers", "other missing data", "another error")

Read = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""(H, W, B) values in units, and (H, W) pixels without data."""


def random_numbers(
    rng: np.random.Generator, dtype: str, shape: tuple[int, ...], high: int = 100
) -> NDArray[Any]:
    """Whole numbers that every type holds, some of them negative where it can be."""
    low = 0 if dtype.startswith("u") else -high // 2
    return rng.integers(low, high, shape).astype(dtype)


def write_tiff(path: Path, rng: np.random.Generator, bands: int | None = None) -> None:
    """A TIFF with a random type, bits, layout, compression, scales, no-data value, mask, alpha band
    and orientation.

    bands: None = as many as there may be.
    """
    height, width = (int(side) for side in rng.integers(1, 40, 2))
    count = int(rng.integers(1, 7)) if bands is None else bands
    dtype = str(rng.choice(TYPES))
    options: dict[str, Any] = {
        "compress": rng.choice(COMPRESSIONS),
        "interleave": str(rng.choice(["pixel", "band"])),
    }
    if rng.random() < 0.3:
        options |= {"tiled": True, "blockxsize": 16, "blockysize": 16}
    if dtype == "uint8" and rng.random() < 0.4:
        options["nbits"] = int(rng.choice([1, 2, 4]))
    if dtype == "uint16" and rng.random() < 0.3:
        options["nbits"] = 12
    if dtype in ("uint8", "uint16") and count == 1 and rng.random() < 0.2:
        options["photometric"] = "MINISWHITE"
    if options["compress"] in ("deflate", "lzw") and "nbits" not in options and rng.random() < 0.3:
        options["predictor"] = 3 if dtype.startswith("float") else 2
    if rng.random() < 0.3:
        options["bigtiff"] = "YES"
    if rng.random() < 0.3:
        options["endianness"] = "BIG"
    high = 2 ** options.get("nbits", 6)
    numbers = random_numbers(rng, dtype, (count, height, width), high)
    if rng.random() < 0.4:
        options["nodata"] = int(rng.integers(1, high)) if rng.random() < 0.8 else 0
        if dtype.startswith("float") and rng.random() < 0.5:
            options["nodata"] = float(
                rng.choice([np.nan, -np.inf, -9999.0, -3.4028234663852886e38])
            )
            numbers[:, rng.random((height, width)) < 0.2] = options["nodata"]
    size = {"width": width, "height": height, "count": count, "dtype": dtype}
    masked = rng.random() < 0.2
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=bool(rng.random() < 0.5)),
        rasterio.open(
            path, "w", driver="GTiff", **size, **{k: v for k, v in options.items() if v is not None}
        ) as file,
    ):
        if count > 1 and rng.random() < 0.2:
            file.colorinterp = [
                ColorInterp.gray,
                *[ColorInterp.undefined] * (count - 2),
                ColorInterp.alpha,
            ]
        file.write(numbers)
        if bands is None and rng.random() < 0.4:
            alike = rng.random() < 0.5
            file.scales = (
                [float(2.0 ** rng.integers(-9, 3))] * count
                if alike
                else (rng.integers(1, 9, count) / 8).tolist()
            )
            file.offsets = (
                [0.0] * count if rng.random() < 0.5 else (rng.integers(-8, 9, count) / 4).tolist()
            )
        if masked:
            file.write_mask(rng.random((height, width)) < 0.8)
    if rng.random() < 0.2:
        turn(path, int(rng.integers(1, 9)))


def turn(path: Path, orientation: int) -> None:
    """Write TIFF's tag of the orientation into a file that has a place for it, in the place of
    another one.

    GDAL writes no such tag: that of the planar configuration, when it holds its default, is written
    anew.
    """
    content = bytearray(path.read_bytes())
    order = "little" if content[:2] == b"II" else "big"
    if int.from_bytes(content[2:4], order) != 42:
        return
    at = int.from_bytes(content[4:8], order)
    for entry in range(int.from_bytes(content[at : at + 2], order)):
        place = at + 2 + 12 * entry
        tag = int.from_bytes(content[place : place + 2], order)
        value = int.from_bytes(content[place + 8 : place + 10], order)
        if tag == 284 and value == 1:
            content[place : place + 2] = (274).to_bytes(2, order)
            content[place + 8 : place + 10] = orientation.to_bytes(2, order)
    path.write_bytes(content)


def tiff_by_gdal(path: Path) -> Read:
    """What GDAL reads: values in units, and pixels without data in any band, or in all bands where
    0 says so.
    """
    with rasterio.open(path) as file:
        alpha = [band for band in file.indexes if file.colorinterp[band - 1] == ColorInterp.alpha]
        bands = [band for band in file.indexes if band not in alpha]
        scales = np.array([file.scales[band - 1] for band in bands])
        offsets = np.array([file.offsets[band - 1] for band in bands])
        values = (
            file.read(bands).astype(np.float64) * scales[:, None, None] + offsets[:, None, None]
        )
        lacking = file.read_masks(bands) == 0
        if file.nodata is not None and np.isnan(file.nodata):
            lacking |= np.isnan(values)
        void = lacking.all(axis=0) if file.nodata == 0 else lacking.any(axis=0)
        void |= ~np.isfinite(values).all(axis=0)
        # GDAL takes an alpha band for a mask only beside one or three others.
        for band in alpha:
            void |= file.read(band) == 0
        return values.transpose(1, 2, 0), void


def labels_by_gdal(path: Path) -> Read:
    """What GDAL reads of the only band."""
    with rasterio.open(path) as file:
        codes = file.read(1).astype(np.float64)
        return codes[:, :, None], (file.read_masks(1) == 0) | np.isnan(codes)


def write_envi(path: Path, rng: np.random.Generator) -> None:
    """A header and its data with a random type, order, interleave, gains, scale, ignored value and
    encoding.
    """
    height, width, bands = (int(side) for side in rng.integers(1, 24, 3))
    dtype = str(rng.choice(list(CODES)))
    interleave = str(rng.choice(["bsq", "bil", "bip"]))
    big, begin = int(rng.integers(0, 2)), int(rng.choice([0, 0, 17]))
    axes = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}[interleave]
    numbers = random_numbers(rng, dtype, (height, width, bands))
    said: dict[str, object] = {
        "samples": width,
        "lines": height,
        "bands": bands,
        "header offset": begin,
        "file type": "ENVI Standard",
        "data type": CODES[dtype],
        "interleave": str(rng.choice([interleave, interleave.upper()])),
        "byte order": big,
    }
    if rng.random() < 0.3:
        ignored = int(rng.integers(1, 99))
        said["data ignore value"] = str(
            rng.choice([f"{ignored}", f"{ignored}.0", f"{ignored}.00e+00"])
        )
    drawn = rng.random()
    if drawn < 0.3:
        said["data gain values"] = listed(rng.integers(1, 9, bands) / 8)
        said["data offset values"] = listed(rng.integers(-8, 9, bands) / 4)
    elif drawn < 0.4:
        said["data gain values"] = listed(np.full(bands, 0.5))
    elif drawn < 0.6:
        said["reflectance scale factor"] = int(rng.choice([100, 4096, 10000]))
    encoding = str(rng.choice(["utf-8", "cp1252"]))
    said["description"] = "{Flächen, 21 °C}"
    ending = str(rng.choice(["\n", "\r\n"]))
    items = list(said.items())
    text = ending.join(["ENVI", *(f"{key} = {value}" for key, value in items)]) + ending
    path.write_bytes(text.encode(encoding))
    stored = np.ascontiguousarray(
        numbers.transpose(axes).astype(np.dtype(dtype).newbyteorder("<>"[big]))
    )
    path.with_suffix(".img").write_bytes(bytes(begin) + stored.tobytes())


def listed(values: NDArray[np.float64]) -> str:
    """A list of an ENVI header."""
    return "{" + ", ".join(map(str, values.tolist())) + "}"


def envi_by_gdal(path: Path) -> Read:
    """What GDAL reads of the data file, and what spectral says of the scale factor."""
    from spectral.io import envi

    with rasterio.open(path.with_suffix(".img"), driver="ENVI") as file:
        numbers = file.read().astype(np.float64).transpose(1, 2, 0)
        values = numbers * np.array(file.scales) + np.array(file.offsets)
        void = (file.read_masks() == 0).any(axis=0)
        if file.nodata is not None:  # GDAL names it, and masks nothing in integers of 64 bits
            void |= (numbers == file.nodata).any(axis=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = envi.open(str(path), str(path.with_suffix(".img")))
        except Exception:  # it reads headers in UTF-8 alone, and no gain
            image = None
    if image is not None:
        plain = np.asarray(image.open_memmap(interleave="bip"), dtype=np.float64)
        if not np.array_equal(plain, numbers):
            raise AssertionError(f"GDAL and spectral differ over {path}")
    factor = next(
        (line.split("=")[1] for line in header_lines(path) if line.startswith("reflectance")), "1"
    )
    return values / float(factor), void


def header_lines(path: Path) -> list[str]:
    """Lines of a header, whatever its encoding."""
    return path.read_bytes().decode("latin-1").splitlines()


def cube_by_hsiaug(path: Path) -> Read:
    """What a scene of this file holds."""
    raw = read_cube_file(path)
    stored = np.asarray(raw.array)
    values = Conversion(None, raw.scale, raw.offset)(stored).astype(np.float64)
    void = ~np.isfinite(values).all(axis=2)
    if raw.nodata is not None:
        same = stored == np.asarray(raw.nodata)
        void |= same.all(axis=2) if raw.nodata == 0 else same.any(axis=2)
    return values, void if raw.void() is None else void | raw.void()


def labels_by_hsiaug(path: Path) -> Read:
    """The codes of a label file, and the pixels that have none."""
    raw = read_labels_array(path)
    return raw.array.astype(np.float64)[:, :, None], void_codes(raw)


def compare(path: Path, ours: Callable[[Path], Read], theirs: Callable[[Path], Read]) -> str:
    """One of OUTCOMES."""
    truth, without = theirs(path)
    try:
        values, void = ours(path)
    except HsiaugError:
        return "refused"
    except Exception:
        return "another error"
    if values.shape != truth.shape or not np.array_equal(without, void):
        return "other missing data" if values.shape == truth.shape else "other numbers"
    close = np.isclose(values, truth, rtol=3e-7, atol=1e-12)
    return "alike" if close[~void].all() else "other numbers"


def write_beside(path: Path, rng: np.random.Generator) -> None:
    """A TIFF or ENVI file whose .aux.xml says scale, offset and no data of some of its bands."""
    bands = int(rng.integers(1, 5))
    numbers = random_numbers(rng, "int16", (4, 5, bands), 6)
    if path.suffix == ".tif":
        size = {"height": 4, "width": 5, "count": bands, "dtype": "int16"}
        with rasterio.open(path, "w", driver="GTiff", **size) as file:
            file.write(numbers.transpose(2, 0, 1))
            if rng.random() < 0.3:
                file.scales = [0.25] * bands
            if rng.random() < 0.3:
                file.nodata = 2
        raster = path
    else:
        raster = path.with_suffix(".img")
        raster.write_bytes(numbers.astype("<i2").tobytes())
        path.write_text(
            f"ENVI\nsamples = 5\nlines = 4\nbands = {bands}\ndata type = 2\ninterleave = bip\n"
            f"byte order = 0\n{'data ignore value = 2' if rng.random() < 0.3 else ''}\n",
            encoding="utf-8",
        )
    said = []
    for band in range(1, bands + 1):
        facts = {
            "NoDataValue": int(rng.integers(-2, 4)),
            "Scale": float(rng.integers(1, 9) / 8),
            "Offset": float(rng.integers(-8, 9) / 4),
        }
        kept = "".join(
            f"<{key}>{value}</{key}>" for key, value in facts.items() if rng.random() < 0.6
        )
        said.append(f'<PAMRasterBand band="{band}">{kept}</PAMRasterBand>')
    raster.with_name(f"{raster.name}.aux.xml").write_text(
        f"<PAMDataset>{''.join(said)}</PAMDataset>"
    )


def bands_by_gdal(path: Path) -> Read:
    """Values of a file with metadata beside it, and pixels without data in any band, or in all
    where 0 is that of all bands.
    """
    with rasterio.open(path if path.suffix == ".tif" else path.with_suffix(".img")) as file:
        values = file.read().transpose(1, 2, 0) * np.array(file.scales) + np.array(file.offsets)
        lacking = file.read_masks().transpose(1, 2, 0) == 0
        plain = set(file.nodatavals) == {0.0}
    return values, lacking.all(axis=2) if plain else lacking.any(axis=2)


TABLE_CODES = range(12)


def write_table(path: Path, rng: np.random.Generator) -> None:
    """A TIFF whose .aux.xml has an attribute table with columns of any usage, or by bins."""
    size = {"height": 2, "width": 2, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", **size) as file:
        file.write(np.zeros((1, 2, 2), np.uint8))
    # A row with a smallest code alone is for all codes above it by GDAL, and for none by hsiaug.
    codes = [[5], [3, 4], [4, 3], [5, 1], []][int(rng.integers(5))]
    usages = [*codes, *rng.choice([0, 1, 2, 2, 6], int(rng.integers(1, 4))).tolist()]
    rng.shuffle(usages)
    columns = "".join(
        f"<FieldDefn><Name>c{i}</Name><Type>{2 if usage == 2 else 0}</Type><Usage>{usage}</Usage>"
        "</FieldDefn>"
        for i, usage in enumerate(usages)
    )
    rows = []
    for row in range(int(rng.integers(1, 7))):
        low = int(rng.integers(0, 12))
        cells = {2: f"n{row}", 3: low, 4: low + int(rng.integers(0, 3)), 5: low}
        listed = "".join(f"<F>{cells.get(usage, int(rng.integers(0, 12)))}</F>" for usage in usages)
        rows.append(f'<Row index="{row}">{listed}</Row>')
    binned = ' Row0Min="1" BinSize="2"' if rng.random() < 0.3 or not codes else ""
    path.with_name(f"{path.name}.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1">'
        f"<GDALRasterAttributeTable{binned}>{columns}{''.join(rows)}</GDALRasterAttributeTable>"
        "</PAMRasterBand></PAMDataset>"
    )


def names_as_numbers(names: dict[int, str]) -> Read:
    """Names of codes by the number of their row, and the codes without one."""
    numbers = [float(names.get(code, "n-1")[1:]) for code in TABLE_CODES]
    values = np.array(numbers)[None, :, None]
    return values, (values < 0)[:, :, 0]


def table_by_hsiaug(path: Path) -> Read:
    """The names that hsiaug gives codes."""
    return names_as_numbers(read_class_names(path, TABLE_CODES)[0])


def table_by_gdal(path: Path) -> Read:
    """The names that GDAL finds for codes."""
    gdal = _gdal()
    dataset = ctypes.c_void_p(gdal.GDALOpen(str(path).encode(), 0))
    table = ctypes.c_void_p(
        gdal.GDALGetDefaultRAT(ctypes.c_void_p(gdal.GDALGetRasterBand(dataset, 1)))
    )
    column = gdal.GDALRATGetColOfUsage(table, 2)
    rows = {code: gdal.GDALRATGetRowOfValue(table, ctypes.c_double(code)) for code in TABLE_CODES}
    names = {
        code: gdal.GDALRATGetValueAsString(table, row, column).decode()
        for code, row in rows.items()
        if row >= 0 and column >= 0
    }
    gdal.GDALClose(dataset)
    return names_as_numbers({code: name for code, name in names.items() if name})


BAND_KEYS = ("wavelength", "fwhm", "bbl")


def write_domains(path: Path, rng: np.random.Generator) -> None:
    """A TIFF whose tags say of its bands where they lie: in the domain ENVI, in IMAGERY, or band by
    band.
    """
    bands = int(rng.integers(2, 9))
    size = {"height": 2, "width": 3, "count": bands, "dtype": "int16"}
    micrometres = bool(rng.random() < 0.5)
    centres = np.sort(rng.choice(np.arange(400, 2500), bands, replace=False)).astype(float)
    widths = rng.integers(2, 30, bands).astype(float)
    flags = (rng.random(bands) < 0.8).astype(int)
    flags[0] = 1
    unit, step = ("Micrometers", 1000.0) if micrometres else ("Nanometers", 1.0)
    style = str(rng.choice(["ENVI", "IMAGERY", "bands"]))
    said = {key for key in BAND_KEYS[1:] if rng.random() < 0.7}
    with rasterio.open(path, "w", driver="GTiff", **size) as file:
        file.write(random_numbers(rng, "int16", (bands, 2, 3)))
        if style == "ENVI":
            lists: dict[str, object] = {
                "wavelength_units": unit,
                "wavelength": listed(centres / step),
            }
            if "fwhm" in said:
                entries = int(rng.choice([1, bands, bands, bands - 1]))
                lists["fwhm"] = listed(widths[:entries] / step)
            if "bbl" in said:
                lists["bbl"] = listed(flags[: int(rng.choice([bands, bands, bands - 1]))])
            drawn = rng.random()
            if drawn < 0.3:
                lists["reflectance_scale_factor"] = int(rng.choice([100, 4096, 10000]))
            elif drawn < 0.6:
                lists["data_gain_values"] = listed(rng.integers(1, 9, bands) / 8)
            if rng.random() < 0.5:
                lists["data_ignore_value"] = int(rng.integers(-9, 9))
            file.update_tags(ns="ENVI", **lists)
        for band, values in enumerate(zip(centres, widths, flags, strict=True), start=1):
            centre, width, flag = values
            if style == "IMAGERY":
                tags = {"CENTRAL_WAVELENGTH_UM": centre / 1000}
                tags |= {"FWHM_UM": width / 1000} if "fwhm" in said else {}
                file.update_tags(band, ns="IMAGERY", **tags)
            elif style == "bands":
                own = {"wavelength": centre / step, "wavelength_units": unit}
                own |= {"fwhm": width / step} if "fwhm" in said else {}
                own |= {"bbl": flag} if "bbl" in said else {}
                file.update_tags(band, **own)


def facts_by_band(
    centres: ArrayLike, widths: ArrayLike, flags: ArrayLike, scale: ArrayLike, nodata: ArrayLike
) -> Read:
    """(1, B, 5) of what is said of each band, -1 where nothing is; no band is without data."""
    columns = np.broadcast_arrays(*map(np.atleast_1d, (centres, widths, flags, scale, nodata)))
    facts = np.nan_to_num(np.stack(columns, axis=-1).astype(np.float64), nan=-1.0)[None]
    return facts, np.zeros(facts.shape[:2], dtype=bool)


def domains_by_hsiaug(path: Path) -> Read:
    """What a cube says of its bands."""
    raw = read_cube_file(path)
    bands = raw.array.shape[2]
    unknown = np.full(bands, np.nan)
    return facts_by_band(
        unknown if raw.wavelengths is None else raw.wavelengths,
        unknown if raw.widths is None else raw.widths,
        [0 if band in raw.bad_bands else 1 for band in range(bands)],
        1.0 if raw.scale is None else raw.scale,
        np.nan if raw.nodata is None else raw.nodata,
    )


def domains_by_gdal(path: Path) -> Read:
    """The tags as rasterio reads them; a list of another length than there are bands counts for
    nothing, a single width for all.
    """
    with rasterio.open(path) as file:
        domain = file.tags(ns="ENVI")
        bands = file.count
        if domain:
            lists = {
                key: np.array([float(text) for text in value.strip("{}").split(",")])
                for key, value in domain.items()
                if key != "wavelength_units"
            }
        else:
            tags = [{**file.tags(band), **file.tags(band, ns="IMAGERY")} for band in file.indexes]
            domain = tags[0]
            names = {"CENTRAL_WAVELENGTH_UM": "wavelength", "FWHM_UM": "fwhm"}
            lists = {
                names.get(key, key): np.array([float(of_band[key]) for of_band in tags])
                for key in tags[0]
                if key in (*names, *BAND_KEYS)
            }
    unit = domain.get("wavelength_units", "Micrometers")
    step = 1000.0 if unit == "Micrometers" else 1.0
    widths = lists.get("fwhm", np.array([]))
    flags = lists.get("bbl", np.array([]))
    factor = lists.get("reflectance_scale_factor", np.array([1.0]))
    return facts_by_band(
        lists["wavelength"] * step,
        widths * step if len(widths) in (1, bands) else np.nan,
        flags if len(flags) == bands else 1,
        lists.get("data_gain_values", 1.0 / factor),
        lists.get("data_ignore_value", np.array([np.nan])),
    )


def library_of_gdal() -> Path | None:
    """The library that rasterio brings; None where it uses one of the system."""
    folder = Path(rasterio.__file__).parent.with_name("rasterio.libs")
    return next(folder.glob("libgdal*"), None)


@cache
def _gdal() -> ctypes.CDLL:
    gdal = ctypes.CDLL(str(library_of_gdal()))
    gdal.GDALAllRegister()
    for name in ("GDALOpen", "GDALGetRasterBand", "GDALGetDefaultRAT"):
        getattr(gdal, name).restype = ctypes.c_void_p
    gdal.GDALRATGetValueAsString.restype = ctypes.c_char_p
    return gdal


KINDS: dict[
    str, tuple[str, Callable[..., None], Callable[[Path], Read], Callable[[Path], Read]]
] = {
    "cubes of TIFF": ("c.tif", write_tiff, cube_by_hsiaug, tiff_by_gdal),
    "labels of TIFF": (
        "c.tif",
        lambda path, rng: write_tiff(path, rng, 1),
        labels_by_hsiaug,
        labels_by_gdal,
    ),
    "cubes of ENVI": ("c.hdr", write_envi, cube_by_hsiaug, envi_by_gdal),
    "bands of a TIFF with .aux.xml": ("c.tif", write_beside, cube_by_hsiaug, bands_by_gdal),
    "bands of ENVI with .aux.xml": ("c.hdr", write_beside, cube_by_hsiaug, bands_by_gdal),
    "metadata domains of a TIFF": ("c.tif", write_domains, domains_by_hsiaug, domains_by_gdal),
    "attribute tables": ("c.tif", write_table, table_by_hsiaug, table_by_gdal),
}
"""What a file is called, how it is written, and read by hsiaug and by others."""


def check(kind: str, seed: int, folder: Path) -> str:
    """The outcome for one random file of a kind."""
    name, write, ours, theirs = KINDS[kind]
    for old in folder.iterdir():
        old.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files that lie nowhere
        write(folder / name, np.random.default_rng([seed, *kind.encode()]))
        return compare(folder / name, ours, theirs)


def main() -> None:
    """Read as many files as are asked for, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tiff", type=int, default=1000, help="files of cubes and of labels, together"
    )
    parser.add_argument("--envi", type=int, default=1000)
    parser.add_argument(
        "--beside", type=int, default=1000, help="files with metadata beside them, of each kind"
    )
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    counts = {
        "cubes of TIFF": asked.tiff - asked.tiff // 2,
        "labels of TIFF": asked.tiff // 2,
        "cubes of ENVI": asked.envi,
        **dict.fromkeys(list(KINDS)[3:], asked.beside),
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, count in counts.items():
            outcomes = Counter[str]()
            for number in range(count):
                outcome = check(kind, asked.seed + number, Path(folder))
                outcomes[outcome] += 1
                if outcome not in OUTCOMES[:2]:
                    say(f"{kind}, seed {asked.seed + number}: {outcome}")
            rows.append((kind, f"{count:,}", *(f"{outcomes[outcome]:,}" for outcome in OUTCOMES)))
    for line in markdown(("files", "number", *OUTCOMES), rows):
        say(line)


if __name__ == "__main__":
    main()
