"""Small files with the structure of products of imaging spectrometers, of a scene that is known.

Datasets, attributes and their types are those that the agencies' documents and the readers of
other projects name; no byte is of a real product.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import rasterio

from hsiaug.data import toy_scene

HEIGHT, WIDTH, BANDS = 40, 32, 12
SCENE = toy_scene(seed=3, height=HEIGHT, width=WIDTH, bands=BANDS, classes=3)
CUBE = np.clip(SCENE.cube, 0.01, 0.95).astype(np.float32)
"""(40, 32, 12) reflectance."""
LABELS = SCENE.labels.astype(np.uint8)
NM = np.linspace(420.0, 970.0, BANDS).round(2)
WIDTHS = np.linspace(8.0, 12.0, BANDS).round(2)
LEFT, TOP = 500000.0, 5400000.0
EMPTY = np.zeros((HEIGHT, WIDTH), dtype=bool)
EMPTY[:, -3:] = True
"""Pixels without data."""


@dataclass(frozen=True)
class Made:
    """A file, and what is to be read from it.

    cube: (H, W, B) reflectance, of pixels without data 0. labels: (H, W) on its grid. metres: sides
    of a pixel, None where it has no place. x, y: of the outer corner of pixel (0, 0). dropped:
    bands, counted from 0, that are bad.
    """

    path: Path
    cube: np.ndarray
    labels: np.ndarray
    nm: np.ndarray
    epsg: int | None
    metres: float | None
    x: float = 0.0
    y: float = 0.0
    dropped: tuple[int, ...] = ()


def _blank(cube: np.ndarray = CUBE) -> np.ndarray:
    return np.where(EMPTY[:, :, None], np.float32(0), cube)


def prisma(folder: Path) -> Made:
    """VNIR 420–720 nm and SWIR 670–970 nm, each from long to short waves, with bands of centre 0;
    scales of their own.
    """
    path = folder / "PRS_L2D_STD_20200101101010_20200101101014_0001.he5"
    ranges = {"Vnir": (0.0, 1.2, slice(0, 7)), "Swir": (-0.05, 1.0, slice(7, 12))}
    centres = NM.copy()
    centres[6], centres[7] = NM[7], NM[6]  # the detectors overlap by a band each
    read = np.empty_like(CUBE)
    with h5py.File(path, "w") as file:
        fields = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"
        for detector, (low, high, bands) in ranges.items():
            stored = np.rint((CUBE[:, :, bands] - low) / (high - low) * 65535).clip(1, 65535)
            stored[EMPTY] = 0
            read[:, :, bands] = stored / 65535 * (high - low) + low
            reverse = stored[:, :, ::-1].astype("<u2")
            unused = np.zeros((HEIGHT, WIDTH, 2), "<u2")
            cube = np.concatenate([unused, reverse], axis=2).transpose(0, 2, 1)
            file[f"{fields}/{detector.upper()}_Cube"] = cube
            file[f"{fields}/{detector.upper()}_PIXEL_L2_ERR_MATRIX"] = np.zeros(cube.shape, "u1")
            absent = [0.0, 0.0]
            file.attrs[f"List_Cw_{detector}"] = np.float32([*absent, *centres[bands][::-1]])
            file.attrs[f"List_Fwhm_{detector}"] = np.float32([*absent, *WIDTHS[bands][::-1]])
            file.attrs[f"List_Cw_{detector}_Flags"] = np.int32([0, 0, *np.ones(len(WIDTHS[bands]))])
            file.attrs[f"L2Scale{detector}Min"] = np.float32(low)
            file.attrs[f"L2Scale{detector}Max"] = np.float32(high)
        file.attrs["Processing_Level"] = np.bytes_("2D")
        file.attrs["Epsg_Code"] = np.int32(32633)
        # Of the centres of the outermost pixels.
        file.attrs["Product_ULcorner_easting"] = LEFT + 15
        file.attrs["Product_ULcorner_northing"] = TOP - 15
        file.attrs["Product_LRcorner_easting"] = LEFT + 30 * WIDTH - 15
        file.attrs["Product_LRcorner_northing"] = TOP - 30 * HEIGHT + 15
    order = np.argsort(centres)
    cube = _blank(read)[:, :, order]
    return Made(path, cube, LABELS, centres[order], 32633, 30.0, LEFT, TOP)


def emit(folder: Path) -> Made:
    """The sensor saw the scene turned by 180 degrees; the grid lacks its last columns and repeats
    one row.
    """
    path = folder / "EMIT_L2A_RFL_001_20230316T045133_2307503_005.nc"
    rows, columns = np.indices((HEIGHT, WIDTH))
    rows[5] = rows[4]
    glt_x, glt_y = WIDTH - columns, HEIGHT - rows  # from 1 on
    glt_x[EMPTY], glt_y[EMPTY] = 0, 0
    good = np.ones(BANDS)
    good[[3, 8]] = 0
    with h5py.File(path, "w") as file:
        stored = CUBE[::-1, ::-1].copy()
        stored[:, :, [3, 8]] = -0.01
        cube = file.create_dataset("reflectance", data=stored, chunks=True, compression="gzip")
        cube.attrs["_FillValue"] = np.float32([-9999])
        cube.attrs["units"] = "unitless"
        file["sensor_band_parameters/wavelengths"] = NM.astype("f4")
        file["sensor_band_parameters/wavelengths"].attrs["units"] = "nm"
        file["sensor_band_parameters/fwhm"] = WIDTHS.astype("f4")
        file["sensor_band_parameters/good_wavelengths"] = good
        file["location/glt_x"] = glt_x.astype("i4")
        file["location/glt_y"] = glt_y.astype("i4")
        file.attrs["geotransform"] = [13.0, 0.0005, 0.0, 52.0, 0.0, -0.0005]
        file.attrs["spatial_ref"] = rasterio.CRS.from_epsg(4326).to_wkt()
    labels = np.where(EMPTY, 0, LABELS)
    cube, labels = _blank(CUBE[rows, columns]), labels[rows, columns]
    return Made(path, cube, labels, NM, 4326, None, 13.0, 52.0, dropped=(3, 8))


ENMAP_BAND = """<bandID number="{number}">
 <wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand><FWHMOfBand>{width}</FWHMOfBand>
 <GainOfBand>0.0001</GainOfBand><OffsetOfBand>0</OffsetOfBand>
