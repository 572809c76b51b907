"""Average ranks of arms over scenes: what several scenes say together, where there are enough of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from statistics import fmean

from hsiaug.metrics.significance import ALPHA
from hsiaug.report.cells import ArmCell
from hsiaug.report.labels import count, count_range, p_said
from hsiaug.report.records import Condition
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.trial.arm import Arm, Method

__all__ = ["HOW_TO_READ", "LEAST_ARMS", "LEAST_SCENES", "Ranking", "ranking_note", "rankings", "too_few"]

LEAST_SCENES = 5
"""Fewer scenes tell hardly any arms apart: of 4 arms, over 4 scenes, two must lie 2.3 of 3 possible ranks apart."""
LEAST_ARMS = 3
"""Of two arms the paired comparison says more."""


@dataclass(frozen=True)
class Ranking:
    """Arms with one classifier under one protocol, over several scenes.

    title: protocol and classifier; metric: name of what is ranked. arms: labels, of the best average rank first; ranks:
    those, 1 for the highest. p: of Friedman's test; distance: Nemenyi's critical difference; cliques: first and last
    place of arms of which no two are told apart. draws: how many each scene's mean is over.
    """

    title: str
    metric: str
    scenes: tuple[str, ...]
    arms: tuple[str, ...]
    ranks: tuple[float, ...]
    p: float
    distance: float
    cliques: tuple[tuple[int, int], ...]
    draws: tuple[int, ...]


@dataclass(frozen=True)
class _Group:
    """Tables that differ in their scene alone."""

    condition: Condition
    tables: tuple[Table, ...]

    @property
    def name(self) -> str:
        """``issd:0.05, 9×9 patches``."""
        found = self.condition
        protocol = ":".join(filter(None, (found.protocol, found.argument.split("#")[0])))
        return f"{protocol}, {found.patch}×{found.patch} patches"


def rankings(report: Report) -> list[Ranking]:
    """One per protocol and classifier for which enough scenes and arms are there."""
    found = []
    for group in _groups(report):
        for classifier in dict.fromkeys(c for table in group.tables for c in table.classifiers):
            scored = _scored(group, classifier)
            if len(scored) >= LEAST_SCENES and len(scored[0][1]) >= LEAST_ARMS:
                found.append(_ranking(group, classifier, scored))
    return found


def too_few(report: Report) -> list[str]:
    """A sentence for every protocol of several scenes of which none is ranked: how many there are, and are needed."""
    said = []
    for group in _groups(report):
        if len(group.tables) < 2:
            continue
        classifiers = dict.fromkeys(c for table in group.tables for c in table.classifiers)
        counts = [(len(scored), len(scored[0][1])) for c in classifiers if (scored := _scored(group, c))]
        if any(scenes >= LEAST_SCENES and arms >= LEAST_ARMS for scenes, arms in counts):
            continue
        scenes, arms = max(counts, default=(0, 0))
        said.append(
            f"{group.name}: {count(scenes, 'scene')} with {count(arms, 'arm')} in common; average ranks of arms need "
            f"{LEAST_SCENES} scenes and {LEAST_ARMS} arms."
        )
    return said


def ranking_note(found: Ranking) -> str:
    """What was ranked, over what, and what the test of all arms says."""
    told = "" if found.p < ALPHA else ", so no two arms are told apart"
    return (
        f"{found.title}: average rank in {found.metric} over {len(found.scenes)} scenes ({', '.join(found.scenes)}; "
        f"means over {count_range(found.draws)} draws). Friedman's test: {p_said(found.p)}{told}."
    )


HOW_TO_READ = (
    "Rank 1 is the highest score. A scene counts once, by its mean over the draws that all arms share: draws of one "
    "scene are not scenes, and scenes cut from one image are not independent. Bars join arms whose ranks lie closer than "
    "Nemenyi's critical difference, which are not told apart (Demšar 2006; Friedman's test in the form of Iman and "
    "Davenport, α = .05). Tests of several protocols and classifiers are not corrected for one another."
)


def _groups(report: Report) -> list[_Group]:
    found: dict[tuple[str, Condition], list[Table]] = {}
    for table in report.tables:
        if table.condition.protocol != ADDED:
            alike = replace(
                table.condition, scene="", scene_sha256="", argument=table.condition.argument.split("#")[0]
            )
            found.setdefault((table.run, alike), []).append(table)
    return [_Group(condition, tuple(tables)) for (_, condition), tables in found.items()]


def _scored(group: _Group, classifier: Method) -> list[tuple[Table, dict[Arm, float], int]]:
    """Each scene with the mean score of every arm that all of them have, over the draws that these share."""
    tables = [table for table in group.tables if _scores(table, classifier)]
    arms = reduce(lambda a, b: a & b, (set(_scores(table, classifier)) for table in tables)) if tables else set()
    scored = []
    for table in tables:
        by_arm = {arm: found for arm, found in _scores(table, classifier).items() if arm in arms}
        shared = reduce(lambda a, b: a & b, (set(found) for found in by_arm.values())) if by_arm else set()
        if shared:
            means = {arm: fmean(found[draw] for draw in shared) for arm, found in by_arm.items()}
            scored.append((table, means, len(shared)))
    return scored


def _scores(table: Table, classifier: Method) -> dict[Arm, dict[tuple[int, str], float]]:
    found = {cell.arm: _by_draw(cell, table.scores.main.key) for cell in table.cells_of(classifier)}
    return {arm: scores for arm, scores in found.items() if scores}


def _by_draw(cell: ArmCell, metric: str) -> dict[tuple[int, str], float]:
    scored = ((trial.draw, trial.metric(metric)) for trial in cell.ok if not trial.empty)
    return {draw: value for draw, value in scored if value is not None}


def _ranking(group: _Group, classifier: Method, scored: Sequence[tuple[Table, dict[Arm, float], int]]) -> Ranking:
    import numpy as np

    from hsiaug.metrics.ranks import average_ranks, cliques, critical_difference, friedman_p

    table, arms = scored[0][0], list(scored[0][1])
    scores = np.array([[means[arm] for arm in arms] for _, means, _ in scored])
    ranks = average_ranks(scores)
    order = sorted(range(len(arms)), key=lambda i: (ranks[i], i))
    p, distance = friedman_p(scores), critical_difference(len(arms), len(scored))
    ordered = [float(ranks[i]) for i in order]
    joined: Iterable[tuple[int, int]] = cliques(ordered, distance) if p < ALPHA else [(0, len(arms) - 1)]
    return Ranking(
        title=f"{group.name}, {table.labels[classifier]}",
        metric=table.scores.main.name,
        scenes=tuple(one.condition.scene for one, _, _ in scored),
        arms=tuple(table.arm_label(arms[i]) for i in order),
        ranks=tuple(ordered),
        p=p,
        distance=distance,
        cliques=tuple(joined),
        draws=tuple(draws for _, _, draws in scored),
    )
