"""From counts of pairs to pairs: which training tiles they are like, and those drawn again that
lack their class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import (
    DenseSamples,
    PairCounts,
    PluginError,
    Reconstruction,
    load_state,
    resampled,
    save_state,
)
from hsiaug_builtin.specdm.tileformat import TileFormat

BATCH = 64
ENCODED = 64
"""Tiles that are encoded at a time."""
AGAIN = 8
"""Most times that pairs are drawn again which do not show the class that they were asked for."""

Batch = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]
"""Images (n, T, B, H, H) in the data's units, masks (n, H, H) and the confidence of their pixels.
"""


class PairDrawing:
    """Shared by fitted generators of pairs.

    Attributes
    ----------
    params : dataclass
        Params of the plugin.
    shares : (n, K) float32
        Each id's share of each training tile.
    """

    params: Any
    format: TileFormat
    shares: NDArray[np.float32]
    facts: Mapping[str, Any]

    @property
    def weight(self) -> float:
        """Weight of a synthetic pair."""
        return float(self.params.weight)

    @property
    def by_class(self) -> float:
        """Share of the pairs that are asked for a class each."""
        return 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is saved as arrays: the fields that are some."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def save(self, folder: Path) -> None:
        """All state as safetensors and JSON."""
        facts = {
            "params": asdict(self.params),
            "format": asdict(self.format),
            "facts": dict(self.facts),
        }
        save_state(folder, self.arrays(), facts)

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Pairs of any kind, and of ``counts.by_class[c]`` those that shall show class c.

        Pairs are like training tiles: any, or, for a class, tiles drawn in proportion to their
        share of it, with guidance ω. Pairs that do not show it all the same are drawn again, up to
        ``AGAIN`` times, each time with ω larger by a half.
        Raises PluginError for a class without training pixels.
        """
        omega = guidance or 0.0
        rng = np.random.default_rng(seed)
        torch_rng = torch.Generator().manual_seed(seed)
        form = self.format
        for c in counts.by_class:
            if c not in form.ids:
                raise PluginError(
                    "only classes with training pixels can be made",
                    value=f"class {c}; known are {', '.join(str(i) for i in form.ids if i)}",
                    hint="Give the class training pixels, or do not ask for it.",
                )
        counts = asked_by_class(counts, self.by_class, [i for i in form.ids if i])
        provenance = {**self.facts, "omega": omega}
        empty = np.empty((0, form.dates, form.bands, form.side, form.side), dtype=np.float32)
        blocks = [DenseSamples.made(empty, empty[:, 0, 0], confidence=empty[:, 0, 0])]
        blocks += [self._draw_pairs(c, n, omega, rng, torch_rng) for c, n in counts.parts()]
        samples = DenseSamples.made(
            np.concatenate([block.images for block in blocks]),
            np.concatenate([block.masks for block in blocks]),
            confidence=np.concatenate(
                [block.confidence for block in blocks if block.confidence is not None]
            ),
            provenance=provenance,
        )
        return replace(samples, weight=np.full(len(samples), self.weight, dtype=np.float32))

    def _draw_pairs(
        self,
        c: int | None,
        n: int,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> DenseSamples:
        """n pairs that shall show class c, or any where it is None."""
        images = []
        masks = []
        sure = []
        for rows in np.array_split(self._rows(c, n, rng), range(BATCH, n, BATCH)):
            image, mask, confidence = self._batch(rows, c, omega, rng, torch_rng)
            for attempt in range(1, AGAIN + 1):
                lacks = np.flatnonzero(~(mask == c).any(axis=(1, 2))) if c is not None else ()
                if not len(lacks):
                    break
                redrawn = self._batch(
                    self._rows(c, len(lacks), rng), c, omega + attempt / 2, rng, torch_rng
                )
                image[lacks], mask[lacks], confidence[lacks] = redrawn
            images.append(image)
            masks.append(mask)
            sure.append(confidence)
        return DenseSamples.made(
            np.concatenate(images), np.concatenate(masks), confidence=np.concatenate(sure)
        )

    def _batch(
        self,
        rows: NDArray[np.int64],
        c: int | None,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> Batch:
        """Pairs like training tiles (n,), which shall show class c where it is not None."""
        raise NotImplementedError

    def _rows(self, c: int | None, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(n,) training tiles that pairs shall be like which show class c, or any where c is
        None.
        """
        weight = (
            self.shares[:, self.format.ids.index(c)].astype(float)
            if c is not None
            else np.ones(len(self.shares))
        )
        return rng.choice(len(self.shares), size=n, p=weight / weight.sum())


def read_saved(folder: Path, current: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of a saved fit, and its params, format and facts.

    Parameters
    ----------
    current : dataclass
        Has the params that only sampling reads.
    """
    arrays, saved = load_state(folder)
    params = resampled(type(current)(**saved["params"]), current)
    form = TileFormat.of_json(saved["format"])
    return arrays, {"params": params, "format": form, "facts": saved["facts"]}


def asked_by_class(counts: PairCounts, share: float, ids: Sequence[int]) -> PairCounts:
    """As many pairs, of which a share of those that may show any class is asked for one each.

    Parameters
    ----------
    counts : PairCounts
        As they were asked for.
    share : float
        0 to 1.
    ids : sequence of int
        The classes, which are asked for equally often; the first ones get what is left over.
    """
    asked = round(share * (counts.total - sum(counts.by_class.values())))
    by_class = dict(counts.by_class)
    for index, c in enumerate(ids):
        each = asked // len(ids) + (index < asked % len(ids))
        by_class[c] = by_class.get(c, 0) + each
    return replace(counts, by_class=by_class)


class PairCoder(Protocol):
    """What a pair is encoded and decoded by."""

    def encode(self, x: Tensor, one_hot: Tensor) -> Tensor: ...

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]: ...


class JointPairs(PairDrawing):
    """Shared by those whose images and masks come from one codec."""

    codec: PairCoder
    device: str

    @property
    def by_class(self) -> float:
        return float(self.params.by_class)

    @torch.inference_mode()
    def reconstruct(self, samples: DenseSamples) -> Reconstruction:
        """Pairs, encoded and decoded. A class that no training tile shows is read as the first
        known one.
        """
        form = self.format
        learnt = np.isin(samples.masks, form.ids)
        masks = np.where(learnt, samples.masks, form.ids[0])
        images: list[NDArray[np.float32]] = []
        shares: list[NDArray[np.float32]] = []
        side = form.side
        for start in range(0, len(masks), ENCODED):
            batch = slice(start, start + ENCODED)
            y = form.masks(masks[batch])
            x = form.images(samples.images[batch]).to(self.device)
            z = self.codec.encode(x, form.one_hot(y).to(self.device))
            decoded, of_classes = self.codec.decode(z)
            images.append(form.images_back(decoded))
            of_true_class = of_classes.cpu().gather(1, y[:, None])[:, 0, :side, :side]
            shares.append(of_true_class.numpy().astype(np.float32))
        probability = np.where(learnt, np.concatenate(shares), np.float32(np.nan))
        return Reconstruction(np.concatenate(images), probability)
