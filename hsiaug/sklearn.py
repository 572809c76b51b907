"""Generators as samplers of scikit-learn and imbalanced-learn.

::

    from hsiaug.sklearn import Augmenter
    from imblearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    make_pipeline(Augmenter("smote", lam=1.0, random_state=0), SVC()).fit(X, y)
"""

import warnings
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, ClassVar, cast

import numpy as np
from imblearn.base import BaseSampler
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from hsiaug.base.arrays import AnyArray
from hsiaug.core.scene import Scene
from hsiaug.data.band_centres import centres_in_nm
from hsiaug.protocol.balance import MAX_LAMBDA_OMEGA, Rate, synthetic_counts
from hsiaug.protocol.split import Blind
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import PixelSynthesis, sample_request
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskSplit
from hsiaug.trial.trial_run import SceneContext

SMALLEST_VALUE = float(np.sqrt(np.finfo(np.float32).tiny))
LARGEST_VALUE = float(np.sqrt(np.finfo(np.float32).max))
"""Where the largest number of spectra must lie: generators compute with squares in float32."""

VALID_LAMBDA_OMEGA = Interval(Real, 0, MAX_LAMBDA_OMEGA, closed="both")


class Augmenter(BaseSampler):  # type: ignore[misc]
    """Add synthetic spectra of any generator plugin to labelled spectra.

    It is a sampler of imbalanced-learn: ``fit_resample(X, y)`` gives X and y as they were, and
    synthetic spectra with their labels behind them. The generator sees spectra alone: no
    neighbouring and no unlabelled pixels. The labels are its names of classes.

    Parameters
    ----------
    generator : str or plugin, default "smote"
        A name, or what :func:`hsiaug.generator` makes.
    lam : float, default 1.0
        Sample balance rate λ: 1 fills every class up to the largest.
    times : float, default 0.0
        M, further samples for each real one.
    omega : float, optional
        Guidance strength ω. Default: the generator's own.
    params : mapping, optional
        Hyper-parameters of the generator by name.
    preset : str, default "cpu"
        A set of defaults that the generator names.
    device : str, default "auto"
        ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.
    wavelengths : array-like of shape (B,), optional
        Band centres in nm; numbers below 100 are taken as µm.
    random_state : int or RandomState, optional
        Of the fit and of the samples.

    Attributes
    ----------
    sampling_strategy_ : dict
        Synthetic samples by label, after a call.
    weights_ : ndarray of shape (n',), float32
        What the generator lets its samples count, 1 for real ones. No pipeline passes them on.

    Raises
    ------
    InputError
        For names and parameters that are not valid.
    ValueError
        For other arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.sklearn import Augmenter
    >>> rng = np.random.default_rng(0)
    >>> y = np.array(["rye"] * 20 + ["oats"] * 5)
    >>> X = rng.normal(size=(25, 12)) + (y == "rye")[:, None]
    >>> spectra, labels = Augmenter("smote", random_state=0).fit_resample(X, y)
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
    }

    def __init__(
        self,
        generator: str | Any = "smote",
        lam: float = 1.0,
        *,
        times: float = 0.0,
        omega: float | None = None,
        params: Mapping[str, object] | None = None,
        preset: str = "cpu",
        device: str = "auto",
        wavelengths: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
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

    def set_params(self, **params: Any) -> "Augmenter":
        """Set parameters by name.

        Raises ValueError for ``sampling_strategy``, which ensembles of imbalanced-learn set: lam
        and times replace it.
        """
        if "sampling_strategy" in params:
            raise ValueError(
                "an Augmenter has lam and times in place of sampling_strategy, which ensembles such"
                " as BalancedBaggingClassifier set: bag a pipeline, make_pipeline(Augmenter(),"
                " classifier)"
            )
        return cast("Augmenter", super().set_params(**params))

    def sampling_strategy(self, y: AnyArray) -> dict[Any, int]:
        """Samples of each label, real and synthetic, as λ and ``times`` ask; imbalanced-learn calls
        it.
        """
        labels, counts = np.unique(y, return_counts=True)
        real = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        made = synthetic_counts(real, Rate(self.lam, self.times))
        return {label: n + made[label] for label, n in real.items()}

    def _fit_resample(self, X: Any, y: AnyArray) -> tuple[Any, AnyArray]:
        self.weights_ = np.ones(len(y), dtype=np.float32)
        if not any(self.sampling_strategy_.values()):
            return X, y
        labels, ids = np.unique(y, return_inverse=True)
        as_sparse = sparse.issparse(X)
        spectra = X.toarray() if as_sparse else X
        made = self._synthesise(spectra, ids.astype(np.int16) + 1, labels.tolist()).synthetic
        self.weights_ = np.concatenate([self.weights_, made.weight])
        spectra = np.vstack([spectra, made.centres])
        return type(X)(spectra) if as_sparse else spectra, np.concatenate([y, labels[made.y - 1]])

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
        request = sample_request(
            generator=self.generator,
            preset=self.preset,
            params=self.params,
            lam=float(self.lam),
            times=float(self.times),
            omega=self.omega,
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
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
