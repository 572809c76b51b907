"""Patches with a sentence on what each shows: what the denoiser learns from.

The same lessons are taught twice. Once a scene, the map of names is one of groups that were found
without labels; in a split it is that of the classes, from training labels and the teacher. Facts
are read off the map after a patch was mirrored and a polygon of another patch was set into it
(RPSC): a sentence is true of the patch that it describes, also of neighbours that the scene never
had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from hsiaug_builtin.nets.seeded import to_device
from hsiaug_builtin.txt2hsi.denoiser import Said
from hsiaug_builtin.txt2hsi.facts import Ids, Looks, choose_facts, find_facts
from hsiaug_builtin.txt2hsi.field import Field
from hsiaug_builtin.txt2hsi.frequencies import MIRRORS, mirror
from hsiaug_builtin.txt2hsi.groups import PixelLooks, levels
from hsiaug_builtin.txt2hsi.params import CLIPPED, SAID, SILENT
from hsiaug_builtin.txt2hsi.rpsc import soft_polygons

MENTIONS = 9
"""Mentions of a sentence at most."""
BORDER_WEIGHT = 3.0
"""How much likelier a patch is drawn that shows more than one name."""

ChooseRows = Callable[[Ids, np.random.Generator], NDArray[np.int64]]
"""Rows of the table of nouns for names, of any shape; -1 stays."""


@dataclass(frozen=True, eq=False)
class NamedMap:
    """A map of names of a scene, with what makes patches of it.

    Attributes
    ----------
    names : (H + p − 1, W + p − 1) int16
        Mirrored at the edges; -1 = not known.
    border : (H, W) bool
        The patch shows several names.
    rough, bright : (H, W) int8
        Levels beside pixels of the same name.
    """

    names: Ids
    border: NDArray[np.bool_]
    rough: NDArray[np.int8]
    bright: NDArray[np.int8]

    @classmethod
    def of(cls, names: Ids, patch: int, looks: PixelLooks) -> NamedMap:
        """Of a map (H, W)."""
        highest = ndimage.maximum_filter(names, size=patch, mode="mirror")
        known = np.where(names < 0, np.iinfo(np.int16).max, names)
        lowest = ndimage.minimum_filter(known, size=patch, mode="mirror")
        side = patch // 2
        return cls(
            np.pad(names, side, mode="reflect") if side else names,
            (highest >= 0) & (lowest < highest),
            _levels_by_name(looks.rough, names),
            _levels_by_name(looks.bright, names),
        )

    def cut(self, at: NDArray[np.integer], patch: int) -> Ids:
        """(n, p, p) names round pixels (n, 2)."""
        step = np.arange(patch)
        rows = at[:, 0, None, None] + step[:, None]
        columns = at[:, 1, None, None] + step
        return np.asarray(self.names[rows, columns])

    def facts(self, at: NDArray[np.integer], patch: int) -> Ids:
        """All facts of the patches round pixels (n, 2), as of :func:`find_facts`."""
        looks = Looks(self.rough[at[:, 0], at[:, 1]], self.bright[at[:, 0], at[:, 1]])
        return find_facts(self.cut(at, patch), looks)


def _levels_by_name(values: NDArray[np.float32], names: Ids) -> NDArray[np.int8]:
    """-1, 0 or 1 of each pixel beside all of its name; 0 where it has none."""
    known = names >= 0
    if not known.any():
        return np.zeros(names.shape, dtype=np.int8)
    ids = names[known].astype(np.int64)
    of_pixels = values[known].astype(np.float64)
    count = np.bincount(ids).clip(min=1)
    mean = np.bincount(ids, weights=of_pixels) / count
    apart = of_pixels - mean[ids]
    spread = np.sqrt(np.bincount(ids, weights=apart**2) / count)
    found = np.zeros(names.shape, dtype=np.int8)
    found[known] = levels(apart / np.maximum(spread[ids], 1e-6))
    return found


@dataclass(frozen=True, eq=False)
class Lesson:
    """Patches with what is said of them.

    Attributes
    ----------
    latents : (n, p, p, d) Tensor
        The patches.
    said : Said
        On the device of the latents.
    own : (n, p·p, M + 1) bool Tensor
        Which mentions each pixel may look at, as of :meth:`Denoiser.loss`.
    """

    latents: Tensor
    said: Said
    own: Tensor


def choose_centres(
    named: NamedMap, at: NDArray[np.integer], even: float, count: int, rng: np.random.Generator
) -> NDArray[np.integer]:
    """``count`` of the pixels (m, 2).

    Parameters
    ----------
    even : float
        Share that is drawn evenly over names; the rest evenly over pixels.
    """
    side = (named.names.shape[0] - named.border.shape[0]) // 2
    names = named.names[at[:, 0] + side, at[:, 1] + side].astype(np.int64)
    of_name = np.bincount(names)
    weight = even / ((of_name > 0).sum() * of_name[names]) + (1 - even) / len(names)
    weight = weight * np.where(named.border[at[:, 0], at[:, 1]], BORDER_WEIGHT, 1.0)
    edges = weight.cumsum()
    chosen = np.searchsorted(edges, rng.random(count) * edges[-1]).clip(max=len(at) - 1)
    return np.asarray(at[chosen])


@dataclass(frozen=True, eq=False)
class Teaching:
    """How lessons are made.

    Attributes
    ----------
    rpsc : bool
        Whether polygons of other patches are set in.
    layout : bool
        Whether more is said than the class of the centre.
    withheld : callable or None
        (n, R) facts → (n, R) bool, those that are never said; see
        :func:`hsiaug_builtin.txt2hsi.facts.withheld_facts`.
    """

    field: Field
    rpsc: bool
    layout: bool = True
    withheld: Callable[[Ids], NDArray[np.bool_]] | None = None

    def lesson(
        self,
        named: NamedMap,
        at: NDArray[np.integer],
        choose_rows: ChooseRows,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> Lesson:
        """A lesson on the patches round pixels (n, 2)."""
        patch = self.field.patch
        z = self.field.cut(at)
        regions = named.cut(at, patch)
        rough = named.rough[at[:, 0], at[:, 1]].copy()
        bright = named.bright[at[:, 0], at[:, 1]]
        turn = torch.from_numpy(rng.integers(MIRRORS, size=len(at)))
        z = mirror(z, turn)
        regions = mirror(torch.from_numpy(regions)[..., None], turn)[..., 0].numpy().copy()
        clipped: NDArray[np.bool_] = np.zeros(len(at), dtype=bool)
        if self.rpsc and patch >= 5:
            donor = rng.permutation(len(at))
            weight = soft_polygons(len(at), patch, CLIPPED, rng)
            clipped = np.asarray(weight.any(axis=(1, 2)))
            share = to_device(torch.from_numpy(weight), z.device)[..., None]
            z = z * (1 - share) + z[to_device(torch.from_numpy(donor), z.device)] * share
            regions = np.where(weight > 0.5, regions[donor], regions)
            rough[clipped] = 0
        facts = find_facts(regions, Looks(rough, bright))
        said = choose_facts(facts, SAID, rng)
        if not self.layout:
            said[:, 1:] = -1
        if self.withheld is not None:
            said[self.withheld(said)] = -1
        said[rng.random(len(at)) < SILENT] = -1
        mentions = mentions_of(said, choose_rows, rng)
        mentions = replace(mentions, clipped=torch.from_numpy(clipped.astype(np.float32)))
        own = looked_at(said, regions)
        device = str(z.device)
        return Lesson(z, mentions.to(device), to_device(own, device))


def columns_said(said: Ids) -> NDArray[np.int64]:
    """(n, M) columns of what is said, the centre first."""
    return np.argsort(said < 0, axis=1, kind="stable")[:, :MENTIONS]


def mentions_of(said: Ids, choose_rows: ChooseRows, rng: np.random.Generator) -> Said:
    """What is said of patches, as rows of nouns, chosen anew for each mention, and relations.

    Parameters
    ----------
    said : (n, R) int16
        Facts; -1 = not said.
    """
    columns = columns_said(said)
    names = np.take_along_axis(said, columns, axis=1)
    nouns = torch.from_numpy(choose_rows(names, rng))
    return Said(nouns, torch.from_numpy(columns), torch.zeros(len(said)))


def looked_at(said: Ids, regions: Ids) -> Tensor:
    """(n, p·p, M + 1) which mentions are of the name of each pixel; the last is of none of them."""
    names = np.take_along_axis(said, columns_said(said), axis=1)
    flat = regions.reshape(len(regions), -1)
    own = (flat[:, :, None] == names[:, None]) & (names >= 0)[:, None]
    nothing = (flat >= 0) & ~own.any(axis=2)
    return torch.from_numpy(np.concatenate([own, nothing[:, :, None]], axis=2))
