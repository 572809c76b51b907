"""What the networks of ``txt2hsi`` spend their time on: a profile by operation on one core.

    python -m benchmarks.speed.network_profile FILE.csv

An evaluation of the denoiser on as many patches as a CPU denoises at a time, a training step of a
draw, and a training step of the VAE, at the default sizes. Prints and writes how the time that
torch's profiler sees is shared among its operations: those that have 2 % of it in one of the three.
Speeds beside a product of matrices: ``benchmarks.speed.denoiser``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.common import check_usage, markdown, say, write_csv
from benchmarks.speed.denoiser import ask_ours, evaluating, our_denoiser, our_vae, training
from hsiaug_builtin.txt2hsi.fitted import AT_ONCE_ON_CPU
from hsiaug_builtin.txt2hsi.params import Txt2HsiParams

TIMES = 20
"""Calls that are profiled, after one that warms up."""
LEAST = 0.02
"""Share of the time of an operation that has a row."""


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    params = Txt2HsiParams()
    size = params.network
    denoiser = our_denoiser(params)
    cases: dict[str, Callable[[], None]] = {
        f"evaluation, {AT_ONCE_ON_CPU} patches": evaluating(
            denoiser, ask_ours(denoiser, params, AT_ONCE_ON_CPU)
        ),
        f"training, {size.batch} patches": training(
            denoiser, ask_ours(denoiser, params, size.batch)
        ),
        f"training of the VAE, {size.vae_batch} pixels": training(*our_vae(params)),
    }
    shares = {name: shares_of(run) for name, run in cases.items()}
    largest = {
        operation: max(by_name.get(operation, 0.0) for by_name in shares.values())
        for by_name in shares.values()
        for operation in by_name
    }
    rows = [
        [operation, *(f"{100 * by_name.get(operation, 0.0):.0f}" for by_name in shares.values())]
        for operation, most in sorted(largest.items(), key=lambda item: -item[1])
        if most >= LEAST
    ]
    header = ("operation, % of the time", *shares)
    say("\n".join(markdown(header, rows)))
    write_csv(Path(sys.argv[1]), [dict(zip(header, row, strict=True)) for row in rows])


def shares_of(run: Callable[[], None]) -> Mapping[str, float]:
    """Shares of the profiled time of a call, by the names of operations without their namespace."""
    run()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(TIMES):
            run()
    events: Any = profiled.key_averages()
    seconds = {event.key.removeprefix("aten::"): event.self_cpu_time_total for event in events}
    total = sum(seconds.values())
    return {name: value / total for name, value in seconds.items()}


if __name__ == "__main__":
    check_usage(__doc__, 1, 1)
    main()
