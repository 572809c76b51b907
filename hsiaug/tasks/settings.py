"""What is run of a task where the user leaves it open. Help prints these values: nothing here loads
a numerical library before data are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hsiaug.core.view_names import DEFAULT_VIEW, RAW, view_or_raw
from hsiaug.protocol.balance import DEFAULT_TIMES

if TYPE_CHECKING:
    from hsiaug.core.pairs import PairSet
    from hsiaug.core.scene import Scene

PROTOCOL = "issd"
"""Of pixels; of masks it depends on the data."""
PATCH = 9
"""Side of patches in pixels; that of tiles depends on the data."""
TIMES = DEFAULT_TIMES
"""M for pixels; for masks it is 0."""
VIEW = DEFAULT_VIEW
"""Spectral view for pixels with enough bands; raw for all others."""
TILES = ((256, 64), (90, 32))
"""Least side of the smallest place, and the side of tiles then; 16 of smaller ones."""


@dataclass(frozen=True)
class Defaults:
    """What holds for a task on some data where nothing is said.

    Attributes
    ----------
    protocol : str
        As typed.
    widest : str
        The protocol that trains on most labels: none trains on every one.
    patch : int
        Side of patches or tiles in pixels.
    generators : tuple of str
        The first makes the samples outside a benchmark too.
    times : tuple of float
        M.
    """

    protocol: str
    widest: str
    patch: int
    generators: tuple[str, ...]
    classifiers: tuple[str, ...]
    views: tuple[str, ...]
    times: tuple[float, ...]


@dataclass(frozen=True)
class AdviceSettings:
    """What ``hsiaug advise`` tries of a task.

    Attributes
    ----------
    classifiers : tuple of str
        Beside the usual ones.
    lambdas : str
        Rates, as typed.
    divides_labels : bool
        Whether inner splits may divide all labelled pixels, and be made harder: single pixels lie
        apart or together, tiles do not.
    """

    classifiers: tuple[str, ...] = ()
    lambdas: str = "1,4,8"
    divides_labels: bool = False


@dataclass(frozen=True)
class PixelSettings:
    """Single pixels of a scene. view: of spectra with enough bands."""

    generators: tuple[str, ...]
    classifiers: tuple[str, ...]
    view: str = VIEW
    advice: AdviceSettings = AdviceSettings()

    def on(self, data: Scene) -> Defaults:
        """The defaults on these data, a scene or a set of pairs."""
        return Defaults(
            protocol=PROTOCOL,
            # Nine tenths of each class.
            widest=f"{PROTOCOL}:0.9",
            patch=PATCH,
            generators=self.generators,
            classifiers=self.classifiers,
            views=(view_or_raw(self.view, data.bands),),
            times=(TIMES,),
        )


@dataclass(frozen=True)
class TileSettings:
    """Tiles of images with masks, which the usual protocol trains on nearly all of."""

    generators: tuple[str, ...]
    classifiers: tuple[str, ...]
    advice: AdviceSettings = AdviceSettings()

    def on(self, data: PairSet) -> Defaults:
        side = min(min(place.mask.shape) for place in data.places)
        divided = {"train", "test"} <= {place.part for place in data.places}
        # Two blocks across: fewer would be none, and more leave little room for tiles.
        protocol = f"blocks:{max(1, side // 2)}"
        if divided:
            most = data.train_tiles
            many = most is not None and sum(p.part == "train" for p in data.places) > most
            protocol = f"places:{most}" if many else "places"
        return Defaults(
            protocol=protocol,
            widest=protocol,
            patch=data.tile or next((tile for least, tile in TILES if side >= least), 16),
            generators=self.generators,
            classifiers=self.classifiers,
            views=(RAW,),
            times=(0.0,),
        )


PIXELS = PixelSettings(
    generators=("smote",),
    classifiers=("svm", "cnn2d", "filtered:svm"),
    advice=AdviceSettings(
        classifiers=("emp", "fused:svm+emp"), lambdas="0,1,4,8", divides_labels=True
    ),
)
SEGMENTATION = TileSettings(generators=("specdm",), classifiers=("unet", "pixel-svm"))
CHANGE = TileSettings(generators=("specdm",), classifiers=("fc-siam-diff",))
OF_TASKS: Mapping[str, PixelSettings | TileSettings] = {
    "pixels": PIXELS,
    "segmentation": SEGMENTATION,
    "change": CHANGE,
}
"""The settings of the tasks that come with hsiaug, by name; those of pixels first."""
