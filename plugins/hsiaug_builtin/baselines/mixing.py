"""Two real patches made into one: convex combinations, and rectangles pasted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, param
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, cycled, lone_classes

__all__ = ["Cutmix", "Mixup", "keeps"]


@dataclass(frozen=True, eq=False)
class _FittedMixing(FittedPatches):
    """alpha: of the Beta(α, α) distribution that says how evenly two patches are mixed."""

    alpha: float

    def repeated(self) -> list[int]:
        """Ids of the classes whose patches can only be repeated."""
        raise NotImplementedError

    @property
    def notes(self) -> dict[str, Any]:
        """``duplicated``: those classes, where there are any."""
        repeated = self.repeated()
        return {"duplicated": repeated} if repeated else {}


@dataclass(frozen=True)
class MixupParams:
    """How evenly two patches are mixed."""

    alpha: float = param(
        1.0, "α of the Beta(α, α) weights: 1 = uniform, smaller = nearer to one of the two", low=0.01
    )


class FittedMixup(_FittedMixing):
    """Mixtures of two different patches of a class; copies where a class has one, named in provenance."""

    name = "mixup"

    def repeated(self) -> list[int]:
        """Classes of one patch."""
        return lone_classes(self.y)

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        return mix(self.x[rows], count, self.alpha, np.random.default_rng(seed))


class Mixup(PatchGenerator):
    """Mixup within a class, whole patches, in scene units.

    The paper mixes samples of any two classes and their labels; here both come from one class, so that the label
    stays whole and counts per class can be met. Each patch is the first of the two equally often ±1.
    """

    card = Card(
        name="mixup",
        version="1",
        summary="Convex combinations of two real patches of one class",
        paper="""@inproceedings{zhang2018mixup, author={Hongyi Zhang and Moustapha Cissé and Yann N. Dauphin and
            David Lopez-Paz}, title={mixup: Beyond Empirical Risk Minimization}, booktitle={International
            Conference on Learning Representations}, year={2018}, eprint={1710.09412}, archiveprefix={arXiv}}""",
        seconds=0.01,
        params=MixupParams,
    )
    fitted = FittedMixup


def mix(x: NDArray[np.float32], count: int, alpha: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, B, p, p) mixtures of patches x (n, B, p, p) of one class; copies for n = 1."""
    n = len(x)
    first = cycled(np.arange(n), count, rng)
    second = (first + rng.integers(1, n, size=count)) % n if n > 1 else first
    weight = rng.beta(alpha, alpha, size=(count, 1, 1, 1)).astype(np.float32)
    return x[second] + weight * (x[first] - x[second])


@dataclass(frozen=True)
class CutmixParams:
    """How much of a patch is replaced."""

    alpha: float = param(
        1.0, "α of the Beta(α, α) shares of area: 1 = uniform, smaller = less is replaced", low=0.01
    )


class FittedCutmix(_FittedMixing):
    """Patches of a class, each used equally often ±1, with part of another real patch round their centre."""

    name = "cutmix"

    def repeated(self) -> list[int]:
        """All classes, where a patch is one pixel or there is one patch: nothing can be exchanged."""
        return np.unique(self.y).tolist() if self.x.shape[2] == 1 or len(self.y) == 1 else []

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        first = cycled(rows, count, rng)
        second = self._others(first, rng)
        own = keeps(self.x.shape[2], count, self.alpha, rng)[:, None]
        return np.where(own, self.x[first], self.x[second])

    def _others(self, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Another real sample, of any class, for each of ``rows``; itself where there is no other."""
        n = len(self.y)
        return (rows + rng.integers(1, n, size=len(rows))) % n if n > 1 else rows


class Cutmix(PatchGenerator):
    """CutMix between a patch of the class and any other real patch, in scene units.

    The paper (section 3.1) pastes a rectangle of one image into another and mixes the two labels by area. A sample
    here carries one label, that of its centre pixel: so the centre and the larger share of the area, about half at
    least, are the labelled patch's own, and no label is mixed. The partner's rectangle lies anywhere in the patch;
    where it would cover the centre, it is the labelled patch that gives a rectangle, and the partner the ground. As in
    the paper the share is Beta(α, α) distributed (or what is left of it, whichever is larger), the partner is of any
    class and a rectangle has the sides' ratio of the patch; it is cut to whole pixels and kept inside the patch, not
    cropped by its edge.

    Only the surroundings of a centre change: to a classifier that reads the centre spectrum alone, this is
    ``duplicate``. A patch of one pixel is repeated, and recorded.
    """

    card = Card(
        name="cutmix",
        version="1",
        summary="Real patches whose surroundings hold a rectangle of another one",
        paper="""@inproceedings{yun2019cutmix, author={Sangdoo Yun and Dongyoon Han and Seong Joon Oh and Sanghyuk
            Chun and Junsuk Choe and Youngjoon Yoo}, title={{CutMix}: Regularization Strategy to Train Strong
            Classifiers with Localizable Features}, booktitle={IEEE/CVF International Conference on Computer
            Vision}, pages={6023--6032}, year={2019}, doi={10.1109/ICCV.2019.00612}, eprint={1905.04899},
            archiveprefix={arXiv}}""",
        seconds=0.01,
        params=CutmixParams,
    )
    fitted = FittedCutmix


def keeps(patch: int, count: int, alpha: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(count, p, p) bool, True where a pixel stays: a square or all but a square, with the centre and about half of
    the pixels or more."""
    half = rng.beta(alpha, alpha, size=count)
    own = np.maximum(half, 1 - half)
    pixel, middle = np.arange(patch), patch // 2

    def square(side: NDArray[np.int64]) -> NDArray[np.bool_]:
        top, left = (rng.integers(0, patch - side + 1)[:, None] for _ in range(2))
        end = side[:, None]
        rows = (pixel >= top) & (pixel < top + end)
        columns = (pixel >= left) & (pixel < left + end)
        return np.asarray(rows[:, :, None] & columns[:, None, :])

    given = square(np.round(patch * np.sqrt(1 - own)).astype(np.int64))
    kept = square(np.round(patch * np.sqrt(own)).astype(np.int64))
    return np.where(given[:, middle, middle][:, None, None], kept, ~given)
