"""What files declare of themselves, key by key, and what becomes of it.

The table of :data:`RULES` is that of docs/scenes.md, and what ``hsiaug datasets info`` says of the
files of a scene.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.base.errors import HsiaugError
from hsiaug.base.text import in_runs
from hsiaug.data.auxiliary import MAX_AUXILIARY_BYTES
from hsiaug.data.catalogue import SceneEntry, files_of
from hsiaug.data.endings import HDF, TIFF
from hsiaug.data.envi_header import field_name, read_header
from hsiaug.data.georeference import open_geotiff, quiet
from hsiaug.data.readers import read_cube_file, read_labels_array
from hsiaug.data.readers_envi import find_envi
from hsiaug.data.texts import read_xml

APPLIED, IGNORED = "applied", "ignored"
ENVI, GEOTIFF, BESIDE, MATLAB = "ENVI header", "GeoTIFF", ".aux.xml", ".mat"
UNKNOWN = "no such key is known"
LONGEST_VALUE = 60
LOOKED_AT = 2**26
"""Bytes of a TIFF that is read for the notes on it."""


@dataclass(frozen=True)
class KeyRule:
    """What becomes of some keys of a format.

    Attributes
    ----------
    format : str
        ENVI header, GeoTIFF, .aux.xml or .mat.
    keys : tuple of str
        As the format has them; of an ENVI header in small letters.
    outcome : {"applied", "ignored"}
        Whether they change what is read.
    why : str
        As what they are read, or why they are not.
    """

    format: str
    keys: tuple[str, ...]
    outcome: str
    why: str


RULES = (
    KeyRule(
        ENVI,
        ("samples", "lines", "bands", "header offset", "data type", "interleave", "byte order"),
        APPLIED,
        "layout of the numbers",
    ),
    KeyRule(ENVI, ("file type",), APPLIED, "a spectral library or another format is refused"),
    KeyRule(
        ENVI,
        ("file compression", "major frame offsets", "minor frame offsets"),
        APPLIED,
        "refused where it is not 0",
    ),
    KeyRule(ENVI, ("wavelength", "wavelength units"), APPLIED, "band centres"),
    KeyRule(ENVI, ("fwhm",), APPLIED, "band widths; one number is taken for all bands"),
    KeyRule(ENVI, ("bbl",), APPLIED, "bands of 0 are dropped"),
    KeyRule(
        ENVI,
        ("data gain values", "data offset values"),
        APPLIED,
        "value = number · gain + offset, of each band",
    ),
    KeyRule(
        ENVI,
        ("data reflectance gain values", "data reflectance offset values"),
        APPLIED,
        "the same, where there are no data gain values",
    ),
    KeyRule(ENVI, ("reflectance scale factor",), APPLIED, "value = number / factor"),
    KeyRule(ENVI, ("data ignore value",), APPLIED, "pixels without data"),
    KeyRule(ENVI, ("class names",), APPLIED, "names of classes, by code"),
    KeyRule(
        ENVI,
        ("map info", "projection info", "coordinate system string", "geo points"),
        APPLIED,
        "place on Earth, by GDAL",
    ),
    KeyRule(
        ENVI, ("band names",), APPLIED, "band centres, where there is no list and each name has one"
    ),
    KeyRule(
        ENVI,
        (
            *("description", "sensor type", "acquisition time", "classes", "class lookup"),
            *("default bands", "default stretch", "cloud cover", "sun azimuth", "sun elevation"),
            *("product type", "security tag", "timestamp", "z plot range", "z plot titles"),
            *("z plot average", "spectra names", "read procedures", "complex function"),
        ),
        IGNORED,
        "it changes no number",
    ),
    KeyRule(
        ENVI,
        ("x start", "y start", "pixel size", "rpc info", "dem file", "dem band"),
        IGNORED,
        "the place is that of map info",
    ),
    KeyRule(
        ENVI,
        ("solar irradiance", "correction factors"),
        IGNORED,
        "values are taken as calibrated",
    ),
    KeyRule(GEOTIFF, ("layout",), APPLIED, "bits, compression and colour interpretation, by GDAL"),
    KeyRule(GEOTIFF, ("scale", "offset"), APPLIED, "value = number · scale + offset, of each band"),
    KeyRule(GEOTIFF, ("no data",), APPLIED, "pixels without data, of each band"),
    KeyRule(GEOTIFF, ("mask", "alpha band"), APPLIED, "pixels without data"),
    KeyRule(GEOTIFF, ("transform", "CRS"), APPLIED, "place on Earth"),
    KeyRule(GEOTIFF, ("GCPs",), APPLIED, "named: the cube must be warped first"),
    KeyRule(GEOTIFF, ("RPCs",), IGNORED, "the cube must be warped first"),
    KeyRule(GEOTIFF, ("unit",), APPLIED, "units of the values"),
    KeyRule(
        GEOTIFF,
        ("description",),
        APPLIED,
        "names a band of labels; band centres, where no tag says any and each has one",
    ),
    KeyRule(GEOTIFF, ("colour table",), IGNORED, "codes are read, not colours"),
    KeyRule(
        GEOTIFF,
        ("IMAGERY:CENTRAL_WAVELENGTH_UM", "band:wavelength", "band:wavelength units"),
        APPLIED,
        "band centres",
    ),
    KeyRule(GEOTIFF, ("IMAGERY:FWHM_UM", "band:fwhm"), APPLIED, "band widths"),
    KeyRule(GEOTIFF, ("band:bbl",), APPLIED, "bands of 0 are dropped"),
    KeyRule(
        GEOTIFF,
        (
            *("ENVI:wavelength", "ENVI:wavelength units", "ENVI:fwhm", "ENVI:bbl"),
            *("ENVI:data ignore value", "ENVI:reflectance scale factor"),
            *("ENVI:data gain values", "ENVI:data offset values", "ENVI:band names"),
        ),
        APPLIED,
        "as of an ENVI header, where the tags of the file say nothing",
    ),
    KeyRule(GEOTIFF, ("AREA_OR_POINT",), APPLIED, "within the place, by GDAL"),
    KeyRule(
        GEOTIFF,
        ("TIFFTAG_*", "COMPRESSION", "INTERLEAVE", "LAYOUT", "OVERVIEW_RESAMPLING", "STATISTICS_*"),
        IGNORED,
        "it changes no number",
    ),
    KeyRule(BESIDE, ("Scale", "Offset"), APPLIED, "as those of the raster, and before them"),
    KeyRule(BESIDE, ("NoDataValue",), APPLIED, "pixels without data, of each band"),
    KeyRule(BESIDE, ("CategoryNames",), APPLIED, "names of classes, by code"),
    KeyRule(
        BESIDE,
        ("GDALRasterAttributeTable",),
        APPLIED,
        "names of classes, by usages 2 to 5, Row0Min and BinSize",
    ),
    KeyRule(BESIDE, ("SRS", "GeoTransform"), APPLIED, "place on Earth, where the raster has none"),
    KeyRule(BESIDE, ("Metadata",), APPLIED, "beside a TIFF: as its tags; else ignored"),
    KeyRule(BESIDE, ("Description", "UnitType"), APPLIED, "beside a TIFF: as its own"),
    KeyRule(
        BESIDE,
        (
            "Histograms",
            "ColorInterp",
            "ColorTable",
            "Minimum",
            "Maximum",
            "Mean",
            "StandardDeviation",
        ),
        IGNORED,
        "it changes no number",
    ),
    KeyRule(MATLAB, ("array",), APPLIED, "the one that `cube_key` or `labels_key` names"),
)
"""All keys that are known, by format."""


@dataclass(frozen=True)
class DeclaredKey:
    """A key that a file has.

    Attributes
    ----------
    file, key : str
        Names.
    value : str
        Its value, shortened.
    outcome : str
        What became of it: "applied: …" or "ignored: …".
    """

    file: str
    key: str
    value: str
    outcome: str


def key_table() -> str:
    """The rules as a table of Markdown."""
    lines = ["| file | key | | what becomes of it |", "|---|---|---|---|"]
    for rule in RULES:
        keys = ", ".join(f"`{key}`" for key in rule.keys)
        lines.append(f"| {rule.format} | {keys} | {rule.outcome} | {rule.why} |")
    return "\n".join(lines)


def declared_keys(path: Path, notes: Iterable[str] = ()) -> list[DeclaredKey]:
    """All that a file declares and those beside it that are read with it; none of a damaged one.

    Parameters
    ----------
    notes : iterable of str
        Sentences of its reader: one that names a key in quotes, and says that it is not used, is
        what became of it.
    """
    try:
        found = list(_found(path))
    except (HsiaugError, OSError, ValueError):
        return []
    unused = [note for note in notes if "not used" in note]
    listed = []
    for format, file, key, value in found:
        name = key.partition(":")[2] or key
        note = next((note for note in unused if f"'{name}'" in note), "")
        outcome = f"{IGNORED}: {note}" if note else _outcome(format, key)
        listed.append(DeclaredKey(file, key, _short(value), outcome))
    return listed


def declared_by_scene(entry: SceneEntry) -> list[DeclaredKey]:
    """All that the files of a scene declare that are on this machine.

    Notes of their readers are heeded of files that are no large copies in memory.
    """
    listed: dict[DeclaredKey, None] = {}
    for spec, read in (
        (entry.card.cube, read_cube_file),
        (entry.card.labels, read_labels_array),
    ):
        for path in files_of(entry, spec)[:1]:
            notes: tuple[str, ...] = ()
            with suppress(HsiaugError):
                if path.stat().st_size <= LOOKED_AT or path.suffix.lower() not in TIFF:
                    notes = read(path, key=spec.key, data=spec.data).notes
            listed |= dict.fromkeys(declared_keys(path, notes))
    return list(listed)


def _outcome(format: str, key: str) -> str:
    for rule in RULES:
        fits = any(re.fullmatch(name.replace("*", ".*"), key) for name in map(_escaped, rule.keys))
        if rule.format == format and fits:
            return f"{rule.outcome}: {rule.why}"
    return f"{IGNORED}: {UNKNOWN}"


def _escaped(name: str) -> str:
    return re.escape(name).replace(r"\*", "*")


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 2]} …"


Found = tuple[str, str, str, object]
"""Format, name of the file, key, value."""


def _found(path: Path) -> Iterator[Found]:
    suffix = path.suffix.lower()
    if suffix in TIFF:
        yield from _of_tiff(path)
        yield from _beside(path)
        header = path.with_suffix(".hdr")
        if header.is_file():
            yield from _of_header(header)
    elif suffix == ".mat":
        import h5py
        from scipy.io import whosmat

        if h5py.is_hdf5(path):
            with h5py.File(path, "r", locking=False) as file:
                names = [(name, "") for name in file if not name.startswith("#")]
        else:
            names = [(name, f"{shape} {kind}") for name, shape, kind in whosmat(str(path))]
        yield from ((MATLAB, path.name, "array", f"{name} {what}") for name, what in names)
    elif suffix not in HDF and (pair := find_envi(path, None)):
        yield from _of_header(pair[0])
        yield from _beside(pair[1])


def _of_header(path: Path) -> Iterator[Found]:
    for key, value in read_header(path).items():
        shown = f"{len(value)} entries: {', '.join(value)}" if isinstance(value, list) else value
        yield ENVI, path.name, key, shown


def _of_tiff(path: Path) -> Iterator[Found]:
    with quiet(auxiliary=True) as rasterio, open_geotiff(rasterio, path) as file:
        size = f"{file.height}×{file.width}, {file.count} bands of {', '.join(set(file.dtypes))}"
        facts: dict[str, object] = {
            "layout": size,
            "scale": set(file.scales) - {1.0},
            "offset": set(file.offsets) - {0.0},
            "no data": [value for value in dict.fromkeys(file.nodatavals) if value is not None],
            "unit": {unit for unit in file.units if unit},
            "description": [text for text in file.descriptions if text],
            "CRS": "" if file.crs is None else file.crs.to_string(),
            "transform": "" if file.transform.is_identity else list(file.transform[:6]),
            "GCPs": f"{len(file.gcps[0])} points" if file.gcps[0] else "",
            "RPCs": "there" if file.rpcs else "",
            "alpha band": [n for n, kind in enumerate(file.colorinterp, 1) if kind.name == "alpha"],
            "colour table": "there" if any(k.name == "palette" for k in file.colorinterp) else "",
            "mask": "there" if _has_mask(file) else "",
        }
        yield from ((GEOTIFF, path.name, key, value) for key, value in facts.items() if value)
        for domain in (None, *file.tag_namespaces()):
            if domain in ("IMAGE_STRUCTURE", "DERIVED_SUBDATASETS"):
                continue
            for key, value in file.tags(ns=domain).items():
                name = key if domain is None else f"{domain}:{field_name(key)}"
                yield GEOTIFF, path.name, name, value
        by_key: dict[str, list[int]] = {}
        for band in file.indexes:
            by_key |= {
                name: [*by_key.get(name, []), band]
                for name in (
                    *(f"band:{field_name(key)}" for key in file.tags(band)),
                    *(f"IMAGERY:{key}" for key in file.tags(band, ns="IMAGERY")),
                )
            }
        for name, bands in by_key.items():
            key = name.partition(":")[2]
            if key.upper().startswith("STATISTICS"):
                continue
            yield GEOTIFF, path.name, name, f"of bands {in_runs(bands, 2)}"


def _has_mask(file: Any) -> bool:
    flags = [{flag.name for flag in enums} for enums in file.mask_flag_enums]
    return any(not names or names == {"per_dataset"} for names in flags)


def _beside(path: Path) -> Iterator[Found]:
    auxiliary = path.with_name(f"{path.name}.aux.xml")
    if not auxiliary.is_file():
        return
    root = read_xml(auxiliary, MAX_AUXILIARY_BYTES)
    for element in root:
        if element.tag != "PAMRasterBand":
            yield BESIDE, auxiliary.name, element.tag, "".join(element.itertext())
    bands: dict[str, list[int]] = {}
    for band in root.iter("PAMRasterBand"):
        for element in band:
            bands.setdefault(element.tag, []).append(int(band.get("band", "1")))
    for tag, numbers in bands.items():
        yield BESIDE, auxiliary.name, tag, f"of bands {in_runs(sorted(np.unique(numbers)), 2)}"
