"""Label spreading on a graph of spectral-spatial neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Patches, PatchSamples, Plugin, Progress, TrainView, derive_seed, param
from hsiaug_builtin.nets.fitted import by_class
from hsiaug_builtin.nets.grid import grid_graph
from hsiaug_builtin.semisup.discriminant import Discriminant, fit_discriminant
from hsiaug_builtin.semisup.shared import usable_samples
from hsiaug_builtin.teacher.features import SIDES, LocalMeans, fit_local_means

if TYPE_CHECKING:
    from scipy import sparse
    from sklearn.neighbors import NearestNeighbors
    from sklearn.semi_supervised import LabelSpreading


@dataclass(frozen=True)
class LabelSpreadingParams:
    """Chosen on splits from 100 on of Indian Pines under ``issd``."""

    components: int = param(60, "principal components of the features", low=1)
    neighbours: int = param(40, "spectral neighbours of a node", low=1)
    spatial: float = param(
        1.0, "weight of an edge of the pixel grid between similar spectra", low=0
    )
    alpha: float = param(
        0.9, "share of a node's label that comes from its neighbours", low=0.01, high=0.999
    )
    rounds: int = param(100, "iterations, at most", low=1)
    nodes: int = param(30000, "pixels in the graph, at most; more are drawn at random", low=1)


@dataclass(frozen=True, eq=False)
class FittedSpreading:
    """Label spreading over the training pixels and the unlabelled ones.

    Attributes
    ----------
    model : LabelSpreading
        The fitted sklearn LabelSpreading, class ids as its classes.
    class_count : int
        C of the scene.
    """

    means: LocalMeans
    metric: Discriminant
    model: LabelSpreading
    class_count: int

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids; only classes that had samples are ever named."""
        return np.asarray(self.model.classes_[self._shares(patches).argmax(axis=1)], dtype=np.int64)

    def predict_proba(self, patches: Patches) -> NDArray[np.float32]:
        """(n, C) for class ids 1..C; 0 for a class that had no sample."""
        return by_class(self._shares(patches), self.model.classes_, self.class_count)

    def _shares(self, patches: Patches) -> NDArray[np.float64]:
        if not len(patches):
            return np.empty((0, len(self.model.classes_)))
        shares: NDArray[np.float64] = self.model.predict_proba(
            self.metric.coordinates(self.means.patches(patches.x))
        )
        return shares


@dataclass(frozen=True, eq=False)
class Kernel:
    """The weights that scikit-learn asks for: among the nodes ``graph``, and from nodes to new
    patches.

    Attributes
    ----------
    tree : NearestNeighbors
        A fitted NearestNeighbors over the nodes.
    width : float
        Width of the Gaussian, in the units of their distances.
    weight : (nodes,) float64
        Of the samples, and 1 for pixels.
    """

    graph: sparse.coo_array
    tree: NearestNeighbors
    width: float
    weight: NDArray[np.float64]

    def __call__(self, nodes: NDArray[np.floating], others: NDArray[np.floating]) -> sparse.sparray:
        """(nodes, others); scikit-learn hands over the same array twice when it fits."""
        from scipy import sparse

        if others is nodes:
            return self.graph
        return sparse.csr_array(
            sparse.diags_array(self.weight) @ near(self.tree, self.width, others).T
        )


