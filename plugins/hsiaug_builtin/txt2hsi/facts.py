"""What patches show, by a map of names: the facts that sentences say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import side_masks
from hsiaug_builtin.text.layout import RELATIONS, SIDES, Mention

Ids = NDArray[np.int16]

NEIGHBOUR_SHARES = {**dict.fromkeys(SIDES, 0.6), "around": 0.8, "beside": 0.15}
"""Share that another class covers where it is said to lie there: of a side, of the outermost
pixels, or of the whole patch.
"""
SHARES = (("whole", 0.95), ("most", 0.6), ("half", 0.35), ("small", 0.0))
"""Least share of a patch that the class of the centre covers, by what is said of it."""
COLUMN = {relation: column for column, relation in enumerate(RELATIONS)}


@dataclass(frozen=True, eq=False)
class Looks:
    """How pixels look beside others of their class: -1 = less than most, 0 = as most, 1 = more.

    Attributes
    ----------
    rough, bright : (n,) int8
        Differences of neighbours in the patch, and brightness of its centre.
    """

    rough: NDArray[np.int8]
    bright: NDArray[np.int8]


def find_facts(regions: Ids, looks: Looks | None = None) -> Ids:
    """The facts of patches.

    Parameters
    ----------
    regions : (n, p, p) int16
        Name of each pixel, -1 = not known.
    looks : Looks, optional
        Of the patches; nothing is said of looks without.

    Returns
    -------
    (n, R) int16
        For each of RELATIONS the name that it is true of, -1 where there is none. Rows whose centre
        has no name are -1 throughout.
    """
    n, side, _ = regions.shape
    centre = regions[:, side // 2, side // 2]
    facts = np.full((n, len(RELATIONS)), -1, dtype=np.int16)
    named = centre >= 0
    facts[:, COLUMN["centre"]] = centre
    own = regions == centre[:, None, None]
    share = own.mean(axis=(1, 2))
    rest = named.copy()
    for relation, least in SHARES:
        fits = rest & (share >= least)
        facts[fits, COLUMN[relation]] = centre[fits]
        rest &= ~fits
    if side >= 3:
        _find_neighbours(regions, centre, own, facts)
    if looks is not None:
        for values, less, more in (
            (looks.rough, "even", "mixed"),
            (looks.bright, "dark", "bright"),
        ):
            for level, relation in ((-1, less), (1, more)):
                fits = named & (values == level)
                facts[fits, COLUMN[relation]] = centre[fits]
    facts[~named] = -1
    return facts


def _find_neighbours(regions: Ids, centre: Ids, own: NDArray[np.bool_], facts: Ids) -> None:
    """Write what lies on the sides of patches, beside and around, into their facts."""
    side = regions.shape[1]
    masks = neighbour_masks(side)
    others = np.where(own, -1, regions)
    for relation, least in NEIGHBOUR_SHARES.items():
        main, share = _main_name(others[:, masks[relation]])
        fits = share >= least
        facts[fits, COLUMN[relation]] = main[fits]
    across = {relation: own[:, masks[relation]].mean(axis=1) for relation in SIDES}
    middle = side // 2
    for relation, (first, second), line in (
        ("strip_ns", ("west", "east"), own[:, :, middle]),
        ("strip_we", ("north", "south"), own[:, middle, :]),
    ):
        fits = line.all(axis=1) & (across[first] < 0.4) & (across[second] < 0.4)
        facts[fits, COLUMN[relation]] = centre[fits]


def neighbour_masks(side: int) -> dict[str, NDArray[np.bool_]]:
    """The pixels (p, p) of a patch that what is said of a neighbour is about, by relation."""
    ring = np.ones((side, side), dtype=bool)
    edge = max(1, side // 6)
    inner = slice(edge, side - edge)
    ring[inner, inner] = False
    return {**side_masks(side), "around": ring, "beside": np.ones((side, side), dtype=bool)}


def _main_name(values: Ids) -> tuple[Ids, NDArray[np.float64]]:
    """(n,) the most frequent name of each row of values (n, m), -1 not counted, and its share."""
    n, length = values.shape
    names = int(values.max(initial=-1)) + 1
    if names == 0:
        return np.full(n, -1, dtype=np.int16), np.zeros(n)
    flat = (values.astype(np.int64) + 1) + np.arange(n)[:, None] * (names + 1)
    counts = np.bincount(flat.ravel(), minlength=n * (names + 1)).reshape(n, names + 1)[:, 1:]
    main = counts.argmax(axis=1)
    return main.astype(np.int16), counts[np.arange(n), main] / length


def choose_facts(facts: Ids, share: float, rng: np.random.Generator) -> Ids:
    """Facts of which only some are said: each with probability ``share``, the centre always.

    A class that lies all around, or on a named side, is not said to lie beside as well.
    """
    said = np.where(rng.random(facts.shape) < share, facts, -1).astype(np.int16)
    said[:, COLUMN["centre"]] = facts[:, COLUMN["centre"]]
    return drop_implied(said)


def drop_implied(facts: Ids) -> Ids:
    """Facts without those that another fact of the same row says more exactly."""
    said = facts.copy()
    around = said[:, COLUMN["around"]]
    for relation in SIDES:
        column = COLUMN[relation]
        said[(around >= 0) & (said[:, column] == around), column] = -1
    beside = said[:, COLUMN["beside"]]
    closer = [COLUMN[relation] for relation in (*SIDES, "around")]
    implied = (said[:, closer] == beside[:, None]).any(axis=1)
    said[implied, COLUMN["beside"]] = -1
    return said


def mirror_facts(facts: Ids, number: NDArray[np.int64]) -> Ids:
    """The facts of patches that are mirrored along the axes that ``number`` (n,) names, as
    :func:`hsiaug_builtin.txt2hsi.frequencies.mirror` numbers them.
    """
    mirrored = facts.copy()
    for axis, pair in ((number % 2 == 1, ("north", "south")), (number >= 2, ("west", "east"))):
        first, second = (COLUMN[relation] for relation in pair)
        mirrored[axis, first], mirrored[axis, second] = (
            mirrored[axis, second],
            mirrored[axis, first],
        )
    return mirrored


def facts_of_mentions(sentences: Sequence[Sequence[Mention]]) -> Ids:
    """(n, R) the facts that n sentences say."""
    facts = np.full((len(sentences), len(RELATIONS)), -1, dtype=np.int16)
    for row, mentions in zip(facts, sentences, strict=True):
        for mention in mentions:
            row[COLUMN[mention.relation]] = mention.noun
    return facts


def withheld_facts(facts: Ids) -> NDArray[np.bool_]:
    """(n, R) facts that no sentence of training says: a sixth of all triples of a class, a side and
    a neighbour.

    Whoever asks for them sees whether what was learnt is put together anew.
    """
    held = np.zeros(facts.shape, dtype=bool)
    centre = facts[:, COLUMN["centre"]].astype(np.int64)
    for number, relation in enumerate(SIDES):
        other = facts[:, COLUMN[relation]].astype(np.int64)
        held[:, COLUMN[relation]] = (other >= 0) & is_withheld(centre, number, other)
    return held


def is_withheld(
    centre: NDArray[np.int64], side: int, neighbour: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether the triples of a class, the number of a side and a neighbour are never said."""
    mixed = (centre * 7919 + neighbour * 104729 + side * 1299709 + 12345) % 1000003
    return np.asarray((mixed * 31 % 997) % 6 == 0)
