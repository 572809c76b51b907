"""The checks of protocols: who trains and who is tested is drawn apart, again alike, and as
declared.
"""

import pickle
import unittest
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np

from hsiaug.base.errors import PluginError
from hsiaug.core.pairs import PairSet, Place, Side
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.tiling import TileSplit, draw_tiles
from hsiaug.registry.card import Card
from hsiaug.registry.protocol_base import Buffer, SplitProtocol
from hsiaug.tasks.task import USUAL
from hsiaug.testing.checks import CheckList, other_global_seeds, require
from hsiaug.testing.scenes import PATCH, TILE
from hsiaug.testing.shared_checks import OF_CARDS

SEEDS = (0, 1, 2)
BUFFERS: tuple[Buffer, ...] = ("none", "centre", "patch")

Drawn = list[Split | TileSplit]
"""A split of single pixels where the card names them, and one of tiles where it names masks."""


class ProtocolSubject:
    """A protocol under test, and what it drew. Raises PluginError for what is no protocol.

    Attributes
    ----------
    argument : str or None
        What is typed after the colon, or None for the protocol's own example.
    """

    def __init__(self, plugin: object, argument: str | None) -> None:
        if not (
            isinstance(plugin, type)
            and issubclass(plugin, SplitProtocol)
            and isinstance(plugin.card, Card)
        ):
            rule = (
                "the conformance kit checks subclasses of hsiaug.api.SplitProtocol that carry a"
                " Card"
            )
            hint = "Derive the class from it, and set card = Card(name=…, version=…, summary=…)."
            raise PluginError(rule, value=repr(plugin), hint=hint)
        self.plugin = plugin
        self.card = plugin.card
        self.argument = plugin.example if argument is None else argument

    def protocol(self, buffer: Buffer | None = None) -> SplitProtocol:
        """The protocol, parsed from its text."""
        return self.plugin.parse(self.argument, buffer or self.plugin.usual_buffer)

    @cached_property
    def scene(self) -> Scene:
        """The toy scene, each pixel four times: its classes are large enough for every buffer."""
        toy = toy_scene()
        rows, columns = np.indices(toy.shape).repeat(2, axis=1).repeat(2, axis=2)
        return Scene(
            "conformance", toy.cube[rows, columns], toy.labels[rows, columns], toy.class_names
        )

    def drawn(self, seed: int, scene: Scene | None = None) -> Drawn:
        """Draw ``seed`` in every task that the card names; the splits refuse what is shared, empty
        or unlabelled.
        """
        scene = scene or self.scene
        drawn: Drawn = []
        if self.card.serves(USUAL):
            drawn.append(draw_split(scene, self.protocol(), seed, PATCH))
        # Tiles of one date and of two are drawn alike.
        if {"segmentation", "change"} & set(self.card.tasks):
            drawn.append(draw_tiles(_halves(scene), self.protocol(), seed, TILE))
        return drawn

    def pixels(self, seed: int, buffer: Buffer | None = None) -> Split:
        """The split of single pixels. Raises SkipTest for a protocol of masks alone."""
        if not self.card.serves(USUAL):
            raise unittest.SkipTest("a protocol of masks: training and test tiles share no pixel")
        return draw_split(self.scene, self.protocol(buffer), seed, PATCH)

    @cached_property
    def base(self) -> list[str]:
        """Checksums of the first splits."""
        return _sums(self.drawn)


def _halves(scene: Scene) -> PairSet:
    """The scene as two places, one of training and one of test."""
    pairs = PairSet.of(scene)
    middle = scene.shape[0] // 2
    (place,) = pairs.places

    def half(name: str, side: Side, rows: slice) -> Place:
        return Place(name, place.images[:, :, rows].copy(), place.mask[rows].copy(), side)

    train = half("one", "train", slice(middle))
    test = half("other", "test", slice(middle, None))
    return replace(pairs, places=(train, test))


