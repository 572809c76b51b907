"""Learning curves of ``none`` over added labels, and the configurations on them, all scored on the
same test pixels.

An added label is a test pixel less, so records of different numbers of labels are over different
pixels. Their predictions are read again here, on the pixels that are for test in all of them, with
the fields of the base split.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import fmean
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.fields import seen_fields
from hsiaug.core.scene import Scene
from hsiaug.metrics.accuracy import confusion, score
from hsiaug.metrics.label_equivalents import LabelEquivalent, label_equivalent
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.protocol.audit import large_classes
from hsiaug.protocol.based import read_added
from hsiaug.report.gains import ArmCell
from hsiaug.report.ground_truth import (
    ROLES,
    GroundTruth,
    PredictedMaps,
    read_maps,
)
from hsiaug.report.tables import ADDED, Report, ReportTable
from hsiaug.report.trials import Condition, DrawKey, Trial, rows_of
from hsiaug.tasks.data import NoGroundTruthError
from hsiaug.tasks.scores import AA_FIELDS, AA_LARGE, OA, PIXELS, WORST, Metric, over_large
from hsiaug.trial.arm import Method
from hsiaug.trial.store import Store

Scores = dict[str, Any]
CurveKey = tuple[str, Condition]
"""The run, and what the tables of a curve share."""
Place = dict[int, ReportTable]
"""Tables of added labels by their number."""


@dataclass(frozen=True, eq=False)
class ArmWorth:
    """A configuration on a curve.

    Attributes
    ----------
    means, worth : mapping of str to MeanStd or mapping of str to LabelEquivalent
        By the key of a score, over ``seeds``, the splits that it shares with the curve.
    """

    cell: ArmCell
    seeds: tuple[int, ...]
    means: Mapping[str, MeanStd]
    worth: Mapping[str, LabelEquivalent]


@dataclass(frozen=True, eq=False)
class DrawScores:
    """Scores of one split.

    Attributes
    ----------
    pixels : int
        That are scored.
    points : tuple of Scores
        At each number of labels.
    """

    seed: int
    pixels: int
    points: tuple[Scores, ...]
    arms: Mapping[ArmCell, Scores]


@dataclass(frozen=True, eq=False)
class LabelCurve:
    """``none`` with one classifier over added labels.

    Attributes
    ----------
    table : ReportTable
        Table of the base protocol.
    labels : tuple of int
        Per class, from 0 on.
    draws : sequence of DrawScores
        That have them all.
    scores : tuple of Metric
        Main one first, as in reports, but over the classes of which enough pixels are scored in
        every split of the table's curves.
    overlap : float
        Percent of the test pixels of the largest number that lie in a training patch, mean over
        the splits.
    why : tuple of str
        What is wrong with splits that were left out.
    """

    table: ReportTable
    classifier: Method
    labels: tuple[int, ...]
    draws: Sequence[DrawScores]
    scores: tuple[Metric, ...]
    overlap: float
    why: tuple[str, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the splits."""
        return tuple(draw.seed for draw in self.draws)

    @cached_property
    def means(self) -> dict[str, tuple[MeanStd, ...]]:
        """Key of a score → its mean at each of ``labels``, over the splits that have every
        number.
        """
        rows = {
            s.key: [[point[s.key] for point in draw.points] for draw in self.draws]
            for s in self.scores
        }
        whole = {key: [row for row in found if None not in row] for key, found in rows.items()}
        return {
            key: tuple(mean_std(column) for column in zip(*found, strict=True))
            for key, found in whole.items()
            if found
        }

    @cached_property
    def arms(self) -> tuple[ArmWorth, ...]:
        """The configurations that share a split with the curve."""
        cells = self.table.cells_of(self.classifier)
        found = [self._worth(cell) for cell in cells if not cell.without_samples]
        return tuple(arm for arm in found if arm.worth)

    def _worth(self, cell: ArmCell) -> ArmWorth:
        shared = [draw for draw in self.draws if cell in draw.arms]
        means = {}
        worth = {}
        for key in (one.key for one in self.scores):
            rows = [
                [*(point[key] for point in draw.points), draw.arms[cell][key]] for draw in shared
            ]
            known = np.array([row for row in rows if None not in row], dtype=np.float64)
            if len(known):
                means[key] = mean_std(known[:, -1].tolist())
                worth[key] = label_equivalent(self.labels, known[:, :-1], known[:, -1])
        return ArmWorth(cell, tuple(draw.seed for draw in shared), means, worth)


def label_curves(report: Report, store: Store | None = None) -> list[LabelCurve]:
    """Every curve of a report that has two numbers of labels or more, table by table; nothing is
    trained.

    Predictions come from the store, and the true labels from scenes that lie on this machine.

    Parameters
    ----------
    store : Store or None
        None for the one that the report names; without any there is no curve.
    """
    store = store or report.open_store()
    if store is None:
        return []
    places, reader = _places(report), _Reader(store)
    found = []
    for table in report.tables:
        added = places.get(_key(table.run, table.condition), {})
        made = [_curve(table, name, added, reader) for name in table.classifiers if added]
        known = [curve for curve in made if curve is not None]
        scores = _curve_scores([draw for curve in known for draw in curve.draws])
        found += [replace(curve, scores=scores) for curve in known]
    return found


