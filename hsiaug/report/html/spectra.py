"""Mean spectra of classes on a page: synthetic samples beside real training and test pixels.

They are markup in the page's own colours, as the chart of gains is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.trial.mean_spectra import MeanSpectra

WIDTH, HEIGHT = 300, 120
"""Units of a plot, which a browser stretches to the room that is there."""
MARGIN = 0.05
"""Share of the range of values above and below the lines."""
GAP = 4.0
"""Bands so many times as far apart as the usual ones have no line between them: those between were
removed.
"""
SERIES = {
    "held_out": "test pixels",
    "real": "real training pixels",
    "made": "synthetic samples",
}
"""What is drawn, in this order, by the field that holds it."""


@dataclass(frozen=True)
class SpectrumPlot:
    """The mean spectra of a class.

    Attributes
    ----------
    name : str
        The class.
    lines : tuple of (str, str)
        Field of :data:`SERIES`, and the line as SVG writes a path.
    values : str
        Lowest and highest value, in the units of the scene.
    text : str
        What is drawn, for those who do not see it.
    """

    name: str
    lines: tuple[tuple[str, str], ...]
    values: str
    text: str


def spectrum_plots(spectra: MeanSpectra, class_names: Sequence[str]) -> Iterator[SpectrumPlot]:
    """A plot for each class that has synthetic samples.

    Parameters
    ----------
    spectra : MeanSpectra
        Of a trial.
    class_names : sequence of str
        Those of the scene.

    Yields
    ------
    SpectrumPlot
    """
    across = _across(spectra.bands)
    gaps = _gaps(spectra.bands)
    for row, class_id in enumerate(spectra.ids.tolist()):
        curves = {name: getattr(spectra, name)[row].astype(np.float64) for name in SERIES}
        curves = {name: curve for name, curve in curves.items() if np.isfinite(curve).all()}
        values = np.concatenate([*curves.values()]) if curves else np.zeros(1)
        low = float(values.min())
        high = float(values.max())
        name = class_names[class_id - 1]
        yield SpectrumPlot(
            name=name,
            lines=tuple(
                (field, _path(across, _up(curve, low, high), gaps))
                for field, curve in curves.items()
            ),
            values=f"{low:.3g} to {high:.3g}",
            text=f"Mean spectra of {name}: {', '.join(SERIES[field] for field in curves)}",
        )


def band_range(spectra: MeanSpectra, *, wavelengths: bool) -> str:
    """What a plot spans from left to right: ``400 to 2,500 nm``, or ``bands 1 to 200``.

    Parameters
    ----------
    spectra : MeanSpectra
        Of a trial.
    wavelengths : bool
        Whether its scene names them.
    """
    first, last = float(spectra.bands.min()), float(spectra.bands.max())
    return f"{first:,.0f} to {last:,.0f} nm" if wavelengths else f"bands {first:.0f} to {last:.0f}"


def _across(bands: NDArray[np.float32]) -> NDArray[np.float64]:
    """Places of the bands from left to right."""
    first, last = float(bands.min()), float(bands.max())
    return (bands.astype(np.float64) - first) * WIDTH / max(last - first, 1e-12)


def _up(curve: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Places of the values from the top down."""
    # The range of large values may not be a number of its own.
    scale = max(abs(low), abs(high)) or 1.0
    span = max(high / scale - low / scale, 1e-12)
    share = (curve / scale - low / scale) / span
    return HEIGHT * (1 - MARGIN - share * (1 - 2 * MARGIN))


def _gaps(bands: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether bands are missing before each band."""
    steps = np.abs(np.diff(bands.astype(np.float64)))
    if not len(steps):
        return np.zeros(len(bands), dtype=np.bool_)
    return np.concatenate([[False], steps > GAP * np.median(steps)])


def _path(across: NDArray[np.float64], down: NDArray[np.float64], gaps: NDArray[np.bool_]) -> str:
    """A line through points as SVG writes it, begun anew behind each gap."""
    pieces = []
    for place, (x, y, gap) in enumerate(zip(across, down, gaps, strict=True)):
        pieces.append(f"{'M' if gap or not place else 'L'}{x:.1f} {y:.1f}")
    return "".join(pieces)
