"""Any over-sampler of imbalanced-learn, between whole patches."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, InputError, PluginError, param
from hsiaug_builtin.by_name.lookup import build, described, find_class, parse_options, seeded
from hsiaug_builtin.nets.patches import FittedPatches, PatchGenerator, cycle, lone_classes

MODULES = ("over_sampling",)

OF_CATEGORIES = ("SMOTEN", "SMOTENC")
"""Over-samplers whose features are categories: of spectra they would make most frequent numbers."""

USUAL = 16
"""Exponent of 2 of the largest value up to which the over-sampler is given spectra in their own
unit.
"""

NEIGHBOURS = {"k_neighbors": "class", "n_neighbors": "class", "m_neighbors": "all"}
"""Arguments that number neighbours, and among which samples these are looked for."""


OWN_ARGUMENTS = ("sampling_strategy",)
"""Arguments of an over-sampler that are set for each class."""


@dataclass(frozen=True)
class ImblearnParams:
    """Which over-sampler, and its arguments. Raises InputError where imbalanced-learn has no such
    class or argument.
    """

    sampler: str = param("BorderlineSMOTE", "CLASS of imblearn.over_sampling")
    options: str = param("", "its arguments, as k_neighbors=3, kind=borderline-2")

    def __post_init__(self) -> None:
        build_sampler(self.sampler, self.options, {}, 0)


def build_sampler(sampler: str, options: str, fixed: dict[str, Any], seed: int) -> Any:
    """The over-sampler, with arguments of the user, and ``fixed`` ones."""
    from imblearn.over_sampling.base import BaseOverSampler

    label = f"imblearn:{sampler}"
    if sampler in OF_CATEGORIES:
        raise InputError(
            "imblearn:NAME must name an over-sampler of numbers",
            value=f"{sampler}, whose features are categories",
            hint="Take imblearn:SMOTE or imblearn:BorderlineSMOTE.",
        )
    cls = find_class("imblearn", sampler, MODULES, BaseOverSampler)
    given = parse_options(options, label)
    if refused := [name for name in (*OWN_ARGUMENTS, *seeded(cls, seed)) if name in given]:
        raise InputError(
            f"{label} gets from hsiaug which samples to make, and the seed",
            value=f"{refused[0]}={given[refused[0]]}",
            hint="Leave it out: --lambda and --times say how many samples of each class are made.",
        )
    return build(cls, {**seeded(cls, seed), **given, **fixed}, label)


@dataclass(frozen=True, eq=False)
class FittedSampler(FittedPatches):
    """The real patches, each of which the over-sampler is given as one row of numbers."""

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
        """(count, B, p, p), of those that the over-sampler adds to the class up to the size of the
        largest at least.

        Fewer are asked for than it would add by itself only where that is asked for: ADASYN shares
        them out, and of few would make none.
        """
        n = len(self.y)
        rng = np.random.default_rng(seed)
        if len(rows) < 2:
            return np.repeat(self.x[rows], count, axis=0)
        class_size = max(len(rows) + count, int(np.bincount(self.y).max()))
        model = build_sampler(
            self.sampler, self.options, {"sampling_strategy": {c: class_size}}, seed
        )
        # A small class has fewer neighbours than are asked for.
        for argument, among in NEIGHBOURS.items():
            most = (len(rows) if among == "class" else n) - 1
            if isinstance(neighbours := getattr(model, argument, None), int):
                model.set_params(**{argument: min(neighbours, most)})
        # A power of two changes no digit; libraries square distances, and have thresholds.
        exponent = int(np.frexp(np.abs(self.x).max(initial=0))[1])
        exponent = 0 if abs(exponent) <= USUAL else exponent
        flat = np.ldexp(self.x.reshape(n, -1), -exponent)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of numbers of clusters and neighbours
                resampled, _ = model.fit_resample(flat, self.y)
        except (ValueError, RuntimeError) as error:
            raise PluginError(
                f"imblearn:{self.sampler} must be able to make {count} samples of class {c} from"
                f" {len(rows)}",
                value=f"{type(error).__name__}: {error}",
                hint="Change its options, or take smote, which repeats what it cannot interpolate.",
            ) from error
        added = np.asarray(resampled, dtype=np.float32)[n:]
        if not len(added):
            added = flat[rows]  # no sample lies where this sampler would make one
        picks = (
            cycle(np.arange(len(added)), count, rng) if len(added) != count else np.arange(count)
        )
        return np.ldexp(added[picks], exponent).reshape(count, *self.x.shape[1:])


class Imblearn(PatchGenerator):
    """An over-sampler of imbalanced-learn, by name.

    It is given whole patches as rows of numbers, in scene units, as imbalanced-learn would be. A
    small class has fewer neighbours; a class of one is repeated, which is recorded.
    """

    card = Card(
        name="imblearn",
        version="2",
        summary=(
            "Any over-sampler of imbalanced-learn, applied to patches, as imblearn:BorderlineSMOTE"
        ),
        paper="""@article{lemaitre2017imblearn, author={Guillaume Lema{\\^i}tre and Fernando
            Nogueira and Christos K. Aridas}, title={Imbalanced-learn: A {P}ython Toolbox to Tackle
            the Curse of Imbalanced Datasets in Machine Learning}, journal={Journal of Machine
            Learning Research}, volume={18}, number={17}, pages={1--5}, year={2017}}; each sampler
            has its own source""",
        seconds=0.5,
        params=ImblearnParams,
        variant="sampler",
    )
    fitted = FittedSampler
