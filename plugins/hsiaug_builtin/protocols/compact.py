"""Compact draws: clumps of training pixels of each class, as a field team takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import KEPT_FOR_TEST, Draw, dilate, seen_fields

SMALL_CLASS = 60
"""Labelled pixels below which a class's clump sits at an end of its component (evaluation
protocol).
"""
TRIES = 100


def compact_draw(
    labels: NDArray[np.int16],
    sizes: Mapping[int, int],
    radius: int,
    rng: np.random.Generator,
    places: int = 1,
    fields: NDArray[np.int32] | None = None,
) -> Draw:
    """``sizes[c]`` pixels of each class c of ``labels`` (H, W), in clumps at so many places, small
    classes first.

    Clumps are refused where, with a buffer of ``radius`` pixels, they would leave any class placed
    so far fewer than ``KEPT_FOR_TEST`` test pixels; small classes keep fewer training pixels where
    that helps.

    Parameters
    ----------
    fields : (H, W) int32 or None
        Fields of which each is for training or for test: a class's clumps lie in ``places`` of
        its fields, one of which at least is left for test; None: anywhere, small classes in one
        clump at an end of a component.
    """
    train = np.zeros(labels.shape, dtype=bool)
    notes: list[str] = []
    totals = {c: int((labels == c).sum()) for c in sizes}
    placed: list[int] = []
    single: list[int] = []
    for c in sorted(sizes, key=lambda c: (totals[c], c)):
        parts = None if fields is None else _parts(labels == c, fields)
        if parts is not None and len(parts) == 1:
            single.append(c)
        else:
            placed.append(c)
        candidates = _candidates(labels == c, sizes[c], places, parts, rng)
        best = _first_fit(
            candidates, train, lambda trial: _fewest_left(labels, trial, placed, radius, fields)
        )
        train[tuple(best.T)] = True
        if len(best) < sizes[c]:
            largest = len(_components(labels == c)[0])
            if parts is not None:
                why = "all that its training fields hold"
            elif largest <= sizes[c] and len(best) == max(1, largest - 1):
                why = f"as its largest area of adjacent pixels has {largest}"
            else:
                why = f"so that at least {KEPT_FOR_TEST} of each class remain for test"
            notes.append(f"class {c} keeps {len(best)} of {sizes[c]} training pixels, {why}")
    if single:
        listed = ", ".join(map(str, sorted(single)))
        notes.append(f"classes of one field train in it and are not evaluable: {listed}")
    dropped = np.zeros_like(train) if fields is None else seen_fields(fields, train) & ~train
    return Draw(train, dropped, tuple(notes))


def _first_fit(
    candidates: Iterator[NDArray[np.intp]],
    train: NDArray[np.bool_],
    fewest_left: Callable[[NDArray[np.bool_]], int],
) -> NDArray[np.intp]:
    """The first pixels (n, 2) that, with those of ``train``, leave test pixels enough; else those
    that leave most.
    """
    trials: list[tuple[int, NDArray[np.intp]]] = []
    for clump in candidates:
        trial = train.copy()
        trial[tuple(clump.T)] = True
        trials.append((fewest_left(trial), clump))
        if trials[-1][0] >= KEPT_FOR_TEST:
            break
    return max(trials, key=lambda entry: entry[0])[1]


def _candidates(
    mask: NDArray[np.bool_],
    count: int,
    places: int,
    fields: Sequence[NDArray[np.intp]] | None,
    rng: np.random.Generator,
) -> Iterator[NDArray[np.intp]]:
    """Training pixels (n, 2) of a class to choose from.

    Parameters
    ----------
    mask : (H, W) bool
        Its pixels.
    fields : sequence of array of intp or None
        They, field by field.
    """
    if fields is not None:
        return _visits(fields, count, max(1, min(places, len(fields) - 1)), rng)
    if mask.sum() < SMALL_CLASS:
        return _ends(mask, count, rng)
    if places == 1:
        return _clumps(mask, count, rng)
    parts = _components(mask)
    if sum(map(len, parts[:places])) < count:
        parts = [np.argwhere(mask)]
    return _visits(parts, count, places, rng)


def _fewest_left(
    labels: NDArray[np.int16],
    train: NDArray[np.bool_],
    classes: list[int],
    radius: int,
    fields: NDArray[np.int32] | None,
) -> int:
    unavailable = dilate(train, radius)
    if fields is not None:
        unavailable |= seen_fields(fields, train)
    remaining = np.bincount(
        labels[(labels > 0) & ~unavailable], minlength=max(classes, default=0) + 1
    )
    return int(min((remaining[c] for c in classes), default=KEPT_FOR_TEST))


def _nearest(pixels: NDArray[np.intp], start: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    distance = ((pixels - start) ** 2).sum(axis=1)
    return pixels[np.argsort(distance, kind="stable")[:count]]


def _components(mask: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Pixels (n, 2) of each 8-connected component, largest first."""
    from scipy import ndimage

    numbered, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    return _parts(mask, numbered)


