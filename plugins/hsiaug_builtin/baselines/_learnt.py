"""The common part of ``cvae`` and ``wgan``: a network over principal components, counted from the
mean of a class, and real patches to carry its samples.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsiaug.api import Card, Progress, TrainView, load_state, save_state
from hsiaug_builtin.nets import state
from hsiaug_builtin.nets.patches import FittedPatches, cycle
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.nets.views import turn_batch

BATCH = 256


@dataclass(frozen=True)
class PatchShape:
    """k components, p×p pixels, class ids below ``classes``."""

    components: int
    patch: int
    classes: int


@dataclass(frozen=True, eq=False)
class ClassComponents:
    """z = (axes · z-scored spectrum − centre of the class) / scale, pixel by pixel.

    Attributes
    ----------
    mean, std : (B,) float32
        The z-score of the view.
    axes : (k, B) float32
        Orthonormal rows.
    scale : (k,) float32
        Standard deviation within classes.
    centres : (C + 1, k) float32
        By class id; 0 for a class without samples.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    axes: NDArray[np.float32]
    scale: NDArray[np.float32]
    centres: NDArray[np.float32]

    def of(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, B, p, p) in scene units, of classes y (n,) → (n, k, p, p)."""
        z = (x - self.mean[:, None, None]) / self.std[:, None, None]
        z = (
            np.einsum("kb,nbij->nkij", self.axes, z, optimize=True)
            - self.centres[y][:, :, None, None]
        )
        return np.asarray(z / self.scale[:, None, None], dtype=np.float32)

    def change(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """The change (n, B, p, p) in scene units that a change z (n, k, p, p) means."""
        bands = self.axes * self.scale[:, None] * self.std
        return np.asarray(np.einsum("kb,nkij->nbij", bands, z, optimize=True), dtype=np.float32)


def fit_components(view: TrainView, most: int) -> ClassComponents:
    """``most`` components at most, of the visible pixels of the view; directions without spread are
    left out.

    The spread within classes is that of the training spectra, all classes taken together; where
    there is none (one sample in each class), that of all visible pixels.
    """
    norm = view.normaliser
    pixels = norm.spectra(view.cube[view.visible]).astype(np.float64)
    spread, axes = np.linalg.eigh(pixels.T @ pixels / len(pixels))
    spread = spread[::-1][:most]
    axes = axes.T[::-1][:most]
    spreading = spread > 1e-8 * spread[0]
    spreading[0] = True
    spread = spread[spreading]
    axes = axes[spreading]
    if spread[0] < 1e-12:  # a single pixel
        spread = np.ones_like(spread)
    real = norm.spectra(view.real.centres) @ axes.T  # (n, k)
    centres = np.zeros((len(view.class_names) + 1, len(axes)))
    for c in view.counts:
        centres[c] = real[view.y == c].mean(axis=0)
    within = (real - centres[view.y]).var(axis=0)
    scale = np.sqrt(np.where(within > 1e-6 * spread, within, spread))
    arrays = (axes, scale, centres)
    return ClassComponents(norm.mean, norm.std, *(array.astype(np.float32) for array in arrays))


@dataclass(frozen=True, eq=False)
class TrainingComponents:
    """Components of the real patches, from which a network learns.

    Attributes
    ----------
    z : (n, k, p, p) float32 Tensor
        Components of the real patches.
    y : (n,) int64 Tensor
        Class ids.
    share : (n,) Tensor
        How often each is drawn.
    """

    z: Tensor
    y: Tensor
    share: Tensor

    @classmethod
    def of(cls, z: NDArray[np.float32], y: NDArray[np.int64], device: str) -> TrainingComponents:
        """A class of n_c samples is drawn in proportion to √n_c: between as often as it is and as
        often as others.
        """
        share = 1 / np.sqrt(np.bincount(y)[y])
        return cls(
            torch.tensor(z, device=device), torch.tensor(y, device=device), torch.tensor(share)
        )

    def batch(self, size: int, rng: torch.Generator, step: int) -> tuple[Tensor, Tensor]:
        """z (size, k, p, p), under one of the eight symmetries of the square after the other, and y
        (size,).
        """
        rows = torch.multinomial(self.share, size, replacement=True, generator=rng).to(
            self.y.device
        )
        return turn_batch(self.z[rows], step), self.y[rows]


class Conditional(nn.Module):
    """A network that learns to draw components of given classes."""

    def __init__(self, size: PatchShape, params: Any) -> None:
        super().__init__()
        self.size = size
        self.params = params

    def fit_network(self, data: TrainingComponents, seed: int, progress: Progress) -> Conditional:
        """The trained network, in evaluation mode. Raises PluginError where the training
        diverges.
        """
        raise NotImplementedError

    def generate(self, y: Tensor, rng: torch.Generator) -> Tensor:
        """(n, k, p, p) for class ids y (n,)."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class FittedLearnt(FittedPatches):
    """Drawn components on real patches of the class, each of which carries equally many samples ±1.

    Attributes
    ----------
    params : object
        A dataclass.
    """

    generator: str
    params: Any
    size: PatchShape
    net: Conditional
    components: ClassComponents
    device: str

    @property
    def name(self) -> str:
        return self.generator

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        anchors = self.x[cycle(rows, count, np.random.default_rng(seed))]
        rng = torch.Generator().manual_seed(seed)
        parts = [self._carry(anchors[i : i + BATCH], c, rng) for i in range(0, count, BATCH)]
        return np.concatenate(parts)

    @torch.inference_mode()
    def _carry(
        self, anchors: NDArray[np.float32], c: int, rng: torch.Generator
    ) -> NDArray[np.float32]:
        """``anchors`` (n, B, p, p) with their components replaced."""
        y = torch.full((len(anchors),), c, dtype=torch.int64, device=self.device)
        drawn = self.net.generate(y, rng).cpu().numpy()
        before = self.components.of(anchors, np.full(len(anchors), c))
        return anchors + self.components.change(drawn - before)

    def save(self, folder: Path) -> None:
        """The network, the components, the real patches and the hyper-parameters."""
        arrays: dict[str, NDArray[Any]] = {"x": self.x, "y": self.y}
        arrays |= state.fields(components=self.components) | state.weights(net=self.net)
        save_state(folder, arrays, {"params": asdict(self.params), "size": asdict(self.size)})


def fit_component_network(
    view: TrainView,
    params: Any,
    network_class: type[Conditional],
    *,
    generator: str,
    seed: int,
    device: str,
    progress: Progress,
) -> FittedLearnt:
    """A network of this class, trained on the real patches in ``params.components`` components."""
    real = view.real
    components = fit_components(view, params.components)
    size = PatchShape(len(components.scale), view.patch, len(view.class_names) + 1)
    net = fresh(lambda: network_class(size, params), seed).to(device)
    data = TrainingComponents.of(components.of(real.x, real.y), real.y, device)
    net = net.fit_network(data, seed, progress)
    return FittedLearnt(
        x=real.x,
        y=real.y,
        generator=generator,
        params=params,
        size=size,
        net=net,
        components=components,
        device=device,
    )


def restore(
    card: Card, folder: Path, network_class: type[Conditional], device: str
) -> FittedLearnt:
    """Read a saved fit."""
    arrays, facts = load_state(folder)
    params = card.params(**facts["params"])
    size = PatchShape(**facts["size"])
    net = state.restore("net", arrays, lambda: network_class(size, params), device)
    components = ClassComponents(**state.under("components", arrays))
    return FittedLearnt(
        x=arrays["x"],
        y=arrays["y"],
        generator=card.name,
        params=params,
        size=size,
        net=net,
        components=components,
        device=device,
    )
