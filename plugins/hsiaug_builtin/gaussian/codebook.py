"""Codes: groups of alike patches of a scene, found without labels, and the Gaussian of each.

The generator ``gaussian`` draws from them. Groups that need no label are those of Hu et al.,
Self-Guided Diffusion Models, CVPR 2023, arXiv 2210.06462; the paper has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsiaug_builtin.txt2hsi.field import LEAST_VARIANCE, CoefficientSums, Cut
from hsiaug_builtin.txt2hsi.frequencies import even_frequencies, to_frequencies
from hsiaug_builtin.txt2hsi.groups import squared_differences, window_mean

FEATURES = 12
"""Leading channels that patches are grouped by."""
WINDOW = 3
"""They are averaged over windows of so many pixels, and over the whole patch."""
ROUGHNESS = 0.7
"""Weight of how rough a patch is, beside its means."""
PATCHES_PER_CODE = 40
"""Patches of the scene to a code, at least."""
MEAN_PRIOR = 5.0
"""Patches that the scene counts as in the mean of a code."""
VARIANCE_PRIOR = 30.0
"""Patches that the usual shape counts as in the variance of a code, and "as in its codes" in that
of a class.
"""
CLASS_PRIOR = 20.0
"""Patches that "no shift" counts as in the shift of a class."""
CELL_PRIOR = 5.0
"""Patches that "as elsewhere" counts as in the shift of a class within one code."""
SHIFT_FREQUENCIES = 3
"""A class shifts the first even frequencies of each axis: its level, and how that differs off the
centre.
"""
SPREAD_LIMITS = (0.25, 4.0)
"""Between these lies the variance of a class within its codes, beside that of the codes."""


def find_codes(
    latents: Tensor, scale: Tensor, pixels: NDArray[np.int32], patch: int, most: int, seed: int
) -> NDArray[np.int16]:
    """Group the patches round pixels by k-means.

    Parameters
    ----------
    latents : Tensor (H, W, d)
        Latents of variance 1; a hidden pixel may be NaN.
    scale : Tensor (d,)
        Deviations of the spectra along the channels. Those of much contrast count more, by the
        root.
    pixels : array (m, 2) of int
        Centres of the patches, all of which are visible.
    patch : int
        Side of a patch in pixels.
    most : int
        Codes, at most.
    seed : int
        Of k-means.

    Returns
    -------
    array (H, W) of int16
        The code of each pixel of ``pixels``, numbered without gaps, and −1 elsewhere.
    """
    from sklearn.cluster import MiniBatchKMeans

    number = max(1, min(most, len(pixels) // PATCHES_PER_CODE))
    order = torch.argsort(scale, descending=True)[:FEATURES]
    channels = latents[:, :, order]
    contrast = scale[order].sqrt()
    rows, columns = torch.from_numpy(pixels.astype(np.int64)).to(latents.device).T
    roughness = _roughness(channels, patch)[rows, columns]
    spread = roughness.std(dim=0, unbiased=False).clamp(min=1e-6)
    features = (
        torch.cat(
            [
                window_mean(channels * contrast, min(WINDOW, patch))[rows, columns],
                window_mean(channels * contrast, patch)[rows, columns],
                ROUGHNESS * (roughness - roughness.mean(dim=0)) / spread * contrast,
            ],
            dim=1,
        )
        .cpu()
        .numpy()
    )
    kmeans = MiniBatchKMeans(number, random_state=seed % 2**32, n_init=3, batch_size=2048)
    groups = kmeans.fit_predict(features)
    codes = np.full(latents.shape[:2], -1, dtype=np.int16)
    # Numbered without gaps: k-means may leave a group empty.
    codes[pixels[:, 0], pixels[:, 1]] = np.unique(groups, return_inverse=True)[1]
    return codes


def _roughness(channels: Tensor, patch: int) -> Tensor:
    """Logarithm of the mean squared difference of neighbours in each patch, (H, W, d).

    Flat fields and mixed ones have the same mean where edges cancel out; this tells them apart. The
    differences of a pixel are those to the pixels above and to the left; of the first row and
    column of a patch they reach out of it, so that these are taken from inside. A patch of one
    pixel has none.
    """
    if patch < 3:
        return torch.zeros_like(channels)
    return window_mean(squared_differences(channels), patch - 2).clamp(min=1e-6).log()


@dataclass(frozen=True, eq=False)
class Conditioning:
    """What n patches are conditioned on; both are tensors (n,) of int64.

    Attributes
    ----------
    code : Tensor
        Row of the Gaussians; the last one means none.
    label : Tensor
        Class id, 0 = none.
    """

    code: Tensor
    label: Tensor


class Gaussians(nn.Module):
    """Mean and variance of the cosine coefficients of patches, by code and by class.

    Without a network these are a generator by themselves: see `sample`.

    Buffers, for K codes, C classes, patches of p pixels and d channels:

    - mean, variance (K + 1, p, p, d): of each code; the last row is of all patches;
    - shift (S, q, q, d): of the first q even frequencies, by class and code; row 0 is no shift;
    - shift_row (C + 1, K + 1): the row of ``shift`` of a class and a code; class 0 is none;
    - spread (C + 1, d): the variance of a class beside that of its codes.
    """

    mean: Tensor
    variance: Tensor
    shift: Tensor
    shift_row: Tensor
    spread: Tensor

    def __init__(
        self, mean: Tensor, variance: Tensor, shift: Tensor, shift_row: Tensor, spread: Tensor
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("variance", variance)
        self.register_buffer("shift", shift)
        self.register_buffer("shift_row", shift_row)
        self.register_buffer("spread", spread)

    @classmethod
    def of_codes(cls, mean: Tensor, variance: Tensor) -> Gaussians:
        """Gaussians of codes, without classes."""
        codes, side, _, channels = mean.shape
        shifted = len(range(0, side, 2)[:SHIFT_FREQUENCIES])
        return cls(
            mean,
            variance,
            shift=torch.zeros(1, shifted, shifted, channels),
            shift_row=torch.zeros(1, codes, dtype=torch.int64),
            spread=torch.ones(1, channels),
        )

    @property
    def no_code(self) -> int:
        """The code that means none."""
        return len(self.mean) - 1

    def moments(self, condition: Conditioning) -> tuple[Tensor, Tensor]:
        """Mean and variance (n, p, p, d) of coefficients under a condition of n patches."""
        mean = self.mean[condition.code]
        variance = self.variance[condition.code] * self.spread[condition.label][:, None, None]
        shift = self.shift[self.shift_row[condition.label, condition.code]]
        last = 2 * shift.shape[1] - 1
        mean[:, :last:2, :last:2] += shift
        return mean, variance

    def sample(self, noise: Tensor, condition: Conditioning, sigma: float = 0.0) -> Tensor:
        """Coefficients (n, p, p, d) at noise level ``sigma`` from standard noise of that shape."""
        mean, variance = self.moments(condition)
        return mean + (variance + sigma**2).sqrt() * noise


def fit_gaussians(cut: Cut, codes: NDArray[np.int16], pixels: NDArray[np.int32]) -> Gaussians:
    """Gaussians of the codes of the patches round ``pixels`` (m, 2).

    They are the same under mirrors of the patch. The mean of a code is shrunk towards that of the
    scene, and the shape of its variance over frequencies towards the usual one, the more the fewer
    patches it has.
    """
    code = torch.from_numpy(codes[pixels[:, 0], pixels[:, 1]].astype(np.int64))
    sums = CoefficientSums.of(cut, pixels, code, int(codes.max()) + 1)
    scene_mean, scene_variance = sums.moments
    count = sums.count[:, None, None, None]
    mean = sums.total / count.clamp(min=1) * even_frequencies(scene_mean.shape[0])[:, :, None]
    within = sums.square / count.clamp(min=1) - mean.square()
    pooled = (within * count).sum(dim=0) / count.sum()
    mean = scene_mean + (mean - scene_mean) * count / (count + MEAN_PRIOR)
    # A smooth code is a smooth one at all frequencies: only the shape is that of the scene.
    level = (within / pooled.clamp(min=LEAST_VARIANCE)).mean(dim=(1, 2), keepdim=True)
    variance = (within * count + VARIANCE_PRIOR * level * pooled) / (count + VARIANCE_PRIOR)
    return Gaussians.of_codes(
        torch.cat([mean, scene_mean[None]]),
        torch.cat([variance, scene_variance[None]]).clamp(min=LEAST_VARIANCE),
    )


def add_classes(
    gaussians: Gaussians,
    cut: Cut,
    codes: NDArray[np.int16],
    named: Mapping[int, NDArray[np.int32]],
    classes: int,
) -> Gaussians:
    """Gaussians of a scene with the shifts and spreads of a split's classes.

    A class moves the mean of its codes by how much its patches differ from all of them, and then by
    how much they differ in that code; both are shrunk towards none, the more the fewer patches
    there are. Its variance is shrunk towards that of its codes.

    Parameters
    ----------
    gaussians : Gaussians
        Of the scene, without classes, on the CPU.
    cut : callable
        Patches of latents round pixels.
    codes : array (H, W) of int16
        Of the scene's pixels.
    named : mapping of int to array (m, 2) of int
        Pixels of each class id, labelled ones or named by the teacher.
    classes : int
        C, the largest class id.
    """
    shifts = [gaussians.shift]
    shift_row = torch.zeros(classes + 1, gaussians.no_code + 1, dtype=torch.int64)
    spread = torch.ones(classes + 1, gaussians.spread.shape[1])
    rows = 1
    last = 2 * gaussians.shift.shape[1] - 1
    for class_id, pixels in named.items():
        code = torch.from_numpy(codes[pixels[:, 0], pixels[:, 1]].astype(np.int64))
        used, place = torch.unique(code, return_inverse=True)
        count = torch.bincount(place).float()[:, None, None, None]
        # All patches of a class are in memory, once.
        residual = to_frequencies(cut(pixels)).cpu()
        residual -= gaussians.mean[code]
        low = residual[:, :last:2, :last:2]
        class_shift = low.mean(dim=0) * len(pixels) / (len(pixels) + CLASS_PRIOR)
        cells = torch.zeros(len(used), *class_shift.shape).index_add(0, place, low - class_shift)
        shift = class_shift + cells / (count + CELL_PRIOR)
        residual[:, :last:2, :last:2] -= shift[place]
        ratio = residual.square_().div_(gaussians.variance[code]).mean(dim=(0, 1, 2))
        shrunk = (ratio * len(pixels) + VARIANCE_PRIOR) / (len(pixels) + VARIANCE_PRIOR)
        spread[class_id] = shrunk.clamp(*SPREAD_LIMITS)
        shift_row[class_id, used] = rows + torch.arange(len(used))
        shifts.append(shift)
        rows += len(used)
    return Gaussians(gaussians.mean, gaussians.variance, torch.cat(shifts), shift_row, spread)
