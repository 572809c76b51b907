"""The keys of all formats that are read, and what becomes of each: the table of docs/keys.md."""

from __future__ import annotations

import re
from dataclasses import dataclass

APPLIED, IGNORED = "applied", "ignored"
ENVI, GEOTIFF, BESIDE = "ENVI header", "GeoTIFF", ".aux.xml"
METADATA = "METADATA.XML of EnMAP, DESIS"
MATLAB, MATLAB_HDF, NUMPY, ARCHIVE = ".mat", "HDF5 .mat (7.3)", ".npy", ".npz"
PICTURE, TABLE, XARRAY = "PNG, BMP", "table of pixels", "DataArray"
LAYER, GEOJSON = "GeoPackage, shapefile, FlatGeobuf", "GeoJSON"
REGIONS, REGIONS_TEXT, MARKS = "ENVI ROI (.xml)", "ENVI ROI (text)", "table of labels"
UNKNOWN = "no such key is known"
READ_ARRAY, OTHER_ARRAYS = "array that is read", "other arrays"
PLACE_COLUMNS, BAND_COLUMNS, OTHER_COLUMNS = "columns of a place", "columns of bands", "others"


@dataclass(frozen=True)
class KeyRule:
    """What becomes of some keys of a format.

    Attributes
    ----------
    format : str
        As one of the constants above, or the name of a product.
    keys : tuple of str
        As the format has them; of an ENVI header in small letters. Of HDF5, "ITEM" is a dataset and
        "ITEM@NAME" an attribute. "*" stands for any part of a name.
    outcome : {"applied", "ignored"}
        Whether they change what is read.
    why : str
        As what they are read, or why they are not.
    """

    format: str
    keys: tuple[str, ...]
    outcome: str
    why: str


TANAGER_CUBES = ("*/surface_reflectance", "*/toa_radiance")
"""The two cubes of which the first that is there is read."""


