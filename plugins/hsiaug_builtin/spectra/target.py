"""Predictions of a prior for the classes of one train view, and the factors that move its patches there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsiaug.api import PluginError, TrainView
from hsiaug_builtin.spectra.covariance import covariance
from hsiaug_builtin.spectra.curves import GRID, STRENGTH, Line, line_of
from hsiaug_builtin.spectra.likeness import alike, looks
from hsiaug_builtin.spectra.prior import Prior
from hsiaug_builtin.spectra.sources import fingerprints, shown_of, words_of

__all__ = ["Target"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Target:
    """The classes (k,) of a view with training pixels, ascending.

    move: (k, G) expected mean curve of the class minus that of its training pixels, NaN where the sensor has no band.
    root: (k, G, G): standard normal values times its transpose are the deviation of a pixel from that expectation.
    sources: names of what the prior was learnt from. strength: of deviations. evidence: how much likelier the training
    pixels are with the words of their classes than without, as a natural logarithm; below 0, the words mislead.
    """

    classes: NDArray[np.int64]
    line: Line
    move: Floats
    root: Floats
    sources: tuple[str, ...]
    strength: float
    evidence: float

    @classmethod
    def of(cls, view: TrainView, prior: Prior, strength: float = STRENGTH) -> Target:
        """Raises PluginError where the view has no wavelengths, none on the grid, or a pixel the prior learnt from."""
        if view.wavelengths is None:
            raise PluginError(
                "what other scenes show needs the wavelengths of the scene's bands",
                value="none",
                hint="Put them into its card: sensor.wavelengths, or sensor.range_nm where only the ends are known.",
            )
        middle = view.patch // 2
        centres = view.real.x[:, :, middle, middle]
        visible = shown_of(view.cube, view.visible)
        if _is_known(prior, centres, visible, view.wavelengths):
            raise PluginError(
                "a prior must not be learnt from the scene that it is used on, whose test labels it would bring",
                value=f"learnt from {', '.join(prior.names)}",
                hint="Learn it from other scenes: hsiaug pretrain OTHER… --out PRIOR.",
            )
        line = line_of(visible, view.wavelengths)
        curves = line.curves(centres)
        if np.isnan(curves).all():
            raise PluginError(
                f"what other scenes show needs bands between {GRID[0]:g} and {GRID[-1]:g} nm",
                value=f"{view.wavelengths.min():g} to {view.wavelengths.max():g} nm",
                hint="Correct sensor.wavelengths in the scene's card, in nanometres, where these are wrong.",
            )
        classes = np.array(sorted(view.counts), dtype=np.int64)
        names = words_of(view.class_names)
        own = [view.y == c for c in classes]
        known: dict[str, Any] = {
            "words": [names[c - 1] for c in classes],
            "shown": np.array([curves[rows].mean(axis=0) for rows in own]),
            "pixels": [int(rows.sum()) for rows in own],
            "fields": [_places(view.coords[rows], view.patch) for rows in own],
        }
        expected = prior.expected(**known)
        deviation = sum(covariance(torch.from_numpy(s)).numpy() for s in (prior.scales.field, prior.scales.pixel))
        return cls(
            classes=classes,
            line=line,
            move=np.array([one.mean - one.shown for one in expected]),
            root=np.array([_root(one.covariance + deviation) for one in expected]),
            sources=prior.names,
            strength=strength,
            evidence=round(prior.evidence(**known), 2),
        )

    def factors(self, y: NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """(n, B) what training patches of classes y (n,) are multiplied by to show other fields of their classes."""
        at = np.searchsorted(self.classes, y)
        noise = rng.standard_normal((len(y), len(GRID)))
        return self.line.factors(self.move[at] + self.strength * np.einsum("ngh,nh->ng", self.root[at], noise))

    def apply(self, x: NDArray[np.float32], y: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        """Patches x (n, B, p, p) of training pixels, in scene units, each as another field of its class y (n,) shows."""
        return (x * self.factors(y, rng)[:, :, None, None]).astype(np.float32) if len(x) else x

    @property
    def provenance(self) -> dict[str, object]:
        """Facts for the records of samples."""
        return {"learnt_from": list(self.sources), "words_log_evidence": self.evidence}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for :meth:`restore`, beside :meth:`facts`."""
        line = {"wavelengths": self.line.wavelengths, "mean": self.line.mean}
        return {"classes": self.classes, "move": self.move, "root": self.root, **line}

    def facts(self) -> dict[str, Any]:
        """JSON-able facts for :meth:`restore`, beside :meth:`arrays`."""
        line = {"floor": self.line.floor, "spread": self.line.spread}
        return {"sources": self.sources, "strength": self.strength, "evidence": self.evidence, **line}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> Target:
        """Restore from :meth:`arrays` and :meth:`facts`."""
        line = Line(arrays["wavelengths"], facts["floor"], arrays["mean"], facts["spread"])
        return cls(
            arrays["classes"],
            line,
            arrays["move"],
            arrays["root"],
            tuple(facts["sources"]),
            facts["strength"],
            facts["evidence"],
        )


def _is_known(
    prior: Prior, centres: NDArray[np.float32], visible: NDArray[np.float32], wavelengths: Floats
) -> bool:
    """Whether training pixels (n, B) or visible ones (m, B) are of a scene that the prior was learnt from."""
    if np.isin(fingerprints(np.concatenate([visible, centres])), prior.pixels).any():
        return True
    shown = [looks(spectra, visible, wavelengths) for spectra in (centres, visible)]
    return any(alike(prior.looks[prior.looks_of == scene], *shown) for scene in np.unique(prior.looks_of))


def _places(coords: NDArray[np.int32], reach: int) -> int:
    """How many groups pixels (n, 2) form that are further than ``reach`` apart in rows or columns."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    apart = np.abs(coords[:, None] - coords).max(axis=2)
    return int(connected_components(csr_array(apart <= reach), directed=False)[0])


def _root(matrix: Floats) -> Floats:
    """R with R·Rᵀ the matrix, rounded to what is positive semidefinite."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
