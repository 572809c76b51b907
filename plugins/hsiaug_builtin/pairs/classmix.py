"""The generator ``classmix``: half of the classes of one tile, set into another."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hsiaug.api import Card
from hsiaug_builtin.nets.pairs import showing
from hsiaug_builtin.pairs.components import blended, cut
from hsiaug_builtin.pairs.fitted import FittedPairs, MixingParams, Pair, PairMaker

__all__ = ["Classmix", "FittedClassmix"]

CHANGED = 2


class FittedClassmix(FittedPairs):
    """Real tiles, with all pixels of some classes of another tile at the same place."""

    name = "classmix"

    def make(self, ground: int, c: int | None, rng: np.random.Generator, told: Counter[str]) -> Pair:
        image, mask = self.images[ground].copy(), self.masks[ground].copy()
        tile, classes = self._cut(ground, c, rng)
        if not len(classes):
            return image, mask
        piece = cut(np.isin(self.masks[tile], classes), self.params.blend)
        blended(image, self.images[tile][..., *piece.read], piece.at, piece.share)
        inside = piece.at[:, piece.inside]
        mask[*inside] = self.masks[tile][*inside]
        told.update(f"class {kind}" for kind in classes.tolist())
        return image, mask

    def _cut(
        self, ground: int, c: int | None, rng: np.random.Generator
    ) -> tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
        """Another tile where there is one, and which of its classes are cut: half of them, c among these."""
        pairs = self.images.shape[1] == 2
        wanted = CHANGED if pairs else c
        known = np.unique(np.nonzero(self.masks)[0]) if wanted is None else showing(self.masks, wanted)
        others = known[known != ground]
        if not len(known):
            return ground, known
        tile = int(rng.choice(others if len(others) else known))
        if pairs:
            return tile, np.array([CHANGED])
        present = np.setdiff1d(np.unique(self.masks[tile]), [0])
        drawn = rng.permutation(present)
        if c is not None:
            drawn = np.concatenate([[c], drawn[drawn != c]])
        return tile, drawn[: -(-len(present) // 2)]


class Classmix(PairMaker):
    """Half of the classes that a tile shows (rounded up) are cut with all their pixels, image and mask, and set at the
    same place into another tile; of pairs of dates, all changed pixels, at both dates.

    The paper (section 3.1) mixes unlabelled images by the classes that a teacher predicts in them, while a student is
    trained; here both tiles are real ones with their own labels, and are mixed once. Ignored pixels belong to the ground:
    they are never cut, but may be covered. As in the paper borders are hard (``blend`` mixes them), and a tile of one
    class is cut with all its labelled pixels.
    """

    card = Card(
        name="classmix",
        version="1",
        summary="Half of the classes of one tile, set into another with their labels",
        paper="""@inproceedings{olsson2021classmix, author={Viktor Olsson and Wilhelm Tranheden and Juliano Pinto
            and Lennart Svensson}, title={{ClassMix}: Segmentation-Based Data Augmentation for Semi-Supervised
            Learning}, booktitle={IEEE/CVF Winter Conference on Applications of Computer Vision},
            pages={1369--1378}, year={2021}, eprint={2007.07936}, archiveprefix={arXiv}}""",
        tasks=("segmentation", "change"),
        seconds=0.1,
        params=MixingParams,
    )
    fitted = FittedClassmix
