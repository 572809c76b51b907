"""The split of another protocol with labels that were asked for: a benchmark on labels as they are
collected.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, check_known
from hsiaug.base.seeds import derive_seed
from hsiaug.bench.defaults import COMMITTEE
from hsiaug.contracts import silent
from hsiaug.core.scene import Scene
from hsiaug.protocol.based import (
    MAX_ASKED_PIXELS,
    STRATEGIES,
    AskedLabels,
    Based,
    read_asked,
    takeable,
)
from hsiaug.protocol.split import Blind
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import registry
from hsiaug.registry.protocol_base import Buffer, Draw
from hsiaug.suggest.committee import cast_votes, committee, disagreement
from hsiaug.suggest.picks import FLOOR, Segments, cover, ground_of

ONE_IN = 4
"""Of each class one in so many labelled pixels beyond the base split's may be asked for; the others
never are.
"""
NO_BUFFER = "asked pixels have no buffer: test pixels round them lie in training patches"

Mask = NDArray[np.bool_]
_orders: dict[tuple[object, ...], list[tuple[int, int]]] = {}
"""Pixels of a split in the order in which they are asked for, as far as it is known: fits of a
committee take seconds.
"""


@dataclass(frozen=True)
class Asked(Based):
    """The base split, its buffer, and N more labelled pixels, where a strategy asks for them;
    splits are nested in N.

    Of each class one labelled pixel in ``ONE_IN``, at random, may be asked for, and all others that
    the base split tests are tested: so the test pixels of a split are the same for any strategy and
    number. Labels are read once they are chosen. Nothing is left out round asked pixels, so some of
    their neighbours are tested: the audit counts them, and the split is tagged LEAKY. Fields are
    seen or new as they are without the asked pixels. ``buffer`` is that of the base split.
    """

    card = Card(
        "asked",
        "1",
        "The split of another protocol plus N labels that a strategy selects",
    )
    usage = "asked:NxSTRATEGY:PROTOCOL, as asked:16xsuggest:issd or asked:0:issd"
    example = "2xrandom:issd"
    leaky = True
    left_out = "not asked for"
    nests_in = ("within", "added", "picks")

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        request = read_asked(argument)
        if request is None:
            raise InputError(
                f"protocol asked needs a number up to {MAX_ASKED_PIXELS}, a strategy and a"
                " protocol",
                value=repr(argument[:200]),
                hint=f"Write {cls.usage}.",
            )
        check_known(
            "labels must be asked for by suggest, random or uncertain", request.strategy, STRATEGIES
        )
        return cls.of(
            f"{request.number}x{request.strategy}" if request.number else "0",
            request.base,
            buffer,
            folder,
        )

    @property
    def asked(self) -> AskedLabels:
        """The parsed argument."""
        request = read_asked(self.argument)
        assert request is not None
        return request

    @property
    def reads_spectra(self) -> bool:
        return self.asked.strategy != "random"

    def as_json(self) -> dict[str, str]:
        """The identity, with the versions of the committee's classifiers where it is asked."""
        identity = super().as_json()
        if not self.reads_spectra:
            return identity
        versions = (
            f"{name} {registry().find('classifier', name).card.version}" for name in COMMITTEE
        )
        return {**identity, "version": ", ".join((self.card.version, *versions))}

    def buffer_radius(self, patch: int) -> int:
        """0: the split leaves out the base split's buffer by itself, and none round the asked
        pixels.
        """
        return 0

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        request = self.asked
        first, others, test = self.base_draw(scene, seed, patch)
        # Without strategy and number, so that all of them leave the same test pixels.
        rng = self.rng_of(scene, seed)
        pool = np.zeros_like(others)
        for c in scene.class_ids:
            pixels = rng.permutation(np.argwhere(others & (scene.labels == c)))
            eligible = takeable(test[tuple(pixels.T)])
            pool[tuple(pixels[eligible][: len(pixels) // ONE_IN].T)] = True
        key = (scene.sha256, *self.of_base, patch, seed, request.strategy)
        order = _orders.setdefault(key, [])
        if request.strategy == "random" and not order:
            order += map(tuple, rng.permutation(np.argwhere(pool))[:MAX_ASKED_PIXELS].tolist())
        while self.reads_spectra and len(order) < request.number:
            if not (batch := self._ask(scene, first.train, pool, order, seed, patch)):
                break
            order += batch
        requested = np.zeros_like(others)
        requested[tuple(np.array(order[: request.number], dtype=np.intp).reshape(-1, 2).T)] = True
        facts = (
            (request.number, NO_BUFFER),
            (
                requested.sum() < request.number,
                f"{requested.sum()} of {request.number} pixels could be asked for",
            ),
        )
        notes = (*first.notes, *(note for holds, note in facts if holds))
        return Draw(
            first.train | requested, others & ~requested & (pool | ~test), notes, asked=requested
        )

    def _ask(
        self,
        scene: Scene,
        train: Mask,
        pool: Mask,
        requested: list[tuple[int, int]],
        seed: int,
        patch: int,
    ) -> list[tuple[int, int]]:
        """The pixels of the next batch; none where nothing is left to ask for."""
        train = train.copy()
        train[tuple(np.array(requested, dtype=np.intp).reshape(-1, 2).T)] = True
        ground = ground_of(scene.unlabelled)
        open_ = pool & ~train & ground.data
        if not open_.any():
            return []
        learnt = Blind(train, np.zeros_like(train), scene.labels[train].astype(np.int64), patch)
        members = committee(scene.bands)
        votes = cast_votes(
            scene.unlabelled, learnt, members, registry(), seed=seed, progress=silent
        )
        doubt = disagreement(votes, len(scene.class_names))
        if self.asked.strategy == "uncertain":
            pixels = np.random.default_rng(derive_seed("uncertain", seed)).permutation(
                np.argwhere(open_)
            )
            most = np.argsort(-doubt[tuple(pixels.T)], kind="stable")[:MAX_ASKED_PIXELS]
            return [(row, column) for row, column in pixels[most].tolist()]
        segments = Segments(ground, open_)
        count = min(MAX_ASKED_PIXELS, len(segments.ids))
        chosen, _ = cover(
            segments.centres, segments.sums(doubt + FLOOR), ground.features[train], count
        )
        return [segments.medoid(j) for j in chosen]
