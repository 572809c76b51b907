"""Gains over several scenes: what an arm gave on each, in the mean, and what another scene may expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hsiaug.base.errors import InputError
from hsiaug.metrics.pooling import FEWEST_SCENES, Pooled, pool_scenes
from hsiaug.report.compare import Comparison, Gain
from hsiaug.report.labels import signed
from hsiaug.report.records import CellKey
from hsiaug.report.tables import ADDED, Report, Table


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
    def heading(self) -> str:
        """What its numbers are, and what the tables have in common."""
        return f"Δ{score_of(self.tables)} over none by scene, {self.tables[0].title.split(', ', 1)[1]}"


NOTE = (
    "Over none, all scenes: mean difference to none, in points, by random effects, with the 95 % interval of Hartung and "
    "Knapp. A new scene: the 95 % prediction interval of the gain on a scene that is not among these (Higgins et al., "
    "2009). It supposes that such a scene is drawn as these were."
)


def same_but_scene(report: Report) -> list[tuple[Table, ...]]:
    """The tables that differ in the scene alone, those of each run and protocol; without points of learning curves.

    All of a report that has nothing else.
    """
    groups: dict[object, list[Table]] = {}
    compared = [table for table in report.tables if table.condition.protocol != ADDED] or report.tables
    for table in compared:
        c = table.condition
        groups.setdefault((table.run, c.task, c.protocol, c.argument, c.buffer, c.patch, c.rest), []).append(table)
    return [tuple(tables) for tables in groups.values()]


def scene_pools(report: Report) -> list[ScenePool]:
    """The tables of one run and protocol, over as many scenes as there are; none where these are fewer than three."""
    groups = [tables for tables in same_but_scene(report) if len(tables) >= FEWEST_SCENES]
    pools = (ScenePool(tables, _arms(tables)) for tables in groups)
    return [pool for pool in pools if pool.arms]


def known_pools(report: Report) -> list[ScenePool]:
    """The same. Raises InputError where there is none."""
    pools = scene_pools(report)
    if not pools:
        raise InputError(
            f"gains are pooled over {FEWEST_SCENES} scenes or more, with the same protocol and an arm that is on all",
            value=f"{len({table.condition.scene for table in report.tables})} scenes",
            hint="Run the same benchmark on more scenes into this store, or a suite with several scenes.",
        )
    return pools


def pool_gains(gains: Sequence[Gain | None]) -> Pooled | None:
    """The gains of an arm over ``none`` on several scenes; None where fewer than three have two draws."""
    known = [over.main.differences for gain in gains if (over := _over_none(gain))]
    return pool_scenes(known) if len(known) >= FEWEST_SCENES else None


def interval_text(interval: tuple[float, float]) -> str:
    """``[-1.0, +3.2]``, in points."""
    return f"[{signed(interval[0])}, {signed(interval[1])}]"


def score_of(tables: Sequence[Table]) -> str:
    """The main score, without the number of its classes where that differs between scenes."""
    names = {table.scores.main.name for table in tables}
    return names.pop() if len(names) == 1 else f"{tables[0].scores.main.name.split(' (')[0]} of large classes"


def _arms(tables: Sequence[Table]) -> tuple[PooledArm, ...]:
    labels: dict[CellKey, str] = {}
    for table in tables:
        for key, gain in table.gains.items():
            labels.setdefault(key, table.cell_label(gain.cell))
    found = []
    for key, label in labels.items():
        found_in = [table.gains.get(key) for table in tables]
        gains = tuple(gain if _over_none(gain) else None for gain in found_in)
        if (pooled := pool_gains(gains)) is not None:
            found.append(PooledArm(label, gains, pooled))
    return tuple(sorted(found, key=lambda arm: -arm.pooled.mean))


def _over_none(gain: Gain | None) -> Comparison | None:
    """The comparison with ``none``, where that has two draws."""
    over = gain.against["none"] if gain else None
    return over if over is not None and len(over.main.differences) > 1 else None
