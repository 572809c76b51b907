"""Do made patches have the layout of real ones? Statistics of neighbours, and how well a classifier
tells the two apart.

Held-out patches are test pixels with their labels: a diagnosis after every fit, never a means to
choose one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import Indexable
from hsiaug.metrics.image_damages import shuffle_pixels
from hsiaug.metrics.layout import LayoutMaps, edge_threshold, layout_maps
from hsiaug.metrics.layout_measures import (
    JUDGES,
    LayoutJudge,
    MappedSide,
    TestDesign,
    layout_measures,
)
from hsiaug.metrics.layout_statistics import (
    STATISTICS,
    TOLD,
    statistics_by_column,
)
from hsiaug.metrics.measures import Measures, MeasureTable, Values, note_of
from hsiaug.metrics.patch_distances import PatchSpace
from hsiaug.metrics.spatial_folds import Side, spatial_cells
from hsiaug.metrics.spectra import Space, at_most, fit_space
from hsiaug.metrics.two_sample import match_folds, match_made

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Cut = Callable[[NDArray[np.integer]], Floats]
"""(n, 2) centres of real patches → (n, B, p, p) in scene units."""

AXES = 8
MAX_PATCHES_PER_CLASS = 100
"""Patches of a class that are compared at most, of each set."""
IN_CELL = 40
"""Held-out patches of a class in one half of a fold at most."""
BYTES = 2**28
"""Patches of one set at most, in bytes, unless that would leave fewer than ten of a class."""
FEW_BLOCKS = "too few separate blocks of held-out patches for a two-sample test"
TESTED = 500
"""Patches of each side of a two-sample test at most."""
PIXELS = 5000
"""Pixels that the components are fitted on."""
MEASURES: MeasureTable = {**TOLD, **STATISTICS}
"""Label, unit, and what is good, by the name of a measure; the order of the table."""


@dataclass(frozen=True, eq=False)
class KnownPatches(Indexable):
    """Real patches by their centres.

    Attributes
    ----------
    at : (n, 2) integer
        Row and column.
    y : (n,) int64
        Class ids.
    """

    at: NDArray[np.integer]
    y: Ints

    def __len__(self) -> int:
        return len(self.at)


def patch_layout(
    cut: Cut,
    train: KnownPatches,
    held_out: KnownPatches,
    synthetic: Floats,
    synthetic_y: Ints,
    *,
    judges: Mapping[str, LayoutJudge] = JUDGES,
) -> Measures:
    """Compare the layout of made patches with that of real ones.

    Parameters
    ----------
    cut : callable
        Gives the real patches (n, B, p, p) round centres (n, 2), in scene units.
    train, held_out : KnownPatches
        Real training and held-out patches.
    synthetic : (n, B, p, p) floats
        Made patches in scene units.
    synthetic_y : (n,) int64
        Their class ids.
    judges : mapping of name to LayoutJudge
        Classifiers of the two-sample test.

    Returns
    -------
    Measures
        Without measures for patches of one pixel, or where no class has both held-out and made
        patches.
    """
    rng = np.random.default_rng(derive_seed("patch layout", 0))
    side = synthetic.shape[-1]
    if side < 2:
        return Measures(notes=("patches of one pixel have no layout",))
    classes = np.intersect1d(held_out.y, synthetic_y)
    if not len(classes):
        return Measures(
            notes=("no class has held-out and synthetic patches: layout cannot be compared",)
        )
    missing = np.setdiff1d(synthetic_y, classes).tolist()
    notes = note_of("layout: left out, for want of held-out patches", missing)
    rows = np.flatnonzero(np.isin(synthetic_y, classes))
    most = _most(synthetic, MAX_PATCHES_PER_CLASS, len(classes))
    rows = rows[at_most(synthetic_y[rows], most, rng)]
    synthetic = synthetic[rows]
    synthetic_y = synthetic_y[rows]
    some = at_most(train.y, most, rng)
    training = train.take(some)
    training_x = cut(training.at)
    space = _components(cut, training_x, held_out, rng)
    compared = _Compared(
        cut=cut,
        known=training,
        known_x=training_x,
        held=held_out,
        made=synthetic,
        made_y=synthetic_y,
        space=space,
        maps=layout_maps(synthetic, space),
    )
    columns, n = _statistics(compared, rng)
    design, why = _design(compared, rng)
    if design is None:
        notes = (*notes, why)
    return layout_measures(MEASURES, columns, n, design, judges, notes)


def _most(x: Floats, most: int, groups: int) -> int:
    """How many patches of the size of x (n, B, p, p) are taken of each of some groups."""
    return min(most, max(10, BYTES // (max(1, groups) * x[:1].nbytes)))


def _components(
    cut: Cut, training: Floats, held_out: KnownPatches, rng: np.random.Generator
) -> Space:
    """The space of pixels of training patches and as many held-out ones."""
    fresh = cut(held_out.at[np.sort(rng.permutation(len(held_out))[: max(len(training), 100)])])
    spectra = [
        np.moveaxis(patches, 1, -1).reshape(-1, patches.shape[1]) for patches in (training, fresh)
    ]
    halves = [patches[rng.permutation(len(patches))[: PIXELS // 2]] for patches in spectra]
    return fit_space(np.concatenate(halves).astype(np.float64), AXES)


@dataclass(frozen=True, eq=False)
class _Compared:
    """The patches that are compared, and the space that they are compared in.

    Attributes
    ----------
    cut : callable
        Gives the real patches (n, B, p, p) round centres (n, 2), in scene units.
    known : KnownPatches
        Real training patches.
    known_x : (n, B, p, p) float
        The same as patches.
    held : KnownPatches
        Real held-out patches.
    made : (m, B, p, p) float
        Made patches in scene units.
    made_y : (m,) int64
        Their class ids.
    space : Space
        z-score and principal axes, fitted on real spectra.
    maps : LayoutMaps
        Of the made patches.
    """

    cut: Cut
    known: KnownPatches
    known_x: Floats
    held: KnownPatches
    made: Floats
    made_y: Ints
    space: Space
    maps: LayoutMaps


def _statistics(compared: _Compared, rng: np.random.Generator) -> tuple[dict[str, Values], int]:
    """Statistics of four sets with the class counts of the made patches, or as near as the held-out
    ones allow; and n.
    """
    space = compared.space
    known_x = compared.known_x
    rows, fresh = _alike(compared.made_y, compared.held.y, rng)
    real_x = compared.cut(compared.held.at[fresh])
    real = layout_maps(real_x, space)
    shuffled = layout_maps(shuffle_pixels(real_x, 1.0, rng), space)
    training = layout_maps(known_x, space)
    repeated = _drawn_like(compared.made_y[rows], compared.known.y, rng)
    sets = {
        "made": compared.maps.take(rows),
        "held_out": real,
        "shuffled": shuffled,
        "training": training.take(repeated),
    }
    return statistics_by_column(sets, edge_threshold(training.scores)), len(rows)


def _alike(y: Ints, others: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Rows of labels y (n,) and of ``others`` (m,) with as many of each class: the largest number
    that both have.
    """
    pairs = []
    for c in np.intersect1d(y, others):
        first_rows = np.flatnonzero(y == c)
        second_rows = np.flatnonzero(others == c)
        size = min(len(first_rows), len(second_rows))
        pairs.append(
            (
                rng.choice(first_rows, size, replace=False),
                rng.choice(second_rows, size, replace=False),
            )
        )
    first, second = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return first.astype(np.int64), second.astype(np.int64)