class SpectralSpatialSpreading(Plugin[LabelSpreadingParams]):
    """scikit-learn's LabelSpreading over the samples and the pixels that the view shows.

    Nodes lie at their local means of principal components in three windows, in the space of a
    linear discriminant of the samples, which says what distance means. Edges: each node's nearest
    neighbours there, with Gaussian weights; 4-neighbours on the pixel grid, weak across spectral
    borders; and each node's nearest sample, weakly, so that labels reach all. A sample's weight
    scales its edges, so 0 takes it out. The paper's graph is complete and Gaussian, over the
    features themselves, and knows no place and no weight.

    Prediction is scikit-learn's: the mean over the nodes nearest to a patch. A test pixel is a node
    of a transductive fit, so what its patch finds is often its own spread label; its coordinates
    are not read.
    """

    card = Card(
        name="label-spreading",
        version="1",
        summary="Label spreading on a graph of spectral and spatial neighbours",
        paper="""@inproceedings{zhou2003spreading, author={Dengyong Zhou and Olivier Bousquet and
            Thomas Navin Lal and Jason Weston and Bernhard Schölkopf}, title={Learning with Local
            and Global Consistency}, booktitle={Advances in Neural Information Processing Systems
            16}, year={2003}}""",
        scope="scene",
        seconds=4.0,
        params=LabelSpreadingParams,
        presets={"tiny": {"components": 8, "rounds": 30, "nodes": 2000}},
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedSpreading:
        """Build the graph, spread. Raises PluginError where the view shows no unlabelled pixel."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.semi_supervised import LabelSpreading

        samples = usable_samples(samples, view, self.card.name)
        pixels = np.concatenate([view.coords, view.unlabelled])
        if len(pixels) > self.params.nodes:
            rng = np.random.default_rng(derive_seed("nodes", seed))
            pixels = pixels[np.sort(rng.choice(len(pixels), self.params.nodes, replace=False))]
        means, pixel_features = fit_local_means(view, pixels, self.params.components, SIDES)
        sample_features = means.patches(samples.x)
        metric = fit_discriminant(sample_features, samples.y, samples.weight)
        places = metric.coordinates(np.concatenate([sample_features, pixel_features]))
        progress(1, 3, "graph")
        kernel = self._kernel(places, samples.weight, grid_graph(pixels, pixel_features))
        progress(2, 3, "spreading")
        model = LabelSpreading(kernel=kernel, alpha=self.params.alpha, max_iter=self.params.rounds)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # the number of rounds is what was asked for
            model.fit(places, np.concatenate([samples.y, np.full(len(pixels), -1)]))
        progress(3, 3, "spreading")
        return FittedSpreading(means, metric, model, len(view.class_names))

    def _kernel(
        self, places: NDArray[np.float32], weight: NDArray[np.float32], grid: sparse.csr_array
    ) -> Kernel:
        """The graph over samples (first) and pixels.

        Parameters
        ----------
        places : (n, k) float32
        weight : array of float32
            Weight of the samples.
        """
        from scipy import sparse
        from sklearn.neighbors import NearestNeighbors

        n = len(weight)
        tree = NearestNeighbors(n_neighbors=min(self.params.neighbours + 1, len(places))).fit(
            places
        )
        distance, _ = tree.kneighbors(places)
        width = max(float(np.median(distance[:, -1])), 1e-6)
        samples = NearestNeighbors(n_neighbors=1).fit(places[:n])
        bridge = sparse.csr_array(
            sparse.hstack(
                [near(samples, width, places), sparse.csr_array((len(places), len(places) - n))]
            )
        )
        graph = near(tree, width, places) + 1e-3 * bridge
        graph = graph + graph.T
        graph = graph + self.params.spatial * sparse.block_diag([sparse.csr_array((n, n)), grid])
        # Normalisation takes the root of a node's degree, hence the square.
        mass = np.concatenate([weight, np.ones(len(places) - n)])
        scale = sparse.diags_array(mass**2)
        return Kernel(sparse.coo_array(scale @ graph @ scale), tree, width, mass)


def near(tree: NearestNeighbors, width: float, others: NDArray[np.floating]) -> sparse.csr_array:
    """(others, nodes) weights exp(−d² / width²) of the nearest nodes, at least 1e-6."""
    from scipy import sparse

    distance, index = tree.kneighbors(others)
    weight = np.maximum(np.exp(-((distance / width) ** 2)), 1e-6)
    rows = np.repeat(np.arange(len(others)), index.shape[1])
    return sparse.csr_array(
        (weight.ravel(), (rows, index.ravel())), shape=(len(others), tree.n_samples_fit_)
    )
