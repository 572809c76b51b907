"""Generators with the habits of scikit-learn and imbalanced-learn.

::

    from hsiaug.resample import Resampler, augment_scene

    X_more, y_more = Resampler("smote", lam=1.0, seed=0).fit_resample(X, y)
    samples = augment_scene("indian_pines", "smote", lam=1.0, protocol="issd", seed=0)
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array

from hsiaug.base.arguments import (
    Argument,
    anything,
    checked,
    converted,
    mapping,
    number,
    optional,
    path,
    several,
    text,
    whole,
)
from hsiaug.base.errors import InputError
from hsiaug.base.text import shortened
from hsiaug.core.samples import PatchSamples, concatenate
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.protocol.balance import synthetic_counts
from hsiaug.protocol.protocols import SplitProtocol, parse_protocol
from hsiaug.protocol.view import TrainView
from hsiaug.quality.kits import synthesise
from hsiaug.quality.pixel_samples import PixelSamples
from hsiaug.quality.synthesis import PixelSynthesis, SampleRequest, sample_spec, silent
from hsiaug.registry.card import Card, Scope
from hsiaug.registry.handed import named
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench
from hsiaug.trial.spec import TrialSpec


class _GivenSamples(SplitProtocol):
    """The caller has split already: all samples that are given are for training."""

    card = Card("given", "1", "All samples that are given")
    usual_buffer = "none"


GIVEN = _GivenSamples("", "none")
KIT = PixelSamples()
MOST_CLASSES = 2**15 - 1
SCENE = Argument(
    "a Scene, a name of the catalogue, or the path of a card",
    lambda scene: scene if isinstance(scene, Scene) else path.convert(scene),
)
SETTINGS = {
    "lam": number,
    "times": optional(number),
    "omega": optional(number),
    "params": optional(mapping),
    "preset": text,
    "seed": whole(),
    "device": text,
}
"""Arguments of :func:`augment_scene` and :class:`Resampler`."""


@checked(scene=SCENE, generator=anything, protocol=text, patch=whole(1), **SETTINGS)
def augment_scene(
    scene: Scene | str | os.PathLike[str],
    generator: str | Any = "smote",
    lam: float = 1.0,
    *,
    times: float | None = None,
    omega: float | None = None,
    protocol: str = "issd",
    seed: int = 0,
    patch: int = 9,
    params: Mapping[str, Any] | None = None,
    preset: str = "cpu",
    device: str = "auto",
) -> PatchSamples:
    """Training samples of one draw of a scene: the real ones, then the synthetic ones that λ and M (``times``) ask for.

    scene: a Scene, a name of the catalogue, or the path of a card. generator: a name, or a plugin, as
    ``hsiaug.benchmark`` takes it. The same as ``hsiaug generate --with-real`` and as a benchmark's trial of these
    settings; ``provenance`` of the result holds what makes them again.
    Raises InputError for names and numbers that are not valid, SplitError where the scene cannot be split so.
    """
    loaded = scene if isinstance(scene, Scene) else load_scene(scene)
    name, settings = named("generator", generator, preset)
    request = SampleRequest(
        generator=name,
        protocol=parse_protocol(protocol),
        lam=lam,
        times=times,
        omega=omega,
        seed=seed,
        patch=patch,
        preset=preset,
        overrides={**settings, **_texts(params)},
        device=device,
    )
    made: PixelSynthesis = synthesise(KIT, loaded, request, registry())
    return replace(concatenate([made.real, made.synthetic]), provenance=made.provenance())


def _texts(params: Mapping[str, Any] | None) -> dict[str, str]:
    """Hyper-parameters as the command line has them."""
    return {name: str(value) for name, value in (params or {}).items()}


class Resampler(BaseEstimator):  # type: ignore[misc]
    """Over-samples labelled spectra or patches with any generator plugin; no scene needed.

    generator: name of the plugin. lam: sample balance rate λ; 1 fills every class to the largest. times: samples more
        for each real one; 0, so that classes end equal, as those of imbalanced-learn do. omega: guidance strength,
        None = the generator's own. params: its hyper-parameters by name. preset: tiny, cpu, paper or its own.
    seed: of fit and sampling. device: auto, cpu, cuda, ...
    class_names: {label: name} for generators that read text; else the labels themselves are the names.
    wavelengths: (B,) band centres in nm, or None.

    The generator is shown each sample as a little image of its own, with no neighbours; statistics "over visible
    pixels" are then over the pixels of all patches, those of overlapping patches counted again. Its unlabelled
    pixels are the ``unlabelled`` samples handed to :meth:`fit_resample`, by default none, where its card declares
    a scope other than ``none``; a UserWarning says so where it copies labelled ones in their place. Another one says
    where samples have weights other than 1, which no pipeline passes on to its estimator.

    After :meth:`fit_resample`: ``sample_indices_`` (n',) int64 the row of X of each real sample, −1 for synthetic;
    ``synthetic_`` (n',) bool; ``weights_`` (n',) float32; ``counts_`` {label: synthetic samples}; ``classes_``;
    ``generator_`` the fitted plugin, or None where nothing was asked of it; ``provenance_`` what it says of its
    samples; ``n_features_in_`` B.
    """

    def __init__(
        self,
        generator: str = "smote",
        lam: float = 1.0,
        omega: float | None = None,
        *,
        times: float = 0.0,
        params: Mapping[str, Any] | None = None,
        preset: str = "cpu",
        seed: int = 0,
        device: str = "auto",
        class_names: Mapping[Any, str] | None = None,
        wavelengths: NDArray[np.float64] | None = None,
    ) -> None:
        self.generator = generator
        self.lam = lam
        self.omega = omega
        self.times = times
        self.params = params
        self.preset = preset
        self.seed = seed
        self.device = device
        self.class_names = class_names
        self.wavelengths = wavelengths

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self:
        """Check the input, as imbalanced-learn's ``fit`` does; the work is in :meth:`fit_resample`."""
        x, _, labels = _check_arrays(X, y, None)
        self.classes_, self.n_features_in_ = labels, x.shape[1]
        return self

    def fit_resample(
        self, X: NDArray[Any], y: NDArray[Any], *, unlabelled: NDArray[Any] | None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """The real samples, then synthetic ones: X (n', B) or (n', B, p, p) float32, y (n',) as the labels came.

        X: (n, B) spectra or (n, B, p, p) patches, p odd. y: (n,) labels of any kind, at least two different.
        unlabelled: (m, B) or (m, B, p, p) more samples without labels, for generators that use them.
        Where λ asks for no sample, as for equal classes at λ = 1, X and y come back as they are, with a UserWarning.
        Raises InputError for arrays of another shape, with NaN, or settings that are not valid.
        """
        x, ids, labels = _check_arrays(X, y, unlabelled)
        asked = converted(
            vars(self),
            {
                **SETTINGS,
                "generator": text,
                "class_names": optional(mapping),
                "wavelengths": optional(_wavelengths(x.shape[1])),
            },
        )
        names = tuple(str((asked["class_names"] or {}).get(label, label)) for label in labels.tolist())
        scene = _SampleScene(x, ids, names, asked["wavelengths"])
        request = SampleRequest(
            generator=asked["generator"],
            protocol=GIVEN,
            lam=asked["lam"],
            times=asked["times"],
            omega=asked["omega"],
            seed=asked["seed"],
            patch=x.shape[2],
            preset=asked["preset"],
            overrides=_texts(asked["params"]),
            device=asked["device"],
        )
        generator, spec = sample_spec(KIT.task.name, scene.scene, request, registry())
        counts = dict(enumerate(np.bincount(ids)[1:].tolist(), start=1))
        if not any(synthetic_counts(counts, spec.rate).values()):
            fewest, most = min(counts.values()), max(counts.values())
            warnings.warn(
                f"no sample was made: λ = {spec.rate} asks for none with {fewest} to {most} samples per class; λ = 1 "
                "fills every class to the largest, more than 1 lets all grow",
                UserWarning,
                stacklevel=2,
            )
            self._keep(scene.samples, None, labels)
            return np.array(X), np.array(y)
        bench = _Bench(scene)
        synthetic, fitted, _ = KIT.draw(bench, spec, generator, request, silent)
        real = bench.view(spec, generator.card.scope).real
        samples = concatenate([real, synthetic])
        self._keep(samples, fitted, labels)
        for remark in _remarks(samples, generator.card, unlabelled is not None):
            warnings.warn(remark, UserWarning, stacklevel=2)
        flat = samples.x if np.ndim(X) == 4 else samples.x[:, :, 0, 0]
        return flat, labels[samples.y - 1]

    def _keep(self, samples: PatchSamples, fitted: Any, labels: NDArray[Any]) -> None:
        made = samples.synthetic
        self.classes_, self.n_features_in_ = labels, samples.x.shape[1]
        self.synthetic_, self.weights_ = made, samples.weight
        self.sample_indices_ = np.where(made, -1, np.cumsum(~made) - 1).astype(np.int64)
        counts = np.bincount(samples.y[made] - 1, minlength=len(labels))
        self.counts_ = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        self.generator_, self.provenance_ = fitted, dict(samples.provenance)


def _wavelengths(bands: int) -> Argument:
    def convert(given: Any) -> NDArray[np.float64]:
        centres = np.array(several(number).convert(given))
        if len(centres) != bands:
            raise ValueError
        return centres

    return Argument(f"the {bands} centres of the bands in nm", convert)


def _remarks(samples: PatchSamples, card: Card, given: bool) -> Iterator[str]:
    """Sentences to warn with: where a generator that takes unlabelled samples made copies of labelled ones in their
    place, and where samples have weights. given: whether there were unlabelled ones."""
    made = samples.synthetic
    real = {sample.tobytes() for sample in samples.x[~made]}
    copies = sum(sample.tobytes() in real for sample in samples.x[made]) if card.scope != "none" else 0
    if copies:
        why = "it could name too few of them; here they have no neighbours" if given else "none were given"
        yield (
            f"{copies} of the {made.sum()} synthetic samples are exact copies of samples of X: {card.name} takes samples "
            f"from fit_resample(..., unlabelled=...), and {why}"
        )
    if (samples.weight != 1).any():
        low, high = samples.weight[made].min(), samples.weight[made].max()
        weights = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        yield (
            f"the synthetic samples have a weight of {weights} beside 1 of real ones, which a pipeline does not pass on: "
            "call fit_resample, and hand weights_ to the estimator as sample_weight"
        )


def _check_arrays(
    X: NDArray[Any], y: NDArray[Any], unlabelled: NDArray[Any] | None
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[Any]]:
    """Patches (n + m, B, p, p), class ids (n,) from 1 on, and the label of each id."""
    x = _patches("X", X)
    try:
        labels, ids = np.unique(_dense(y), return_inverse=True)
        if np.shape(y) != (len(x),) or not bool((labels == labels).all()):  # NaN is not
            raise ValueError
    except (TypeError, ValueError) as error:
        raise InputError(
            f"y must hold one label per sample of X ({len(x)}), all of one kind and none missing",
            value=shortened(repr(y)),
            hint="Drop such samples.",
        ) from error
    if not 2 <= len(labels) <= MOST_CLASSES:
        raise InputError(
            f"y must have at least two classes, and {MOST_CLASSES:,} at most",
            value=len(labels),
            hint="Are they labels?",
        )
    if unlabelled is not None:
        more = _patches("unlabelled", unlabelled)
        if more.shape[1:] != x.shape[1:]:
            raise InputError(
                f"unlabelled samples must have the shape of those in X, {x.shape[1:]}",
                value=more.shape[1:],
                hint="Cut them alike.",
            )
        x = np.concatenate([x, more])
    return x, ids.astype(np.int64) + 1, labels


def _dense(array: Any) -> NDArray[Any]:
    """Raises TypeError for what numpy would make an array of that is not what it was."""
    if issparse(array) or (isinstance(array, np.ma.MaskedArray) and bool(np.ma.getmaskarray(array).any())):
        raise TypeError("sparse, or with masked values")
    return np.asarray(array)


def _patches(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    try:
        given = _dense(array)
        if given.dtype.kind not in "biufO":
            raise TypeError(f"of {given.dtype}")
        with np.errstate(over="ignore"):  # infinity is refused
            x = check_array(given, dtype=np.float32, allow_nd=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{name} must be a dense array of finite real numbers, without masked values",
            value=f"{type(array).__name__}: {shortened(str(error))}",
            hint="Fill or drop them; .toarray() makes a sparse array dense.",
        ) from error
    if x.ndim == 2:
        x = x[:, :, None, None]
    if x.ndim != 4 or 0 in x.shape or x.shape[2] != x.shape[3] or x.shape[2] % 2 == 0:
        raise InputError(
            f"{name} must be spectra (n, B), or patches (n, B, p, p) with p odd",
            value=f"shape {np.shape(array)}",
            hint="Put the bands second, and label the centre pixel.",
        )
    return np.asarray(x)


@dataclass(frozen=True, eq=False)
class _SampleScene:
    """Samples as a scene: one patch below the other. x: (n + m, B, p, p); ids: (n,) of the first n."""

    x: NDArray[np.float32]
    ids: NDArray[np.int64]
    names: tuple[str, ...]
    wavelengths: NDArray[np.float64] | None

    @property
    def coords(self) -> NDArray[np.int32]:
        """(n + m, 2) centres of the patches."""
        p = self.x.shape[2]
        rows = np.arange(len(self.x)) * p + p // 2
        return np.column_stack([rows, np.full(len(rows), p // 2)]).astype(np.int32)

    @cached_property
    def scene(self) -> Scene:
        n, bands, p, _ = self.x.shape
        cube = self.x.transpose(0, 2, 3, 1).reshape(n * p, p, bands)
        labels = np.zeros((n * p, p), dtype=np.int16)
        rows, columns = self.coords[: len(self.ids)].T
        labels[rows, columns] = self.ids
        digest = hashlib.sha256(self.x.tobytes() + self.ids.tobytes()).hexdigest()[:8]
        return Scene(f"samples-{digest}", cube, labels, self.names, self.wavelengths, units="as given")

    @property
    def samples(self) -> PatchSamples:
        """The labelled samples as they came."""
        n = len(self.ids)
        real, weight = np.zeros(n, dtype=bool), np.ones(n, dtype=np.float32)
        return PatchSamples(self.x[:n], self.coords[:n], self.ids, real, weight)

    def view(self, scope: Scope) -> TrainView:
        """The labelled samples, and the others where the scope is not ``none``."""
        scene, n, p = self.scene, len(self.ids), self.x.shape[2]
        visible = np.ones(scene.shape, dtype=bool)
        visible[n * p :] = scope != "none"
        return TrainView(
            cube=np.where(visible[..., None], scene.cube, np.float32(np.nan)),
            visible=visible,
            coords=self.coords[:n],
            y=self.ids,
            unlabelled=self.coords[n:] if scope != "none" else self.coords[:0],
            class_names=scene.class_names,
            wavelengths=scene.wavelengths,
            gsd=None,
            units=scene.units,
            patch=p,
            scope=scope,
        )


class _Bench(Workbench):
    """A workbench whose train view is fixed: there is no split to draw."""

    def __init__(self, samples: _SampleScene) -> None:
        super().__init__(samples.scene, get_task(KIT.task.name))
        self._samples = samples

    def view(self, spec: TrialSpec, scope: Scope) -> TrainView:
        return self._of_draw.once(spec.draw_hash, scope, lambda: self._samples.view(scope))
