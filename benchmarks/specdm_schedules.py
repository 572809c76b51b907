"""What other steps of the levels, and another share of the mask in the loss, do to ``specdm``.

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_schedules STORE DATA TRY DRAW

Sets constants of the denoiser that are no parameters (:data:`TRIES`), and appends a row of what
:mod:`benchmarks.specdm_quality` measures to benchmarks/results/specdm/schedules-DATA.csv. Each try
has a cache of its own in STORE. Use draws from 100 on: something is chosen here.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.common import check_usage, read_csv, say, write_csv
from benchmarks.specdm_quality import DATA, MADE, OUT, measured
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import SampleRequest
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.trial_run import SceneContext
from hsiaug_builtin.specdm import cascade, streams

TRIES: dict[str, tuple[dict[str, str], dict[tuple[Any, str], float]]] = {
    "default": ({}, {}),
    "fine": (
        {"level_steps": "9600"},
        {(cascade, "FEWER_STEPS"): 1 / 2, (cascade, "LEAST_STEPS"): 1 / 8},
    ),
    "mask a half": ({}, {(streams, "MASK_SHARE_OF_CHANGE"): 0.5}),
    "mask a tenth": ({}, {(streams, "MASK_SHARE_OF_CHANGE"): 0.1}),
    "finest twice": (
        {"level_steps": "4800"},
        {(cascade, "FEWER_STEPS"): 1 / 2, (cascade, "LEAST_STEPS"): 1 / 4},
    ),
    "straight": ({"rotated": "0"}, {}),
    "straight, coarse as long": (
        {"rotated": "0"},
        {(cascade, "FEWER_STEPS"): 1.0, (cascade, "LEAST_STEPS"): 1.0},
    ),
    "straight, twice": ({"rotated": "0", "level_steps": "4800"}, {}),
}
"""Parameters and constants. "fine" has the steps of the coarsest level as they are. Rows of version
16 whose try begins with "mask a fifth" have that share in place of a half, as version 17 has for
several dates.
"""


def main() -> None:
    store, name, tried, draw = Path(sys.argv[1]), *sys.argv[2:4], int(sys.argv[4])
    task, ref, protocol = DATA[name]
    overrides, constants = TRIES[tried]
    for (module, constant), value in constants.items():
        setattr(module, constant, value)
    kit = sample_kit(task)
    data = kit.task.data.load(ref)
    rule = parse_protocol(protocol) if protocol else None
    request = SampleRequest("specdm", rule, seed=draw, count=MADE, overrides=overrides)
    context = SceneContext(data, get_task(task), store / tried / "cache")
    started = time.process_time()
    made = synthesise(kit, data, request, registry(), context=context)
    seconds = round(time.process_time() - started)
    row = {"data": name, "try": tried, "draw": draw, "processor_seconds": seconds}
    path = OUT / f"schedules-{name}.csv"
    rows = [*read_csv(path)] if path.is_file() else []
    write_csv(path, [*rows, {**row, **measured(made)}])
    say(f"{name}, {tried}, draw {draw}: {seconds} s")


if __name__ == "__main__":
    check_usage(__doc__, 4, 4)
    main()
