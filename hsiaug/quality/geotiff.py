"""GeoTIFFs of what was made here: synthetic tiles, which lie nowhere, and maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.georeference import Georeference, quiet


def write_geotiff(
    path: Path,
    image: NDArray[np.generic],
    ground: Georeference | None = None,
    describe: Callable[[Any], None] | None = None,
    **profile: Any,
) -> Path:
    """Write an image (B, H, W), where ``ground`` says it lies. describe: adds colours and tags to the open file."""
    count, height, width = image.shape
    size = {"count": count, "height": height, "width": width, "dtype": image.dtype.name}
    with quiet() as rasterio:
        if ground is not None:
            profile.update(transform=rasterio.Affine(*ground.transform), crs=ground.crs or None)
        # In memory first: GDAL does not tell of a full disk when it closes a file.
        with rasterio.MemoryFile() as memory:
            with memory.open(driver="GTiff", **size, **profile) as file:
                file.write(image)
                if describe is not None:
                    describe(file)
            path.write_bytes(memory.read())
    return path
