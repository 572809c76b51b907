"""Are known shares of wrong labels found again? Damaged real and toy tiles, judged by tiles that
they never met.

    HSIAUG_DATA_DIR=FOLDER python -m benchmarks.dense_calibration

Tiles of a scene are dealt at random into thirds, four times: the first trains the probes, the
second calibrates, the third is damaged in three ways and judged. Writes found.csv, table.md and
found.png to benchmarks/results/dense_calibration/. Without the folder only the toy worlds are
judged. Tiles of one scene are neighbours, so this says whether known damage is found again, not how
far probes carry to another scene.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from benchmarks.common import HERE, check_usage, say, unmixed_scene, write_csv
from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.dense.reliability import MAIN, MIN_PIXELS_PER_CLASS, dense_reliability
from tests.toyworld import toy_world

OUT = HERE / "results" / "dense_calibration"
SIDE = 16
SPLITS = 4
LEVELS = (5, 10, 20, 40)
BAR = 5.0
"""Points that an estimate may be off."""

REACHED = 0.8
"""Part of the damage asked for that must have been reached for a row to count: few edges cannot
make 40 % by shifts.
"""


Masks = NDArray[np.int64]

FURTHEST = 8
"""Pixels that a mask is shifted by at most; where that does not reach q, the damage stays below it.
"""


def damage(
    masks: Masks, kind: str, percent: float, ids: Sequence[int], rng: np.random.Generator
) -> Masks:
    """Masks (n, H, W) of which about ``percent`` % of the labelled pixels are wrong; ``masks``
    stays as it is.

    kind: one of DAMAGES. ids: sorted class ids, all that ``masks`` has or more; wrong labels are
    among them. Segments ("swap") or whole tiles (the others) are damaged in random order until
    the share is met. A kind may not reach it: a shift cannot mislabel a tile of one class. The
    same pixels are labelled in the answer: where damage would take a label, it stays. Raises
    InputError for an unknown kind.
    """
    if kind not in DAMAGES:
        raise InputError(f"damage {kind!r} is not known", hint=did_you_mean(kind, DAMAGES))
    if percent <= 0:
        return masks.copy()
    return DAMAGES[kind](masks, percent / 100, ids, rng)


def segments(masks: Masks) -> NDArray[np.int64]:
    """(n, H, W) ids 1, 2, … of the 4-connected regions of one class, 0 where there is no label; no
    id spans tiles.
    """
    from scipy.ndimage import label

    cross = np.zeros((3, 3, 3), dtype=int)
    cross[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    ids = np.zeros(masks.shape, dtype=np.int64)
    for c in np.unique(masks[masks != IGNORE]):
        regions = label(masks == c, structure=cross)[0]
        ids += np.where(regions > 0, regions + ids.max(), 0)
    return ids


def _swap(masks: Masks, share: float, ids: Sequence[int], rng: np.random.Generator) -> Masks:
    """Whole segments get another class, each other class as likely."""
    labels = segments(masks)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    order = 1 + rng.permutation(len(sizes) - 1)
    chosen = order[: _enough(sizes[order], share * sizes.sum())]
    offset = np.zeros(len(sizes), dtype=np.int64)
    offset[chosen] = rng.integers(1, len(ids), size=len(chosen))
    place = np.searchsorted(ids, masks) + offset[labels]
    return np.where(masks == IGNORE, IGNORE, np.asarray(ids)[place % len(ids)])


def _shift(masks: Masks, share: float, ids: Sequence[int], rng: np.random.Generator) -> Masks:
    """Masks moved by 1, 2, … pixels, all in one of eight directions: the image and its mask do not
    register.
    """
    dy, dx = [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)][
        int(rng.integers(8))
    ]

    def moved(by: int) -> Masks:
        padded = np.pad(masks, ((0, 0), (by, by), (by, by)), mode="edge")
        high, wide = masks.shape[1:]
        return padded[:, by + dy * by : by + dy * by + high, by + dx * by : by + dx * by + wide]

    return _of_tiles(masks, share, moved, rng)


def _permute(masks: Masks, share: float, ids: Sequence[int], rng: np.random.Generator) -> Masks:
    """Tiles get the mask of another tile."""
    order = rng.permutation(len(masks))
    donors = np.empty_like(order)
    donors[order] = np.roll(order, 1)
    worse = masks[donors]
    return _of_tiles(masks, share, lambda by: worse, rng, steps=1)


def _of_tiles(
    masks: Masks,
    share: float,
    damaged: Callable[[int], Masks],
    rng: np.random.Generator,
    steps: int = FURTHEST,
) -> Masks:
    """The least step of damage that can reach the share, on as many tiles as reach it."""
    labelled = masks != IGNORE
    target, best, most = share * labelled.sum(), masks, np.zeros(len(masks), dtype=np.int64)
    for by in range(1, steps + 1):
        full = damaged(by)
        full = np.where(labelled & (full != IGNORE), full, masks)
        wrong = (full != masks).sum(axis=(1, 2))
        if wrong.sum() > most.sum():
            best, most = full, wrong
        if most.sum() >= target:
            break
    order = rng.permutation(len(masks))
    chosen = order[: _enough(most[order], target)]
    out = masks.copy()
    out[chosen] = best[chosen]
    return out


def _enough(sizes: NDArray[np.int64], target: float) -> int:
    """How many of these, in order, come nearest to the target sum."""
    sums = np.concatenate([[0], np.cumsum(sizes)])
    return int(np.abs(sums - target).argmin())


DAMAGES: dict[str, Callable[[Masks, float, Sequence[int], np.random.Generator], Masks]] = {
    "swap": _swap,
    "shift": _shift,
    "permute": _permute,
}
"""Kinds of damage: segments of another class, misregistration, masks of other tiles."""


def wrong_share(damaged: NDArray[np.int64], masks: NDArray[np.int64]) -> float:
    """Per cent of the pixels labelled in both whose labels differ: the q of a damaged set."""
    both = (damaged != IGNORE) & (masks != IGNORE)
    return 100.0 * float((damaged != masks)[both].mean()) if both.any() else 0.0


@dataclass(frozen=True)
class DamageEstimate:
    """Damage of one kind, "" for none: the share asked for, reached, and estimated, all in % of
    labelled pixels.

    estimate, low, high: by the judge, with its 95 % interval. edges: as R2 has it.
    """

    kind: str
    asked: float
    true: float
    estimate: float
    low: float
    high: float
    edges: float

    @property
    def error(self) -> float:
        """Points by which the estimate is too high."""
        return self.estimate - self.true


def found_again(
    train: DenseSamples,
    held: DenseSamples,
    judged: DenseSamples,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
) -> list[DamageEstimate]:
    """Damage real tiles ``judged`` in each way and have them judged by others, as made tiles
    are.
    """
    rng = np.random.default_rng(derive_seed("found again", seed))
    classes = max(int(part.masks.max()) for part in (train, held, judged))
    counts = [np.bincount(part.masks.ravel(), minlength=classes + 1)[1:] for part in (train, held)]
    ids = tuple((np.flatnonzero(np.minimum(*counts) >= MIN_PIXELS_PER_CLASS) + 1).tolist())
    masks = np.where(np.isin(judged.masks, ids), judged.masks, IGNORE)
    rows = []
    for kind in ("", *DAMAGES):
        for level in levels if kind else (0,):
            worse = damage(masks, kind, level, ids, rng) if kind else masks
            found = dense_reliability(
                train, held, replace(judged, masks=worse), classes=classes, seed=seed
            )
            score, edges = found[MAIN], found["boundaries"].wrong
            other = np.nan if edges is None else edges
            low, high = score.wrong_interval or (np.nan, np.nan)
            estimate = np.nan if score.wrong is None else score.wrong
            rows.append(
                DamageEstimate(kind, level, wrong_share(worse, masks), estimate, low, high, other)
            )
    return rows


def jasper_ridge(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cube (100, 100, 198) of reflectance, and the class of the largest abundance: tree, water,
    dirt, road.
    """
    part = folder / "JasperRidge"
    cube, shares = unmixed_scene(
        part / "jasperRidge2_R198.mat", "Y", part / "_EndJasperRidge2_R198.mat", scale=5000
    )
    return cube, 1 + shares.argmax(axis=0)


