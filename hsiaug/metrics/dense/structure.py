"""Spatial structure of labelled tiles: neighbouring pixels, regions of masks, and whether masks lie
on their images.

Images are (n, T, B, H, W), masks (n, H, W) with 0 = ignore. Held-out tiles are test tiles, masks
included: a diagnosis after every fit, never a means to choose one.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Bools, Float32, Int64
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics import structure
from hsiaug.metrics.dense.pieces import near_pieces, random_tiles
from hsiaug.metrics.measures import Measures, MeasureTable, Values
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.metrics.spectra import fit_space
from hsiaug.metrics.structure import SHOWN, component_maps, edge_threshold, gradients

Floats = NDArray[np.floating]

AXES = 6
PIXELS = 5000
"""Pixels that the components are fitted on."""
TILES = 120
"""Tiles of a set that are compared at most."""
RECORDED_TILES = 64
"""Tiles of a set that are measured for a record at most."""
CHANGED = 2
"""Class id of a changed pixel."""
MIN_PIXELS_OF_A_KIND = 5
"""Pixels of either kind without which a tile is left out."""
TINY = 4
"""Pixels below which a connected region is tiny."""

MEASURES: MeasureTable = {
    "components": ("masks: connected regions a tile", "", "as held-out"),
    "tiny": ("masks: pixels in regions of fewer than 4 pixels", "%", "as held-out"),
    "mask_edges": ("masks: rank of the image's gradient at their edges", "%", "as held-out"),
    "change": ("masks: change inside, of that outside", "", "as held-out"),
    **structure.MEASURES,
}
"""Label, unit, and what is good, by the name of a measure; the order of the table."""


def dense_structure(
    train: DenseSamples, held_out: DenseSamples, synthetic: DenseSamples
) -> Measures:
    """Compare the spatial structure of tiles and masks, all in the data's units."""
    if min(train.side) < 2:
        return Measures(notes=("tiles of one pixel have no spatial structure",))
    rng = np.random.default_rng(derive_seed("dense structure", 0))
    names = ("training", "held_out", "synthetic")
    sets = {
        name: tiles.take(random_tiles(len(tiles), TILES, rng))
        for name, tiles in zip(names, (train, held_out, synthetic), strict=True)
    }
    columns = _columns(sets, "training", rng)
    for name, tiles in sets.items():
        columns[name] |= mask_regions(tiles.masks)
    return Measures(structure.structure_measures(MEASURES, columns, len(sets["synthetic"])))


def mask_regions(masks: Int64) -> Values:
    """Connected regions of one class a tile, and the share of labelled pixels, 0..1, that lie in
    regions of fewer than four pixels. Neighbours are those to the left, right, above and below.
    """
    from scipy.ndimage import label

    sizes = [
        np.bincount(regions.ravel())[1:]
        for mask in masks
        for c in np.setdiff1d(mask, IGNORE)
        for regions, _ in [label(mask == c)]
    ]
    pixels = np.concatenate(sizes) if sizes else np.empty(0, dtype=np.int64)
    if not len(pixels):
        return {"components": 0.0, "tiny": None}
    tiny = float(pixels[pixels < TINY].sum() / pixels.sum())
    return {"components": len(pixels) / len(masks), "tiny": tiny}


def measure_pairs(
    real: DenseSamples, synthetic: DenseSamples, held_out: Float32 | None = None
) -> dict[str, dict[str, float]]:
    """What a record states of a trial's pairs: the structure of synthetic and of real training
    pairs, and how many pieces of the synthetic ones lie very near to training pieces.

    Parameters
    ----------
    real, synthetic : DenseSamples
        Real training pairs and synthetic ones of one shape, in the data's units.
    held_out : (n, T, B, H, W) float32 or None
        Images of test tiles, which pieces are compared with; None = pieces are not measured.

    Returns
    -------
    dict of str to dict of str to float
        ``measured`` and ``measured_real``. ``within_1`` to ``within_3``: correlation of neighbours
        within tiles, by principal component; ``edges``: share of pixels with an edge, of which real
        tiles have one in ten; ``mask_edges`` and ``beside_edges``: mean rank, 0..1, of the image's
        gradient at edges of the mask, and elsewhere; of two dates ``change``: how much more they
        differ inside the mask than outside, and ``change_rank``: the same as a chance; ``n``: tiles
        that were measured. Of synthetic tiles also ``pieces_5``, ``pieces_9`` and ``pieces_17``:
        share of pieces of so many pixels a side nearer to a training piece than 95 % of held-out
        ones. What is not defined is left out. Empty for tiles of one pixel.
    """
    if min(real.side) < 2:
        return {}
    rng = np.random.default_rng(derive_seed("measured pairs", 0))
    synthetic = synthetic.take(np.arange(min(RECORDED_TILES, len(synthetic))))
    near = {} if held_out is None else near_pieces(real.images, held_out, synthetic.images)[0]
    real = real.take(random_tiles(len(real), RECORDED_TILES, rng))
    sets = {"measured": synthetic, "measured_real": real}
    columns = _columns(sets, "measured_real", rng)
    columns["measured"] |= near
    return {
        name: {
            **{key: round(v, 4) for key, v in column.items() if v is not None and np.isfinite(v)},
            "n": len(sets[name]),
        }
        for name, column in columns.items()
    }


