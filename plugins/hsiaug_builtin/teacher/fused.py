"""A classifier and the voters of the teacher together: the product of their shares, weighted on
left-out pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hsiaug.api import Card, FittedClassifier, PatchSamples, Plugin, Progress, TrainView, param
from hsiaug_builtin.nets.fitted import real_samples
from hsiaug_builtin.spatial.partner import PartnerParams, partner_version

BETWEEN = "+"
"""Between the names of several partners."""


@dataclass(frozen=True)
class FusedParams(PartnerParams):
    """The classifiers whose shares are multiplied with those of the teacher's voters."""

    partner: str = param("svm", "names of the classifiers that it works with, as svm+emp")

    family: ClassVar[str] = "fused"

    @property
    def names(self) -> tuple[str, ...]:
        """Of the partners."""
        return tuple(self.partner.split(BETWEEN))

    def installed(self) -> str:
        """Versions of the partners that are installed."""
        return BETWEEN.join(partner_version(name, self.family) for name in self.names)


class Fused(Plugin[FusedParams]):
    """The logarithmic opinion pool of the teacher's voters (:mod:`hsiaug_builtin.teacher`) and of
    one partner or several.

    A partner is run as it would be alone, on the CPU, in the spectral view that is chosen for it,
    and learns from all samples; one that reads the scene itself, as ``emp``, is shown it. The
    voters read training pixels and unlabelled ones. How much each voter and each partner counts,
    and whether shares are averaged over like neighbours, is learnt on two halves of the training
    pixels that lie apart, from fits on the other half (:mod:`hsiaug_builtin.teacher.teacher`); no
    synthetic sample enters these fits, as one may be made from a pixel that is left out.
    """

    card = Card(
        name="fused",
        version="2",
        summary=("Product of the probabilities of a classifier and of the teacher, as fused:NAME"),
        paper="""@article{genest1986combining, author={Christian Genest and James V. Zidek},
            title={Combining Probability Distributions: A Critique and an Annotated Bibliography},
            journal={Statistical Science}, volume={1}, number={1}, pages={114--135}, year={1986},
            doi={10.1214/ss/1177013825}}; weights: @inproceedings{heskes1997pools, author={Tom
            Heskes}, title={Selecting Weighting Factors in Logarithmic Opinion Pools},
            booktitle={Advances in Neural Information Processing Systems 10}, year={1997}}""",
        scope="scene",
        input="scene+samples",
        seconds=10.0,
        params=FusedParams,
        variant="partner",
    )

    def fit(
        self, samples: PatchSamples, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedClassifier:
        """Weigh the opinions on left-out pixels, then fit all. Raises PluginError where there is no
        real sample.
        """
        from hsiaug_builtin.teacher.teacher import fit_pool

        real = real_samples(samples, self.card.name)
        return fit_pool(
            self.params.names, samples, real, view, seed=seed, device=device, progress=progress
        )
