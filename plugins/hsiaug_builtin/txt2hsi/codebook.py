"""Codes: groups of alike patches of a scene, found without labels, and what tokens look like in each.

Conditions that need no label (Hu et al., Self-Guided Diffusion Models, CVPR 2023, arXiv 2210.06462) let the denoiser
learn what patches there are once for a scene; a draw only has to learn which of them its texts name. The paper has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from hsiaug_builtin.txt2hsi.field import Cut
from hsiaug_builtin.txt2hsi.tokens import Tokens, orbits

FEATURES, WINDOW = 12, 3
"""Leading channels that patches are grouped by, averaged over windows of so many pixels and over the patch."""
PATCHES = 40
"""Patches of the scene to a code, at least."""
FIRM_MEAN, FIRM_SPREAD = 5.0, 30.0
"""Patches that the scene counts as in the mean and in the spread of a code."""
FIRM_CLASS, FIRM_CELL = 20.0, 5.0
"""Patches that "no shift" counts as in the shift of a class, and in that of a class within a code."""
BATCH = 2048


def find_codes(
    latents: Tensor, scale: Tensor, pixels: NDArray[np.int32], patch: int, most: int, seed: int
) -> NDArray[np.int16]:
    """(H, W) code of every pixel of ``pixels`` (m, 2), by k-means; −1 elsewhere.

    latents: (H, W, d), d of variance 1. scale: (d,) deviations of the spectra along the channels: those of much contrast
    count more, by the root of it.
    """
    from sklearn.cluster import MiniBatchKMeans

    number = max(1, min(most, len(pixels) // PATCHES))
    order = torch.argsort(scale, descending=True)[:FEATURES]
    weighted = (latents[:, :, order] * scale[order].sqrt()).movedim(2, 0)[None]
    # A hidden pixel is no part of any window: these reach no farther than the patches of ``pixels``.
    means = [
        avg_pool2d(pad(weighted, [window // 2] * 4, mode="replicate"), window, stride=1)[0].movedim(0, 2)
        for window in (min(WINDOW, patch), patch)
    ]
    features = torch.cat(means, dim=2).cpu().numpy()[pixels[:, 0], pixels[:, 1]]
    found = MiniBatchKMeans(number, random_state=seed % 2**32, n_init=3, batch_size=2048).fit_predict(features)
    codes = np.full(latents.shape[:2], -1, dtype=np.int16)
    # Numbered without gaps: k-means may leave a group empty.
    codes[pixels[:, 0], pixels[:, 1]] = np.unique(found, return_inverse=True)[1]
    return codes


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and variance of tokens by code, and by class and code: (R, kinds, k). A token's kind is its place but for
    symmetries.

    index: (C + 1, K + 1) rows of class ids and codes; class 0 is none, as is the last code: that row is of all patches,
    which have mean 0.
    """

    mean: Tensor
    variance: Tensor
    index: Tensor

    @property
    def no_code(self) -> int:
        """The number that stands for no code."""
        return self.index.shape[1] - 1

    @classmethod
    def fit(cls, tokens: Tokens, cut: Cut, codes: NDArray[np.int16], pixels: NDArray[np.int32]) -> Moments:
        """Of the patches round ``pixels`` (m, 2)."""
        code = torch.from_numpy(codes[pixels[:, 0], pixels[:, 1]].astype(np.int64))
        number, kinds = int(codes.max()) + 1, orbits(tokens.grid)
        shape = number, int(kinds.max()) + 1, tokens.size
        total, square, count = torch.zeros(shape), torch.zeros(shape), torch.zeros(number, 1, 1)
        for start in range(0, len(pixels), BATCH):
            part = slice(start, start + BATCH)
            taken = by_kind(tokens.take(cut(pixels[part])).cpu(), kinds)
            total.index_add_(0, code[part], taken.mean(dim=2))
            square.index_add_(0, code[part], taken.square().mean(dim=2))
            count.index_add_(0, code[part], torch.ones(len(taken), 1, 1))
        everything = (square.sum(dim=0) / len(pixels)).mean(dim=0).expand(shape[1:])
        mean = total / count.clamp(min=1)
        within = square / count.clamp(min=1) - mean.square()
        pooled = (within * count).sum(dim=0) / count.sum()
        # Differences inside a token have either sign alike; only means of squares are moved.
        mean[:, :, tokens.channels :] = 0
        mean = mean * count / (count + FIRM_MEAN)
        variance = (within * count + FIRM_SPREAD * pooled) / (count + FIRM_SPREAD)
        return cls(
            torch.cat([mean, torch.zeros(1, *shape[1:])]),
            torch.cat([variance, everything[None]]).clamp(min=1e-4),
            torch.arange(number + 1)[None],
        )

    def with_classes(
        self,
        tokens: Tokens,
        cut: Cut,
        codes: NDArray[np.int16],
        named: Mapping[int, NDArray[np.int32]],
        classes: int,
    ) -> Moments:
        """With rows for each class of ``named`` ({class id: (m, 2) pixels}) and each code that its pixels have.

        The mean of such a row is that of its code, moved by how much the class differs from its codes, and then by how
        much it differs there; the variance is shrunk towards that of the code.
        """
        means, variances = [self.mean], [self.variance]
        index, rows = self.index.repeat(classes + 1, 1), len(self.mean)
        for c, pixels in named.items():
            found, place = np.unique(codes[pixels[:, 0], pixels[:, 1]].astype(np.int64), return_inverse=True)
            own, code = torch.from_numpy(found), torch.from_numpy(place)
            taken = by_kind(tokens.take(cut(pixels)).cpu(), orbits(tokens.grid))
            apart = taken.mean(dim=2) - self.mean[own][code]
            apart[:, :, tokens.channels :] = 0
            shift = apart.mean(dim=0) * len(pixels) / (len(pixels) + FIRM_CLASS)
            nothing, count = torch.zeros(len(own), *shift.shape), torch.bincount(code)[:, None, None]
            mean = self.mean[own] + shift + nothing.index_add(0, code, apart - shift) / (count + FIRM_CELL)
            spread = nothing.index_add(0, code, (taken - mean[code][:, :, None]).square().mean(dim=2))
            means.append(mean)
            variances.append((spread + FIRM_SPREAD * self.variance[own]) / (count + FIRM_SPREAD))
            index[c, own] = rows + torch.arange(len(own))
            rows += len(own)
        return Moments(torch.cat(means), torch.cat(variances), index)


def by_kind(taken: Tensor, kinds: Tensor) -> Tensor:
    """(n, N, k) tokens → (n, kinds, m, k): the tokens of each kind, repeated to equal numbers."""
    most = int(torch.bincount(kinds).max())
    rows = [torch.where(kinds == kind)[0] for kind in range(int(kinds.max()) + 1)]
    return torch.stack([taken[:, own[torch.arange(most) % len(own)]] for own in rows], dim=1)
