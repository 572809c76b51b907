"""Kinds of a class: its pixels grouped by likeness, as the fields of one crop differ.

A text names a class, and a class is seldom one look: soil shines through a young field, a roof lies
in the sun or in the shade. The network learnt, without labels, to read nouns that are given by
examples that look alike. So the noun of a kind is the word of its class plus a difference: the noun
of the pixels of the kind minus that of all pixels of the class.

Nobody types a kind. A sample of a benchmark has that of the pixel whose facts its sentence says. A
sample of a prompt has a kind that was seen to look as the prompt says, and none where that says
nothing of looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug_builtin.txt2hsi.denoiser import NOUN, Examples
from hsiaug_builtin.txt2hsi.groups import LEADING, leading_channels, window_mean

PIXELS_PER_KIND = 40
"""Pixels of a kind, at least, on average."""
KINDS = 12
"""Kinds of a class, at most."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """The kinds of the classes of a draw.

    Attributes
    ----------
    map : (H, W) int16
        Number of the kind of each named pixel; 0 = none.
    offset : (K + 1, NOUN) float32 Tensor
        What the noun of a kind adds to that of its class; 0 for none.
    """

    map: NDArray[np.int16]
    offset: Tensor

    @classmethod
    def none(cls, shape: tuple[int, ...], device: str) -> Kinds:
        """No kinds, of a scene of shape (H, W)."""
        return cls(np.zeros(shape, dtype=np.int16), torch.zeros(1, NOUN, device=device))

    @classmethod
    @torch.no_grad()
    def find(
        cls,
        latents: Tensor,
        scale: Tensor,
        features: Tensor,
        named: Mapping[int, NDArray[np.integer]],
        examples: Examples,
        seed: int,
    ) -> Kinds:
        """Group the pixels of each class by k-means.

        Parameters
        ----------
        latents : Tensor (H, W, d)
            Of the scene; a hidden pixel may be NaN.
        scale : Tensor (d,)
            Deviations of the spectra along the channels.
        features : Tensor (H, W, F)
            Of each pixel, as an example of a noun.
        named : mapping of int to array (m, 2)
            {class id: pixels}.
        examples : Examples
            Gives the nouns of pixels.
        seed : int
            Of k-means.
        """
        from sklearn.cluster import KMeans

        channels = leading_channels(latents.nan_to_num(), scale, LEADING).cpu()
        smooth = window_mean(channels, 3).numpy()
        numbers = np.zeros(smooth.shape[:2], dtype=np.int16)
        of_class = [0]
        pixels, class_of_pixel = [], []
        for row, at in enumerate(named.values()):
            count = int(np.clip(len(at) // PIXELS_PER_KIND, 1, KINDS))
            values = smooth[tuple(at.T)].astype(np.float64)
            kind = KMeans(count, random_state=seed % 2**32, n_init=2).fit_predict(values)
            numbers[tuple(at.T)] = len(of_class) + kind
            of_class += [row] * count
            pixels.append(at.astype(np.int64))
            class_of_pixel += [row] * len(at)
        every = np.concatenate(pixels)
        classes = examples.of_pixels(features, every, np.array(class_of_pixel), len(named))
        kind_of_pixel = numbers[tuple(every.T)] - 1
        kinds = examples.of_pixels(features, every, kind_of_pixel, len(of_class) - 1)
        device = features.device
        offset = torch.zeros(len(of_class), NOUN, device=device)
        offset[1:] = kinds - classes[torch.tensor(of_class[1:], device=device)]
        return cls(numbers, offset)
