"""What a look at a scene's spectra says of its labels."""

from __future__ import annotations

from hsiaug.core.scene import Scene
from hsiaug.data.far_pixels import far_warnings
from hsiaug.data.label_shift import shift_warnings


def label_warnings(scene: Scene) -> list[str]:
    """Sentences on labels that are shifted, and on pixels that are broken; none where all is
    well.
    """
    return [*shift_warnings(scene), *far_warnings(scene)]
