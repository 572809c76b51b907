"""What files declare of themselves, key by key, and what becomes of it.

What becomes of a key is said in ``keys.csv`` (:mod:`hsiaug.data.key_rules`); ``hsiaug datasets
info`` lists the keys of the files of a scene.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hsiaug.base.errors import HsiaugError
from hsiaug.base.text import in_runs
from hsiaug.data.auxiliary import MAX_AUXILIARY_BYTES
from hsiaug.data.catalogue import SceneEntry, files_of
from hsiaug.data.endings import ARRAYS, HDF, PICTURES, TIFF
from hsiaug.data.envi_header import field_name, read_header
from hsiaug.data.georeference import open_geotiff, quiet
from hsiaug.data.key_rules import BESIDE, ENVI, GEOTIFF, METADATA, rule_of
from hsiaug.data.products import product_keys
from hsiaug.data.products.enmap_desis import metadata_elements
from hsiaug.data.readers import read_cube_file, read_labels_array
from hsiaug.data.readers_envi import find_envi
from hsiaug.data.readers_tiff import masked_bands
from hsiaug.data.tables import TABLES
from hsiaug.data.texts import read_xml

LONGEST_VALUE = 60
LOOKED_AT = 2**26
"""Bytes of a file that is copied into memory for the notes on it, at most."""
COPIED = (*TIFF, *HDF)
"""Endings of files whose numbers are copied when they are read."""
NUMBERS_ALONE = (*ARRAYS, *PICTURES, *TABLES)
"""Endings of files of which no key is listed."""


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


def declared_keys(path: Path, notes: Iterable[str] = ()) -> list[DeclaredKey]:
    """All that a file declares and those beside it that are read with it; none of a damaged one,
    and of arrays, pictures and tables, which hold numbers alone.

    Parameters
    ----------
    notes : iterable of str
        Sentences of its reader: one that names a key in quotes, or a file, and says that it is not
        used, is what became of it.
    """
    try:
        found = list(_found(path))
    except (HsiaugError, OSError, ValueError):
        return []
    unused = [note for note in notes if "not used" in note]
    listed = []
    for entry in found:
        name = entry.key.partition(":")[2] or entry.key
        quoted = (f"'{name}'", f"{entry.file} is not used")
        note = next((note for note in unused if any(text in note for text in quoted)), "")
        rule = rule_of(entry.format, entry.key)
        outcome = "ignored: no such key is known"
        if rule is not None:
            outcome = f"{rule.outcome}: {rule.why}"
        if note:
            outcome = f"ignored: {note}"
        listed.append(DeclaredKey(entry.file, entry.key, _short(entry.value), outcome))
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
            if path.suffix.lower() in NUMBERS_ALONE:
                continue
            with suppress(HsiaugError):
                if path.stat().st_size <= LOOKED_AT or path.suffix.lower() not in COPIED:
                    notes = read(path, key=spec.key, data=spec.data).notes
            listed |= dict.fromkeys(declared_keys(path, notes))
    return list(listed)


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 2]} …"


class _Found(NamedTuple):
    """A key in a file, with its value there."""

    format: str
    file: str
    key: str
    value: object


def _found(path: Path) -> Iterator[_Found]:
    suffix = path.suffix.lower()
    if suffix in TIFF:
        yield from _of_tiff(path)
        yield from _beside(path)
        header = path.with_suffix(".hdr")
        if header.is_file():
            yield from _of_header(header)
        for file, name, text in metadata_elements(path):
            yield _Found(METADATA, file, name, text)
    elif suffix in HDF:
        product, keys = product_keys(path)
        yield from (_Found(product, path.name, name, value) for name, value in keys)
    elif suffix not in NUMBERS_ALONE and (pair := find_envi(path, None)):
        yield from _of_header(pair[0])
        yield from _beside(pair[1])


def _of_header(path: Path) -> Iterator[_Found]:
    for key, value in read_header(path).items():
        shown = f"{len(value)} entries: {', '.join(value)}" if isinstance(value, list) else value
        yield _Found(ENVI, path.name, key, shown)


def _of_tiff(path: Path) -> Iterator[_Found]:
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
            "mask": "there" if masked_bands(file, file.indexes) else "",
        }
        yield from (_Found(GEOTIFF, path.name, key, value) for key, value in facts.items() if value)
        for domain in (None, *file.tag_namespaces()):
            if domain in ("IMAGE_STRUCTURE", "DERIVED_SUBDATASETS"):
                continue
            for key, value in file.tags(ns=domain).items():
                name = key if domain is None else f"{domain}:{field_name(key)}"
                yield _Found(GEOTIFF, path.name, name, value)
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
            yield _Found(GEOTIFF, path.name, name, f"of bands {in_runs(bands, 2)}")


def _beside(path: Path) -> Iterator[_Found]:
    auxiliary = path.with_name(f"{path.name}.aux.xml")
    if not auxiliary.is_file():
        return
    root = read_xml(auxiliary, MAX_AUXILIARY_BYTES)
    for element in root:
        if element.tag != "PAMRasterBand":
            yield _Found(BESIDE, auxiliary.name, element.tag, "".join(element.itertext()))
    bands: dict[str, list[int]] = {}
    for band in root.iter("PAMRasterBand"):
        for element in band:
            bands.setdefault(element.tag, []).append(int(band.get("band", "1")))
    for tag, numbers in bands.items():
        value = f"of bands {in_runs(sorted(np.unique(numbers)), 2)}"
        yield _Found(BESIDE, auxiliary.name, tag, value)
