"""How near do real tiles of the training places lie that were not drawn?

    python -m benchmarks.specdm_undrawn [DRAW ...]

Held-out tiles of OSCD are of other cities than training tiles are, so pieces of anything that shows
the training cities lie nearer to training pieces than pieces of held-out tiles do. This takes real
tiles of the training cities that share no pixel with a training tile, at most 40, and measures them
as ``hsiaug inspect`` measures pairs: the share of their pieces that lie nearer to a training piece
than 95 % of the held-out ones do. Writes benchmarks/results/specdm/undrawn-oscd.csv; shares in
percent. Without draws: 90 to 92.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from benchmarks.common import check_usage, say, write_csv
from benchmarks.specdm_quality import DATA, OUT
from hsiaug.metrics.dense.pieces import near_pieces
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import real_samples, side_by_side
from hsiaug.quality.kits import sample_kit
from hsiaug.tasks.task import get_task

NAME, TILE, MOST = "oscd", 64, 40


def main() -> None:
    task, ref, protocol = DATA[NAME]
    assert protocol is not None
    data: Any = sample_kit(task).task.data.load(ref)
    rows: list[dict[str, Any]] = []
    for draw in [int(word) for word in sys.argv[1:]] or [90, 91, 92]:
        split: Any = get_task(task).draws.split(data, parse_protocol(protocol), draw, TILE)
        places = {place for place, _, _ in split.train}
        undrawn = [
            (place, row, column)
            for place, row, column in side_by_side(data, TILE)
            if place in places
            and not split.trained[place][row : row + TILE, column : column + TILE].any()
        ]
        order = np.random.default_rng(0).permutation(len(undrawn))[:MOST]
        train, held_out, fresh = (
            real_samples(split, tuple(tiles)).images
            for tiles in (split.train, split.test, [undrawn[i] for i in order])
        )
        shares, _ = near_pieces(train, held_out, fresh)
        rows.append(
            {
                "data": NAME,
                "draw": draw,
                "undrawn": len(undrawn),
                "tiles": len(fresh),
                **{measure: percent(share) for measure, share in shares.items()},
            }
        )
        say(str(rows[-1]))
    write_csv(OUT / f"undrawn-{NAME}.csv", rows)


def percent(share: float | None) -> float | None:
    """One digit; None where tiles are too small for a side."""
    return None if share is None else round(100 * share, 1)


if __name__ == "__main__":
    check_usage(__doc__)
    main()
