"""Samples of a task: how many a generator is asked for, what it must give, and what of them a
classifier is shown.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from hsiaug.base.arrays import Float32, Int32, Int64, PlacedRows, mapped_rows, row_blocks
from hsiaug.base.errors import PluginError
from hsiaug.core.pairs import PairSet
from hsiaug.core.read_only import seal_all
from hsiaug.core.samples import NOWHERE, Patches, PatchSamples, concatenate, real_numbers
from hsiaug.core.spectral_views import RAW_VIEW, SpectralView
from hsiaug.core.tiles import DenseSamples, DenseView, PairCounts
from hsiaug.core.view_names import RAW
from hsiaug.metrics.dense.structure import measure_pairs
from hsiaug.protocol.balance import (
    STEP,
    Block,
    Rate,
    check_lambda,
    check_times,
    pool_steps,
    synthetic_counts,
)
from hsiaug.protocol.split import Split
from hsiaug.protocol.tiling import BlindTiles, TileSplit, test_images
from hsiaug.protocol.view import TrainView
from hsiaug.registry.card import Card
from hsiaug.tasks.draws import convert_tiles

LabelledSpectra = tuple[Float32, Int64]
"""Spectra (n, B) and class ids (n,)."""


class PatchSampling:
    """Patches with a class each. λ evens out the classes."""

    file = "samples.npz"

    def sizes(self, split: Split, rate: Rate) -> tuple[int, int]:
        """Real samples of a split, and the synthetic ones that a rate asks for; makes no view."""
        ids, counts = np.unique(split.labels[split.train], return_counts=True)
        real = dict(zip(ids.tolist(), counts.tolist(), strict=True))
        return sum(real.values()), sum(synthetic_counts(real, rate).values())

    def blocks(self, view: TrainView, rate: Rate) -> list[Block[dict[int, int]]]:
        """The blocks of a pool that a rate takes samples from.

        Parameters
        ----------
        view : TrainView or DenseView
            Of the generator.
        rate : Rate
            Every rate takes a prefix of the same blocks.
        """
        return pool_steps(view.counts, rate)

    def first(self, samples: PatchSamples, counts: Mapping[int, int]) -> PatchSamples:
        """The first samples, so many of each class, or so many pairs."""
        return samples.take(
            np.concatenate([np.flatnonzero(samples.y == c)[:n] for c, n in counts.items()])
        )

    def check(self, samples: PatchSamples, counts: Mapping[int, int], view: TrainView) -> None:
        """Refuse samples that are not exactly what was asked for.

        Raises
        ------
        PluginError
            For another number, shape or class, values that are not finite, or no mark as synthetic.
        """
        if not isinstance(samples, PatchSamples):
            raise PluginError(
                "a generator's sample must return PatchSamples",
                value=type(samples).__name__,
                hint="Return PatchSamples.made(x, y), for example.",
            )
        side = (view.bands, view.patch, view.patch)
        if len(samples) and samples.x.shape[1:] != side:
            raise PluginError(
                f"a generator must make patches of shape {side}",
                value=str(samples.x.shape[1:]),
                hint="Return PatchSamples in the shape of TrainView.real.",
            )
        drawn = dict(Counter(samples.y.tolist()))
        expected = {c: n for c, n in counts.items() if n}
        if drawn != expected:
            raise PluginError(
                "a generator must make exactly the samples that were asked for, by class id",
                value=f"{dict(sorted(drawn.items()))} in place of {expected}",
                hint="Return counts[c] samples of each class c.",
            )
        check_contents(samples, "samples")

    def join(
        self,
        view: TrainView,
        pool: Sequence[PatchSamples],
        card: Card | None = None,
        spectra: SpectralView = RAW_VIEW,
    ) -> PatchSamples:
        """Real samples, then those of a pool.

        Parameters
        ----------
        view : TrainView or DenseView
            Its real samples come first.
        pool : sequence of samples
            As :meth:`check` lets pass.
        card : Card, optional
            Of the classifier that they are for: what it reads of them; None = whole.
        spectra : SpectralView
            In which they are shown.
        """
        parts = [batch if card is None else self.shown(batch, card) for batch in (view.real, *pool)]
        # A part of patches is a view that would keep all of them in memory: it is copied.
        if not pool and spectra.name == RAW and not (card and self.reads_part(card)):
            return parts[0]
        joined = concatenate([replace(batch, x=batch.x[:, :0]) for batch in parts])
        # Patches take most of a trial's memory, and are copied once, to their places in a file.
        order = np.lexsort((joined.synthetic * joined.y, joined.synthetic))
        first = parts[0].x
        places = np.split(np.argsort(order), np.cumsum([len(batch) for batch in parts])[:-1])
        spectra = spectra if first.shape[1] else RAW_VIEW

        def blocks() -> Iterator[PlacedRows]:
            for batch, place in zip(parts, places, strict=True):
                for rows, some in row_blocks(batch.x):
                    yield place[rows], spectra(some, axis=1)

        shape = len(order), spectra.bands(first.shape[1]), *first.shape[2:]
        return replace(joined.take(order), x=mapped_rows(shape, blocks))

    def measured(
        self, view: TrainView, pool: Sequence[PatchSamples], data: object, split: object
    ) -> dict[str, dict[str, float]]:
        """What a record says of any generator's samples of a pool. Of test pixels of the split no
        label is read: data and split may hold none.
        """
        return {}

    def shown(
        self, samples: PatchSamples, card: Card, spectra: SpectralView = RAW_VIEW
    ) -> PatchSamples:
        """What a classifier's card says that it reads of samples, in a spectral view; read-only."""
        patches = select_input(samples.x, samples.coords, card)
        x = spectra(patches.x, axis=1) if patches.x.size else patches.x
        return seal_all(replace(samples, x=x, coords=patches.coords))

    def reads_part(self, card: Card) -> bool:
        """Whether :meth:`shown` gives a classifier less than whole samples."""
        return not card.reads_patches

    def labelled_spectra(self, samples: PatchSamples) -> LabelledSpectra:
        """The spectra of samples with their class ids, for means by class; None where a sample
        shows several classes.
        """
        return samples.centres, samples.y


