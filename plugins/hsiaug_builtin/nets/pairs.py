"""Shared by generators that make pairs of real ones: what they remember, which show a class, how
often each is used.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    DenseSamples,
    DenseView,
    PairCounts,
    Plugin,
    PluginError,
    Progress,
    load_state,
    resampled,
    save_state,
)
from hsiaug_builtin.nets.patches import cycle


@dataclass(frozen=True, eq=False)
class FittedPairs:
    """Real pairs, of which synthetic ones are made.

    Attributes
    ----------
    images : (n, T, B, H, W) float32
        Real tiles.
    masks : (n, H, W) int64
    params : object
        Params of the plugin.
    """

    images: NDArray[np.float32]
    masks: NDArray[np.int64]
    params: Any

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Pairs of any classes, and of each that is asked for. Raises PluginError for a class that
        no tile shows.
        """
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """The real pairs and the params."""
        save_state(folder, {"images": self.images, "masks": self.masks}, vars(self.params))


class PairMaker(Plugin[Any]):
    """A generator whose fit remembers the real pairs; a subclass has a card."""

    fitted: ClassVar[type[FittedPairs]]

    def fit(self, view: DenseView, *, seed: int, device: str, progress: Progress) -> FittedPairs:
        """Remember the real pairs."""
        return self.fitted(view.real.images, view.real.masks, self.params)

    def load(self, folder: Path, *, device: str) -> FittedPairs:
        """Read a saved fit."""
        arrays, facts = load_state(folder)
        return self.fitted(**arrays, params=resampled(self.card.params(**facts), self.params))


def showing(masks: NDArray[np.int64], c: int | None) -> NDArray[np.int64]:
    """Rows of the masks (n, H, W) that show class c; all where it is None. Raises PluginError where
    there is none.
    """
    rows = np.flatnonzero((masks == c).any(axis=(1, 2))) if c is not None else np.arange(len(masks))
    if not len(rows):
        raise PluginError(
            "only classes with training pixels can be made",
            value=f"class {c}",
            hint="Give the class training pixels, or do not ask for it.",
        )
    return rows


def draw_rows(
    masks: NDArray[np.int64], counts: PairCounts, rng: np.random.Generator
) -> NDArray[np.int64]:
    """(counts.total,) rows of the masks (n, H, W): any, and for a class those that show it; each
    equally often ±1.

    Raises PluginError for a class that no mask shows.
    """
    rows = [cycle(showing(masks, c), n, rng) for c, n in counts.parts()]
    return np.concatenate([np.empty(0, dtype=np.int64), *rows])


def evenly(classes: NDArray[np.int64], counts: PairCounts, rng: np.random.Generator) -> PairCounts:
    """Ask for as many pairs, those that may show any class by class: equally many ±1 of each of
    ``classes``.
    """
    by_class = Counter(dict(counts.by_class))
    free = counts.total - by_class.total()
    if free and len(classes):
        by_class.update(cycle(classes, free, rng).tolist())
    return PairCounts(counts.total, by_class)
