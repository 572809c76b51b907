"""What the pairs of SpecDM are like: every measure of ``hsiaug inspect``, beside training tiles,
held-out tiles, and the same pairs with the masks of others.

    python -m benchmarks.specdm_audit STORE FILE.csv DATA:CONFIGURATION ...

DATA and CONFIGURATION are names of :data:`DATA` and :data:`CONFIGURATIONS`, as houston:moved. Fits
are kept in the store; both modes of masks are sampled from one. FILE.csv has a row for each measure
of a set and configuration; ``within_tenth_5``, ``_9`` and ``_17`` are the percentages of pieces of
so many pixels a side that lie within a tenth of the usual distance of held-out pieces to training
tiles: copies. Rows that are there are not made again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import HERE, check_usage, read_csv, say, write_csv
from hsiaug.metrics.dense.pieces import piece_distances
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import real_samples
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import MaskSynthesis, SampleRequest
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.trial_run import SceneContext

DATA = {
    "houston": ("segmentation", str(HERE / "scenes" / "houston_crop.toml"), "blocks:48x8"),
    "jasper": ("segmentation", str(HERE / "scenes" / "jasper_ridge.toml"), "blocks:48x8"),
    "oscd": ("change", "oscd", "places:100"),
}
"""Task, set and protocol."""
CONFIGURATIONS: dict[str, tuple[str, str, dict[str, str]]] = {
    "moved": ("specdm", "fast", {"masks": "moved"}),
    "sampled": ("specdm", "fast", {"masks": "sampled"}),
    "paper": ("specdm-paper", "cpu", {}),
    "mosaic": ("mosaic", "cpu", {}),
    "gaussian": ("gaussian-pairs", "cpu", {}),
}
"""Generator, preset and parameters."""
SPLIT, PAIRS = 104, 40
"""The split is one that no accuracy is reported of."""
COPY = 0.1


def main() -> None:
    store, path = Path(sys.argv[1]), Path(sys.argv[2])
    rows: list[dict[str, Any]] = [*read_csv(path)] if path.is_file() else []
    done = {(row["data"], row["configuration"]) for row in rows}
    for word in sys.argv[3:]:
        data, _, configuration = word.partition(":")
        if (data, configuration) in done:
            continue
        made = pairs_of(data, configuration, store)
        rows += [
            {"data": data, "configuration": configuration, "version": made.card.version, **row}
            for row in measured(made)
        ]
        write_csv(path, rows)
        say(f"{word}: {len(made.synthetic)} pairs")


def pairs_of(name: str, configuration: str, store: Path, split: int = SPLIT) -> MaskSynthesis:
    """Pairs of a configuration, with the split that they were learnt of."""
    task, scene, protocol = DATA[name]
    generator, preset, overrides = CONFIGURATIONS[configuration]
    kit: Any = sample_kit(task)
    data = kit.task.data.load(scene)
    request = SampleRequest(
        generator,
        parse_protocol(protocol),
        seed=split,
        count=PAIRS,
        preset=preset,
        overrides=overrides,
    )
    context = SceneContext(data, get_task(task), store / "cache")
    made: MaskSynthesis = synthesise(kit, data, request, registry(), context=context)
    return made


def measured(made: MaskSynthesis) -> Iterator[dict[str, Any]]:
    """Every measure, with what real tiles reach."""
    kit: Any = sample_kit(made.spec.task)
    for one in kit.inspect(made).measures:
        if one.value is not None:
            yield {
                "measure": one.name,
                **{
                    column: None if value is None else round(value, 3)
                    for column, value in (
                        ("pairs", one.value),
                        ("held_out", one.held_out),
                        ("training", one.training),
                        ("masks_of_others", one.permuted),
                    )
                },
            }
    held_out = real_samples(made.split, made.split.test)
    distances = piece_distances(made.real.images, held_out.images, made.synthetic.images)
    for side, (usual, these) in distances.items():
        near = COPY * np.median(usual)
        yield {
            "measure": f"within_tenth_{side}",
            "pairs": round(100 * float((these < near).mean()), 3),
            "held_out": round(100 * float((usual < near).mean()), 3),
        }


if __name__ == "__main__":
    check_usage(__doc__, 3)
    main()
