"""What txt2hsi costs and brings on a GPU, at its presets ``cpu`` and ``paper``.

    python -m benchmarks.gpu FILE.csv [DEVICE [PEAK]]

Draws 10 to 14 of Indian Pines (``issd``), λ = 0.5. Writes and prints a row per preset and draw: seconds of the fit and
of the samples by the clock, the largest memory of the GPU in GB, the share of the device's operations that the fit used
(*MFU*), and AA of each classifier. DEVICE is ``cuda`` where nothing is said; PEAK, in TFLOP/s, is 989, an H200 in
bfloat16 without sparsity. The operations are torch's count of matrix products, of fits with one step and with two, times
the steps.
"""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.common import markdown, say, write_csv
from hsiaug.api import TrainView
from hsiaug.protocol.balance import Rate, synthetic_counts
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.view import view_without_labels
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task

SCENE, DRAWS, CLASSIFIERS = "indian_pines", range(10, 15), ("svm", "cnn2d")
PRESETS = ("cpu", "paper")
SETTINGS: dict[str, str] = {}
"""Parameters that differ from the preset."""
RATE, OMEGA = Rate(0.5, 3.0), 1.0


def main() -> None:
    file, device, peak = [*sys.argv[1:], *(None, "cuda", "989")[len(sys.argv) - 1 :]]
    rows = [row(preset, draw, device, 1e12 * float(peak)) for preset in PRESETS for draw in DRAWS]
    write_csv(Path(file), rows)
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    say(f"{name}, {datetime.date.today()}, torch {torch.__version__}")
    for line in markdown(list(rows[0]), ([str(value) for value in one.values()] for one in rows)):
        say(line)


def row(preset: str, draw: int, device: str, peak: float) -> dict[str, Any]:
    """One fit, its samples, and what classifiers make of them."""
    task = get_task("pixels")
    scene = task.load(SCENE, progress=False)
    split = task.split(scene, parse_protocol("issd"), draw, 9)
    view, alone = task.view(scene, split, "scene"), task.view(scene, split, "none")
    params: Any = build_params(registry().find("generator", "txt2hsi").load().card, preset, SETTINGS)
    memory = torch.cuda.max_memory_allocated if device.startswith("cuda") else lambda: 0
    work = operations(view, preset, device)
    start = time.perf_counter()
    fitted = fit(view, preset, device)
    fit_seconds = time.perf_counter() - start
    counts = synthetic_counts(alone.counts, RATE)
    start = time.perf_counter()
    samples = fitted.sample(counts, guidance=OMEGA, seed=draw)
    row = {
        "preset": preset,
        "draw": draw,
        "fit_seconds": round(fit_seconds, 2),
        "sample_seconds": round(time.perf_counter() - start, 2),
        "gpu_gb": round(memory() / 2**30, 2),
        "mfu": round(work(params.vae_steps, params.scene_steps, params.steps) / fit_seconds / peak, 4),
    }
    for name in CLASSIFIERS:
        classifier = registry().find("classifier", name).load()
        joined = task.shown(task.join(alone, [samples]), classifier.card)
        learnt = classifier(build_params(classifier.card)).fit(
            joined, alone, seed=draw, device=device, progress=quiet
        )
        told = task.predict(learnt, classifier.card, scene, split)
        row[f"aa_{name}"] = round(task.score(scene, split, (np.flatnonzero(split.test), told))["aa"], 4)
    say(str(row))
    return row


def fit(view: TrainView, preset: str, device: str, **steps: str) -> Any:
    """The generator prepared and fitted, with other numbers of steps than the preset has."""
    card = registry().find("generator", "txt2hsi").load()
    plugin = card(build_params(card.card, preset, {**SETTINGS, **steps}))
    prepared = plugin.prepare(view_without_labels(view), seed=0, device=device, progress=quiet)
    return plugin.fit(view, seed=0, device=device, progress=quiet, prepared=prepared)


def operations(view: TrainView, preset: str, device: str) -> Any:
    """The operations of a fit, as a function of the steps of the VAE, of the scene's denoiser and of that of a draw."""

    def counted(*steps: int) -> int:
        named = dict(zip(("vae_steps", "scene_steps", "steps"), map(str, steps), strict=True))
        with FlopCounterMode(display=False) as counter:
            fit(view, preset, device, **named)
        return counter.get_total_flops()

    once = counted(1, 1, 1)
    more = [counted(*(1 + (i == k) for i in range(3))) - once for k in range(3)]
    return lambda *steps: once + sum((n - 1) * extra for n, extra in zip(steps, more, strict=True))


def quiet(done: int, total: int, note: str = "") -> None:
    """No progress."""


if __name__ == "__main__":
    main()
