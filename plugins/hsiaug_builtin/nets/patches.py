"""Shared by generators that make samples of real patches: what they remember, and how much each
patch is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    PatchSamples,
    Plugin,
    PluginError,
    Progress,
    TrainView,
    derive_seed,
    give_back_files,
    load_state,
    mapped_rows,
    save_state,
)


@dataclass(frozen=True, eq=False)
class FittedPatches:
    """Real patches, of which synthetic ones are made.

    A subclass says in :meth:`make` what is made of the patches of a class. Its further fields are
    arrays, or JSON-able.

    Attributes
    ----------
    x : (n, B, p, p) float32
        Real patches in scene units.
    y : (n,) int64
        Their class ids.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]

    @property
    def name(self) -> str:
        """Name of the generator; every seed depends on it."""
        raise NotImplementedError

    @property
    def notes(self) -> dict[str, object]:
        """Limits of this train view, whichever counts are asked for: the provenance of samples."""
        return {}

    @property
    def weight(self) -> float:
        """Sample weight of every sample; a real one has 1."""
        return 1.0

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        """(count, B, p, p) samples of class c, whose real patches are ``rows`` of x."""
        raise NotImplementedError

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Samples class by class, each class the same whatever else is asked for.

        Raises PluginError for a class without a real patch.
        """
        ordered = sorted(counts.items())
        y = np.concatenate([np.full(count, c, dtype=np.int64) for c, count in [(0, 0), *ordered]])

        def of_classes() -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
            for c, count in ordered:
                rows = np.flatnonzero(self.y == c)
                if count > 0 and not len(rows):
                    raise PluginError(
                        "synthetic samples can be made for classes with real training samples only",
                        value=f"{count} of class {c}, which has none",
                        hint=f"Ask for classes among {np.unique(self.y).tolist()}.",
                    )
                if count > 0:
                    samples = self.make(c, count, rows, derive_seed(self.name, c, seed))
                    yield np.flatnonzero(y == c), samples
                    give_back_files()

        # Samples take much memory: they lie in a file.
        x = mapped_rows((len(y), *self.x.shape[1:]), of_classes)
        samples = PatchSamples.made(x, y, self.notes)
        return replace(samples, weight=np.full(len(samples), self.weight, dtype=np.float32))

    def save(self, folder: Path) -> None:
        """All fields."""
        arrays = {
            name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        save_state(
            folder,
            arrays,
            {name: value for name, value in vars(self).items() if name not in arrays},
        )


class PatchGenerator(Plugin[Any]):
    """A generator whose fit remembers the real patches, and what :meth:`learn` finds; a subclass
    has a card.
    """

    fitted: ClassVar[type[FittedPatches]]

    def learn(self, view: TrainView) -> Mapping[str, Any]:
        """The fields of ``fitted`` beside the real patches; by default the params."""
        return asdict(self.params)

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> Any:
        """Remember the real patches, and what is learnt of them."""
        return self.fitted(view.real.x, view.real.y, **self.learn(view))

    def load(self, folder: Path, *, device: str) -> Any:
        """Read a saved fit."""
        arrays, facts = load_state(folder)
        return self.fitted(**arrays, **facts)


def cycle(rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(count,) of ``rows``: random permutations one after the other, so that each is used equally
    often ±1.
    """
    rounds = -(-count // len(rows))
    return np.concatenate([rng.permutation(rows) for _ in range(rounds)])[:count]


def lone_classes(y: NDArray[np.int64]) -> list[int]:
    """Ids of the classes with one real sample, between which and itself there is nothing."""
    ids, sizes = np.unique(y, return_counts=True)
    return [int(c) for c in ids[sizes == 1]]
