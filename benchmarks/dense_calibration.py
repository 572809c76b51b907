"""Are known shares of wrong labels found again? Damaged real and toy tiles, judged by tiles that they never met.

    HSIAUG_DATA_DIR=FOLDER python -m benchmarks.dense_calibration

Tiles of a scene are dealt at random into thirds, four times: the first trains the probes, the second is damaged to
calibrate, the third is damaged and judged. Writes found.csv, table.md and found.png to
benchmarks/results/dense_calibration/. Without the folder only the toy worlds are judged. Tiles of one scene are
neighbours, so this says whether known damage is found again, not how far probes carry to another scene.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from benchmarks.common import HERE, say, unmixed_scene, write_csv
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.dense.damage import DAMAGES, damage
from hsiaug.metrics.dense.reliability import MaskJudge, fit_judge
from tests.toyworld import toy_world

OUT = HERE / "results" / "dense_calibration"
SIDE = 16
SPLITS = 4
LEVELS = (5, 10, 20, 40)
BAR = 5.0
"""Points that an estimate may be off."""

REACHED = 0.8
"""Part of the damage asked for that must have been reached for a row to count: few edges cannot make 40 % by shifts."""


def wrong_share(damaged: NDArray[np.int64], masks: NDArray[np.int64]) -> float:
    """Per cent of the pixels labelled in both whose labels differ: the q of a damaged set."""
    both = (damaged != IGNORE) & (masks != IGNORE)
    return 100.0 * float((damaged != masks)[both].mean()) if both.any() else 0.0


@dataclass(frozen=True)
class DamageEstimate:
    """Damage of one kind, "" for none: the share asked for, reached, and estimated, all in % of labelled pixels.

    estimate, low, high: by the judge, with its 95 % interval.
    """

    kind: str
    asked: float
    true: float
    estimate: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Points by which the estimate is too high."""
        return self.estimate - self.true


def found_again(
    judge: MaskJudge,
    judged: DenseSamples,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
) -> list[DamageEstimate]:
    """Damage real tiles ``judged``, which must be none of the judge's, and have them judged."""
    rng = np.random.default_rng(derive_seed("found again", seed))
    masks = judge.known(judged.masks)
    guesses = judge.guess(judged.images)
    rows = []
    for kind in ("", *DAMAGES):
        for level in levels if kind else (0,):
            worse = damage(masks, kind, level, judge.ids, rng) if kind else masks
            reading = judge.read(guesses, worse)
            low, high = np.percentile(judge.curve.percents(reading[1:]), [2.5, 97.5])
            rows.append(
                DamageEstimate(
                    kind=kind,
                    asked=level,
                    true=wrong_share(worse, masks),
                    estimate=judge.curve.percent(reading[0]),
                    low=float(low),
                    high=float(high),
                )
            )
    return rows


