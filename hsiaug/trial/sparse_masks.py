"""Whether training labels are dense enough for masks, asked before anything is fitted.

The adapter spreads labels by k-means, which takes a minute on a large scene. Its superpixels start from a grid and stay
about as large, so the cells of that grid that hold a training pixel tell the share beforehand: within 0.1 of what
k-means labels, over six scenes and up to six protocols. Reads where training pixels lie, and nothing else.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import TaskSplit, get_task
from hsiaug.trial.adapter import SUPERPIXEL, tile_starts
from hsiaug.trial.arm import EVERY_CONTROL
from hsiaug.trial.serving import needs_adapter

__all__ = ["LEAST_LABELLED", "check_masks_dense", "labelled_share"]

LEAST_LABELLED = 0.5
"""Share of a tile's pixels that must be labelled, on average, for its mask to be of more than *ignore*."""
NAMED = 6
"""Generators of each kind that the hint names at most."""


def check_masks_dense(card: Card, task: str, split: TaskSplit, plugins: Registry) -> None:
    """Raise InputError where a generator of masks would serve single pixels with masks of mostly *ignore*.

    card: as the plugin declares it. Says nothing of a generator that needs no adapter.
    """
    if not needs_adapter(card, task):
        return
    (trained,) = get_task(task).sides(split)[2]
    share = labelled_share(trained)
    if share >= LEAST_LABELLED:
        return
    others = "; ".join(get_task(task).adapts)
    raise InputError(
        f"masks for {card.name} need {LEAST_LABELLED:.0%} of their tiles' pixels labelled, once the training labels "
        "are spread over superpixels",
        value=f"{share:.0%}, from {int(trained.sum()):,} training pixels under {split.protocol.text} (draw {split.seed})",
        hint=f"Use a generator of pixel samples: {_instead(plugins, task)}; or, where most of the scene is labelled, "
        f"--task {others}.",
    )


def labelled_share(trained: NDArray[np.bool_]) -> float:
    """Share of labelled pixels, 0..1, over the tiles (those that show a label) of spread training pixels (H, W)."""
    height, width = trained.shape
    padded = np.pad(trained, ((0, -height % SUPERPIXEL), (0, -width % SUPERPIXEL)))
    parted = padded.reshape(len(padded) // SUPERPIXEL, SUPERPIXEL, -1, SUPERPIXEL)
    cells: NDArray[np.bool_] = np.asarray(parted.any(axis=(1, 3)))
    spread = cells.repeat(SUPERPIXEL, axis=0).repeat(SUPERPIXEL, axis=1)[:height, :width]
    sums = np.pad(spread.astype(np.int64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    side, rows, columns = tile_starts(trained.shape)
    top, left = np.array(rows)[:, None], np.array(columns)[None, :]
    low, right = top + side, left + side
    counts = sums[low, right] - sums[top, right] - sums[low, left] + sums[top, left]
    return float(counts[counts > 0].mean() / side**2)


def _instead(plugins: Registry, task: str) -> str:
    """Generators that make samples of this task themselves, the cheapest of each kind."""
    cards = []
    for name in plugins.names("generator"):
        with suppress(HsiaugError):  # of a broken plugin, which 'hsiaug plugins list' tells about
            cards.append(plugins.find("generator", name).load().card)
    own = [card for card in cards if task in card.tasks and card.adds and card.name not in EVERY_CONTROL]
    names = {
        reads: [
            card.name for card in sorted(own, key=lambda card: card.seconds) if (card.scope != "none") == reads
        ]
        for reads in (True, False)
    }
    said = [f"{', '.join(names[True][:NAMED])} (reads unlabelled pixels too)"] if names[True] else []
    return " or ".join([*said, *([", ".join(names[False][:NAMED])] if names[False] else [])])
