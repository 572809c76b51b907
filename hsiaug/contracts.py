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
    """Reports the progress of a fit: ``progress(done, total, note)``.

    See Also
    --------
    Generator, Classifier : ``fit`` gets such an object.
    """

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report a step; call it as often as you like.

        Parameters
        ----------
        done, total : int
            Completed steps, and all steps.
        note : str
            The current work in a few words.
        """


def silent(done: int, total: int, note: str = "") -> None:
    """Progress that is not reported."""


@dataclass(frozen=True)
class PromptReading:
    """What a generator understood of a prompt.

    Attributes
    ----------
    text : str
        The prompt in the words of the generator; empty if it understood nothing.
    centre : int or None
        Id of the class in the centre of the patch.
    places : tuple of (str, int)
        Positions (north, south, west, east, beside or around) and the ids of the classes there.
        North is the first row.
    looks : tuple of str
        Other conditions, in the words of the generator: "even", "dark", "most" and so on.
    ignored : tuple of str
        Words without meaning for a patch, which were not used.
    faults : tuple of str
        Why no patch can be made of it, in half sentences; empty if one can.
    never_said : bool
        Whether some position did not occur in any text of training.
    synonyms : tuple of (str, str)
        Words that were taken for class names, and these names.

    See Also
    --------
    FittedGenerator : its ``read_prompts`` returns such objects.
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
    """Attention of pixels to the words of a prompt, for each of n patches.

    Attributes
    ----------
    words : tuple of tuple of str
        The words of the prompt of each patch, in order. Marks of beginning and end count as words
        in square brackets.
    maps : tuple of (L, p, p) float32
        For each patch, one map for each of its L words. Over the words they sum to 1 at every
        pixel.

    See Also
    --------
    FittedGenerator : may have a method ``attention`` that returns such an object.
    """

    words: tuple[tuple[str, ...], ...]
    maps: tuple[NDArray[np.float32], ...]

    def check(self, x: NDArray[np.float32]) -> None:
        """Check that every patch has words, and maps that sum to 1.

        Parameters
        ----------
        x : (n, B, p, p) float32
            The patches.

        Raises
        ------
        PluginError
            If words or maps are missing, have a wrong shape or dtype, or do not sum to 1.
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
        In the units of the data and the shape of the samples: patches (n, B, p, p), or tiles (n, T,
        B, H, W).
    probability : (n, H, W) float32 or None
        For tiles, the probability of the class of each pixel of the mask according to the decoder,
        0..1; NaN if it does not know the class. None for patches.

    See Also
    --------
    FittedGenerator, FittedPairGenerator : may have a method ``reconstruct``.
    """

    images: NDArray[np.float32]
    probability: NDArray[np.float32] | None = None

    def check(self, images: NDArray[np.float32]) -> None:
        """Compare with the images of the samples. Raises PluginError if shape or dtype differ."""
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
        """Make exactly the requested synthetic samples, in any order.

        The same arguments give the same samples. In trials, pairs may show any classes; ``hsiaug
        generate --show`` requests pairs of one class.

        Parameters
        ----------
        counts : mapping of int to int, or PairCounts
            Number of samples by class id; or number of pairs in all, and how many of these must
            show each class id.
        guidance : float or None
            Guidance strength ω, where 0 is purely conditional. None for a generator without
            guidance.
        seed : int
            Seed of all random choices.

        Returns
        -------
        PatchSamples or DenseSamples
            ``counts[c]`` samples of each class id c, in the units of the scene; or ``counts.total``
            pairs in the units of the data, ``counts.by_class[c]`` of which show class c.

        Raises
        ------
        PluginError
            If samples of a class cannot be made, or no pair shows a class.
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
    """Learns from a train view and makes labelled samples."""

    card: ClassVar[Card]

    def __init__(self, params: Any) -> None: ...

    def fit(self, view: View, *, seed: int, device: str, progress: Progress) -> Fitted:
        """Learn to make samples.

        If the card has ``resumes``, ``fit`` and ``prepare`` also take ``checkpoint: Path | None``,
        a folder that lasts until the fit has ended (see :class:`hsiaug.api.Card`); None = save
        nothing.

        Parameters
        ----------
        view : TrainView or DenseView
            The visible pixels of the scene, within the scope of the card; or the training tiles
            with their masks.
        seed : int
            Seed of all random choices.
        device : str
            Where to compute: "cpu", "cuda", "cuda:1" …
        progress : Progress
            Call it to report progress.

        Returns
        -------
        FittedGenerator or FittedPairGenerator
            The fitted generator.

        Raises
        ------
        PluginError
            If nothing can be learnt from the view.
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
            It must give the same samples as the one that was saved.
        """
        ...


class Labeller(Protocol[Items]):
    """A fitted classifier."""

    def predict(self, items: Items, /) -> NDArray[np.int64]:
        """Predict class ids of centre pixels, or of every pixel of tiles, for one batch.

        Parameters
        ----------
        items : Patches or Tiles
            n patches, as the card's ``input`` declares, or n tiles.

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

        Samples, view and the items to predict have the spectral view that the user chose
        (``--view``): take the number of bands from them, not from the scene, and do not expect
        reflectance.

        Parameters
        ----------
        samples : PatchSamples or DenseSamples
            Real and synthetic samples: patches as ``card.input`` declares, or tiles with their
            masks, in which 0 is no label.
        view : TrainView or DenseView
            For pixels, provides the normaliser, and unlabelled pixels if the card declares a scope;
            for tiles, the real training tiles.
        seed : int
            Seed of all random choices.
        device : str
            Where to compute: "cpu", "cuda", "cuda:1" …
        progress : Progress
            Call it to report progress.

        Returns
        -------
        FittedClassifier or FittedMaskClassifier
            The fitted classifier.

        Raises
        ------
        PluginError
            If nothing can be learnt from the samples.
        """
        ...


class FittedGenerator(SampleSource[Mapping[int, int], PatchSamples], Protocol):
    """A generator that was fitted to a train view.

    A generator that reads text may also have

    - ``read_prompts(prompts) -> tuple[PromptReading, ...]``, what it understands of prompts;
    - ``sample_prompts(prompts, *, guidance, seed) -> PatchSamples``, a sample of each prompt;
    - ``attention(x, prompts) -> Attention``, the cross-attention of the pixels of patches x (n, B,
      p, p) float32, in the scene's units, to the words of n prompts; deterministic.

    Its plugin then has ``read_prompts(prompts, *, class_names, trained, patch)``, which reads
    prompts before the fit, so that one that cannot be read costs no fit. It may have
    ``write_sentences(view) -> str``, its automatic sentences for ``hsiaug datasets info
    --sentences``. ``hsiaug generate --prompt`` and ``hsiaug inspect`` call these. A prompt is a
    class name or more: "wheat with woods to the north".

    A generator that encodes and decodes may have ``reconstruct(x) -> Reconstruction`` for patches
    x; ``hsiaug inspect`` measures the loss.

    ``sample`` is called once per block of samples. A generator that samples from a finite set
    without replacement may have ``continued(earlier: Sequence[Mapping[int, int]])``: the same
    generator after blocks of these counts. Every block then gets the seed of the first.

    See Also
    --------
    Generator : its ``fit`` returns this.
    """


class Prepared(Protocol):
    """What a generator has learnt from a scene without any label.

    It may have ``notes``, a tuple of sentences about the preparation, for the record of the trial
    that prepared it.

    See Also
    --------
    Generator : its ``prepare`` returns this.
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
    """A generator that learns from a train view and makes labelled samples.

    If its card has ``prepares``, it has two more methods. ``prepare(view, *, seed, device,
    progress) -> Prepared`` learns without labels: ``view`` has the scope of the card; ``coords``,
    ``y``, ``class_names`` and ``descriptions`` are empty; ``unlabelled`` lists every pixel whose
    patch is visible, including training pixels. ``load_prepared(folder, *, device) -> Prepared``
    loads what that saved. ``fit`` then also gets ``prepared``, which it must not change: all splits
    with the same visible pixels share it, and its seed depends on the plugin's name only.

    Attributes
    ----------
    card : Card
        The declaration; ``params`` of the plugin is an instance of ``card.params``.

    See Also
    --------
    FittedGenerator : what ``fit`` returns.
    PairGenerator : the same for images with masks.
    """


