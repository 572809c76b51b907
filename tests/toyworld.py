"""Made-up tiles of which all is known: the law that they are drawn from."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import DenseSamples

__all__ = ["ToyWorld", "toy_world"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ToyWorld:
    """A law p(image, mask): Voronoi fields of a few classes, Gaussian spectra, linear mixing where
    fields meet.

    means: (C, B) class spectra. noise: standard deviation of a band of a pixel, independent.
    prior: (C,) of a field. fields: Voronoi cells of a tile. side: of a tile in pixels. mixing:
    share of a pixel's light that comes from the 3×3 pixels around it; 0 = pure pixels.
    """

    means: Array
    noise: float
    prior: Array
    fields: int
    side: int
    mixing: float

    def draw(self, n: int, seed: int) -> DenseSamples:
        """n real-looking tiles of one date, masks with ids 1..C."""
        rng = np.random.default_rng(derive_seed("toy world", seed))
        covers = np.stack([self._cover(rng) for _ in range(n)])
        images = np.stack([self._image(cover, rng) for cover in covers])
        return _real(images[:, None], covers + 1)

    def draw_change(self, n: int, seed: int, blobs: int = 2) -> DenseSamples:
        """n pairs of dates, masks 1 = unchanged and 2 = changed: in up to ``blobs`` discs another
        class grows.
        """
        rng = np.random.default_rng(derive_seed("toy change", seed))
        images, masks = [], []
        for _ in range(n):
            before = self._cover(rng)
            changed = self._blobs(rng, int(rng.integers(0, blobs + 1)))
            after = np.where(
                changed, (before + rng.integers(1, len(self.means))) % len(self.means), before
            )
            # Light differs between dates, so that equal spectra are not equal numbers.
            images.append(
                np.stack([self._image(before, rng), self._image(after, rng) * rng.normal(1, 0.03)])
            )
            masks.append(np.where(changed, 2, 1))
        return _real(np.stack(images), np.stack(masks))

    def _cover(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """(side, side) class indices 0..C-1."""
        spots = rng.uniform(0, self.side, (self.fields, 2))
        pixels = np.moveaxis(np.mgrid[: self.side, : self.side], 0, -1)
        nearest = ((pixels[:, :, None] - spots) ** 2).sum(axis=-1).argmin(axis=-1)
        kinds = rng.choice(len(self.prior), size=self.fields, p=self.prior)
        cover: NDArray[np.int64] = kinds[nearest]
        return cover

    def _image(self, cover: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        """(B, side, side) float32."""
        from scipy.ndimage import uniform_filter

        pure = np.moveaxis(self.means[cover], -1, 0)
        blurred = uniform_filter(pure, size=(1, 3, 3), mode="nearest")
        image = (
            (1 - self.mixing) * pure + self.mixing * blurred + rng.normal(0, self.noise, pure.shape)
        )
        return np.asarray(image, dtype=np.float32)

    def _blobs(self, rng: np.random.Generator, count: int) -> NDArray[np.bool_]:
        y, x = np.mgrid[: self.side, : self.side]
        changed = np.zeros((self.side, self.side), dtype=bool)
        for _ in range(count):
            cy, cx = rng.uniform(0, self.side, 2)
            changed |= (y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(0.1, 0.35) ** 2 * self.side**2
        return changed


def toy_world(
    classes: int = 5,
    bands: int = 12,
    side: int = 32,
    noise: float = 0.03,
    mixing: float = 0.6,
    seed: int = 0,
) -> ToyWorld:
    """A world of smooth class spectra in reflectance, about one field per 100 pixels.

    Raises InputError for fewer than two classes or three bands.
    """
    if classes < 2 or bands < 3:
        raise InputError(
            "a toy world needs two classes and three bands at least",
            value=f"{classes} classes, {bands} bands",
            hint="Ask for more.",
        )
    rng = np.random.default_rng(derive_seed("toy world's classes", seed))
    order = np.arange(1, 5)
    phase = rng.uniform(0, 2 * np.pi, (classes, 4, 1))
    height = rng.normal(0, 0.12, (classes, 4, 1)) / order[:, None]
    waves = (height * np.sin(np.pi * order[:, None] * np.linspace(0, 1, bands) + phase)).sum(axis=1)
    means = waves - waves.min(axis=1, keepdims=True) + rng.uniform(0.08, 0.2, (classes, 1))
    prior = 0.7 ** np.arange(classes)
    return ToyWorld(means, noise, prior / prior.sum(), max(2, side * side // 100), side, mixing)


def _real(images: NDArray[np.float32], masks: NDArray[np.int64]) -> DenseSamples:
    return replace(DenseSamples.made(images, masks), synthetic=np.zeros(len(images), dtype=bool))
