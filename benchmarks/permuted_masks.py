"""``specdm`` with the masks of training pairs permuted among them: what of its pairs comes from
image and mask being learnt together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hsiaug.api import DenseView
from hsiaug_builtin.specdm.plugin import SpecDm


class PermutedMasks(SpecDm):
    """Each training image has the mask of another tile."""

    card = replace(
        SpecDm.card,
        name="specdm-permuted",
        summary="Control: specdm of training pairs whose masks belong to other images",
    )

    def fit(self, view: DenseView, *, seed: int, **how: Any) -> Any:
        """Permute, then learn as specdm does."""
        order = np.random.default_rng(seed).permutation(len(view.real))
        # No tile keeps its own mask.
        moved = np.empty_like(order)
        moved[order] = np.roll(order, 1)
        real = replace(view.real, masks=view.real.masks[moved])
        return super().fit(replace(view, real=real), seed=seed, **how)
