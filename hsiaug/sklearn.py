"""Generators as samplers of scikit-learn and imbalanced-learn.

::

    from hsiaug.sklearn import Augmenter
    from imblearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    make_pipeline(Augmenter("smote", lam=1.0, random_state=0), SVC()).fit(X, y)
"""

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, cast

import numpy as np
from imblearn.base import BaseSampler
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from hsiaug.base.arrays import AnyArray
from hsiaug.core.samples import PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.data.band_centres import centres_in_nm
from hsiaug.protocol.balance import MAX_LAMBDA_OMEGA, Rate, synthetic_counts
from hsiaug.protocol.split import Blind
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import PixelSynthesis, sample_request
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import registry
from hsiaug.tasks.settings import TIMES
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskSplit
from hsiaug.trial.trial_run import SceneContext

SMALLEST_VALUE = float(np.sqrt(np.finfo(np.float32).tiny))
LARGEST_VALUE = float(np.sqrt(np.finfo(np.float32).max))
"""Where the largest number of spectra must lie: generators compute with squares in float32."""

VALID_LAMBDA_OMEGA = Interval(Real, 0, MAX_LAMBDA_OMEGA, closed="both")


COPYING = ("duplicate", "duplicate-balanced")
"""Generators whose samples are copies by what they are."""


