"""The contracts of a generator and a classifier: two functions each, all state explicit.

Patches with a class each and tiles with a mask each have the same contracts, of other types. They
are structural types: a plugin needs no base class, only the methods. :mod:`hsiaug.api` shows a
whole generator in its docstring.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.core.samples import Patches, PatchSamples
from hsiaug.core.tiles import DenseSamples, DenseView, PairCounts, Tiles
from hsiaug.protocol.view import TrainView
from hsiaug.registry.card import Card


class Progress(Protocol):
    """Tells the user how far a fit is: ``progress(done, total, note)``."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report a step; call it as often as you like.

        Parameters
        ----------
        done, total : int
            Steps that are done, and steps in all.
        note : str
            What is being done, in a few words.
        """


def silent(done: int, total: int, note: str = "") -> None:
    """Progress that nobody is told of."""


@dataclass(frozen=True)
class PromptReading:
    """What a generator understood of a prompt.

    Attributes
    ----------
    text : str
        The prompt as the generator would say it; empty where it understood none of it.
    centre : int or None
        Id of the class in the centre of the patch.
    places : tuple of (str, int)
        What lies where: north, south, west, east, beside or around, and the id of a class. North is
        the first row.
    looks : tuple of str
        What else was understood, as the generator calls it: "even", "dark", "most" and so on.
    ignored : tuple of str
        Words that say nothing of a patch, and were not used.
    faults : tuple of str
        Why no patch can be made of it, in half sentences; empty where one can.
    never_said : bool
        Whether some place of it stood in no text of training.
    synonyms : tuple of (str, str)
        Words that were taken for the names of classes, and these names.
    """

    text: str
    centre: int | None
    places: tuple[tuple[str, int], ...] = ()
    looks: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    never_said: bool = False
    synonyms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Attention:
    """How much pixels attend to the words of a prompt, for each of n patches.

    Attributes
    ----------
    words : tuple of tuple of str
        The words of the prompt of each of the n patches, in order. Marks of beginning and end count
        as words in square brackets.
    maps : tuple of (L, p, p) float32
        For each patch one map for each of its L words. Over the words they sum to 1 at every pixel.
    """

    words: tuple[tuple[str, ...], ...]
    maps: tuple[NDArray[np.float32], ...]

    def check(self, x: NDArray[np.float32]) -> None:
        """Check that every patch has words, and maps that sum to 1.

        Parameters
        ----------
        x : (n, B, p, p) float32
            The patches that were asked about.

        Raises
        ------
        PluginError
            Where words or maps are missing, have another shape or dtype, or do not sum to 1.
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


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Samples that were encoded and decoded.

    Attributes
    ----------
    images : (n, ...) float32
        In the data's units, in the shape of the samples: patches (n, B, p, p), or tiles
        (n, T, B, H, W).
    probability : (n, H, W) float32 or None
        Of tiles, the probability that the decoder gives to the class of each pixel of the mask,
        0 to 1; NaN where it does not know the class. None of patches.
    """

    images: NDArray[np.float32]
    probability: NDArray[np.float32] | None = None

    def check(self, images: NDArray[np.float32]) -> None:
        """Compare with the samples' images. Raises PluginError for another shape or dtype."""
        of_masks = (len(images), *images.shape[-2:])
        fits = self.images.shape == images.shape and self.images.dtype == np.float32
        if self.probability is not None:
            fits = fits and self.probability.shape == of_masks
        if not fits:
            raise PluginError(
                f"reconstruct must give float32 images {images.shape}, and of tiles probabilities"
                f" {of_masks}",
                value=f"{self.images.dtype} {self.images.shape}",
                hint="Encode and decode the samples as they are handed in.",
            )


Counts = TypeVar("Counts", contravariant=True)
Given = TypeVar("Given", covariant=True)
Samples = TypeVar("Samples", contravariant=True)
View = TypeVar("View", contravariant=True)
Items = TypeVar("Items", contravariant=True)
Fitted = TypeVar("Fitted", covariant=True)


