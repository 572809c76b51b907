"""Learning curves of ``none`` over added labels, and the arms on them, all scored on the same test pixels.

An added label is a test pixel less, so records of different numbers of labels are over different pixels. Their
predictions are read again here, on the pixels that are for test in all of them, with the fields of the base draw.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.fields import seen_fields
from hsiaug.core.scene import Scene
from hsiaug.metrics.accuracy import confusion, score
from hsiaug.metrics.label_equivalents import LabelEquivalent, label_equivalent
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.protocol.based import read_added
from hsiaug.protocol.large_classes import large_classes
from hsiaug.report.curves import reference
from hsiaug.report.records import ArmCell, Condition, DrawKey, Trial
from hsiaug.report.scenes.ground_truth import (
    ROLES,
    GroundTruth,
    local_ground_truth,
    read_predicted_maps,
    redraw_roles,
)
from hsiaug.report.scores import AA_FIELDS, OA, WORST, Metric, metric_set, over_large
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.tasks.pixels import NoGroundTruthError
from hsiaug.trial.arm import Method
from hsiaug.trial.store import Store

Scores = dict[str, Any]
Place = dict[int, Table]
"""Tables of added labels by their number."""


@dataclass(frozen=True, eq=False)
class ArmWorth:
    """An arm on a curve. means, worth: by the key of a score, over ``seeds``, the draws that it shares with the curve."""

    cell: ArmCell
    seeds: tuple[int, ...]
    means: Mapping[str, MeanStd]
    worth: Mapping[str, LabelEquivalent]


@dataclass(frozen=True, eq=False)
class LabelCurve:
    """``none`` with one classifier over added labels.

    table: of the base protocol. labels: per class, from 0 on. seeds: draws that have them all. scores: main one first,
    as in reports, but over the classes of which enough pixels are scored in every draw of the table's curves. means: by
    the key of a score, one for each of ``labels``. overlap: percent of the test pixels of the largest number that lie in
    a training patch, mean over the draws. capped: ids of classes that could not be given so many. pixels: scored in each
    draw. why: what is wrong with draws that were left out.
    """

    table: Table
    classifier: Method
    labels: tuple[int, ...]
    seeds: tuple[int, ...]
    scores: tuple[Metric, ...]
    means: Mapping[str, tuple[MeanStd, ...]]
    arms: tuple[ArmWorth, ...]
    overlap: float
    capped: tuple[int, ...]
    pixels: tuple[int, ...]
    why: tuple[str, ...]


def label_curves(report: Report, store: Store | None = None) -> list[LabelCurve]:
    """Every curve of a report that has two numbers of labels or more, table by table; nothing is trained.

    Predictions come from the store, and the true labels from scenes that lie on this machine.
    store: None for the one that the report names; without any there is no curve.
    """
    if store is None:
        if report.store is None:
            return []
        store = Store(Path(report.store))
    places, reader = _places(report), _Reader(store)
    found = []
    for table in report.tables:
        added = places.get(_key(table.run, table.condition), {})
        read = [_read(table, name, added, reader) for name in table.classifiers if added]
        known = [one for one in read if one is not None]
        scores = _scores_of([draw for one in known for draw in one.draws])
        found += [_curve(table, one, scores) for one in known]
    return found


def _scores_of(draws: Sequence[_DrawScores]) -> tuple[Metric, ...]:
    """The scores of a table's curves; adds the main one to the draws where it is over some of the classes."""
    large, tested = large_classes(draw.points[0]["n_test"] for draw in draws)
    shown = over_large(metric_set("pixels"), len(large), tested)
    if shown.main.key == "aa_large":
        for one in (level for draw in draws for level in (*draw.points, *draw.arms.values())):
            one["aa_large"] = fmean(one["recall"][c - 1] for c in large)
    averages = (score for score in (shown.main, *shown.shown) if score.name.startswith("AA"))
    return *dict.fromkeys(averages), OA, AA_FIELDS[1], WORST


def _places(report: Report) -> dict[object, Place]:
    """The tables of added labels, by what their base table is known by."""
    found: dict[object, Place] = {}
    for table in report.tables:
        if table.condition.protocol == ADDED and (said := read_added(table.condition.argument)) is not None:
            key = _key(table.run, table.condition, said.base)
            found.setdefault(key, {})[said.number] = table
    return found


def _key(run: str, condition: Condition, protocol: str | None = None) -> tuple[object, ...]:
    """Key shared by the tables of one curve. protocol: of the base draw; None: the condition's own."""
    own = f"{condition.protocol}:{condition.argument}".removesuffix(":")
    rest = {key: v for key, v in json.loads(condition.rest).items() if key != "protocol_version"}
    same = (condition.task, condition.scene, condition.scene_sha256, condition.buffer, condition.patch)
    return run, *same, protocol or own, json.dumps(rest, sort_keys=True)