class PairSampling:
    """Tiles with a mask each. λ + M pairs for each real one: no class is filled up."""

    file = "samples"

    def sizes(self, split: TileSplit, rate: Rate) -> tuple[int, int]:
        return len(split.train), _pairs(len(split.train), rate)

    def blocks(self, view: DenseView, rate: Rate) -> list[Block[PairCounts]]:
        steps = math.ceil(round((rate.lam + rate.times) / STEP, 9))
        needed = _pairs(len(view.real), rate)
        ends = [_pairs(len(view.real), Rate(j * STEP)) for j in range(steps + 1)]
        numbers = [
            (end - start, min(end, needed) - start) for start, end in itertools.pairwise(ends)
        ]
        return [
            Block(j, PairCounts(n), PairCounts(used), used) for j, (n, used) in enumerate(numbers)
        ]

    def first(self, samples: DenseSamples, counts: PairCounts) -> DenseSamples:
        return samples.take(np.arange(min(counts.total, len(samples))))

    def check(self, samples: DenseSamples, counts: PairCounts, view: DenseView) -> None:
        shape = view.real.images.shape[1:]
        if not isinstance(samples, DenseSamples) or (
            len(samples) and samples.images.shape[1:] != shape
        ):
            raise PluginError(
                f"a generator must make tiles of shape {shape}",
                value=(
                    str(samples.images.shape[1:])
                    if isinstance(samples, DenseSamples)
                    else type(samples).__name__
                ),
                hint="Return DenseSamples in the shape of DenseView.real.",
            )
        if len(samples) != counts.total:
            raise PluginError(
                "a generator must make exactly the pairs that were asked for",
                value=f"{len(samples)} in place of {counts.total}",
                hint="Return counts.total pairs.",
            )
        check_contents(samples, "images")
        if len(samples) and not (
            samples.masks.min() >= 0 and samples.masks.max() <= len(view.class_names)
        ):
            raise PluginError(
                f"a generator must make masks of ids 0..{len(view.class_names)} (0 = ignore)",
                value=f"{samples.masks.min()}..{samples.masks.max()}",
                hint="Map network outputs back to class ids.",
            )

    def join(
        self,
        view: DenseView,
        pool: Sequence[DenseSamples],
        card: Card | None = None,
        spectra: SpectralView = RAW_VIEW,
    ) -> DenseSamples:
        return convert_tiles(concatenate([view.real, *pool]), spectra)

    def measured(
        self,
        view: DenseView,
        pool: Sequence[DenseSamples],
        data: PairSet,
        split: TileSplit | BlindTiles,
    ) -> dict[str, dict[str, float]]:
        held_out = test_images(data, split) if split.test else None
        return measure_pairs(view.real, concatenate(pool), held_out)

    def shown(
        self, samples: DenseSamples, card: Card, spectra: SpectralView = RAW_VIEW
    ) -> DenseSamples:
        return seal_all(convert_tiles(samples, spectra))

    def reads_part(self, card: Card) -> bool:
        return False

    def labelled_spectra(self, samples: DenseSamples) -> None:
        return None