class SampleSource(Protocol[Counts, Given]):
    """A generator that has learnt from a train view."""

    def sample(self, counts: Counts, *, guidance: float | None, seed: int) -> Given:
        """Exactly the synthetic samples that are asked for, in any order.

        The same arguments give the same samples. Of pairs the runner asks for any classes alone,
        ``hsiaug generate --show`` for pairs of one class.

        Parameters
        ----------
        counts : mapping of int to int, or PairCounts
            How many samples are wanted of each class id; of pairs how many in all, and how many of
            these shall show each class id.
        guidance : float or None
            Guidance strength ω, where 0 is purely conditional. None for a generator without
            guidance.
        seed : int
            Seeds every random choice.

        Returns
        -------
        PatchSamples or DenseSamples
            ``counts[c]`` samples of each class id c, in the scene's units; or ``counts.total``
            pairs in the data's units, ``counts.by_class[c]`` of them showing class c.

        Raises
        ------
        PluginError
            Where samples of a class cannot be made, or a class cannot be shown.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write all state as safetensors and JSON (see :func:`hsiaug.api.save_state`).

        Parameters
        ----------
        folder : Path
            An empty folder.
        """
        ...


class SampleLearner(Protocol[View, Fitted]):
    """Learns from a train view to make labelled samples."""

    card: ClassVar[Card]

    def __init__(self, params: Any) -> None: ...

    def fit(self, view: View, *, seed: int, device: str, progress: Progress) -> Fitted:
        """Learn to make samples.

        Where the card says ``resumes``, it (and ``prepare``) also takes ``checkpoint: Path |
        None``, a folder of its own that lasts until the fit is done (see :class:`hsiaug.api.Card`);
        None = nothing is to be saved.

        Parameters
        ----------
        view : TrainView or DenseView
            What may be seen of the scene, within the scope that the card declares; or the training
            tiles with their masks.
        seed : int
            Seeds every random choice.
        device : str
            Where to compute: "cpu", "cuda", "cuda:1" …
        progress : Progress
            Takes in how far the fit is.

        Returns
        -------
        FittedGenerator or FittedPairGenerator

        Raises
        ------
        PluginError
            Where the view cannot be learnt from.
        """
        ...

    def load(self, folder: Path, *, device: str) -> Fitted:
        """Load what :meth:`FittedGenerator.save` wrote.

        Parameters
        ----------
        folder : Path
            The folder that was written.
        device : str
            Where to compute.

        Returns
        -------
        FittedGenerator or FittedPairGenerator
            Must give the same samples as the one that was saved.
        """
        ...


class Labeller(Protocol[Items]):
    """A classifier that has learnt."""

    def predict(self, items: Items, /) -> NDArray[np.int64]:
        """Class ids of centre pixels, or of every pixel of tiles. Called once per batch of test
        pixels or tiles.

        Parameters
        ----------
        items : Patches or Tiles
            n patches, as the card's ``input`` says, or n tiles.

        Returns
        -------
        (n,) or (n, H, W) int64
            Class ids 1..C.
        """
        ...


class LabelLearner(Protocol[Samples, View, Fitted]):
    """Learns class ids from real and synthetic samples."""

    card: ClassVar[Card]

    def __init__(self, params: Any) -> None: ...

    def fit(
        self, samples: Samples, view: View, *, seed: int, device: str, progress: Progress
    ) -> Fitted:
        """Learn to classify.

        Samples and view show the spectral transform that the user asked for (``views``), as do the
        items that are predicted: take the number of bands from them, not from the scene, and expect
        no reflectance.

        Parameters
        ----------
        samples : PatchSamples or DenseSamples
            Real and synthetic samples: patches as ``card.input`` says, or tiles with their masks,
            in which 0 is no label.
        view : TrainView or DenseView
            Of pixels, serves the normaliser, and unlabelled pixels where the card declares a scope;
            of tiles, the real training tiles alone.
        seed : int
            Seeds every random choice.
        device : str
            Where to compute: "cpu", "cuda", "cuda:1" …
        progress : Progress
            Takes in how far the fit is.

        Returns
        -------
        FittedClassifier or FittedMaskClassifier

        Raises
        ------
        PluginError
            Where the samples cannot be learnt from.
        """
        ...


