"""Lets a generator of image–mask pairs serve pixel classification: its tiles are cut into labelled patches.

A scene has a few labelled pixels, a generator of masks wants dense ones. So the training labels are spread over
superpixels, and what no superpixel labels is ignored. Superpixels are k-means clusters of principal components and
position, started from a regular grid (the idea of SLIC, Achanta et al., TPAMI 2012, with scikit-learn's k-means).

Whether training labels are dense enough for masks is asked before anything is fitted: k-means takes a minute on a large
scene. Its superpixels start from a grid and stay about as large, so the cells of that grid that hold a training pixel
tell the share beforehand: within 0.1 of what k-means labels, over six scenes and up to six protocols.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import FittedPairGenerator, Generator, PairGenerator, Progress
from hsiaug.core.samples import PatchSamples
from hsiaug.core.tiles import DenseSamples, DenseView, PairCounts
from hsiaug.protocol.view import TrainView, patches_at
from hsiaug.registry.card import Card
from hsiaug.tasks.task import TaskSplit, get_task

__all__ = [
    "adapted",
    "as_served",
    "check_masks_dense",
    "check_serves",
    "labelled_share",
    "spread_labels",
    "tile_starts",
]

TILE = 32
"""Side of the tiles that the generator learns from, or the scene's where that is smaller."""

STRIDE = 8
MOST_TILES = 400
SUPERPIXEL = 6
"""Side of a superpixel in pixels, about."""

LEAST_LABELLED = 0.5
"""Share of a tile's pixels that must be labelled, on average, for its mask to be of more than *ignore*."""

COMPONENTS = 8
COMPACTNESS = 0.5
"""Weight of position against spectrum: 0 = clusters of spectra anywhere."""

PER_TILE = 8
"""Patches taken of a class from one synthetic tile, at most."""

LEAST_TILES = 16
ROUNDS = 16
"""How many tiles are drawn at least, and how often more of them where a class shows too seldom: a rare one of Indian
Pines is in one of eight tiles that were asked for it."""


def needs_adapter(card: Card, task: str) -> bool:
    """True for a generator that serves a task through the adapter alone."""
    return task not in card.tasks and any(other in card.tasks for other in get_task(task).adapts)


def as_served(card: Card, task: str) -> Card:
    """The card of a generator as it serves a task: through the adapter it reads every pixel, and says so."""
    return replace(card, tasks=(task,), scope="scene") if needs_adapter(card, task) else card


def check_serves(card: Card, kind: str, task: str) -> None:
    """Raise InputError unless a plugin serves a task, itself or through the adapter."""
    if task in card.tasks or (kind == "generator" and needs_adapter(card, task)):
        return
    raise InputError(
        f"a {kind} of this benchmark must serve the task {task}",
        value=f"{card.name}, which serves {', '.join(card.tasks)}",
        hint=f"Choose another; 'hsiaug plugins list' shows what each serves, or use --task {card.tasks[0]}.",
    )


def check_masks_dense(card: Card, task: str, split: TaskSplit) -> None:
    """Raise InputError where a generator of masks would serve single pixels with masks of mostly *ignore*.

    card: as the plugin declares it. Says nothing of a generator that needs no adapter.
    """
    if not needs_adapter(card, task):
        return
    ((_, _, trained),) = split.sides
    share = labelled_share(trained)
    if share < LEAST_LABELLED:
        raise InputError(
            f"masks for {card.name} need {LEAST_LABELLED:.0%} of their tiles' pixels labelled, once the training "
            "labels are spread over superpixels",
            value=f"{share:.0%}, from {int(trained.sum()):,} training pixels under {split.protocol.text} "
            f"(draw {split.seed})",
            hint="Use a generator of pixel samples ('hsiaug plugins list'); or, where most of the scene is labelled, "
            f"--task {'; '.join(get_task(task).adapts)}.",
        )


