"""Do pairs help a network that has few labelled tiles? A test whose smallest gain was computed
beforehand.

    python -m benchmarks.specdm_gain SET STORE FILE.csv SPLITS [CONFIGURATION ...]

SET is one of ``SETS``, as ``houston:8``: eight training tiles of 32×32 pixels of the Houston crop
(``blocks:48x8``), and the U-Net. Splits in which too few classes are scored are passed over; a
class is scored if it has 100 test pixels or more and a training pixel. For each configuration
three pairs a training tile are made (λ = 3), each with the weight of a real one, and the network is
trained on real and synthetic tiles with several seeds.

``copies`` are training tiles, moved and turned to any angle as SpecDM learns them: what a generator
brings beyond such a turn is its own. Copies as they are would change nothing, because the U-Net
draws tiles with replacement. Configurations of ``specdm`` are sampled from one fit.

FILE.csv has a row for each trained network and is written after each; a run that was stopped goes
on. SPLITS are numbers and ranges, as 100,104-106. The table has means over splits of the mean over
seeds, the difference to no pairs, its 95 % interval, and the least gain that the test sees: with a
power of 80 % at 5 % (two-sided) by the deviation of these differences.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t

from benchmarks.common import HERE, check_usage, markdown, read_csv, say, write_csv
from hsiaug.base.errors import SplitError
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import silent
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import concatenate
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.accuracy import cohen_kappa, confusion, iou
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import TileSplit, dense_view, draw_tiles
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import SampleRequest
from hsiaug.registry.lookup import registry
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.tasks.prediction import TilePredictor
from hsiaug.tasks.task import get_task
from hsiaug.trial.trial_run import SceneContext
from hsiaug_builtin.dense.networks import (
    FcSiamDiff,
    FcSiamParams,
    Segformer,
    SegformerParams,
    Unet,
    UnetParams,
)
from hsiaug_builtin.specdm.crops import Cropping, crops

WEIGHT = 1.0
FEWEST_PIXELS = 100


@dataclass(frozen=True)
class LabelledSet:
    """A set with few labelled tiles, and the network that learns from them."""

    tiles: int
    network: Callable[[], Any]
    """An unfitted classifier of masks."""
    network_seeds: int
    task: str = "segmentation"
    source: str = str(HERE / "scenes" / "houston_crop.toml")
    protocol_head: str = "blocks:48x"
    """The protocol before its number of training tiles."""
    side: int = 32
    fewest_classes: int = 4

    def load(self) -> Any:
        return get_task(self.task).data.load(self.source)

    @property
    def protocol(self) -> SplitProtocol:
        return parse_protocol(f"{self.protocol_head}{self.tiles}")

    @property
    def pairs(self) -> int:
        return 3 * self.tiles


unet = partial(Unet, UnetParams(steps=100, width=8))
segformer = partial(Segformer, SegformerParams(steps=200, channels=32, single="none"))
siamese = partial(FcSiamDiff, FcSiamParams(steps=300, width=8))
change = partial(
    LabelledSet,
    network=siamese,
    network_seeds=3,
    task="change",
    source="oscd",
    protocol_head="places:",
    side=64,
    fewest_classes=2,
)
SETS = {
    "houston:4": LabelledSet(4, unet, 5),
    "houston:8": LabelledSet(8, unet, 3),
    "houston:16": LabelledSet(16, unet, 5),
    "houston:16:segformer": LabelledSet(16, segformer, 5),
    "oscd:15": change(15),
    "oscd:30": change(30),
}
NONE, COPIES = "none", "copies"
GENERATORS: dict[str, tuple[str, str, dict[str, str]]] = {
    "paste": ("paste", "cpu", {}),
    "quilt": ("quilt", "cpu", {}),
    "specdm, masks sampled": ("specdm", "fast", {"masks": "sampled"}),
    "specdm, masks moved": ("specdm", "fast", {"masks": "moved"}),
}
"""Name, preset and parameters by configuration."""
CONFIGURATIONS = (NONE, COPIES, *GENERATORS)


def main() -> None:
    labelled = SETS[sys.argv[1]]
    store, path = Path(sys.argv[2]), Path(sys.argv[3])
    configurations = tuple(sys.argv[5:]) or CONFIGURATIONS
    data = labelled.load()
    rows: list[dict[str, Any]] = [*read_csv(path)] if path.is_file() else []
    done = {(row["split"], row["configuration"], row["network_seed"]) for row in rows}
    for number in numbers(sys.argv[4]):
        split = split_of(labelled, data, number)
        if split is None:
            say(f"split {number} is passed over")
            continue
        scored = scored_classes(data, split)
        for configuration in configurations:
            missing = [
                seed
                for seed in range(labelled.network_seeds)
                if (str(number), configuration, str(seed)) not in done
            ]
            if not missing:
                continue
            samples = training_samples(labelled, data, split, configuration, store)
            for seed in missing:
                started = time.process_time()
                scores = trained_scores(labelled, data, split, samples, scored, seed)
                rows.append(
                    {
                        "split": number,
                        "configuration": configuration,
                        "network_seed": seed,
                        "classes": len(scored),
                        **scores,
                        "seconds": round(time.process_time() - started, 1),
                    }
                )
                write_csv(path, rows)
                say(str(rows[-1]))
    for line in table(labelled, read_csv(path), configurations):
        say(line)


def numbers(text: str) -> Iterator[int]:
    """The numbers of a text such as 100,104-106."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def split_of(labelled: LabelledSet, data: PairSet, number: int) -> TileSplit | None:
    """A split; None where it has too few tiles, or too few classes are scored."""
    try:
        split = draw_tiles(data, labelled.protocol, number, labelled.side)
    except SplitError:
        return None
    return split if len(scored_classes(data, split)) >= labelled.fewest_classes else None