def _curve_scores(draws: Sequence[DrawScores]) -> tuple[Metric, ...]:
    """The scores of a table's curves: the main one as in reports, but over the classes of which
    enough pixels are scored in every split, other AA, OA, AA in new fields, and the worst class.
    """
    large, tested = large_classes(draw.points[0]["n_test"] for draw in draws)
    metrics = over_large(PIXELS, len(large), tested)
    if metrics.main.key == AA_LARGE:
        for level in (level for draw in draws for level in (*draw.points, *draw.arms.values())):
            level[AA_LARGE] = fmean(level["recall"][c - 1] for c in large)
    averages = (score for score in (metrics.main, *metrics.shown) if score.name.startswith("AA"))
    return *dict.fromkeys(averages), OA, AA_FIELDS[1], WORST


def _places(report: Report) -> dict[CurveKey, Place]:
    """The tables of added labels, by what their base table is known by."""
    found: dict[CurveKey, Place] = {}
    for table in report.tables:
        if (
            table.condition.protocol == ADDED
            and (said := read_added(table.condition.argument)) is not None
        ):
            key = _key(table.run, table.condition, said.base)
            found.setdefault(key, {})[said.number] = table
    return found


def _key(run: str, condition: Condition, protocol: str | None = None) -> CurveKey:
    """Key shared by the tables of one curve.

    Parameters
    ----------
    protocol : str or None
        Of the base split; None: the condition's own.
    """
    rest = {key: v for key, v in json.loads(condition.rest).items() if key != "protocol_version"}
    return run, replace(
        condition,
        protocol=protocol or condition.protocol_text,
        argument="",
        rest=json.dumps(rest, sort_keys=True),
    )


def _curve(
    table: ReportTable, classifier: Method, place: Place, reader: "_Reader"
) -> LabelCurve | None:
    """A classifier's curve, still without scores; None without two points, or a split that has them
    all.
    """
    cells = {0: table.reference(classifier)}
    cells |= {k: added.reference(classifier) for k, added in sorted(place.items())}
    by_seed = {
        k: {trial.seed: trial for trial in rows_of(cell.ok)}
        for k, cell in cells.items()
        if cell and len(cell.ok)
    }
    if 0 not in by_seed or len(by_seed) < 2:
        return None
    common = sorted(set.intersection(*(set(trials) for trials in by_seed.values())))
    arms = [cell for cell in table.cells_of(classifier) if not cell.without_samples]
    draws = []
    why = [
        f"split {s}: not at every number of labels" for s in sorted(set(by_seed[0]) - set(common))
    ]
    for seed in common:
        draw = by_seed[0][seed].draw
        of_arms = {cell: trial for cell in arms for trial in rows_of(cell.ok) if trial.draw == draw}
        try:
            draws.append(reader.draw([trials[seed] for trials in by_seed.values()], of_arms))
        except NoGroundTruthError as error:
            why.append(f"split {seed}: {error}")
    if not draws:
        return None
    last = by_seed[max(by_seed)]
    overlaps = [
        (last[draw.seed].audit or {}).get("centre_overlap_percent", np.nan) for draw in draws
    ]
    return LabelCurve(
        table, classifier, tuple(by_seed), draws, (), float(np.mean(overlaps)), tuple(why)
    )


@dataclass
class _Reader:
    """Reads predictions of a store again, each scene and each split's fields once."""

    store: Store
    truths: dict[str, GroundTruth] = field(default_factory=dict)
    fields: dict[tuple[Condition, DrawKey], NDArray[np.bool_]] = field(default_factory=dict)

    def draw(self, points: Sequence[Trial], arms: Mapping[ArmCell, Trial]) -> DrawScores:
        """The scores of a split on the pixels that all of ``points`` test, the first of which is of
        the base split.

        Raises NoGroundTruthError where predictions, scene or split cannot be had.
        """
        maps = read_maps(self.store, [*points, *arms.values()], self.truths)
        labels = [called[0] for called in maps.called]
        tested = np.logical_and.reduce([label > 0 for label in labels[: len(points)]])
        new = tested & ~self._seen(maps)
        scores = [_scores(label, tested, new, maps.truth) for label in labels]
        return DrawScores(
            points[0].seed,
            int(tested.sum()),
            tuple(scores[: len(points)]),
            dict(zip(arms, scores[len(points) :], strict=True)),
        )

    def _seen(self, maps: PredictedMaps) -> NDArray[np.bool_]:
        """(H, W) the fields that hold a training pixel of the base split."""
        plain = maps.trials[0]
        key = plain.condition, plain.draw
        if key not in self.fields:
            if maps.roles is None:
                raise NoGroundTruthError(
                    f"the split of record {plain.hash} cannot be made again here"
                )
            self.fields[key] = seen_fields(
                cast(Scene, maps.truth.data).fields, maps.roles[0] == ROLES.index("train")
            )
        return self.fields[key]


def _scores(
    label: NDArray[np.int16], tested: NDArray[np.bool_], new: NDArray[np.bool_], truth: GroundTruth
) -> Scores:
    """Scores of predictions (H, W) on the pixels that are tested, some of which lie in new
    fields.
    """
    true, classes = truth.masks[0], len(truth.class_names)
    whole, part = (confusion(true[mask], label[mask], classes) for mask in (tested, new))
    found = score(whole, {}, part)
    return {**found, "aa_new": found["fields"]["new"]["aa"]}
