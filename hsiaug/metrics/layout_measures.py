"""A measure of layout: made samples, beside real held-out, real training and shuffled real ones in
their place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.fidelity_measures import MeasuresByName
from hsiaug.metrics.layout import LayoutMaps, layout_features
from hsiaug.metrics.layout_network import network_judge
from hsiaug.metrics.spatial_folds import Side
from hsiaug.metrics.two_sample import Judge, TwoSample, forest_judge, two_sample_auc

Column = dict[str, float | None]
"""Values by the name of a measure."""
Good = str
"""What is good: "as held-out", "50 %", "lower" or "higher"."""

LayoutTable = Mapping[str, tuple[str, str, Good]]
"""Label, unit, and what is good, by the name of a measure; the order of the table."""

TOO_FEW = "too few samples"


@dataclass(frozen=True)
class LayoutMeasure:
    """One number of made samples, and the same number of others in their place; shares in %.

    Attributes
    ----------
    value : float or None
        Value of made samples.
    held_out : float or None
        Of real held-out samples; of a two-sample test one half of them in place of the made
        ones, which is its floor.
    interval, held_out_interval : (float, float) or None
        95 %, of two-sample tests alone.
    training : float or None
        Of real training samples.
    shuffled : float or None
        Of held-out samples whose pixels, or blocks, are shuffled, the ceiling of a two-sample
        test. None where it is not defined; ``note`` says why.
    n : int
        Made samples that were compared.
    """

    name: str
    label: str
    value: float | None
    interval: tuple[float, float] | None
    held_out: float | None
    held_out_interval: tuple[float, float] | None
    training: float | None
    shuffled: float | None
    n: int
    unit: str
    better: Good
    note: str = ""


@dataclass(frozen=True)
class Layout(MeasuresByName[LayoutMeasure]):
    """Measures in the order of their table.

    Attributes
    ----------
    notes : tuple of str
        Sentences on what was left out.
    """

    measures: tuple[LayoutMeasure, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The entry in quality.json."""
        return {"measures": [vars(measure) for measure in self.measures], "notes": list(self.notes)}


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


def run_design(design: TestDesign, by: LayoutJudge, seed: int) -> dict[str, TwoSample | None]:
    """Tell made, held-out, training and shuffled samples, by column, from held-out ones.

    The made samples are told from either half, and the mean is taken.
    """

    def test(real: MappedSide, compared: MappedSide) -> TwoSample | None:
        return two_sample_auc(
            (real.side, compared.side),
            (by.read(real.maps), by.read(compared.maps)),
            by.judge,
            seed=seed,
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


def run_judges(
    design: TestDesign | None,
    judges: Mapping[str, LayoutJudge],
    columns: Mapping[str, Column],
    seed: int,
) -> Mapping[str, Mapping[str, TwoSample | None]]:
    """Run a design with every judge, write the AUCs into the columns, and return the tests in full,
    by judge; none without a design.
    """
    if design is None:
        return {}
    tests = {name: run_design(design, judge, seed) for name, judge in judges.items()}
    for name, results in tests.items():
        for column, result in results.items():
            columns[column][name] = None if result is None else result.auc
    return tests


def stacked(maps: LayoutMaps) -> NDArray[np.floating]:
    """(n, k + 1, H, W) what the network reads: the components, and the length of what they leave
    out.
    """
    return np.concatenate([maps.scores, maps.residual[:, None]], axis=1)


JUDGES: Mapping[str, LayoutJudge] = {
    "told_by_network": LayoutJudge(stacked, network_judge),
    "told_by_forest": LayoutJudge(layout_features, forest_judge),
}


def measure_rows(
    table: LayoutTable,
    columns: Mapping[str, Column],
    n: int,
    tests: Mapping[str, Mapping[str, TwoSample | None]],
) -> tuple[LayoutMeasure, ...]:
    """The rows of a table that any column has.

    Parameters
    ----------
    table : mapping of name to (label, unit, good)
        In the order of the rows.
    columns : mapping of "made", "held_out", "training", "shuffled" to values by name
        Shares in 0..1.
    n : int
        Made samples that statistics are of.
    tests : mapping of name to tests by column
        Of the rows that are two-sample tests.

    Returns
    -------
    tuple of LayoutMeasure
        Shares in %.
    """
    rows = []
    for name, (label, unit, better) in table.items():
        if not any(name in column for column in columns.values()):
            continue
        scale = 100.0 if unit == "%" else 1.0
        cells = {key: _scaled(column.get(name), scale) for key, column in columns.items()}
        test = tests.get(name, {})
        test_of_made = test.get("made")
        rows.append(
            LayoutMeasure(
                name=name,
                label=label,
                value=cells["made"],
                interval=_interval(test_of_made, scale),
                held_out=cells["held_out"],
                held_out_interval=_interval(test.get("held_out"), scale),
                training=cells["training"],
                shuffled=cells["shuffled"],
                n=n if test_of_made is None else test_of_made.n,
                unit=unit,
                better=better,
                note=TOO_FEW if cells["made"] is None else "",
            )
        )
    return tuple(rows)


def _interval(test: TwoSample | None, scale: float) -> tuple[float, float] | None:
    return None if test is None else (scale * test.interval[0], scale * test.interval[1])


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None or not np.isfinite(value) else float(scale * value)
