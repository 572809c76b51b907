"""Labels that somebody wants to use: naming their codes, and whether they fit the cube."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, SceneError, did_you_mean
from hsiaug.data.rasterise import MOST_CODES, LabelRaster

__all__ = ["ClassCodes", "better_turn", "is_code", "name_codes"]

CLEARLY = 1.3
"""Labels that explain so many times more of the spectra when turned are probably turned."""


def is_code(item: str) -> bool:
    """True where a text is the code of a class: a whole number that an array can hold."""
    return re.fullmatch(r"-?[0-9]{1,18}", item) is not None


@dataclass(frozen=True)
class ClassCodes:
    """names, ids: of the classes, and their codes. ignore: names and codes without a label. notes: for people."""

    names: tuple[str, ...]
    ids: tuple[int, ...]
    ignore: tuple[str | int, ...]
    notes: tuple[str, ...]


def name_codes(raster: LabelRaster, names: tuple[str, ...], ignore: tuple[str, ...]) -> ClassCodes:
    """Names for the codes (H, W) of a raster: as given, else as the file says, else "class 1", "class 2", …

    names: of the codes present, in ascending order, or of codes 1, 2, …, if there are more names.
    ignore: codes, or names, that count as unlabelled.
    Raises SceneError for a raster that can be none of labels, InputError for names that do not fit.
    """
    codes, said, missing = raster.codes, raster.names, raster.missing
    present, counts = np.unique(codes, return_counts=True)
    of = dict(zip(present.tolist(), counts.tolist(), strict=True))
    if len(of) > MOST_CODES:
        raise SceneError(
            f"{raster.where}: a label raster has at most {MOST_CODES} codes",
            value=f"{len(of):,} different values, {present[0]} to {present[-1]}",
            hint="Name the raster of the classes; for a .mat with several arrays, with `labels_key`.",
        )
    dropped = {int(item) for item in ignore if is_code(item)}
    below = {code for code in of if code < 0}
    dropped |= below | ({missing} if missing is not None else set())
    classes = [code for code in of if code != 0 and code not in dropped]
    listed = ", ".join(f"{code} ({of[code]:,} px)" for code in classes[:12]) + (", …" if len(classes) > 12 else "")
    notes = [f"codes below 0 count as unlabelled: {', '.join(map(str, sorted(below)))}"] if below else []
    if names and len(names) == len(classes):
        ids: tuple[int, ...] = tuple(classes)
    elif names and classes and len(names) > len(classes) > 1 and len(names) >= classes[-1]:
        ids = tuple(range(1, len(names) + 1))
        notes += [f"no pixel: {', '.join(n for n, code in zip(names, ids, strict=True) if code not in of)}"]
    elif names:
        raise InputError(
            f"`classes` must name every code of {raster.where}, in ascending order",
            value=f"{len(names)} names for {len(classes)} codes: {listed or 'none but 0'}",
            hint="Give one name per code; leave codes out with `ignore`.",
        )
    else:
        ids = tuple(classes)
        names = tuple(said[c] if 0 < c < len(said) and said[c] else f"class {c}" for c in ids)
        if not said:
            notes += ["classes have no names: give them with `classes`, or edit labels.names of the card"]
    unknown = [item for item in ignore if not is_code(item) and item not in names]
    if unknown:
        raise InputError(
            "`ignore` must name a class or a code", value=repr(unknown[0]), hint=did_you_mean(unknown[0], names)
        )
    if len(ids) < 2:
        raise SceneError(
            f"{raster.where}: labels need at least two classes",
            value=f"codes {listed or 'none but 0'}",
            hint="0 is unlabelled, unless `zero` says otherwise; check `ignore`.",
        )
    words = tuple(item for item in ignore if item in names)
    return ClassCodes(names, ids, (*words, *sorted(dropped & set(of))), tuple(notes))


def better_turn(view: NDArray[Any], codes: NDArray[np.int64]) -> str | None:
    """How the labels (H, W) must be turned to fit the cube (H, W, B) clearly better, or None.

    Fit: share of the variance of the spectra that the classes explain, in the mean over bands (η²), for every turn
    that keeps the shape. Right labels explain far more than turned ones, except on scenes of mirrored fields.
    """
    bands = view[:, :, :: max(1, view.shape[2] // 8)]
    turns = {
        "": codes,
        "upside down": codes[::-1],
        "mirrored left to right": codes[:, ::-1],
        "turned by 180°": codes[::-1, ::-1],
    }
    if codes.shape[0] == codes.shape[1]:
        turns |= {"transposed": codes.T, "transposed and turned": codes.T[::-1, ::-1]}
    fit = {name: _explain_variance(bands, np.ascontiguousarray(turned)) for name, turned in turns.items()}
    best = max(fit, key=lambda name: fit[name])
    return best if best and fit[best] > CLEARLY * fit[""] + 0.05 else None


def _explain_variance(bands: NDArray[Any], codes: NDArray[np.int64]) -> float:
    rows, columns = np.nonzero(codes)
    step = max(1, len(rows) // 20_000)
    rows, columns = rows[::step], columns[::step]
    x = np.asarray(bands[rows, columns], dtype=np.float64)
    x = np.where(np.isfinite(x), x, 0)
    ids, group = np.unique(codes[rows, columns], return_inverse=True)
    member = np.eye(len(ids))[group]
    means = member.T @ x / member.sum(axis=0)[:, None]
    within = ((x - means[group]) ** 2).sum(axis=0)
    total = ((x - x.mean(axis=0)) ** 2).sum(axis=0)
    return float(np.mean(1 - within[total > 0] / total[total > 0])) if (total > 0).any() else 0.0