def _sums(draw: Callable[[int], Drawn]) -> list[str]:
    return [split.audit.sha256 for seed in SEEDS for split in draw(seed)]


CHECKS = CheckList(OF_CARDS)


@CHECKS.add(
    "Keep everything that a split depends on in the argument, in one canonical form.", needs=()
)
def text(subject: ProtocolSubject) -> None:
    """its text parses to the same protocol again, in other processes too, and its identity is
    text
    """
    protocol = subject.protocol()
    parsed = subject.plugin.parse(protocol.text.partition(":")[2], protocol.buffer)
    require(parsed == protocol, f"{protocol.text!r} became {parsed!r}")
    require(pickle.loads(pickle.dumps(protocol)) == protocol, "another protocol after pickling")
    strange = {
        key: value for key, value in protocol.as_json().items() if not isinstance(value, str)
    }
    require(not strange, f"an identity that is no text: {strange}")


@CHECKS.add(
    "Return boolean masks of the labels' shape; take training pixels where labels > 0.", needs=()
)
def runs(subject: ProtocolSubject) -> None:
    """draws 0 to 2 share no pixel between train and test, leave no side empty and hold labelled
    pixels only
    """
    require(
        subject.base, "a card without a task that there is", "Name pixels, segmentation or change."
    )


@CHECKS.add("Draw from self.rng(scene, seed) only.")
def determinism(subject: ProtocolSubject) -> None:
    """a seed gives the same split again, whatever the global random states are"""
    first = subject.base
    with other_global_seeds():
        repeated = _sums(subject.drawn)
    require(repeated == first, "another split of the same seed")


@CHECKS.add("Draw from self.rng(scene, seed), read scene.labels only, or set reads_spectra.")
def labels_only(subject: ProtocolSubject) -> None:
    """a split depends on the labels, and neither on what the scene is called nor, unless declared,
    on the spectra
    """
    original = subject.scene
    cube = original.cube if subject.protocol().reads_spectra else original.cube[::-1] + 1
    altered = Scene("other", cube, original.labels, original.class_names)
    drawn = _sums(lambda seed: subject.drawn(seed, scene=altered))
    require(drawn == subject.base, "another split of the same labels")


@CHECKS.add("Take at least one pixel of each class for training, and leave it some for test.")
def every_class(subject: ProtocolSubject) -> None:
    """every class that has pixels enough, and fields where only new ones are tested, has training
    and test pixels
    """
    scene = subject.scene
    alone = {c for c in scene.class_ids if len(np.unique(scene.fields[scene.labels == c])) < 2}
    for seed in SEEDS:
        audit = subject.pixels(seed).audit
        require(
            not audit.untrained_classes,
            f"classes {audit.untrained_classes} without training pixels",
        )
        lost = tuple(
            c for c in audit.lost_classes if c not in alone or any(audit.seen_counts or ())
        )
        require(not lost, f"classes {lost} without test pixels")


@CHECKS.add("Leave buffer_radius as it is: the core then keeps the buffer.")
def buffer(subject: ProtocolSubject) -> None:
    """with --buffer centre no test pixel lies in a training patch, with patch no test patch meets
    one, or the split notes that its buffer is narrower
    """
    for chosen in BUFFERS:
        split = subject.pixels(0, chosen)
        audit = split.audit
        meets = {"centre": audit.centre_overlap_percent, "patch": audit.patch_overlap_percent}.get(
            chosen, 0
        )
        require(
            not meets or split.notes, f"{meets} % of test pixels nearer than buffer {chosen} allows"
        )


@CHECKS.add("Set leaky as what is measured, or keep a buffer.")
def leaky(subject: ProtocolSubject) -> None:
    """leaky = True where test pixels lie in training patches, and nowhere else"""
    overlap = subject.pixels(0).audit.centre_overlap_percent
    declared = subject.plugin.leaky
    require(
        declared == (overlap > 0),
        f"{overlap} % of test pixels lie in a training patch, and leaky = {declared}",
    )
