"""Whether change networks shall take each date's mean off a tile, asked of OSCD's training cities
alone.

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.change_centre [CLASSIFIER ...]

Three times over, two of the six training cities that benchmarks.make_scenes brings are held out and
100 tiles of the other four are learnt from, with ``centre`` and without. Prints F1 of change in %
for each pair of cities held out. The makers' test cities are not looked at.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import replace

import torch

from benchmarks.common import check_usage, say
from hsiaug.core.pairs import PairSet
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import locate_labels

HELD = (("bordeaux", "nantes"), ("bercy", "paris"), ("rennes", "aguasclaras"))
TILES, SIDE = 100, 64


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    pairs = get_task("change").data.load("oscd")
    say(
        f"{'classifier':<14}{'centre':<8}"
        + "".join(f"{' + '.join(held):>22}" for held in HELD)
        + f"{'mean':>8}"
    )
    for name in names or ["fc-siam-diff"]:
        for centre in ("true", "false"):
            found = [score(pairs, held, draw, name, centre) for draw, held in enumerate(HELD)]
            mean = statistics.mean(found)
            say(
                f"{name:<14}{centre:<8}" + "".join(f"{f1:>22.1f}" for f1 in found) + f"{mean:>8.1f}"
            )


def score(pairs: PairSet, held: tuple[str, ...], draw: int, name: str, centre: str) -> float:
    """F1 of change in % on the cities held out."""
    task, plugin = get_task("change"), registry().find("classifier", name).load()
    known = [place for place in pairs.places if place.part == "train"]
    own = replace(
        pairs, places=tuple(replace(p, part="test" if p.name in held else "train") for p in known)
    )
    split = task.draws.split(own, parse_protocol(f"places:{TILES}"), draw, SIDE)
    view = task.draws.view(own, split, "none")
    params = build_params(plugin.card, overrides={"centre": centre})
    fitted = plugin(params).fit(view.real, view, seed=draw, device="cpu", progress=lambda *_: None)
    prediction = locate_labels(split, task.prediction.predict(fitted, plugin.card, own, split))
    return 100 * float(task.scoring.score(own, split, prediction)["f1_change"])


if __name__ == "__main__":
    check_usage(__doc__)
    main(sys.argv[1:])
