"""Draws that hardly differ: a scene cut into four blocks has few divisions into two halves, however
many draws are asked for. An interval counts them as if each were new.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.protocol.split import Places

ALIKE = 0.75
"""Share of training pixels, and of test pixels, from which two draws are alike: those that both
have, of those that either has.
"""
MOST_PLACES, MOST_PIXELS = 200, 100_000
"""Places that the shares are estimated from at most, and pixels of these, about."""


def group_alike(draws: Sequence[Places]) -> list[list[int]]:
    """Groups of draws of one scene that are alike, each with at least one other of its group.

    Parameters
    ----------
    draws : sequence of Places
        The labels, tested and trained pixels of the places of each draw.

    Returns
    -------
    list of list of int
        Indices into ``draws``, every one of them once; a draw like no other is a group of one.
    """
    tested, trained = (np.stack(side) for side in zip(*map(_sides_of, draws), strict=True))
    alike = (shared_shares(tested) >= ALIKE) & (shared_shares(trained) >= ALIKE)
    if not np.triu(alike, 1).any():
        return [[index] for index in range(len(draws))]
    # Most plans end above, and are made without SciPy.
    from scipy.sparse.csgraph import connected_components

    count, group = connected_components(alike, directed=False)
    return [np.flatnonzero(group == index).tolist() for index in range(count)]


def shared_shares(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, n): of each two of some masks (n, pixels), pixels of both in those of either."""
    values = masks.astype(np.float32)
    both = values @ values.T
    size = both.diagonal()
    either = size[:, None] + size - both
    shares: NDArray[np.float32] = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return shares


def _sides_of(places: Places) -> tuple[NDArray[Any], NDArray[Any]]:
    """Which pixels are tested and trained on, of the same ones in every draw."""
    # Of a set of many files only some are opened for this.
    some = np.linspace(0, len(places) - 1, min(len(places), MOST_PLACES)).astype(int)
    chosen = [places[index] for index in some.tolist()]
    step = max(1, sum(labels.size for labels, _, _ in chosen) // MOST_PIXELS)
    sides: tuple[list[NDArray[Any]], list[NDArray[Any]]] = ([], [])
    for labels, *masks in chosen:
        pixels: NDArray[np.integer] = np.arange(labels.size)
        if step > 1:
            # At random, as every so many pixels might be those of one column.
            pixels = np.random.default_rng(0).choice(labels.size, labels.size // step)
        labelled = labels.ravel()[pixels] > 0
        for side, mask in zip(sides, masks, strict=True):
            side.append(mask.ravel()[pixels] & labelled)
    tested, trained = (np.concatenate(side) for side in sides)
    return tested, trained