def _parts(mask: NDArray[np.bool_], numbered: NDArray[np.signedinteger]) -> list[NDArray[np.intp]]:
    """Pixels (n, 2) of the mask with each number of ``numbered`` (H, W), largest part first."""
    # One pass over the scene, however many parts it has.
    pixels = np.argwhere(mask)
    ids = numbered[mask]
    counts = np.bincount(ids)
    ends = np.cumsum(counts[counts > 0])
    parts = np.split(pixels[np.argsort(ids, kind="stable")], ends[:-1]) if len(ids) else []
    return sorted(parts, key=len, reverse=True)


def _clumps(
    mask: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """The class pixels nearest to random starts, in components that hold a whole clump where there
    are any.
    """
    everything = np.argwhere(mask)
    large = [component for component in _components(mask) if len(component) >= count]
    starts = np.concatenate(large) if large else everything
    for _ in range(TRIES):
        start = starts[rng.integers(len(starts))]
        yield _nearest(everything, start, count)


def _ends(
    mask: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Clumps at the ends of components along their long axis: all ends at full size first, then
    smaller.
    """
    ends = []
    for component in _components(mask):
        centred = component - component.mean(axis=0)
        axis = np.linalg.svd(centred, full_matrices=False)[2][0]
        along = centred @ axis
        ends += [(component, component[along.argmin()]), (component, component[along.argmax()])]
    for size in range(count, 0, -1):
        for i in rng.permutation(len(ends)):
            component, start = ends[i]
            if len(component) > size:
                yield _nearest(component, start, size)
    # Where every component is a single pixel, any of them is an end.
    yield np.argwhere(mask)[:1]


def _visits(
    parts: Sequence[NDArray[np.intp]], count: int, places: int, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Clumps round random starts at so many places, each in a part of its own while there are.

    Of the parts, those come first that hold a whole clump, in random order; then the largest. A
    part that holds fewer pixels than its share gives all, and the others more.
    """
    share = -(-count // places)
    whole = [i for i, pixels in enumerate(parts) if len(pixels) >= share]
    small = [i for i, pixels in enumerate(parts) if len(pixels) < share]
    for _ in range(TRIES):
        order = [*(whole[i] for i in rng.permutation(len(whole))), *small]
        homes, visits = np.unique(
            [order[i % len(order)] for i in range(places)], return_counts=True
        )
        sizes = _shares([len(parts[home]) for home in homes], visits.tolist(), count)
        clumps = []
        for home, times, size in zip(homes, visits, sizes, strict=True):
            free = parts[home]
            for turn in range(times):
                clump = _nearest(free, free[rng.integers(len(free))], (size + turn) // times)
                clumps.append(clump)
                free = free[~(free[:, None] == clump[None]).all(axis=2).any(axis=1)]
        yield np.concatenate(clumps)


def _shares(sizes: Sequence[int], visits: Sequence[int], count: int) -> list[int]:
    """How many of ``count`` pixels each part gives, as equal for each visit as what they hold
    allows.
    """
    shares = [0] * len(sizes)
    remaining = count
    times = sum(visits)
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i] / visits[i]):
        shares[i] = min(sizes[i], remaining * visits[i] // times)
        remaining = remaining - shares[i]
        times = times - visits[i]
    return shares