class FittedGenerator(SampleSource[Mapping[int, int], PatchSamples], Protocol):
    """A generator that has learnt from a train view.

    One that reads text may add ``attention(x, prompts) -> Attention``: the cross-attention of the
    pixels of patches x (n, B, p, p) float32, in the scene's units, to the words of n prompts. The
    same arguments give the same maps. Only ``hsiaug inspect`` calls it, after the fit.

    One that reads text may also add ``read_prompts(prompts) -> tuple[PromptReading, ...]``, what it
    understands of prompts. Its plugin then has ``read_prompts(prompts, *, class_names, trained,
    patch)``, which is asked before the fit, and may have ``write_sentences(view) -> str``, its
    automatic sentences of a draw, for ``hsiaug datasets info --sentences``. With it goes
    ``sample_prompts(prompts, *, guidance, seed) -> PatchSamples``, a sample of each prompt.
    ``hsiaug generate --prompt`` and ``hsiaug inspect`` ask for these. A prompt is the name of a
    class in words, or more: "wheat with woods to the north".

    One that encodes and decodes may add ``reconstruct(x) -> Reconstruction``, of such patches x;
    ``hsiaug inspect`` measures what that loses.

    A trial's samples are drawn in blocks, a call of ``sample`` each. One that draws from a finite
    set without replacement may add ``continued(earlier: Sequence[Mapping[int, int]])``: the same,
    but going on after blocks of these counts. Every block then has the seed of the first.
    """


class Prepared(Protocol):
    """What a generator learnt of a scene without any label.

    It may have ``notes``, sentences for the record of the trial that prepared it.
    """

    def save(self, folder: Path) -> None:
        """Write all state, as :meth:`FittedGenerator.save` does.

        Parameters
        ----------
        folder : Path
            An empty folder.
        """
        ...


class Generator(SampleLearner[TrainView, FittedGenerator], Protocol):
    """Learns from a train view to make labelled samples.

    ``params`` is an instance of the params class that the card names.

    One whose card says ``prepares`` adds two methods. ``prepare(view, *, seed, device, progress) ->
    Prepared`` learns what needs no label: ``view`` has the card's scope, ``coords``, ``y``,
    ``class_names`` and ``descriptions`` are empty, and ``unlabelled`` lists every pixel whose patch
    is visible, training pixels among them. ``load_prepared(folder, *, device) -> Prepared`` loads
    what that saved. ``fit`` then takes ``prepared`` too, which it must leave as it is: all draws
    that show the same pixels share it, and its seed depends on the plugin's name alone.
    """


class FittedPairGenerator(SampleSource[PairCounts, DenseSamples], Protocol):
    """A generator of image–mask pairs that has learnt from the training tiles.

    One that encodes and decodes may add ``reconstruct(samples: DenseSamples) -> Reconstruction``;
    ``hsiaug inspect`` measures what that loses.
    """


@runtime_checkable
class MaskImages(Protocol):
    """A fitted generator of pairs that makes images for given masks."""

    def images_for(
        self, masks: NDArray[np.int64], *, guidance: float | None, seed: int
    ) -> DenseSamples:
        """Make an image for each mask.

        Parameters
        ----------
        masks : (n, H, W) int64
            Class ids 1..C, 0 = no class.
        guidance : float or None
            ω.
        seed : int
            Of all that is random.

        Returns
        -------
        DenseSamples
            Images (n, T, B, H, W) in the data's units, with these masks.

        Raises
        ------
        PluginError
            For masks that it cannot make an image for.
        """


class PairGenerator(SampleLearner[DenseView, FittedPairGenerator], Protocol):
    """Learns from training tiles to make image–mask pairs; its card names ``segmentation`` or
    ``change``.

    Where the card says ``prepares``, ``prepare`` and ``load_prepared`` are as those of
    :class:`Generator`. The tiles of ``view.real`` are then those that training tiles are drawn
    among (all of the training places), and their masks 0.
    """


class FittedClassifier(Labeller[Patches], Protocol):
    """A classifier that has learnt.

    It may add ``predict_proba(patches) -> (n, C) float32``, the shares of the class ids 1..C.

    It may also add ``facts``, a mapping of plain JSON about its fit, which goes into the record.
    ``aside_steps`` there are optimiser steps of a network that only chose among the samples: they
    are no training of the classifier.
    """


class Classifier(LabelLearner[PatchSamples, TrainView, FittedClassifier], Protocol):
    """Learns class ids from real and synthetic samples."""


class FittedMaskClassifier(Labeller[Tiles], Protocol):
    """A classifier of masks that has learnt.

    It may add ``facts``, as :class:`FittedClassifier`, and ``predict_proba(tiles) -> (n, C, H, W)
    float32``, the shares of the class ids 1..C.
    """


class MaskClassifier(LabelLearner[DenseSamples, DenseView, FittedMaskClassifier], Protocol):
    """Learns masks from real and synthetic tiles; its card names ``segmentation`` or ``change``."""