def _of_cube(attribute: str) -> tuple[str, ...]:
    """An attribute of both cubes of Tanager."""
    return tuple(f"{cube}{attribute}" for cube in TANAGER_CUBES)


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
        (
            "TIFFTAG_*",
            "COMPRESSION",
            "INTERLEAVE",
            "LAYOUT",
            "OVERVIEW_RESAMPLING",
            "STATISTICS_*",
            "Band_*",
        ),
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
    KeyRule(
        METADATA,
        ("wavelengthcenterofband",),
        APPLIED,
        "band centres, where the tags of the image say none",
    ),
    KeyRule(METADATA, ("fwhmofband", "wavelengthwidthofband"), APPLIED, "band widths"),
    KeyRule(
        METADATA,
        ("gainofband", "offsetofband"),
        APPLIED,
        "value = number · gain + offset, of bands",
    ),
    KeyRule(METADATA, ("backgroundvalue",), APPLIED, "pixels without data"),
    KeyRule(METADATA, ("level", "producttype"), APPLIED, "units of the values: of L2A reflectance"),
    KeyRule(
        MATLAB,
        (READ_ARRAY,),
        APPLIED,
        "the one that `cube_key` or `labels_key` names, or the only one that fits",
    ),
    KeyRule(MATLAB, (OTHER_ARRAYS,), IGNORED, "another array is read"),
    KeyRule(MATLAB, ("header",), IGNORED, "it changes no number"),
    KeyRule(MATLAB_HDF, (READ_ARRAY,), APPLIED, "as in .mat, with its axes in MATLAB's order"),
    KeyRule(MATLAB_HDF, (OTHER_ARRAYS,), IGNORED, "another array is read"),
    KeyRule(
        MATLAB_HDF,
        ("*@MATLAB_class", "*@MATLAB_empty", "*@MATLAB_sparse"),
        APPLIED,
        "whether it is a plain array of numbers; others are refused",
    ),
    KeyRule(
        MATLAB_HDF,
        ("*@MATLAB_int_decode", "*@MATLAB_fields", "*@MATLAB_object_decode", "*@H5PATH", "#*"),
        IGNORED,
        "it changes no number",
    ),
    KeyRule(NUMPY, ("descr", "fortran_order", "shape"), APPLIED, "layout of the numbers"),
    KeyRule(ARCHIVE, ("array",), IGNORED, "refused, with a command that saves one array as .npy"),
    KeyRule(PICTURE, ("layout",), APPLIED, "size, bits and channels"),
    KeyRule(PICTURE, ("transparency",), APPLIED, "pixels without data"),
    KeyRule(PICTURE, ("palette",), IGNORED, "codes are read, not colours"),
    KeyRule(PICTURE, ("*",), IGNORED, "it changes no number"),
    KeyRule(
        TABLE,
        (PLACE_COLUMNS,),
        APPLIED,
        "`row`, `col`, `x`, `y`, `lon`, `lat` and the like: the pixel",
    ),
    KeyRule(
        TABLE, (BAND_COLUMNS,), APPLIED, "by their centre (`450.5`, `450 nm`) or number (`b1`)"
    ),
    KeyRule(TABLE, (OTHER_COLUMNS,), IGNORED, "no band of the cube"),
    KeyRule(LAYER, ("layer",), APPLIED, "the one that `labels_key` names, or the only one"),
    KeyRule(LAYER, ("coordinate system",), APPLIED, "of the shapes, unless `crs` names another"),
    KeyRule(
        LAYER, ("attribute of the class",), APPLIED, "the one that `field` names, or a usual name"
    ),
    KeyRule(LAYER, ("other attributes", "heights", "styles"), IGNORED, "they say no class"),
    KeyRule(GEOJSON, ("crs",), APPLIED, "of the shapes, unless `crs` names another; else degrees"),
    KeyRule(
        GEOJSON, ("property of the class",), APPLIED, "the one that `field` names, or a usual name"
    ),
    KeyRule(GEOJSON, ("other properties", "id", "bbox", "name"), IGNORED, "they say no class"),
    KeyRule(REGIONS, ("Region name",), APPLIED, "the class"),
    KeyRule(REGIONS, ("CoordSysStr",), APPLIED, "of the shapes; none: columns and rows of pixels"),
    KeyRule(REGIONS, ("Region color",), IGNORED, "it changes no label"),
    KeyRule(REGIONS_TEXT, ("ROI name", "ROI npts", "X", "Y"), APPLIED, "class and pixel"),
    KeyRule(REGIONS_TEXT, ("File Dimension",), APPLIED, "must be the size of the cube"),
    KeyRule(REGIONS_TEXT, ("ROI rgb value", "other columns"), IGNORED, "they change no label"),
    KeyRule(MARKS, ("columns of a place", "column of the class"), APPLIED, "the pixel; its class"),
    KeyRule(MARKS, (OTHER_COLUMNS,), IGNORED, "they say no class"),
    KeyRule("PRISMA L2D", ("*/VNIR_Cube", "*/SWIR_Cube"), APPLIED, "the cube; 0 in all is no data"),
    KeyRule("PRISMA L2D", ("@List_Cw_Vnir", "@List_Cw_Swir"), APPLIED, "band centres"),
    KeyRule("PRISMA L2D", ("@List_Fwhm_Vnir", "@List_Fwhm_Swir"), APPLIED, "band widths"),
    KeyRule(
        "PRISMA L2D",
        ("@List_Cw_Vnir_Flags", "@List_Cw_Swir_Flags"),
        APPLIED,
        "bands of 0 are left out",
    ),
    KeyRule(
        "PRISMA L2D",
        ("@L2ScaleVnirMin", "@L2ScaleVnirMax", "@L2ScaleSwirMin", "@L2ScaleSwirMax"),
        APPLIED,
        "the reflectance of 0 and of 65535",
    ),
    KeyRule(
        "PRISMA L2D",
        (
            *("@Product_ULcorner_easting", "@Product_ULcorner_northing"),
            *("@Product_LRcorner_easting", "@Product_LRcorner_northing", "@Epsg_Code"),
        ),
        APPLIED,
        "place on Earth",
    ),
    KeyRule("PRISMA L2D", ("*ERR_MATRIX*",), IGNORED, "erroneous pixels are not left out"),
    KeyRule("EMIT L2A", ("reflectance",), APPLIED, "the cube"),
    KeyRule(
        "EMIT L2A",
        ("reflectance@_FillValue", "reflectance@missing_value"),
        APPLIED,
        "pixels without data",
    ),
    KeyRule(
        "EMIT L2A",
        ("reflectance@scale_factor", "reflectance@add_offset"),
        APPLIED,
        "value = number · scale_factor + add_offset",
    ),
    KeyRule(
        "EMIT L2A",
        ("sensor_band_parameters/wavelengths", "sensor_band_parameters/wavelengths@units"),
        APPLIED,
        "band centres",
    ),
    KeyRule("EMIT L2A", ("sensor_band_parameters/fwhm",), APPLIED, "band widths"),
    KeyRule(
        "EMIT L2A", ("sensor_band_parameters/good_wavelengths",), APPLIED, "bands of 0 are dropped"
    ),
    KeyRule(
        "EMIT L2A",
        ("location/glt_x", "location/glt_y"),
        APPLIED,
        "which pixel of the sensor lies where on the grid",
    ),
    KeyRule("EMIT L2A", ("@geotransform", "@spatial_ref"), APPLIED, "place on Earth"),
    KeyRule("Tanager", TANAGER_CUBES, APPLIED, "the cube: reflectance, else radiance"),
    KeyRule("Tanager", _of_cube("@wavelengths"), APPLIED, "band centres"),
    KeyRule("Tanager", _of_cube("@fwhm"), APPLIED, "band widths"),
    KeyRule("Tanager", _of_cube("@good_wavelengths"), APPLIED, "bands of 0 are dropped"),
    KeyRule(
        "Tanager",
        (*_of_cube("@_FillValue"), *_of_cube("@missing_value"), "*/nodata_pixels"),
        APPLIED,
        "pixels without data",
    ),
    KeyRule(
        "Tanager",
        (*_of_cube("@scale_factor"), *_of_cube("@add_offset")),
        APPLIED,
        "value = number · scale_factor + add_offset",
    ),
    KeyRule(
        "Tanager (ortho)",
        ("HDFEOS INFORMATION/StructMetadata.0", "*@epsg_code"),
        APPLIED,
        "place on Earth",
    ),
    KeyRule("HYPSO", ("products/*",), APPLIED, "the cube: the one with wavelengths"),
    KeyRule(
        "HYPSO",
        ("products/*@wavelengths", "products/*@wavelength_units"),
        APPLIED,
        "band centres",
    ),
    KeyRule("HYPSO", ("products/*@fwhm",), APPLIED, "band widths"),
    KeyRule("HYPSO", ("products/*@units",), APPLIED, "units of the values"),
    KeyRule(
        "HYPSO",
        ("products/*@_FillValue", "products/*@missing_value"),
        APPLIED,
        "pixels without data",
    ),
    KeyRule(
        "HYPSO",
        ("products/*@scale_factor", "products/*@add_offset"),
        APPLIED,
        "value = number · scale_factor + add_offset",
    ),
    KeyRule(XARRAY, ("coordinate wavelength", "its units"), APPLIED, "band centres"),
    KeyRule(XARRAY, ("dimension band",), APPLIED, "the bands, without a coordinate wavelength"),
    KeyRule(
        XARRAY,
        ("coordinates of pixels",),
        APPLIED,
        "labels with coordinates are put in their order; the scene has no place on Earth",
    ),
    KeyRule(
        XARRAY,
        ("grid_mapping", "spatial_ref", "crs", "crs_wkt"),
        APPLIED,
        "compared with those of the labels",
    ),
    KeyRule(
        XARRAY,
        ("scale_factor", "scales", "add_offset", "offsets"),
        APPLIED,
        "value = number · scale + offset, of each band",
    ),
    KeyRule(
        XARRAY,
        ("_FillValue", "missing_value", "nodata", "nodatavals"),
        APPLIED,
        "pixels without data; several must be one number",
    ),
    KeyRule(
        XARRAY, ("valid_min", "valid_max", "valid_range"), APPLIED, "numbers outside are no data"
    ),
    KeyRule(
        XARRAY,
        (
            *("wavelength", "wavelength units", "bbl", "band names", "data ignore value"),
            *("reflectance scale factor", "data gain values", "data offset values"),
            *("data reflectance gain values", "data reflectance offset values"),
        ),
        APPLIED,
        "as of an ENVI header, where the keys above say nothing",
    ),
    KeyRule(XARRAY, ("fwhm",), IGNORED, "a card has no band widths"),
    KeyRule(XARRAY, ("units",), APPLIED, "units of the values"),
    KeyRule(
        XARRAY,
        (
            *("long_name", "standard_name", "description", "title", "history", "source"),
            *("comment", "references", "institution", "conventions", "coordinates", "date"),
            *("AREA_OR_POINT", "area or point", "TIFFTAG_*", "STATISTICS_*", "Band_*"),
            *("LAYER_TYPE", "LAYERTYPE", "RepresentationType", "OVR_RESAMPLING_ALG"),
            *("samples", "lines", "bands", "interleave", "file type", "data type", "byte order"),
            *("header offset", "sensor type", "map info", "transform", "res", "is_tiled"),
            *("coordinate system string", "acquisition time", "default bands"),
        ),
        IGNORED,
        "it changes no number",
    ),
)
"""All keys that are known, by format; of several rules that fit a key the first counts."""


def key_table() -> str:
    """The rules as a table of Markdown."""
    lines = ["| file | key | | what becomes of it |", "|---|---|---|---|"]
    for rule in RULES:
        keys = ", ".join(f"`{key}`" for key in rule.keys)
        lines.append(f"| {rule.format} | {keys} | {rule.outcome} | {rule.why} |")
    return "\n".join(lines)


def rule_of(format: str, key: str) -> KeyRule | None:
    """The rule for a key of a format; None where none is known.

    Parameters
    ----------
    format : str
        That of a kind of product, as "Tanager (ortho)", has the rules of "Tanager" too.
    """
    formats = format, format.partition(" (")[0]
    for rule in RULES:
        if rule.format in formats and any(_fits(pattern, key) for pattern in rule.keys):
            return rule
    return None


def _fits(pattern: str, key: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^@]*"), key) is not None
