"""Gains over several scenes: what an arm gave on each, in the mean, and what another scene may expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hsiaug.base.errors import InputError
from hsiaug.metrics.pooling import FEWEST_SCENES, Pooled, pool_scenes
from hsiaug.report.cells import CellKey
from hsiaug.report.compare import Gain
from hsiaug.report.grid import Grid, ReportPage, text_grid
from hsiaug.report.labels import MISSING, signed
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.report.verdict_grid import SIGNS

__all__ = ["NOTE", "PooledArm", "ScenePool", "across_page", "known_pools", "scene_pools"]


@dataclass(frozen=True)
class PooledArm:
    """An arm over ``none``. label: as tables name it. gains: of each scene, None where it was not run on two draws."""

    label: str
    gains: tuple[Gain | None, ...]
    pooled: Pooled


@dataclass(frozen=True)
class ScenePool:
    """Tables that differ in the scene alone, three or more, and the arms that three of them have."""

    tables: tuple[Table, ...]
    arms: tuple[PooledArm, ...]

    @property
    def grid(self) -> Grid:
        """A row per arm, the largest mean first: sign and gain of each scene, mean and prediction."""
        header = ("arm", "mean over scenes", "a new scene", *(table.condition.scene for table in self.tables))
        rows = []
        for arm in self.arms:
            mean, interval, new, scenes = arm.pooled
            of = f" ({scenes})" if scenes < len(self.tables) else ""
            rows.append((arm.label, f"{signed(mean)} {_span(interval)}{of}", _span(new), *map(_entry, arm.gains)))
        one = self.tables[0]
        heading = f"Δ{_score(self.tables)} over none by scene, {one.title.split(', ', 1)[1]}"
        return text_grid(heading, header, rows)


NOTE = (
    "Every number is the mean difference to none on one scene, in points, with the sign of the verdict there. Mean over "
    "scenes: random effects, 95 % interval of Hartung and Knapp. A new scene: the 95 % prediction interval of the gain "
    "on a scene that is not among these (Higgins et al., 2009). It supposes that such a scene is drawn as these were."
)


def scene_pools(report: Report) -> list[ScenePool]:
    """The tables of one run and protocol, over as many scenes as there are; none where these are fewer than three."""
    groups: dict[object, list[Table]] = {}
    for table in report.tables:
        c = table.condition
        if c.protocol != ADDED:
            groups.setdefault((table.run, c.task, c.protocol, c.argument, c.buffer, c.patch, c.rest), []).append(
                table
            )
    pools = (ScenePool(tuple(tables), _arms(tables)) for tables in groups.values() if len(tables) >= FEWEST_SCENES)
    return [pool for pool in pools if pool.arms]


def known_pools(report: Report) -> list[ScenePool]:
    """The same. Raises InputError where there is none."""
    pools = scene_pools(report)
    if not pools:
        raise InputError(
            f"gains are pooled over {FEWEST_SCENES} scenes or more, with the same protocol and an arm that is on all",
            value=f"{len({table.condition.scene for table in report.tables})} scenes",
            hint="Run the same benchmark on more scenes into this store, or a suite with several `scenes`.",
        )
    return pools


def across_page(report: Report) -> tuple[ReportPage, ...]:
    """The page of all pools; none where there is no pool."""
    grids = tuple(pool.grid for pool in scene_pools(report))
    return (ReportPage("Across scenes", grids=grids, notes=(NOTE,)),) if grids else ()


def _arms(tables: Sequence[Table]) -> tuple[PooledArm, ...]:
    keys: dict[CellKey, str] = {}
    for table in tables:
        for key, gain in table.gains.items():
            keys.setdefault(key, table.cell_label(gain.cell))
    found = []
    for key, label in keys.items():
        gains = tuple(_usable(table.gains.get(key)) for table in tables)
        known = [over.main.differences for gain in gains if gain and (over := gain.against["none"])]
        if len(known) >= FEWEST_SCENES:
            found.append(PooledArm(label, gains, pool_scenes(known)))
    return tuple(sorted(found, key=lambda arm: -arm.pooled.mean))


def _usable(gain: Gain | None) -> Gain | None:
    over = gain.against["none"] if gain else None
    return gain if over is not None and len(over.main.differences) > 1 else None


def _entry(gain: Gain | None) -> str:
    over = gain.against["none"] if gain else None
    if gain is None or over is None:
        return MISSING
    sign = f"{SIGNS[gain.verdict.finding]} " if gain.verdict else ""
    return f"{sign}{signed(over.main.mean)}"


def _span(interval: tuple[float, float]) -> str:
    return f"[{signed(interval[0])}, {signed(interval[1])}]"


def _score(tables: Sequence[Table]) -> str:
    """The main score, without the number of its classes where that differs between scenes."""
    names = {table.scores.main.name for table in tables}
    return names.pop() if len(names) == 1 else f"{tables[0].scores.main.name.split(' (')[0]} of large classes"