class Augmenter(BaseSampler):  # type: ignore[misc]
    """Add synthetic spectra of any generator to labelled spectra.

    A sampler of imbalanced-learn: ``fit_resample(X, y)`` returns X and y with synthetic spectra and
    their labels appended. The generator gets spectra only: no neighbouring and no unlabelled
    pixels; a warning says where it learns from these in a benchmark. The labels serve as class
    names.

    Parameters
    ----------
    generator : str or plugin, default "smote"
        A name, or the result of :func:`hsiaug.generator`.
    lam : float, default 1.0
        Sample balance rate λ: 1 fills every class up to the largest.
    times : float, default 3.0
        M, synthetic samples for each real one, in addition to those of λ.
    omega : float, optional
        Guidance strength ω. Default: the generator's.
    params : mapping, optional
        Hyper-parameters of the generator by name.
    preset : str, default "cpu"
        A set of defaults that the generator defines.
    device : str, default "auto"
        ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if there is one.
    wavelengths : array-like of shape (B,), optional
        Band centres in nm; numbers below 100 are taken as µm.
    random_state : int or RandomState, optional
        Seed of fit and samples. A number is the seed of a benchmark: the same spectra in the same
        order get the same samples.
    sampling_strategy : "auto" or mapping, default "auto"
        ``{label: number}`` of real and synthetic samples together; ``"auto"`` uses lam and times.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of synthetic samples by label, after a call.
    weights_ : ndarray of shape (n',), float32
        Sample weights of the generator; 1 for real samples. Pipelines do not pass them on; if one
        is not 1, a warning says so.

    Raises
    ------
    InputError
        If a name or parameter is not valid.
    ValueError
        If another argument is not valid.

    See Also
    --------
    hsiaug.augment_scene : synthetic patches of a scene.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.sklearn import Augmenter
    >>> rng = np.random.default_rng(0)
    >>> y = np.array(["rye"] * 20 + ["oats"] * 5)
    >>> X = rng.normal(size=(25, 12)) + (y == "rye")[:, None]
    >>> spectra, labels = Augmenter("smote", times=0, random_state=0).fit_resample(X, y)
    >>> int((labels == "oats").sum())
    20
    """

    _sampling_type = "over-sampling"
    _parameter_constraints: ClassVar[dict[str, object]] = {
        "generator": "no_validation",
        "lam": [VALID_LAMBDA_OMEGA],
        "times": [VALID_LAMBDA_OMEGA],
        "omega": [VALID_LAMBDA_OMEGA, None],
        "params": [Mapping, None],
        "preset": [str],
        "device": [str],
        "wavelengths": ["array-like", None],
        "random_state": ["random_state"],
        "sampling_strategy": [StrOptions({"auto"}), Mapping],
    }

    def __init__(
        self,
        generator: str | Any = "smote",
        lam: float = 1.0,
        *,
        times: float = TIMES,
        omega: float | None = None,
        params: Mapping[str, object] | None = None,
        preset: str = "cpu",
        device: str = "auto",
        wavelengths: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
        sampling_strategy: str | Mapping[Any, int] = "auto",
    ) -> None:
        self.generator = generator
        self.lam = lam
        self.times = times
        self.omega = omega
        self.params = params
        self.preset = preset
        self.device = device
        self.wavelengths = wavelengths
        self.random_state = random_state
        self.sampling_strategy = sampling_strategy

    def _wanted(self, y: AnyArray) -> dict[Any, int]:
        """Synthetic samples of each label, as λ and ``times`` or the strategy ask."""
        labels, counts = np.unique(y, return_counts=True)
        real = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        if isinstance(self.sampling_strategy, str):
            made = synthetic_counts(real, Rate(self.lam, self.times))
            return {label: made[label] for label in real}
        # imbalanced-learn has checked the numbers, and taken the real samples off them.
        return {label: int(self.sampling_strategy_.get(label, 0)) for label in real}

    def _fit_resample(self, X: Any, y: AnyArray) -> tuple[Any, AnyArray]:
        self.sampling_strategy_ = self._wanted(y)
        self.weights_ = np.ones(len(y), dtype=np.float32)
        if not any(self.sampling_strategy_.values()):
            return X, y
        labels, ids = np.unique(y, return_inverse=True)
        as_sparse = sparse.issparse(X)
        spectra = X.toarray() if as_sparse else X
        every = self._synthesise(spectra, ids.astype(np.int16) + 1, labels.tolist())
        made = self._asked_for(every.synthetic, labels.tolist())
        self._warn(every.card, spectra, made)
        self.weights_ = np.concatenate([self.weights_, made.weight])
        spectra = np.vstack([spectra, made.centres])
        return type(X)(spectra) if as_sparse else spectra, np.concatenate([y, labels[made.y - 1]])

    def _rate(self, y: AnyArray) -> Rate:
        """λ and M; for a strategy the M that gives every class at least what is asked for."""
        if isinstance(self.sampling_strategy, str):
            return Rate(float(self.lam), float(self.times))
        real = np.bincount(y)
        wanted = list(self.sampling_strategy_.values())
        return Rate(0.0, float(max(np.ceil(n / real[c]) for c, n in enumerate(wanted, start=1))))

    def _asked_for(self, made: PatchSamples, labels: Sequence[Any]) -> PatchSamples:
        """The first samples of each class, as many as are asked for."""
        first = [
            np.flatnonzero(made.y == c)[: self.sampling_strategy_[label]]
            for c, label in enumerate(labels, start=1)
        ]
        return made.take(np.sort(np.concatenate(first)))

    def _warn(self, card: Card, real: AnyArray, made: PatchSamples) -> None:
        """Say that weights are not passed on, that there are no unlabelled pixels, and that a
        generator made nothing but copies.
        """
        name = card.name
        if (made.weight != 1).any():
            low, high = made.weight.min(), made.weight.max()
            weight = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            warnings.warn(
                f"a sample of {name} counts {weight} in a benchmark, and 1 in a pipeline, which"
                " passes no weights on: weights_ has them, for fit(..., sample_weight=)",
                stacklevel=5,
            )
        if card.scope == "scene":
            warnings.warn(
                f"{name} also learns from unlabelled pixels in a benchmark, of which fit_resample"
                " has none: hsiaug.augment_scene has those of a scene",
                stacklevel=5,
            )
        rows = {row.tobytes() for row in np.asarray(real, dtype=np.float32)}
        copies = all(row.tobytes() in rows for row in made.centres.astype(np.float32))
        # Where all real spectra are equal, so are all others.
        if copies and len(rows) > 1 and name not in COPYING:
            warnings.warn(
                f"all {len(made)} synthetic spectra of {name} are copies of real ones",
                stacklevel=5,
            )

    def _synthesise(
        self, x: AnyArray, ids: NDArray[np.int16], labels: Sequence[object]
    ) -> PixelSynthesis:
        """Synthetic samples of spectra (n, B) with class ids (n,), which stand in a scene of one
        column.
        """
        centres = None if self.wavelengths is None else self._centres(x.shape[1])
        largest = float(np.abs(x).max())
        if largest and not SMALLEST_VALUE <= largest <= LARGEST_VALUE:
            raise ValueError(
                f"the largest number of X must lie in {SMALLEST_VALUE:.2g} to {LARGEST_VALUE:.2g},"
                f" whose squares float32 holds; found {largest:.2g}: use another unit"
            )
        scene = Scene(
            "samples", x[:, None], ids[:, None], tuple(map(str, labels)), centres, units="as given"
        )
        rate = self._rate(ids)
        request = sample_request(
            generator=self.generator,
            preset=self.preset,
            params=self.params,
            lam=rate.lam,
            times=rate.times,
            omega=self.omega,
            seed=self._seed(),
            patch=1,
            device=self.device,
        )
        # Whoever calls a sampler has split already: every spectrum is for training.
        every = np.ones(scene.shape, dtype=bool)
        truth = scene.labels.ravel().astype(np.int64)
        split = cast(TaskSplit, Blind(every, ~every, truth, patch=1))
        context = SceneContext(scene, get_task("pixels"), split=split)
        return cast(
            PixelSynthesis,
            synthesise(sample_kit("pixels"), scene, request, registry(), context=context),
        )

    def _seed(self) -> int:
        """That of a benchmark where a number is given, else a drawn one."""
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _centres(self, bands: int) -> NDArray[np.float64]:
        """(B,) band centres in nm. Warns where their unit was guessed; raises ValueError for
        others.
        """
        centres, note = centres_in_nm(np.ravel(np.asarray(self.wavelengths, dtype=np.float64)))
        if len(centres) != bands or np.isnan(centres).any():
            raise ValueError(
                f"wavelengths must be {bands} positive numbers, a band centre for each column of X"
            )
        if note:
            warnings.warn(note, stacklevel=5)
        return centres