def _drawn_like(y: Ints, available: Ints, rng: np.random.Generator) -> Ints:
    """Rows of ``available`` (m,) with the class counts of y (n,), drawn with replacement, of the
    classes that it has.
    """
    parts = [
        rng.choice(np.flatnonzero(available == c), size=int((y == c).sum()))
        for c in np.intersect1d(y, available)
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts]).astype(np.int64)


def _design(compared: _Compared, rng: np.random.Generator) -> tuple[TestDesign | None, str]:
    """The sides of the two-sample test; none, and why, where the scene has too few blocks."""
    train = compared.known
    held_out = compared.held
    synthetic = compared.made
    synthetic_y = compared.made_y
    space = compared.space
    side = synthetic.shape[-1]
    everywhere = np.concatenate([held_out.at, train.at]).astype(np.int64) - side // 2
    places = np.column_stack([np.zeros(len(everywhere), dtype=np.int64), everywhere])
    y = np.concatenate([held_out.y, train.y])
    cells = spatial_cells(places, y, side, rng)
    if cells is None:
        return None, FEW_BLOCKS
    cells = cells.take(np.isin(cells.y, synthetic_y))
    tested = cells.take(cells.rows < len(held_out))
    corners = tested.corners()
    tested = tested.take(at_most(corners, _most(synthetic, IN_CELL, len(np.unique(corners))), rng))
    real_x = compared.cut(held_out.at[tested.rows])
    real = replace(tested, rows=np.arange(len(tested)))
    patch_space = PatchSpace.of(space)
    reduced = patch_space.reduce(real_x), synthetic_y, patch_space.reduce(synthetic)
    matched = match_made(real, *reduced, rng, TESTED)
    if matched is None:
        return None, FEW_BLOCKS
    first, second, synthetic_side = matched
    trained = cells.take(cells.rows >= len(held_out))
    trained = replace(trained, rows=trained.rows - len(held_out))
    real_side, training_side = match_folds([real, trained], rng, TESTED)

    def mapped(matched: Side) -> MappedSide:
        return MappedSide(matched, layout_maps(real_x[matched.rows], space))

    halves = (mapped(first), mapped(second))
    damaged = shuffle_pixels(real_x[second.rows], 1.0, rng)
    training = None
    if len(training_side):
        seen_maps = layout_maps(compared.known_x[training_side.rows], space)
        training = (mapped(real_side), MappedSide(training_side, seen_maps))
    design = TestDesign(
        halves=halves,
        made=MappedSide(synthetic_side, compared.maps.take(synthetic_side.rows)),
        shuffled=MappedSide(second, layout_maps(damaged, space)),
        training=training,
    )
    return design, ""
