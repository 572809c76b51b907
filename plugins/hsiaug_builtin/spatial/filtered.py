"""A classifier whose shares are smoothed.

``filtered:NAME`` by a guided filter, ``superpixel:NAME`` over superpixels, ``random-walk:NAME`` by
random walks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hsiaug.api import Card, TrainView, param
from hsiaug_builtin.spatial.component_images import guide_image
from hsiaug_builtin.spatial.partner import PartnerParams
from hsiaug_builtin.spatial.smoothed import Choice, Smoothed

GUIDES = 3
"""Principal components along whose edges shares are smoothed."""
RADII = (1, 2, 3)
"""Pixels, of the filter's windows."""
STEPS = (2, 6, 18)
"""Of random walks, at most."""
SIDES = (3, 5, 8)
"""Pixels, of superpixels; a choice averages over all sides up to its own. Both, and the rule of the
choice, were set on splits 100 to 103 of Indian Pines, of crops of Houston and Pavia, and of Jasper
Ridge, and on 400 and 401 of Houston, under ``issd``.
"""


@dataclass(frozen=True)
class SmoothedParams(PartnerParams):
    """The partner."""

    partner: str = param("svm", "name of the classifier whose probabilities are smoothed")


@dataclass(frozen=True)
class FilteredParams(SmoothedParams):
    """Of ``filtered:NAME``."""

    family: ClassVar[str] = "filtered"


@dataclass(frozen=True)
class RandomWalkParams(SmoothedParams):
    """Of ``random-walk:NAME``."""

    family: ClassVar[str] = "random-walk"


@dataclass(frozen=True)
class SuperpixelParams(SmoothedParams):
    """Of ``superpixel:NAME``."""

    family: ClassVar[str] = "superpixel"


class Filtered(Smoothed[FilteredParams]):
    """The partner's shares through a guided filter, guided by each of the first principal
    components, and averaged.

    Kang et al. choose radius and ε by hand, and filter the map of each class as 0 and 1 with one
    component as guide; here shares are filtered, the radius is chosen on left-out training pixels,
    and may be none.
    """

    card = Card(
        name="filtered",
        version="1",
        summary=(
            "Probabilities of another classifier, smoothed but not across edges, as filtered:NAME"
        ),
        paper="""After @article{kang2014epf, author={Xudong Kang and Shutao Li and J{\\'o}n Atli
            Benediktsson}, title={Spectral-Spatial Hyperspectral Image Classification With
            Edge-Preserving Filtering}, journal={IEEE Transactions on Geoscience and Remote
            Sensing}, volume={52}, number={5}, pages={2666--2677}, year={2014},
            doi={10.1109/TGRS.2013.2264508}}; filter: @article{he2013guided, author={Kaiming He and
            Jian Sun and Xiaoou Tang}, title={Guided Image Filtering}, journal={IEEE Transactions on
            Pattern Analysis and Machine Intelligence}, volume={35}, number={6}, pages={1397--1409},
            year={2013}, doi={10.1109/TPAMI.2012.213}}""",
        scope="scene",
        input="scene+samples",
        seconds=3.0,
        params=FilteredParams,
        variant="partner",
    )

    def choices(self, view: TrainView) -> Mapping[str, Choice]:
        """Return guided filters of several radii."""
        from hsiaug_builtin.spatial.smoothing import guided_filter

        guides = guide_image(view, GUIDES)
        return {f"radius {r}": Choice(guided_filter(guides, r), 2 * r) for r in RADII}


class Superpixel(Smoothed[SuperpixelParams]):
    """The partner's shares, averaged over superpixels of several scales.

    How large they may be is chosen on left-out training pixels; none is among the choices.
    """

    card = Card(
        name="superpixel",
        version="1",
        summary=(
            "Probabilities of another classifier, averaged over superpixels of several scales,"
            " as superpixel:NAME"
        ),
        paper="""After @article{zhang2017multiscale, author={Shuzhen Zhang and Shutao Li and Wei Fu
            and Leyuan Fang}, title={Multiscale Superpixel-Based Sparse Representation for
            Hyperspectral Image Classification}, journal={Remote Sensing}, volume={9}, number={2},
            pages={139}, year={2017}, doi={10.3390/rs9020139}}; superpixels:
            @article{achanta2012slic, author={Radhakrishna Achanta and Appu Shaji and Kevin Smith
            and Aurelien Lucchi and Pascal Fua and Sabine S{\\"u}sstrunk}, title={{SLIC} Superpixels
            Compared to State-of-the-Art Superpixel Methods}, journal={IEEE Transactions on Pattern
            Analysis and Machine Intelligence}, volume={34}, number={11}, pages={2274--2282},
            year={2012}, doi={10.1109/TPAMI.2012.120}}""",
        scope="scene",
        input="scene+samples",
        seconds=3.0,
        params=SuperpixelParams,
        variant="partner",
    )

    def choices(self, view: TrainView) -> Mapping[str, Choice]:
        """Return votes of superpixels up to several sides."""
        from hsiaug_builtin.spatial.smoothing import superpixel_means

        image = guide_image(view, GUIDES)
        ways = (SIDES[: i + 1] for i in range(len(SIDES)))
        return {
            f"side {sides[-1]}": Choice(superpixel_means(image, sides), 2 * sides[-1])
            for sides in ways
        }


class RandomWalk(Smoothed[RandomWalkParams]):
    """The partner's shares where random walks from a pixel end, which cross edges of the first
    components rarely.

    Kang et al. solve for walks without end, and weigh them against the shares by hand; here the
    number of steps is chosen on left-out training pixels, and may be none.
    """

    card = Card(
        name="random-walk",
        version="1",
        summary=(
            "Probabilities of another classifier, spread by random walks that rarely cross"
            " edges, as random-walk:NAME"
        ),
        paper="""After @article{kang2015erw, author={Xudong Kang and Shutao Li and Leyuan Fang and
            Meixiu Li and J{\\'o}n Atli Benediktsson}, title={Extended Random Walker-Based
            Classification of Hyperspectral Images}, journal={IEEE Transactions on Geoscience and
            Remote Sensing}, volume={53}, number={1}, pages={144--153}, year={2015},
            doi={10.1109/TGRS.2014.2319373}}; walks: @article{grady2006walks, author={Leo Grady},
            title={Random Walks for Image Segmentation}, journal={IEEE Transactions on Pattern
            Analysis and Machine Intelligence}, volume={28}, number={11}, pages={1768--1783},
            year={2006}, doi={10.1109/TPAMI.2006.233}}""",
        scope="scene",
        input="scene+samples",
        seconds=3.0,
        params=RandomWalkParams,
        variant="partner",
    )

    def choices(self, view: TrainView) -> Mapping[str, Choice]:
        """Return random walks of several lengths."""
        from hsiaug_builtin.spatial.smoothing import walk_at_random

        image = guide_image(view, GUIDES)
        return {f"{steps} steps": Choice(walk_at_random(image, steps), steps) for steps in STEPS}