def scored_classes(data: PairSet, split: TileSplit) -> NDArray[np.int64]:
    """Ids of the classes with enough test pixels and a training pixel."""
    classes = len(data.class_names)
    train = np.bincount(split.train_labels.ravel(), minlength=classes + 1)
    test = np.bincount(test_labels(data, split), minlength=classes + 1)
    found = np.flatnonzero((train > 0) & (test >= FEWEST_PIXELS))
    return found[found > 0]


def test_labels(data: PairSet, split: TileSplit) -> NDArray[np.int16]:
    """Labels of all pixels of test tiles, each once."""
    return np.concatenate([place.mask[split.tested[i]] for i, place in enumerate(data.places)])


def training_samples(
    labelled: LabelledSet, data: PairSet, split: TileSplit, configuration: str, store: Path
) -> DenseSamples:
    """The real pairs of a split, then those of a configuration, all with the same weight."""
    real = dense_view(data, split).real
    if configuration == NONE:
        return real
    if configuration == COPIES:
        made = moved_copies(real, labelled, split.seed)
    else:
        generator, preset, overrides = GENERATORS[configuration]
        request = SampleRequest(
            generator,
            labelled.protocol,
            patch=labelled.side,
            seed=split.seed,
            count=labelled.pairs,
            preset=preset,
            overrides=overrides,
        )
        context = SceneContext(data, get_task(labelled.task), store / "cache")
        kit: Any = sample_kit(labelled.task)
        made = synthesise(kit, data, request, registry(), context=context).synthetic
    weight = np.full(len(made), WEIGHT, dtype=np.float32)
    return concatenate([real, replace(made, weight=weight)])


def moved_copies(real: DenseSamples, labelled: LabelledSet, seed: int) -> DenseSamples:
    """Training tiles and their masks, moved and turned as SpecDM learns them."""
    rng = torch.Generator().manual_seed(derive_seed(COPIES, seed))
    rows = torch.randint(len(real), (labelled.pairs,), generator=rng).numpy()
    images = real.images[rows]
    n, dates, bands, height, width = images.shape
    layers = np.concatenate(
        [images.reshape(n, dates * bands, height, width), real.masks[rows, None]], axis=1
    )
    how = Cropping(factor=1, side=labelled.side, masks=1, turned=True, rotated=0.8)
    moved = crops(torch.from_numpy(layers.astype(np.float32)), how, rng)[0].numpy()
    turned = moved[:, :-1].reshape(n, dates, bands, *moved.shape[-2:])
    return DenseSamples.made(turned, moved[:, -1].round().astype(np.int64))


def trained_scores(
    labelled: LabelledSet,
    data: PairSet,
    split: TileSplit,
    samples: DenseSamples,
    scored: NDArray[np.int64],
    seed: int,
) -> dict[str, float]:
    """κ and mIoU in percent over the test pixels of scored classes, of one trained network."""
    plugin = labelled.network()
    fitted = plugin.fit(samples, dense_view(data, split), seed=seed, device="cpu", progress=silent)
    predicted = TilePredictor().predict(fitted, plugin.card, data, split)
    true = test_labels(data, split)
    kept = np.isin(true, scored)
    counts = confusion(true[kept], predicted[kept], len(data.class_names))
    return {
        "kappa": round(100 * float(cohen_kappa(counts)), 3),
        "miou": round(100 * float(iou(counts)[scored - 1].mean()), 3),
    }


def table(
    labelled: LabelledSet, rows: list[dict[str, str]], configurations: Sequence[str]
) -> Iterator[str]:
    """A row for each configuration, over the splits that have all of them."""
    complete = len(configurations) * labelled.network_seeds
    splits = [
        split
        for split in dict.fromkeys(row["split"] for row in rows)
        if sum(row["split"] == split and row["configuration"] in configurations for row in rows)
        == complete
    ]
    if len(splits) < 2:
        return
    say(f"{len(splits)} splits: {', '.join(splits)}")
    lines = []
    for configuration in configurations:
        cells = []
        for metric in ("kappa", "miou"):
            means, none = (
                [mean_of(rows, split, name, metric) for split in splits]
                for name in (configuration, NONE)
            )
            gains = [one - other for one, other in zip(means, none, strict=True)]
            cells += [f"{statistics.mean(means):.1f}", *gain_of(gains)]
        lines.append([configuration, *cells])
    yield from markdown(("pairs", "κ", "gain", "seen", "mIoU", "gain", "seen"), lines)


def mean_of(rows: list[dict[str, str]], split: str, configuration: str, metric: str) -> float:
    """Mean of a metric over the seeds of the network."""
    return statistics.mean(
        float(row[metric])
        for row in rows
        if (row["split"], row["configuration"]) == (split, configuration)
    )


def gain_of(gains: list[float]) -> tuple[str, str]:
    """Mean of the gains of splits with its 95 % interval (Student), and the least gain that is seen
    with a power of 80 %.
    """
    freedom = len(gains) - 1
    error = statistics.stdev(gains) / math.sqrt(len(gains))
    mean = statistics.mean(gains)
    half = t.ppf(0.975, freedom) * error
    seen = (t.ppf(0.975, freedom) + t.ppf(0.8, freedom)) * error
    return f"{mean:+.1f} [{mean - half:.1f}, {mean + half:.1f}]", f"{seen:.1f}"


if __name__ == "__main__":
    check_usage(__doc__, 4)
    main()
