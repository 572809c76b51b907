"""Random files against GDAL and rasterio: attribute tables, facts of single bands, metadata of
ENVI in a GeoTIFF, and names in several spellings.
"""

import ctypes
import json
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.data.auxiliary import auxiliary_bands
from hsiaug.data.raw import Conversion, RawArray
from hsiaug.data.readers import read_cube_file
from hsiaug.data.texts import plain_name
from hsiaug.data.vector_labels import read_vector_labels

CODES = range(12)
QUIET = settings(max_examples=60, deadline=None, database=None)


def tiff(path: Path, array: np.ndarray) -> None:
    """A GeoTIFF of (H, W, B)."""
    bands = array.transpose(2, 0, 1)
    size = {"count": len(bands), "height": array.shape[0], "width": array.shape[1]}
    place = {"transform": rasterio.Affine(5, 0, 500000, 0, -5, 5400000), "crs": "EPSG:32633"}
    with rasterio.open(path, "w", driver="GTiff", dtype=array.dtype.name, **size, **place) as file:
        file.write(bands)


@pytest.fixture(scope="module")
def gdal() -> ctypes.CDLL:
    """The library of GDAL that rasterio brings, whose tables rasterio does not read."""
    folder = Path(rasterio.__file__).parent.with_name("rasterio.libs")
    libraries = sorted(folder.glob("libgdal*")) if folder.is_dir() else []
    if not libraries:
        pytest.skip("rasterio comes without a library of GDAL of its own")
    library = ctypes.CDLL(str(libraries[0]))
    library.GDALAllRegister()
    for name in ("GDALOpen", "GDALGetRasterBand", "GDALGetDefaultRAT"):
        getattr(library, name).restype = ctypes.c_void_p
    library.GDALRATGetValueAsString.restype = ctypes.c_char_p
    return library


def names_of_gdal(gdal: ctypes.CDLL, path: Path) -> dict[int, str]:
    """Names of codes, as GDAL finds them in its table."""
    dataset = ctypes.c_void_p(gdal.GDALOpen(str(path).encode(), 0))
    band = ctypes.c_void_p(gdal.GDALGetRasterBand(dataset, 1))
    table = ctypes.c_void_p(gdal.GDALGetDefaultRAT(band))
    column = gdal.GDALRATGetColOfUsage(table, 2)
    names = {}
    for code in CODES:
        row = gdal.GDALRATGetRowOfValue(table, ctypes.c_double(code))
        if row >= 0 and column >= 0:
            names[code] = gdal.GDALRATGetValueAsString(table, row, column).decode()
    gdal.GDALClose(dataset)
    return {code: name for code, name in names.items() if name}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, set[int]]:
    """An attribute table as XML, and the usages of its columns."""
    usages = draw(st.lists(st.sampled_from([0, 1, 2, 2, 3, 4, 5, 5, 6]), min_size=1, max_size=5))
    columns = "".join(
        f'<FieldDefn index="{i}"><Name>c{i}</Name><Type>{2 if usage == 2 else 0}</Type>'
        f"<Usage>{usage}</Usage></FieldDefn>"
        for i, usage in enumerate(usages)
    )
    rows = []
    for place in range(draw(st.integers(1, 6))):
        low, width = draw(st.tuples(st.integers(0, 11), st.integers(0, 2)))
        cell = {2: f"n{place}", 3: low, 4: low + width, 5: low}
        cells = (cell.get(usage, draw(st.integers(0, 11))) for usage in usages)
        rows.append(f'<Row index="{place}">{"".join(f"<F>{value}</F>" for value in cells)}</Row>')
    binning = draw(st.sampled_from(["", ' Row0Min="1" BinSize="1"', ' Row0Min="0.5" BinSize="2"']))
    text = f"<GDALRasterAttributeTable{binning}>{columns}{''.join(rows)}</GDALRasterAttributeTable>"
    return text, {*usages, *([5] if binning else [])}