class FittedPairGenerator(SampleSource[PairCounts, DenseSamples], Protocol):
    """A generator of image–mask pairs that was fitted to training tiles.

    A generator that encodes and decodes may have ``reconstruct(samples: DenseSamples) ->
    Reconstruction``; ``hsiaug inspect`` measures the loss.

    See Also
    --------
    PairGenerator : its ``fit`` returns this.
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
    """A generator that learns from training tiles and makes image–mask pairs.

    Its card names ``segmentation`` or ``change``. If the card has ``prepares``, ``prepare`` and
    ``load_prepared`` are as those of :class:`Generator`; the tiles of ``view.real`` are then all
    that training tiles are chosen from, with masks 0.

    Attributes
    ----------
    card : Card
        The declaration; ``params`` of the plugin is an instance of ``card.params``.

    See Also
    --------
    FittedPairGenerator : what ``fit`` returns.
    Generator : the same for single pixels.
    """


class FittedClassifier(Labeller[Patches], Protocol):
    """A fitted classifier.

    It may also have ``predict_proba(patches) -> (n, C) float32``, probabilities of the class ids
    1..C, and ``facts``, a mapping of plain JSON about its fit for the record. The optimiser steps
    of a network that only selects samples belong into ``facts["aside_steps"]``: they do not count
    as steps of training.

    See Also
    --------
    Classifier : its ``fit`` returns this.
    """


class Classifier(LabelLearner[PatchSamples, TrainView, FittedClassifier], Protocol):
    """A classifier that learns class ids from real and synthetic samples.

    Attributes
    ----------
    card : Card
        The declaration; ``params`` of the plugin is an instance of ``card.params``.

    See Also
    --------
    FittedClassifier : what ``fit`` returns.
    MaskClassifier : the same for masks.
    """


class FittedMaskClassifier(Labeller[Tiles], Protocol):
    """A fitted classifier of masks.

    It may also have ``facts``, as :class:`FittedClassifier`, and ``predict_proba(tiles) -> (n, C,
    H, W) float32``, probabilities of the class ids 1..C.

    See Also
    --------
    MaskClassifier : its ``fit`` returns this.
    """


class MaskClassifier(LabelLearner[DenseSamples, DenseView, FittedMaskClassifier], Protocol):
    """A classifier that learns masks from real and synthetic tiles.

    Attributes
    ----------
    card : Card
        The declaration; ``params`` of the plugin is an instance of ``card.params``.

    See Also
    --------
    FittedMaskClassifier : what ``fit`` returns.
    Classifier : the same for single pixels.
    """