def jasper_ridge(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cube (100, 100, 198) of reflectance, and the class of the largest abundance: tree, water, dirt, road."""
    part = folder / "JasperRidge"
    cube, shares = unmixed_scene(
        part / "jasperRidge2_R198.mat", "Y", part / "_EndJasperRidge2_R198.mat", scale=5000
    )
    return cube, 1 + shares.argmax(axis=0)


def samson(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cube (95, 95, 156) of reflectance, and the class of the largest abundance: rock, tree, water."""
    cube, shares = unmixed_scene(folder / "Samson" / "samson_1.mat", "V", folder / "Samson" / "end3.mat")
    return cube, 1 + shares.argmax(axis=0)


def houston(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cube (128, 128, 48) of counts / 10000, and the most frequent label of the 4×4 pixels that lie over each."""
    data = loadmat(folder / "Houston2018_crop" / "houston_dataset.mat")
    fine = data["clasLabs"].reshape(128, 4, 128, 4).astype(np.int64)
    votes = np.stack([(fine == c).sum(axis=(1, 3)) for c in range(fine.max() + 1)])
    _, dense = np.unique(votes.argmax(axis=0), return_inverse=True)
    return (data["hyprImg"] / 10000).astype(np.float32), dense.reshape(128, 128)


SCENES = {"jasper_ridge": jasper_ridge, "samson": samson, "houston_crop": houston}


def tiles_of(cube: NDArray[np.float32], labels: NDArray[np.int64], side: int = SIDE) -> DenseSamples:
    """Tiles side by side, none over another; those without a label are left out, as is what does not fill a tile."""
    rows, columns = (size // side for size in labels.shape)
    cube = cube[: rows * side, : columns * side].reshape(rows, side, columns, side, -1)
    masks = labels[: rows * side, : columns * side].reshape(rows, side, columns, side)
    images = cube.transpose(0, 2, 4, 1, 3).reshape(rows * columns, 1, -1, side, side)
    flat = masks.transpose(0, 2, 1, 3).reshape(-1, side, side)
    kept = (flat > 0).any(axis=(1, 2))
    tiles = DenseSamples.made(images[kept], flat[kept])
    return replace(tiles, synthetic=np.zeros(len(tiles), dtype=bool))


def worlds() -> Iterator[tuple[str, DenseSamples]]:
    """Toy tiles, and those of the real scenes where their folder is."""
    world = toy_world(noise=0.06, side=SIDE)
    yield "toy", world.draw(90, 0)
    yield "toy_change", world.draw_change(90, 0)
    folder = os.environ.get("HSIAUG_DATA_DIR")
    for name, read in SCENES.items() if folder else ():
        yield name, tiles_of(*read(Path(folder or "")))


def thirds(tiles: DenseSamples, split: int) -> list[DenseSamples]:
    """For the probes, to calibrate, to be judged."""
    order = np.random.default_rng(split).permutation(len(tiles))
    return [tiles.take(part) for part in np.array_split(order, 3)]


def main() -> None:
    rows: dict[tuple[str, str, float], list[DamageEstimate]] = defaultdict(list)
    written: list[dict[str, Any]] = []
    OUT.mkdir(parents=True, exist_ok=True)
    for name, tiles in worlds():
        start = time.process_time()
        for split in range(SPLITS):
            train, held, judged = thirds(tiles, split)
            judge = fit_judge(train, held, int(tiles.masks.max()), split)
            for found in found_again(judge, judged, seed=split):
                rows[name, found.kind, found.asked].append(found)
                numbers = {key: v if isinstance(v, str) else round(v, 2) for key, v in asdict(found).items()}
                written.append({"data": name, "split": split, **numbers})
        write_csv(OUT / "found.csv", written)
        sys.stderr.write(f"{name}: {len(tiles)} tiles, {time.process_time() - start:.0f} CPU s\n")
    table = "\n".join(lines(rows))
    (OUT / "table.md").write_text(table + "\n", encoding="utf-8")
    picture(rows)
    say(table)


def lines(rows: dict[tuple[str, str, float], list[DamageEstimate]]) -> Iterator[str]:
    """The table, mean over the splits, and the verdict by data and kind."""
    yield "| data | damage | asked | true | estimate | error, worst | in 95 % |"
    yield "|---|---|---|---|---|---|---|"
    met: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for (name, kind, asked), found in rows.items():
        columns = np.array([[f.true, f.estimate, f.error, f.low <= f.true <= f.high] for f in found])
        true, estimate, error, inside = columns.mean(axis=0)
        worst = columns[np.abs(columns[:, 2]).argmax(), 2]
        reached = true >= REACHED * asked
        if kind and reached:
            met[name, kind].append(abs(error) <= BAR)
        yield (
            f"| {name} | {kind or 'none'} | {asked:g} | {true:.1f}{'' if reached else ' (not reached)'} | {estimate:.1f} "
            f"| {error:+.1f}, {worst:+.1f} | {inside:.0%} |"
        )
    yield ""
    for name in dict.fromkeys(name for name, _ in met):
        kinds = [f"{kind} {sum(ok)}/{len(ok)}" for (data, kind), ok in met.items() if data == name]
        every = [f for (data, kind, _), found in rows.items() if data == name and kind for f in found]
        near = np.mean([abs(f.error) <= BAR for f in every])
        yield f"{name}: mean within {BAR:g} points at levels reached: {', '.join(kinds)}; of single estimates: {near:.0%}"
        yield ""


def picture(rows: dict[tuple[str, str, float], list[DamageEstimate]]) -> None:
    """Estimates over true shares, a panel for each data set."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for name, _, _ in rows))
    figure = Figure(figsize=(3.2 * len(names), 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names), sharey=True)), names, strict=True):
        axes.fill_between([0, 60], [-BAR, 60 - BAR], [BAR, 60 + BAR], color="0.92")
        axes.plot([0, 60], [0, 60], color="0.6", linewidth=0.8)
        for kind in dict.fromkeys(kind for data, kind, _ in rows if data == name and kind):
            found = [f for (data, k, _), part in rows.items() if data == name and k == kind for f in part]
            axes.plot([f.true for f in found], [f.estimate for f in found], "o", markersize=3, label=kind)
        axes.set(title=name, xlabel="truly wrong, %", xlim=(0, 50), ylim=(0, 55))
    figure.axes[0].set_ylabel("estimated, %")
    figure.axes[0].legend(fontsize=7)
    figure.savefig(OUT / "found.png", dpi=110)


if __name__ == "__main__":
    main()