@given(table=tables())
@QUIET
def test_an_attribute_table_names_codes_as_gdal_does_or_not_at_all(gdal, table):
    text, usages = table
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "l.tif"
        tiff(path, np.zeros((2, 2, 1), np.uint8))
        beside = path.with_name("l.tif.aux.xml")
        beside.write_text(
            f'<PAMDataset><PAMRasterBand band="1">{text}</PAMRasterBand></PAMDataset>'
        )
        band = auxiliary_bands(path)[1]
        expected = names_of_gdal(gdal, path)
    # GDAL takes rows with a smallest code alone for all codes above it.
    whole = 5 in usages or {3, 4} <= usages
    assert band.names(CODES) == (expected if whole else {})
    assert bool(band.table.unused) == (not whole or 2 not in usages)


@st.composite
def facts_of_bands(draw: st.DrawFn) -> tuple[np.ndarray, list[dict[str, float]]]:
    """(H, W, B) int16, and what a file beside it says of each band."""
    bands = draw(st.integers(1, 4))
    values = st.sampled_from([0, 1, 2, 7, -9])
    cells = draw(st.lists(values, min_size=12 * bands, max_size=12 * bands))
    common = draw(st.sampled_from([None, 0, 7]))
    listed = []
    for _ in range(bands):
        own = draw(st.booleans())
        said = {
            "NoDataValue": draw(st.sampled_from([None, 0, 1, 7, -9])) if own else common,
            "Scale": draw(st.sampled_from([None, 0.5, 2])),
            "Offset": draw(st.sampled_from([None, -1, 3])),
        }
        listed.append({key: value for key, value in said.items() if value is not None})
    return np.array(cells, np.int16).reshape(3, 4, bands), listed


@given(facts=facts_of_bands(), envi=st.booleans(), masked=st.booleans())
@QUIET
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_scale_offset_and_missing_numbers_of_each_band_are_those_of_rasterio(facts, envi, masked):
    array, listed = facts
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / ("c.img" if envi else "c.tif")
        if envi:
            array.tofile(path)
            path.with_suffix(".hdr").write_text(
                f"ENVI\nsamples = 4\nlines = 3\nbands = {array.shape[2]}\ndata type = 2\n"
                "interleave = bip\nbyte order = 0\n"
            )
        else:
            tiff(path, array)
        beside = "".join(
            f'<PAMRasterBand band="{band}">'
            + "".join(f"<{key}>{value}</{key}>" for key, value in said.items())
            + "</PAMRasterBand>"
            for band, said in enumerate(listed, start=1)
        )
        path.with_name(f"{path.name}.aux.xml").write_text(f"<PAMDataset>{beside}</PAMDataset>")
        shown = np.ones(array.shape[:2], bool)
        if masked and not envi:
            shown[:, 0] = False
            with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
                file.write_mask(shown)
        with rasterio.open(path) as file:
            valid = file.read_masks().transpose(1, 2, 0) != 0
            expected = file.read().transpose(1, 2, 0) * np.array(file.scales) + file.offsets
            zero_alone = set(file.nodatavals) == {0.0} and shown.all()
        raw = read_cube_file(path)
        cube = Conversion(None, raw.scale, raw.offset, raw.nodata)(np.asarray(raw.array))
        if raw.valid is not None:
            cube[~raw.valid] = 0
    # 0 for all bands is a usual reflectance in single ones: docs/scenes.md says so.
    good = valid.any(axis=2) if zero_alone else valid.all(axis=2)
    assert np.allclose(cube, np.where(good[..., None], expected, 0))


