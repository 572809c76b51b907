"""Scenes on which plugins of single pixels are checked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import NOWHERE, PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.view import TrainView, patches_at
from hsiaug.registry.card import Card
from hsiaug.registry.protocol_base import SplitProtocol
from hsiaug.tasks.sampling import PatchSampling
from hsiaug.testing.core import require
from hsiaug.testing.task_cases import (
    LOW,
    NAMES,
    NOISE,
    OF_EACH,
    SPAN,
    Case,
    Items,
    case_facts,
    class_spectra,
    noisy,
    scrambled_labels,
    wrong_ids,
)

SIZES = (16, 8, 5, 3)
"""Training pixels of each class of a scene, unless a check asks for others."""
STRIPE, WIDTH, SCENE_BANDS, PATCH = 6, 22, 16, 5
"""Rows of a stripe of a scene (the last of them without label), columns, bands; side of a patch."""
TEST_FROM = 14
"""Test pixels of a scene start at this column: far from any training patch."""
LEARNT = 0.5
"""Least mean recall of a classifier of pixels on its own training pixels; naming the largest class
alone gives 0.25.
"""


class RepeatedPatches:
    """A generator that gives real patches once more."""

    card = Card(name="kit-repeats", version="1", summary="The conformance kit's generator")

    def __init__(self, params: object) -> None: ...

    def fit(self, view: TrainView, **_: object) -> Self:
        self.repeated = PixelCases().repeat(view.real)
        return self

    def sample(self, counts: Mapping[int, int], **_: object) -> PatchSamples:
        index = [np.resize(np.flatnonzero(self.repeated.y == c), n) for c, n in counts.items()]
        return self.repeated.take(np.concatenate(index))


class PixelCases:
    """Stripes, one of each class.

    Attributes
    ----------
    classes_have_spectra : bool
        Whether the pixels of a class are alike.
    generator : type
        The generator that classifiers are paired with: real samples once more.
    """

    classes_have_spectra = True
    generator = RepeatedPatches

    def easy(self) -> Case:
        """The case of most checks."""
        return _make_stripes()

    def hardest(self) -> list[Case]:
        """All troubles at once, in as few cases as they can be; in the last a class is missing."""
        return [_make_stripes((12, 2, 1, 0), hard=True)]

    def scrambled(self, case: Case, card: Card) -> Case:
        """The same but for test labels and hidden spectra."""
        scene, split = case.data, case.split
        labels = scene.labels.copy()
        cube = scene.cube.copy()
        labels[split.test] = scrambled_labels(labels[split.test], len(scene.class_names))
        if card.scope != "scene":
            cube[split.test] = cube[split.test][::-1] + np.float32(SPAN)
        altered = replace(scene, cube=cube, labels=labels)
        return Case(case.task, altered, replace(split, labels=altered.labels))

    def drawn(self, protocol: SplitProtocol, scene: Scene, seed: int) -> Split:
        """A draw of a protocol on a scene."""
        return draw_split(scene, protocol, seed, PATCH)

    def request(self, trained: Sequence[int]) -> dict[int, int]:
        """The counts that most checks ask for: unequal, and none of one class."""
        return {c: (6, 0, 9, 4)[(c - 1) % 4] for c in trained}

    def of_classes(self, counts: Mapping[int, int]) -> Mapping[int, int]:
        """A request for that many samples of each class id and nothing else."""
        return counts

    def many(self, trained: Sequence[int]) -> dict[int, int]:
        """The counts that show whether labels belong to samples: as many of each class."""
        return dict.fromkeys(trained, OF_EACH)

    def count_errors(self, samples: PatchSamples, expected: Mapping[int, int]) -> str:
        """How samples differ from what was asked for; "" where they do not."""
        ids, numbers = np.unique(samples.labels, return_counts=True)
        drawn = dict(zip(ids.tolist(), numbers.tolist(), strict=True))
        fits = drawn == {c: n for c, n in expected.items() if n}
        return "" if fits else f"{drawn} in place of {dict(expected)}"

    def inspect_labels(self, samples: PatchSamples, classes: int) -> None:
        """Raise Violation for labels, or what goes with them, that break the contract."""
        require((samples.coords == NOWHERE).all(), "samples with a location")

    def of_class(self, samples: PatchSamples, c: int) -> NDArray[np.float32]:
        """All values of one class."""
        return np.asarray(samples.x[samples.y == c])

    def visible(self, view: TrainView) -> NDArray[np.float32]:
        """All values of all bands that a view shows."""
        return np.asarray(view.cube[view.visible])

    def probes(self, case: Case, card: Card) -> tuple[Items, NDArray[np.int64]]:
        """Every second test pixel, sorted by class."""
        scene, split = case.data, case.split
        coords = np.argwhere(split.test)[::2].astype(np.int32)
        y = scene.labels[coords[:, 0], coords[:, 1]].astype(np.int64)
        x = patches_at(scene.cube, coords, split.patch)
        whole = PatchSamples(x, coords, y, np.zeros(len(y), bool), np.ones(len(y), np.float32))
        return PatchSampling().shown(whole, card).without_labels(), y

    def judged_ids(self, y: NDArray[np.int64]) -> list[int]:
        """Class ids that have enough labels for a recall to tell."""
        ids: list[int] = np.unique(y).tolist()
        return ids

    def least(self, classes: int) -> float:
        """Least mean recall over so many classes of a classifier that has learnt anything."""
        return LEARNT

    def repeat(self, real: PatchSamples) -> PatchSamples:
        """Synthetic samples that any classifier can learn from: real ones with a little noise, all
        classes alike.
        """
        ids, counts = np.unique(real.y, return_counts=True)
        index = np.concatenate([np.resize(np.flatnonzero(real.y == c), counts.max()) for c in ids])
        return PatchSamples.made(noisy(real.x[index]), real.y[index])

    def mislabel(self, real: PatchSamples, classes: int) -> PatchSamples:
        """Synthetic samples of weight 0 with wrong labels: enough to spoil what does not heed the
        weight.
        """
        repeated = self.repeat(real)
        weight = np.zeros_like(repeated.weight)
        return replace(repeated, weight=weight, y=wrong_ids(repeated.y, classes))


def _make_stripes(sizes: Sequence[int] = SIZES, *, hard: bool = False) -> Case:
    """A scene of one stripe of rows per class; training pixels at its left, test pixels at its
    right.

    The same arguments give the same case.

    Parameters
    ----------
    sizes : sequence of int
        Training pixels of class ids 1..C.
    hard : bool
        The last two bands do not vary, the very last being 0, and there are neither
        wavelengths nor descriptions.
    """
    rng = np.random.default_rng(derive_seed("conformance", 0))
    labels = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int16), STRIPE)[:, None].repeat(
        WIDTH, axis=1
    )
    cube = class_spectra(len(sizes), SCENE_BANDS)[labels - 1]
    cube = LOW + SPAN * (cube + rng.normal(0, NOISE, cube.shape))
    if hard:
        cube[..., -2:] = LOW, 0.0
    labels[STRIPE - 1 :: STRIPE] = 0
    train = np.zeros(labels.shape, dtype=bool)
    for c, size in enumerate(sizes):
        order = np.arange(size)
        train[c * STRIPE + order % (STRIPE - 1), order // (STRIPE - 1)] = True
    test = labels > 0
    test[:, :TEST_FROM] = False
    facts = case_facts(NAMES[: len(sizes)], SCENE_BANDS, "A stripe of {} beside others.", hard=hard)
    scene = Scene("conformance", cube.astype(np.float32), labels, **facts)
    return Case(
        "pixels",
        scene,
        Split(scene.labels, len(sizes), train, test, parse_protocol("issd"), PATCH, 0),
    )
