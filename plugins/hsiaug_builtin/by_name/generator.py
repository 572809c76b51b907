"""Any over-sampler of imbalanced-learn, between whole patches."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, PluginError, TrainView, param
from hsiaug_builtin.by_name.lookup import build, described, find_class, parse_options, seeded
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, cycle, lone_classes

MODULES = ("over_sampling",)
TAG = 1e-3
"""Of each sample's own column, in z-scores, by which its share in a new one is read: so small that no distance changes
but by the same for all pairs."""


@dataclass(frozen=True)
class ImblearnParams:
    """Which over-sampler, and its arguments. Raises InputError where imbalanced-learn has no such class or argument."""

    sampler: str = param("BorderlineSMOTE", "CLASS of imblearn.over_sampling")
    options: str = param("", "its arguments, as k_neighbors=3, kind=borderline-2")

    def __post_init__(self) -> None:
        build_sampler(self.sampler, self.options, {}, 0)


def build_sampler(sampler: str, options: str, own: dict[str, Any], seed: int) -> Any:
    """The over-sampler, with arguments of the user, and ``own`` ones."""
    from imblearn.over_sampling.base import BaseOverSampler

    label = f"imblearn:{sampler}"
    cls = find_class("imblearn", sampler, MODULES, BaseOverSampler)
    return build(cls, {**seeded(cls, seed), **parse_options(options, label), **own}, label)


@dataclass(frozen=True, eq=False)
class FittedSampler(FittedPatches):
    """z: (n, B) z-scored centre spectra of the real patches, between which neighbours are looked for."""

    z: NDArray[np.float32]
    sampler: str
    options: str
    name = "imblearn"

    @property
    def notes(self) -> dict[str, object]:
        """The class, its arguments and version; and classes of one sample, which are repeated."""
        model = build_sampler(self.sampler, self.options, {}, 0)
        lone = lone_classes(self.y)
        facts = described("imblearn", type(model), parse_options(self.options, "imblearn"))
        return {**facts, **({"duplicated": lone} if lone else {})}

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        n, rng = len(self.y), np.random.default_rng(seed)
        if len(rows) < 2:
            return np.repeat(self.x[rows], count, axis=0)
        model = build_sampler(self.sampler, self.options, {"sampling_strategy": {c: len(rows) + count}}, seed)
        # A small class has fewer neighbours than are asked for.
        for argument, most in (("k_neighbors", len(rows) - 1), ("n_neighbors", n - 1), ("m_neighbors", n - 1)):
            if isinstance(asked := getattr(model, argument, None), int):
                model.set_params(**{argument: min(asked, most)})
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of numbers of clusters and neighbours
                found, _ = model.fit_resample(np.hstack([self.z, TAG * np.eye(n)]), self.y)
        except (ValueError, RuntimeError) as error:
            raise PluginError(
                f"imblearn:{self.sampler} must be able to make {count} samples of class {c} from {len(rows)}",
                value=f"{type(error).__name__}: {error}",
                hint="Change its options, or take smote, which repeats what it cannot interpolate.",
            ) from error
        shares = found[n:, -n:] / TAG
        if not len(shares):
            shares = np.eye(n)[rows]  # no sample lies where this sampler would make one
        shares = shares[cycle(np.arange(len(shares)), count, rng)]
        flat = shares.astype(np.float32) @ self.x.reshape(n, -1)
        return np.asarray(flat, dtype=np.float32).reshape(count, *self.x.shape[1:])


class Imblearn(PatchGenerator):
    """An over-sampler of imbalanced-learn, by name.

    Neighbours are looked for between z-scored centre spectra, and new samples are the same combinations of whole patches,
    in scene units. A small class has fewer neighbours; a class of one is repeated, which is recorded.
    """

    card = Card(
        name="imblearn",
        version="1",
        summary="Any over-sampler of imbalanced-learn between patches, as imblearn:BorderlineSMOTE",
        paper="""@article{lemaitre2017imblearn, author={Guillaume Lema{\\^i}tre and Fernando Nogueira and Christos K.
            Aridas}, title={Imbalanced-learn: A {P}ython Toolbox to Tackle the Curse of Imbalanced Datasets in Machine
            Learning}, journal={Journal of Machine Learning Research}, volume={18}, number={17}, pages={1--5},
            year={2017}}; each sampler has its own source""",
        seconds=0.5,
        params=ImblearnParams,
        variant="sampler",
    )
    fitted = FittedSampler

    def learn(self, view: TrainView) -> dict[str, Any]:
        """Normalise the centre spectra."""
        return {"z": view.normaliser.spectra(view.real.centres), **asdict(self.params)}