def _pairs(real: int, rate: Rate) -> int:
    """The number of synthetic pairs for a number of real pairs."""
    check_lambda(rate.lam)
    check_times(rate.times)
    return math.floor((rate.lam + rate.times) * real + 0.5)


def check_contents(samples: PatchSamples | DenseSamples, what: str) -> None:
    """Refuse samples whose spectra, labels, weights or marks are none.

    Parameters
    ----------
    samples : PatchSamples or DenseSamples
        What a generator made.
    what : str
        The name of their spectra in the error.

    Raises
    ------
    PluginError
        For spectra that are complex, NaN or infinite, class ids that are no integers, weights that
        are negative or not finite, and samples that are not marked synthetic, which would count as
        real.
    """
    axes = tuple(range(1, samples.values.ndim))
    wrong = np.concatenate(
        [~np.isfinite(real_numbers(some)).all(axis=axes) for _, some in row_blocks(samples.values)]
    )
    if wrong.any():
        raise PluginError(
            f"a generator must make finite {what}",
            value=f"NaN or infinity in {int(wrong.sum())} of them",
            hint="Look for a division by a constant band, or a training that diverged.",
        )
    if samples.labels.dtype.kind not in "iu":
        raise PluginError(
            "a generator must make integer class ids",
            value=str(samples.labels.dtype),
            hint="Convert them: y.astype(int).",
        )
    weight = samples.weight
    odd = weight[~(np.isfinite(weight) & (weight >= 0))]
    if len(odd):
        raise PluginError(
            "a generator must make sample weights that are finite and not negative",
            value=f"{odd[0]}, and {len(odd) - 1} more of {len(weight)}",
            hint="Leave weights out for 1, or look for a division by zero.",
        )
    marks = samples.synthetic
    if marks.dtype != bool or not marks.all():
        unmarked = np.count_nonzero(~marks.astype(bool))
        raise PluginError(
            "a generator must mark all of its samples as synthetic",
            value=f"{unmarked} of {len(marks)} not, as {marks.dtype}",
            hint="Return PatchSamples.made(x, y), or synthetic of True alone.",
        )


def select_input(x: Float32, coords: Int32, card: Card) -> Patches:
    """What a classifier's card says that it reads of patches.

    Parameters
    ----------
    x : ndarray of float32, shape (n, B, p, p)
        Patches.
    coords : ndarray of int32, shape (n, 2)
        Rows and columns of their centres.
    card : Card
        Of the classifier.

    Returns
    -------
    Patches
        Whole patches, centre spectra (n, B, 1, 1), or locations alone (n, 0, 1, 1).
    """
    if card.input == "location":
        return Patches(x[:, :0, :1, :1], coords)
    if card.reads_scene:
        return Patches(x, coords)
    if card.input == "spectrum":
        middle = x.shape[2] // 2
        x = x[:, :, middle : middle + 1, middle : middle + 1]
    return Patches(x, np.full_like(coords, NOWHERE))
