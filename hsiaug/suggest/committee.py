"""The committee: classifiers that learn from the same labels, each in a spectral view, and call
every pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy  # its parts are loaded where they are used
from numpy.typing import NDArray

from hsiaug.base.errors import HsiaugError, PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.bench.defaults import COMMITTEE
from hsiaug.contracts import Classifier, Progress, silent
from hsiaug.core.samples import take_in_turn
from hsiaug.core.scene import UnlabelledScene
from hsiaug.core.view_names import RAW, UNIT, view_or_raw, with_view
from hsiaug.protocol.split import BlindSplit
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.draws import PixelDraws
from hsiaug.tasks.prediction import PixelPredictor
from hsiaug.tasks.sampling import PatchSampling
from hsiaug.tasks.view_choice import named_view
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.plugin_calls import kept_state

VIEWS = (RAW, UNIT, "derivative")
"""Over which the committee votes: light, shape and slope of a spectrum.
"""
MAX_TRAINING_PIXELS = 600
"""Labelled pixels that a member learns at most, so that its cross-validation takes seconds however
many there are.
"""


@dataclass(frozen=True)
class Member:
    """A classifier's name, and the spectral view that it is shown."""

    classifier: str
    view: str

    def __str__(self) -> str:
        return with_view(self.classifier, self.view)


def committee(bands: int) -> tuple[Member, ...]:
    """The usual classifiers, each in every spectral view that a scene of so many bands allows."""
    views = dict.fromkeys(view_or_raw(view, bands) for view in VIEWS)
    return tuple(Member(name, view) for name in COMMITTEE for view in views)


def cast_votes(
    scene: UnlabelledScene,
    known: BlindSplit,
    members: Sequence[Member],
    plugins: Registry,
    *,
    seed: int = 0,
    progress: Progress,
) -> NDArray[np.int16]:
    """(members, H, W) int16: what each calls every pixel, 0 where there is no data. Nobody is shown
    another label than those of ``known``; of more than ``MAX_TRAINING_PIXELS`` they learn so many,
    one of each class in turn.

    Raises PluginError for a classifier that fails.
    """
    loaded = [plugins.find("classifier", member.classifier).load() for member in members]
    known = _thinned(known, seed)
    votes = np.zeros((len(members), *scene.shape), dtype=np.int16)
    for i, (member, plugin) in enumerate(zip(members, loaded, strict=True)):
        progress(i, len(members), str(member))
        try:
            # Its own progress would hide whose turn it is.
            votes[i] = learn_and_map(scene, known, member, plugin, seed, silent)
        except HsiaugError:
            raise
        except Exception as error:
            rule = (
                f"classifier {member} must learn from {len(known.train_labels)} pixels and call"
                " every other"
            )
            raise PluginError(rule, value=f"{type(error).__name__}: {error}") from error
    progress(len(members), len(members))
    return votes


def _thinned(split: BlindSplit, seed: int) -> BlindSplit:
    """The first ``MAX_TRAINING_PIXELS`` known pixels in random order, one of each class in turn;
    all where there are no more.
    """
    y = split.train_labels
    if len(y) <= MAX_TRAINING_PIXELS:
        return split
    mixed = np.argsort(np.random.default_rng(derive_seed("thinned", seed)).random(len(y)))
    chosen = np.sort(mixed[take_in_turn(y[mixed])][:MAX_TRAINING_PIXELS])
    train = np.zeros_like(split.train)
    train[tuple(np.argwhere(split.train)[chosen].T)] = True
    return replace(split, train=train, train_labels=y[chosen])


def learn_and_map(
    scene: UnlabelledScene,
    known: BlindSplit,
    member: Member,
    plugin: type[Classifier],
    seed: int,
    progress: Progress,
) -> NDArray[np.int16]:
    """(H, W) int16: what a classifier that has learnt the known labels calls every pixel, 0 where
    there is no data.
    """
    card = plugin.card
    draws = PixelDraws()
    with kept_state():
        view = draws.view(scene, known, card.scope)
        spectra = named_view(member.view, scene.wavelengths, lambda: view)
        fitted = plugin(build_params(card)).fit(
            PatchSampling().shown(view.real, card, spectra),
            draws.seen(view, spectra),
            seed=derive_seed("classifier", member.classifier, seed),
            device=resolve_device("auto", card),
            progress=silent,
        )
        return PixelPredictor().map_pixels(
            fitted, card, scene, known.patch, known.train, progress, spectra
        )


def disagreement(votes: NDArray[np.int16], classes: int) -> NDArray[np.float32]:
    """(H, W) float32, 0..1: entropy of the votes (members, H, W) of class ids 1..classes, over that
    of all different.

    H. S. Seung, M. Opper and H. Sompolinsky, Query by committee, COLT 1992,
    doi:10.1145/130385.130417; the entropy of votes: I. Dagan and S. P. Engelson, Committee-based
    sampling for training probabilistic classifiers, ICML 1995.
    """
    entropy = sum(scipy.special.entr((votes == c).mean(axis=0)) for c in range(1, classes + 1))
    return np.asarray(entropy / np.log(min(len(votes), max(classes, 2))), dtype=np.float32)