@st.composite
def headers(draw: st.DrawFn) -> dict[str, str]:
    """Fields that ENVI has for three bands, as text of a header."""

    def listed(values: st.SearchStrategy[object]) -> str:
        length = draw(st.sampled_from([3, 3, 3, 1, 2]))
        items = draw(st.lists(values, min_size=length, max_size=length))
        return "{" + ", ".join(map(str, items)) + "}"

    fields = {
        "wavelength": listed(st.integers(400, 900)),
        "wavelength units": draw(st.sampled_from(["Nanometers", "nm", "Unknown", "Index"])),
        "fwhm": listed(st.integers(1, 20)),
        "bbl": listed(st.integers(0, 1)),
        "data ignore value": str(draw(st.integers(-3, 3))),
        "reflectance scale factor": str(draw(st.sampled_from([1, 100, 10000]))),
        "band names": "{a (410 nm), b (420 nm), c (430 nm)}",
    }
    kept = draw(st.sets(st.sampled_from(sorted(fields))))
    return {key: fields[key] for key in sorted(kept)}


@given(header=headers())
@QUIET
def test_a_geotiff_says_of_its_bands_what_its_domain_of_envi_says(header):
    array = np.arange(24, dtype=np.int16).reshape(2, 4, 3)
    with tempfile.TemporaryDirectory() as name:
        tiff(Path(name) / "c.tif", array)
        with rasterio.open(Path(name) / "c.tif", "r+") as file:
            file.update_tags(
                ns="ENVI", **{key.replace(" ", "_"): value for key, value in header.items()}
            )
        array.tofile(Path(name) / "d.img")
        lines = "\n".join(f"{key} = {value}" for key, value in header.items())
        (Path(name) / "d.hdr").write_text(
            "ENVI\nsamples = 4\nlines = 2\nbands = 3\ndata type = 2\ninterleave = bip\n"
            f"byte order = 0\n{lines}\n"
        )
        ours, theirs = (read_cube_file(Path(name) / file) for file in ("c.tif", "d.hdr"))
    assert facts_of(ours) == facts_of(theirs)
    unused = [note for note in theirs.notes if "not used" in note]
    assert all(note in ours.notes for note in unused)
    for key in ("fwhm", "bbl", "wavelength"):
        used = {"fwhm": ours.widths, "bbl": ours.bad_bands, "wavelength": ours.wavelengths}[key]
        said = any(f"'{key}' of the header" in note for note in ours.notes)
        flags = header.get("bbl", "").strip("{}").split(", ")
        assert key not in header or used is not None or said or key == "wavelength", key
        assert key != "bbl" or key not in header or said or len(used) == flags.count("0")


def facts_of(raw: RawArray) -> str:
    listed = (raw.wavelengths, raw.widths, raw.bad_bands, raw.scale, raw.offset, raw.nodata)
    return json.dumps([value.tolist() if hasattr(value, "tolist") else value for value in listed])


NAMES = ("Gräser", "Rüben früh", "Öde Fläche")
BLANKS = (" ", "\u00a0", "  ", "\u2009", " \u200b")


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """One of the names, as some program writes it."""
    name = draw(st.sampled_from(NAMES)).replace(" ", draw(st.sampled_from(BLANKS)))
    name = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), name)
    ends = st.sampled_from(["", "\u200b", "\ufeff", " ", "\u00a0"])
    return draw(ends) + name + draw(ends)


@given(written=st.lists(spellings(), min_size=1, max_size=12), table=st.booleans())
@QUIET
def test_a_name_in_several_spellings_is_one_class_and_that_is_said(written, table):
    with tempfile.TemporaryDirectory() as name:
        if table:
            path = Path(name) / "l.csv"
            rows = "\n".join(f'{i},0,"{text}"' for i, text in enumerate(written))
            path.write_text(f"row,col,class\n{rows}\n", encoding="utf-8")
        else:
            path = Path(name) / "l.geojson"
            features = [
                {
                    "type": "Feature",
                    "geometry": {"type": "Point", "coordinates": [i, 0]},
                    "properties": {"class": text},
                }
                for i, text in enumerate(written)
            ]
            path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        marks = read_vector_labels(path, None, None)
    assert list(marks.values) == [plain_name(text) for text in written]
    assert set(marks.values) <= set(NAMES)
    several = len({text.strip() for text in written}) > len(set(marks.values))
    assert any("count as one" in note for note in marks.notes) == several
