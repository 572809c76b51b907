"""Which of several samples of a prompt shows most of it.

A sample of a diffusion model does not always show what its text says. Several are made of each
prompt that somebody types, and the one in which a reader finds most of it is kept, as DALL·E does
with CLIP (Ramesh et al., Zero-Shot Text-to-Image Generation, ICML 2021, section 2.6). Unlike
guidance, which makes samples smoother and more alike, this leaves each sample as it was made.

The reader is a linear discriminant on single pixels. It learns from what the denoiser learns from:
training labels, and the pixels that the teacher names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hsiaug_builtin.nets import state
from hsiaug_builtin.semisup.discriminant import Discriminant, fit_discriminant
from hsiaug_builtin.txt2hsi.facts import COLUMN, Ids, neighbour_masks
from hsiaug_builtin.txt2hsi.groups import pixel_features

SURENESS = 10.0
"""Temperature of the shares of classes: a discriminant on pixels that are not independent is too
sure of itself.
"""
LEAST_SHARE = 0.01
"""A smaller share counts as this one, so that no single place decides by itself."""


@dataclass(frozen=True, eq=False)
class Reader:
    """Says how much of what is said is seen."""

    discriminant: Discriminant

    @classmethod
    def fit(cls, latents: Tensor, names: Ids) -> Reader:
        """Learn the names of pixels.

        Parameters
        ----------
        latents : Tensor (H, W, d)
            Of a scene; NaN where hidden.
        names : (H, W) int16
            Class ids; -1 = not known.
        """
        at = np.nonzero(names >= 0)
        features = pixel_features(latents).cpu().numpy()[at]
        y = names[at].astype(np.int64)
        return cls(fit_discriminant(features, y, np.ones(len(y), dtype=np.float32)))

    def find_said(self, latents: Tensor, facts: Ids) -> NDArray[np.float64]:
        """How much of what is said of patches is seen in them, as logarithms of shares, (n,).

        Parameters
        ----------
        latents : Tensor (n, p, p, d)
            Of the patches.
        facts : (n, R) int16
            What is said of them, as of :func:`hsiaug_builtin.txt2hsi.facts.find_facts`.
        """
        n, side, _, _ = latents.shape
        features = pixel_features(latents).cpu().numpy()
        shares = self.discriminant.shares(features.reshape(n * side * side, -1), SURENESS)
        shares = shares.reshape(n, side * side, -1)
        centre = np.zeros((side, side), dtype=bool)
        centre[side // 2, side // 2] = True
        found = np.zeros(n)
        for relation, mask in {"centre": centre, **neighbour_masks(side)}.items():
            name = facts[:, COLUMN[relation]]
            rows = np.flatnonzero(np.isin(name, self.discriminant.classes))
            columns = np.searchsorted(self.discriminant.classes, name[rows])
            share = shares[rows[:, None], np.flatnonzero(mask), columns[:, None]].mean(axis=1)
            found[rows] += np.log(np.maximum(share, LEAST_SHARE))
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What :meth:`restore` reads, to be saved beside others."""
        return state.fields(reader=self.discriminant)

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Reader:
        """Read what was saved."""
        return cls(Discriminant(**state.under("reader", arrays)))
