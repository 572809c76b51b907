"""EnMAP and DESIS: GeoTIFFs ``…-SPECTRAL_IMAGE.TIF`` whose bands are described in the file
``…-METADATA.XML`` beside them.

Source: the importers of EnMAP-Box. Both list an element for each band, with the centre and the
width in nanometres, and gain and offset: value = number · gain + offset.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.errors import SceneError
from hsiaug.data.band_centres import number_of
from hsiaug.data.raw import BandFacts, one_or_all, reading
from hsiaug.data.texts import read_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

IMAGE = re.compile(r"(?P<product>.+)-SPECTRAL_IMAGE(_COG)?", re.IGNORECASE)
"""Names, without their ending, of images that have such a file."""

METADATA = re.compile(r"(.+[-_])?METADATA\.XML", re.IGNORECASE)

MAX_XML_BYTES = 2**25
"""Bytes of such a file, at most."""

SETTLED = 2 * 10**9
"""Nanoseconds after which a folder that changes again has another time of change."""

CENTRE = "wavelengthcenterofband"
WIDTHS = ("fwhmofband", "wavelengthwidthofband")


LAYERS = re.compile(r"(?P<product>.+)-(QL_\w+|METADATA)", re.IGNORECASE)
"""Names, without their ending, of what such products hold beside the image."""


def quality_layers(folder: Path) -> set[str]:
    """Names of files beside an image of EnMAP or DESIS that are neither a cube nor labels."""
    paths = list(folder.iterdir())
    images = (IMAGE.fullmatch(path.stem) for path in paths)
    products = {match["product"] for match in images if match}
    layers = ((path.name, LAYERS.fullmatch(path.stem)) for path in paths)
    return {name for name, match in layers if match and match["product"] in products}


def metadata_beside(image: Path) -> tuple[str, BandFacts] | None:
    """The name of the file beside an image of EnMAP or DESIS, and what it says of the bands; of an
    image with another name, the only such file in its folder; None where there is none.

    Raises SceneError where that file is damaged.
    """
    path = _metadata_file(image)
    try:
        return None if path is None else _read_metadata(path)
    except SceneError:
        if IMAGE.fullmatch(image.stem):
            raise
        return None  # of another instrument, or of another image


def _metadata_file(image: Path) -> Path | None:
    """The file that describes an image; None where there is none."""
    files = [image.with_name(name) for name in _metadata_names(image.parent)]
    match = IMAGE.fullmatch(image.stem)
    if match is not None:
        name = f"{match['product']}-METADATA.XML".lower()
        return next((file for file in files if file.name.lower() == name), None)
    return files[0] if len(files) == 1 else None


def _metadata_names(folder: Path) -> tuple[str, ...]:
    """Names of such files in a folder, which is looked through once until it changes: it may hold
    tens of thousands of images.
    """
    changed = folder.stat().st_mtime_ns
    if time.time_ns() - changed < SETTLED:
        return _list_metadata(folder)
    return _listed_metadata(folder, changed)


def _list_metadata(folder: Path) -> tuple[str, ...]:
    return tuple(file.name for file in folder.iterdir() if METADATA.fullmatch(file.name))


@lru_cache(maxsize=64)
def _listed_metadata(folder: Path, changed: int) -> tuple[str, ...]:
    """The same of a folder that changed last at a time in nanoseconds."""
    return _list_metadata(folder)


def _read_metadata(path: Path) -> tuple[str, BandFacts]:
    with reading(path, "EnMAP or DESIS metadata"):
        root = read_xml(path, MAX_XML_BYTES)
        bands = [values for element in root.iter() if CENTRE in (values := _children(element))]
        if not bands:
            raise ValueError("no band with a `wavelengthCenterOfBand`")
        centres = np.array([_number(band, CENTRE) for band in bands])
        widths = np.array([_number(band, *WIDTHS) for band in bands])
        gains = [_number(band, "gainofband") for band in bands]
        offsets = [_number(band, "offsetofband") for band in bands]
        scaled = bool(np.isfinite(gains).all() and np.all(gains))
        shifted = scaled and bool(np.isfinite(offsets).all())
        facts = BandFacts(
            wavelengths=np.where(centres > 0, centres, np.nan),
            widths=np.where(widths > 0, widths, np.nan),
            scale=one_or_all(gains) if scaled else None,
            offset=one_or_all(offsets) if shifted else 0.0,
            nodata=_background(root),
            units="reflectance" if "L2A" in (path.name.upper() + _level(root)) else None,
            notes=(f"bands, scale and no data are those of {path.name}",),
        )
        return path.name, facts


def _children(element: Element) -> dict[str, str]:
    """Texts of the children of an element, by their names in lower case without a namespace."""
    return {child.tag.rpartition("}")[2].lower(): child.text or "" for child in element}


def _number(values: dict[str, str], *keys: str) -> float:
    """The number under the first of these keys that is there, NaN where there is none."""
    number = next((number_of(values[key]) for key in keys if key in values), None)
    return np.nan if number is None else number


def _level(root: Element) -> str:
    """The level of the product, in capital letters."""
    names = ("level", "producttype")
    texts = (
        element.text or ""
        for element in root.iter()
        if element.tag.rpartition("}")[2].lower() in names
    )
    return " ".join(texts).upper()


def _background(root: Element) -> float | None:
    for element in root.iter():
        if element.tag.rpartition("}")[2].lower() == "backgroundvalue":
            return number_of(element.text)
    return None