def _columns(
    sets: Mapping[str, DenseSamples], training: str, rng: np.random.Generator
) -> dict[str, Values]:
    """Structure of each set, on principal components of single dates of the training tiles, whose
    name is ``training``.
    """
    train = sets[training]
    spectra = np.moveaxis(train.images, 2, -1).reshape(-1, train.bands)
    space = fit_space(spectra[rng.permutation(len(spectra))[:PIXELS]].astype(np.float64), AXES)
    maps = {
        name: [component_maps(tiles.images[:, t], space) for t in range(tiles.dates)]
        for name, tiles in sets.items()
    }
    # One date after the other, as if they were tiles of one.
    threshold = edge_threshold(np.concatenate(maps[training]))
    return {
        name: structure.structure(np.concatenate(maps[name]), threshold)
        | _mask_statistics(tiles, maps[name], space.std)
        for name, tiles in sets.items()
    }


def _mask_statistics(tiles: DenseSamples, dates: list[Float32], scale: Floats) -> Values:
    """Where masks lie in their images."""
    column: Values = {}
    scores = [maps[:, :SHOWN] for maps in dates]
    if tiles.dates > 1:
        contrast = change_contrast(tiles.images, tiles.masks, scale)
        column["change"], column["change_rank"] = contrast or (None, None)
        scores.append(scores[1] - scores[0])
    ranks = edge_ranks(np.concatenate(scores, axis=1), tiles.masks)
    column["mask_edges"], column["beside_edges"] = ranks or (None, None)
    return column


def change_contrast(images: Floats, masks: Int64, scale: Floats) -> tuple[float, float] | None:
    """How much more two dates differ inside the change mask than outside.

    Parameters
    ----------
    images : (n, 2, B, H, W) floats
        Pairs of dates.
    masks : (n, H, W) int64
        1 = unchanged, 2 = changed.
    scale : (B,) floats
        Standard deviations of the bands in real training tiles.

    Returns
    -------
    (float, float) or None
        Length of the difference inside the mask, as a multiple of that outside, the geometric mean
        over tiles; and the chance, 0..1, that a changed pixel differs more than an unchanged one of
        its tile. The median difference of a tile is taken out first: light differs between dates.
        None where no tile has changed and unchanged pixels.
    """
    ratios = []
    ranks = []
    for (before, after), mask in zip(images, masks, strict=True):
        changed = mask == CHANGED
        unchanged = (mask != CHANGED) & (mask != IGNORE)
        if min(changed.sum(), unchanged.sum()) < MIN_PIXELS_OF_A_KIND:
            continue
        step = (after.astype(np.float64) - before) / scale[:, None, None]
        step -= np.median(step, axis=(1, 2), keepdims=True)
        length = np.linalg.norm(step, axis=0)
        inside = length[changed]
        outside = length[unchanged]
        if outside.mean() > 0 < inside.mean():
            ratios.append(np.log(inside.mean() / outside.mean()))
            ranks.append(rank_nearer(outside, inside))
    return (float(np.exp(np.mean(ratios))), float(np.mean(ranks))) if ratios else None


def edge_ranks(maps: Floats, masks: Int64) -> tuple[float, float] | None:
    """Where the edges of masks lie among the gradients of their images.

    Parameters
    ----------
    maps : (n, k, H, W) floats
        Components of the images, all dates and their differences.
    masks : (n, H, W) int64
        0 = ignore.

    Returns
    -------
    (float, float) or None
        Mean rank, 0..1, of the image's gradient in its tile: at edges of the mask, and elsewhere;
        means over all pixels. ½ for edges that lie anywhere. None where no mask has an edge.
    """
    from scipy.stats import rankdata

    on = []
    off = []
    for image_maps, mask in zip(maps, masks, strict=True):
        edge, labelled = mask_edges(mask)
        if not 0 < edge.sum() < labelled.sum():
            continue
        values = gradients(image_maps[None])[0][labelled]
        ranks = (rankdata(values) - 0.5) / len(values)
        on.append(ranks[edge[labelled]])
        off.append(ranks[~edge[labelled]])
    return (float(np.concatenate(on).mean()), float(np.concatenate(off).mean())) if on else None


def mask_edges(mask: Int64) -> tuple[Bools, Bools]:
    """(H − 1, W − 1) where the right or lower neighbour is of another class, and where all three
    are labelled.
    """
    corner = mask[:-1, :-1]
    right = mask[:-1, 1:]
    lower = mask[1:, :-1]
    labelled = (corner != IGNORE) & (right != IGNORE) & (lower != IGNORE)
    return labelled & ((corner != right) | (corner != lower)), labelled
