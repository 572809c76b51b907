"""The measures of layout: made samples, beside real held-out, real training and shuffled real ones
in their place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.layout import LayoutMaps, layout_features
from hsiaug.metrics.layout_network import network_judge
from hsiaug.metrics.measures import Measure, Measures, MeasureTable, Values
from hsiaug.metrics.spatial_folds import Side
from hsiaug.metrics.two_sample import Judge, TwoSample, forest_judge, two_sample_auc

TOO_FEW = "too few samples"


@dataclass(frozen=True, eq=False)
class MappedSide:
    """Samples of a two-sample test, and their maps."""

    side: Side
    maps: LayoutMaps


@dataclass(frozen=True, eq=False)
class TestDesign:
    """Sides of a two-sample test, matched to one another.

    Attributes
    ----------
    halves : (MappedSide, MappedSide)
        Of the held-out samples, spatially apart.
    made : MappedSide
        Their like.
    shuffled : MappedSide
        The second half, shuffled.
    training : (MappedSide, MappedSide) or None
        Held-out samples and the training samples that take the place of made ones; None where
        there are too few.
    """

    halves: tuple[MappedSide, MappedSide]
    made: MappedSide
    shuffled: MappedSide
    training: tuple[MappedSide, MappedSide] | None


@dataclass(frozen=True)
class LayoutJudge:
    """A classifier of a two-sample test.

    Attributes
    ----------
    read : callable
        What it reads of maps (n, …).
    judge : Judge
        Learns and scores.
    """

    read: Callable[[LayoutMaps], NDArray[np.floating]]
    judge: Judge


def run_design(design: TestDesign, by: LayoutJudge) -> dict[str, TwoSample | None]:
    """Tell made, held-out, training and shuffled samples, by column, from held-out ones.

    The made samples are told from either half, and the mean is taken.
    """

    def test(real: MappedSide, compared: MappedSide) -> TwoSample | None:
        return two_sample_auc(
            (real.side, compared.side),
            (by.read(real.maps), by.read(compared.maps)),
            by.judge,
        )

    first, second = design.halves
    tests = {"held_out": test(first, second), "shuffled": test(first, design.shuffled)}
    tests["training"] = None if design.training is None else test(*design.training)
    results = [result for half in design.halves if (result := test(half, design.made)) is not None]
    if len(results) < len(design.halves):
        return {**tests, "made": None}
    low, high = np.mean([result.interval for result in results], axis=0).tolist()
    mean = TwoSample(float(np.mean([result.auc for result in results])), (low, high), results[0].n)
    return {**tests, "made": mean}


def stacked(maps: LayoutMaps) -> NDArray[np.floating]:
    """(n, k + 1, H, W) what the network reads: the components, and the length of what they leave
    out.
    """
    return np.concatenate([maps.scores, maps.residual[:, None]], axis=1)


JUDGES: Mapping[str, LayoutJudge] = {
    "told_by_network": LayoutJudge(stacked, network_judge),
    "told_by_forest": LayoutJudge(layout_features, forest_judge),
}


def layout_measures(
    table: MeasureTable,
    columns: Mapping[str, Values],
    n: int,
    design: TestDesign | None,
    judges: Mapping[str, LayoutJudge],
    notes: tuple[str, ...] = (),
) -> Measures:
    """The rows of a table that any column has, or a two-sample test.

    Parameters
    ----------
    table : mapping of name to (label, unit, good)
        In the order of the rows.
    columns : mapping of "made", "held_out", "training", "shuffled" to values by name
        Statistics; shares in 0..1.
    n : int
        Made samples that these are of.
    design : TestDesign or None
        Of the tests; None = there are none.
    judges : mapping of name to LayoutJudge
        By the names of the rows that are tests.
    notes : tuple of str
        Sentences on what was left out.
    """
    tests = {name: run_design(design, by) for name, by in judges.items()} if design else {}
    rows = []
    for name in table:
        test = tests.get(name, {})
        values: Values = (
            {column: None if one is None else one.auc for column, one in test.items()}
            if test
            else {key: column[name] for key, column in columns.items() if name in column}
        )
        if not values:
            continue
        made, held_out = test.get("made"), test.get("held_out")
        beside = {
            "interval": made and made.interval,
            "held_out": values.get("held_out"),
            "held_out_interval": held_out and held_out.interval,
            "training": values.get("training"),
            "shuffled": values.get("shuffled"),
        }
        number = made.n if made else n
        rows.append(Measure.of(name, table, values.get("made"), beside, number, TOO_FEW))
    return Measures(tuple(rows), notes)
