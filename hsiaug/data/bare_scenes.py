"""A cube of which no label is known yet, without a card."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from hsiaug.core.scene import Descriptions, UnlabelledScene
from hsiaug.data.cube_check import look_through, read_values
from hsiaug.data.georeference import Georeference, read_declared
from hsiaug.data.raw import convert_cube
from hsiaug.data.readers import must_exist, read_cube_file

CUBES = (".hdr", ".tif", ".tiff", ".mat", ".npy", ".img", ".dat", ".raw", ".bsq", ".bil", ".bip")
"""Endings of files that are taken for a cube."""


def bare_scene(path: Path) -> tuple[UnlabelledScene, Georeference | None, dict[str, str]]:
    """The cube of a file (axes: height, width, bands) as 'hsiaug datasets add' would read it without any setting, its
    place on Earth, and what is a guess, by key of the card. It has no class.

    Raises SceneError where the file is missing or damaged.
    """
    must_exist(path)
    said = read_declared(path)
    ground = said.ground
    raw = read_cube_file(path)
    seen = look_through(raw.array, said.nodata, said.bad_bands, str(path))
    read = read_values(raw, seen, said, None, None, ())
    kept = [band for band in range(seen.shape[2]) if band not in read.bad_bands]
    cube = convert_cube(
        raw.array,
        str(path),
        bands=kept if read.bad_bands else None,
        scale=raw.scale if read.scale is None else read.scale,
        offset=read.offset,
        nodata=None if not seen.unfilled else math.nan if said.nodata is None else said.nodata,
    )
    known = read.centres is not None and len(read.centres) == seen.shape[2]
    centres = np.array(read.centres, dtype=np.float64)[kept] if known else None
    metres = None if ground is None else ground.metres
    scene = UnlabelledScene(cube, (), centres, metres, read.units, Descriptions({}))
    return scene, ground, read.remarks
