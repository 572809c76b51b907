"""Classification of single pixels, from the patches round them."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import PluginError
from hsiaug.contracts import FittedClassifier, Progress
from hsiaug.core.samples import NOWHERE, Patches, PatchSamples, concatenate
from hsiaug.core.scene import Scene, UnlabelledScene
from hsiaug.core.sealed import seal_all
from hsiaug.core.spectral_views import RAW_VIEW, SpectralView
from hsiaug.core.view_names import AUTO, RAW, VIEWS
from hsiaug.data import load_scene
from hsiaug.data.catalogue import find_entry, status
from hsiaug.data.georeference import Georeference, scene_georeference
from hsiaug.metrics.accuracy import grouped_confusion, score
from hsiaug.protocol.balance import Block, Rate, pool_steps, synthetic_counts
from hsiaug.protocol.split import BlindSplit, Split, draw_split
from hsiaug.protocol.view import (
    BATCH_BYTES,
    TrainView,
    checksum_of_pixels,
    patches_at,
    shown,
    train_view,
    train_view_seen,
    view_without_labels,
)
from hsiaug.registry.card import Card

Prediction = tuple[NDArray[np.int32], NDArray[np.int16]]
"""Flat index and predicted class id of every test pixel."""
ROWS = 64
"""Patches that are copied at a time."""


class NoGroundTruthError(Exception):
    """Why pixels cannot be placed, as the end of a sentence."""


class PixelClassification:
    """Classes of single pixels, from the patches round them."""

    name = "pixels"
    single_pixels = True
    of_scenes = True
    scores = (("aa", "AA"), ("oa", "OA"))
    views: tuple[str, ...] = (*VIEWS, AUTO)

    load = load_labels = staticmethod(load_scene)
    split = staticmethod(draw_split)
    view = staticmethod(train_view)
    seen = staticmethod(train_view_seen)
    metrics = staticmethod(score)

    def unlabelled(self, data: Scene, split: object, view: TrainView) -> TrainView:
        return view_without_labels(view)

    def checksum(self, data: Scene, split: object, view: TrainView) -> str:
        return checksum_of_pixels(view)

    def load_local(self, ref: str, most: int | None = None) -> Scene:
        """The scene, of at most so many values (None: any), where nothing needs to be downloaded.

        Raises NoGroundTruthError where it is not here, or larger.
        """
        entry = find_entry(ref)
        if status(entry) not in ("embedded", "here"):
            raise NoGroundTruthError(f"the files of the scene {ref} are not here")
        shape = entry.card.cube.shape
        if most is not None and shape is not None and np.prod(shape) > most:
            raise NoGroundTruthError(f"the scene {ref} is too large to be read for a page")
        return load_scene(ref, progress=False)

    def truth(self, data: Scene) -> dict[str, NDArray[np.int16]]:
        """(H, W) class ids of every pixel, 0 = none, by the scene's name."""
        return {data.name: data.labels}

    def cube(self, data: Scene) -> NDArray[np.float32]:
        """(H, W, B) of the scene."""
        return data.cube

    def sizes(self, split: Split, rate: Rate) -> tuple[int, int]:
        """Real samples of a draw, and the synthetic ones that a rate asks for; copies no cube, as a
        view would.
        """
        ids, counts = np.unique(split.labels[split.train], return_counts=True)
        real = dict(zip(ids.tolist(), counts.tolist(), strict=True))
        return sum(real.values()), sum(synthetic_counts(real, rate).values())

    def blocks(self, view: TrainView, rate: Rate) -> list[Block[dict[int, int]]]:
        """The blocks of a pool that a rate takes samples from."""
        return pool_steps(view.counts, rate)

    def first(self, samples: PatchSamples, counts: Mapping[int, int]) -> PatchSamples:
        """The first ``counts[c]`` samples of each class."""
        return samples.take(
            np.concatenate([np.flatnonzero(samples.y == c)[:n] for c, n in counts.items()])
        )

    def check(self, samples: PatchSamples, counts: Mapping[int, int], view: TrainView) -> None:
        """Raise PluginError unless a generator made exactly what was asked for."""
        if not isinstance(samples, PatchSamples):
            rule, hint = (
                "a generator's sample must return PatchSamples",
                "Return PatchSamples.made(x, y), for example.",
            )
            raise PluginError(rule, value=type(samples).__name__, hint=hint)
        side = (view.bands, view.patch, view.patch)
        if len(samples) and samples.x.shape[1:] != side:
            rule = f"a generator must make patches of shape {side}"
            hint = "Return PatchSamples in the shape of TrainView.real."
            raise PluginError(rule, value=str(samples.x.shape[1:]), hint=hint)
        made = dict(Counter(samples.y.tolist()))
        expected = {c: n for c, n in counts.items() if n}
        if made != expected:
            rule = "a generator must make exactly the samples that were asked for, by class id"
            hint = "Return counts[c] samples of each class c."
            raise PluginError(
                rule, value=f"{dict(sorted(made.items()))} in place of {expected}", hint=hint
            )
        check_finite(samples.x, "samples")
        check_numbers(samples.y, samples.weight)
        check_marked(samples.synthetic)

    def join(
        self,
        view: TrainView,
        pool: Sequence[PatchSamples],
        card: Card | None = None,
        spectra: SpectralView = RAW_VIEW,
    ) -> PatchSamples:
        """Real samples, then those of the pool, class by class.

        card: of the classifier that they are for: they are what it reads, in a spectral view, as
        of :meth:`shown`.
        """
        parts = [part if card is None else self.shown(part, card) for part in (view.real, *pool)]
        if not pool and spectra.name == RAW:
            return parts[0]
        joined = concatenate([replace(part, x=part.x[:, :0]) for part in parts])
        # Patches take most of a trial's memory, and are copied once, to their places.
        order = np.lexsort((joined.synthetic * joined.y, joined.synthetic))
        first, places = (
            parts[0].x,
            np.split(np.argsort(order), np.cumsum([len(part) for part in parts])[:-1]),
        )
        spectra = spectra if first.shape[1] else RAW_VIEW
        x = np.empty(
            (len(order), spectra.bands(first.shape[1]), *first.shape[2:]), dtype=np.float32
        )
        for part, place in zip(parts, places, strict=True):
            for rows in (slice(start, start + ROWS) for start in range(0, len(part), ROWS)):
                x[place[rows]] = spectra(part.x[rows], axis=1)
        return replace(joined.take(order), x=x)

    def measured(
        self, view: TrainView, pool: Sequence[PatchSamples]
    ) -> dict[str, dict[str, float]]:
        """Nothing: generators of patches measure their own."""
        return {}

    def shown(
        self, samples: PatchSamples, card: Card, spectra: SpectralView = RAW_VIEW
    ) -> PatchSamples:
        """The input that a classifier's card names, in a spectral view: patches, centre spectra, or
        locations alone.
        """
        seen = _select_input(samples.x, samples.coords, card)
        x = spectra(seen.x, axis=1) if seen.x.size else seen.x
        return seal_all(
            PatchSamples(
                x, seen.coords, samples.y, samples.synthetic, samples.weight, samples.provenance
            )
        )

    def predict(
        self,
        fitted: FittedClassifier,
        card: Card,
        scene: Scene | UnlabelledScene,
        split: Split | BlindSplit,
        spectra: SpectralView = RAW_VIEW,
    ) -> NDArray[np.int16]:
        """(n,) int16: predicted class id of every test pixel, row by row. Reads no test label."""
        coords = np.argwhere(split.test).astype(np.int32)
        cube = shown(scene.pixels, None, spectra)
        labels = [
            check_predicted(fitted.predict(batch), (len(batch),), len(scene.class_names))
            for _, batch in _batches(cube, coords, split.patch, card, scene.bands)
        ]
        return np.concatenate(labels).astype(np.int16)

    def mapped(
        self,
        fitted: FittedClassifier,
        card: Card,
        scene: Scene,
        split: Split,
        progress: Progress,
        spectra: SpectralView = RAW_VIEW,
    ) -> dict[str, NDArray[np.int16]]:
        """(H, W) class ids of every pixel, by the scene's name; test pixels come out as in the
        trial, in its own batches, for sums over other batches may be rounded otherwise.
        """
        ids = self.map_pixels(fitted, card, scene, split.patch, scene.labels > 0, progress, spectra)
        ids[split.test] = self.predict(fitted, card, scene, split, spectra)
        return {scene.name: ids}

    def map_pixels(
        self,
        fitted: FittedClassifier,
        card: Card,
        scene: Scene | UnlabelledScene,
        patch: int,
        labelled: NDArray[np.bool_],
        progress: Progress,
        spectra: SpectralView = RAW_VIEW,
    ) -> NDArray[np.int16]:
        """(H, W) class ids of every pixel; 0 where one not ``labelled`` (H, W) holds 0 in every
        band: no data.

        Patches are cut as for the test pixels, in stripes of rows and batches of about
        ``BATCH_BYTES``; beyond the cube itself, memory does not grow with the scene.
        """
        side = patch if card.reads_patches else 1
        height, width = scene.shape
        rows = max(1, 2 * BATCH_BYTES // (4 * scene.bands * width))
        ids = np.zeros(scene.shape, dtype=np.int16)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            # The rows that its patches reach, so that each spectrum is read and converted once.
            first = max(0, top - side // 2)
            reached = scene.pixels[first : bottom + side // 2]
            shows = reached[top - first : bottom - first].any(axis=2) | labelled[top:bottom]
            coords = np.argwhere(shows).astype(np.int32) + np.array([top, 0], dtype=np.int32)
            seen = spectra(reached, axis=2)
            for part, batch in _batches(seen, coords, patch, card, scene.bands, first):
                ids[tuple(part.T)] = check_predicted(
                    fitted.predict(batch), (len(part),), len(scene.class_names)
                )
            progress(bottom, height, "rows")
        return ids

    def georeferences(
        self, ref: str | os.PathLike[str], scene: Scene
    ) -> dict[str, Georeference | None]:
        """Return the location of the map on Earth, as the cube's file says."""
        return {scene.name: scene_georeference(ref)}

    def score(self, scene: Scene, split: Split, prediction: Prediction) -> dict[str, object]:
        """The only place where test labels are read, in the process that runs no plugin."""
        index, label = prediction
        new = (~split.seen.ravel()[index]).astype(np.int64)
        hidden = new * 0 if split.hidden is None else split.hidden.ravel()[index].astype(np.int64)
        true, classes = split.labels.ravel()[index], len(scene.class_names)
        counts = grouped_confusion(new + 2 * hidden, 4, true, label, classes)
        unseen = None if split.hidden is None else counts[2:].sum(axis=0)
        return self.metrics(counts.sum(axis=0), scene.subsets, counts[1::2].sum(axis=0), unseen)


def check_finite(made: NDArray[np.float32], what: str) -> None:
    """Raise PluginError where one of the arrays (n, ...) that a generator made holds NaN or
    infinity.
    """
    wrong = ~np.isfinite(made).all(axis=tuple(range(1, made.ndim)))
    if wrong.any():
        rule = f"a generator must make finite {what}"
        hint = "Look for a division by a constant band, or a training that diverged."
        raise PluginError(rule, value=f"NaN or infinity in {int(wrong.sum())} of them", hint=hint)


def check_numbers(ids: AnyArray, weight: AnyArray) -> None:
    """Raise PluginError where class ids that a generator made are no integers, or its sample
    weights (n,) no weights.
    """
    if ids.dtype.kind not in "iu":
        rule, hint = "a generator must make integer class ids", "Convert them: y.astype(int)."
        raise PluginError(rule, value=str(ids.dtype), hint=hint)
    wrong = weight[~(np.isfinite(weight) & (weight >= 0))]
    if len(wrong):
        rule = "a generator must make sample weights that are finite and not negative"
        hint = "Leave weights out for 1, or look for a division by zero."
        raise PluginError(
            rule, value=f"{wrong[0]}, and {len(wrong) - 1} more of {len(weight)}", hint=hint
        )


def check_marked(synthetic: AnyArray) -> None:
    """Raise PluginError unless samples (n,) that a generator made are all marked synthetic: others
    count as real.
    """
    if synthetic.dtype != bool or not synthetic.all():
        rule = "a generator must mark all of its samples as synthetic"
        found = (
            f"{np.count_nonzero(~synthetic.astype(bool))} of {len(synthetic)} not, as"
            f" {synthetic.dtype}"
        )
        raise PluginError(
            rule, value=found, hint="Return PatchSamples.made(x, y), or synthetic of True alone."
        )


def check_predicted(answer: AnyArray, shape: tuple[int, ...], classes: int) -> AnyArray:
    """What a fit predicted, an array. Raises PluginError unless it is a class id for each item, of
    that shape.
    """
    labels = np.asarray(answer)
    integer = labels.dtype.kind in "iu"
    if (
        labels.shape != shape
        or not integer
        or (labels.size and not 1 <= labels.min() <= labels.max() <= classes)
    ):
        told = f", of {labels.min()}..{labels.max()}" if labels.size and integer else ""
        rule = f"predict must give integer class ids in 1..{classes} of shape {shape}"
        hint = "Map network outputs back to the ids of the samples; 0 is no class."
        raise PluginError(rule, value=f"{labels.dtype} of shape {labels.shape}{told}", hint=hint)
    return labels


def _select_input(x: NDArray[np.float32], coords: NDArray[np.int32], card: Card) -> Patches:
    if card.input == "location":
        return Patches(x[:, :0, :1, :1], coords)
    if card.reads_scene:
        return Patches(x, coords)
    if card.input == "spectrum":
        middle = x.shape[2] // 2
        x = x[:, :, middle : middle + 1, middle : middle + 1]
    return Patches(x, np.full_like(coords, NOWHERE))


def _batches(
    cube: NDArray[np.float32],
    coords: NDArray[np.int32],
    patch: int,
    card: Card,
    bands: int,
    first: int = 0,
) -> Iterator[tuple[NDArray[np.int32], Patches]]:
    """Pixels and their patches, no larger than the classifier reads them. bands: of the scene.
    first: row of the cube.
    """
    side = patch if card.reads_patches else 1
    step = max(1, BATCH_BYTES // (4 * bands * side * side))
    for part in (coords[start : start + step] for start in range(0, len(coords), step)):
        yield (
            part,
            seal_all(
                _select_input(patches_at(cube, part - np.array([first, 0]), side), part, card)
            ),
        )