def _read(table: Table, classifier: Method, place: Place, reader: _Reader) -> _Read | None:
    """What a classifier's curve is made of; None where there are no two points, or no draw that has them all."""
    plain = reference(table, classifier)
    points = {0: plain} if plain and plain.ok else {}
    for k, added in sorted(place.items()):
        cell = reference(added, classifier)
        points |= {k: cell} if cell and cell.ok else {}
    if plain is None or 0 not in points or len(points) < 2:
        return None
    by_seed = {k: {trial.seed: trial for trial in cell.ok} for k, cell in points.items()}
    common = sorted(set.intersection(*(set(trials) for trials in by_seed.values())))
    arms = [cell for cell in table.cells_of(classifier) if cell.arm.generator.name != "none"]
    draws, why = [], [f"draw {s}: not at every number of labels" for s in sorted(set(by_seed[0]) - set(common))]
    for seed in common:
        draw = by_seed[0][seed].draw
        mine = {id(cell): trial for cell in arms for trial in cell.ok if trial.draw == draw}
        try:
            draws.append(reader.draw([trials[seed] for trials in by_seed.values()], mine))
        except NoGroundTruthError as error:
            why.append(f"draw {seed}: {error}")
    if not draws:
        return None
    labels = tuple(points)
    overlaps = [
        (by_seed[labels[-1]][draw.seed].audit or {}).get("centre_overlap_percent", np.nan) for draw in draws
    ]
    return _Read(classifier, labels, arms, draws, float(np.mean(overlaps)), tuple(why))


def _curve(table: Table, read: _Read, scores: tuple[Metric, ...]) -> LabelCurve:
    draws, labels = read.draws, read.labels
    means = {s.key: _means([[point[s.key] for point in draw.points] for draw in draws]) for s in scores}
    fewest = np.min([draw.added for draw in draws], axis=0)
    return LabelCurve(
        table,
        read.classifier,
        labels,
        tuple(draw.seed for draw in draws),
        scores,
        {key: found for key, found in means.items() if found},
        tuple(_worths(read, scores)),
        read.overlap,
        tuple(int(c) + 1 for c in np.flatnonzero(fewest < labels[-1])),
        tuple(draw.pixels for draw in draws),
        read.why,
    )


@dataclass(frozen=True, eq=False)
class _Read:
    """Draws of a curve whose predictions could be read, and facts that :class:`LabelCurve` has as they are."""

    classifier: Method
    labels: tuple[int, ...]
    arms: Sequence[ArmCell]
    draws: Sequence[_DrawScores]
    overlap: float
    why: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _DrawScores:
    """Scores of one draw. points: at each number of labels. arms: of those that have the draw, by the id of the cell."""

    seed: int
    pixels: int
    added: NDArray[np.int64]
    points: tuple[Scores, ...]
    arms: Mapping[int, Scores]


@dataclass
class _Reader:
    """Reads predictions of a store again, each scene and each draw's fields once."""

    store: Store
    truths: dict[str, GroundTruth] = field(default_factory=dict)
    fields: dict[tuple[Condition, DrawKey], NDArray[np.bool_]] = field(default_factory=dict)

    def draw(self, points: Sequence[Trial], arms: Mapping[int, Trial]) -> _DrawScores:
        """The scores of a draw on the pixels that all of ``points`` test, the first of which is of the base draw.

        Raises NoGroundTruthError where predictions, scene or draw cannot be had.
        """
        plain = points[0]
        truth = local_ground_truth(points, self.truths)
        called = [read_predicted_maps(self.store, trial, truth)[0] for trial in points]
        tested = np.logical_and.reduce([label > 0 for label in called])
        new = tested & ~self._seen(plain, truth)
        counts = [np.asarray((trial.audit or {}).get("train_counts"), dtype=np.int64) for trial in points]
        others = {cell: read_predicted_maps(self.store, trial, truth)[0] for cell, trial in arms.items()}

        return _DrawScores(
            plain.seed,
            int(tested.sum()),
            counts[-1] - counts[0],
            tuple(_scores(label, tested, new, truth) for label in called),
            {cell: _scores(label, tested, new, truth) for cell, label in others.items()},
        )

    def _seen(self, plain: Trial, truth: GroundTruth) -> NDArray[np.bool_]:
        """(H, W) the fields that hold a training pixel of the base draw."""
        key = plain.condition, plain.draw
        if key not in self.fields:
            roles = redraw_roles(plain, truth)
            if roles is None:
                raise NoGroundTruthError(f"the draw of record {plain.hash} cannot be made again here")
            self.fields[key] = seen_fields(cast(Scene, truth.data).fields, roles[0] == ROLES.index("train"))
        return self.fields[key]


def _scores(
    label: NDArray[np.int16], tested: NDArray[np.bool_], new: NDArray[np.bool_], truth: GroundTruth
) -> Scores:
    """Scores of predictions (H, W) on the pixels that are tested, some of which lie in new fields."""
    true, classes = truth.masks[0], len(truth.class_names)
    whole, part = (confusion(true[mask], label[mask], classes) for mask in (tested, new))
    found = score(whole, {}, part)
    return {**found, "aa_new": found["fields"]["new"]["aa"]}


def _means(rows: Sequence[Sequence[float | None]]) -> tuple[MeanStd, ...]:
    """Mean over the draws that have every number; empty where none has."""
    whole = [[v for v in row if v is not None] for row in rows if None not in row]
    return tuple(mean_std(column) for column in zip(*whole, strict=True))


def _worths(read: _Read, scores: Iterable[Metric]) -> Iterator[ArmWorth]:
    for cell in read.arms:
        shared = [(draw.points, draw.arms[id(cell)], draw.seed) for draw in read.draws if id(cell) in draw.arms]
        means, worth = {}, {}
        for key in (s.key for s in scores):
            rows = [[*(point[key] for point in points), own[key]] for points, own, _ in shared]
            known = np.array([row for row in rows if None not in row], dtype=np.float64)
            if len(known):
                means[key] = mean_std(known[:, -1].tolist())
                worth[key] = label_equivalent(read.labels, known[:, :-1], known[:, -1])
        if worth:
            yield ArmWorth(cell, tuple(seed for *_, seed in shared), means, worth)
