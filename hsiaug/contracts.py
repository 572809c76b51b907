"""The contracts of a generator and a classifier: two functions each, all state explicit.

They are structural types: a plugin needs no base class, only the methods. :mod:`hsiaug.api` shows a
whole generator in its docstring.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.core.samples import Patches, PatchSamples
from hsiaug.core.tiles import DenseSamples, DenseView, PairCounts, Tiles
from hsiaug.protocol.view import TrainView
from hsiaug.registry.card import Card


class Progress(Protocol):
    """``progress(done, total, note)`` tells the user how far a fit is; call it as often as you
    like.
    """

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


@dataclass(frozen=True, eq=False)
class Attention:
    """How much pixels attend to the words of a prompt, for each of n patches.

    words: of the prompt of each patch, in order; marks of beginning and end count as a word in
    square brackets. maps: (L, p, p) float32 for each patch, one for each of its L words; over
    these they sum to 1 at every pixel.
    """

    words: tuple[tuple[str, ...], ...]
    maps: tuple[NDArray[np.float32], ...]

    def check(self, x: NDArray[np.float32]) -> None:
        """Raise PluginError unless every patch of x (n, B, p, p) has words, and maps that sum to
        1.
        """
        shapes = [(len(words), *x.shape[2:]) for words in self.words]
        if (
            len(shapes) != len(x)
            or [maps.shape for maps in self.maps] != shapes
            or not all(
                maps.dtype == np.float32 and np.allclose(maps.sum(0), 1, atol=1e-4)
                for maps in self.maps
            )
        ):
            raise PluginError(
                f"attention must give words and float32 maps (words, {x.shape[2]}, {x.shape[3]})"
                f" for each of {len(x)} patches, which sum to 1 over the words",
                value=f"{len(self.words)} prompts, {len(self.maps)} sets of maps",
                hint=(
                    "Average the softmax over heads and layers, and give marks of the encoder a map"
                    " too."
                ),
            )


class FittedGenerator(Protocol):
    """A generator that has learnt from a train view.

    One that reads text may add ``attention(x, y) -> Attention``: the cross-attention of the pixels
    of patches x (n, B, p, p) float32, in the scene's units, to the words of a prompt of class ids y
    (n,). The same arguments give the same maps. Only ``hsiaug inspect --attention`` calls it, after
    the fit. It raises InputError where its params leave no words.

    A trial's samples are drawn in blocks, a call of ``sample`` each. One that draws from a finite
    set without replacement may add ``continued(earlier: Sequence[Mapping[int, int]])``: the same,
    but going on after blocks of these counts. Every block then has the seed of the first.
    """

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Exactly ``counts[c]`` synthetic samples of each class id c, in any order, in the scene's
        units.

        guidance: ω (0 = purely conditional), or None for a generator without guidance.
        The same arguments give the same samples.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write all state to an empty folder, as safetensors and JSON (see
        :func:`hsiaug.api.save_state`).
        """
        ...


class Prepared(Protocol):
    """What a generator learnt of a scene without any label.

    It may have ``notes``, sentences for the record of the trial that prepared it.
    """

    def save(self, folder: Path) -> None:
        """Write all state to an empty folder, as :meth:`FittedGenerator.save` does."""
        ...


class Generator(Protocol):
    """Learns from a train view to make labelled samples.

    One whose card says ``prepares`` adds two methods. ``prepare(view, *, seed, device, progress) ->
    Prepared`` learns what needs no label: ``view`` has the card's scope, ``coords``, ``y``,
    ``class_names`` and ``descriptions`` are empty, and ``unlabelled`` lists every pixel whose patch
    is visible, training pixels among them. ``load_prepared(folder, *, device) -> Prepared`` loads
    what that saved. ``fit`` then takes ``prepared`` too, which it must leave as it is: all draws
    that show the same pixels share it, and its seed depends on the plugin's name alone.
    """

    card: ClassVar[Card]

    def __init__(self, params: Any) -> None: ...

    def fit(
        self, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedGenerator:
        """Learn from ``view``, which has the scope that the card declares. device: "cpu", "cuda",
        "cuda:1"...

        Where the card says ``resumes``, it (and ``prepare``) also takes ``checkpoint: Path |
        None``, a folder of its own that lasts until the fit is done (see :class:`hsiaug.api.Card`);
        None = nothing is to be saved.
        """
        ...

    def load(self, folder: Path, *, device: str) -> FittedGenerator:
        """Load what :meth:`FittedGenerator.save` wrote; it must sample the same."""
        ...


class FittedPairGenerator(Protocol):
    """A generator of image–mask pairs that has learnt from the training tiles."""

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Exactly ``counts.total`` synthetic pairs, ``counts.by_class[c]`` of them showing class c.

        The runner asks for pairs of any classes alone, ``hsiaug generate --show`` for pairs of one
        class. guidance, seed: as in :class:`FittedGenerator`.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write all state to an empty folder."""
        ...


class PairGenerator(Protocol):
    """Learns from training tiles to make image–mask pairs; its card names ``segmentation`` or
    ``change``.

    Where the card says ``prepares``, ``prepare`` and ``load_prepared`` are as those of
    :class:`Generator`. The tiles of ``view.real`` are then those that training tiles are drawn
    among (all of the training places), and their masks 0.
    """

    card: ClassVar[Card]

    def __init__(self, params: Any) -> None: ...

    def fit(
        self, view: DenseView, *, seed: int, device: str, progress: Progress
    ) -> FittedPairGenerator:
        """Learn from ``view``; as :meth:`Generator.fit`, with ``checkpoint`` where the card says
        ``resumes``.
        """
        ...

    def load(self, folder: Path, *, device: str) -> FittedPairGenerator:
        """Load what :meth:`FittedPairGenerator.save` wrote; it must sample the same."""
        ...


class FittedClassifier(Protocol):
    """A classifier that has learnt; it may add ``predict_proba(patches) -> (n, C) float32``.

    It may also add ``facts``, a mapping of plain JSON about its fit, which goes into the record.
    ``aside_steps`` there are optimiser steps of a network that only chose among the samples: they
    are no training of the classifier.
    """

    def predict(self, patches: Patches) -> NDArray[np.int64]:
        """(n,) class ids of the centre pixels. Called once per batch of test pixels."""
        ...


class Classifier(Protocol):
    """Learns class ids from real and synthetic samples."""

    card: ClassVar[Card]

    def __init__(self, params: Any) -> None: ...

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedClassifier:
        """Learn from ``samples``, whose patches are as ``card.input`` says.

        ``view`` serves the normaliser, and unlabelled pixels where the card declares a scope. Both
        show the spectral view that the user asked for (``views``), as do the patches that are
        predicted: take the number of bands from them, not from the scene, and expect no
        reflectance.
        """
        ...


class FittedMaskClassifier(Protocol):
    """A classifier of masks that has learnt; optional: ``facts``, ``predict_proba(tiles) -> (n, C,
    H, W) float32``.
    """

    def predict(self, tiles: Tiles) -> NDArray[np.int64]:
        """(n, H, W) class ids 1..C of every pixel. Called once per batch of test tiles."""
        ...


class MaskClassifier(Protocol):
    """Learns masks from real and synthetic tiles; its card names ``segmentation`` or ``change``."""

    card: ClassVar[Card]

    def __init__(self, params: Any) -> None: ...

    def fit(
        self, samples: DenseSamples, view: DenseView, *, seed: int, device: str, progress: Progress
    ) -> FittedMaskClassifier:
        """Learn from ``samples``; 0 in a mask is no label. ``view`` holds the real training tiles
        alone.
        """
        ...
