"""A network of a pixel's whole spectrum, and of the mean of what is next to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    Normaliser,
    PatchSamples,
    Plugin,
    Progress,
    TrainView,
    defaults,
    derive_seed,
    param,
)
from hsiaug_builtin.nets.fitted import FittedNet, training_patches
from hsiaug_builtin.nets.recipe import Recipe

if TYPE_CHECKING:
    from hsiaug_builtin.classifiers.nets import CentreNet


@dataclass(frozen=True)
@defaults(steps=400, augment="strong")
class CentreCnnParams(Recipe):
    """The recipe, and the network's size. Chosen on splits 100 and 101 of Jasper Ridge and a crop
    of Pavia, ``issd``.
    """

    window: int = param(3, "side of the window of the mean around the centre", unit="pixels", low=1)
    width: int = param(96, "channels of the spectral convolution", low=1)
    dropout: float = param(0.3, "fraction of channels dropped per step", low=0, high=0.9)
    members: int = param(
        3, "networks whose probabilities are averaged; every other one also reads the mean", low=1
    )


@dataclass(frozen=True, eq=False)
class Window:
    """Z-scored bands of the central ``side``×``side`` pixels of patches; of all where these are
    smaller.
    """

    normaliser: Normaliser
    side: int

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, B, p, p) in the view's units → (n, B, side, side)."""
        margin = max(0, (x.shape[-1] - self.side) // 2)
        middle = slice(margin, x.shape[-1] - margin)
        return self.normaliser.patches(x[:, :, middle, middle])


class CentreCnn(Plugin[CentreCnnParams]):
    """One 1×1 convolution over all z-scored bands; the centre's channels, beside their mean over a
    small window.

    Where labels are few and lie in clumps, a network that reads a patch as a whole learns where
    they lie. This one has a stem that keeps the spectrum, a path for the centre pixel alone,
    dropout, and several trainings, whose shares are averaged: the first and third read the
    centre alone, the second the mean too. The paper's network has windows of several sizes, and
    residual 1×1 convolutions behind them.
    """

    card = Card(
        name="centre-cnn",
        version="1",
        summary=(
            "Small CNN on the centre spectrum and the mean around it; three networks averaged"
        ),
        paper="""After @article{lee2017contextual, author={Hyungtae Lee and Heesung Kwon},
            title={Going Deeper with Contextual {CNN} for Hyperspectral Image Classification},
            journal={IEEE Transactions on Image Processing}, volume={26}, number={10},
            pages={4843--4855}, year={2017}, doi={10.1109/TIP.2017.2725580}}""",
        uses_device=True,
        seconds=4.0,
        params=CentreCnnParams,
        presets={"tiny": {"steps": 40, "members": 2, "width": 32, "rate": 1e-2}},
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedNet:
        """Train the members one after the other, all on all samples."""
        from hsiaug_builtin.classifiers.nets import Averaged, CentreNet
        from hsiaug_builtin.nets.seeded import fresh
        from hsiaug_builtin.nets.training import batches, criterion, train

        params = self.params
        window_of = Window(view.normaliser, self.params.window)
        data, classes = training_patches(samples, window_of)
        bands = data.x.shape[1]
        error = criterion(data, params, device)

        def trained(member: int) -> CentreNet:
            window = params.window if member % 2 else 1
            seed_of = derive_seed("member", member, seed)
            net = fresh(
                lambda: CentreNet(bands, params.width, window, params.dropout, data.classes),
                seed_of,
            )
            next_batch = batches(data, params, seed_of, device)
            return train(
                net,
                next_batch,
                error,
                params,
                seed=seed_of,
                device=device,
                progress=lambda done, total, note="": progress(
                    member * total + done, params.members * total, f"network {member + 1}"
                ),
            )

        net = Averaged([trained(member) for member in range(params.members)]).eval()
        return FittedNet(window_of, net, classes, len(view.class_names), device)
