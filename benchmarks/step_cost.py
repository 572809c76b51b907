"""What a training step of each network classifier costs beside a plain PyTorch loop over the same
network.

    python -m benchmarks.step_cost [CLASSIFIER ...]

Prints, for each classifier at its default settings on Indian Pines (random:0.05, draw 100, one
thread), the median milliseconds per step of the plugin (drawing, augmenting, schedule and progress
included) and of the plain loop (random rows, forward, cross-entropy, backward, AdamW), and their
ratio. The two take turns, so that another process's load meets both.
"""

from __future__ import annotations

import copy
import itertools
import statistics
import sys
import time
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.common import check_usage, say
from hsiaug.api import PatchSamples, TrainView
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task

NETWORKS = (
    "cnn1d",
    "cnn2d",
    "cnn3d",
    "hybridsn",
    "ssrn",
    "spectralformer",
    "timm",
    "timm:test_resnet",
)
STEPS = 15
ROUNDS = 3
DRAW = 100


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    scene = load_scene("indian_pines")
    view = train_view(scene, draw_split(scene, parse_protocol("random:0.05"), DRAW, 9), "none")
    say(f"{'classifier':<18}{'plugin ms':>11}{'plain ms':>11}{'ratio':>8}")
    for name in names or NETWORKS:
        ours, plain = measure(name, view)
        say(f"{name:<18}{ours:>11.1f}{plain:>11.1f}{ours / plain:>8.2f}")


def measure(name: str, view: TrainView) -> tuple[float, float]:
    """Median milliseconds per step of the plugin and of the plain loop."""
    plugin = registry().find("classifier", name).load()
    params = build_params(plugin.card, overrides={"steps": str(STEPS)})
    samples = get_task("pixels").sampling.shown(view.real, plugin.card)
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(ROUNDS):
        stamps: list[float] = []
        fitted = plugin(params).fit(
            samples,
            view,
            seed=0,
            device="cpu",
            progress=lambda *_, stamps=stamps: stamps.append(time.perf_counter()),
        )
        ours += gaps(stamps)
        plain += gaps(plain_loop(fitted, samples, params))
    return 1000 * statistics.median(ours), 1000 * statistics.median(plain)


def plain_loop(fitted: Any, samples: PatchSamples, params: Any) -> list[float]:
    """The time after each of STEPS steps over the network that a plugin fitted."""
    net = copy.deepcopy(fitted.net).train()
    x = torch.from_numpy(fitted.read(samples.x))
    target = torch.from_numpy(np.searchsorted(fitted.classes, samples.y))
    optimiser = torch.optim.AdamW(net.parameters(), lr=params.rate, weight_decay=params.decay)
    stamps = []
    for _ in range(STEPS):
        rows = torch.randint(len(x), (params.batch,))
        loss = cross_entropy(net(x[rows]), target[rows])
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        stamps.append(time.perf_counter())
    return stamps


def gaps(stamps: list[float]) -> list[float]:
    """Seconds between one step and the next; the first step, which warms up, is left out."""
    return [after - before for before, after in itertools.pairwise(stamps)]


if __name__ == "__main__":
    check_usage(__doc__)
    main(sys.argv[1:])
