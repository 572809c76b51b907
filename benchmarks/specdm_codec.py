"""What SpecDM's VAE of images costs a segmenter: trained on real tiles, and on the same tiles
encoded and decoded.

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_codec STORE [DATA ...] [DRAW ...]

Masks are the real ones both times; the test pixels are real. The VAE is that of the suite, from the
store's cache. A network is trained three times on each, on tiles with noise of 1e-5 of their scale:
that alone moves the mIoU of a draw whose rarest class has few test pixels by ten points. Writes
benchmarks/results/specdm/codec.csv: mIoU in percent, or of change F1, and their difference.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import check_usage, write_csv
from benchmarks.specdm_quality import DATA, OUT
from hsiaug.base.errors import HsiaugError
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.kits import sample_kit
from hsiaug.quality.synthesis import SampleRequest, sample_spec
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import locate_labels
from hsiaug.trial.fits import prepared_state
from hsiaug.trial.plugin_calls import StageClock
from hsiaug.trial.run import fit_classifier, predict
from hsiaug.trial.spec import plugin_spec
from hsiaug.trial.trial_run import SceneContext, TrialRun

SEGMENTERS = {"segmentation": ("pixel-svm", "segformer"), "change": ("changeformer",)}
REPEATS, NOISE = 3, 1e-5
SCORE = {"segmentation": "miou", "change": "f1_change"}


def nothing(done: int, total: int, note: str = "") -> None:
    """Progress is not shown."""


def main() -> None:
    store, asked = Path(sys.argv[1]), sys.argv[2:]
    names = [name for name in asked if not name.isdigit()] or list(DATA)
    draws = [int(draw) for draw in asked if draw.isdigit()] or [80, 81, 82]
    rows: list[dict[str, Any]] = []
    for name in names:
        for draw in draws:
            for row in compare(store, name, draw):
                rows.append(row)
                write_csv(OUT / "codec.csv", rows)


def compare(store: Path, name: str, draw: int) -> list[dict[str, Any]]:
    """The rows of one draw."""
    task_name, ref, protocol = DATA[name]
    kit, task = sample_kit(task_name), get_task(task_name)
    data = kit.task.data.load(ref)
    context = SceneContext(data, task, store / "cache")
    request = SampleRequest(
        "specdm-paper",
        protocol and parse_protocol(protocol),
        seed=draw,
    )
    generator, spec = sample_spec(task_name, data, request, registry())
    devices = {"generator": "cpu", "classifier": "cpu"}
    made = TrialRun(spec, context, generator=generator, devices=devices)
    prepared: Any = prepared_state(made).fitted
    view = made.views.of("none")
    real = task.sampling.join(view, [])
    decoded = replace(real, images=round_trip(prepared, real))
    scale = NOISE * prepared.format.scale
    rows = []
    for classifier in SEGMENTERS[task_name]:
        plugin = registry().find("classifier", classifier).load()
        own = replace(
            spec, classifier=plugin_spec(plugin.card, build_params(plugin.card), data), view="raw"
        )
        scores: list[list[float]] = [[], []]
        for repeat in range(1 if classifier == "pixel-svm" else REPEATS):
            noise = (
                np.random.default_rng(repeat)
                .normal(scale=scale, size=real.images.shape)
                .astype(np.float32)
            )
            for samples, found in zip((real, decoded), scores, strict=True):
                moved = replace(samples, images=samples.images + noise)
                run = TrialRun(
                    own, context, classifier=plugin(own.classifier.params), devices=devices
                )
                clock = StageClock()
                fitted = fit_classifier(run, moved, clock, {})
                split = run.views.split
                predicted = locate_labels(split, predict(run, fitted, clock))
                metrics: Any = task.scoring.score(data, split, predicted)
                found.append(100 * float(metrics[SCORE[task_name]]))
        means = [statistics.mean(found) for found in scores]
        rows.append(
            {
                "data": name,
                "draw": draw,
                "segmenter": classifier,
                "score": SCORE[task_name],
                "real": round(means[0], 2),
                "decoded": round(means[1], 2),
                "difference": round(means[1] - means[0], 2),
                "spread": round(max(map(np.ptp, scores)), 2),
            }
        )
    return rows


@torch.inference_mode()
def round_trip(prepared: Any, real: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Images of tiles, encoded and decoded, in the data's units."""
    form, stream, parts = prepared.format, prepared.stream, []
    for begin in range(0, len(real), 64):
        tiles = real.take(np.arange(begin, min(begin + 64, len(real))))
        parts.append(form.images_back(stream.decode(stream.encode(form.images(tiles.images)))))
    made = np.concatenate(parts).astype(np.float32)
    if made.shape != real.images.shape:
        raise HsiaugError(
            "tiles must keep their shape", value=made.shape, hint="Look at TileFormat."
        )
    return made


if __name__ == "__main__":
    check_usage(__doc__, 1)
    main()