</bandID>"""
ENMAP = """<?xml version="1.0" encoding="UTF-8"?>
<level_X xmlns="http://www.enmap.org"><base><level>L2A</level></base><specific>
<backgroundValue>-32768</backgroundValue>
<bandCharacterisation>{bands}</bandCharacterisation></specific>
<product><bandStatistics><bandID number="1"><mean>1</mean></bandID></bandStatistics></product>
</level_X>"""
DESIS_BAND = """<band><bandNumber>{number}</bandNumber>
 <wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>
 <wavelengthWidthOfBand>{width}</wavelengthWidthOfBand><response>0.1, 0.9</response>
 <gainOfBand>0.0001</gainOfBand><offsetOfBand>0.0</offsetOfBand></band>"""
DESIS = """<hsi_doc><base><mission>DESIS</mission><productType>L2A</productType></base><specific>
<backgroundValue>-32768</backgroundValue>
<bandCharacterization>{bands}</bandCharacterization></specific></hsi_doc>"""


def _geotiff(folder: Path, product: str, document: str, band: str, endings: list[str]) -> Made:
    path = folder / f"{product}-SPECTRAL_IMAGE{endings[0]}"
    stored = np.rint(CUBE * 10000).astype("i2")
    stored[EMPTY] = -32768
    profile = {"driver": "GTiff", "height": HEIGHT, "width": WIDTH, "count": BANDS}
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(30, 0, LEFT, 0, -30, TOP)}
    with rasterio.open(path, "w", **profile, dtype="int16", **place) as file:
        file.write(stored.transpose(2, 0, 1))
    bands = "".join(
        band.format(number=number, centre=centre, width=width)
        for number, (centre, width) in enumerate(zip(NM, WIDTHS, strict=True), start=1)
    )
    document = document.format(bands=bands)
    (folder / f"{product}-METADATA{endings[1]}").write_text(document, encoding="utf-8")
    cube = np.where(EMPTY[:, :, None], 0, stored * 0.0001)
    return Made(path, cube, LABELS, NM, 32633, 30.0, LEFT, TOP)


def enmap(folder: Path) -> Made:
    """A GeoTIFF without tags, and its metadata."""
    name = "ENMAP01-____L2A-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z"
    return _geotiff(folder, name, ENMAP, ENMAP_BAND, [".TIF", ".XML"])


def desis(folder: Path) -> Made:
    """A GeoTIFF without tags, and its metadata."""
    name = "DESIS-HSI-L2A-DT1203190212_025-20191203T021128-V0210"
    return _geotiff(folder, name, DESIS, DESIS_BAND, [".tif", ".xml"])


def aviris_ng(folder: Path) -> Made:
    """ENVI: BIL, data file without an ending, a rotated grid."""
    path = folder / "ang20180202t045109_corr_v2p9_img"
    stored = np.where(EMPTY[:, :, None], np.float32(-9999), CUBE)
    path.write_bytes(np.ascontiguousarray(stored.transpose(0, 2, 1)).astype("<f4").tobytes())
    listed = {"wavelength": NM, "fwhm": WIDTHS}
    texts = {key: ", ".join(f"{value:.6f}" for value in values) for key, values in listed.items()}
    path.with_name(f"{path.name}.hdr").write_text(
        f"ENVI\ndescription = {{ AVIRIS-NG reflectance }}\nsamples = {WIDTH}\nlines = {HEIGHT}\n"
        f"bands = {BANDS}\nheader offset = 0\nfile type = ENVI Standard\ndata type = 4\n"
        "interleave = bil\nbyte order = 0\nwavelength units = Nanometers\n"
        f"map info = {{ UTM , 1 , 1 , {LEFT} , {TOP} , 8.1 , 8.1 , 33 , North , WGS-84 , units=Meters"
        " , rotation=-78.00000000 }\ndata ignore value = -9999\n"
        + "".join(f"{key} = {{ {text} }}\n" for key, text in texts.items())
    )
    return Made(path, _blank(), LABELS, NM, 32633, 8.1, LEFT, TOP)


MAKERS: tuple[Callable[[Path], Made], ...] = (
    prisma,
    enmap,
    desis,
    emit,
    aviris_ng,
)
