"""Self-training: class-balanced rounds of pseudo-labels, spread over the pixel grid, for a support
vector machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Patches, PatchSamples, Plugin, Progress, TrainView, derive_seed, param
from hsiaug_builtin.semisup.shared import usable_samples

if TYPE_CHECKING:
    from hsiaug_builtin.nets.svm import Machine
    from hsiaug_builtin.teacher.features import LocalMeans

GUIDES = 10
"""Components that say where the grid has a spectral border."""
TEMPERATURE = 4.0
"""Divides the discriminant's scores: with few samples it is far surer than right."""

Features = NDArray[np.float32]


@dataclass(frozen=True)
class SelfTrainingParams:
    """Chosen on splits from 100 on of Indian Pines under ``issd``."""

    components: int = param(
        60, "principal components that the discriminant reads, per window", low=1
    )
    margin_components: int = param(
        30, "the first of them, which the support vector machine reads", low=1
    )
    cost: float = param(10.0, "C of the support vector machine", low=1e-6)
    reach: float = param(0.5, "γ times the number of features", low=1e-6)
    rounds: int = param(2, "rounds of pseudo-labelling and training", low=1)
    most: int = param(200, "pseudo-labelled pixels of a class in a round, at most", low=1)
    share: float = param(
        0.9,
        "fraction of the pixels with this label, the most confident, to sample from",
        low=0,
        high=1,
    )
    weight: float = param(0.5, "weight of a pseudo-labelled pixel; a real sample has 1", low=1e-6)
    alpha: float = param(
        0.99, "share of a pixel's vote that comes from its neighbours", low=0, high=1
    )
    steps: int = param(100, "iterations of spreading", low=0)


@dataclass(frozen=True, eq=False)
class FittedSelfTraining:
    """The machine of the last round, and the ``columns`` of the features that it reads."""

    means: LocalMeans
    columns: NDArray[np.int64]
    machine: Machine

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes that had samples are ever named."""
        scores = self.machine.scores(self.means.patches(patches.x)[:, self.columns])
        return np.asarray(self.machine.classes[scores.argmax(axis=1)])


class SelfTraining(Plugin[SelfTrainingParams]):
    """Self-training of an RBF support vector machine and a discriminant.

    Both learn from the samples, and give every visible pixel soft votes, which are spread over the
    pixel grid, weakly across spectral borders. Of the pixels named after a class the surest
    ``share`` stay, and at most ``most`` of these are drawn at random: the same number for each
    class, and not only the most typical ones, which would teach too narrow a class. Both learn
    again from the samples and from them; in later rounds they vote beside those of the first, so
    that a mistake cannot feed on itself. The last machine predicts.

    Scudder's machine learns from all its decisions, without classes' balance; windows, spreading
    and the two learners are ours. They make it a rival of generators that may see the same pixels,
    not a straw man. Sample weights enter both learners. The pseudo-labelled pixels have weight
    ``weight``.
    """

    card = Card(
        name="self-training",
        version="3",
        summary="Class-balanced self-training of an RBF support vector machine on local means",
        paper="""@article{scudder1965error, author={H. Scudder}, title={Probability of Error of Some
            Adaptive Pattern-Recognition Machines}, journal={IEEE Transactions on Information
            Theory}, volume={11}, number={3}, pages={363--371}, year={1965},
            doi={10.1109/TIT.1965.1053799}}""",
        scope="scene",
        seconds=3.5,
        params=SelfTrainingParams,
        presets={
            "tiny": {"components": 8, "margin_components": 8, "rounds": 1, "most": 30, "steps": 20}
        },
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedSelfTraining:
        """Name pixels and learn from them. Raises PluginError where the view shows no unlabelled
        pixel.
        """
        from scipy.special import softmax

        from hsiaug_builtin.nets.grid import grid_graph, spread
        from hsiaug_builtin.nets.svm import fit_machine
        from hsiaug_builtin.semisup.discriminant import fit_discriminant
        from hsiaug_builtin.teacher.choice import choose_trusted
        from hsiaug_builtin.teacher.features import SIDES, fit_local_means

        params = self.params
        samples = usable_samples(samples, view, self.card.name)
        pixels = np.concatenate([view.unlabelled, view.coords])
        means, features = fit_local_means(view, pixels, params.components, SIDES)
        grid = grid_graph(pixels, fit_local_means(view, pixels, GUIDES, (3,))[1])
        sample_features = means.patches(samples.x)
        columns = _leading(means, params.margin_components)

        def learn(x: Features, y: NDArray[np.int64], weight: Features) -> Machine:
            return fit_machine(x[:, columns], y, weight, cost=params.cost, reach=params.reach)

        def shares(
            x: Features, y: NDArray[np.int64], weight: Features, machine: Machine
        ) -> NDArray[np.float64]:
            """(n, k) votes of both learners for the features; rows sum to 1."""
            linear = fit_discriminant(x, y, weight).shares(features, TEMPERATURE)
            return np.asarray((linear + softmax(machine.scores(features[:, columns]), axis=1)) / 2)

        x = sample_features
        y = samples.y
        weight = samples.weight
        machine = learn(x, y, weight)
        classes = machine.classes
        first = shares(x, y, weight, machine)
        rng = np.random.default_rng(derive_seed("self-training", seed))
        for turn in range(params.rounds):
            progress(turn, params.rounds, "rounds")
            votes = first + shares(x, y, weight, machine) if turn else first
            smooth = spread(votes, grid, params.alpha, params.steps)[: len(view.unlabelled)]
            rows = choose_trusted(smooth, params.share, params.most, rng)
            x = np.concatenate([sample_features, *(features[chosen] for chosen in rows)])
            y = np.concatenate([samples.y, np.repeat(classes, [len(chosen) for chosen in rows])])
            lighter = np.full(len(x) - len(sample_features), params.weight, dtype=np.float32)
            weight = np.concatenate([samples.weight, lighter])
            machine = learn(x, y, weight)
        progress(params.rounds, params.rounds, "rounds")
        return FittedSelfTraining(means, columns, machine)


def _leading(means: LocalMeans, components: int) -> NDArray[np.int64]:
    """(c,) indices of the first ``components`` of each window among the features."""
    per_window = len(means.projection.offset)
    leading = np.arange(min(components, per_window))
    return np.concatenate([leading + i * per_window for i in range(len(means.sides))])
