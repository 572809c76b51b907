"""The denoiser of pairs that no network has to learn: the posterior mean over patches of training
pairs.

Among all denoisers that see no more than a patch, and treat every place alike, the one of least
squared error is known: the mean of the training patches, weighted by how likely each is what the
noise hides. Trained convolutional denoisers come close to it (Kamb and Ganguli, An analytic theory
of creativity in convolutional diffusion models, ICML 2025, arXiv 2412.20292), after many more steps
than a CPU takes. Here it is computed. Image and mask are one patch, so both come of the same noise,
and a mask's edges lie where the image's are.

Noise falls in stages, from means of cells of several pixels to single pixels: what is large is
settled before what is small. A cell of c×c pixels averages their noise to a c-th.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, fold, unfold

from hsiaug_builtin.diffusion.edm import noise_levels

DIRECTIONS = 48
"""Principal directions of patches that they are compared along."""
SAMPLED = 4000
"""Patches that the directions are taken of."""
LAST = 0.03
"""Noise that the last step removes, beside a spread of 1 of the strongest component."""
WINDOW = 0.15
"""Deviation of the window that overlapping patches are blended by, in sides of a patch."""
CHUNK = 512
"""Places of a sample that are compared with all training patches at a time."""
RARE = 0.6
"""Power by which the share of a class lowers the log-probability of patches that show it."""
SHOWN = 0.3
"""Share of a cell from which on a patch shows a class."""


@dataclass(frozen=True)
class MosaicStage:
    """A stage of the coarse-to-fine sampling of mosaics.

    Attributes
    ----------
    cell : int
        Pixels a side that are one value.
    side : int
        Side of patches in cells.
    stride : int
        Cells from one place to the next.
    highest : float
        The noise that it begins at.
    nearest : int
        Training patches that a mean is taken of.
    """

    cell: int
    side: int
    stride: int
    highest: float
    nearest: int


def stages_of(side: int) -> tuple[MosaicStage, ...]:
    """The stages for tiles of a side in pixels."""
    if side >= 48:
        return (
            MosaicStage(cell=4, side=8, stride=1, highest=4.0, nearest=64),
            MosaicStage(cell=2, side=12, stride=2, highest=1.4, nearest=4),
            MosaicStage(cell=1, side=16, stride=4, highest=1.0, nearest=1),
        )
    if side >= 16:
        coarse = min(8, -(-side // 2) // 2)
        return (
            MosaicStage(cell=2, side=coarse, stride=1, highest=3.0, nearest=64),
            MosaicStage(cell=1, side=min(8, side // 2), stride=1, highest=0.5, nearest=4),
        )
    return (MosaicStage(cell=1, side=max(2, side // 2), stride=1, highest=3.0, nearest=8),)


@dataclass(frozen=True, eq=False)
class StagePatches:
    """All patches of some training pairs at a stage.

    Attributes
    ----------
    values : (m, C·s²) Tensor
    projected : (m, k) Tensor
    squares : (m,) Tensor
        Squared lengths of those.
    favour : (m,) Tensor
        Log-probability of each beside the others.
    """

    values: Tensor
    projected: Tensor
    squares: Tensor
    favour: Tensor


@dataclass(frozen=True, eq=False)
class Directions:
    """What patches of a stage are compared along.

    Attributes
    ----------
    mean : (C·s²,) Tensor
    basis : (C·s², k) Tensor
        Orthonormal: what patches of a stage are compared along.
    """

    mean: Tensor
    basis: Tensor

    @classmethod
    def of(cls, cells: Tensor, side: int) -> Directions:
        """Those of some patches of cells (n, C, G, G)."""
        rng = torch.Generator().manual_seed(0)
        places = cells.shape[-1] - side + 1
        tiles = torch.randint(len(cells), (SAMPLED,), generator=rng)
        rows = torch.randint(places, (SAMPLED,), generator=rng)
        columns = torch.randint(places, (SAMPLED,), generator=rng)
        views = cells.unfold(2, side, 1).unfold(3, side, 1)
        patches = views[tiles, :, rows, columns].flatten(1).double()
        mean = patches.mean(dim=0)
        centred = patches - mean
        _, vectors = torch.linalg.eigh(centred.T @ centred)
        return cls(mean.float(), vectors[:, -DIRECTIONS:].float().contiguous())

    def read(self, patches: Tensor) -> Tensor:
        """(m, C·s²) → (m, k)."""
        return (patches - self.mean) @ self.basis


class PatchDiffusion:
    """Draws joint latents from noise.

    Parameters
    ----------
    joint : (n, C + K, P, P) Tensor
        Of training pairs, the image's C channels first, then the one-hot mask.
    favour : (K,) Tensor
        Log-probability of patches that show a class, beside others.
    stages : sequence of MosaicStage
        Coarsest first.
    """

    def __init__(
        self, joint: Tensor, classes: int, favour: Tensor, stages: Sequence[MosaicStage]
    ) -> None:
        self.classes = classes
        self.favour = favour
        self.stages = tuple(stages)
        self.cells = [avg_pool2d(joint, stage.cell) for stage in stages]
        self.directions = [
            Directions.of(cells, stage.side)
            for cells, stage in zip(self.cells, stages, strict=True)
        ]

    @torch.inference_mode()
    def sample(
        self,
        sources: Tensor,
        count: int,
        steps: int,
        strength: float,
        rng: torch.Generator,
        favoured: tuple[int, float] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Mosaics of patches of some training pairs.

        Parameters
        ----------
        sources : (s,) int64 Tensor
            The training pairs that patches are taken of.
        count : int
            How many mosaics.
        steps : int
            Denoising steps of all stages together.
        strength : float
            Noise to begin at, 0..1. At 1 nothing is seen of a pair; below, the first source shines
            through.
        rng : torch.Generator
            Chooses the patches and the noise.
        favoured : (int, float) or None
            A class's index, and what is added to the log-probability of patches that show it.

        Returns
        -------
        Weights (count, L, k) of the k training patches at each of the L places of the last
        stage, and where each lies: (count, L, k) numbers over ``sources``, rows and columns of
        places.
        """
        x = None
        steps_of_stage = max(1, steps // len(self.stages))
        for index in range(len(self.stages)):
            library = self._library(index, sources, favoured)
            levels = list(self._levels(index, steps_of_stage, strength))
            x = self._begin(x, index, sources, count, levels[0], strength, rng)
            for level, after in pairwise(levels):
                clean = torch.stack([self._clean(index, cells, level, library) for cells in x])
                x = clean + after / level * (x - clean)
        assert x is not None
        last = len(self.stages) - 1
        chosen = [self._choose(last, cells, levels[-1], library) for cells in x]
        return torch.stack([weight for weight, _ in chosen]), torch.stack([at for _, at in chosen])

    def _levels(self, index: int, steps: int, strength: float) -> Iterator[float]:
        """Falling noise of a stage; the next one begins where it ends, at the same noise of single
        pixels.
        """
        highest = self.stages[index].highest * strength
        if index + 1 < len(self.stages):
            after = self.stages[index + 1]
            # Without any noise to begin at, a stage still ends at a little.
            lowest = max(after.highest * strength * after.cell / self.stages[index].cell, LAST)
        else:
            lowest = LAST
        yield from noise_levels(steps + 1, max(highest, lowest), lowest)

    def _begin(
        self,
        x: Tensor | None,
        index: int,
        sources: Tensor,
        count: int,
        level: float,
        strength: float,
        rng: torch.Generator,
    ) -> Tensor:
        """Noised cells (count, C + K, G, G): of nothing or of the first source, or of those of the
        stage before, whose means they keep.
        """
        cells = self.cells[index][sources]
        noise = torch.randn((count, *cells.shape[1:]), generator=rng).to(cells.device)
        if x is None:
            usual = cells.mean(dim=(0, 2, 3))[:, None, None] if strength >= 1 else cells[0]
            return usual + level * noise
        ratio = self.stages[index - 1].cell // self.stages[index].cell
        return _larger(x, ratio) + level * (noise - _larger(avg_pool2d(noise, ratio), ratio))

    def _library(
        self, index: int, sources: Tensor, favoured: tuple[int, float] | None
    ) -> StagePatches:
        side = self.stages[index].side
        cells = self.cells[index][sources]
        values = unfold(cells, side).transpose(1, 2).flatten(0, 1)
        shares = values[:, -self.classes * side**2 :].reshape(-1, self.classes, side**2).amax(dim=2)
        favour = self.favour.clone()
        shows = shares > SHOWN * float(cells[:, -self.classes :].sum(dim=1).amax())
        least = favour.min()
        odds = torch.where(shows, favour, least).amax(dim=1)
        if favoured is not None:
            odds = odds + favoured[1] * shows[:, favoured[0]]
        projected = self.directions[index].read(values)
        return StagePatches(values, projected, projected.square().sum(dim=1), odds)

    def _choose(
        self, index: int, x: Tensor, level: float, library: StagePatches
    ) -> tuple[Tensor, Tensor]:
        """Weights (L, k) and numbers (L, k) of the likeliest patches at the places of cells x (C +
        K, G, G).
        """
        stage = self.stages[index]
        projected = self.directions[index].read(
            unfold(x[None], stage.side, stride=stage.stride)[0].T
        )
        weights = []
        numbers = []
        for chunk in torch.split(projected, CHUNK):
            odds = (chunk @ library.projected.T - library.squares / 2) / level**2 + library.favour
            if stage.nearest == 1:
                best, at = odds.max(dim=1, keepdim=True)
            else:
                best, at = odds.topk(min(stage.nearest, odds.shape[1]), dim=1)
            weights.append(best.softmax(dim=1))
            numbers.append(at)
        return torch.cat(weights), torch.cat(numbers)

    def _clean(self, index: int, x: Tensor, level: float, library: StagePatches) -> Tensor:
        """The posterior mean of cells x (C + K, G, G)."""
        stage = self.stages[index]
        weights, numbers = self._choose(index, x, level, library)
        patches = torch.einsum("lk,lkd->ld", weights, library.values[numbers])
        return blend(patches[None], x.shape[-1], stage)[0]

    def assemble(self, tiles: Tensor, sources: Tensor, weights: Tensor, numbers: Tensor) -> Tensor:
        """(count, D, P, P): any channels of training pairs, tiles (n, D, P, P), laid as
        :meth:`sample` chose them.
        """
        stage = self.stages[-1]
        places = tiles.shape[-1] - stage.side + 1
        tile = numbers // places**2
        place = numbers % places**2
        views = tiles.unfold(2, stage.side, 1).unfold(3, stage.side, 1)
        parts = []
        for weight, chosen, at in zip(weights, tile, place, strict=True):
            patches = views[sources[chosen], :, at // places, at % places]  # (L, k, D, s, s)
            mean = (weight[..., None, None, None] * patches).sum(dim=1).flatten(1)
            parts.append(blend(mean[None], tiles.shape[-1], stage))
        return torch.cat(parts)


def blend(patches: Tensor, side: int, stage: MosaicStage) -> Tensor:
    """Patches (n, L, D·s²) of all places, blended to (n, D, side, side) by a window that falls from
    their middle.
    """
    places, size = patches.shape[1:]
    steps = torch.arange(stage.side, device=patches.device) - (stage.side - 1) / 2
    line = torch.exp(-0.5 * (steps / (WINDOW * stage.side)) ** 2)
    window = (line[:, None] * line).flatten().repeat(size // stage.side**2)
    total = fold((patches * window).transpose(1, 2), side, stage.side, stride=stage.stride)
    weights = window[None, : stage.side**2, None].expand(1, -1, places)
    return total / fold(weights, side, stage.side, stride=stage.stride)


def _larger(x: Tensor, ratio: int) -> Tensor:
    return x.repeat_interleave(ratio, dim=-1).repeat_interleave(ratio, dim=-2)


def favour_of(shares: Tensor) -> Tensor:
    """(K,) what is added to the log-probability of patches that show a class, from the classes'
    shares (K,) of all pixels: means over patches would lose the rare ones.
    """
    return -RARE * shares.clamp(min=1e-6).log()
