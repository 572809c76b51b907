"""Self-training: class-balanced rounds of pseudo-labels, spread over the pixel grid, for a support vector machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Patches, PatchSamples, Progress, TrainView, derive_seed, param
from hsiaug_nets.grid import grid_graph, spread
from hsiaug_nets.plugin import Plugin
from hsiaug_semisup.discriminant import fit_discriminant
from hsiaug_semisup.features import SIDES, LocalMeans, fit_local_means
from hsiaug_semisup.shared import usable_samples

__all__ = ["FittedSelfTraining", "SelfTraining", "SelfTrainingParams", "choose"]

GUIDES = 10
"""Components that say where the grid has a spectral border."""
TEMPERATURE = 4.0
"""Divides the discriminant's scores: with few samples it is far surer than right."""
LEAST = 5
"""Pixels of a class that are believed in any case, where so many are named so."""


@dataclass(frozen=True)
class SelfTrainingParams:
    """Chosen on draws from 100 on of Indian Pines under ``issd``."""

    components: int = param(60, "principal components that the discriminant reads, per window", low=1)
    margin_components: int = param(30, "the first of them, which the support vector machine reads", low=1)
    cost: float = param(10.0, "C of the support vector machine", low=1e-6)
    reach: float = param(0.5, "γ times the number of features", low=1e-6)
    rounds: int = param(2, "times that pixels are named and learnt", low=1)
    most: int = param(200, "pseudo-labelled pixels of a class in a round, at most", low=1)
    share: float = param(0.9, "share of the pixels named so, the surest, that these are drawn from", low=0, high=1)
    weight: float = param(0.5, "weight of a pseudo-labelled pixel; a real sample has 1", low=1e-6)
    alpha: float = param(0.99, "share of a pixel's vote that comes from its neighbours", low=0, high=1)
    steps: int = param(100, "iterations of spreading", low=0)


@dataclass(frozen=True, eq=False)
class FittedSelfTraining:
    """What the last round learnt. machine: a fitted sklearn SVC, or None where only one class had samples.

    columns: (m,) int64, the features that the machine reads. classes: (k,) int64 ids of its scores.
    """

    means: LocalMeans
    columns: NDArray[np.int64]
    machine: Any
    classes: NDArray[np.int64]

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes that had samples are ever named."""
        scores = margins(self.machine, self.means.patches(patches.x)[:, self.columns], len(self.classes))
        return np.asarray(self.classes[scores.argmax(axis=1)])


class SelfTraining(Plugin[SelfTrainingParams]):
    """Self-training on local means of principal components over windows of 1, 5 and 9 pixels.

    A shrinkage linear discriminant, the surest of the plain classifiers when a class has three samples, gives every
    visible pixel a soft vote; votes are spread over the pixel grid, weakly across spectral borders. Of the pixels
    named after a class the surest ``share`` stay, and at most ``most`` of these are drawn at random: the same number
    for each class, and not only the most typical ones, which would teach too narrow a class. An RBF support vector
    machine, and again the discriminant, learn from the samples and from them; in later rounds both vote, beside the
    first discriminant so that a mistake cannot feed on itself. The last machine predicts.

    Scudder's machine learns from all its decisions, without classes' balance; windows, spreading and the two learners
    are ours. They make it a rival of generators that may see the same pixels, not a straw man. Sample weights enter
    both learners. The pseudo-labelled pixels have weight ``weight``.
    """

    card = Card(
        name="self-training",
        version="1",
        summary="Class-balanced self-training of an RBF support vector machine on local means",
        paper="Scudder, Probability of Error of Some Adaptive Pattern-Recognition Machines, IEEE Transactions on "
        "Information Theory 11(3), 1965, doi:10.1109/TIT.1965.1053799",
        scope="scene",
        seconds=3.5,
        params=SelfTrainingParams,
        presets={"tiny": {"components": 8, "margin_components": 8, "rounds": 1, "most": 30, "steps": 20}},
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedSelfTraining:
        """Name pixels and learn from them. Raises PluginError where the view shows no unlabelled pixel."""
        from scipy.special import softmax

        params = self.params
        samples = usable_samples(samples, view, self.card.name)
        pixels = np.concatenate([view.unlabelled, view.coords])
        means, seen = fit_local_means(view, pixels, params.components, SIDES)
        known = means.patches(samples.x)
        columns = first_columns(means, params.margin_components)
        grid = grid_graph(pixels, fit_local_means(view, pixels, GUIDES, (3,))[1])
        teacher = fit_discriminant(known, samples.y, samples.weight)
        first = votes = teacher.shares(seen, TEMPERATURE)
        rng = np.random.default_rng(derive_seed("self-training", seed))
        machine = None
        for done in range(params.rounds):
            progress(done, params.rounds, "rounds")
            believed = spread(votes, grid, params.alpha, params.steps)[: len(view.unlabelled)]
            rows, winner = choose(believed, params.share, params.most, rng)
            x = np.concatenate([known, seen[rows]])
            y = np.concatenate([samples.y, teacher.classes[winner]])
            weight = np.concatenate([samples.weight, np.full(len(rows), params.weight, dtype=np.float32)])
            machine = self._machine(x[:, columns], y, weight)
            if done + 1 < params.rounds:
                scores = margins(machine, seen[:, columns], len(teacher.classes))
                again = fit_discriminant(x, y, weight).shares(seen, TEMPERATURE)
                votes = first + again + softmax(scores, axis=1)
        progress(params.rounds, params.rounds, "rounds")
        return FittedSelfTraining(means, columns, machine, teacher.classes)

    def _machine(self, x: NDArray[np.float32], y: NDArray[np.int64], weight: NDArray[np.float32]) -> Any:
        """A fitted SVC, or None for a lone class."""
        from sklearn.svm import SVC

        if len(np.unique(y)) == 1:
            return None
        return SVC(C=self.params.cost, gamma=self.params.reach / x.shape[1], random_state=0).fit(
            x, y, sample_weight=weight
        )


def first_columns(means: LocalMeans, components: int) -> NDArray[np.int64]:
    """(m,) indices of the first ``components`` of each window among the features."""
    each = len(means.projection.offset)
    kept = np.arange(min(components, each))
    return np.concatenate([kept + i * each for i in range(len(means.sides))])


def margins(machine: Any, features: NDArray[np.float32], classes: int) -> NDArray[np.float64]:
    """(n, classes) scores of features (n, m), largest at the class that is predicted."""
    if machine is None or not len(features):
        return np.zeros((len(features), classes))
    found = machine.decision_function(features)
    return np.asarray(np.stack([-found, found], axis=1) if found.ndim == 1 else found)


def choose(
    votes: NDArray[np.float64], share: float, most: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of ``votes`` (n, k) that are believed, and the column each is named after; both (m,) int64.

    Of the rows named after a column, the ``share`` with the widest margin (never under LEAST), and of these ``most``
    at random.
    """
    ranked = np.sort(votes, axis=1)
    margin = ranked[:, -1] - (ranked[:, -2] if votes.shape[1] > 1 else 0)
    winner = votes.argmax(axis=1)
    rows = []
    for column in range(votes.shape[1]):
        named = np.flatnonzero(winner == column)
        surest = named[np.argsort(-margin[named], kind="stable")[: max(LEAST, round(share * len(named)))]]
        rows.append(rng.permutation(surest)[:most])
    chosen = np.concatenate(rows)
    return chosen, winner[chosen]
