"""Nouns without labels: groups of alike pixels of a scene, in place of classes while nothing is
named yet.

A noun of this inner language is a set of example pixels. Groups of several sizes, within random
windows of the scene, stand for classes that a split may have; a class of a split then is one more
set of examples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from hsiaug.api import TrainView

GROUPS = (6, 10, 16, 28, 48)
"""How many groups a scene is divided into, in turn."""
PIXELS_PER_GROUP = 60
"""Pixels of the finest groups, at least, on average."""
EXAMPLES = 48
"""Pixels that stand for a noun in a training step."""
LEAST_EXAMPLES = 12
"""Pixels of a group within a window, at least, for it to be a noun there."""
WINDOWED = 0.5
"""Share of steps in which only a window of the scene is seen."""
LEADING = 12
"""Channels that pixels are grouped by."""
MORE = 0.43
"""Deviations from the mean of a class from which a patch is bright, rough … beside it: a third of a
normal distribution lies above.
"""


def pixel_features(latents: Tensor) -> Tensor:
    """(…, H, W, 2·d) latents of each pixel, and their mean over those round it; 0 where hidden."""
    known = latents.nan_to_num()
    return torch.cat([known, window_mean(known, 3)], dim=-1)


def window_mean(values: Tensor, side: int) -> Tensor:
    """Means over windows of ``side`` pixels, (…, H, W, d)."""
    padded = pad(values.movedim(-1, -3), [side // 2] * 4, mode="replicate")
    return avg_pool2d(padded, side, stride=1).movedim(-3, -1)


def leading_channels(latents: Tensor, scale: Tensor, count: int) -> Tensor:
    """(H, W, count) the channels of most contrast, each times the root of its contrast."""
    order = torch.argsort(scale, descending=True)[:count]
    return latents[:, :, order] * scale[order].sqrt()


def squared_differences(channels: Tensor) -> Tensor:
    """(H, W, d) squared differences of each pixel to those above and to the left of it."""
    squares = torch.zeros_like(channels)
    squares[1:] += channels.diff(dim=0).square()
    squares[:, 1:] += channels.diff(dim=1).square()
    return squares


def find_groups(
    latents: Tensor, scale: Tensor, visible: NDArray[np.bool_], seed: int
) -> NDArray[np.int16]:
    """Divide the visible pixels of a scene, by k-means and then by Ward's tree over its means.

    Parameters
    ----------
    latents : Tensor (H, W, d)
        Of variance 1; a hidden pixel may be NaN.
    scale : Tensor (d,)
        Deviations of the spectra along the channels; those of much contrast count more, by the
        root.
    visible : (H, W) bool
        Pixels that are seen.
    seed : int
        Of k-means.

    Returns
    -------
    (K, H, W) int16
        A map for each of GROUPS that the scene is large enough for, -1 where hidden.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from sklearn.cluster import MiniBatchKMeans

    channels = leading_channels(latents.nan_to_num(), scale, LEADING).cpu()
    smooth = window_mean(channels, 3)
    mixed = (0.6 * smooth + 0.4 * window_mean(smooth, 3)).numpy()
    pixels = mixed[visible]
    most = max(1, min(GROUPS[-1] * 2, len(pixels) // PIXELS_PER_GROUP))
    kmeans = MiniBatchKMeans(most, random_state=seed % 2**32, n_init=3, batch_size=2048)
    fine = np.unique(kmeans.fit_predict(pixels), return_inverse=True)[1]
    counts = np.bincount(fine)
    means = np.stack([np.bincount(fine, weights=column) / counts for column in pixels.T], axis=1)
    maps: list[NDArray[np.int16]] = []
    tree = linkage(means, "ward") if len(means) > 1 else None
    for number in GROUPS:
        if number > len(means) and maps:
            break
        cut = np.ones(1, int) if tree is None else fcluster(tree, number, criterion="maxclust")
        of_scene = np.full(visible.shape, -1, dtype=np.int16)
        of_scene[visible] = cut[fine] - 1
        maps.append(of_scene)
    return np.stack(maps)


@dataclass(frozen=True, eq=False)
class PixelLooks:
    """How each pixel of a scene looks, to be compared with others of its class.

    Attributes
    ----------
    rough : (H, W) float32
        Logarithm of the mean squared difference of neighbours in the patch round the pixel.
    bright : (H, W) float32
        Mean over bands, z-scored, of the pixels round it.
    """

    rough: NDArray[np.float32]
    bright: NDArray[np.float32]

    @classmethod
    def of(cls, view: TrainView, latents: Tensor, scale: Tensor) -> PixelLooks:
        """Of a scene as a view shows it."""
        squares = squared_differences(leading_channels(latents.nan_to_num(), scale, LEADING).cpu())
        rough = window_mean(squares.mean(dim=2, keepdim=True), max(1, view.patch - 2))
        spectra = view.normaliser.spectra(np.asarray(view.cube))
        bright = np.nan_to_num(spectra.mean(axis=2, dtype=np.float32))
        smooth = window_mean(torch.from_numpy(bright)[:, :, None], 3)
        return cls(rough[:, :, 0].clamp(min=1e-6).log().numpy(), smooth[:, :, 0].numpy())


def levels(apart: NDArray[np.float64]) -> NDArray[np.int8]:
    """-1, 0 or 1 of each deviation from the mean of a class, in standard deviations."""
    return np.asarray((apart > MORE).astype(np.int8) - (apart < -MORE).astype(np.int8))
