"""The classes of a labelled scene: mean curves, and how fields and pixels vary."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import InputError, Scene
from hsiaug_builtin.spectra.curves import GRID, line_of, on_grid
from hsiaug_builtin.spectra.likeness import LOOK, looks
from hsiaug_builtin.text import class_words

__all__ = [
    "Source",
    "fingerprints",
    "scene_source",
    "shown_of",
    "words_of",
]

LEAST = 4
"""Pixels that a field needs to count."""
PER_FIELD, DEVIATIONS = 12, 400
"""Pixels of a field, and deviations of fields and of pixels of a source, that are kept at most."""
SEED = 0
NO_PIXELS, NO_LOOKS = np.empty(0, dtype=np.uint64), np.empty((0, LOOK), dtype=np.float32)
MOST_LOOKS, SHOWN = 10_000, 50_000
"""Labelled pixels of a source whose looks are kept, and pixels of a scene that are looked at, at most."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Source:
    """k classes on the grid of G wavelengths; NaN where the sensor has no band.

    words: of each class, "" where its name says nothing. means: (k, G) of its fields. fields: (k,) how many these are.
    between: (m, G) fields minus the mean of their class; within: (w, G) pixels minus the mean of their field; both as
    large as if that mean were known. pixels: (p,) uint64 sorted :func:`fingerprints` of labelled pixels, but
    for those that have one value in all bands. looks: (q, ``LOOK``) float32 of some of them, see
    :mod:`hsiaug_builtin.spectra.likeness`.
    """

    name: str
    words: tuple[str, ...]
    means: Floats
    fields: Floats
    between: Floats
    within: Floats
    pixels: NDArray[np.uint64]
    looks: NDArray[np.float32]


def scene_source(scene: Scene) -> Source:
    """Make a source of a scene, with all of its labels.

    Raises InputError where it has no wavelengths, none on the grid, or no field of at least ``LEAST`` pixels.
    """
    if scene.wavelengths is None:
        raise InputError(
            f"{scene.name}: a scene to learn from needs the wavelengths of its bands",
            value="none",
            hint="Put them into its card: sensor.wavelengths, or sensor.range_nm where only the ends are known.",
        )
    labelled = scene.labels > 0
    spectra, y, field = scene.cube[labelled], scene.labels[labelled], scene.fields[labelled]
    line = line_of(spectra, scene.wavelengths)
    if np.isnan(on_grid(line.mean[None], scene.wavelengths)).all():
        raise InputError(
            f"{scene.name}: a scene to learn from needs bands between {GRID[0]:g} and {GRID[-1]:g} nm",
            value=f"{scene.wavelengths.min():g} to {scene.wavelengths.max():g} nm",
            hint="Leave this scene out, or correct sensor.wavelengths in its card: they are in nanometres.",
        )
    fields: dict[int, list[Floats]] = defaultdict(list)
    rng, within = np.random.default_rng(SEED), []
    for i in np.unique(field):
        rows = np.flatnonzero(field == i)
        if len(rows) >= LEAST:
            curves = line.curves(spectra[rng.permutation(rows)[: 20 * PER_FIELD]])
            fields[int(y[rows[0]])].append(curves.mean(axis=0))
            within.append(_deviations(curves[:PER_FIELD]))
    if not fields:
        raise InputError(
            f"{scene.name}: a scene to learn from needs fields of at least {LEAST} labelled pixels",
            value=f"{len(np.unique(field))} smaller ones",
            hint="Leave this scene out.",
        )
    words = words_of(scene.class_names)
    found = {c: np.array(rows) for c, rows in sorted(fields.items())}
    # Black and saturated pixels are alike in other scenes too.
    telling = spectra[np.ptp(spectra, axis=1) > 0]
    known = looks(
        telling[rng.permutation(len(telling))[:MOST_LOOKS]],
        shown_of(scene.cube, np.ones(scene.shape, dtype=bool)),
        scene.wavelengths,
    )
    classes = {words[c - 1] or f"#{c}": rows for c, rows in found.items()}
    return _source(scene.name, classes, within, np.unique(fingerprints(telling)), known)


def shown_of(cube: NDArray[np.float32], visible: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, B) visible spectra, ``SHOWN`` at most, evenly taken: a large scene does not fit into memory."""
    rows, columns = np.nonzero(visible)
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), SHOWN)).round().astype(np.int64)
    return np.asarray(cube[rows[chosen], columns[chosen]])


def words_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The words of class names; "" for one that only numbers its class."""
    return tuple("" if re.fullmatch(r"(class|c|label|)\s*\d*", word) else word for word in class_words(names))


def fingerprints(spectra: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(n,) uint64 of (n, B) spectra: equal for equal spectra, and for others with a chance of 2⁻⁶⁴."""
    draw = np.random.default_rng(SEED).integers(2**63, size=spectra.shape[1], dtype=np.uint64)
    odd = draw * np.uint64(2) + np.uint64(1)
    bits = np.ascontiguousarray(spectra, dtype=np.float32).view(np.uint32).astype(np.uint64)
    return np.asarray((bits * odd).sum(axis=1, dtype=np.uint64))


def _source(
    name: str,
    classes: dict[str, Floats],
    within: list[Floats],
    pixels: NDArray[np.uint64] = NO_PIXELS,
    known: NDArray[np.float32] = NO_LOOKS,
) -> Source:
    """Make a source of the curves (f, G) of each class's fields, by its words; "#…" where these say nothing."""
    return Source(
        name=name,
        words=tuple("" if words.startswith("#") else words for words in classes),
        means=np.array([_mean(rows) for rows in classes.values()]),
        fields=np.array([len(rows) for rows in classes.values()], dtype=np.float64),
        between=_some([_deviations(rows) for rows in classes.values()]),
        within=_some(within),
        pixels=pixels,
        looks=known,
    )


def _mean(rows: Floats) -> Floats:
    """(G,) of those of (n, G) that are known; NaN where none is."""
    known = ~np.isnan(rows)
    total, count = np.where(known, rows, 0).sum(axis=0), known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _deviations(rows: Floats) -> Floats:
    """(n, G) minus their mean, as large as if that mean were not estimated from them; none of a single row."""
    if len(rows) < 2:
        return np.empty((0, len(GRID)))
    return np.asarray((rows - _mean(rows)) * np.sqrt(len(rows) / (len(rows) - 1)))


def _some(parts: list[Floats]) -> Floats:
    """``DEVIATIONS`` rows at most of all parts."""
    rows = np.concatenate([np.empty((0, len(GRID))), *parts])
    return rows[np.random.default_rng(SEED).permutation(len(rows))[:DEVIATIONS]]