def samson(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cube (95, 95, 156) of reflectance, and the class of the largest abundance: rock, tree,
    water.
    """
    cube, shares = unmixed_scene(
        folder / "Samson" / "samson_1.mat", "V", folder / "Samson" / "end3.mat"
    )
    return cube, 1 + shares.argmax(axis=0)


def houston(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cube (128, 128, 48) of counts / 10000, and the most frequent label of the 4×4 pixels that lie
    over each.
    """
    data = loadmat(folder / "Houston2018_crop" / "houston_dataset.mat")
    fine = data["clasLabs"].reshape(128, 4, 128, 4).astype(np.int64)
    votes = np.stack([(fine == c).sum(axis=(1, 3)) for c in range(fine.max() + 1)])
    _, dense = np.unique(votes.argmax(axis=0), return_inverse=True)
    return (data["hyprImg"] / 10000).astype(np.float32), dense.reshape(128, 128)


SCENES = {"jasper_ridge": jasper_ridge, "samson": samson, "houston_crop": houston}


def tiles_of(
    cube: NDArray[np.float32], labels: NDArray[np.int64], side: int = SIDE
) -> DenseSamples:
    """Tiles side by side, none over another; those without a label are left out, as is what does
    not fill a tile.
    """
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
            for found in found_again(train, held, judged, seed=split):
                rows[name, found.kind, found.asked].append(found)
                numbers = {
                    key: v if isinstance(v, str) else round(v, 2)
                    for key, v in asdict(found).items()
                }
                written.append({"data": name, "split": split, **numbers})
        write_csv(OUT / "found.csv", written)
        sys.stderr.write(f"{name}: {len(tiles)} tiles, {time.process_time() - start:.0f} CPU s\n")
    table = "\n".join(lines(rows))
    (OUT / "table.md").write_text(table + "\n", encoding="utf-8")
    picture(rows)
    say(table)


def lines(rows: dict[tuple[str, str, float], list[DamageEstimate]]) -> Iterator[str]:
    """The table, mean over the splits, and the verdict by data and kind."""
    yield "| data | damage | asked | true | estimate | error, worst | in 95 % | by R2 |"
    yield "|---|---|---|---|---|---|---|---|"
    met: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for (name, kind, asked), found in rows.items():
        columns = np.array(
            [[f.true, f.estimate, f.error, f.low <= f.true <= f.high, f.edges] for f in found]
        )
        true, estimate, error, inside, edges = columns.mean(axis=0)
        worst = columns[np.abs(columns[:, 2]).argmax(), 2]
        reached = true >= REACHED * asked
        if kind and reached:
            met[name, kind].append(abs(error) <= BAR)
        yield (
            f"| {name} | {kind or 'none'} | {asked:g} |"
            f" {true:.1f}{'' if reached else ' (not reached)'} | {estimate:.1f} | {error:+.1f},"
            f" {worst:+.1f} | {inside:.0%} | {edges:.1f} |"
        )
    yield ""
    for name in dict.fromkeys(name for name, _ in met):
        kinds = [f"{kind} {sum(ok)}/{len(ok)}" for (data, kind), ok in met.items() if data == name]
        every = [
            f for (data, kind, _), found in rows.items() if data == name and kind for f in found
        ]
        near = np.mean([abs(f.error) <= BAR for f in every])
        yield (
            f"{name}: mean within {BAR:g} points at levels reached: {', '.join(kinds)}; of single"
            f" estimates: {near:.0%}"
        )
        yield ""


def picture(rows: dict[tuple[str, str, float], list[DamageEstimate]]) -> None:
    """Estimates over true shares, a panel for each data set."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for name, _, _ in rows))
    figure = Figure(figsize=(3.2 * len(names), 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, name in zip(
        np.atleast_1d(figure.subplots(1, len(names), sharey=True)), names, strict=True
    ):
        axes.fill_between([0, 60], [-BAR, 60 - BAR], [BAR, 60 + BAR], color="0.92")
        axes.plot([0, 60], [0, 60], color="0.6", linewidth=0.8)
        for kind in dict.fromkeys(kind for data, kind, _ in rows if data == name and kind):
            found = [
                f for (data, k, _), part in rows.items() if data == name and k == kind for f in part
            ]
            axes.plot(
                [f.true for f in found], [f.estimate for f in found], "o", markersize=3, label=kind
            )
        axes.set(title=name, xlabel="truly wrong, %", xlim=(0, 50), ylim=(0, 55))
    figure.axes[0].set_ylabel("estimated, %")
    figure.axes[0].legend(fontsize=7)
    figure.savefig(OUT / "found.png", dpi=110)


if __name__ == "__main__":
    check_usage(__doc__, 0, 0)
    main()
