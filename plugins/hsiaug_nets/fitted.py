"""From samples to a fitted network: all that a network classifier does beside naming its network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Patches, PatchSamples, Progress, TrainView
from hsiaug_nets.projection import fit_projection
from hsiaug_nets.recipe import Recipe

if TYPE_CHECKING:
    from hsiaug_nets.training import Lesson

__all__ = ["Build", "FittedNet", "NetClassifier", "Reader", "lesson_of"]

Build = Callable[[int, int, int], Any]
Own = TypeVar("Own", bound=Recipe)


class Reader(Protocol):
    """What stands between scene units and a network: a Projection, or the view's Normaliser."""

    def patches(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, B, p, p) float32 in scene units → (n, k, p, p) float32."""
        ...


@dataclass(frozen=True, eq=False)
class FittedNet:
    """A trained classifier network.

    reader: from scene units to the network's input. net: the torch module, in evaluation mode on ``device``.
    classes: (k,) int64 class ids of its outputs. class_count: C of the scene.
    """

    reader: Reader
    net: Any
    classes: NDArray[np.int64]
    class_count: int
    device: str

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes that had samples are ever named."""
        return np.asarray(self.classes[self._shares(patches).argmax(axis=1)])

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) softmax for class ids 1..C; 0 for a class that had no sample."""
        shares = np.zeros((len(patches), self.class_count), dtype=np.float32)
        shares[:, self.classes - 1] = self._shares(patches)
        return shares

    def _shares(self, patches: Patches) -> NDArray[np.float32]:
        from hsiaug_nets.predicting import probabilities

        return probabilities(self.net, self.reader.patches, patches.x, len(self.classes), self.device)


def lesson_of(samples: PatchSamples, reader: Reader) -> tuple[Lesson, NDArray[np.int64]]:
    """Samples as the network reads them, and the class ids (k,) int64 that its outputs stand for."""
    from hsiaug_nets.training import Lesson

    classes, target = np.unique(samples.y, return_inverse=True)
    return Lesson(reader.patches(samples.x), target, samples.weight, len(classes)), classes


class NetClassifier(Generic[Own]):
    """A classifier that is a network: a subclass has a card, and says in :meth:`network` which one.

    It reads the view's principal components where its params have a field ``components``, else z-scored bands.
    """

    card: ClassVar[Card]

    def __init__(self, params: Own) -> None:
        self.params = params

    def network(self) -> Build:
        """``(k, p, classes) → module`` from (n, k, p, p) to scores (n, classes)."""
        raise NotImplementedError

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedNet:
        """Read the samples once, build the network with weights from ``seed``, and train it."""
        from hsiaug_nets.seeded import fresh
        from hsiaug_nets.training import train

        build, components = self.network(), getattr(self.params, "components", None)
        reader = view.normaliser if components is None else fit_projection(view, components)
        lesson, classes = lesson_of(samples, reader)
        _, channels, side, _ = lesson.x.shape
        net = fresh(lambda: build(channels, side, lesson.classes), seed)
        net = train(net, lesson, self.params, seed=seed, device=device, progress=progress)
        return FittedNet(reader, net, classes, len(view.class_names), device)