def labelled_share(trained: NDArray[np.bool_]) -> float:
    """Share of labelled pixels, 0..1, over the tiles (those that show a label) of spread training pixels (H, W)."""
    height, width = trained.shape
    padded = np.pad(trained, ((0, -height % SUPERPIXEL), (0, -width % SUPERPIXEL)))
    parted = padded.reshape(len(padded) // SUPERPIXEL, SUPERPIXEL, -1, SUPERPIXEL)
    cells: NDArray[np.bool_] = np.asarray(parted.any(axis=(1, 3)))
    spread = cells.repeat(SUPERPIXEL, axis=0).repeat(SUPERPIXEL, axis=1)[:height, :width]
    sums = np.pad(spread.astype(np.int64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    side, rows, columns = tile_starts(trained.shape)
    top, left = np.array(rows)[:, None], np.array(columns)[None, :]
    low, right = top + side, left + side
    counts = sums[low, right] - sums[top, right] - sums[low, left] + sums[top, left]
    return float(counts[counts > 0].mean() / side**2)


def adapted(generator: Generator, task: str) -> Generator:
    """The generator as it serves a task: itself, or through the adapter."""
    if not needs_adapter(generator.card, task):
        return generator
    return cast(Generator, _PixelsFromPairs(cast(PairGenerator, generator)))


class _PixelsFromPairs:
    """A generator of pixel samples made of a generator of pairs. Its card says scope ``scene``: it reads every pixel."""

    card: Card

    def __init__(self, inner: PairGenerator) -> None:
        self.inner = inner
        self.card = as_served(inner.card, "pixels")

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress, **extra: Any) -> _FittedPixels:
        """Fit the inner generator on tiles of the scene, masked by the spread training labels."""
        mask = spread_labels(view, seed)
        pairs = _pairs(view, mask, np.random.default_rng(derive_seed("adapter", seed)))
        fitted = self.inner.fit(pairs, seed=seed, device=device, progress=progress, **extra)
        facts = {
            "adapter": "training labels spread over superpixels; patches cut from tiles",
            "pixels_labelled": int((mask > 0).sum()),
            "share_of_tiles_labelled": round(float((pairs.real.masks > 0).mean()), 3),
            "training_pixels": len(view.y),
            "tiles": len(pairs.real),
            "tile": pairs.patch,
        }
        return _FittedPixels(fitted, view.patch, view.bands, facts)

    def load(self, folder: Path, *, device: str) -> _FittedPixels:
        """Load a fit from the folder that ``save`` wrote."""
        facts = json.loads((folder / "adapter.json").read_text("utf-8"))
        return _FittedPixels(self.inner.load(folder / "pairs", device=device), **facts)


@dataclass(frozen=True, eq=False)
class _FittedPixels:
    """patch: side of the patches to cut. facts: what goes into the record beside the inner generator's own."""

    inner: FittedPairGenerator
    patch: int
    bands: int
    facts: Mapping[str, Any]

    def sample(self, counts: Mapping[int, int], *, guidance: float | None, seed: int) -> PatchSamples:
        """Patches round pixels that the synthetic masks call by the class.

        Raises PluginError where no synthetic tile shows a class that is asked for.
        """
        parts, labels, repeated = [], [], {}
        provenance: Mapping[str, Any] = {}
        for c, n in counts.items():
            if not n:
                continue
            x, provenance = self._patches(c, n, guidance, seed)
            if len(x) < n:
                repeated[str(c)] = len(x)
            # Not the first ones, which are of the fewest tiles.
            chosen = np.random.default_rng(derive_seed("chosen", seed, c)).permutation(len(x))
            parts.append(x[np.resize(chosen, n)])
            labels.append(np.full(n, c))
        facts = {**provenance, **self.facts, "patches_repeated_beyond": repeated}
        if not parts:
            empty = np.empty((0, self.bands, self.patch, self.patch), dtype=np.float32)
            return PatchSamples.made(empty, np.empty(0, dtype=np.int64), facts)
        return PatchSamples.made(np.concatenate(parts), np.concatenate(labels), facts)

    def _patches(
        self, c: int, n: int, guidance: float | None, seed: int
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        """Patches of a class, n where so many are found, and what the inner generator says of its samples."""
        parts: list[NDArray[np.float32]] = []
        provenance: Mapping[str, Any] = {}
        have = 0
        for turn in range(ROUNDS):
            if have >= n:
                break
            tiles = max(LEAST_TILES, math.ceil((n - have) / PER_TILE))
            pairs = self.inner.sample(
                PairCounts(tiles, {c: tiles}), guidance=guidance, seed=derive_seed("tiles", seed, c, turn)
            )
            provenance = pairs.provenance
            patches = _cut(pairs, c, self.patch, np.random.default_rng(derive_seed("cut", seed, c, turn)))
            parts.append(patches)
            have += len(patches)
        if not have:
            raise PluginError(
                f"the synthetic masks must show every class that is asked for, class {c} among them",
                value=f"no pixel of it in {ROUNDS} draws",
                hint="Train the generator longer, or give the class more training pixels.",
            )
        return np.concatenate(parts), provenance

    def save(self, folder: Path) -> None:
        """The inner generator, and what the adapter adds."""
        (folder / "pairs").mkdir()
        self.inner.save(folder / "pairs")
        facts = {"patch": self.patch, "bands": self.bands, "facts": dict(self.facts)}
        (folder / "adapter.json").write_text(json.dumps(facts), encoding="utf-8")


def spread_labels(view: TrainView, seed: int) -> NDArray[np.int64]:
    """(H, W) class ids: each superpixel that holds training pixels gets their most frequent class; 0 elsewhere.

    Training pixels keep their own class. Reads nothing but the view.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    height, width = view.visible.shape
    rows, columns = np.nonzero(view.visible)
    spectra = view.normaliser.spectra(view.cube[view.visible])
    reduced = PCA(min(COMPONENTS, view.bands), random_state=seed % 2**32).fit_transform(spectra)
    reduced /= reduced[:, :1].std() + 1e-12
    place = COMPACTNESS * np.stack([rows, columns], axis=1) / SUPERPIXEL
    features = np.concatenate([reduced, place], axis=1).astype(np.float32)
    on_grid = (rows % SUPERPIXEL == SUPERPIXEL // 2) & (columns % SUPERPIXEL == SUPERPIXEL // 2)
    centres = features[on_grid] if on_grid.any() else features[:1]
    clusters = KMeans(len(centres), init=centres, n_init=1, max_iter=5).fit_predict(features)
    segment = np.full((height, width), -1, dtype=np.int64)
    segment[rows, columns] = clusters
    votes = np.zeros((len(centres), len(view.class_names) + 1), dtype=np.int64)
    own = segment[view.coords[:, 0], view.coords[:, 1]]
    np.add.at(votes, (own, view.y), 1)
    winner = np.where(votes.any(axis=1), votes.argmax(axis=1), 0)
    mask = np.where(segment >= 0, winner[segment], 0)
    mask[view.coords[:, 0], view.coords[:, 1]] = view.y
    return mask


def _pairs(view: TrainView, mask: NDArray[np.int64], rng: np.random.Generator) -> DenseView:
    """Tiles of the scene that show a label."""
    side, rows, columns = tile_starts(mask.shape)
    places = [(r, c) for r in rows for c in columns if mask[r : r + side, c : c + side].any()]
    if len(places) > MOST_TILES:
        places = [places[i] for i in np.sort(rng.permutation(len(places))[:MOST_TILES])]
    images = np.stack([view.cube[r : r + side, c : c + side].transpose(2, 0, 1) for r, c in places])
    n = len(places)
    real = DenseSamples(
        images=np.ascontiguousarray(images[:, None], dtype=np.float32),
        masks=np.stack([mask[r : r + side, c : c + side] for r, c in places]),
        synthetic=np.zeros(n, dtype=bool),
        weight=np.ones(n, dtype=np.float32),
    )
    return DenseView(real, view.class_names, view.wavelengths, view.gsd, view.units, view.descriptions)


def tile_starts(shape: tuple[int, ...]) -> tuple[int, list[int], list[int]]:
    """The side of the tiles of a scene (H, W), and their first rows and columns, the last of which are at its edge."""
    side = min(TILE, *shape)
    rows, columns = (sorted({*range(0, length - side + 1, STRIDE), length - side}) for length in shape)
    return side, rows, columns


def _cut(pairs: DenseSamples, c: int, patch: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(m, B, p, p) patches round pixels of class c, at most ``PER_TILE`` of a tile, those far from its edge first."""
    radius = patch // 2
    parts = []
    for images, mask in zip(pairs.images[:, 0], pairs.masks, strict=True):
        coords = np.argwhere(mask == c)
        if not len(coords):
            continue
        coords = coords[rng.permutation(len(coords))]
        edge = np.minimum(coords, np.array(mask.shape) - 1 - coords).min(axis=1) < radius
        coords = coords[np.argsort(edge, kind="stable")][:PER_TILE]
        parts.append(patches_at(np.ascontiguousarray(images.transpose(1, 2, 0)), coords, patch))
    if not parts:
        return np.empty((0, pairs.bands, patch, patch), dtype=np.float32)
    return np.concatenate(parts)
